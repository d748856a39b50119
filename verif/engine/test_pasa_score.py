# SPDX-License-Identifier: Apache-2.0
"""pasa_score: exact at every width and extreme, at a fixed latency.

make unit M=pasa_score
"""

import os

import cocotb
import numpy as np
import pytest
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack
from verif.softmax.pipeline import generator

TOP = "pasa_score"
HEAD_DIM = int(os.environ.get("HEAD_DIM", "64"))
LATENCY = 2 + HEAD_DIM.bit_length() - 1
COUNT = 300


def codes(rng: np.random.Generator) -> np.ndarray:
    """Random rows, with every pair of extremes among them."""
    rows = rng.integers(-128, 128, (COUNT, HEAD_DIM))
    rows[::7] = rng.choice([-128, 127], (len(rows[::7]), 1))
    rows[::11] = rng.choice([-128, 127, 0], rows[::11].shape)
    return rows


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def is_the_dot_product(dut):
    rng = generator()
    query, key = codes(rng), codes(rng)
    want = (query * key).sum(axis=1)
    dut.query.value = 0
    dut.key.value = 0
    Clock(dut.clk, 10, unit="ns").start()
    for at in range(COUNT + LATENCY):
        here = min(at, COUNT - 1)
        dut.query.value = pack(query[here], width=8)
        dut.key.value = pack(key[here], width=8)
        await RisingEdge(dut.clk)
        await Timer(1, "ps")
        row = at - LATENCY + 1
        if 0 <= row < COUNT:
            assert dut.out_score.value.to_signed() == want[row], f"row {row}"


def bench(run, *, sim, head_dim, **options):
    return run(
        TOP,
        test_module=__name__,
        parameters={"HEAD_DIM": head_dim},
        env={"HEAD_DIM": str(head_dim)},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize("head_dim", [16, 64, 128])
def test_design(sim, head_dim):
    bench(simulate, sim=sim, head_dim=head_dim)


MUTANTS = {
    "unsigned": ("reg signed [7:0] a, b;", "reg [7:0] a, b;"),
    "sign": ("{left[WIDTH-2], left}", "{1'b0, left}"),
    "pairs": ("sums[(2*i+1)*(WIDTH-1)", "sums[(2*i)*(WIDTH-1)"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, sim="icarus", head_dim=16, mutant=(f"{TOP}.v", *MUTANTS[name]))
