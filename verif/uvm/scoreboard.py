# SPDX-License-Identifier: Apache-2.0
"""Compares every output beat, every packet boundary and every status field with the reference."""

from collections import deque
from pathlib import Path

import cocotb
import numpy as np
from pasa import formats
from pasa.command import cause_bits, cause_names, unpack_status
from pasa.formats import Build
from pyuvm import ConfigDB, uvm_analysis_port, uvm_component

from verif.common.streams import unpack
from verif.uvm.agents import Tap
from verif.uvm.items import BEAT_BYTES, Beat, Job

TIMED = ("cycles", "stall_in", "stall_out")  # status fields that only have bounds
SETTLING = 64  # clocks of control around a command's load and run, at most
LATE = 2  # clocks in which a command still counts as running after its last output beat


class Scoreboard(uvm_component):
    """Holds the jobs that are expected, in order, and counts those that came out right.

    Attributes:
        planned: jobs that the test says must be seen.
        predicted: jobs that the reference made of the inputs.
        seen: jobs whose output and status were compared.
        beats: output beats compared.
    """

    def build_phase(self) -> None:
        self.hardware: Build = ConfigDB().get(self, "", "BUILD")
        self.planned = self.predicted = self.seen = self.beats = 0
        self.expected: deque[Job] = deque()  # no status yet
        self.awaiting: deque[Job] = deque()  # of these, output not complete
        self.checked = uvm_analysis_port("checked", self)
        self.jobs = Tap("jobs", self, self.expect)
        self.outputs = Tap("outputs", self, self.compare_beat)
        self.statuses = Tap("statuses", self, self.compare_status)

    def expect(self, job: Job) -> None:
        """The reference says what comes next."""
        self.predicted += 1
        self.expected.append(job)
        if job.beats:
            self.awaiting.append(job)

    def compare_beat(self, beat: Beat) -> None:
        """An output beat was taken."""
        assert self.awaiting, f"output {beat.data:#034x} came, but no command is complete"
        job = self.awaiting[0]
        place = len(job.outputs)
        job.outputs.append(beat)
        last = place == len(job.beats) - 1
        if beat.data != job.beats[place]:
            raise AssertionError(f"{job}: {self.difference(job, place)}{self.save(job)}")
        assert beat.last == last, (
            f"{job}: last is {beat.last} on output beat {place + 1} of {len(job.beats)}"
        )
        self.beats += 1
        if last:
            self.awaiting.popleft()

    def difference(self, job: Job, place: int) -> str:
        """Which codes of an output beat differ."""
        bits = job.command.output_bits
        codes = 8 * BEAT_BYTES // bits
        row_beats = len(job.beats) // job.command.query_count
        row, part = divmod(place, row_beats)
        beats = (job.outputs[place].data, job.beats[place])
        got, want = (unpack(beat, width=bits, count=codes) for beat in beats)
        wrong = [
            f"dim {part * codes + i} is {a}, must be {b}"
            for i, (a, b) in enumerate(zip(got, want, strict=True))
            if a != b
        ]
        kept, visible = job.result.kept[row], job.result.visible[row]
        return f"row {row} ({kept} of {visible} keys kept): {'; '.join(wrong)}"

    def compare_status(self, beat: Beat) -> None:
        """A status record was taken."""
        assert self.expected, f"status {beat.data:#x} came, but no command is complete"
        job = self.expected.popleft()
        job.status, job.status_beat = unpack_status(beat.data), beat
        want = expected_status(job)
        wrong = [
            f"{name} is {shown(name, job.status[name])}, must be {shown(name, value)}"
            for name, value in want.items()
            if job.status[name] != value
        ]
        if wrong:
            raise AssertionError(f"{job}: status: {'; '.join(wrong)}{self.save(job)}")
        assert len(job.outputs) == len(job.beats), (
            f"{job}: status came after {len(job.outputs)} of {len(job.beats)} output beats"
        )
        for name, (low, high) in plausible(job, self.hardware).items():
            assert low <= job.status[name] <= high, (
                f"{job}: status: {name} is {job.status[name]}, must be in {low}..{high}"
            )
        self.seen += 1
        self.checked.write(job)

    def save(self, job: Job) -> str:
        """Keep a failing head for the golden model; says where."""
        path = Path(f"failed-command-{job.number}.npz").resolve()
        if job.result is not None:
            fields = {name: getattr(job.command, name) for name in formats.COMMAND_FIELDS}
            np.savez(path, q=job.q, k=job.k, v=job.v, **fields)
        return f"\n  seed {cocotb.RANDOM_SEED}, head saved in {path}" if job.result else ""

    def forget(self) -> None:
        """A reset: what was under way neither comes out nor counts."""
        self.expected.clear()
        self.awaiting.clear()
        self.planned = self.predicted = self.seen

    def missing(self) -> str:
        """What has not come out, for the message of a hang."""
        first = f"; next: {self.expected[0]}" if self.expected else ""
        return (
            f"{self.seen} of {self.planned} commands checked, {self.predicted} went in, "
            f"{len(self.expected)} wait for a status, {len(self.awaiting)} for output{first}"
        )

    def check_phase(self) -> None:
        assert self.predicted == self.seen == self.planned > 0, self.missing()
        assert not self.expected and not self.awaiting, self.missing()
        assert self.beats > 0, "no output beat was compared"


def shown(name: str, value: int) -> str:
    """A status value as a reader wants it."""
    return f"{{{', '.join(sorted(cause_names(value)))}}}" if name == "causes" else str(value)


def expected_status(job: Job) -> dict[str, int]:
    """Every status field that the reference defines exactly."""
    status = dict.fromkeys(formats.STATUS_FIELDS, 0) | {"tag": job.command.tag}
    status |= {"causes": cause_bits(job.causes)} | (job.result.counters if job.result else {})
    return {name: value for name, value in status.items() if name not in TIMED}


def plausible(job: Job, build: Build) -> dict[str, tuple[int, int]]:
    """Bounds of the status fields that depend on timing.

    A command cannot run faster than its stages, and not longer than from its last input beat to
    its last output beat; it cannot wait for output longer than output was seen to wait (LATE: the
    counter stands still that long after the last beat).
    """
    asked = job.inputs["command"].end
    bounds = {"stall_in": (0, job.loaded - asked + SETTLING)}
    if job.result is None:
        return bounds | {"cycles": (0, 0), "stall_out": (0, 0)}
    waited = sum(beat.stalled for beat in job.outputs)
    ended = job.outputs[-1] if job.outputs else job.status_beat  # merge_next gives no output
    took = ended.clock - job.loaded
    return bounds | {"cycles": (fewest_cycles(job, build), took), "stall_out": (0, waited + LATE)}


def fewest_cycles(job: Job, build: Build) -> int:
    """The formula of DESIGN section 2 for a whole command, as a lower bound."""
    c, r = job.command, job.result
    slices = min(c.predicted_slices, -(-c.dims // formats.SLICE_DIMS)) if c.sparse else 1
    words = sum(
        -(-int(r.visible[at : at + build.rows].max()) // build.pred_keys) * slices
        for at in range(0, len(r.visible), build.rows)
    )
    items = -(-int(r.kept.sum() + r.blocks.sum()) // build.rows)
    return max(words, items, len(job.beats))
