# SPDX-License-Identifier: Apache-2.0
"""Traffic through a buffer with stream `s` in and `m` out, watched on both sides."""

import random
from dataclasses import dataclass
from typing import Any

from cocotb.triggers import ClockCycles

from verif.common.streams import StreamDriver, StreamMonitor, StreamSink, start


@dataclass
class Passage:
    """What was sent, and what the monitors saw."""

    beats: list[int]
    entered: StreamMonitor
    left: StreamMonitor


async def pass_beats(dut: Any, *, count: int, gaps_in: str, gaps_out: str) -> Passage:
    """Send `count` random beats and wait until all have left; then look for extra ones."""
    await start(dut)
    driver = StreamDriver(dut, "s", dut.clk, gaps=gaps_in)
    StreamSink(dut, "m", dut.clk, gaps=gaps_out)
    entered = StreamMonitor(dut, "s", dut.clk, reset=dut.rst)
    left = StreamMonitor(dut, "m", dut.clk, reset=dut.rst)
    beats = [random.getrandbits(len(dut.s_data)) for _ in range(count)]
    await driver.send(beats)
    await left.wait_for(count)
    await ClockCycles(dut.clk, 40)
    assert entered.beats == beats, "the driver, not the design, is at fault"
    assert left.beats == beats
    return Passage(beats, entered, left)
