# SPDX-License-Identifier: Apache-2.0
"""What must hold for every head: order, masks, shifts, budgets, and widths that never overflow."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pasa import Build, fixed
from pasa import formats as f
from pasa.arithmetic import Integer
from pasa.masks import visible_keys
from pasa.merging import Carried
from pasa.patterns import NAMES
from pasa.selection import predict

from tests.reference.heads import SHARPNESS, Case, cases, make_case, same_rows, selections

SEEDS = st.integers(0, 1 << 30)


# --- order of keys --------------------------------------------------------------------------
def permuted(case: Case, order: np.ndarray) -> Case:
    return case.with_arrays(k=case.k[order], v=case.v[order])


@given(case=cases(sparse=False, masked=False), seed=SEEDS)
def test_dense_any_order_of_the_keys_gives_the_same_bits(case: Case, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(case.k))
    assert same_rows(case.run(), permuted(case, order).run())


@given(case=cases(sparse=False, masked=False), seed=SEEDS, power=st.floats(-31, 0))
def test_threshold_keeps_the_same_keys_in_any_order(case: Case, seed: int, power: float) -> None:
    """Only a row that keeps nothing but its best key may choose another of equal distance."""
    case = case.with_options(min_probability=2.0**power, tail=False)
    order = np.random.default_rng(seed).permutation(len(case.k))
    one, two = case.run(), permuted(case, order).run()
    assert np.array_equal(one.kept, two.kept)
    rows = one.kept > 1
    assert np.array_equal(one.kept_mask[rows][:, order], two.kept_mask[rows])
    assert same_rows(one, two, rows)


@given(case=cases(sparse=False, masked=False), seed=SEEDS, budget=st.integers(1, 320))
def test_budget_keeps_equally_good_keys_in_any_order(case: Case, seed: int, budget: int) -> None:
    """Ties at the cut go to the earlier keys, so which of them stay depends on the order."""
    case = case.with_options(budget=budget, tail=False)
    order = np.random.default_rng(seed).permutation(len(case.k))
    one, two = case.run(), permuted(case, order).run()
    distance = distances(case)
    for row, (mine, other) in enumerate(zip(one.kept_mask, two.kept_mask, strict=True)):
        kept = np.sort(distance[row][mine])
        assert np.array_equal(kept, np.sort(distance[row][order][other]))
        if (distance[row] == kept[-1]).sum() == (kept == kept[-1]).sum():  # no tie was cut
            assert np.array_equal(mine[order], other)
            assert same_rows(one, two, np.array([row]))


@given(case=cases(sparse=True, masked=False), seed=SEEDS)
def test_tail_does_not_see_order_within_blocks_nor_of_blocks(case: Case, seed: int) -> None:
    """The tail depends on which keys share a block, and on nothing else, where no tie is cut."""
    rng, block = np.random.default_rng(seed), Build().block_keys
    whole = len(case.k) // block
    blocks = np.concatenate(
        [start * block + rng.permutation(block) for start in rng.permutation(whole)]
        + [whole * block + rng.permutation(len(case.k) % block)]
    )
    one, two = case.run(), permuted(case, blocks.astype(int)).run()
    rows = (one.kept_mask[:, blocks.astype(int)] == two.kept_mask).all(axis=1)
    assert same_rows(one, two, rows)
    distance = distances(case)
    for row in np.flatnonzero(~rows):  # a tie was cut
        cut = distance[row][one.kept_mask[row]].max()
        assert (distance[row][~one.kept_mask[row]] == cut).any()


def distances(case: Case) -> np.ndarray:
    """Predicted distances of all keys."""
    head = fixed._Head(case.command(), case.k, case.v, Build(), Integer())
    return head.predict(case.q, np.ones((len(case.q), len(case.k)), dtype=bool)).distance


def test_ties_at_the_cut_go_to_the_earlier_keys() -> None:
    case = make_case("all_equal", n_q=2, n_k=100, d=16, sharpness=4.0)
    for options, count in (({"budget": 7}, 7), ({"min_probability": 1.0}, 1)):
        kept = case.run(**options).kept_mask
        assert kept[:, :count].all() and not kept[:, count:].any()


# --- masks ----------------------------------------------------------------------------------
@given(case=cases(masked=True), seed=SEEDS)
def test_a_masked_key_changes_no_bit(case: Case, seed: int) -> None:
    """Every key a row does not see is replaced; partly visible blocks and the tail included."""
    rng, options = np.random.default_rng(seed), case.arguments
    visible = visible_keys(
        np.arange(len(case.q)),
        len(case.k),
        key_length=options.get("key_length", len(case.k)),
        causal=options.get("causal", False),
        query_offset=options.get("query_offset", 0),
        window=options.get("window", 0),
        sinks=options.get("sinks", 0),
    )
    result = case.run()
    for row, seen in enumerate(visible):
        noise = rng.integers(-128, 128, (2, *case.k.shape)).astype(np.int8)
        k, v = (
            np.where(seen[:, None], old, new)
            for old, new in zip((case.k, case.v), noise, strict=True)
        )
        changed = case.with_arrays(k=k, v=v).run()
        assert same_rows(result, changed, np.array([row]))
        assert np.array_equal(result.kept_mask[row], changed.kept_mask[row])
        assert not (result.kept_mask[row] & ~seen).any()


@pytest.mark.parametrize("extreme", [-128, 127])
@pytest.mark.parametrize(
    "mask",
    [
        {"key_length": 150},
        {"causal": True, "query_offset": 149},
        {"window": 100, "query_offset": 170, "sinks": 5},
        {"window": 120, "query_offset": 170, "sinks": 5, "causal": True, "key_length": 160},
    ],
)
def test_nothing_leaks_from_a_partly_visible_block(mask: dict, extreme: int) -> None:
    case = make_case("gaussian", n_q=1, n_k=256, d=16, sharpness=1.0, budget=3, **mask)
    seen = visible_keys(np.arange(1), 256, **{"key_length": 256} | mask)[0]
    part = [0 < block.sum() < 64 for block in seen.reshape(4, 64)]
    result = case.run()
    assert any(part) and result.blocks[0] > 0
    k, v = (np.where(seen[:, None], old, extreme).astype(np.int8) for old in (case.k, case.v))
    assert same_rows(result, case.with_arrays(k=k, v=v).run())


@given(case=cases(masked=False), extra=st.integers(1, 70))
def test_padding_gives_what_the_shorter_head_gives(case: Case, extra: int) -> None:
    result = case.run()
    pad = np.full((extra, case.k.shape[1]), 127, dtype=np.int8)
    k, v = np.concatenate([case.k, pad]), np.concatenate([case.v, pad])
    padded = case.with_arrays(k=k, v=v).run(key_length=len(case.k))
    assert same_rows(result, padded)


# --- shifts ---------------------------------------------------------------------------------
def head_in_octaves(n_k: int, d: int) -> fixed._Head:
    """A head whose exact score of 64 is one octave."""
    case = make_case("gaussian", n_q=1, n_k=n_k, d=d, sharpness=1.0, budget=1)
    fields = {"score_multiplier": 1 << 16, "score_shift": 6}
    command = type(case.command())(**case.command().__dict__ | fields)
    return fixed._Head(command, case.k, case.v, Build(), Integer())


@given(seed=SEEDS, octaves=st.integers(-4000, 4000), spread=st.sampled_from((1, 100, 9000)))
def test_whole_octaves_change_no_weight(seed: int, octaves: int, spread: int) -> None:
    rng, head = np.random.default_rng(seed), head_in_octaves(320, 4)
    score = rng.integers(-spread, spread + 1, (3, 320))
    kept = rng.random((3, 320)) < 0.3
    kept[:, 0] = True
    tail = rng.integers(0, 64 << 14, (3, 5)) * (rng.random((3, 5)) < 0.5)
    reference = rng.integers(-spread, spread + 1, 3) // 64
    one = head.weigh(score, kept, tail, reference)
    two = head.weigh(score + 64 * octaves, kept, tail, reference + octaves)
    for before, after in zip(one[:2], two[:2], strict=True):
        assert np.array_equal(before, after)
    assert np.array_equal(one[2] + octaves, two[2])  # the reference follows


@given(seed=SEEDS, octaves=st.integers(-500, 500), spread=st.sampled_from((1, 60, 4000)))
def test_whole_octaves_change_no_prediction(seed: int, octaves: int, spread: int) -> None:
    rng = np.random.default_rng(seed)
    score = rng.integers(-spread, spread + 1, (3, 200))
    visible = rng.random((3, 200)) < 0.7
    visible[:, 0] = True
    one, two = (predict(score + 16 * shift, visible, Integer()) for shift in (0, octaves))
    assert np.array_equal(one.distance, two.distance) and np.array_equal(one.weight, two.weight)
    assert np.array_equal(one.reference + octaves, two.reference)


@given(seed=SEEDS, d=st.integers(2, 64))
def test_a_constant_added_to_every_score_changes_no_bit(seed: int, d: int) -> None:
    """The same through a whole dense head: one dimension adds whole octaves to each score."""
    rng = np.random.default_rng(seed)
    q, k, v = (rng.integers(-60, 61, (n, d)).astype(np.int8) for n in (3, 200, 200))
    q[:, 0], k[:, 0] = 64, 0
    octave = math.log(2) / 64 * math.sqrt(d)  # scale that makes a score of 64 one octave
    case = Case(q, k, v, {"scale_q": octave, "scale_k": 1.0, "scale_v": 1.0, "output_bits": 16})
    moved = k.copy()
    moved[:, 0] = rng.integers(-128, 128)
    assert case.command().score_multiplier == 1 << 16
    assert same_rows(case.run(), case.with_arrays(k=moved).run())


# --- budget and threshold that drop nothing -------------------------------------------------
@given(case=cases(sparse=False), more=st.integers(0, 400), tail=st.booleans())
def test_a_budget_of_all_keys_equals_dense(case: Case, more: int, tail: bool) -> None:
    dense, full = case.run(), case.run(budget=len(case.k) + more, tail=tail)
    assert same_rows(dense, full) and np.array_equal(dense.kept_mask, full.kept_mask)


@given(case=cases(sparse=False), tail=st.booleans())
def test_the_lowest_threshold_equals_dense(case: Case, tail: bool) -> None:
    assert same_rows(case.run(), case.run(min_probability=2.0**-31, tail=tail))


@given(case=cases(sparse=False))
def test_the_rules_nest(case: Case) -> None:
    """Both rules keep what each keeps; a larger budget or a lower lambda drops no key."""
    options = {"min_probability": 0.02}, {"budget": 9}
    low, few = (case.run(**one).kept_mask for one in options)
    assert np.array_equal(case.run(**options[0], **options[1]).kept_mask, low & few)
    assert not (low & ~case.run(min_probability=0.01).kept_mask).any()
    assert not (few & ~case.run(budget=10).kept_mask).any()


@given(case=cases(sparse=True))
def test_a_row_with_a_visible_key_keeps_its_best(case: Case) -> None:
    result = case.run()
    assert np.array_equal(result.kept > 0, result.visible > 0)
    assert (result.kept <= case.arguments.get("budget", 1 << 16)).all()
    shares = result.row_sum[~result.empty]
    assert np.abs(shares - 1).max(initial=0) < 2.0**-10


# --- widths ---------------------------------------------------------------------------------
class Checked(Integer):
    """The integer steps with an assertion on every width that the RTL relies on."""

    def __init__(self, build: Build) -> None:
        self.keys, self.block = build.tile_keys, build.block_keys
        self.product = 1 << build.nibble_product_bits - 1
        self.score = 1 << build.score_bits - 1

    def predicted_log2(self, product, multiplier, shift):
        assert np.abs(product).max() < self.product
        return super().predicted_log2(product, multiplier, shift)

    def predicted_weight(self, distance):
        assert distance.min() >= 0 and distance.max() <= f.DISTANCE_MASKED
        return within(super().predicted_weight(distance), 0, 1 << f.PREDICTED_WEIGHT_FRACTION)

    def score_log2(self, score, multiplier, shift):
        assert np.abs(score).max() < self.score
        raw = super().score_log2(score, multiplier, shift)
        assert np.abs(raw >> f.SCORE_FRACTION).max() < 1 << f.REFERENCE_BITS - 1
        return within(raw, -(1 << 47), (1 << 47) - 1)

    def weight(self, distance):
        assert distance.min() >= 0
        return within(super().weight(distance), 0, 1 << f.WEIGHT_FRACTION)

    def block_weight(self, total, block_log2, shift):
        assert shift.min() >= 0
        assert total.max() <= self.block << f.PREDICTED_WEIGHT_FRACTION
        return within(super().block_weight(total, block_log2, shift), 0, 1 << f.WEIGHT_FRACTION)

    def average(self, weighted, total):
        assert total.min() >= 1 and total.max() <= self.keys << f.WEIGHT_FRACTION
        assert (np.abs(weighted) <= 128 * total).all()
        accumulator = f.WEIGHT_BITS + self.keys.bit_length() - 1 + 8
        assert np.abs(weighted).max() < 1 << accumulator - 1
        return within(super().average(weighted, total), -(1 << 24), (1 << 24) - 1)

    def reciprocal(self, total):
        return within(super().reciprocal(total), 1 << 16, 1 << f.RECIPROCAL_FRACTION)

    def factor(self, reciprocal, multiplier):
        return within(super().factor(reciprocal, multiplier), 0, (1 << f.FACTOR_BITS) - 1)


def within(values: np.ndarray, low: int, high: int) -> np.ndarray:
    assert values.min() >= low and values.max() <= high, (values.min(), values.max())
    return values


def run_checked(case: Case, **options) -> None:
    """Run with width checks; rows that see a key must keep weight, so `total` is not masked."""
    case = case.with_options(**options)
    build = Build()
    head = fixed._Head(case.command(), case.k, case.v, build, Checked(build))
    weigh = head.weigh

    def weigh_checked(score, kept, tail, reference):
        weight, block_weight, reference = weigh(score, kept, tail, reference)
        assert ((weight.sum(axis=1) + block_weight.sum(axis=1) > 0) == kept.any(axis=1)).all()
        return weight, block_weight, reference

    head.weigh = weigh_checked
    rows = head.rows(case.q, 0, Carried.nothing(*case.q.shape))
    expected = case.run()
    assert np.array_equal(rows["output"], expected.output)


@pytest.mark.parametrize("sharpness", SHARPNESS)
@pytest.mark.parametrize("name", NAMES)
def test_the_worst_heads_never_overflow(name: str, sharpness: float) -> None:
    case = make_case(name, n_q=4, n_k=2048, d=64, sharpness=sharpness, output_bits=16)
    for options in (
        {},
        {"min_probability": 0.002},
        {"budget": 1, "pred_dims": 64},
        {"budget": 1, "tail": False},
        {"output_scale": 2.0**-30},
        {"output_scale": 2.0**40},
    ):
        run_checked(case, **options)


@given(case=cases())
def test_no_head_overflows(case: Case) -> None:
    run_checked(case)


@pytest.mark.parametrize("n_k", [64, 128, 2048])
@pytest.mark.parametrize("sign", [-1, 1])
def test_a_predicted_reference_far_from_the_exact_one(n_k: int, sign: int) -> None:
    """Codes of 8 round up to a nibble of 16: predictions come out four times the exact scores."""
    rng = np.random.default_rng(n_k)
    q = np.full((3, 64), 8, dtype=np.int8)
    k = np.full((n_k, 64), 8 if sign > 0 else -128, dtype=np.int8)
    k[:, 32:] = -128 if sign > 0 else 127  # beyond pred_dims
    v = rng.integers(-128, 128, (n_k, 64)).astype(np.int8)
    scale = {"scale_q": 7.9 * math.log(2), "scale_k": 1.0, "scale_v": 0.03}
    for options in ({"budget": 1}, {"min_probability": 0.5}, {"budget": 1, "pred_dims": 32}):
        run_checked(Case(q, k, v, scale | options))


def test_a_predicted_reference_far_above_makes_the_tail_the_answer() -> None:
    """The exact weights vanish beside the predicted ones: the mean of the blocks remains."""
    rng = np.random.default_rng(0)
    q = np.full((1, 64), 127, dtype=np.int8)
    k = np.full((128, 64), -128, dtype=np.int8)
    k[:, :16] = 127
    v = rng.integers(-128, 128, (128, 64)).astype(np.int8)
    case = Case(q, k, v, {"scale_q": 0.01, "scale_k": 1.0, "scale_v": 0.03, "budget": 1})
    result = case.run()
    assert result.kept[0] == 1 and result.blocks[0] == 2
    assert np.abs(result.output - v.mean(axis=0)).max() <= 2  # the kept key lost its own share


@given(seed=SEEDS, options=selections(2048))
def test_saturated_predictions_lose_no_row(seed: int, options: dict) -> None:
    case = make_case("extremes", n_q=2, n_k=256, d=64, sharpness=4000.0, seed=seed)
    assume(options.get("budget", 1) <= 256)
    result = case.run(**options)
    assert (result.kept >= 1).all() and not result.empty.any()
    assert np.abs(result.row_sum - 1).max() < 2.0**-10
