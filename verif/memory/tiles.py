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


def field(signal: Any, *, place: int, width: int) -> int:
    """Field number `place` of a bus of `width`-bit fields; the others may be X."""
    text = str(signal.value)
    end = len(text) - place * width
    return int(text[end - width : end], 2)


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

    Attributes:
        checked: Words compared so far, per lane.
        waits: Clocks in which a lane had to wait.
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
    ) -> None:
        self.dut, self.lanes, self.width, self.busy = dut, lanes, width, busy
        self.choose, self.look_up, self.fields = choose, look_up, fields
        self.offers: list[Any] = [None] * lanes
        self.pending: list[list[int | None]] = [[None] * latency for _ in range(lanes)]
        self.checked, self.waits = [0] * lanes, [0] * lanes

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

    def step(self, ready: Callable[[int, Any], bool]) -> None:
        """Check ready and words of the clock that ends, take what was accepted.

        Args:
            ready: (lane, its request) -> whether read_ready must be high.
        """
        for lane, offer in enumerate(self.offers):
            self._check(lane)
            is_ready = bool(field(self.dut.read_ready, place=lane, width=1))
            if offer is not None:
                assert is_ready == ready(lane, offer), f"read_ready of lane {lane} is {is_ready}"
            taken = offer is not None and is_ready
            self.pending[lane].append(self.look_up(offer) if taken else None)
            self.waits[lane] += offer is not None and not is_ready
            self.offers[lane] = None if taken else offer

    def _check(self, lane: int) -> None:
        expected = self.pending[lane].pop(0)
        if expected is None:
            return
        got = field(self.dut.read_data, place=lane, width=self.width)
        assert got == expected, f"lane {lane} reads {got:x}, not {expected:x}"
        self.checked[lane] += 1
