# SPDX-License-Identifier: Apache-2.0
"""A master and the monitors of one AXI4-Lite port, on the stream agents of verif/common.

Every channel is a stream, so what they check (valid kept until ready, payload still, no X)
is checked on all five, and each channel has gaps of its own.
"""

from typing import Any

from verif.common.streams import StreamDriver, StreamMonitor, StreamSink

OKAY, SLVERR = 0, 2
ALL = 0xF  # every byte of a word


class AxiLite:
    """One AXI4-Lite port of the design, seen from its master.

    Accesses may be started side by side; each direction answers in order.

    Args:
        dut: The design.
        clock: Its clock.
        reset: Active-high reset, or anything with such a `value`.
        prefix: Of the port.
        gaps: channel (aw, w, b, ar, r) -> style of its idle clocks; default none.

    Attributes:
        writes: responses, one a write.
        reads: (data, response), one a read.
    """

    def __init__(
        self,
        dut: Any,
        clock: Any,
        *,
        reset: Any,
        prefix: str = "s_axi",
        gaps: dict[str, str] | None = None,
    ) -> None:
        style = dict.fromkeys(("aw", "w", "b", "ar", "r"), "none") | (gaps or {})

        def driver(channel: str, *fields: str) -> StreamDriver:
            spelled = channel + "{}"
            return StreamDriver(
                dut, prefix, clock, gaps=style[channel], fields=fields, spelled=spelled
            )

        def monitor(channel: str, *fields: str) -> StreamMonitor:
            spelled = channel + "{}"
            return StreamMonitor(dut, prefix, clock, reset=reset, fields=fields, spelled=spelled)

        #: Drivers of the channels of a write, for tests that hold one back.
        self.address, self.data = driver("aw", "addr"), driver("w", "data", "strb")
        self._read = driver("ar", "addr")
        for channel in ("b", "r"):
            StreamSink(dut, prefix, clock, gaps=style[channel], spelled=channel + "{}")
        self.requests = [monitor("aw", "addr"), monitor("w", "data", "strb"), monitor("ar", "addr")]
        self._written, self._got = monitor("b", "resp"), monitor("r", "data", "resp")
        self._writes = self._reads = 0

    @property
    def writes(self) -> list[int]:
        """Response of each write so far."""
        return self._written.beats

    @property
    def reads(self) -> list[tuple[int, int]]:
        """Data and response of each read so far."""
        return self._got.beats

    async def write(self, address: int, data: int, *, strobe: int = ALL) -> int:
        """Write a word and return the response."""
        number, self._writes = self._writes, self._writes + 1
        self.address.append([address])
        self.data.append([(data, strobe)])
        await self._written.wait_for(number + 1)
        return self.writes[number]

    async def read(self, address: int) -> tuple[int, int]:
        """Read a word and return it with the response."""
        number, self._reads = self._reads, self._reads + 1
        self._read.append([address])
        await self._got.wait_for(number + 1)
        return self.reads[number]
