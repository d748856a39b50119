# SPDX-License-Identifier: Apache-2.0
"""pasa_nibble_dot: dot products of random and extreme nibbles over one to four slices.

make unit M=pasa_nibble_dot
"""

import cocotb
import numpy as np
import pytest

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator, words

TOP = "pasa_nibble_dot"
KEYS, BITS, DIMS = 4, 4, 64
COUNT = 600


def nibbles(rng: np.random.Generator, shape: tuple) -> np.ndarray:
    """Random nibbles; every third vector holds the ends only."""
    values = rng.integers(-8, 8, size=shape)
    values[::3] = np.where(rng.random(values[::3].shape) < 0.9, -8, 7)
    values[::9] = -8
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


def test_design(sim):
    parameters = {"PRED_KEYS": KEYS, "HEAD_DIM": DIMS, "PRED_BITS": BITS}
    simulate(TOP, test_module=__name__, parameters=parameters, sim=sim)


MUTANTS = {
    "add": ("firsts[2] ? wide : product + wide", "product + wide"),
    "lost": ("firsts[2] ? wide : product + wide", "wide"),
    "sign": ("{{2{p3[P-1]}}, p3}", "{2'd0, p3}"),
    "order": ("k2 * q2", "k2 * q3"),
    "gap": ("if (runs[2]) product", "if (1'b1) product"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    check_mutant_caught(
        TOP,
        mutant=(f"{TOP}.v", *MUTANTS[name]),
        test_module=__name__,
        parameters={"PRED_KEYS": KEYS, "HEAD_DIM": DIMS, "PRED_BITS": BITS},
        sim="icarus",
    )
