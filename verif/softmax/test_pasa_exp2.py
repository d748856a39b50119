# SPDX-License-Identifier: Apache-2.0
"""pasa_exp2 against Integer.weight and a plain shift, and proof that this bench can fail.

make unit M=pasa_exp2
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer
from pasa.formats import SCORE_FRACTION, WEIGHT_FRACTION

from verif.common.runner import check_mutant_caught, simulate
from verif.softmax.pipeline import check_pipeline, generator, with_extremes

TOP = "pasa_exp2"
LATENCY = 6
COUNT = 2000


def vectors() -> dict[str, np.ndarray]:
    """Every octave, every table piece, both ends of each."""
    rng = generator()
    fraction = rng.integers(0, 1 << SCORE_FRACTION, COUNT)
    piece = np.arange(COUNT) % 256 // 2 * 512 + np.arange(COUNT) % 2 * 511  # both ends of all
    near = rng.integers(0, 3, COUNT)
    octave = np.where(rng.random(COUNT) < 0.5, near, rng.integers(0, 64, COUNT))
    one = 1 << WEIGHT_FRACTION
    return {
        "octave": octave,
        "fraction": np.where(rng.random(COUNT) < 0.5, piece, fraction),
        "plain": rng.integers(0, 4, COUNT) == 0,
        "mantissa": with_extremes(rng.integers(0, one, COUNT), [0, 1, one - 1, one]),
    }


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    given = vectors()
    distance = (given["octave"] << SCORE_FRACTION) + given["fraction"]
    plain = given["mantissa"] >> given["octave"]
    weight = np.where(given["plain"], plain, Integer().weight(distance))
    await check_pipeline(dut, latency=LATENCY, given=given, expected={"weight": weight}, gaps=gaps)


def test_design(sim):
    simulate(TOP, test_module=__name__, parameters={"USER": 17}, sim=sim)


MUTANTS = {
    "rounding": ("product[LOW +: SLOPE]", "product[LOW +: SLOPE] + product[LOW-1]"),
    "plain slope": ("plain_1 ? {SLOPE{1'b0}} : slope_1", "slope_1"),
    "plain width": ("plain_1 ? mantissa_1 :", "plain_1 ? {1'b0, mantissa_1[WEIGHT-2:0]} :"),
    "octave early": (".CLOCKS(5)", ".CLOCKS(4)"),
    "octave wraps": ("{octave_high_4, 3'b000}", "{octave_high_4[1:0], 3'b000}"),
    "reset": ("rst ? {LATENCY{1'b0}}", "1'b0 ? {LATENCY{1'b0}}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
