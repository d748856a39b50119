# SPDX-License-Identifier: Apache-2.0
"""Bench of a part without handshakes: inputs every clock, outputs a fixed time later."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from cocotb.clock import Clock
from cocotb.triggers import RisingEdge, Timer

Columns = Mapping[str, Sequence[int]]


def generator() -> np.random.Generator:
    """Random numbers that follow the seed of the simulation."""
    return np.random.default_rng(random.getrandbits(63))


def words(values: np.ndarray, *, width: int) -> list[int]:
    """Rows of an integer array [n, fields] as words; the first field is lowest."""
    mask = (1 << width) - 1
    return [
        sum((int(value) & mask) << (place * width) for place, value in enumerate(row))
        for row in values
    ]


async def check_pipeline(
    dut: Any, *, given: Columns, expected: Columns, latency: int, late: Mapping[str, int]
) -> None:
    """Drive vector after vector without a pause and compare every output.

    Args:
        dut: The design; it has `clk` and no reset.
        given: Input name -> one value for each vector.
        expected: Output name -> one value for each vector, or None where it has no meaning.
        latency: Clocks from a vector's first input to its outputs.
        late: Clocks by which an input comes later than the vector's first one.
    """
    count = len(next(iter(given.values())))
    masks = {name: (1 << len(getattr(dut, name))) - 1 for name in [*given, *expected]}
    Clock(dut.clk, 10, unit="ns").start()
    await RisingEdge(dut.clk)  # the clock starts with an edge
    await Timer(1, "ps")
    checked = 0
    for clock in range(count + latency):
        for name, column in given.items():
            at = clock - late.get(name, 0)
            value = int(column[at]) if 0 <= at < count else random.getrandbits(8)
            getattr(dut, name).value = value & masks[name]
        await RisingEdge(dut.clk)
        await Timer(1, "ps")
        at = clock + 1 - latency
        for name, column in expected.items():
            if at < 0 or at >= count or column[at] is None:
                continue
            got, want = int(getattr(dut, name).value), int(column[at]) & masks[name]
            assert got == want, f"vector {at}: {name} is {got:#x}, golden {want:#x}"
            checked += 1
    assert checked > 0
