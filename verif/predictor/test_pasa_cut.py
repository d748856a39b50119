# SPDX-License-Identifier: Apache-2.0
"""pasa_cut against threshold_cut and budget_cut, and the smaller of the two.

make unit M=pasa_cut
"""

import cocotb
import numpy as np
import pytest
from pasa import formats as f
from pasa.arithmetic import Integer, log2_of
from pasa.merging import running_total
from pasa.selection import Prediction, budget_cut, threshold_cut

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator, words

TOP = "pasa_cut"
TILE = 256
LIMITLESS = 2 * TILE - 1  # all ones in the count's width
ROWS = 1500


def random_distances(rng: np.random.Generator) -> list[np.ndarray]:
    """Distances of the visible keys of a row; the nearest lies below 16."""
    rows = []
    for _ in range(ROWS):
        spread = rng.choice([1, 4, 40, 255])
        row = rng.integers(0, spread, size=int(rng.integers(1, TILE + 1))) + rng.integers(0, 16)
        row = np.minimum(row, f.DISTANCE_FAR)
        row[0] = min(row[0], 15)
        rows.append(row)
    return rows


def with_the_tiles_before(rng: np.random.Generator, total: int) -> tuple[int, int, int]:
    """Running total, its log2 and its lift, of a tile's total and a random sum before it."""
    before = (int(rng.integers(-40, 41)), int(rng.integers(0, 1 << rng.integers(1, 33))))
    if rng.random() < 0.3:
        before = (0, 0)
    _, running, log_total = running_total(
        tuple(np.array([value]) for value in (0, total)),
        tuple(np.array([value]) for value in before),
    )
    log_running = log2_of(np.maximum(running, 1), f.PREDICTED_WEIGHT_FRACTION)
    lift = int(log_total[0] - log_running[0]) >> f.LOG_FRACTION
    return int(running[0]), int(log_total[0]), lift


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def equals_the_golden_model(dut):
    rng, step = generator(), Integer()
    names = ("fine", "octave", "need", "use_threshold", "use_budget", "total")
    names += ("lift", "min_probability", "nearest")
    given: dict[str, list] = {name: [] for name in names}
    cut, ties, log_total = [], [], []
    fine = []
    for row in random_distances(rng):
        weight = step.predicted_weight(row)
        total, log, lift = with_the_tiles_before(rng, int(weight.sum()))
        golden = Prediction(
            row[None], np.zeros(1), weight[None], np.array([total]), np.array([log])
        )
        budget = int(rng.integers(1, len(row) + 10))
        low = int(rng.integers(0, rng.choice([400, 3000, 8192])))
        rules = {"use_threshold": rng.random() < 0.7, "use_budget": rng.random() < 0.7}
        best = [(f.DISTANCE_FAR, LIMITLESS)]
        if rules["use_threshold"]:
            at, first = (int(value[0]) for value in threshold_cut(golden, low))
            best.append((at, min(first, LIMITLESS)))
        at, first = (int(value[0]) for value in budget_cut(golden, budget))
        octave = at >> 4
        if rules["use_budget"]:
            reached = budget <= len(row)
            best.append((at, first if reached else LIMITLESS))
        fine.append([(row[row >> 4 == octave] & 15 <= i).sum() for i in range(15)])
        given["octave"].append(octave)
        given["need"].append(budget - int((row >> 4 < octave).sum()))
        given["use_threshold"].append(rules["use_threshold"])
        given["use_budget"].append(rules["use_budget"])
        given["total"].append(total)
        given["lift"].append(lift)
        given["min_probability"].append(low)
        given["nearest"].append(int(row.min()))
        cut.append(min(best)[0])
        ties.append(min(best)[1])
        log_total.append(log)
    given["fine"] = words(np.array(fine), width=TILE.bit_length())
    expected = {"cut": cut, "ties": ties, "log_total": log_total}
    late = {"total": 4, "lift": 6, "min_probability": 6, "nearest": 7}
    await check_pipeline(dut, given=given, expected=expected, latency=10, late=late)


def bench(run, **options):
    run(TOP, test_module=__name__, parameters={"TILE_KEYS": TILE}, **options)


def test_design(sim):
    bench(simulate, sim=sim)


MUTANTS = {
    "always best": ("only_best ? {{(D-`", "1'b0 ? {{(D-`"),
    "one only": ("only_best ? {{(COUNT_BITS-1){1'b0}}, 1'b1} : NO", "NO"),
    "far": (": beyond    ? FAR", ": 1'b0    ? FAR"),
    "negative": ("limit_8[L-STEPS]\n                   |", ""),
    "smaller": ("use_threshold_9 & {", "use_threshold_9 & !{"),
    "ties": ("need_2 - ahead_2", "need_2"),
    "reached": (
        "fine[f*COUNT_BITS +: COUNT_BITS] >= need",
        "fine[f*COUNT_BITS +: COUNT_BITS] > need",
    ),
    "never": ("!use_budget_1 | (&{octave_1, step})", "!use_budget_1"),
    "lift": ("log_7 + lift_7", "log_7"),
    "lifted cut": (" - {1'b0, lift_log};", ";"),
    "unused": ("!use_budget_1 | (", "("),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, mutant=(f"{TOP}.v", *MUTANTS[name]), sim="icarus")
