# SPDX-License-Identifier: Apache-2.0
"""pasa_stream_out: bytes in order, tlast on the last, full rate, at each width.

make unit M=pasa_stream_out
"""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamDriver, StreamMonitor, StreamSink, start

TOP = "pasa_stream_out"
BEATS = 300
FIELDS = ("data", "keep", "last")


def pieces(beats: list, width: int) -> list:
    """What leaves for the beats (data, last)."""
    count, full = 128 // width, (1 << width // 8) - 1
    return [
        (data >> width * i & ((1 << width) - 1), full, int(last and i == count - 1))
        for data, last in beats
        for i in range(count)
    ]


@cocotb.test(timeout_time=300, timeout_unit="us")
@cocotb.parametrize(gaps_in=["none", "bursty"], gaps_out=["none", "heavy"])
async def keeps_bytes_in_order(dut, gaps_in, gaps_out):
    await start(dut)
    driver = StreamDriver(dut, "s", dut.clk, gaps=gaps_in)
    StreamSink(dut, "m_axis", dut.clk, gaps=gaps_out, spelled="t{}")
    left = StreamMonitor(dut, "m_axis", dut.clk, reset=dut.rst, fields=FIELDS, spelled="t{}")
    entered = StreamMonitor(dut, "s", dut.clk, reset=dut.rst)
    beats = [(random.getrandbits(128), int(random.random() < 0.3)) for _ in range(BEATS)]
    out = pieces(beats, len(dut.m_axis_tdata))
    await driver.send(beats)
    await left.wait_for(len(out))
    await ClockCycles(dut.clk, 20)
    assert left.beats == out
    if gaps_in == gaps_out == "none":
        waits = BEATS * (128 // len(dut.m_axis_tdata) - 1)
        assert entered.stalls <= waits, "throughput below one beat per clock"


@cocotb.test(timeout_time=100, timeout_unit="us")
async def reset_forgets_a_beat(dut):
    await start(dut)
    driver = StreamDriver(dut, "s", dut.clk)
    StreamSink(dut, "m_axis", dut.clk, spelled="t{}")
    for clocks in (1, 2, 3, 4):
        await driver.send([(random.getrandbits(128), 1)])
        await ClockCycles(dut.clk, clocks)
        dut.rst.value = 1
        await ClockCycles(dut.clk, 2)
        assert not int(dut.m_axis_tvalid.value)
        dut.rst.value = 0
        left = StreamMonitor(dut, "m_axis", dut.clk, fields=FIELDS, spelled="t{}")
        beats = [(random.getrandbits(128), 1)]
        out = pieces(beats, len(dut.m_axis_tdata))
        await driver.send(beats)
        await left.wait_for(len(out))
        assert left.beats == out
        left.kill()


def test_design(sim):
    simulate(TOP, test_module=__name__, parameters={"STREAM_BITS": 32}, sim=sim)


@pytest.mark.parametrize("width", [64, 128], ids="width{}".format)
def test_other_widths(width):
    simulate(TOP, test_module=__name__, parameters={"STREAM_BITS": width}, sim="icarus")


MUTANTS = {
    "early last": ("last & ends", "last"),
    "first bytes only": ("assign ends = &piece", "assign ends = |piece"),
    "runs on": ("if (take) piece", "if (m_axis_tvalid) piece"),
    "reset": ("if (rst) piece <= {PIECE_BITS{1'b0}}", ""),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    parameters = {"STREAM_BITS": 32}
    check_mutant_caught(
        TOP, mutant=mutant, test_module=__name__, parameters=parameters, sim="icarus"
    )
