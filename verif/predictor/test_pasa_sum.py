# SPDX-License-Identifier: Apache-2.0
"""pasa_sum, pasa_popcount and pasa_highest: trees over the keys of a word.

make unit M=pasa_sum
"""

import os

import cocotb
import numpy as np
import pytest

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator, words

TOP = os.environ.get("TREE", "")
COUNT, WIDTH = int(os.environ.get("COUNT", "1")), int(os.environ.get("WIDTH", "1"))


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def equals_numpy(dut):
    rng = generator()
    limit = 1 << WIDTH
    values = rng.integers(0, limit, size=(500, COUNT))
    values[:3] = [[0], [limit - 1], [limit // 2]]
    if TOP == "pasa_highest":
        values = values - limit // 2
        want = values.max(axis=1)
    else:
        want = values.sum(axis=1)
    latency = (COUNT.bit_length() - 1 + 1) // 2
    await check_pipeline(
        dut,
        given={"in": words(values, width=WIDTH)},
        expected={"out": np.asarray(want)},
        latency=latency,
        late={},
    )


def bench(run, *, tree, count, width, **options):
    parameters = {"COUNT": count} | ({} if tree == "pasa_popcount" else {"WIDTH": width})
    env = {"TREE": tree, "COUNT": str(count), "WIDTH": str(width)}
    run(tree, test_module=__name__, parameters=parameters, env=env, **options)


@pytest.mark.parametrize(
    ("tree", "count", "width"),
    [
        *(("pasa_sum", count, width) for count, width in [(2, 1), (4, 15), (8, 3), (32, 15)]),
        *(("pasa_popcount", count, 1) for count in (2, 4, 16, 32, 64)),
        *(("pasa_highest", count, width) for count, width in [(2, 16), (4, 3), (8, 16), (32, 16)]),
    ],
)
def test_design(sim, tree, count, width):
    bench(simulate, tree=tree, count=count, width=width, sim=sim)


MUTANTS = {
    "odd level": ("pasa_sum", "GROUP == 4 ? 2 : 1)", "1)"),
    "lost term": ("pasa_sum", "{2'd0, group[3*W +: W]}", "{(W+2){1'b0}}"),
    "carry": ("pasa_popcount", "^ (bits[1] & bits[2])", "^ (bits[1] & bits[3])"),
    "all four": ("pasa_popcount", "count[2] <= &bits", "count[2] <= |bits"),
    "unsigned": ("pasa_highest", "wire signed [WIDTH-1:0] a =", "wire [WIDTH-1:0] a ="),
    "lowest": ("pasa_highest", "best <= ab > cd ? ab : cd", "best <= ab > cd ? cd : ab"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    tree, *change = MUTANTS[name]
    bench(
        check_mutant_caught,
        tree=tree,
        count=32,
        width=1 if tree == "pasa_popcount" else 7,
        mutant=(f"{tree}.v", *change),
        sim="icarus",
    )
