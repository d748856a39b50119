# SPDX-License-Identifier: Apache-2.0
"""pasa_merge against merging.merge_sums: rows that pass, are kept and go on, in any order.

make unit M=pasa_merge
"""

import os
import random
from collections import Counter
from dataclasses import dataclass, field

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge, Timer
from pasa.arithmetic import Integer
from pasa.formats import REFERENCE_BITS, WEIGHT_FRACTION, Build
from pasa.merging import merge_sums

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack, start
from verif.softmax.pipeline import generator

TOP = "pasa_merge"
BUILD = Build(
    rows=1,
    head_dim=int(os.environ.get("HEAD_DIM", "64")),
    tile_keys=int(os.environ.get("TILE_KEYS", "2048")),
    merge_rows=int(os.environ.get("MERGE_ROWS", "16")),
)
GROUPS = BUILD.head_dim // 16
ACC_BITS = BUILD.total_bits + 8
MOST = BUILD.tile_keys << WEIGHT_FRACTION  # the largest total of a tile
FARTHEST = (1 << REFERENCE_BITS - 1) - 64  # room for what halving adds
ACCUMULATOR_AT, TOTAL_AT, SUMS_AT, KEPT_AT = 8, 9, 13, 14  # clocks after in_valid
INPUTS = ("previous", "next", "row", "group", "last", "total", "reference")
PASSES = 250

Sums = tuple[np.ndarray, np.ndarray, np.ndarray]  # reference [1], total [1], weighted [1, d]
NOTHING = (np.array([0]), np.array([0]), np.zeros((1, BUILD.head_dim), dtype=np.int64))


def random_reference(near: int) -> int:
    """Equal to another one, near it, about 63 away, or anywhere."""
    far = random.choice([-FARTHEST, FARTHEST, random.randint(-FARTHEST, FARTHEST)])
    step = random.choice([0, 0, random.randint(-9, 9), random.randint(-45, 45)])
    edge = random.choice([-1, 1]) * random.randint(61, 66)
    value = random.choice([near + step, near + step, near + step, near + edge, far])
    return max(-FARTHEST, min(FARTHEST, value))


def random_tile(before: Sums) -> Sums:
    """Sums of a tile; some totals are 0, 1 or the largest, some values all -128 or 127."""
    rng = generator()
    anywhere = 1 + (random.randrange(MOST) >> random.randrange(BUILD.total_bits))
    total = random.choice([0, 1, MOST, MOST, MOST, anywhere, anywhere])
    average = rng.uniform(-128, 127, BUILD.head_dim)
    average = random.choice([average, average, np.full(BUILD.head_dim, random.choice([-128, 127]))])
    weighted = np.floor(average * total).astype(np.int64)
    return np.array([random_reference(int(before[0][0]))]), np.array([total]), weighted[None]


@dataclass
class Plan:
    """What the design must show, by clock."""

    accumulators: dict[int, int] = field(default_factory=dict)  # inputs
    totals: dict[int, int] = field(default_factory=dict)
    sums: dict[int, int] = field(default_factory=dict)
    kept: dict[int, int] = field(default_factory=dict)  # row
    ended: dict[int, int] = field(default_factory=dict)  # row that was read or kept
    done: Counter = field(default_factory=Counter)  # what was seen


class Rows:
    """Chooses the next row and knows what each kept row holds."""

    def __init__(self) -> None:
        self.held: dict[int, Sums] = {}
        self.there: set[int] = set()  # kept, and told by row_kept
        self.groups = random.randint(1, GROUPS)

    def choose(self) -> tuple[int, int, int]:
        """previous, next and number of a row."""
        if self.there and random.random() < 0.7:
            return 1, int(random.random() < 0.8), random.choice(sorted(self.there))
        row = random.randrange(BUILD.merge_rows)
        under_way = row in self.held and row not in self.there
        return 0, int(not under_way and random.random() < 0.8), row

    def start(self, clock: int, plan: Plan) -> list[dict[str, int]]:
        """Inputs of a row's groups from this clock on; what must come goes into the plan."""
        previous, going_on, row = self.choose()
        before = self.held.pop(row) if previous else NOTHING
        if previous:
            self.there.discard(row)
        tile = random_tile(before)
        merged = merge_sums(tile, before, Integer(), BUILD)
        plan.done["halved"] += int(merged[0][0] > max(tile[0][0], before[0][0]))
        plan.done["went on"] += previous
        if going_on:
            self.held[row] = merged
            self.there.discard(row)
        given = []
        for group in range(self.groups):
            at, last = clock + group, int(group == self.groups - 1)
            part = slice(16 * group, 16 * group + 16)
            plan.accumulators[at + ACCUMULATOR_AT] = pack(tile[2][0, part], width=ACC_BITS)
            if not going_on:
                plan.totals[at + TOTAL_AT] = int(merged[1][0])
                plan.sums[at + SUMS_AT] = pack(merged[2][0, part], width=ACC_BITS)
            elif last:
                plan.kept[at + KEPT_AT] = row
            if last and (previous or going_on):
                plan.ended[at + KEPT_AT] = row
            values = (previous, going_on, row, group, last, int(tile[1][0]))
            given.append(dict(zip(INPUTS, (*values, int(tile[0][0])), strict=True)))
        return given


def drive(dut, given: dict[str, int] | None) -> None:
    """One clock's inputs; noise without a row."""
    dut.in_valid.value = int(given is not None)
    for name in INPUTS:
        signal = getattr(dut, f"in_{name}")
        mask = (1 << len(signal)) - 1
        signal.value = (given[name] if given else random.getrandbits(24)) & mask


def check(dut, clock: int, plan: Plan, rows: Rows) -> None:
    """Compare the outputs of one clock."""
    assert int(dut.out_valid.value) == (clock in plan.totals), f"out_valid at clock {clock}"
    if clock in plan.totals:
        assert int(dut.out_total.value) == plan.totals.pop(clock)
    if clock in plan.sums:
        got, want = int(dut.out_accumulator.value), plan.sums.pop(clock)
        assert got == want, f"clock {clock}: accumulator {got:#x}, golden {want:#x}"
        plan.done["groups"] += 1
    assert int(dut.row_kept.value) == (clock in plan.kept), f"row_kept at clock {clock}"
    assert int(dut.row_done.value) == (clock in plan.ended), f"row_done at clock {clock}"
    if clock in plan.ended:
        assert int(dut.row_done_row.value) == plan.ended.pop(clock)
    if clock in plan.kept:
        rows.there.add(plan.kept.pop(clock))
        plan.done["kept"] += 1


async def pass_rows(dut, *, count: int, gaps: float) -> Counter:
    """Pass that many rows and compare everything, clock by clock."""
    plan, rows, under_way, clock = Plan(), Rows(), [], 0
    while count or under_way or plan.sums or plan.ended:
        if count and not under_way and random.random() >= gaps:
            under_way, count = rows.start(clock, plan), count - 1
        drive(dut, under_way.pop(0) if under_way else None)
        noise = random.getrandbits(16 * ACC_BITS)
        dut.in_accumulator.value = plan.accumulators.pop(clock, noise)
        await RisingEdge(dut.clk)
        await Timer(1, "ps")
        clock += 1
        check(dut, clock, plan, rows)
    assert not plan.totals
    return plan.done


async def begin(dut) -> None:
    drive(dut, None)
    dut.in_valid.value = dut.in_accumulator.value = 0
    await start(dut)


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(gaps=[0.0, 0.7])
async def equals_the_golden_model(dut, gaps):
    await begin(dut)
    done = await pass_rows(dut, count=PASSES, gaps=gaps)
    done += await pass_rows(dut, count=PASSES, gaps=gaps)
    assert min(done[name] for name in ("groups", "kept", "went on", "halved")) > 0, done


@cocotb.test(timeout_time=20, timeout_unit="us")
async def reset_drops_what_is_under_way(dut):
    await begin(dut)
    for going_on in (0, 1):
        values = (0, going_on, 0, 0, 1, MOST, 0)
        drive(dut, dict(zip(INPUTS, values, strict=True)))
        await ClockCycles(dut.clk, 10)
        dut.rst.value, dut.in_valid.value = 1, 0
        await RisingEdge(dut.clk)
        dut.rst.value = 0
        for _ in range(KEPT_AT + 1):
            await Timer(1, "ps")
            assert not int(dut.out_valid.value) and not int(dut.row_kept.value)
            await RisingEdge(dut.clk)
    await pass_rows(dut, count=10, gaps=0.5)


def bench(run, *, sim, head_dim, tile_keys, merge_rows, **options):
    shape = {"HEAD_DIM": head_dim, "TILE_KEYS": tile_keys, "MERGE_ROWS": merge_rows}
    env = {name: str(value) for name, value in shape.items()}
    return run(TOP, test_module=__name__, parameters=shape, env=env, sim=sim, **options)


@pytest.mark.parametrize(
    ("head_dim", "tile_keys", "merge_rows"), [(16, 256, 4), (64, 2048, 16), (128, 128, 1)]
)
def test_design(sim, head_dim, tile_keys, merge_rows):
    bench(simulate, sim=sim, head_dim=head_dim, tile_keys=tile_keys, merge_rows=merge_rows)


MUTANTS = {
    "always before": ("& {TOTAL_BITS{previous_1}}", ""),
    "never before": ("kept_total & {TOTAL_BITS{previous_1}}", "{TOTAL_BITS{1'b0}}"),
    "empty tile leads": ("!tile_none_3 & (before_none_3", "(before_none_3"),
    "empty before leads": ("(before_none_3 | !above_3[REFERENCE])", "(!above_3[REFERENCE])"),
    "lower leads": ("!above_3[REFERENCE])", "above_3[REFERENCE])"),
    "far": ("|magnitude[REFERENCE:6] ? SHIFT_LIMIT[5:0] :", ""),
    "sign": ("above_3[REFERENCE] ? below_3 : above_3", "above_3"),
    "rounded down": ("rest_5           <= rest_4 - 1'b1", "rest_5           <= rest_4"),
    "no round": ("{{TOTAL_BITS{1'b0}}, !rest_none_7}", "{TOTAL_BITS+1{1'b0}}"),
    "nothing rounds up": ("rest_none_6 ? {TOTAL_BITS{1'b0}} :", "1'b0 ? {TOTAL_BITS{1'b0}} :"),
    "halved down": ("+ {{TOTAL_BITS-1{1'b0}}, sum_8[0]}", ""),
    "halve reference": (" + {{REFERENCE-1{1'b0}}, sum_8[TOTAL_BITS]}", ""),
    "halve sums": ("halve_12 ? sum_12[ACC_BITS:1]", "1'b0 ? sum_12[ACC_BITS:1]"),
    "coarse": (".CLOCKS(5)) coarse_wait", ".CLOCKS(4)) coarse_wait"),
    "fine": (".CLOCKS(6)) fine_wait", ".CLOCKS(5)) fine_wait"),
    "unsigned": ("rest_10 >>> fine_10", "rest_10 >> fine_10"),
    "old sums": ("before_none_8 ? {ACC_BITS{1'b0}}", "1'b0 ? {ACC_BITS{1'b0}}"),
    "place": ("write_place = place_13[", "write_place = place_9["),
    "done when kept only": ("(keeps[SUMS_AT] | continues[SUMS_AT])", "keeps[SUMS_AT]"),
    "kept goes out": ("valid[TOTAL_AT] & !keeps[TOTAL_AT]", "valid[TOTAL_AT]"),
    "told early": (
        "row_kept     <= row_ends & keeps[SUMS_AT]",
        "row_kept <= valid[12] & keeps[12]",
    ),
    "told of groups": ("valid[SUMS_AT] & place_13[0]", "valid[SUMS_AT]"),
    "reset": ("valid <= rst ? {SUMS_AT{1'b0}} :", "valid <="),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    shape = {"head_dim": 32, "tile_keys": 128, "merge_rows": 8}
    bench(check_mutant_caught, sim="icarus", mutant=mutant, **shape)
