# SPDX-License-Identifier: Apache-2.0
"""pasa_ties: the first `ties` keys at the cut are kept, whatever the words.

make unit M=pasa_ties
"""

import os

import cocotb
import numpy as np
import pytest

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator, words

TOP = "pasa_ties"
KEYS, TILE = int(os.environ.get("KEYS", "4")), 256
ROWS = 400


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def keeps_the_first(dut):
    rng = generator()
    at, kept, ties, first = [], [], [], []
    for _ in range(ROWS):
        count = int(rng.integers(1, 6))
        row = rng.random((count, KEYS)) < rng.choice([0.1, 0.5, 0.9, 1.0])
        limit = int(rng.choice([1, 511, rng.integers(1, count * KEYS + 3)]))
        at.append(row)
        kept.append(row & (np.cumsum(row).reshape(count, KEYS) <= limit))
        ties += [limit] * count
        first += [1] + [0] * (count - 1)
    bits, keep = np.concatenate(at), np.concatenate(kept)
    tree = (KEYS.bit_length() - 1 + 1) // 2
    given = {
        "at": words(bits, width=1),
        "valid": [1] * len(bits),
        "first": first,
        "ties": ties,
    }
    mask, counts = words(keep, width=1), keep.sum(axis=1)
    dropped = bits.sum(axis=1) - counts
    late = {"valid": tree, "first": tree, "ties": tree}
    one_later = {"kept_count": [None, *counts[1:]], "dropped_count": [None, *dropped[1:]]}
    expected = {"kept": mask[:-1] + [mask[-1]]}
    expected |= {name: [*column[1:], None] for name, column in one_later.items()}
    await check_pipeline(dut, given=given, expected=expected, latency=tree + 3, late=late)


def bench(run, *, keys, **options):
    parameters = {"PRED_KEYS": keys, "TILE_KEYS": TILE}
    run(TOP, test_module=__name__, parameters=parameters, env={"KEYS": str(keys)}, **options)


@pytest.mark.parametrize("keys", [2, 4, 8, 16, 32, 64])
def test_design(sim, keys):
    bench(simulate, keys=keys, sim=sim)


MUTANTS = {
    "restart": ("have  = first ? ties : left", "have  = ties"),
    "left": ("after[COUNT_BITS] ? {COUNT_BITS{1'b0}}", "1'b0 ? {COUNT_BITS{1'b0}}"),
    "room": ("? {1'b1, {LOW{1'b0}}} : {1'b0, have", "? {W{1'b0}} : {1'b0, have"),
    "group": ("left_here[W]                       ? 3'd0", "1'b0 ? 3'd0"),
    "third": ("bits[2] & room_here > {2'd0, bits[0]} + {2'd0, bits[1]}", "bits[2] & |room_here"),
    "counts": ("kept_count    <= short ? room : ones_1", "kept_count    <= ones_1"),
    "dropped": ("short ? {W{1'b0}} - missing", "short ? missing"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, keys=32, mutant=(f"{TOP}.v", *MUTANTS[name]), sim="icarus")
