# SPDX-License-Identifier: Apache-2.0
"""Two tests that pass and look at nothing: no mutant is caught by them."""

import cocotb
from cocotb.triggers import ClockCycles

from verif.common.streams import start


@cocotb.test()
@cocotb.parametrize(cycles=[3, 5])
async def waits(dut, cycles):
    await start(dut)
    await ClockCycles(dut.clk, cycles)
