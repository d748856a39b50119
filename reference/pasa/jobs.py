# SPDX-License-Identifier: Apache-2.0
"""Work for a device: its commands, and what comes of them."""

import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pasa.command import Command
from pasa.driver import Done
from pasa.errors import PasaError
from pasa.formats import STATUS_FIELDS, Build
from pasa.heads import Head
from pasa.masks import visible_keys
from pasa.plan import Step, plan_head

#: Status fields that count, as they appear in ``Attention.counters``.
COUNTERS = tuple(name for name in STATUS_FIELDS if name not in ("tag", "causes", "reserved"))
LONG = 8  # commands from which on a terminal sees a progress bar
ROWS_AT_ONCE = 64  # bounds the memory of a [rows, keys] mask


@dataclass(frozen=True, repr=False)
class Attention:
    """Output of a call, and what the accelerator counted.

    Attributes:
        output: codes, int8 or int16, of q's shape.
        output_scale: real value of one code, float64 of q's leading shape.
        head_counters: for each of COUNTERS an int64 array of q's leading shape. ``rows`` and
            ``empty_rows`` count rows of q; keys, blocks and clocks are summed over the commands
            of a head; ``dropped_mass`` is in steps of 2^-14.
        flags: "saturated": some code was clipped; "empty_rows": some row saw no key (zeros).
    """

    output: np.ndarray
    output_scale: np.ndarray
    head_counters: dict[str, np.ndarray]

    def __repr__(self) -> str:
        shape = ", ".join(map(str, self.output.shape))
        flags = ", ".join(sorted(self.flags)) or "none"
        kept = f"{self.kept_fraction:.1%} of the keys kept"
        return (
            f"<Attention {self.output.dtype}[{shape}], {kept}, {self.cycles} cycles, flags {flags}>"
        )

    @property
    def counters(self) -> dict[str, int]:
        """``head_counters`` summed over the heads."""
        return {name: int(values.sum()) for name, values in self.head_counters.items()}

    @property
    def flags(self) -> frozenset[str]:
        """What a caller should know."""
        raised = {"saturated": "saturations", "empty_rows": "empty_rows"}
        return frozenset(flag for flag, name in raised.items() if self.head_counters[name].any())

    @property
    def real(self) -> np.ndarray:
        """Output in real units, float64, of q's shape."""
        return self.output * self.output_scale[..., None, None]

    @property
    def kept_fraction(self) -> float:
        """Kept keys over visible keys, all heads together."""
        counted = self.counters
        return counted["keys_kept"] / max(1, counted["keys_visible"])

    @property
    def cycles(self) -> int:
        """Clocks of all commands; 0 from the golden model, which knows none."""
        return self.counters["cycles"]


@dataclass(frozen=True)
class Task:
    """One command of a job."""

    head: Head
    step: Step
    command: Command


class Engine(Protocol):
    """What a job needs of its device."""

    @property
    def build(self) -> Build:
        """Parameters of the hardware."""
        ...

    def advance(self, *, wait: bool, timeout: float | None = None) -> None:
        """Hand over and collect commands; with ``wait``, until one has been collected."""
        ...


class Job:
    """Work handed to a device with ``submit``.

    The device goes on with it while it is asked something: ``done`` and ``wait`` of any of its
    jobs, or another ``submit``.
    """

    def __init__(self, device: "Engine", heads: list[Head], leading: tuple[int, ...]):
        self._device, self._leading = device, leading
        self._tasks = deque(task for head in heads for task in tasks_of(head, device.build))
        self.commands = len(self._tasks)
        self.commands_done = 0
        self._error: PasaError | None = None
        last = heads[-1]
        shape = tuple(number + 1 for number in last.place)
        dtype = f"i{last.command.output_bits // 8}"
        self._output = np.zeros((*shape, *last.q.shape), dtype=dtype)
        self._scale = np.array([head.output_scale for head in heads]).reshape(shape)
        self._counters = {name: np.zeros(shape, dtype=np.int64) for name in COUNTERS}
        self._chain_empty = 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do, because all is done or the job failed."""
        return self._error is not None or self.commands_done == self.commands

    def done(self) -> bool:
        """Let the device go on without waiting, and tell whether the job has finished."""
        if not self.finished:
            self._device.advance(wait=False)
        return self.finished

    def wait(self, *, timeout: float | None = None, progress: bool | None = None) -> Attention:
        """The result, when it is there.

        Args:
            timeout: seconds for each command; default as the device was opened.
            progress: show a bar; default on a terminal, for LONG commands or more.

        Raises:
            DeviceTimeout, CommandRefused, DeviceError: the job failed. The device was reset, and
                jobs that had begun are lost with it; those that had not are still to come.
        """
        if progress is None:
            progress = self.commands >= LONG and sys.stderr.isatty()
        with _bar(self.commands, shown=progress) as show:
            while not self.finished:
                self._device.advance(wait=True, timeout=timeout)
                show(self.commands_done)
        if self._error is not None:
            raise self._error
        scale = self._scale.reshape(self._leading)
        output = self._output.reshape(self._leading + self._output.shape[2:])
        counters = {n: values.reshape(self._leading) for n, values in self._counters.items()}
        return Attention(output, scale, counters)

    # For the device.

    @property
    def begun(self) -> bool:
        """Whether a command was handed over."""
        return len(self._tasks) < self.commands

    def next_task(self) -> Task | None:
        """The next command to hand over; None when there is none."""
        return self._tasks.popleft() if self._tasks else None

    def fail(self, error: PasaError) -> None:
        """Nothing more will come."""
        self._error = error
        self._tasks.clear()

    def take(self, task: Task, done: Done) -> None:
        """Keep what a command gave."""
        place, command = task.head.place, task.command
        status = dict(done.status)
        status["empty_rows"] = self._empty_rows(task, status["empty_rows"])
        if command.merge_next:
            status["rows"] = 0
        else:
            self._output[place][task.step.queries] = done.output
        for name, values in self._counters.items():
            values[place] += status[name]
        self.commands_done += 1

    def _empty_rows(self, task: Task, counted: int) -> int:
        """Rows that saw no key in any tile, once the last one is done; 0 before."""
        command = task.command
        self._chain_empty = min(self._chain_empty, counted) if command.merge_previous else counted
        if command.merge_next:
            return 0
        if command.merge_previous and self._chain_empty:
            return _count_empty(task.head.command, task.step.queries)
        return self._chain_empty


def tasks_of(head: Head, build: Build) -> Iterator[Task]:
    """The commands of a head. Where all its keys fit a tile that is loaded, they use that."""
    fits = head.command.key_count <= build.tile_keys
    for step in plan_head(head.command, build=build):
        command = step.command
        if head.same_keys and fits:
            command = replace(command, reuse_keys=1)
        yield Task(head, step, command)


def _count_empty(head: Command, queries: slice) -> int:
    """Rows of a head, among some, that see no key."""
    count = 0
    for start in range(queries.start, queries.stop, ROWS_AT_ONCE):
        visible = visible_keys(
            np.arange(start, min(start + ROWS_AT_ONCE, queries.stop)),
            head.key_count,
            key_length=head.key_length,
            causal=bool(head.causal),
            query_offset=head.query_offset,
            window=head.window,
            sinks=head.sinks,
        )
        count += int((~visible.any(axis=1)).sum())
    return count


@contextmanager
def _bar(total: int, *, shown: bool) -> Iterator[Callable[[int], None]]:
    """A function that takes the commands done so far, and draws a bar if that is wanted."""
    if not shown:
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("attention", BarColumn(), MofNCompleteColumn(), "commands", TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=total)
        yield lambda done: progress.update(bar, completed=done)
