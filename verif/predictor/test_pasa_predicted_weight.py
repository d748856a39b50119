# SPDX-License-Identifier: Apache-2.0
"""pasa_predicted_weight: all distances against Integer.predicted_weight.

make unit M=pasa_predicted_weight
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator

TOP = "pasa_predicted_weight"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def equals_the_golden_model(dut):
    order = generator().permutation(512)
    distance, zero = order % 256, order // 256
    want = np.where(zero, 0, Integer().predicted_weight(distance))
    given = {"distance": distance, "zero": zero}
    await check_pipeline(dut, given=given, expected={"out": want}, latency=2, late={})


def test_design(sim):
    simulate(TOP, test_module=__name__, sim=sim)


MUTANTS = {
    "far": ("mantissa >> {quads, 2'd0}", "mantissa >> {1'b0, quads[0], 2'd0}"),
    "near": ("entry >> octave[`PASA_PREDICTED_FRACTION +: 2]", "entry"),
    "zero": ("if (zero)", "if (1'b0)"),
    "rounded": ("mantissa >> {quads", "(mantissa + 1'b1) >> {quads"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
