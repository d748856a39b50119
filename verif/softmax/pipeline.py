# SPDX-License-Identifier: Apache-2.0
"""Bench of a pipeline with `in_valid` and `out_valid`, a fixed latency and no stalls.

The design's inputs are `in_<name>`, its outputs `out_<name>`; `in_user` must leave as
`out_user` beside the result.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cocotb.triggers import RisingEdge, Timer

from verif.common.streams import start

Columns = Mapping[str, Sequence[int]]


def generator() -> np.random.Generator:
    """Random numbers that follow the seed of the simulation."""
    return np.random.default_rng(random.getrandbits(63))


def with_extremes(random_values: np.ndarray, extremes: Sequence[int]) -> np.ndarray:
    """Random values, about a quarter of them replaced by extremes."""
    rng = generator()
    chosen = rng.choice(np.asarray(extremes, dtype=np.int64), size=len(random_values))
    return np.where(rng.random(len(random_values)) < 0.25, chosen, random_values)


def tags(dut: Any, count: int) -> list[int]:
    """Random tags as wide as the design's `in_user`."""
    return [random.getrandbits(len(dut.in_user)) for _ in range(count)]


async def check_pipeline(
    dut: Any, *, latency: int, given: Columns, expected: Columns, gaps: bool
) -> None:
    """Drive all given columns, with random idle clocks or none, and compare every output.

    Each result must come exactly `latency` clocks after its input, and none without one.
    While `in_valid` is low the inputs hold random values. A reset in mid-flight must drop
    everything that is under way.
    """
    inputs = {name: getattr(dut, f"in_{name}") for name in given}
    masks = {name: (1 << len(signal)) - 1 for name, signal in inputs.items()}
    await _reset_drops_all(dut, inputs, latency)
    count = len(next(iter(given.values())))
    user = tags(dut, count)
    clock, sent, due = 0, 0, {}
    seen = 0
    while seen < count:
        valid = sent < count and not (gaps and random.random() < 0.3)
        dut.in_valid.value = int(valid)
        for name, signal in inputs.items():
            value = int(given[name][sent]) if valid else random.getrandbits(len(signal))
            signal.value = value & masks[name]
        dut.in_user.value = user[sent] if valid else random.getrandbits(len(dut.in_user))
        if valid:
            due[clock + latency] = sent
            sent += 1
        await RisingEdge(dut.clk)
        await Timer(1, "ps")
        clock += 1
        at = due.pop(clock, None)
        assert int(dut.out_valid.value) == (at is not None), f"out_valid wrong at clock {clock}"
        if at is not None:
            _compare(dut, at, given, expected, user[at])
            seen += 1
    assert not due and sent == count > 0


async def _reset_drops_all(dut: Any, inputs: Mapping[str, Any], latency: int) -> None:
    for signal in inputs.values():
        signal.value = 0
    dut.in_user.value = 0
    dut.in_valid.value = 0
    await start(dut)
    dut.in_valid.value = 1
    for _ in range(latency):
        await RisingEdge(dut.clk)
    dut.rst.value, dut.in_valid.value = 1, 0
    await RisingEdge(dut.clk)
    dut.rst.value = 0
    for _ in range(latency + 1):
        await Timer(1, "ps")
        assert int(dut.out_valid.value) == 0, "a result survived the reset"
        await RisingEdge(dut.clk)


def _compare(dut: Any, at: int, given: Columns, expected: Columns, user: int) -> None:
    for name, column in {**expected, "user": {at: user}}.items():
        signal = getattr(dut, f"out_{name}")
        got, want = int(signal.value), int(column[at]) & ((1 << len(signal)) - 1)
        if got != want:
            case = {key: int(values[at]) for key, values in given.items()}
            raise AssertionError(f"vector {at}: out_{name} is {got}, golden {want}, for {case}")
