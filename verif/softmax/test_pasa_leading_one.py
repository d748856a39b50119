# SPDX-License-Identifier: Apache-2.0
"""pasa_leading_one against arithmetic.leading_one, and proof that this bench can fail.

make unit M=pasa_leading_one
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import leading_one

from verif.common.runner import check_mutant_caught, simulate
from verif.softmax.pipeline import check_pipeline, generator, with_extremes

TOP = "pasa_leading_one"
LATENCY = 4
COUNT = 1500
MANTISSA_BITS = 17


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    bits = len(dut.in_total)
    rng = generator()
    ones = [(1 << n) - 1 for n in range(bits + 1)]
    powers = [1 << n for n in range(bits)]
    total = rng.integers(0, 1 << bits, COUNT) >> rng.integers(0, bits, COUNT)
    total = with_extremes(total, [0, *ones, *powers])
    position = leading_one(np.maximum(total, 1))
    mantissa = (np.maximum(total, 1) << MANTISSA_BITS) >> position
    expected = {
        "leading_one": position,
        "mantissa": mantissa - (1 << MANTISSA_BITS),
        "zero": total == 0,
    }
    await check_pipeline(dut, latency=LATENCY, given={"total": total}, expected=expected, gaps=gaps)


@pytest.mark.parametrize(("total_bits", "user"), [(28, 1), (35, 9)])
def test_design(sim, total_bits, user):
    parameters = {"TOTAL_BITS": total_bits, "USER": user}
    simulate(TOP, test_module=__name__, parameters=parameters, sim=sim)


MUTANTS = {
    "top byte": ("for (i = 1; i < BYTES; i = i + 1)", "for (i = 1; i < BYTES-1; i = i + 1)"),
    "lowest byte": ("if (any_1[i]) begin", "if (any_1[i] & coarse == 0) begin"),
    "fine": ("for (j = 1; j < 8; j = j + 1)", "for (j = 1; j < 7; j = j + 1)"),
    "late": ("{coarse_3, fine_3}", "{coarse_2, fine_3}"),
    "zero": ("any_1 == {BYTES{1'b0}}", "window[MANTISSA_BITS +: 7] == 7'd0"),
    "reset": ("rst ? {LATENCY{1'b0}}", "1'b0 ? {LATENCY{1'b0}}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
