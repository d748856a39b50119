# SPDX-License-Identifier: Apache-2.0
"""One test that passes and one that fails."""

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def is_right(dut):
    await Timer(1, unit="ns")


@cocotb.test()
async def is_wrong(dut):
    await Timer(1, unit="ns")
    raise AssertionError("seven is not eight")
