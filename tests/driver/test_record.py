# SPDX-License-Identifier: Apache-2.0
"""Commands that the C driver makes of heads are those of the Python package, bit for bit. 5 s."""

import subprocess
from dataclasses import dataclass, fields

import numpy as np
import pytest
from pasa import ArgumentError, Build, make_command
from pasa.command import Command
from pasa.formats import COMMAND_BITS, WORD_BITS
from pasa.plan import plan_head

from tests.driver.conftest import HERE

BUILDS = (
    Build(),
    Build(head_dim=128, tile_keys=256, pred_bits=6, merge_rows=16),
    Build(head_dim=32, tile_keys=1024, pred_bits=2, merge_rows=64),
)


@dataclass
class Head:
    """What a line of standard input says, in its order."""

    query_count: int
    key_count: int
    dims: int
    scale_q: float
    scale_k: float
    scale_v: float
    output_scale: float
    softmax_scale: float = 0.0
    output_bits: int = 8
    min_probability: float = 0.0
    budget: int = 0
    tail: bool = True
    pred_dims: int = 16
    key_length: int = 0
    causal: bool = False
    query_offset: int = 0
    window: int = 0
    sinks: int = 0

    def line(self) -> str:
        """For the program; reals without loss."""
        values = (getattr(self, field.name) for field in fields(self))
        return " ".join(v.hex() if isinstance(v, float) else str(int(v)) for v in values)

    def command(self, build: Build) -> Command:
        """As Python makes it."""
        options = {field.name: getattr(self, field.name) for field in fields(self)[3:]}
        for name in ("softmax_scale", "min_probability", "budget", "window"):
            options[name] = options[name] or None
        shape = (self.query_count, self.key_count, self.dims)
        return make_command(*shape, **options, any_length=True, build=build)


def python_says(head: Head, build: Build) -> list[str] | None:
    """Lines of the answer; None when the head is refused."""
    try:
        steps = plan_head(head.command(build), build=build)
        records = [step.command.pack() for step in steps]
    except ArgumentError:
        return None
    lines = []
    for step, record in zip(steps, records, strict=True):
        words = [record >> low & 0xFFFFFFFF for low in range(0, COMMAND_BITS, WORD_BITS)]
        lines.append(" ".join(map(str, (step.queries.start, step.keys.start, *words))))
    return lines


def c_says(binary, heads: list[Head], build: Build) -> list[list[str] | str]:
    """Lines of each answer, or the error."""
    numbers = (build.head_dim, build.tile_keys, build.pred_bits, build.merge_rows)
    text = "".join(head.line() + "\n" for head in heads)
    done = subprocess.run(
        [binary, *map(str, numbers)], input=text, text=True, capture_output=True, check=True
    )
    answers, lines = [], []
    for line in done.stdout.splitlines():
        if line == "end" or line.startswith("error"):
            answers.append(lines if line == "end" else line)
            lines = []
        else:
            lines.append(line)
    return answers


@pytest.fixture(scope="module")
def binary(program):
    """The program that answers."""
    return program("record", HERE / "record.c")


def compare(binary, heads: list[Head], build: Build) -> int:
    """All answers must be equal; how many were refused."""
    refused = 0
    for head, said in zip(heads, c_says(binary, heads, build), strict=True):
        want = python_says(head, build)
        refused += want is None
        assert isinstance(said, str) if want is None else said == want, head
    return refused


def scales(rng) -> dict[str, float]:
    """Four scales; one head in four has some at powers of two or just beside."""
    names = ("scale_q", "scale_k", "scale_v", "output_scale")
    values = np.exp2(rng.uniform(-18, 2, 4))
    if rng.random() < 0.25:
        values = np.exp2(np.rint(np.log2(values)))
        values[0] = np.nextafter(values[0], rng.choice([0.0, 1e9]))
    return dict(zip(names, map(float, values), strict=True))


@pytest.mark.parametrize("build", BUILDS, ids=("default", "wide", "narrow"))
def test_random_scales(binary, build):
    rng = np.random.default_rng(1)
    heads = [
        Head(
            int(rng.integers(1, 200)),
            int(rng.integers(1, 200)),
            int(rng.integers(1, build.head_dim + 2)),
            **scales(rng),
            softmax_scale=float(rng.choice([0.0, np.exp2(rng.uniform(-8, 2))])),
            min_probability=float(rng.choice([0.0, np.exp2(-rng.uniform(0, 31.5))])),
            output_bits=int(rng.choice([8, 16])),
            key_length=int(rng.integers(0, 2)),
        )
        for _ in range(1500)
    ]
    refused = compare(binary, heads, build)
    assert 0 < refused < 500, "some of each"


def test_halves_are_rounded_to_even(binary):
    """Multipliers of which one bit more than there is room for is set."""
    odd = np.random.default_rng(3).integers(1 << 15, 1 << 16, 50) * 2 + 1
    heads = [Head(**GOOD | dict(scale_v=int(n) * 2.0**-17, output_scale=1.0)) for n in odd]
    assert compare(binary, heads, BUILDS[0]) == 0


def long_head(rng, build: Build) -> Head:
    """Of any length, with any masks."""
    keys = int(build.tile_keys * np.exp2(rng.uniform(-1, 3.5)))
    sparse = rng.random() < 0.7
    return Head(
        int(rng.integers(1, 4 * build.merge_rows)),
        keys,
        int(rng.integers(1, build.head_dim + 1)),
        *(0.05, 0.04, 0.03, 0.02),
        min_probability=float(np.exp2(-rng.uniform(0, 12))) if sparse else 0.0,
        budget=int(rng.integers(1, 3000)) if rng.random() < 0.5 else 0,
        tail=bool(rng.integers(2)),
        pred_dims=16 * int(rng.integers(1, build.head_dim // 16 + 1)),
        key_length=int(rng.integers(0, keys + 1)) if rng.random() < 0.3 else keys,
        causal=bool(rng.integers(2)),
        query_offset=int(rng.integers(-keys - 50, 2 * keys)) if rng.random() < 0.7 else 0,
        window=int(np.exp2(rng.uniform(0, np.log2(keys)))) if rng.random() < 0.5 else 0,
        sinks=int(rng.integers(0, min(2 * keys, 65535))) if rng.random() < 0.3 else 0,
    )


@pytest.mark.parametrize("build", BUILDS[1:], ids=("wide", "narrow"))
def test_heads_of_any_length_become_the_same_commands(binary, build):
    rng = np.random.default_rng(2)
    heads = [long_head(rng, build) for _ in range(150)]
    heads.append(Head(1, 1 << 16, 16, 1.0, 1.0, 1.0, 1.0, causal=True, query_offset=70000))
    compare(binary, heads, build)


GOOD = dict(query_count=3, key_count=9, dims=16, key_length=9)
GOOD |= dict.fromkeys(("scale_q", "scale_k", "scale_v", "output_scale"), 0.05)


@pytest.mark.parametrize(
    ("name", "value"),
    (
        *(("query_count", n) for n in (0, 65537)),
        *(("key_count", n) for n in (0, 8, 65537)),
        *(("dims", n) for n in (0, 65)),
        *((name, x) for name in ("scale_q", "scale_k", "scale_v") for x in (0.0, -1.0)),
        *(("scale_q", x) for x in (float("nan"), float("inf"), 1e9)),
        *(("output_scale", x) for x in (-1.0, 1e-300, float("nan"))),
        *(("softmax_scale", x) for x in (-1.0, float("inf"))),
        *(("min_probability", x) for x in (2.0, 1e-12, -0.5)),
        *(("pred_dims", n) for n in (0, 8, 20, 80)),
        ("output_bits", 12),
        *(("budget", n) for n in (65536,)),
        *(("window", n) for n in (65536,)),
        ("sinks", 65536),
        *(("query_offset", n) for n in (1 << 19, -(1 << 19) - 1)),
    ),
)
def test_what_python_refuses_is_refused_by_name(binary, name, value):
    build = BUILDS[0]
    assert compare(binary, [Head(**GOOD), Head(**GOOD | {name: value})], build) == 1
    good, bad = c_says(binary, [Head(**GOOD), Head(**GOOD | {name: value})], build)
    named = "key_length" if (name, value) == ("key_count", 8) else name
    assert len(good) == 1 and named in bad
