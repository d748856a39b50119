# SPDX-License-Identifier: Apache-2.0
"""pasa_row_reference against the golden model, and proof that this bench can fail.

make unit M=pasa_row_reference
"""

import os

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer
from pasa.formats import SCORE_FRACTION

from verif.common.runner import check_mutant_caught, simulate
from verif.softmax.pipeline import check_pipeline, generator, with_extremes

TOP = "pasa_row_reference"
LATENCY = 7
COUNT = 2000
HEAD_DIM = int(os.environ.get("HEAD_DIM", "64"))
PREDICTED = 1 << 12  # references lie in -PREDICTED .. PREDICTED - 1 (pasa_predictor)


def exact(given: dict[str, np.ndarray]) -> np.ndarray:
    """The smallest integer not below the best score in octaves (fixed._Head.weigh)."""
    octaves = Integer().score_log2(given["best"], given["multiplier"], given["shift"])
    return -(-octaves >> SCORE_FRACTION)


def vectors() -> dict[str, np.ndarray]:
    """Scores of every size; predicted references anywhere, and close to the exact one."""
    rng = generator()
    top = HEAD_DIM << 14
    best = rng.integers(-top, top + 1, COUNT) >> rng.integers(0, 22, COUNT)
    multiplier = rng.integers(1, 1 << 17, COUNT)
    given = {
        "best": with_extremes(best, [-top, top, -1, 0, 1]),
        "multiplier": with_extremes(multiplier, [1, 1 << 16, (1 << 17) - 1]),
        "shift": with_extremes(rng.integers(0, 48, COUNT), [0, 16, 17]),
        "has_tail": rng.random(COUNT) < 0.7,
    }
    away = with_extremes(rng.integers(-70, 71, COUNT), [0, 1, -1, 62, 63, 64])
    near = np.clip(exact(given) - away, -PREDICTED, PREDICTED - 1)
    anywhere = rng.integers(-PREDICTED, PREDICTED, COUNT)
    given["predicted_reference"] = np.where(rng.random(COUNT) < 0.7, near, anywhere)
    return given


def golden(given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Reference and tail shift of each row."""
    alone, predicted = exact(given), given["predicted_reference"]
    reference = np.where(given["has_tail"], np.maximum(alone, predicted), alone)
    shift = np.where(given["has_tail"], np.minimum(reference - predicted, 63), 0)
    assert np.all(np.abs(reference) < 1 << 23), "the proof of the width is wrong"
    return {"reference": reference, "tail_shift": shift}


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    given = vectors()
    await check_pipeline(dut, latency=LATENCY, given=given, expected=golden(given), gaps=gaps)


def bench(run, *, sim, head_dim, user=1, **options):
    run(
        TOP,
        test_module=__name__,
        parameters={"HEAD_DIM": head_dim, "USER": user},
        env={"HEAD_DIM": str(head_dim)},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize(("head_dim", "user"), [(16, 1), (128, 12)])
def test_design(sim, head_dim, user):
    bench(simulate, sim=sim, head_dim=head_dim, user=user)


MUTANTS = {
    "floor": ("{{(CEIL_BITS-FRACTION){1'b0}}, {FRACTION{1'b1}}}", "{CEIL_BITS{1'b0}}"),
    "next": ("{{(CEIL_BITS-FRACTION){1'b0}}, {FRACTION{1'b1}}}", "(1 << FRACTION)"),
    "no tail": ("has_tail_6 & below_6 ?", "below_6 ?"),
    "smaller": ("has_tail_6 & below_6 ?", "has_tail_6 & !below_6 ?"),
    "shift without tail": ("below_6 | !has_tail_6", "below_6"),
    "negative shift": ("below_6 | !has_tail_6", "!has_tail_6"),
    "saturation": ("above_6[SHIFT-1:0] | {SHIFT{far_6}}", "above_6[SHIFT-1:0]"),
    "sign": ("octaves_4[OCTAVES_BITS-1]}}, octaves_4}", "1'b0}}, octaves_4}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", head_dim=64, mutant=mutant)
