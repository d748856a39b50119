# SPDX-License-Identifier: Apache-2.0
"""pasa_word_range and pasa_word_walk: each word that holds a visible key, once, in order.

make unit M=pasa_word_range
"""

import random

import cocotb
import numpy as np
import pytest
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

from verif.common.runner import check_mutant_caught, simulate
from verif.predictor.pipeline import check_pipeline, generator

KEYS, TILE, PARTS = 8, 256, 4
WORDS = TILE // KEYS
COUNT = 3000


def walk_of(stop: int, start: int, sinks: int) -> list[int]:
    """Words with a key in [0, sinks) or [start, stop), below stop; at least word 0."""
    key = np.arange(TILE)
    seen = (key < stop) & ((key < sinks) | (key >= start))
    return sorted(set(key[seen] // KEYS)) or [0]


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def range_gives_the_walk(dut):
    """The jump leads from the last word of sinks to whatever the walk holds next."""
    rng = generator()
    stop, start, sinks = rng.integers(0, TILE + 1, size=(3, COUNT))
    sinks = np.where(
        rng.random(COUNT) < 0.4, 0, np.where(rng.random(COUNT) < 0.5, sinks % 20, sinks)
    )
    walks = [walk_of(*map(int, case)) for case in zip(stop, start, sinks, strict=True)]
    sink_words = -(-np.minimum(sinks, stop) // KEYS)
    after = [
        walk[count] if 0 < count < len(walk) else None
        for walk, count in zip(walks, sink_words, strict=True)
    ]
    expected = {
        "first": [walk[0] for walk in walks],
        "last": [walk[-1] for walk in walks],
        "jump": sink_words > 0,
        "jump_at": [
            count - 1 if word is not None else None
            for word, count in zip(after, sink_words, strict=True)
        ],
        "jump_to": after,
    }
    given = {"stop": stop, "from": start, "sinks": sinks}
    late = {"from": 0}
    await check_pipeline(dut, given=given, expected=expected, latency=3, late=late)


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def walker_follows_the_walk(dut):
    Clock(dut.clk, 10, unit="ns").start()
    dut.start.value = dut.step.value = 0
    for _ in range(300):
        first, last = sorted(random.sample(range(WORDS), 2))
        at = random.randint(first, last)
        to = random.randint(min(at + 1, last), last)
        jump = random.random() < 0.6 and at < last
        walk = list(range(first, last + 1))
        if jump:
            walk = list(range(first, at + 1)) + list(range(to, last + 1))
        fields = {"first": first, "last": last, "jump": jump, "jump_at": at, "jump_to": to}
        for name, value in fields.items():
            getattr(dut, name).value = value
        dut.start.value = 1
        await RisingEdge(dut.clk)
        dut.start.value = 0
        for place, word in enumerate(walk):
            for step in [0] * random.randint(0, 1) + [1]:
                dut.step.value = step
                await Timer(1, "ps")
                ends = place + 1 == len(walk)
                closes = ends or walk[place + 1] // PARTS != word // PARTS
                got = (int(dut.word.value), int(dut.ends.value), int(dut.closes.value))
                assert got == (word, ends, closes), f"walk {walk}, place {place}"
                await RisingEdge(dut.clk)
        dut.step.value = 0


RANGE = {
    "top": "pasa_word_range",
    "parameters": {"PRED_KEYS": KEYS, "TILE_KEYS": TILE},
    "tests": "range_gives",
}
WALK = {
    "top": "pasa_word_walk",
    "parameters": {"WORDS": WORDS, "PARTS": PARTS},
    "tests": "walker_follows",
}


def bench(run, *, top, **options):
    run(top, test_module=__name__, **options)


@pytest.mark.parametrize("part", [RANGE, WALK], ids=["range", "walk"])
def test_design(sim, part):
    bench(simulate, **part, sim=sim)


MUTANTS = {
    "sinks beyond": (RANGE, "sinks < stop ? sinks : stop", "sinks"),
    "round up": (RANGE, "seen_sinks + ROUND_UP", "seen_sinks"),
    "touching": (RANGE, "from_word_2 > sink_words ? from_word_2 : sink_words", "from_word_2"),
    "empty": (RANGE, "from >= stop", "from > stop"),
    "start": (RANGE, "has_sinks | empty_2", "has_sinks"),
    "no jump": (WALK, "jumps & word == at", "1'b0"),
    "always": (WALK, "jumps & word == at", "word == at"),
    "closes": (WALK, "ends | following", "following"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    part, good, bad = MUTANTS[name]
    bench(check_mutant_caught, **part, mutant=(f"{part['top']}.v", good, bad), sim="icarus")
