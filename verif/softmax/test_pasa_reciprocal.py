# SPDX-License-Identifier: Apache-2.0
"""pasa_reciprocal against Integer.reciprocal, and proof that this bench can fail.

make unit M=pasa_reciprocal
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer

from verif.common.runner import check_mutant_caught, simulate
from verif.softmax.pipeline import check_pipeline, generator

TOP = "pasa_reciprocal"
LATENCY = 3
COUNT = 2000
MANTISSA_BITS = 17


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    rng = generator()
    piece = np.arange(COUNT) % 512 // 2 * 512 + np.arange(COUNT) % 2 * 511  # both ends of all
    anywhere = rng.integers(0, 1 << MANTISSA_BITS, COUNT)
    mantissa = np.where(rng.random(COUNT) < 0.5, piece, anywhere)
    reciprocal = Integer().reciprocal(mantissa + (1 << MANTISSA_BITS))
    await check_pipeline(
        dut,
        latency=LATENCY,
        given={"mantissa": mantissa},
        expected={"reciprocal": reciprocal},
        gaps=gaps,
    )


def test_design(sim):
    simulate(TOP, test_module=__name__, parameters={"USER": 17}, sim=sim)


MUTANTS = {
    "rounding": ("product[LOW +: SLOPE]", "product[LOW +: SLOPE] + product[LOW-1]"),
    "base late": ("base_2 - {", "base_1 - {"),
    "low": ("in_mantissa[LOW-1:0]", "{in_mantissa[LOW-1:1], 1'b0}"),
    "reset": ("rst ? {LATENCY{1'b0}}", "1'b0 ? {LATENCY{1'b0}}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
