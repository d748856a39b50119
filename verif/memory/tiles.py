# SPDX-License-Identifier: Apache-2.0
"""Rows of int8, their beats, and lanes that read: shared by the benches of the memory room."""

import os
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from verif.common.streams import pack

SLICE_DIMS = 16
EXTREMES = (-128, 127, 0, -1)


def parameters_of(names: str) -> list[int]:
    """The integer parameters that `run_with` passed on to the simulation, 0 without."""
    return [int(os.environ.get(name, "0")) for name in names.split()]


def run_with(run: Callable, top: str, *, parameters: dict[str, int], **options: Any) -> None:
    """Call `simulate` or `check_mutant_caught`; the bench knows the parameters, too."""
    env = {name: str(value) for name, value in parameters.items()}
    run(top, parameters=parameters, env=env, **options)


def chance(probability: float) -> bool:
    """True with the given probability."""
    return random.random() < probability


def random_rows(rows: int, dims: int) -> np.ndarray:
    """int8 [rows, dims]: all codes, and now and then a row of one extreme code."""
    codes = np.frombuffer(random.randbytes(rows * dims), dtype=np.int8).reshape(rows, dims).copy()
    for row in range(rows):
        if chance(0.1):
            codes[row] = random.choice(EXTREMES)
    return codes


def row_word(row: np.ndarray) -> int:
    """A row as one word, dimension 0 lowest."""
    return pack(row, width=8)


def beats_of(row: np.ndarray) -> list[int]:
    """The beats of a row, with zeros beyond its dimensions."""
    return [row_word(row[at : at + SLICE_DIMS]) for at in range(0, len(row), SLICE_DIMS)]


def field(bits: str, *, place: int, width: int) -> int:
    """Field number `place` of a bus of `width`-bit fields, as text; the others may be X."""
    end = len(bits) - place * width
    return int(bits[end - width : end], 2)


class Lanes:
    """Reads on the lanes of a store: keeps each offer until taken, checks what comes back.

    Call `offer` before and `step` right after every rising edge.

    Args:
        dut: The store, with read_valid, read_ready, read_data.
        lanes: Their number.
        width: Bits of a word of read_data.
        latency: Clocks from acceptance to the word.
        choose: Makes a request.
        look_up: The word that a request must return when it is taken now; None: any.
        fields: Signal name -> (bits for each lane, its value for a request).
        busy: Share of the clocks in which a free lane makes a request.
        never_waits: Whether a request passes an odd lane beside a write.

    Attributes:
        checked: Words compared so far, per lane.
        waits: Clocks in which a lane had to wait.
        passes: Requests that passed beside a write, per lane.
    """

    def __init__(
        self,
        dut: Any,
        *,
        lanes: int,
        width: int,
        latency: int,
        choose: Callable[[], Any],
        look_up: Callable[[Any], int | None],
        fields: dict[str, tuple[int, Callable[[Any], int]]],
        busy: float,
        never_waits: Callable[[Any], bool] = lambda request: False,
    ) -> None:
        self.dut, self.lanes, self.width, self.busy = dut, lanes, width, busy
        self.choose, self.look_up, self.fields = choose, look_up, fields
        self.offers: list[Any] = [None] * lanes
        self.pending: list[list[int | None]] = [[None] * latency for _ in range(lanes)]
        self.never_waits = never_waits
        self.checked, self.waits, self.passes = [0] * lanes, [0] * lanes, [0] * lanes

    def offer(self) -> None:
        """Drive the offers of this clock; fields of idle lanes are random."""
        for lane in range(self.lanes):
            if self.offers[lane] is None and chance(self.busy):
                self.offers[lane] = self.choose()
        valid = [offer is not None for offer in self.offers]
        self.dut.read_valid.value = pack(valid, width=1)
        for name, (width, value) in self.fields.items():
            fields = [random.getrandbits(width) if o is None else value(o) for o in self.offers]
            getattr(self.dut, name).value = pack(fields, width=width)

    def step(self, *, written: bool) -> None:
        """Check ready and words of the clock that ends, take what was accepted.

        Args:
            written: Whether a row was offered to the store in the clock before.
        """
        ready, data = str(self.dut.read_ready.value), str(self.dut.read_data.value)
        for lane, offer in enumerate(self.offers):
            self._check(lane, data)
            if offer is None:
                self.pending[lane].append(None)
                continue
            blocked = written and lane % 2 == 1
            passes = blocked and self.never_waits(offer)
            taken = bool(field(ready, place=lane, width=1))
            assert taken == (passes or not blocked), f"read_ready of lane {lane} is {taken}"
            self.pending[lane].append(self.look_up(offer) if taken else None)
            self.waits[lane] += not taken
            self.passes[lane] += passes
            self.offers[lane] = None if taken else offer

    def _check(self, lane: int, data: str) -> None:
        expected = self.pending[lane].pop(0)
        if expected is None:
            return
        got = field(data, place=lane, width=self.width)
        assert got == expected, f"lane {lane} reads {got:x}, not {expected:x}"
        self.checked[lane] += 1
