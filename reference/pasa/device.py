# SPDX-License-Identifier: Apache-2.0
"""The host API: ``pasa.open`` gives a device, a device computes attention.

with pasa.open("reference") as device:      # or "sim", or "board"
    out = device.attention(q, k, v, causal=True, min_probability=0.002)
    print(out.real, out.counters["keys_kept"], out.flags)
"""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from pasa.driver import Driver, Identity
from pasa.errors import ArgumentError, DeviceError
from pasa.formats import Build
from pasa.heads import Options, split_heads
from pasa.jobs import Attention, Job, Task
from pasa.transport import Transport
from pasa.transport_reference import ReferenceTransport

if TYPE_CHECKING:
    from typing import Unpack  # not in the Python 3.10 of PYNQ's images


class Device:
    """An accelerator, or what stands for it. Use it in a ``with``, or close it.

    Args:
        driver: of an accelerator that this device closes in the end.
        name: "reference", "sim" or "board".
    """

    def __init__(self, driver: Driver, *, name: str):
        self.name = name
        self._driver = driver
        self._jobs: deque[Job] = deque()  # with commands to hand over
        self._flying: deque[tuple[Job, Task]] = deque()
        self._closed = False

    def __enter__(self) -> Device:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<pasa device {self.name!r}, {self.build}>"

    @property
    def build(self) -> Build:
        """Parameters of the hardware."""
        return self.identity.build

    @property
    def identity(self) -> Identity:
        """What the accelerator says it is."""
        return self._driver.identity

    @property
    def lost_interrupts(self) -> int:
        """Commands that ended without an interrupt; only their time suffered."""
        return self._driver.lost_interrupts

    def attention(
        self,
        q: object,
        k: object,
        v: object,
        *,
        progress: bool | None = None,
        **options: Unpack[Options],
    ) -> Attention:
        """Attention of one or many heads; waits for the result.

        Args:
            q: [n_q, d], [heads, n_q, d] or [batch, heads, n_q, d], NumPy or anything with
                ``__array__``; int8 codes, or floats that are quantised head by head.
            k, v: the same with n_k; their number of heads divides that of q (grouped queries).
            progress: show a bar; default on a terminal, for work of LONG commands or more.
            options: the keywords below. Each may be one value for all heads, or an array that
                broadcasts to [batch, heads] (scales of k and v: to the heads of k).

        Options:
            scale_q, scale_k, scale_v: real value of one int8 step. Needed with int8 codes;
                default with floats: the largest magnitude of the head at code 127.
            output_bits: 8 (default) or 16, for all heads.
            output_scale: real value of one output code; default V's own for int8, 1/256 of it for
                int16.
            softmax_scale: factor of the scores before softmax, default 1/sqrt(d).
            causal: query i, at position query_offset + i, sees keys up to its position.
            query_offset: position of the first query.
            key_length: keys from here on are padding.
            window: only keys nearer than this are visible; sinks: the first keys, visible however
                far behind the window.
            min_probability: keep keys of at least this predicted probability, 2^-31..1.
            budget: keep at most this many keys a row. Neither of the two: dense.
            tail: dropped keys count as one virtual key a block, default True.
            pred_dims: leading dimensions that the predictor reads, a multiple of 16, default 16.

        Raises:
            ArgumentError, DataError: name the argument and its limit; nothing was run.
            DeviceError: see ``Job.wait``.
        """
        return self.submit(q, k, v, **options).wait(progress=progress)

    def submit(self, q: object, k: object, v: object, **options: Unpack[Options]) -> Job:
        """Begin what ``attention`` does and return at once. The arrays must not change meanwhile.

        Up to ``driver.IN_FLIGHT`` commands are under way; the rest follows as results are asked
        for.
        """
        if self._closed:
            raise DeviceError("the device is closed")
        job = Job(self, *split_heads(q, k, v, build=self.build, **options))
        self._jobs.append(job)
        self._guard(self._fill)
        return job

    def advance(self, *, wait: bool, timeout: float | None = None) -> None:
        """Hand over and collect commands; with ``wait``, until one has been collected."""
        self._guard(lambda: self._step(wait, timeout))

    def close(self) -> None:
        """Let go of the accelerator. Jobs that are not finished fail."""
        self._closed = True
        self._fail(DeviceError("the device was closed"), everything=True)
        self._driver.close()

    def _step(self, wait: bool, timeout: float | None) -> None:
        self._fill()
        if self._flying and (wait or self._driver.ready()):
            done = self._driver.finish(timeout=timeout)
            job, task = self._flying.popleft()
            job.take(task, done)
            self._fill()

    def _fill(self) -> None:
        """Hand over commands while there is room."""
        while self._jobs and self._driver.has_room:
            job = self._jobs[0]
            task = job.next_task()
            if task is None:
                self._jobs.popleft()
                continue
            self._flying.append((job, task))
            head, step = task.head, task.step
            keys = (None, None)
            if not task.command.reuse_keys:
                keys = head.k[step.keys], head.v[step.keys]
            self._driver.start(task.command, head.q[step.queries], *keys)

    def _guard(self, action: Callable[[], None]) -> None:
        """Do it; if the device fails, the jobs that had begun fail, and it starts afresh."""
        try:
            action()
        except DeviceError as error:
            self._fail(error)
            try:
                self._driver.reset()
            except DeviceError as second:
                self._fail(second, everything=True)

    def _fail(self, error: DeviceError, *, everything: bool = False) -> None:
        """End the jobs that had begun: the oldest with the error, the others with its news."""
        began = list(dict.fromkeys(job for job, _ in self._flying))
        began += [job for job in self._jobs if job not in began and (job.begun or everything)]
        self._flying.clear()
        self._jobs = deque(job for job in self._jobs if job not in began)
        for job in began:
            job.fail(error if job is began[0] else DeviceError(f"lost with another job: {error}"))


def open_device(kind: str | Transport = "reference", **options: object) -> Device:
    """A device to compute attention with.

    Args:
        kind: "reference": the golden model, instant to open, counts no clocks.
            "sim": the Verilog in a simulator, through AXI; the first time it is compiled.
            "board": a Zynq board under PYNQ.
            Or a ``Transport`` of your own.
        options: timeout, seconds for a command.
            reference: build (``pasa.Build``).
            sim: build, stream_bits (32, 64 or 128), seed (registers' first values, stalls),
            stalls (percent of clocks in which the host pauses).
            board: bitfile (path of the .bit beside its .hwh), download (False: it is loaded), uio
            (device of the interrupt, default: poll its register).

    Raises:
        ArgumentError: no such kind or option.
        UnavailableError: sim cannot be compiled (BuildError), or there is no board.
        DeviceError: it is no accelerator that this package knows.
    """
    timeout = options.pop("timeout", None)
    if not isinstance(kind, str):
        maker, name = (lambda: kind), type(kind).__name__
    elif kind in _MAKERS:
        maker, name = _MAKERS[kind], kind
    else:
        raise ArgumentError(f"kind: {kind!r} given, want one of {', '.join(_MAKERS)}")
    known = inspect.signature(maker).parameters
    for option in options:
        if option not in known:
            raise ArgumentError(
                f"{option}: no option of {name}, want {', '.join([*known, 'timeout'])}"
            )
    transport = maker(**options)
    try:
        return Device(Driver(transport, timeout=timeout), name=name)
    except BaseException:
        transport.close()
        raise


def _reference(build: Build | None = None) -> Transport:
    return ReferenceTransport(build)


def _sim(
    build: Build | None = None, stream_bits: int = 128, seed: int = 1, stalls: int = 0
) -> Transport:
    from pasa.transport_sim import SimTransport, build_simulator

    binary = build_simulator(build or Build(), stream_bits=stream_bits)
    return SimTransport(binary, seed=seed, stalls=stalls)


def _board(bitfile: str = "pasa.bit", download: bool = True, uio: str | None = None) -> Transport:
    from pasa.transport_board import BoardTransport

    return BoardTransport(bitfile, download=download, uio=uio)


_MAKERS: dict[str, Callable[..., Transport]] = {
    "reference": _reference,
    "sim": _sim,
    "board": _board,
}
