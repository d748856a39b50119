# SPDX-License-Identifier: Apache-2.0
"""pasa_ram_dual: every word on both ports, latency, hold, and reads in the clock of a write.

make unit M=pasa_ram_dual
"""

import random

import cocotb
import pytest
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.memory.tiles import chance, parameters_of, run_with

TOP = "pasa_ram_dual"
WIDTH, DEPTH = parameters_of("WIDTH DEPTH")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def both_ports_read_what_port_b_wrote(dut):
    words: dict[int, int] = {}
    expected: dict[str, int | None] = {"a": None, "b": None}
    compared, collisions = 0, 0
    Clock(dut.clk, 10, unit="ns").start()
    for clock in range(1000):
        use_a, use_b, write = chance(0.6), chance(0.7), chance(0.5)
        b = clock % DEPTH if clock < 2 * DEPTH else random.randrange(DEPTH)
        a = b if chance(0.3) else random.randrange(DEPTH)
        word = random.getrandbits(WIDTH)
        dut.a_enable.value, dut.a_address.value = use_a, a
        dut.b_enable.value, dut.b_address.value = use_b, b
        dut.b_write_enable.value, dut.b_write_data.value = use_b and write, word
        await RisingEdge(dut.clk)
        for port, value in expected.items():
            if value is not None:
                assert int(getattr(dut, f"{port}_read_data").value) == value, f"port {port}"
                compared += 1
        if use_a:
            expected["a"] = words.get(a)  # the old word, also in the clock of its write
            collisions += use_b and write and a == b
        if use_b:
            expected["b"] = words.get(b)
        if use_b and write:
            words[b] = word
    assert len(words) > DEPTH // 3 and compared > 600 and collisions > 20


def bench(run, *, sim, width, depth, **options):
    parameters = {"WIDTH": width, "DEPTH": depth}
    run_with(run, TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


@pytest.mark.parametrize(("width", "depth"), [(1, 1), (8, 5)])
def test_design(sim, width, depth):
    bench(simulate, sim=sim, width=width, depth=depth)


MUTANTS = {
    "no hold": ("if (a_enable) a_read_data", "a_read_data"),
    "ignores b_enable": ("if (b_enable) begin", "begin"),
    "wrong address": ("b_read_data <= memory[b_address]", "b_read_data <= memory[a_address]"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", width=8, depth=5, mutant=mutant)
