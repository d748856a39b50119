# SPDX-License-Identifier: Apache-2.0
"""What travels in the environment: plans (heads), sequence items, and what monitors saw."""

import random
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from pasa.command import Command
from pasa.fixed import Result
from pasa.packets import to_packet
from pyuvm import uvm_sequence_item

INPUTS = ("query", "key", "value")  # data streams into the core, in the order of formats.CAUSES
SOURCES = ("command", *INPUTS)
SINKS = ("output", "status")
BEAT_BYTES = 16


@dataclass
class Head:
    """One command and how its packets go: what a sequence wants to happen.

    Attributes:
        command: legal or not.
        q, k, v: int8 rows; of the command's shape unless that is illegal.
        faults: stream -> beats too many (positive) or missing (negative).
        broken: streams whose packet ends as a broken one.
        gaps: stream -> style of its idle clocks, a key of ``streams.GAPS``.
    """

    command: Command
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    faults: dict[str, int] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    gaps: dict[str, str] = field(default_factory=dict)

    def beats(self, stream: str) -> list:
        """What goes into one stream: command records, or (data, last, broken) beats of a packet.

        Before the last beat ``broken`` is noise.
        """
        if stream == "command":
            return [self.command.pack()]
        if self.command.reuse_keys and stream != "query":
            return []
        rows = {"query": self.q, "key": self.k, "value": self.v}[stream]
        data = beats_of_rows(rows)
        fault = self.faults.get(stream, 0)
        data = data[: max(1, len(data) + fault)]
        data += [random.getrandbits(8 * BEAT_BYTES) for _ in range(fault)]
        ends = [(0, random.getrandbits(1))] * (len(data) - 1) + [(1, int(stream in self.broken))]
        return [(beat, *end) for beat, end in zip(data, ends, strict=True)]


def beats_of_rows(rows: np.ndarray) -> list[int]:
    """Data beats of int8 rows [n, d]; the bytes beyond d hold noise, which must not matter."""
    count, dims = rows.shape
    width = -(-dims // BEAT_BYTES) * BEAT_BYTES
    noise = np.frombuffer(random.randbytes(count * width), dtype=np.int8)
    padded = noise.reshape(count, width).copy()
    padded[:, :dims] = rows
    return _words(padded)


def rows_of_beats(beats: list[int], count: int, dims: int) -> np.ndarray:
    """The int8 rows [count, dims] that the data beats of a packet carry."""
    raw = b"".join(beat.to_bytes(BEAT_BYTES, "little") for beat in beats)
    return np.frombuffer(raw, dtype=np.int8).reshape(count, -1)[:, :dims]


def beats_of_output(output: np.ndarray, *, bits: int) -> list[int]:
    """Data beats of output codes [n, d], 8 or 16 bits wide, zeros beyond d."""
    return _words(to_packet(output, bits=bits))


def _words(array: np.ndarray) -> list[int]:
    raw = array.tobytes()
    return [
        int.from_bytes(raw[at : at + BEAT_BYTES], "little") for at in range(0, len(raw), BEAT_BYTES)
    ]


class Burst(uvm_sequence_item):
    """Beats for one stream in, with the style of the gaps between them."""

    def __init__(self, name: str, beats: list, gaps: str) -> None:
        super().__init__(name)
        self.beats, self.gaps = beats, gaps


class Readiness(uvm_sequence_item):
    """How one stream out is taken for some clocks."""

    def __init__(self, name: str, gaps: str, clocks: int) -> None:
        super().__init__(name)
        self.gaps, self.clocks = gaps, clocks


@dataclass(frozen=True)
class Beat:
    """A beat that a monitor saw taken.

    Attributes:
        data, last: payload; ``last`` is 1 on streams without it.
        broken: beside ``last``: the packet is a broken one.
        clock: number of the clock edge that took it.
        idle: clocks without valid since the beat before it.
        stalled: clocks it waited for ready.
    """

    data: int
    last: int
    clock: int
    idle: int
    stalled: int
    broken: int = 0


@dataclass(frozen=True)
class Packet:
    """The beats of one packet that a monitor saw."""

    beats: tuple[Beat, ...]

    @property
    def data(self) -> list[int]:
        """Payload of each beat."""
        return [beat.data for beat in self.beats]

    @property
    def end(self) -> int:
        """Clock of the last beat."""
        return self.beats[-1].clock

    @property
    def longest_idle(self) -> int:
        """Longest gap between two of its beats, in clocks."""
        return max((beat.idle for beat in self.beats[1:]), default=0)

    @property
    def longest_stall(self) -> int:
        """Longest wait of one of its beats, in clocks."""
        return max(beat.stalled for beat in self.beats)


@dataclass
class Job:
    """One command as the pins told it, and what must come of it.

    Attributes:
        number: place in the order of commands since the start of the test.
        inputs: stream -> the packet seen on it, ``command`` included.
        causes: of a refusal, empty when it runs.
        faults: stream -> ``short``, ``long`` or ``broken``.
        result: of the golden model, None when refused.
        beats: expected output.
        outputs: output beats seen so far.
        status: the status record seen, as fields.
        status_beat: the beat that carried it.
    """

    number: int
    command: Command
    inputs: dict[str, Packet]
    causes: frozenset[str]
    faults: dict[str, str]
    q: np.ndarray | None = None
    k: np.ndarray | None = None
    v: np.ndarray | None = None
    result: Result | None = None
    beats: list[int] = field(default_factory=list)
    outputs: list[Beat] = field(default_factory=list)
    status: dict[str, int] = field(default_factory=dict)
    status_beat: Beat | None = None

    @cached_property
    def loaded(self) -> int:
        """Clock at which the last beat of its packets was taken."""
        return max(packet.end for packet in self.inputs.values())

    def __str__(self) -> str:
        c = self.command
        return (
            f"command {self.number} (tag {c.tag}, {c.query_count} queries, "
            f"{c.key_count} keys, {c.dims} dims)"
        )
