# SPDX-License-Identifier: Apache-2.0
"""Drivers and monitors of ready/valid streams, on cocotb-bus.

A stream is `<prefix>_valid`, `<prefix>_ready` and payload signals, by default
`<prefix>_data` and, where the design has it, `<prefix>_last`. A *beat* is an int
when the payload is one signal, else a tuple of ints in the order of `fields`. A bus
that spells its signals otherwise says how: `spelled="t{}"` for `<prefix>_tvalid`.

    await start(dut)                                    # clock and reset
    driver = StreamDriver(dut, "s", dut.clk, gaps="bursty")
    sink = StreamSink(dut, "m", dut.clk, gaps="heavy")
    monitor = StreamMonitor(dut, "m", dut.clk, reset=dut.rst)
    await driver.send(beats)                            # until the last is taken
    await monitor.wait_for(len(beats))
    assert monitor.beats == beats

Values are read at the rising edge, before the design reacts to it. Randomness is
that of `random`, which cocotb seeds for each test.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, Event, RisingEdge
from cocotb_bus.drivers import BitDriver, BusDriver
from cocotb_bus.monitors import BusMonitor

Beat = int | tuple[int, ...]
FOREVER = 1 << 60


class ProtocolError(AssertionError):
    """A stream broke the ready/valid rules."""


# Gaps: pairs (beats in a row, idle clocks after them)


def _none() -> Iterator[tuple[int, int]]:
    while True:
        yield FOREVER, 0


def _light() -> Iterator[tuple[int, int]]:
    while True:
        yield random.randint(1, 20), random.randint(1, 2)


def _heavy() -> Iterator[tuple[int, int]]:
    while True:
        yield random.randint(1, 2), random.randint(1, 8)


def _bursty() -> Iterator[tuple[int, int]]:
    while True:
        yield random.randint(1, 60), random.randint(5, 60)


GAPS: dict[str, Callable[[], Iterator[tuple[int, int]]]] = {
    "none": _none,  # full rate
    "light": _light,  # about one clock in eight idle
    "heavy": _heavy,  # three clocks in four idle, single beats
    "bursty": _bursty,  # long runs and long pauses: these find depth bugs
}


STYLES = tuple(GAPS)  # these, whatever a bench adds to GAPS for itself


def gap_runs(style: str) -> Iterator[tuple[int, int]]:
    """Endless pairs (beats in a row, idle clocks after them); raises KeyError."""
    return GAPS[style]()


# Words


def pack(values: Iterable[int], *, width: int) -> int:
    """Values of `width` bits, signed or not, as one word; the first is lowest."""
    mask, word = (1 << width) - 1, 0
    for place, value in enumerate(values):
        word |= (int(value) & mask) << (place * width)
    return word


def unpack(word: int, *, width: int, count: int, signed: bool = True) -> list[int]:
    """The `count` values of `width` bits in a word; the inverse of `pack`."""
    mask, half = (1 << width) - 1, 1 << (width - 1)
    fields = [(word >> (place * width)) & mask for place in range(count)]
    return [f - (1 << width) if signed and f >= half else f for f in fields]


def packet(data: Sequence[int]) -> list[Beat]:
    """Beats (data, last) of one packet: `last` is 1 on the final beat only."""
    return [(value, int(place == len(data) - 1)) for place, value in enumerate(data)]


# Clock and reset


async def start(dut: Any, *, period_ps: int = 10_000, cycles: int = 3) -> None:
    """Start `dut.clk`, hold `dut.rst` for some clocks, and release it.

    The design leaves reset after the edge at which this returns, so drivers made
    directly before or after are in time; other inputs must be set before.
    """
    dut.rst.value = 1
    Clock(dut.clk, period_ps, unit="ps").start()
    await ClockCycles(dut.clk, cycles)
    dut.rst.value = 0


def payload_fields(
    dut: Any, prefix: str, fields: Sequence[str] | None, *, spelled: str = "{}"
) -> tuple[str, ...]:
    """The payload of a stream: as given, else data and, where it exists, last."""
    if fields is not None:
        return tuple(fields)
    last = f"{prefix}_{spelled.format('last')}"
    return ("data", "last") if hasattr(dut, last) else ("data",)


def spelling(fields: Sequence[str], spelled: str) -> dict[str, str]:
    """Signal of a stream -> its name after the prefix."""
    return {field: spelled.format(field) for field in ("valid", "ready", *fields)}


class StreamDriver(BusDriver):
    """Sends beats into the design; keeps an offer until it is taken.

    `await send(beats)` returns when the last beat was taken; `append(beats)` queues
    without waiting. Queued bursts follow each other without an idle clock.

    Args:
        entity: The design.
        name: Prefix of the stream.
        clock: Its clock.
        gaps: Style of the idle clocks, a key of `GAPS`.
        fields: Payload signals after the prefix; default data and, if there, last.
        spelled: How the bus writes a signal after the prefix.
    """

    def __init__(
        self,
        entity: Any,
        name: str,
        clock: Any,
        *,
        gaps: str = "none",
        fields: Sequence[str] | None = None,
        spelled: str = "{}",
    ) -> None:
        self._fields = payload_fields(entity, name, fields, spelled=spelled)
        self._signals = spelling(self._fields, spelled)
        super().__init__(entity, name, clock, case_insensitive=False)
        self._payload = [getattr(self.bus, field) for field in self._fields]
        self._edge, self._ready_rises = RisingEdge(clock), RisingEdge(self.bus.ready)
        self.set_gaps(gaps)
        self.bus.valid.value = 0
        for signal in self._payload:
            signal.value = 0

    def set_gaps(self, style: str) -> None:
        """Change the style of the gaps, from the next beat on."""
        self._runs = gap_runs(style)
        self._run, self._pause = next(self._runs)

    async def _driver_send(self, transaction: Iterable[Beat], sync: bool = True) -> None:
        valid, ready, edge = self.bus.valid, self.bus.ready, self._edge
        single = len(self._payload) == 1
        shown: list[int | None] = [None] * len(self._payload)
        offering = False
        for beat in transaction:
            if self._run == 0:
                await self._idle()
                offering = False
            # Writes cost most of the time of a long packet: only what changes is written.
            values = (beat,) if single else beat
            for place, (signal, value) in enumerate(zip(self._payload, values, strict=True)):
                if value != shown[place]:
                    signal.value = shown[place] = value
            if not offering:
                valid.value, offering = 1, True
            await edge
            while not int(ready.value):
                await self._ready_rises  # no Python in the stalled clocks
                await edge
            self._run -= 1
        valid.value = 0

    async def _idle(self) -> None:
        self.bus.valid.value = 0
        await ClockCycles(self.clock, self._pause)
        self._run, self._pause = next(self._runs)


class StreamSink(BitDriver):
    """Drives `<prefix>_ready` with random gaps.

    Args: as `StreamDriver`. With gaps="none" it sets ready once and costs nothing.
    """

    def __init__(
        self, entity: Any, name: str, clock: Any, *, gaps: str = "none", spelled: str = "{}"
    ) -> None:
        super().__init__(getattr(entity, f"{name}_{spelled.format('ready')}"), clock)
        self.set_gaps(gaps)

    def set_gaps(self, style: str) -> None:
        """Change the style at once."""
        self.stop()
        if style == "none":
            self._signal.value = 1
        else:
            self.start(generator=gap_runs(style))

    def stop(self) -> None:
        """Leave ready as it is."""
        if self._cr is not None:
            self._cr.cancel()
            self._cr = None


class StreamMonitor(BusMonitor):
    """Sees the pins of one stream and nothing else; collects and checks.

    Raises `ProtocolError`, which fails the test, when valid falls or the payload
    changes before the beat is taken, and ValueError when valid, ready or the
    payload of a taken beat is X or Z.

    Args:
        entity: The design.
        name: Prefix of the stream.
        clock: Its clock.
        reset: Active-high reset; while it is high nothing is collected or checked.
        callback: Called with each beat.
        fields: Payload signals after the prefix; default data and, if there, last.
        spelled: How the bus writes a signal after the prefix.

    Attributes:
        beats: Every beat taken so far.
        stalls: Clocks with valid high and ready low.
    """

    def __init__(
        self,
        entity: Any,
        name: str,
        clock: Any,
        *,
        reset: Any = None,
        callback: Callable[[Beat], None] | None = None,
        fields: Sequence[str] | None = None,
        spelled: str = "{}",
    ) -> None:
        self._fields = payload_fields(entity, name, fields, spelled=spelled)
        self._signals = spelling(self._fields, spelled)
        self.beats: list[Beat] = []
        self.stalls = 0
        self._held: str | None = None  # payload of the offer that waits
        self._more = Event()
        super().__init__(
            entity, name, clock, reset=reset, callback=self.beats.append, case_insensitive=False
        )
        self._payload = [getattr(self.bus, field) for field in self._fields]
        if callback is not None:
            self.add_callback(callback)

    async def wait_for(self, count: int) -> None:
        """Until `count` beats were taken since the start; the test's timeout ends it."""
        while len(self.beats) < count:
            self._more.clear()
            await self._more.wait()

    async def _monitor_recv(self) -> None:
        bus, edge = self.bus, RisingEdge(self.clock)
        while True:
            await edge
            if self.in_reset:
                self._held = None
                continue
            valid, ready = self._bit("valid"), self._bit("ready")
            if valid and ready:
                self._take()
            elif valid:
                self._stall()
            elif self._held is not None:
                raise ProtocolError(f"{self.name}: valid fell before the beat was taken")
            else:
                await bus.valid.value_change  # no Python in the idle clocks

    def _bit(self, which: str) -> int:
        try:
            return int(getattr(self.bus, which).value)
        except ValueError:
            name = f"{self.name}_{self._signals[which]}"
            raise ValueError(f"{name} is X or Z outside reset") from None

    def _take(self) -> None:
        if self._held is not None:
            self._check_held()
            self._held = None
        try:
            values = tuple(int(signal.value) for signal in self._payload)
        except ValueError:
            raise ValueError(f"{self.name}: beat {len(self.beats)} holds X or Z") from None
        self._recv(values[0] if len(values) == 1 else values)
        self._more.set()

    def _stall(self) -> None:
        self.stalls += 1
        if self._held is None:
            self._held = self._offer()
        else:
            self._check_held()

    def _offer(self) -> str:
        return " ".join(str(signal.value) for signal in self._payload)

    def _check_held(self) -> None:
        if self._offer() != self._held:
            raise ProtocolError(f"{self.name}: payload changed before the beat was taken")
