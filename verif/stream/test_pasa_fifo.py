# SPDX-License-Identifier: Apache-2.0
"""pasa_fifo: order, loss, throughput, fill level, and proof that this bench can fail.

make unit M=pasa_fifo
"""

import os

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamDriver, StreamMonitor, StreamSink, start
from verif.stream.traffic import pass_beats

TOP = "pasa_fifo"
BEATS = 400
DEPTH = int(os.environ.get("DEPTH", "0"))  # set by `bench` below


async def watch_level(dut):
    """level equals beats in minus beats out at every clock; counts full clocks."""
    held, full = 0, 0
    while True:
        await RisingEdge(dut.clk)
        level = int(dut.level.value)
        assert level == held, f"level is {level}, {held} beats are held"
        full += level == DEPTH
        held += int(dut.s_valid.value) & int(dut.s_ready.value)
        held -= int(dut.m_valid.value) & int(dut.m_ready.value)
        watch_level.full = full


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(gaps_in=["none", "light", "bursty"], gaps_out=["none", "heavy", "bursty"])
async def keeps_every_beat_in_order(dut, gaps_in, gaps_out):
    seen = await pass_beats(dut, count=BEATS, gaps_in=gaps_in, gaps_out=gaps_out)
    if gaps_in == "none" and gaps_out == "heavy":
        assert seen.entered.stalls >= 50, "stalls never filled the buffer"
    if gaps_out == "none":
        assert seen.entered.stalls == 0, "throughput below one beat per clock"


@cocotb.test(timeout_time=200, timeout_unit="us")
async def fills_to_its_depth_and_drains(dut):
    """Level counts up to DEPTH with the sink closed, then down to 0; twice, so pointers wrap."""
    await start(dut)
    dut.m_ready.value = 0
    driver = StreamDriver(dut, "s", dut.clk)
    monitor = StreamMonitor(dut, "m", dut.clk, reset=dut.rst)
    sent = 0
    for _ in range(3):
        dut.m_ready.value = 0
        beats = [(sent + n) % (1 << len(dut.s_data)) for n in range(DEPTH)]
        for held, beat in enumerate(beats):
            assert int(dut.level.value) == held
            assert int(dut.s_ready.value) == 1
            await driver.send([beat])
            await RisingEdge(dut.clk)
        assert int(dut.level.value) == DEPTH
        assert int(dut.s_ready.value) == 0
        sent += DEPTH
        dut.m_ready.value = 1
        await monitor.wait_for(sent)
        await ClockCycles(dut.clk, 2)
        assert int(dut.level.value) == 0 and int(dut.m_valid.value) == 0
        assert monitor.beats[-DEPTH:] == beats


@cocotb.test(timeout_time=200, timeout_unit="us")
async def level_is_right_under_traffic(dut):
    await start(dut)
    watcher = cocotb.start_soon(watch_level(dut))
    driver = StreamDriver(dut, "s", dut.clk, gaps="bursty")
    StreamSink(dut, "m", dut.clk, gaps="bursty")
    await driver.send([0] * (BEATS + 20 * DEPTH))
    assert watch_level.full > 0, "the buffer was never full"
    watcher.cancel()


def bench(run, *, sim, width, depth, **options):
    return run(
        TOP,
        test_module=__name__,
        parameters={"WIDTH": width, "DEPTH": depth},
        env={"DEPTH": str(depth)},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize(("width", "depth"), [(1, 2), (8, 4), (33, 16), (512, 64)])
def test_design(sim, width, depth):
    bench(simulate, sim=sim, width=width, depth=depth)


MUTANTS = {
    "overflow": ("assign s_ready = !held[ADDR]", "assign s_ready = 1'b1"),
    "early": ("assign s_ready = !held[ADDR]", "assign s_ready = held < DEPTH - 1"),
    "level": ("if (m_fire & !s_fire) held", "if (m_fire) held"),
    "order": ("if (m_fire) rd <= rd + 1'b1", "if (m_fire) rd <= rd ^ 1'b1"),
    "stale": ("if (s_fire) beats[wr]", "if (s_fire & !m_fire) beats[wr]"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(sim, name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim=sim, width=8, depth=4, mutant=mutant)
