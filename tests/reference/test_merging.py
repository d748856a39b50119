# SPDX-License-Identifier: Apache-2.0
"""Heads of any length: tiles that merge, keys that stay, and the commands that say so."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pasa import Accelerator, ArgumentError, Build, fixed, formats, ideal, make_command, plan_head
from pasa.arithmetic import Integer, Specification
from pasa.masks import visible_keys
from pasa.merging import Carried, merge_sums, running_total

SMALL = Build(rows=1, pred_keys=4, head_dim=32, tile_keys=256, merge_rows=8)
ONE_TILE = Build(head_dim=32, tile_keys=1024)
SCALES = {"scale_q": 0.02, "scale_k": 0.03, "scale_v": 0.05, "output_bits": 16}


def head(n_q: int, n_k: int, d: int = 32, seed: int = 1) -> tuple[np.ndarray, ...]:
    """Random q, k, v whose scores spread over some octaves."""
    rng = np.random.default_rng(seed)
    shapes = ((n_q, d), (n_k, d), (n_k, d))
    return tuple(rng.normal(0, 30, shape).clip(-128, 127).astype(np.int8) for shape in shapes)


# --- the merge itself -----------------------------------------------------------------------
def sums(seed: int, n: int = 40, d: int = 3) -> tuple:
    """Reference, total and weighted sums of random rows, some of them empty."""
    rng = np.random.default_rng(seed)
    total = rng.integers(1, 1 << SMALL.total_bits, n) >> rng.integers(0, 30, n)
    total = np.where(rng.random(n) < 0.2, 0, np.maximum(total, 1))
    weighted = (total[:, None] * rng.integers(-128, 128, (n, d))).astype(np.int64)
    return rng.integers(-80, 80, n), total, weighted


@given(a=st.integers(0, 1 << 20), b=st.integers(0, 1 << 20))
def test_merge_follows_the_sums_and_stays_in_its_widths(a: int, b: int) -> None:
    one, other = sums(a), sums(b)
    reference, total, weighted = merge_sums(one, other, Integer(), SMALL)
    lead = np.where(
        one[1] == 0, other[0], np.where(other[1] == 0, one[0], np.maximum(one[0], other[0]))
    )
    exact = [
        sum(x[k] * 2.0 ** (x[0] - lead)[(...,) + (None,) * (k - 1)] for x in (one, other))
        for k in (1, 2)
    ]
    raised = 2.0 ** (reference - lead)
    assert ((reference - lead == 0) | (reference - lead == 1)).all()
    assert (total < 1 << SMALL.total_bits).all()
    assert np.abs(total * raised - exact[0]).max() < 2 * raised.max()
    assert np.abs(weighted * raised[:, None] - exact[1]).max() < 2 * raised.max()
    assert (weighted >= -128 * total[:, None]).all() and (weighted <= 127 * total[:, None]).all()


@given(seed=st.integers(0, 1 << 20))
def test_merge_is_what_fxpmath_says(seed: int) -> None:
    one, other = sums(seed), sums(seed + 1)
    pair = [merge_sums(one, other, step, SMALL) for step in (Integer(), Specification())]
    for integer, specified in zip(*pair, strict=True):
        assert np.array_equal(integer, specified)


def test_rows_that_merge_over_and_over_never_overflow() -> None:
    most = np.array([(1 << SMALL.total_bits) - 1])
    tile = (np.array([0]), most, most[:, None] * -128)
    rows = tile
    for _ in range(100):
        rows = merge_sums(tile, rows, Integer(), SMALL)
        assert rows[1][0] < 1 << SMALL.total_bits and rows[2][0, 0] >= -128 * rows[1][0]
    assert 6 <= rows[0][0] <= 7  # 101 full totals
    assert rows[1][0] * 2.0 ** rows[0][0] == pytest.approx(101 * float(most[0]), rel=0.3)


def test_running_total_adds_what_lies_in_reach() -> None:
    tile = (np.array([3, 0, 5, -7]), np.array([1 << 14, 0, 1 << 16, 1 << 14]))
    before = (np.array([1, -5, 9, 0]), np.array([1 << 14, 300, 1 << 14, 0]))
    reference, total, log_total = running_total(tile, before)
    assert reference.tolist() == [3, -5, 9, -7]
    assert total.tolist() == [(1 << 14) + (1 << 12), 300, (1 << 14) + (1 << 12), 1 << 14]
    assert log_total[2] - log_total[0] == 4 << formats.LOG_FRACTION
    full = (np.array([0]), np.array([(1 << formats.RUNNING_BITS) - 5]))
    assert running_total(full, full)[1][0] == (1 << formats.RUNNING_BITS) - 1


# --- heads of any length --------------------------------------------------------------------
MASKS = [
    {},
    {"causal": True, "query_offset": 700},
    {"causal": True, "query_offset": 250},
    {"causal": True, "query_offset": 600, "window": 100, "sinks": 5},
    {"window": 40, "query_offset": 300},
    {"key_length": 300},
    {"key_length": 0},
]


@pytest.mark.parametrize("options", MASKS)
@pytest.mark.parametrize("select", [{}, {"min_probability": 0.004}, {"budget": 90}])
def test_a_long_head_is_close_to_ideal(options: dict, select: dict) -> None:
    q, k, v = head(19, 900)
    result = fixed.attention(q, k, v, build=SMALL, **SCALES, **options, **select)
    exact = ideal.attention(q, k, v, build=SMALL, **SCALES, **options)
    assert np.array_equal(result.visible, exact.visible)
    assert np.array_equal(result.empty, exact.empty)
    if not select:
        assert np.abs(result.output - exact.output).max() <= 3  # int16 codes
        assert result.kept.tolist() == result.visible.tolist()
    else:
        whole = fixed.attention(q, k, v, build=ONE_TILE, **SCALES, **options, **select)
        assert distance(result, exact) <= 1.25 * distance(whole, exact) + 0.01


def distance(result: fixed.Result, exact: fixed.Result) -> float:
    """Relative error of an output."""
    return np.linalg.norm(result.output - exact.output) / (np.linalg.norm(exact.output) or 1)


def test_every_visible_key_is_in_exactly_one_step() -> None:
    for options in MASKS:
        whole = make_command(
            19,
            900,
            32,
            output_scale=1.0,
            build=SMALL,
            any_length=True,
            **{k: v for k, v in SCALES.items() if k.startswith("scale")},
            **options,
        )
        seen = np.zeros((19, 900), dtype=int)
        for step in plan_head(whole, build=SMALL):
            c = step.command
            assert not c.causes(SMALL)
            seen[step.queries, step.keys] += visible_keys(
                np.arange(c.query_count),
                c.key_count,
                key_length=c.key_length,
                causal=bool(c.causal),
                query_offset=c.query_offset,
                window=c.window,
                sinks=c.sinks,
            )
        expected = visible_keys(
            np.arange(19),
            900,
            key_length=whole.key_length,
            causal=bool(whole.causal),
            query_offset=whole.query_offset,
            window=whole.window,
            sinks=whole.sinks,
        )
        assert np.array_equal(seen, expected)


def test_specification_agrees_on_a_long_head() -> None:
    q, k, v = head(5, 700)
    run = [
        fixed.attention(q, k, v, build=SMALL, min_probability=0.003, specification=which, **SCALES)
        for which in (False, True)
    ]
    assert np.array_equal(run[0].output, run[1].output)


def test_the_longest_head_runs() -> None:
    q, k, v = head(2, 1 << 16, d=16)
    result = fixed.attention(q, k, v, **SCALES)
    exact = ideal.attention(q, k, v, **SCALES)
    assert result.visible.tolist() == [1 << 16] * 2
    assert np.abs(result.output - exact.output).max() <= 3  # int16 codes
    with pytest.raises(ArgumentError, match="key_count.*65536"):
        fixed.attention(q, *(np.concatenate([x, x[:1]]) for x in (k, v)), **SCALES)


def test_queries_beyond_a_command_reuse_the_keys() -> None:
    q, k, v = head(600, 100)
    options = {"causal": True, "query_offset": -200, "min_probability": 0.01}
    result = fixed.attention(q, k, v, build=SMALL, **SCALES, **options)
    large = fixed.attention(q, k, v, build=Build(head_dim=32), **SCALES, **options)
    assert np.array_equal(result.output, large.output)
    assert result.saturations == large.saturations


# --- commands after one another -------------------------------------------------------------
def command(n_q: int = 4, n_k: int = 70, **fields: int):
    made = make_command(
        n_q,
        n_k,
        32,
        scale_q=0.02,
        scale_k=0.03,
        scale_v=0.05,
        output_scale=0.05,
        min_probability=0.01,
        build=SMALL,
    )
    return replace(made, **fields)


def test_accelerator_runs_a_plan_as_attention_does() -> None:
    q, k, v = head(19, 900)
    expected = fixed.attention(q, k, v, build=SMALL, min_probability=0.004, **SCALES)
    device = Accelerator(SMALL)
    scale = {name: SCALES[name] for name in ("scale_q", "scale_k", "scale_v")}
    whole = make_command(
        19,
        900,
        32,
        output_scale=0.05 / 256,
        output_bits=16,
        min_probability=0.004,
        build=SMALL,
        any_length=True,
        **scale,
    )
    outputs = []
    for step in plan_head(whole, build=SMALL):
        outcome = device.execute(step.command, q[step.queries], k[step.keys], v[step.keys])
        assert not outcome.causes
        outputs.append(outcome.result.output)
    assert np.array_equal(np.concatenate(outputs), expected.output)


def test_reuse_takes_the_last_tile_and_only_that() -> None:
    q, k, v = head(4, 70)
    device = Accelerator(SMALL)
    reuse = command(reuse_keys=1)
    assert device.execute(reuse, q).causes == {"chain"}
    first = device.execute(command(), q, k, v).result
    assert np.array_equal(device.execute(reuse, q).result.output, first.output)
    assert device.execute(replace(reuse, key_count=69, key_length=69), q).causes == {"chain"}
    assert not device.execute(reuse, q).causes, "a refused reuse leaves the tile alone"
    short = device.execute(command(), q, k, v, packet_causes=frozenset({"key_packet"}))
    assert short.causes == {"key_packet"} and short.result is None
    assert device.execute(reuse, q).causes == {"chain"}, "a refused load leaves no tile"
    with pytest.raises(ArgumentError, match="k and v"):
        device.execute(reuse, q, k, v)
    device.execute(command(), q, k, v)
    device.reset()
    assert device.execute(reuse, q).causes == {"chain"}


def test_a_chain_goes_on_only_as_it_began() -> None:
    q, k, v = head(4, 70)
    wrong = [
        ({"query_count": 3}, q[:3]),
        ({"use_threshold": 0}, q),
    ]
    for fields, queries in wrong:
        device = Accelerator(SMALL)
        assert not device.execute(command(merge_next=1), q, k, v).causes
        outcome = device.execute(command(merge_previous=1, **fields), queries, k, v)
        assert outcome.causes == {"chain"}, fields
        again = device.execute(command(merge_previous=1), q, k, v)
        assert again.causes == {"chain"}, "a refused command ends the chain"
    device = Accelerator(SMALL)
    device.execute(command(merge_next=1), q, k, v)
    device.execute(command(), q, k, v)
    assert device.execute(command(merge_previous=1), q, k, v).causes == {"chain"}
    many = command(merge_next=1, n_q=SMALL.merge_rows + 1)
    assert many.causes(SMALL) == {"chain"}


def test_run_wants_carried_rows_exactly_where_the_command_does() -> None:
    q, k, v = head(4, 70)
    with pytest.raises(ArgumentError, match="carried"):
        fixed.run(command(merge_previous=1), q, k, v, build=SMALL)
    with pytest.raises(ArgumentError, match="carried"):
        fixed.run(command(), q, k, v, build=SMALL, carried=Carried.nothing(4, 32))
    with pytest.raises(ArgumentError, match="carried"):
        fixed.run(command(merge_previous=1), q, k, v, build=SMALL, carried=Carried.nothing(3, 32))
