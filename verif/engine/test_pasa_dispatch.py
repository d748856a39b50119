# SPDX-License-Identifier: Apache-2.0
"""pasa_dispatch: rows in order, to free lanes only, never beyond the output buffer.

make unit M=pasa_dispatch
"""

import os
import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import start

TOP = "pasa_dispatch"
ROWS = int(os.environ.get("ROWS", "4"))
OUTPUT_ROWS = 8
COUNT = 300


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(busy=[0, 6, 40])
async def gives_each_row_to_one_free_lane(dut, busy):
    for pin in ("row_valid", "lane_ready", "open_ready", "row_freed", "row_descriptor"):
        getattr(dut, pin).value = 0
    await start(dut)
    busy_until = [0] * ROWS
    given, held, full = [], 0, 0
    offered = 0
    taken_before, expected = 0, []
    for clock in range(40 * COUNT):
        free = sum((busy_until[lane] <= clock) << lane for lane in range(ROWS))
        valid, open_ready = offered < COUNT and random.random() < 0.9, random.random() < 0.9
        freed = held > 0 and random.random() < 0.3
        dut.row_valid.value, dut.row_descriptor.value = int(valid), offered * 3 + 1
        dut.lane_ready.value, dut.open_ready.value = free, int(open_ready)
        dut.row_freed.value = int(freed)
        await RisingEdge(dut.clk)
        take, lanes = int(dut.row_take.value), int(dut.assign_lane.value)
        assert bool(lanes) == bool(taken_before), "assign follows take by one clock"
        assert take == int(dut.open_valid.value)
        if lanes:
            assert lanes & (lanes - 1) == 0, "one row, one lane"
            assert lanes == taken_before & -taken_before, "the lowest free lane"
            given.append((int(dut.assign_descriptor.value), int(dut.assign_output_row.value)))
            lane = lanes.bit_length() - 1
            busy_until[lane] = clock + 1 + random.randint(0, busy)
        if take:
            assert valid and open_ready and free & ~lanes and held < OUTPUT_ROWS
            expected.append((offered * 3 + 1, offered % OUTPUT_ROWS))
            offered += 1
        elif valid and open_ready and free & ~lanes:
            full += 1
            assert held == OUTPUT_ROWS, "a free lane was left waiting"
        taken_before = (free & ~lanes) if take else 0
        held += take - freed
        if len(given) == COUNT:
            break
    await ClockCycles(dut.clk, 2)
    assert given == expected and len(given) == COUNT
    assert busy or full, "the output buffer was never full"


def bench(run, *, sim, rows, **options):
    return run(
        TOP,
        test_module=__name__,
        parameters={"ROWS": rows, "OUTPUT_ROWS": OUTPUT_ROWS, "ROW_WIDTH": 20},
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
    "place": ("output_row + {{OUTPUT_BITS-1{1'b0}}, row_take}", "output_row + 1'b1"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, sim="icarus", rows=4, mutant=(f"{TOP}.v", *MUTANTS[name]))
