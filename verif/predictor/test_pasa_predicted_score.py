# SPDX-License-Identifier: Apache-2.0
"""pasa_predicted_score against Integer.predicted_log2: every shift, rounding and saturation.

make unit M=pasa_predicted_score
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer
from pasa.formats import PREDICTED_BITS

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator

TOP = "pasa_predicted_score"
LOW, HIGH = 12, 24
COUNT = 6000


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def equals_the_golden_model(dut):
    """Products in -3584..4096 (64 nibbles), half of them so that codes fall near a half."""
    rng, step = generator(), Integer()
    product = rng.choice([-3584, 4096, 0, 1, -1], size=COUNT)
    product = np.where(rng.random(COUNT) < 0.8, rng.integers(-3584, 4097, COUNT), product)
    multiplier = rng.choice([1, 3, 2048, 4095], size=COUNT)
    multiplier = np.where(rng.random(COUNT) < 0.5, rng.integers(1, 4096, COUNT), multiplier)
    shift = np.arange(COUNT) % 32
    visible = rng.random(COUNT) < 0.9
    want = [
        int(step.predicted_log2(np.array(p), int(m), int(s))) if v else -(1 << PREDICTED_BITS - 1)
        for p, m, s, v in zip(product, multiplier, shift, visible, strict=True)
    ]
    high = shift > LOW
    moved = np.where(
        shift > HIGH, 0, multiplier << np.maximum(np.where(high, HIGH, LOW) - shift, 0)
    )
    given = {
        "product": product,
        "multiplier": moved,
        "high": high,
        "high_late": high,
        "visible": visible,
    }
    late = {"high": 1, "high_late": 2, "visible": 2}
    await check_pipeline(dut, given=given, expected={"out": want}, latency=3, late=late)


def test_design(sim):
    simulate(TOP, test_module=__name__, sim=sim)


MUTANTS = {
    "half": ("high ? HALF_HIGH : HALF_LOW", "high ? HALF_LOW : HALF_LOW"),
    "wrap": (": fits     ?", ": 1'b1     ?"),
    "sign": ("{shifted[L-1], {(B-1){!shifted[L-1]}}}", "{1'b0, {(B-1){1'b1}}}"),
    "seen": ("!visible ?", "1'b0 ?"),
    "unsigned": ("wire signed [PRODUCT_BITS-1:0]  a", "wire [PRODUCT_BITS-1:0]  a"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
