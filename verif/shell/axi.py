# SPDX-License-Identifier: Apache-2.0
"""A master and the monitors of one AXI4-Lite port, on the stream agents of verif/common.

Every channel is a stream, so what they check (valid kept until ready, payload still, no X)
is checked on all five, and each channel has gaps of its own.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from cocotb.utils import get_sim_time

from verif.common.streams import StreamDriver, StreamMonitor, StreamSink

OKAY, SLVERR = 0, 2
ALL = 0xF  # every byte of a word
CHANNELS = {
    "aw": ("addr",),
    "w": ("data", "strb"),
    "b": ("resp",),
    "ar": ("addr",),
    "r": ("data", "resp"),
}


class Access(NamedTuple):
    """One access as the pins showed it, told when its response was taken.

    Attributes:
        order: of a write: address_first, data_first or together.
    """

    write: bool
    address: int
    data: int
    strobe: int
    response: int
    order: str


class AxiLiteMonitor:
    """Sees the five channels; checks each as a stream, and that no response comes unasked.

    Args:
        dut: The design.
        clock: Its clock.
        reset: Active-high reset, or anything with such a `value`.
        prefix: Of the port.
        callback: Called with each access.
    """

    def __init__(
        self,
        dut: Any,
        clock: Any,
        *,
        reset: Any,
        prefix: str = "s_axi",
        callback: Callable[[Access], None] | None = None,
    ) -> None:
        self._callback = callback or (lambda access: None)
        self._waiting: dict[str, deque] = {"aw": deque(), "w": deque(), "ar": deque()}
        self.channels = {
            channel: StreamMonitor(
                dut,
                prefix,
                clock,
                reset=reset,
                callback=lambda beat, channel=channel: self._take(channel, beat),
                fields=fields,
                spelled=channel + "{}",
            )
            for channel, fields in CHANNELS.items()
        }

    @property
    def writes(self) -> list[int]:
        """Response of each write so far."""
        return self.channels["b"].beats

    @property
    def reads(self) -> list[tuple[int, int]]:
        """Data and response of each read so far."""
        return self.channels["r"].beats

    def _take(self, channel: str, beat: Any) -> None:
        if channel == "b":
            self._callback(self._written(beat))
        elif channel == "r":
            assert self._waiting["ar"], "r without ar"
            address, _ = self._waiting["ar"].popleft()
            self._callback(Access(False, address, beat[0], ALL, beat[1], ""))
        else:
            self._waiting[channel].append((beat, get_sim_time()))

    def _written(self, response: int) -> Access:
        assert self._waiting["aw"] and self._waiting["w"], "b before aw and w"
        address, address_time = self._waiting["aw"].popleft()
        (data, strobe), data_time = self._waiting["w"].popleft()
        later = (address_time > data_time) - (address_time < data_time)
        order = ("together", "data_first", "address_first")[later]
        return Access(True, address, data, strobe, response, order)


class AxiLite:
    """A master of one AXI4-Lite port.

    Accesses may be started side by side; each direction answers in order.

    Args:
        dut, clock, reset, prefix, callback: as AxiLiteMonitor.
        gaps: channel (aw, w, b, ar, r) -> style of its idle clocks; default none.

    Attributes:
        monitor: of the same port.
        drivers: channel (aw, w, ar) -> its driver, for tests that hold one back.
        sinks: channel (b, r) -> its driver of ready.
        gaps: channel -> style now.
    """

    def __init__(
        self,
        dut: Any,
        clock: Any,
        *,
        reset: Any,
        prefix: str = "s_axi",
        gaps: dict[str, str] | None = None,
        callback: Callable[[Access], None] | None = None,
    ) -> None:
        self.gaps = style = dict.fromkeys(CHANNELS, "none") | (gaps or {})
        self.monitor = AxiLiteMonitor(dut, clock, reset=reset, prefix=prefix, callback=callback)
        self.drivers = {
            c: StreamDriver(dut, prefix, clock, gaps=style[c], fields=CHANNELS[c], spelled=c + "{}")
            for c in ("aw", "w", "ar")
        }
        self.sinks = {
            c: StreamSink(dut, prefix, clock, gaps=style[c], spelled=c + "{}") for c in ("b", "r")
        }
        self._writes = self._reads = 0

    def set_gaps(self, **gaps: str) -> None:
        """Change the style of some channels."""
        self.gaps |= gaps
        for channel, style in gaps.items():
            (self.drivers | self.sinks)[channel].set_gaps(style)

    async def write(self, address: int, data: int, *, strobe: int = ALL) -> int:
        """Write a word and return the response."""
        number, self._writes = self._writes, self._writes + 1
        self.drivers["aw"].append([address])
        self.drivers["w"].append([(data, strobe)])
        await self.monitor.channels["b"].wait_for(number + 1)
        return self.monitor.writes[number]

    async def read(self, address: int) -> tuple[int, int]:
        """Read a word and return it with the response."""
        number, self._reads = self._reads, self._reads + 1
        self.drivers["ar"].append([address])
        await self.monitor.channels["r"].wait_for(number + 1)
        return self.monitor.reads[number]
