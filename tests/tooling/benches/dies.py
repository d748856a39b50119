# SPDX-License-Identifier: Apache-2.0
"""The simulator process ends with exit code 0 before the test does."""

import os

import cocotb
from cocotb.triggers import Timer


@cocotb.test()
async def takes_the_simulator_along(dut):
    await Timer(1, unit="ns")
    os._exit(0)
