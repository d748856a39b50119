# SPDX-License-Identifier: Apache-2.0
"""The stream monitor must object to each of these; the bench drives both sides."""

import cocotb
from cocotb.triggers import RisingEdge

from verif.common.streams import StreamMonitor, start


async def offer(dut, *steps):
    """Drive (valid, ready, data) at successive clocks under a monitor."""
    dut.s_valid.value, dut.m_ready.value, dut.s_data.value = 0, 0, 0
    await start(dut)
    monitor = StreamMonitor(dut, "m", dut.clk, reset=dut.rst)
    for valid, ready, data in steps:
        dut.s_valid.value, dut.m_ready.value, dut.s_data.value = valid, ready, data
        await RisingEdge(dut.clk)
    dut.s_valid.value = 0
    await RisingEdge(dut.clk)
    await RisingEdge(dut.clk)
    return monitor


@cocotb.test(expect_fail=True)
async def payload_changes(dut):
    await offer(dut, (1, 0, 5), (1, 0, 6), (1, 1, 6))


@cocotb.test(expect_fail=True)
async def valid_falls(dut):
    await offer(dut, (1, 0, 5), (0, 0, 5))


@cocotb.test()
async def lawful_traffic_is_collected(dut):
    monitor = await offer(dut, (1, 0, 5), (1, 0, 5), (1, 1, 5), (0, 1, 0), (1, 1, 7))
    assert monitor.beats == [5, 7] and monitor.stalls == 2


@cocotb.test(expect_error=ValueError)
async def unknown_payload(dut):
    await offer(dut, (1, 1, "X" * len(dut.s_data)))


@cocotb.test(expect_error=ValueError)
async def unknown_valid(dut):
    await offer(dut, ("X", 1, 0), ("X", 1, 0))
