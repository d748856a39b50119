# SPDX-License-Identifier: Apache-2.0
"""pasa_weigh: exact sums of every row at the widest inputs, rows back to back, slow takers.

make unit M=pasa_weigh
"""

import os
import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamMonitor, StreamSink, pack, start, unpack
from verif.softmax.pipeline import generator

TOP = "pasa_weigh"
SHAPE = {name: int(os.environ.get(name, "64")) for name in ("HEAD_DIM", "TILE_KEYS", "BLOCK_KEYS")}
ROWS = 20
FIELDS = ("accumulator", "total", "tag")


def make_row(rng: np.random.Generator, index: int) -> dict:
    """Items of one row: random, or a whole tile at the largest magnitude."""
    extreme = index % 5 == 0
    count = SHAPE["TILE_KEYS"] if extreme else int(rng.choice([1, 1, 2, 3, 17, 40]))
    block = np.full(count, index % 10 == 5) if extreme else rng.random(count) < 0.3
    limit = np.where(block, SHAPE["BLOCK_KEYS"], 1)  # keys that an item stands for
    keep = np.cumsum(limit) <= SHAPE["TILE_KEYS"]
    keep[0] = True
    block, limit = block[keep], limit[keep][:, None]
    if extreme:
        value = np.broadcast_to(-128 * limit, (len(limit), SHAPE["HEAD_DIM"]))
        weight = np.full(len(limit), 1 << 23)
    else:
        value = rng.integers(-128 * limit, 127 * limit + 1, (len(limit), SHAPE["HEAD_DIM"]))
        weight = rng.integers(0, (1 << 23) + 1, len(limit))
    return {"block": block, "value": value, "weight": weight, "tag": index % 64}


def golden(row: dict) -> tuple[list[int], int]:
    """Accumulators and total of a row."""
    share = row["weight"] * np.where(row["block"], SHAPE["BLOCK_KEYS"], 1)
    return [int(x) for x in row["weight"] @ row["value"]], int(share.sum())


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=["none", "heavy", "bursty"])
async def sums_each_row(dut, gaps):
    dut.valid.value = 0
    await start(dut)
    monitor = StreamMonitor(dut, "done", dut.clk, reset=dut.rst, fields=FIELDS)
    StreamSink(dut, "done", dut.clk, gaps=gaps)
    rng = generator()
    rows = [make_row(rng, index) for index in range(ROWS)]
    acc_bits = len(dut.done_accumulator) // SHAPE["HEAD_DIM"]
    value_bits = len(dut.value) // SHAPE["HEAD_DIM"]
    for index, row in enumerate(rows):
        while len(monitor.beats) < index - 2:  # the row three before has been taken
            await RisingEdge(dut.clk)
        for item in range(len(row["weight"])):
            dut.valid.value = 1
            dut.first.value = int(item == 0)
            dut.last.value = int(item == len(row["weight"]) - 1)
            dut.is_block.value = int(row["block"][item])
            dut.weight.value = int(row["weight"][item])
            dut.tag.value = row["tag"]
            dut.value.value = pack(row["value"][item], width=value_bits)
            await RisingEdge(dut.clk)
            dut.valid.value = 0
            if random.random() < 0.2:
                await RisingEdge(dut.clk)
    await monitor.wait_for(ROWS)
    for row, (accumulator, total, tag) in zip(rows, monitor.beats, strict=True):
        want = golden(row)
        assert unpack(accumulator, width=acc_bits, count=SHAPE["HEAD_DIM"]) == want[0]
        assert (total, tag) == (want[1], row["tag"])


def bench(run, *, sim, head_dim, tile_keys, block_keys, **options):
    shape = {"HEAD_DIM": head_dim, "TILE_KEYS": tile_keys, "BLOCK_KEYS": block_keys}
    return run(
        TOP,
        test_module=__name__,
        parameters=shape,
        env={name: str(value) for name, value in shape.items()},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize(
    ("head_dim", "tile_keys", "block_keys"), [(16, 32, 8), (16, 256, 64), (64, 2048, 64)]
)
def test_design(sim, head_dim, tile_keys, block_keys):
    bench(simulate, sim=sim, head_dim=head_dim, tile_keys=tile_keys, block_keys=block_keys)


MUTANTS = {
    "stale": ("accumulator <= (first_2 ?", "accumulator <= (first_1 ?"),
    "block total": ("is_block ? share << BLOCK_LOG2 : share", "share"),
    "overtaken": ("next_valid & (!done_valid | done_ready)", "next_valid"),
    "overwrite": ("move  = full & (!next_valid | offer)", "move  = full"),
    "width": ("reg signed [ACC_BITS-1:0]     accumulator", "reg signed [ACC_BITS-3:0] accumulator"),
    "early": ("(valid_2 & last_2)", "(valid_1 & last_1)"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    shape = {"head_dim": 16, "tile_keys": 64, "block_keys": 8}
    bench(check_mutant_caught, sim="icarus", mutant=mutant, **shape)
