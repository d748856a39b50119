# SPDX-License-Identifier: Apache-2.0
"""The golden model against a literal reading, and what it tells about a row."""

import numpy as np
import pytest
from hypothesis import given, settings
from pasa import ArgumentError, Build, DataError, fixed, formats

from tests.reference import literal
from tests.reference.heads import Case, cases, make_case, same_rows, scales


@settings(max_examples=settings().max_examples * 2)
@given(case=cases())
def test_every_bit_equals_the_literal_reading(case: Case) -> None:
    command, result = case.command(), case.run()
    lists = [array.tolist() for array in (case.q, case.k, case.v)]
    for i, query in enumerate(lists[0]):
        row = literal.row(command, i, query, *lists[1:])
        assert np.flatnonzero(result.kept_mask[i]).tolist() == row.kept
        assert result.visible[i] == len(row.visible)
        assert result.kept[i] == len(row.kept)
        assert result.blocks[i] == len(row.tails)
        assert bool(result.empty[i]) == (not row.visible)
        assert result.output[i].tolist() == row.output


@given(case=cases(masked=False))
def test_every_distance_and_weight_equals_the_literal_reading(case: Case) -> None:
    """Also where the output would hide a difference: a weight off by a whole octave, say."""
    command = case.command()
    head = fixed._Head(command, case.k, case.v, Build(), fixed.Integer())
    everything = np.ones((len(case.q), len(case.k)), dtype=bool)
    kept, tail, reference = everything, np.zeros((len(case.q), 1), dtype=int), 0
    if command.sparse:
        prediction = head.predict(case.q, everything)
        kept, reference = case.run().kept_mask, prediction.reference
        tail = head.tail(prediction, everything, kept)
    weight, block_weight, _ = head.weigh(head.scores(case.q), kept, tail, reference)
    for i, query in enumerate(case.q.tolist()):
        row = literal.row(command, i, query, case.k.tolist(), case.v.tolist())
        if command.sparse:
            assert prediction.distance[i].tolist() == list(row.distance.values())
        assert weight[i][kept[i]].tolist() == list(row.weights.values())
        tails = np.flatnonzero(tail[i])
        assert tail[i][tails].tolist() == list(row.tails.values())
        assert block_weight[i][tails].tolist() == list(row.block_weights.values())


@pytest.mark.parametrize(
    ("build", "d"),
    [
        (Build(rows=1, pred_keys=4, head_dim=32, tile_keys=256), 32),
        (Build(rows=2, pred_keys=16, tile_keys=512, pred_bits=3), 64),
        (Build(block_keys=32, pred_bits=6), 20),
        (Build(head_dim=128, pred_bits=2, block_keys=128), 128),
    ],
)
def test_other_builds_equal_the_literal_reading(build: Build, d: int) -> None:
    case = make_case(
        "gaussian", n_q=3, n_k=256, d=d, sharpness=4.0, min_probability=0.01, build=build
    )
    result = case.run()
    lists = [array.tolist() for array in (case.q, case.k, case.v)]
    for i, query in enumerate(lists[0]):
        row = literal.row(
            case.command(),
            i,
            query,
            *lists[1:],
            pred_bits=build.pred_bits,
            block_keys=build.block_keys,
        )
        assert row.tails
        assert result.output[i].tolist() == row.output


def test_rows_do_not_depend_on_each_other_nor_on_their_grouping() -> None:
    options = {"min_probability": 0.01, "causal": True, "window": 150, "sinks": 3}
    rows = fixed.ROWS_AT_ONCE + 44
    case = make_case("gaussian", n_q=rows, n_k=rows, d=16, sharpness=4.0, **options)
    whole = case.run()
    for i in (0, 1, 149, 255, 256, 257, rows - 1):
        alone = case.with_arrays(q=case.q[i : i + 1]).run(query_offset=i)
        assert np.array_equal(alone.output[0], whole.output[i])
        assert np.array_equal(alone.kept_mask[0], whole.kept_mask[i])


@pytest.mark.parametrize("n_q, n_k, d", [(1, 1, 1), (1, 2048, 64), (2048, 1, 3), (7, 65, 17)])
def test_shapes_at_the_limits(n_q: int, n_k: int, d: int) -> None:
    result = make_case("uniform", n_q=n_q, n_k=n_k, d=d, sharpness=1.0, budget=5).run()
    assert result.output.shape == (n_q, d)
    assert (result.kept == min(5, n_k)).all()


def test_one_key_returns_its_value() -> None:
    case = make_case("uniform", n_q=4, n_k=1, d=64, sharpness=4.0)
    assert np.array_equal(case.run().output, np.repeat(case.v.astype(int), 4, axis=0))


def test_equal_scores_give_the_mean() -> None:
    case = make_case("uniform", n_q=2, n_k=256, d=8, sharpness=1.0)
    case = case.with_arrays(q=np.zeros_like(case.q))
    expected = np.rint(case.v.astype(float).mean(axis=0))
    assert np.abs(case.run().output - expected).max() <= 1


@pytest.mark.parametrize("options", [{}, {"min_probability": 0.01}, {"budget": 4}])
@pytest.mark.parametrize("mask", [{"key_length": 0}, {"causal": True, "query_offset": -9}])
def test_a_row_without_visible_keys_is_zero_and_flagged(options: dict, mask: dict) -> None:
    case = make_case("extremes", n_q=5, n_k=130, d=16, sharpness=4.0)
    result = case.run(**options, **mask)
    assert result.empty.all() and not result.output.any() and not result.row_sum.any()
    assert not (result.visible.any() or result.kept.any() or result.blocks.any())
    assert not result.dropped_mass.any() and result.saturations == 0


def test_only_some_rows_empty() -> None:
    case = make_case("gaussian", n_q=4, n_k=130, d=16, sharpness=4.0)
    result = case.run(causal=True, query_offset=-2, budget=3)
    assert result.empty.tolist() == [True, True, False, False]
    assert result.kept.tolist() == [0, 0, 1, 2]


def test_saturated_codes_are_clipped_and_counted() -> None:
    case = make_case("uniform", n_q=3, n_k=1, d=16, sharpness=1.0)
    codes = case.v[0].astype(int) * 4
    result = case.run(output_scale=0.03 / 4)
    assert np.array_equal(result.output[0], np.clip(codes, -128, 127))
    assert result.saturations == 3 * ((codes < -128) | (codes > 127)).sum() > 0


def test_saturation_may_not_come_from_int8_values_at_their_own_scale() -> None:
    for value in (-128, 127):
        case = make_case("gaussian", n_q=9, n_k=777, d=16, sharpness=4.0)
        result = case.with_arrays(v=np.full_like(case.v, value)).run()
        assert (result.output == value).all() and result.saturations == 0


def test_tail_needs_a_wholly_visible_block() -> None:
    case = make_case("gaussian", n_q=1, n_k=200, d=16, sharpness=0.5, budget=1)
    assert case.run().blocks[0] == 3  # the last 8 keys are no whole block
    assert case.run(key_length=191).blocks[0] == 2
    assert case.run(causal=True, query_offset=126).blocks[0] == 1
    assert case.run(window=64, query_offset=130).blocks[0] == 1  # keys 67..193: only 128..191
    assert case.run(tail=False).blocks[0] == 0


def test_dropped_mass_is_about_the_predicted_share() -> None:
    case = make_case("gaussian", n_q=20, n_k=512, d=16, sharpness=2.0)
    for budget in (1, 16, 128, 500):
        command = case.with_options(budget=budget).command()
        result = case.run(budget=budget)
        head = fixed._Head(command, case.k, case.v, Build(), fixed.Integer())
        prediction = head.predict(case.q, np.ones((20, 512), dtype=bool))
        lost = np.where(result.kept_mask, 0, prediction.weight).sum(axis=1)
        share = lost / prediction.total
        estimate = result.dropped_mass / (1 << formats.PREDICTED_WEIGHT_FRACTION)
        assert np.abs(estimate / share - 1).max() < 0.07


def test_result_in_real_units_needs_a_scale() -> None:
    case = make_case("gaussian", n_q=2, n_k=9, d=8, sharpness=1.0)
    assert np.array_equal(case.run().real, case.run().output * 0.03)
    with pytest.raises(ArgumentError, match="output_scale"):
        _ = fixed.run(case.command(), case.q, case.k, case.v).real


def test_kept_fraction_counts_visible_keys_only() -> None:
    case = make_case("gaussian", n_q=2, n_k=90, d=8, sharpness=1.0, budget=9)
    assert case.run().kept_fraction == 0.1
    assert case.run(key_length=18).kept_fraction == 0.5
    assert case.run(key_length=0).kept_fraction == 0


GOOD = np.ones((3, 8), dtype=np.int8)


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ((GOOD.astype(np.uint8), GOOD, GOOD), "q must be .*int8.* not uint8"),
        ((GOOD, GOOD.astype(float), GOOD), "k must be .*int8.* not float64"),
        ((GOOD, GOOD, GOOD.tolist()), "v must be .*int8.* not int64"),
        ((GOOD[0], GOOD, GOOD), r"q must be .*2-d.*\[8\]"),
        ((GOOD[:0], GOOD, GOOD), r"q must be a non-empty.*\[0, 8\]"),
        ((GOOD, GOOD, GOOD[:2]), r"k \[3, 8\] and v \[2, 8\]"),
        ((GOOD[:, :5], GOOD, GOOD), "q has 5 dimensions, k has 8"),
    ],
)
def test_bad_arrays_are_named(arrays: tuple, words: str) -> None:
    with pytest.raises(DataError, match=words):
        fixed.attention(*arrays, **scales(1.0))


def test_a_command_for_another_shape_is_refused() -> None:
    case = make_case("gaussian", n_q=2, n_k=9, d=8, sharpness=1.0)
    with pytest.raises(ArgumentError, match="shape"):
        fixed.run(case.command(), case.q[:1], case.k, case.v)


def test_same_rows_sees_a_difference() -> None:
    case = make_case("gaussian", n_q=2, n_k=90, d=8, sharpness=1.0)
    assert same_rows(case.run(), case.run())
    assert not same_rows(case.run(), case.run(budget=80))
