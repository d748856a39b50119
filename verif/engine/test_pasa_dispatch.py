# SPDX-License-Identifier: Apache-2.0
"""pasa_dispatch: rows in order, to free lanes only, never beyond the output buffer.

make unit M=pasa_dispatch
"""

import os
import random
from dataclasses import dataclass

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import start

TOP = "pasa_dispatch"
ROWS = int(os.environ.get("ROWS", "4"))
OUTPUT_ROWS, MERGE_ROWS = 8, 16
COUNT = 200


@dataclass(frozen=True)
class Row:
    """What is offered of a row, and the number it must get in its command."""

    descriptor: int
    opens: int
    merges: int
    last: int
    merge_row: int


def make_rows(opening: float) -> list[Row]:
    """Rows of commands of 1 to 20 rows, longer than MERGE_ROWS too."""
    rows: list[Row] = []
    while len(rows) < COUNT:
        count, opens = random.randint(1, 20), int(random.random() < opening)
        merges = int(not opens or random.random() < 0.3)
        rows += [
            Row(len(rows) + at, opens, merges, int(at == count - 1), at % MERGE_ROWS)
            for at in range(count)
        ]
    return rows[:COUNT]


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(busy=[0, 6, 40], opening=[1.0, 0.5])
async def gives_each_row_to_one_free_lane(dut, busy, opening):
    pins = ("row_valid", "lane_ready", "open_ready", "row_freed", "row_descriptor")
    for pin in (*pins, "row_opens", "row_merges", "row_last", "merge_done", "merge_done_row"):
        getattr(dut, pin).value = 0
    await start(dut)
    busy_until, rows = [0] * ROWS, make_rows(opening)
    given, expected = [], []
    merging: list[int] = []  # numbers of rows under way that merge
    waits = looked = 0
    held = full = offered = opened = taken_before = 0
    for clock in range(40 * COUNT):
        free = sum((busy_until[lane] <= clock) << lane for lane in range(ROWS))
        valid, open_ready = offered < COUNT and random.random() < 0.9, random.random() < 0.9
        freed = held > 0 and random.random() < 0.3
        row = rows[min(offered, COUNT - 1)]
        dut.row_valid.value, dut.row_descriptor.value = int(valid), row.descriptor
        dut.row_opens.value, dut.row_last.value = row.opens, row.last
        dut.lane_ready.value, dut.open_ready.value = free, int(open_ready)
        dut.row_freed.value = int(freed)
        dut.row_merges.value = row.merges
        merged = random.choice(merging) if merging and random.random() < 0.2 else None
        dut.merge_done.value = int(merged is not None)
        dut.merge_done_row.value = merged or 0
        await RisingEdge(dut.clk)
        take, lanes = int(dut.row_take.value), int(dut.assign_lane.value)
        assert bool(lanes) == bool(taken_before), "assign follows take by one clock"
        assert int(dut.open_valid.value) == (take and row.opens)
        if lanes:
            assert lanes & (lanes - 1) == 0, "one row, one lane"
            assert lanes == taken_before & -taken_before, "the lowest free lane"
            names = ("descriptor", "merge_row", "output_row")
            given.append(tuple(int(getattr(dut, f"assign_{name}").value) for name in names))
            lane = lanes.bit_length() - 1
            busy_until[lane] = clock + 1 + random.randint(0, busy)
        may_open = not row.opens or open_ready
        if take:
            assert valid and may_open and free & ~lanes and (held < OUTPUT_ROWS or not row.opens)
            assert not row.merges or row.merge_row not in merging, "its number is under way"
            # a row that goes on has no place: the one it shows is that of the next that opens
            expected.append((row.descriptor, row.merge_row, opened % OUTPUT_ROWS))
            offered, opened, looked = offered + 1, opened + row.opens, 0
            merging += [row.merge_row] * row.merges
        elif row.merges and (row.merge_row in merging or looked < 2):
            waits += valid
            looked = 0 if row.merge_row in merging else looked + 1
        elif valid and may_open and free & ~lanes:
            full += 1
            assert held == OUTPUT_ROWS and row.opens, "a free lane was left waiting"
        if merged is not None:
            merging.remove(merged)
        taken_before = (free & ~lanes) if take else 0
        held += (take and row.opens) - freed
        if len(given) == COUNT:
            break
    await ClockCycles(dut.clk, 2)
    assert given == expected and len(given) == COUNT
    assert busy or full or opening < 1, "the output buffer was never full"
    assert waits, "no row waited for the one before it"


def bench(run, *, sim, rows, **options):
    return run(
        TOP,
        test_module=__name__,
        parameters={
            "ROWS": rows,
            "OUTPUT_ROWS": OUTPUT_ROWS,
            "ROW_WIDTH": 20,
            "MERGE_ROWS": MERGE_ROWS,
        },
        env={"ROWS": str(rows)},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize("rows", [1, 4, 8])
def test_design(sim, rows):
    bench(simulate, sim=sim, rows=rows)


MUTANTS = {
    "twice": ("lane_ready & ~assign_lane", "lane_ready"),
    "full": ("(places != 0) & open_ready", "open_ready"),
    "unopened": ("(places != 0) & open_ready", "(places != 0)"),
    "all lanes": ("free & (~free + 1'b1)", "free"),
    "place": ("output_row + {{OUTPUT_BITS-1{1'b0}}, open_valid}", "output_row + 1'b1"),
    "place of all": ("output_row + {{OUTPUT_BITS-1{1'b0}}, open_valid}", "output_row + row_take"),
    "opens all": ("open_valid = row_take & row_opens", "open_valid = row_take"),
    "waits for a place": ("(!row_opens | (", "(("),
    "counts on": ("row_last ? {MERGE_BITS{1'b0}} :", ""),
    "same row": ("merge_row + 1'b1", "merge_row"),
    "no wait": ("(!row_merges | merge_free)", "1'b1"),
    "all wait": ("(!row_merges | merge_free)", "merge_free"),
    "never done": ("merge_done_row == r[MERGE_BITS-1:0]", "merge_done_row != r[MERGE_BITS-1:0]"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, sim="icarus", rows=4, mutant=(f"{TOP}.v", *MUTANTS[name]))
