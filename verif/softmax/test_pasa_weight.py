# SPDX-License-Identifier: Apache-2.0
"""pasa_weight against the golden model, and proof that this bench can fail.

make unit M=pasa_weight
"""

import os

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer
from pasa.formats import PREDICTED_WEIGHT_FRACTION, SCORE_FRACTION, Build

from verif.common.runner import check_mutant_caught, simulate
from verif.softmax.pipeline import check_pipeline, generator, with_extremes

TOP = "pasa_weight"
LATENCY = 12
COUNT = 2500
BUILD = Build(
    head_dim=int(os.environ.get("HEAD_DIM", "64")),
    block_keys=int(os.environ.get("BLOCK_KEYS", "64")),
    pred_keys=8,
)


def scores(build: Build) -> np.ndarray:
    """Exact scores of every size, both extremes included."""
    rng = generator()
    top = build.head_dim << 14
    score = rng.integers(-top, top + 1, COUNT) >> rng.integers(0, 22, COUNT)
    return with_extremes(score, [-top, top, -1, 0, 1])


def vectors(build: Build) -> dict[str, np.ndarray]:
    """Kept keys at distances from 0 to the largest, virtual keys and nulls."""
    rng = generator()
    shift = rng.integers(0, 48, COUNT)
    multiplier = with_extremes(rng.integers(1, 1 << 17, COUNT), [1, 1 << 16, (1 << 17) - 1])
    score = scores(build)
    octaves = Integer().score_log2(score, multiplier, shift)
    above = with_extremes(rng.integers(0, 26, COUNT), [0, 1, 2, 62, 63, 64, 65, 1 << 20])
    reference = np.minimum(-(-octaves >> SCORE_FRACTION) + above, (1 << 23) - 1)
    whole = build.block_keys << PREDICTED_WEIGHT_FRACTION
    tail = with_extremes(rng.integers(0, whole + 1, COUNT), [0, 1, whole - 1, whole])
    block = rng.random(COUNT) < 0.3
    return {
        "is_block": block,
        "null": rng.random(COUNT) < 0.1,
        "value": np.where(block, tail, score),
        "multiplier": multiplier,
        "shift": shift,
        "reference": reference,
        "tail_shift": rng.integers(0, 64, COUNT) >> rng.integers(0, 6, COUNT),
    }


def golden(given: dict[str, np.ndarray], build: Build) -> np.ndarray:
    """The weight of each item."""
    step = Integer()
    octaves = step.score_log2(given["value"], given["multiplier"], given["shift"])
    distance = (given["reference"] << SCORE_FRACTION) - octaves
    kept = step.weight(np.where(given["is_block"], 0, distance))
    block = step.block_weight(given["value"], build.block_log2, given["tail_shift"])
    return np.where(given["null"], 0, np.where(given["is_block"], block, kept))


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    given = vectors(BUILD)
    weight = golden(given, BUILD)
    assert np.count_nonzero(weight) > COUNT // 3, "too few vectors carry weight"
    await check_pipeline(dut, latency=LATENCY, given=given, expected={"weight": weight}, gaps=gaps)


def bench(run, *, sim, head_dim, block_keys, user=1, **options):
    shape = {"HEAD_DIM": head_dim, "BLOCK_KEYS": block_keys}
    run(
        TOP,
        test_module=__name__,
        parameters={**shape, "USER": user},
        env={name: str(value) for name, value in shape.items()},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize(("head_dim", "block_keys", "user"), [(16, 128, 1), (128, 8, 20)])
def test_design(sim, head_dim, block_keys, user):
    bench(simulate, sim=sim, head_dim=head_dim, block_keys=block_keys, user=user)


MUTANTS = {
    "sign": ("{{(DISTANCE_BITS-OCTAVES_BITS){octaves_4[OCTAVES_BITS-1]}}", "{2'b00"),
    "saturation": ("null_5 | (far_5 & !block_5)", "null_5"),
    "null": ("null_5 | (far_5 & !block_5)", "far_5 & !block_5"),
    "null block": ("null_5 | (far_5 & !block_5)", "(null_5 | far_5) & !block_5"),
    "block far": ("null_5 | (far_5 & !block_5)", "null_5 | far_5"),
    "tail shift": ("block_5 ? tail_shift_5 :", "block_5 ? tail_shift_4 :"),
    "scale": ("{tail_6, {SCALE{1'b0}}}", "{1'b0, tail_6, {(SCALE-1){1'b0}}}"),
    "reset": ("valid_6 <= valid_5 & !rst", "valid_6 <= valid_5"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", head_dim=64, block_keys=64, mutant=mutant)
