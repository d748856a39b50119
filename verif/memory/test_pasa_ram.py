# SPDX-License-Identifier: Apache-2.0
"""pasa_ram: every word, latency, hold, and reads in the clock of a write.

make unit M=pasa_ram
"""

import random

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.memory.tiles import chance, parameters_of, run_with

TOP = "pasa_ram"
WIDTH, DEPTH = parameters_of("WIDTH DEPTH")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def reads_what_was_written(dut):
    words: dict[int, int] = {}
    expected, compared, collisions = None, 0, 0
    Clock(dut.clk, 10, unit="ns").start()
    for clock in range(1000):
        write, read = chance(0.5), chance(0.6)
        to = clock % DEPTH if clock < 2 * DEPTH else random.randrange(DEPTH)
        at = to if chance(0.3) else random.randrange(DEPTH)
        word = random.getrandbits(WIDTH)
        dut.write_enable.value, dut.write_address.value = write, to
        dut.read_enable.value, dut.read_address.value = read, at
        dut.write_data.value = word
        await RisingEdge(dut.clk)
        if expected is not None:
            assert int(dut.read_data.value) == expected
            compared += 1
        if read:
            expected = words.get(at)  # the old word, also in the clock of its write
            collisions += write and at == to
        if write:
            words[to] = word
    assert len(words) > DEPTH // 2 and compared > 300 and collisions > 30


def bench(run, *, sim, width, depth, **options):
    parameters = {"WIDTH": width, "DEPTH": depth}
    run_with(run, TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


@pytest.mark.parametrize(("width", "depth"), [(8, 5), (64, 128)])
def test_design(sim, width, depth):
    bench(simulate, sim=sim, width=width, depth=depth)


MUTANTS = {
    "no hold": ("if (read_enable) read_data", "read_data"),
    "write first": (
        "read_data <= memory[read_address]",
        "read_data <= (write_enable & write_address == read_address)"
        " ? write_data : memory[read_address]",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", width=8, depth=5, mutant=mutant)
