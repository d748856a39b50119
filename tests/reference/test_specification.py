# SPDX-License-Identifier: Apache-2.0
"""The integer twin equals the fxpmath specification, step by step and over whole heads."""

import numpy as np
import pytest
from fxpmath import Fxp
from hypothesis import given
from hypothesis import strategies as st
from pasa import Build
from pasa import formats as f
from pasa.arithmetic import Integer, Specification, leading_one, log2_of, nibble
from pasa.patterns import NAMES

from tests.reference.heads import SHARPNESS, Case, cases, make_case, same_rows

INTEGER, SPECIFICATION = Integer(), Specification()
SEEDS = st.integers(0, 1 << 30)
KEYS = Build().tile_keys


def spread(seed: int, low: int, high: int, count: int = 200) -> np.ndarray:
    """Integers of low..high of every magnitude, both ends and their neighbours among them."""
    rng = np.random.default_rng(seed)
    near = np.array([low, low + 1, -1, 0, 1, high - 1, high])
    size = 2.0 ** rng.uniform(0, max(abs(low), high).bit_length(), count)
    some = (size * rng.choice((-1, 1), count)).astype(np.int64)
    wide = rng.integers(low, high + 1, count)
    return np.clip(np.concatenate([near, some, wide]), low, high)


def same(name: str, *arguments) -> np.ndarray:
    """Assert that the step gives the same raw integers in both, and return them."""
    one, two = (getattr(twin, name)(*arguments) for twin in (INTEGER, SPECIFICATION))
    for mine, other in zip(np.atleast_2d(one), np.atleast_2d(two), strict=True):
        assert np.array_equal(mine, other)
    return np.asarray(one)


@given(
    seed=SEEDS,
    multiplier=st.integers(1, (1 << f.PREDICTED_MULTIPLIER_BITS) - 1),
    shift=st.integers(0, f.PREDICTED_SHIFT_MAX),
)
def test_predicted_log2(seed: int, multiplier: int, shift: int) -> None:
    limit = (1 << Build().nibble_product_bits - 1) - 1
    raw = same("predicted_log2", spread(seed, -limit, limit), multiplier, shift)
    assert raw.min() >= -32768 and raw.max() <= 32767


def test_predicted_weight_everywhere() -> None:
    distance = np.arange(f.DISTANCE_MASKED + 1)
    weight = same("predicted_weight", distance)
    assert weight[0] == 1 << f.PREDICTED_WEIGHT_FRACTION
    assert (weight[f.DISTANCE_FAR :] == 0).all()
    assert (np.diff(weight) <= 0).all()
    exact = np.exp2(-distance / 16) * (1 << f.PREDICTED_WEIGHT_FRACTION)
    assert np.abs(weight - exact)[: f.DISTANCE_FAR].max() <= 1


@given(
    seed=SEEDS,
    multiplier=st.integers(1, (1 << f.SCORE_MULTIPLIER_BITS) - 1),
    shift=st.integers(0, f.SCORE_SHIFT_MAX),
)
def test_score_log2(seed: int, multiplier: int, shift: int) -> None:
    limit = (1 << Build().score_bits - 1) - 1
    same("score_log2", spread(seed, -limit, limit), multiplier, shift)


@given(seed=SEEDS)
def test_weight(seed: int) -> None:
    same("weight", np.abs(spread(seed, -(1 << 40), 1 << 40)))


def test_weight_over_a_whole_octave_and_at_its_end() -> None:
    distance = np.arange((1 << f.SCORE_FRACTION) + 1)
    weight = same("weight", distance)
    exact = np.exp2(-distance / (1 << f.SCORE_FRACTION)) * (1 << f.WEIGHT_FRACTION)
    assert np.abs(weight - exact).max() < 1 << f.WEIGHT_FRACTION - 18  # as formats.py says
    far = np.array([23, 24, 25, 62, 63, 64, 65, 1 << 24]) << f.SCORE_FRACTION
    assert (same("weight", far)[2:] == 0).all()


@given(seed=SEEDS, block_log2=st.integers(1, 7))
def test_block_weight(seed: int, block_log2: int) -> None:
    total = np.abs(spread(seed, 0, 1 << f.PREDICTED_WEIGHT_FRACTION + block_log2))
    for shift in (0, 1, 2, 5, 23, 24, 40, 62, 63, 64, 1000):
        same("block_weight", total, block_log2, np.full_like(total, shift))


@given(seed=SEEDS)
def test_average_and_reciprocal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    total = np.maximum(1, spread(seed, 1, KEYS << f.WEIGHT_FRACTION))
    same("reciprocal", total)
    share = rng.choice([-128, -127.99, -1, -1e-9, 0, 1e-9, 1, 126.99, 127], len(total))
    same("average", np.floor(total * share).astype(np.int64), total)


def test_reciprocal_of_every_mantissa() -> None:
    mantissa = np.arange(1 << 17, 1 << 18)
    reciprocal = same("reciprocal", mantissa)
    exact = (1 << f.RECIPROCAL_FRACTION) * (1 << 17) / mantissa
    assert np.abs(reciprocal - exact).max() < 2  # an error below 2^-16
    assert np.array_equal(reciprocal, same("reciprocal", mantissa << 16))


@given(seed=SEEDS, multiplier=st.integers(1, (1 << f.OUTPUT_MULTIPLIER_BITS) - 1))
def test_factor(seed: int, multiplier: int) -> None:
    reciprocal = np.random.default_rng(seed).integers(1 << 16, (1 << 17) + 1, 100)
    same("factor", reciprocal, multiplier)


@given(seed=SEEDS, shift=st.integers(1, f.OUTPUT_SHIFT_MAX), bits=st.sampled_from((8, 16)))
def test_output(seed: int, shift: int, bits: int) -> None:
    average = spread(seed, -(1 << 24), (1 << 24) - 1)
    factor = np.abs(spread(seed + 1, 0, (1 << f.FACTOR_BITS) - 1))
    same("output", average, factor, shift, bits)


@pytest.mark.parametrize("bits", [8, 16])
def test_output_ties_go_to_the_even_code(bits: int) -> None:
    half = np.arange(-9, 10, 2)  # in halves
    code, saturated = INTEGER.output(half, np.ones_like(half), 1, bits)
    assert np.array_equal(code, np.rint(half / 2)) and not saturated.any()
    same("output", half, np.ones_like(half), 1, bits)


@pytest.mark.parametrize("bits", [8, 16])
def test_output_saturates_just_beyond_the_last_code(bits: int) -> None:
    limit = 1 << bits - 1
    quarters = np.array([4 * limit - 3, 4 * limit - 2, 4 * limit, -4 * limit - 2, -4 * limit - 3])
    code, saturated = INTEGER.output(quarters, np.ones_like(quarters), 2, bits)
    assert code.tolist() == [limit - 1, limit - 1, limit - 1, -limit, -limit]
    assert saturated.tolist() == [False, True, True, False, True]
    same("output", quarters, np.ones_like(quarters), 2, bits)


def test_nibble_of_every_code() -> None:
    codes = np.arange(-128, 128).astype(np.int8)
    for bits in range(2, 7):
        step = 2.0 ** (8 - bits)
        exact = np.minimum(np.floor(codes / step + 0.5), 2 ** (bits - 1) - 1)
        assert np.array_equal(nibble(codes, bits), exact)


def test_leading_one_near_every_power_of_two() -> None:
    for power in range(1, 53):
        around = np.array([(1 << power) - 1, 1 << power, (1 << power) + 1])
        assert leading_one(around).tolist() == [int(x).bit_length() - 1 for x in around]


def test_log2_of_is_close_and_never_falls() -> None:
    total = np.unique(np.rint(2.0 ** np.linspace(0, 31, 20000)).astype(np.int64))
    log = log2_of(total, 14)
    assert (np.diff(log) >= 0).all()
    assert np.abs(log / 256 - (np.log2(total) - 14)).max() < 1 / 75  # half a step, and rounding


# --- whole heads ----------------------------------------------------------------------------
@given(case=cases())
def test_whole_heads(case: Case) -> None:
    one, two = case.run(), case.run(specification=True)
    assert same_rows(one, two) and np.array_equal(one.kept_mask, two.kept_mask)
    assert one.saturations == two.saturations


@pytest.mark.parametrize("sharpness", SHARPNESS[::2])
@pytest.mark.parametrize("name", NAMES)
def test_whole_heads_at_full_size(name: str, sharpness: float) -> None:
    case = make_case(name, n_q=2, n_k=KEYS, d=64, sharpness=sharpness, output_bits=16)
    for options in ({}, {"min_probability": 0.002}, {"budget": 9, "pred_dims": 64}):
        one, two = case.run(**options), case.run(**options, specification=True)
        assert same_rows(one, two) and one.saturations == two.saturations


# --- the traps of fxpmath that the specification relies on or avoids --------------------------
def test_fxpmath_product_of_numpy_input_is_right() -> None:
    """fxpmath issue 97: operands made from NumPy integers multiplied to a wrong product."""
    one = Fxp(np.array([3, -5, 127], dtype=np.int8), dtype="fxp-s16/4")
    two = Fxp(np.array([7, 100, -128], dtype=np.int8), dtype="fxp-s16/4")
    assert (one * two)().tolist() == [21, -500, -16256]
    mixed = Fxp(np.int32(300), dtype="fxp-s16/4") * Fxp(np.int32(-300), dtype="fxp-s16/4")
    assert mixed() == -90000


def test_fxpmath_default_rounding_goes_toward_zero_and_ours_goes_down() -> None:
    values = np.array([-1.5, -0.5, -0.25, 0.5, 1.75])
    plain = Fxp(values, dtype="fxp-s16/0")
    assert plain.val.tolist() == [-1, 0, 0, 0, 1]
    down = f.Format("test", "fxp-s16/0", "floor", "saturate", "")
    assert down.raw(values).tolist() == [-2, -1, -1, 0, 1]
    assert (np.array([-3, -1]) >> 1).tolist() == [-2, -1]  # the hardware's >>>


def test_fxpmath_around_sends_ties_to_even() -> None:
    values = np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5])
    assert f.output_format(8).raw(values).tolist() == [-2, -2, 0, 0, 2, 2]


def test_an_exact_format_raises_when_a_value_does_not_fit() -> None:
    with pytest.raises(OverflowError, match="reciprocal"):
        f.RECIPROCAL.raw(2.0)
