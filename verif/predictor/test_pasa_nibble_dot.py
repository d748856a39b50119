# SPDX-License-Identifier: Apache-2.0
"""pasa_nibble_dot: dot products of random and extreme nibbles over one to four slices.

make unit M=pasa_nibble_dot
"""

import os

import cocotb
import numpy as np
import pytest

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator, words

TOP = "pasa_nibble_dot"
KEYS, DIMS = 4, 64
BITS = int(os.environ.get("BITS", "4"))
COUNT = 600


def nibbles(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Random nibbles; every third vector holds the ends only."""
    top = 1 << BITS - 1
    values = rng.integers(-top, top, size=shape)
    values[::3] = np.where(rng.random(values[::3].shape) < 0.9, -top, top - 1)
    values[::9] = -top
    return values


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def equals_numpy(dut):
    rng = generator()
    keys, row = nibbles(rng, (COUNT, KEYS, 16)), nibbles(rng, (COUNT, 16))
    first, run = np.zeros(COUNT, dtype=bool), rng.random(COUNT) < 0.9
    want, total, since = [], np.zeros(KEYS, dtype=np.int64), 4
    for at in range(COUNT):
        if run[at]:
            first[at] = since == 4 or rng.random() < 0.4
            since = 1 if first[at] else since + 1
            total = (0 if first[at] else total) + keys[at] @ row[at]
        want.append(words(total[None], width=2 * BITS + 6)[0] if since < 5 and run[at] else None)
    given = {
        "run": run,
        "first": first,
        "keys": words(keys.reshape(COUNT, -1), width=BITS),
        "row": words(row, width=BITS),
    }
    await check_pipeline(dut, given=given, expected={"products": want}, latency=4, late={})


def bench(run, *, bits, **options):
    parameters = {"PRED_KEYS": KEYS, "HEAD_DIM": DIMS, "PRED_BITS": bits}
    run(TOP, test_module=__name__, parameters=parameters, env={"BITS": str(bits)}, **options)


@pytest.mark.parametrize("bits", [2, 3, 4, 5, 6])
def test_design(sim, bits):
    bench(simulate, bits=bits, sim=sim)


MUTANTS = {
    "add": ("firsts[2] ? {PRODUCT_BITS{1'b0}} : product", "product"),
    "lost": ("wide + so_far", "wide"),
    "missing": ("assign total = missing + weighted", "assign total = weighted"),
    "key sign": ("{key[B-1], key}", "{1'b0, key}"),
    "twice": ("(!h & m & l)", "(!h & !m & l)"),
    "order": ("~parts[(i*4+2)*P +: P]", "~parts[(i*4+3)*P +: P]"),
    "weight": ("sums[d*S +: S]} << (2 * d)", "sums[d*S +: S]} << d"),
    "gap": ("if (runs[2]) product", "if (1'b1) product"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, bits=4, mutant=(f"{TOP}.v", *MUTANTS[name]), sim="icarus")
