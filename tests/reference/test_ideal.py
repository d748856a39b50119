# SPDX-License-Identifier: Apache-2.0
"""``ideal`` against the textbook, and ``fixed`` against ``ideal`` as accurate as promised."""

import math

import numpy as np
import pytest
from hypothesis import given
from pasa import ArgumentError, fixed, ideal, metrics
from pasa.masks import visible_keys
from pasa.patterns import NAMES

from tests.reference.heads import SHARPNESS, Case, cases, make_case

LENGTHS = (1, 2, 3, 17, 64, 333, 1024, 2048)


def exactly(case: Case, **changes) -> fixed.Result:
    return ideal.attention(case.q, case.k, case.v, **case.arguments | changes)


def textbook(case: Case, visible: np.ndarray) -> np.ndarray:
    """softmax(q k^T / sqrt(d)) v in real units, over the visible keys."""
    a = case.arguments
    q, k, v = case.q * a["scale_q"], case.k * a["scale_k"], case.v * a["scale_v"]
    score = np.where(visible, q @ k.T / math.sqrt(q.shape[1]), -np.inf)
    weight = np.exp(score - score.max(axis=1, keepdims=True))
    return weight @ v / weight.sum(axis=1, keepdims=True)


# --- ideal ----------------------------------------------------------------------------------
@given(case=cases(sparse=False, masked=False))
def test_dense_ideal_is_the_textbook(case: Case) -> None:
    visible = np.ones((len(case.q), len(case.k)), dtype=bool)
    assert np.allclose(exactly(case).real, textbook(case, visible), atol=1e-9)


def test_masked_ideal_is_the_textbook() -> None:
    case = make_case("gaussian", n_q=90, n_k=90, d=16, sharpness=4.0)
    options = {"causal": True, "window": 20, "sinks": 2, "key_length": 80}
    visible = visible_keys(np.arange(90), 90, **options)
    assert np.allclose(exactly(case, **options).real, textbook(case, visible))


def test_softmax_scale_replaces_one_over_root_d() -> None:
    case = make_case("gaussian", n_q=5, n_k=90, d=16, sharpness=4.0)
    assert np.array_equal(exactly(case, softmax_scale=0.25).output, exactly(case).output)
    assert not np.allclose(exactly(case, softmax_scale=0.5).output, exactly(case).output)


def test_output_scale_is_the_unit_of_the_output() -> None:
    case = make_case("gaussian", n_q=5, n_k=90, d=16, sharpness=4.0)
    assert np.allclose(exactly(case, output_scale=0.015).output, 2 * exactly(case).output)
    assert np.allclose(exactly(case, output_bits=16).output, 256 * exactly(case).output)


def test_ideal_selection_is_what_it_says() -> None:
    """With all dimensions and codes that are whole nibbles, predictions are exact."""
    case = make_case("uniform", n_q=6, n_k=256, d=16, sharpness=2.0, pred_dims=16)
    case = case.with_arrays(q=case.q & ~15, k=case.k & ~15)
    visible = np.ones((6, 256), dtype=bool)
    weights = textbook(case.with_arrays(v=np.eye(256, dtype=np.int8)), visible)
    probability = weights / case.arguments["scale_v"]
    kept = exactly(case, min_probability=0.01).kept_mask
    best = probability == probability.max(axis=1, keepdims=True)
    assert np.array_equal(kept, (probability >= 0.01) | best)
    few = exactly(case, budget=7).kept_mask
    assert (few.sum(axis=1) == 7).all()
    for row, mine in zip(probability, few, strict=True):
        assert row[mine].min() >= row[~mine].max()
    lost = exactly(case, budget=7).dropped_mass
    assert np.allclose(lost, np.where(few, 0, probability).sum(axis=1))


def test_ideal_tail_is_the_mean_of_each_block() -> None:
    """Where all keys of a block are alike, its virtual key replaces them without loss."""
    case = make_case("gaussian", n_q=4, n_k=256, d=16, sharpness=2.0)
    k = np.repeat(case.k[::64], 64, axis=0) & ~15
    case = case.with_arrays(q=case.q & ~15, k=k, v=np.repeat(case.v[::64], 64, axis=0))
    assert np.allclose(exactly(case, budget=1).output, exactly(case).output)
    assert not np.allclose(exactly(case, budget=1, tail=False).output, exactly(case).output)


def test_ideal_refuses_what_fixed_refuses() -> None:
    case = make_case("gaussian", n_q=4, n_k=25, d=16, sharpness=2.0)
    wrong = ({"budget": 0}, {"pred_dims": 24}, {"scale_q": math.nan}, {"output_scale": 0})
    for options in wrong:
        messages = []
        for attention in (ideal.attention, fixed.attention):
            with pytest.raises(ArgumentError, match=next(iter(options))) as error:
                attention(case.q, case.k, case.v, **case.arguments | options)
            messages.append(str(error.value))
        assert messages[0] == messages[1]


# --- fixed against ideal, dense ---------------------------------------------------------------
def dense_heads(**options):
    for n_k in LENGTHS:
        for sharpness in SHARPNESS:
            for name in NAMES:
                yield make_case(name, n_q=8, n_k=n_k, d=64, sharpness=sharpness, **options)


def test_dense_int8_is_within_one_code() -> None:
    """Promised: 1 code for 99.9 % of elements, 2 always. Row sums 1 within 2^-10."""
    errors, sums = [], []
    for case in dense_heads():
        result = case.run()
        errors.append(metrics.lsb_error(result.output, exactly(case).output, 8).ravel())
        sums.append(result.row_sum.mean())
    error = np.concatenate(errors)
    assert error.max() <= 2 and (error <= 1).mean() >= 0.999
    assert np.abs(np.array(sums) - 1).max() <= 2.0**-10


def test_dense_int8_with_a_fitted_output_scale_is_within_one_code() -> None:
    """A scale that just holds the output, while one code is at least 1/16 of a step of V."""
    errors = []
    for case in dense_heads():
        largest = np.abs(exactly(case).output).max()
        scale = max(largest / 127, 1 / 16) * case.arguments["scale_v"]
        result, exact = case.run(output_scale=scale), exactly(case, output_scale=scale)
        errors.append(metrics.lsb_error(result.output, exact.output, 8).ravel())
    error = np.concatenate(errors)
    assert error.max() <= 2 and (error <= 1).mean() >= 0.999


def floored_tail(n_k: int, codes_per_step: float) -> float:
    """Largest loss, in codes, when every weight but the best loses almost one unit to flooring."""
    return 255 * codes_per_step * n_k * 2.0**-22


def test_dense_int16_is_within_a_stated_bound() -> None:
    """1 code for 99 % of elements, and 4 plus the floored weights always (V's scale / 256)."""
    errors = []
    for case in dense_heads(output_bits=16):
        error = metrics.lsb_error(case.run().output, exactly(case).output, 16).ravel()
        assert error.max() <= 4 + floored_tail(len(case.k), 256)
        errors.append(error)
    assert (np.concatenate(errors) <= 1).mean() >= 0.99


@pytest.mark.parametrize(
    ("bits", "codes_per_step", "bound"), [(8, 1, 1), (8, 16, 2), (16, 256, 34)]
)
def test_the_worst_floored_tail(bits: int, codes_per_step: int, bound: int) -> None:
    """One strong key against 2,047 whose weights fall just short of a unit."""
    q, k = np.full((1, 1), 127, dtype=np.int8), np.zeros((2048, 1), dtype=np.int8)
    k[0] = 1
    v = np.full((2048, 1), 127, dtype=np.int8)
    v[0] = -128 if codes_per_step != 16 else 0
    worst = 0
    for octaves in np.arange(15.0, 25.0, 0.25) + 1e-4:
        scale = {"scale_q": octaves * math.log(2) / 127, "scale_k": 1.0, "scale_v": 1.0}
        case = Case(q, k, v, scale | {"output_bits": bits, "output_scale": 1 / codes_per_step})
        error = metrics.lsb_error(case.run().output, exactly(case).output, bits)
        worst = max(worst, int(error.max()))
    assert worst <= bound


# --- fixed against ideal, sparse --------------------------------------------------------------
@pytest.mark.parametrize("options", [{"min_probability": 0.004}, {"budget": 32}])
@pytest.mark.parametrize("sharpness", [0.5, 2.0, 6.0])
def test_sparse_loses_little_to_fixed_point(options: dict, sharpness: float) -> None:
    """The cost of selection and tail is that of the algorithm, not of its arithmetic."""
    options = options | {"pred_dims": 64, "output_bits": 16}
    case = make_case("gaussian", n_q=64, n_k=1024, d=64, sharpness=sharpness, **options)
    exact = exactly(case, min_probability=None, budget=None)
    result, best = case.run(), exactly(case)
    assert (result.kept_mask != best.kept_mask).mean() < 0.01
    errors = [metrics.relative_error(each.output, exact.output) for each in (result, best)]
    assert errors[0] <= 1.05 * errors[1] + 0.01


@given(case=cases(sparse=True))
def test_sparse_ideal_sees_and_keeps_as_fixed_does(case: Case) -> None:
    one, two = case.run(), exactly(case)
    assert np.array_equal(one.visible, two.visible) and np.array_equal(one.empty, two.empty)
    if "min_probability" not in case.arguments:
        assert np.array_equal(one.kept, two.kept)
