# SPDX-License-Identifier: Apache-2.0
"""pasa_score_log2 against Integer.score_log2, and proof that this bench can fail.

make unit M=pasa_score_log2
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer

from verif.common.runner import check_mutant_caught, simulate
from verif.softmax.pipeline import check_pipeline, generator, with_extremes

TOP = "pasa_score_log2"
LATENCY = 4
COUNT = 1500


def vectors(score_bits: int) -> dict[str, np.ndarray]:
    """Scores of every size and both signs, all shifts."""
    rng = generator()
    top = 1 << score_bits - 1
    score = rng.integers(-top, top, COUNT) >> rng.integers(0, score_bits, COUNT)
    multiplier = rng.integers(0, 1 << 17, COUNT) >> rng.integers(0, 17, COUNT)
    return {
        "score": with_extremes(score, [-top, top - 1, -1, 0, 1]),
        "multiplier": with_extremes(multiplier, [0, 1, 1 << 16, (1 << 17) - 1]),
        "shift": rng.integers(0, 64, COUNT),
    }


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    given = vectors(len(dut.in_score))
    octaves = Integer().score_log2(given["score"], given["multiplier"], given["shift"])
    await check_pipeline(
        dut, latency=LATENCY, given=given, expected={"octaves": octaves}, gaps=gaps
    )


def test_design(sim):
    parameters = {"SCORE_BITS": 23, "USER": 40}
    simulate(TOP, test_module=__name__, parameters=parameters, sim=sim)


MUTANTS = {
    "unsigned": ("product_2 >>> {", "product_2 >> {"),
    "fine": ("coarse_3 >>> shift_3", "coarse_3 >>> shift_2[2:0]"),
    "multiplier": ("{1'b0, in_multiplier}", "{in_multiplier[16], in_multiplier}"),
    "reset": ("rst ? {LATENCY{1'b0}}", "1'b0 ? {LATENCY{1'b0}}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
