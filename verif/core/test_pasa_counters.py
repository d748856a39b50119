# SPDX-License-Identifier: Apache-2.0
"""pasa_counters: each slot counts its own events, and the status record says so.

make unit M=pasa_counters
"""

import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge
from pasa.command import unpack_status

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamMonitor, StreamSink, start

TOP = "pasa_counters"
ROWS, SLOTS = 4, 4
SLOT_BITS = SLOTS.bit_length() - 1
FIELDS = ("rows", "empty_rows", "saturations", "keys_visible", "keys_kept", "blocks_compensated",
          "dropped_mass", "cycles", "stall_in", "stall_out")  # fmt: skip
PINS = {
    "rows_valid": 1,
    "rows_slot": SLOT_BITS,
    "rows_present": ROWS,
    "rows_empty_sum": 3,
    "rows_visible_sum": 14,
    "rows_kept_sum": 14,
    "rows_blocks_sum": 14,
    "rows_dropped_sum": 17,
    "saturation_valid": 1,
    "saturation_slot": SLOT_BITS,
    "saturation_count": 5,
    "running": SLOTS,
    "loading": 1,
    "load_slot": SLOT_BITS,
    "output_stalled": 1,
    "output_slot": SLOT_BITS,
    "report_slot": SLOT_BITS,
}


def count(counts, pins):
    """One clock of the model."""
    if pins["rows_valid"]:
        mine = counts[pins["rows_slot"]]
        mine["rows"] += pins["rows_present"].bit_count()
        mine["empty_rows"] += pins["rows_empty_sum"]
        mine["keys_visible"] += pins["rows_visible_sum"]
        mine["keys_kept"] += pins["rows_kept_sum"]
        mine["blocks_compensated"] += pins["rows_blocks_sum"]
        mine["dropped_mass"] += pins["rows_dropped_sum"]
    if pins["saturation_valid"]:
        counts[pins["saturation_slot"]]["saturations"] += pins["saturation_count"]
    for slot in range(SLOTS):
        running = pins["running"] >> slot & 1
        counts[slot]["cycles"] += running
        idle_load = pins["loading"] and pins["load_slot"] == slot and not pins["running"]
        counts[slot]["stall_in"] += idle_load
        stalled = running and pins["output_stalled"] and pins["output_slot"] == slot
        counts[slot]["stall_out"] += stalled


@cocotb.test(timeout_time=100, timeout_unit="us")
async def counts_what_happens(dut):
    for pin in (*PINS, "clear_valid", "clear_slot", "report_valid", "report_tag", "report_causes"):
        getattr(dut, pin).value = 0
    await start(dut)
    monitor = StreamMonitor(dut, "m_status", dut.clk, reset=dut.rst)
    StreamSink(dut, "m_status", dut.clk, gaps="heavy")
    counts = [dict.fromkeys(FIELDS, 0) for _ in range(SLOTS)]
    expected = []
    for _ in range(1500):
        pins = {name: random.getrandbits(width) for name, width in PINS.items()}
        clear = random.random() < 0.02
        clear_slot, report = random.randrange(SLOTS), random.random() < 0.05
        tag, causes = random.getrandbits(16), random.getrandbits(8)
        for name, value in pins.items():
            getattr(dut, name).value = value
        dut.clear_valid.value, dut.clear_slot.value = int(clear), clear_slot
        dut.report_valid.value, dut.report_tag.value = int(report), tag
        dut.report_causes.value = causes
        await RisingEdge(dut.clk)
        if report and int(dut.report_ready.value):
            mine = {"tag": tag, "causes": causes, "reserved": 0, **counts[pins["report_slot"]]}
            expected.append(mine)
        count(counts, pins)
        if clear:
            counts[clear_slot] = dict.fromkeys(FIELDS, 0)
    dut.report_valid.value = 0
    await monitor.wait_for(len(expected))
    assert [unpack_status(word) for word in monitor.beats] == expected
    assert len(expected) > 20


def bench(run, *, sim, **options):
    return run(
        TOP, test_module=__name__, parameters={"ROWS": ROWS, "SLOTS": SLOTS}, sim=sim, **options
    )


def test_design(sim):
    bench(simulate, sim=sim)


MUTANTS = {
    "other slot": ("saturation_valid & (saturation_slot == HERE)", "saturation_valid"),
    "present": ("present + {{ROWS_BITS-1{1'b0}}, rows_present[i]}", "present + 1'b1"),
    "stall": ("& (running == {SLOTS{1'b0}})", ""),
    "no clear": ("rst | (clear_valid & (clear_slot == HERE))", "rst"),
    "order": ("keys_visible, saturations, empty_rows, rows, 8'd0",
              "saturations, keys_visible, empty_rows, rows, 8'd0"),
    "lost": ("report_ready = !m_status_valid | m_status_ready", "report_ready = 1'b1"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, sim="icarus", mutant=(f"{TOP}.v", *MUTANTS[name]))
