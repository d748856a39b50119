# SPDX-License-Identifier: Apache-2.0
"""The shell as the golden model sees it: from commands and packets to output and statuses.

It knows what went in on the pins, as monitors saw it, and nothing that a driver meant.
"""

from collections import deque
from dataclasses import dataclass, field

import numpy as np
from pasa.accelerator import Accelerator, Outcome
from pasa.command import Command, cause_bits, unpack_command
from pasa.formats import Build
from pasa.packets import to_packet

from verif.shell.heads import BEAT_BYTES, INPUTS, Beat

EXACT = ("tag", "causes", "reserved", "rows", "empty_rows", "saturations")
EXACT += ("keys_visible", "keys_kept", "blocks_compensated", "dropped_mass")


@dataclass
class Packet:
    """One packet of a stream.

    Attributes:
        raw: its bytes, filled up to whole beats of 16.
        broken: it ended inside a beat of 16 bytes, or a byte was not kept.
        ended_inside: the first of these.
    """

    raw: bytes
    broken: bool
    ended_inside: bool

    @classmethod
    def of(cls, beats: list[Beat], size: int) -> "Packet":
        """From beats of `size` bytes."""
        raw = b"".join(data.to_bytes(size, "little") for data, _, _ in beats)
        inside = len(raw) % BEAT_BYTES != 0
        kept = all(keep == (1 << size) - 1 for _, keep, _ in beats)
        return cls(
            raw.ljust(-(-len(raw) // BEAT_BYTES) * BEAT_BYTES, b"\0"), inside or not kept, inside
        )

    def fault(self, rows: int, dims: int) -> str | None:
        """What is wrong with it for that many rows: short, long, last or keep."""
        want, got = rows * -(-dims // BEAT_BYTES), len(self.raw) // BEAT_BYTES
        if got != want:
            return "short" if got < want else "long"
        return ("last" if self.ended_inside else "keep") if self.broken else None

    def rows(self, rows: int, dims: int) -> np.ndarray:
        """int8 [rows, dims]."""
        return np.frombuffer(self.raw, dtype=np.int8).reshape(rows, -1)[:, :dims]


@dataclass
class Job:
    """A command that went in with its packets, and what must come of it.

    Attributes:
        faults: stream -> what is wrong with its packet; only of a command that is legal.
        output: beats (data, keep, last) still to come.
    """

    command: Command
    outcome: Outcome
    faults: dict[str, str]
    output: deque[Beat] = field(default_factory=deque)

    @property
    def status(self) -> dict[str, int]:
        """The fields of its status that do not depend on time."""
        values = dict.fromkeys(EXACT, 0) | {"tag": self.command.tag}
        values["causes"] = cause_bits(self.outcome.causes)
        return values | (self.outcome.result.counters if self.outcome.result else {})


class Golden:
    """Joins commands with their packets and says what comes out, in order.

    Attributes:
        jobs: done and not yet taken away by software, oldest first.
        outputs: jobs whose output is not complete.
    """

    def __init__(self, build: Build, width: int) -> None:
        self.build, self.size = build, width // 8
        self.accelerator = Accelerator(build)
        self.reset()

    def reset(self) -> None:
        """A soft reset: what was under way is forgotten."""
        self.accelerator.reset()
        self.commands: deque[Command] = deque()
        self.packets: dict[str, deque[Packet]] = {stream: deque() for stream in INPUTS}
        self.partial: dict[str, list[Beat]] = {stream: [] for stream in INPUTS}
        self.jobs: deque[Job] = deque()
        self.outputs: deque[Job] = deque()
        self.submitted = self.popped = self.causes = 0

    def submit(self, record: int) -> None:
        """SUBMIT took a command."""
        self.submitted += 1
        self.commands.append(unpack_command(record))
        self._join()

    def beat(self, stream: str, beat: Beat) -> None:
        """A beat went into a stream."""
        self.partial[stream].append(beat)
        if beat[2]:
            self.packets[stream].append(Packet.of(self.partial[stream], self.size))
            self.partial[stream] = []
            self._join()

    def output_beat(self, beat: Beat) -> None:
        """A beat came out; raises AssertionError when it is not the one to come."""
        assert self.outputs, f"output {beat} while none is due"
        job = self.outputs[0]
        want = job.output.popleft()
        assert beat == want, f"tag {job.command.tag}: output {beat}, must be {want}"
        if not job.output:
            self.outputs.popleft()

    def pop(self) -> Job:
        """STATUS_POP took a status away."""
        self.popped += 1
        return self.jobs.popleft()

    def _join(self) -> None:
        while self.commands:
            command = self.commands[0]
            streams = INPUTS[:1] if command.reuse_keys else INPUTS
            if not all(self.packets[stream] for stream in streams):
                return
            self.commands.popleft()
            self._run(command, {stream: self.packets[stream].popleft() for stream in streams})

    def _run(self, command: Command, packets: dict[str, Packet]) -> None:
        counts = {"query": command.query_count, "key": command.key_count}
        counts["value"] = command.key_count
        refused = self.accelerator.causes(command)
        faults = (
            {}
            if refused
            else {
                stream: fault
                for stream, packet in packets.items()
                if (fault := packet.fault(counts[stream], command.dims))
            }
        )
        arrays = {}
        if not refused and not faults:
            arrays = {s: p.rows(counts[s], command.dims) for s, p in packets.items()}
        causes = frozenset(f"{stream}_packet" for stream in faults)
        outcome = self.accelerator.execute(
            command,
            arrays.get("query"),
            arrays.get("key"),
            arrays.get("value"),
            packet_causes=causes,
        )
        job = Job(command, outcome, faults)
        self.jobs.append(job)
        self.causes |= job.status["causes"]
        if outcome.result is not None and not command.merge_next:
            job.output.extend(self._beats(outcome.result.output, command.output_bits))
            self.outputs.append(job)

    def _beats(self, output: np.ndarray, bits: int) -> list[Beat]:
        """The output packet: codes of `bits`, zeros beyond dims."""
        raw, size = to_packet(output, bits=bits).tobytes(), self.size
        data = [int.from_bytes(raw[at : at + size], "little") for at in range(0, len(raw), size)]
        full = (1 << size) - 1
        return [(word, full, int(place == len(data) - 1)) for place, word in enumerate(data)]
