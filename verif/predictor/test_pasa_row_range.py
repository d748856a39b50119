# SPDX-License-Identifier: Apache-2.0
"""pasa_row_range and pasa_visibility against masks.visible_keys.

make unit M=pasa_row_range
"""

import cocotb
import numpy as np
import pytest
from pasa.masks import visible_keys

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator

KEYS, TILE, WAIT = 8, 128, 2
COUNT = 3000


def random_masks(rng: np.random.Generator) -> list[dict[str, int]]:
    """Mask fields and a position each; ends of every field are frequent."""
    chosen = []
    for _ in range(COUNT):
        window = int(rng.choice([0, 1, 65535, rng.integers(1, 150)]))
        chosen.append(
            {
                "key_length": int(rng.choice([0, 1, TILE, rng.integers(0, TILE + 1)])),
                "causal": int(rng.integers(0, 2)),
                "query_offset": int(rng.choice([-(1 << 19), 1 << 19, rng.integers(-200, 350)])),
                "window": window,
                "sinks": int(rng.choice([0, TILE, rng.integers(0, TILE)])),
            }
        )
    return chosen


def bounds(mask: dict[str, int]) -> tuple[int, int]:
    """(stop, from) of a row by asking the golden model about each key."""
    plain = visible_keys(np.arange(1), TILE, **{**mask, "sinks": 0})[0]
    below = visible_keys(np.arange(1), TILE, **{**mask, "sinks": TILE})[0]
    stop = int(np.flatnonzero(below)[-1]) + 1 if below.any() else 0
    return stop, int(np.flatnonzero(plain)[0]) if plain.any() else -1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def range_equals_the_golden_model(dut):
    """Where some key is visible, the golden model also tells where the range begins."""
    rng = generator()
    masks, present = random_masks(rng), rng.random(COUNT) < 0.9
    stops, froms = [], []
    for mask, here in zip(masks, present, strict=True):
        stop, start = bounds(mask)
        stops.append(stop if here else 0)
        begin = mask["query_offset"] - mask["window"] + 1 if mask["window"] else 0
        froms.append(min(max(begin, 0), TILE))
        assert start in (-1, froms[-1])
    given = {
        "present": present,
        "causal": [mask["causal"] for mask in masks],
        "window": [mask["window"] for mask in masks],
        "key_length": [mask["key_length"] for mask in masks],
        "position": [mask["query_offset"] for mask in masks],
    }
    late = {"key_length": 1, "present": 1}
    expected = {"stop": stops, "from": froms}
    await check_pipeline(dut, given=given, expected=expected, latency=2, late=late)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def bits_equal_the_bounds(dut):
    rng = generator()
    stop, start, sinks = rng.integers(0, TILE + 1, size=(3, COUNT))
    word = rng.integers(0, TILE // KEYS, size=COUNT)
    key = word[:, None] * KEYS + np.arange(KEYS)
    seen = (key < stop[:, None]) & ((key >= start[:, None]) | (key < sinks[:, None]))
    given = {"word": word, "stop": stop, "from": start, "sinks": sinks}
    expected = {"visible": seen @ (1 << np.arange(KEYS))}
    await check_pipeline(dut, given=given, expected=expected, latency=WAIT + 2, late={})


RANGE = {
    "top": "pasa_row_range",
    "parameters": {"TILE_KEYS": TILE},
    "tests": "range_equals",
}
BITS = {
    "top": "pasa_visibility",
    "parameters": {"PRED_KEYS": KEYS, "TILE_KEYS": TILE, "WAIT": WAIT},
    "tests": "bits_equal",
}


def bench(run, *, top, **options):
    run(top, test_module=__name__, **options)


@pytest.mark.parametrize("part", [RANGE, BITS], ids=["range", "visibility"])
def test_design(sim, part):
    bench(simulate, **part, sim=sim)


MUTANTS = {
    "causal": (RANGE, "causal ? {{(B-1){1'b0}}, 1'b1}", "causal ? {B{1'b0}}"),
    "negative": (RANGE, "else if (stop_raw[B-1]) ", "else if (1'b0) "),
    "length": (RANGE, "!bounded_above | stop_raw > length", "!bounded_above"),
    "no window": (RANGE, "bounded_below <= windowed", "bounded_below <= 1'b1"),
    "beyond": (RANGE, "from_raw > tile", "1'b0"),
    "absent": (RANGE, "if (!present) ", "if (1'b0) "),
    "sinks": (BITS, "| PLACE_OF < sinks_place", "| PLACE_OF <= sinks_place"),
    "edge": (BITS, "PLACE_OF >= from_place", "PLACE_OF > from_place"),
    "word": (BITS, "bound_word >  {1'b0, word}", "bound_word >= {1'b0, word}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    part, good, bad = MUTANTS[name]
    bench(check_mutant_caught, **part, mutant=(f"{part['top']}.v", good, bad), sim="icarus")
