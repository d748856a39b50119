# SPDX-License-Identifier: Apache-2.0
"""pasa_running_total against merging.running_total.

make unit M=pasa_running_total
"""

import cocotb
import numpy as np
import pytest
from pasa import formats as f
from pasa.arithmetic import log2_of
from pasa.merging import running_total

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator

TOP = "pasa_running_total"
ROWS = 3000
EXPONENT_BITS = f.PREDICTED_BITS - f.PREDICTED_FRACTION + 1
FARTHEST = (1 << EXPONENT_BITS - 1) - 1


def random_sums(rng: np.random.Generator, bits: int) -> np.ndarray:
    """Sums of every magnitude below 2^bits, the ends among them."""
    values = (rng.random(ROWS) * np.exp2(rng.integers(0, bits + 1, size=ROWS))).astype(np.int64)
    return np.where(rng.random(ROWS) < 0.1, (1 << bits) - 1, values)


def random_exponents(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Exponents of tile and before: equal, near, about RISE_MAX apart, and anywhere."""
    tile = rng.integers(-FARTHEST - 1, FARTHEST + 1, size=ROWS)
    near = tile + rng.integers(-40, 41, size=ROWS)
    edge = tile + rng.choice([-1, 1], size=ROWS) * rng.integers(30, 34, size=ROWS)
    ends = rng.choice([-FARTHEST - 1, FARTHEST], size=ROWS)
    before = rng.permuted(np.stack([tile, near, near, edge, ends]), axis=0)[0]
    tile = np.where(rng.random(ROWS) < 0.05, -FARTHEST - 1, tile)
    return tile, np.clip(before, -FARTHEST - 1, FARTHEST)


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(asked=["running", "lift"])
async def equals_the_golden_model(dut, asked):
    rng, tree = generator(), int(dut.TREE.value)
    exponent, before_exponent = random_exponents(rng)
    empty = rng.random(ROWS) < 0.15
    total = np.where(empty, 0, np.maximum(random_sums(rng, len(dut.total)), 1))
    before_total = random_sums(rng, f.RUNNING_BITS) * (rng.random(ROWS) < 0.85)
    reference, running, log_total = running_total(
        (exponent, total), (before_exponent, before_total)
    )
    log_running = log2_of(np.maximum(running, 1), f.PREDICTED_WEIGHT_FRACTION)
    given = {
        "exponent": exponent,
        "empty": empty,
        "before_exponent": before_exponent,
        "before_total": before_total,
        "total": total,
    }
    expected, latency = {"running": running, "running_exponent": reference}, 9 + tree
    if asked == "lift":
        expected, latency = {"lift": (log_total - log_running) >> f.LOG_FRACTION}, 11 + tree
    late = {"total": 6 + tree}
    await check_pipeline(dut, given=given, expected=expected, latency=latency, late=late)


@pytest.mark.parametrize("bits, tree", [(26, 3), (23, 1), (31, 2)])
def test_design(sim, bits, tree):
    parameters = {"TOTAL_BITS": bits, "TREE": tree}
    simulate(TOP, test_module=__name__, parameters=parameters, sim=sim)


MUTANTS = {
    "saturates": ("sum[R] ? {R{1'b1}} :", "1'b0 ? {R{1'b1}} :"),
    "nothing before": ("|before_total;", "1'b1;"),
    "lower": ("!rise_1[E] & |rise_1", "|rise_1"),
    "empty falls": ("rise_1[E] & !empty_1", "rise_1[E]"),
    "empty leads": ("(rises | empty_1) ?", "rises ?"),
    "far rise": ("rise_1[E-1:0] > RISE_MAX ?", "1'b0 ?"),
    "far fall": ("fall_1 > RISE_MAX ?", "1'b0 ?"),
    "wide rise": ("{before_exponent[E-1], before_exponent}", "{1'b0, before_exponent}"),
    "lift early": (".CLOCKS(5)) lift_wait", ".CLOCKS(4)) lift_wait"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, sim="icarus")
