# SPDX-License-Identifier: Apache-2.0
"""pasa_distance and pasa_octave_counts, word after word, against selection.py.

make unit M=pasa_distance
"""

import cocotb
import numpy as np
import pytest
from pasa import formats as f
from pasa.arithmetic import Integer
from pasa.selection import Prediction, budget_cut, predict

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator, words

KEYS, TILE = 8, 256
TREE = (KEYS.bit_length() - 1 + 1) // 2
ROWS = 300
LOWEST = -(1 << f.PREDICTED_BITS - 1)


def random_rows(rng: np.random.Generator) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of (scores, visible) [words, KEYS]; rising and falling ones, some saturated."""
    rows = []
    for _ in range(ROWS):
        count = int(rng.integers(1, 7))
        spread = float(rng.choice([0, 3, 40, 300, 30000]))
        slope = float(rng.choice([-60, 0, 5, 60, 400]))
        scores = rng.normal(rng.normal(0, 500), spread, size=(count, KEYS))
        scores += slope * np.arange(count)[:, None]
        scores = np.clip(np.rint(scores), LOWEST, -LOWEST - 1).astype(np.int64)
        rows.append((scores, rng.random((count, KEYS)) < rng.choice([0.0, 0.3, 1.0, 1.0])))
    return rows


def so_far(rows: list[tuple[np.ndarray, np.ndarray]]) -> list[list[Prediction]]:
    """The golden prediction of each row's first 1, 2, ... words."""
    return [
        [
            predict(scores[:n].reshape(1, -1), visible[:n].reshape(1, -1), Integer())
            for n in range(1, len(scores) + 1)
        ]
        for scores, visible in rows
    ]


def firsts(rows: list[tuple[np.ndarray, np.ndarray]]) -> list[int]:
    return [int(n == 0) for scores, _ in rows for n in range(len(scores))]


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def distances_equal_the_golden_model(dut):
    rows = random_rows(generator())
    distance, exponent, rise, nearest = [], [], [], []
    for (_, visible), golden in zip(rows, so_far(rows), strict=True):
        for n, now in enumerate(golden):
            distance.append(now.distance[0, -KEYS:])
            exponent.append(int(now.reference[0]))
            up = int(now.reference[0] - golden[n - 1].reference[0])
            rise.append(min(16, up) if n else None)
            nearest.append(int(now.distance.min()) if visible[: n + 1].any() else None)
    scores = np.concatenate([np.where(visible, s, LOWEST) for s, visible in rows])
    seen = np.concatenate([visible for _, visible in rows])
    given = {
        "valid": [1] * len(scores),
        "first": firsts(rows),
        "scores": words(scores, width=f.PREDICTED_BITS),
        "visible": words(seen, width=1),
    }
    expected = {
        "distances": words(np.array(distance), width=f.DISTANCE_BITS),
        "exponent": exponent,
        "rise": rise,
        "nearest": nearest,
    }
    await check_pipeline(dut, given=given, expected=expected, latency=TREE + 3, late={})


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def counts_equal_the_golden_model(dut):
    rng = generator()
    rows = random_rows(rng)
    distance, rise, octave, need, visible_count, budgets = [], [], [], [], [], []
    for (_, visible), golden in zip(rows, so_far(rows), strict=True):
        budget = int(rng.integers(1, visible.size + 4))
        for n, now in enumerate(golden):
            cut, ties = (int(value[0]) for value in budget_cut(now, budget))
            nearer = now.distance[0] < cut & ~15
            reached = (now.distance[0] < f.DISTANCE_MASKED).sum() >= budget
            distance.append(now.distance[0, -KEYS:])
            up = int(now.reference[0] - golden[n - 1].reference[0])
            rise.append(min(16, up) if n else 7)
            octave.append(cut >> 4)
            need.append(budget - int(nearer.sum()))
            visible_count.append(int(visible[: n + 1].sum()))
            budgets.append(budget)
            assert not reached or ties > 0
    given = {
        "valid": [1] * len(rise),
        "first": firsts(rows),
        "distances": words(np.array(distance), width=f.DISTANCE_BITS),
        "rise": rise,
        "budget": budgets,
    }
    expected = {"octave": octave, "need": need, "visible": visible_count}
    late = {"budget": TREE + 1}
    await check_pipeline(dut, given=given, expected=expected, latency=TREE + 4, late=late)


DISTANCE = {
    "top": "pasa_distance",
    "parameters": {"PRED_KEYS": KEYS},
    "tests": "distances_equal",
}
COUNTS = {
    "top": "pasa_octave_counts",
    "parameters": {"PRED_KEYS": KEYS, "TILE_KEYS": TILE},
    "tests": "counts_equal",
}


def bench(run, *, top, **options):
    run(top, test_module=__name__, **options)


@pytest.mark.parametrize("part", [DISTANCE, COUNTS], ids=["distance", "counts"])
def test_design(sim, part):
    bench(simulate, **part, sim=sim)


MUTANTS = {
    "floor": (DISTANCE, "ALMOST = (1 << F) - 1", "ALMOST = 0"),
    "falls": (DISTANCE, "firsts[TREE-1] | rival > best", "1'b1"),
    "empty row": (DISTANCE, "seen ? above[B:F]", "1'b1 ? above[B:F]"),
    "rise": (DISTANCE, "|raised[R-1:4] ? 5'd16", "1'b0 ? 5'd16"),
    "far": (DISTANCE, "| (&below[D-1:1])", ""),
    "masked": (DISTANCE, "!shown[c] ? `PASA_DISTANCE_MASKED", "1'b0 ? 8'd0"),
    "nearest": (DISTANCE, "beneath = ~best[F-1:0] +", "beneath = best[F-1:0] +"),
    "moved": (COUNTS, "shift[2] ? moved2 << (4 * COUNT_BITS)", "1'b0 ? moved2"),
    "all moved": (COUNTS, "shift[4] | fresh_row", "fresh_row"),
    "restart": (COUNTS, "shift[4] | fresh_row", "shift[4]"),
    "reach": (COUNTS, ">= budget;", "> budget;"),
    "visible": (COUNTS, "(fresh_row ? {COUNT_BITS{1'b0}} : count_visible)", "count_visible"),
    "octave": (COUNTS, "octaves[c*4 +: 4] <= LIMIT", "octaves[c*4 +: 4] < LIMIT"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    part, good, bad = MUTANTS[name]
    bench(check_mutant_caught, **part, mutant=(f"{part['top']}.v", good, bad), sim="icarus")
