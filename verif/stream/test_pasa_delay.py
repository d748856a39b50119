# SPDX-License-Identifier: Apache-2.0
"""pasa_delay: exactly CLOCKS clocks, and proof that this bench can fail.

make unit M=pasa_delay
"""

import os
import random

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from verif.common.runner import check_mutant_caught, simulate

TOP = "pasa_delay"
CLOCKS = int(os.environ.get("CLOCKS", "0"))


@cocotb.test(timeout_time=100, timeout_unit="us")
async def comes_out_after_exactly_its_clocks(dut):
    drive(dut, 0)
    Clock(dut.clk, 10, unit="ns").start()
    sent = [None] * CLOCKS
    for clock in range(300):
        value = random.getrandbits(len(dut.out))
        drive(dut, value)
        sent.append(value)
        if CLOCKS:
            await RisingEdge(dut.clk)
        await Timer(1, "ps")
        want = sent[-CLOCKS] if CLOCKS else value
        assert want is None or int(dut.out.value) == want, f"clock {clock}"


def drive(dut, value):
    """`in` is a Python keyword, so the pin is reached by name."""
    dut["in"].value = value


def bench(run, *, sim, width, clocks, **options):
    return run(
        TOP,
        test_module=__name__,
        parameters={"WIDTH": width, "CLOCKS": clocks},
        env={"CLOCKS": str(clocks)},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize(("width", "clocks"), [(1, 0), (1, 1), (9, 2), (600, 12)])
def test_design(sim, width, clocks):
    bench(simulate, sim=sim, width=width, clocks=clocks)


MUTANTS = {
    "early": ("assign out = stage[CLOCKS-1]", "assign out = stage[CLOCKS-2]"),
    "order": ("assign from = stage[i-1]", "assign from = stage[0]"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", width=8, clocks=3, mutant=mutant)
