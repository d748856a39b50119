# SPDX-License-Identifier: Apache-2.0
"""pasa_log2 against arithmetic.log2_of.

make unit M=pasa_log2
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import log2_of
from pasa.formats import PREDICTED_WEIGHT_FRACTION

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator

TOP = "pasa_log2"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def equals_the_golden_model(dut):
    """Every leading one, every table entry, and the ends."""
    rng, bits = generator(), len(getattr(dut, "in"))
    top = np.arange(3000) % bits
    value = (1 << top) + (rng.random(3000) * (1 << top)).astype(np.int64)
    ends = [0, 1, 2, 3, 64, 127, 128, (1 << bits) - 1, 1 << bits - 1]
    given = np.concatenate([ends, value])
    want = log2_of(np.maximum(given, 1), PREDICTED_WEIGHT_FRACTION)
    await check_pipeline(dut, given={"in": given}, expected={"out": want}, latency=3, late={})


@pytest.mark.parametrize("width", [23, 26, 32])
def test_design(sim, width):
    simulate(TOP, test_module=__name__, parameters={"WIDTH": width}, sim=sim)


MUTANTS = {
    "fraction": ("`PASA_PREDICTED_WEIGHT_FRACTION;", "`PASA_PREDICTED_WEIGHT_FRACTION + 1;"),
    "sixteen": ("high16 ? given", "1'b1 ? given"),
    "one": ("high1 ? by2[30 -:", "high1 ? by2[29 -:"),
    "four": ("high4 ? by8 :", "high2 ? by8 :"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
