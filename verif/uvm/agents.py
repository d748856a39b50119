# SPDX-License-Identifier: Apache-2.0
"""Agents of the six streams, on the stream drivers and monitors of verif/common.

Drivers know pins and items; monitors know pins only. No driver tells anyone what it sent.
"""

from collections.abc import Callable

import cocotb
from cocotb.triggers import ClockCycles, Event, select
from cocotb.utils import get_sim_time
from pyuvm import (
    uvm_agent,
    uvm_analysis_port,
    uvm_component,
    uvm_driver,
    uvm_monitor,
    uvm_sequencer,
    uvm_subscriber,
)

from verif.common.streams import StreamDriver, StreamMonitor, StreamSink
from verif.uvm.items import Beat, Packet

PERIOD_NS = 10


def clock_number() -> int:
    """Number of the present clock edge."""
    return round(get_sim_time("ns")) // PERIOD_NS


class Tap(uvm_subscriber):
    """Hands what is written to it to one function, so a component can listen to several ports."""

    def __init__(self, name: str, parent: uvm_component, sink: Callable) -> None:
        super().__init__(name, parent)
        self.sink = sink

    def write(self, item) -> None:
        self.sink(item)


def payload(prefix: str) -> tuple[str, ...]:
    """Payload signals of a stream of the core."""
    names = ("data", "last", "broken")
    return tuple(name for name in names if hasattr(cocotb.top, f"{prefix}_{name}"))


class SourceDriver(uvm_driver):
    """Sends bursts; while ``dropping`` is set (a reset) it drops them instead."""

    def __init__(self, name: str, parent: uvm_component, prefix: str) -> None:
        super().__init__(name, parent)
        self.prefix, self.style = prefix, "none"
        self.dropping = Event()

    def build_phase(self) -> None:
        fields = payload(self.prefix)
        self.stream = StreamDriver(cocotb.top, self.prefix, cocotb.top.clk, fields=fields)

    async def run_phase(self) -> None:
        while True:
            item = await self.seq_item_port.get_next_item()
            if not self.dropping.is_set():
                await self.send(item)
            self.seq_item_port.item_done()

    async def send(self, item) -> None:
        """Until the last beat is taken, or the burst is dropped."""
        if item.gaps != self.style:
            self.style = item.gaps
            self.stream.set_gaps(item.gaps)
        await select(self.stream.send(item.beats), self.dropping.wait())
        self.stream.bus.valid.value = 0


class SinkDriver(uvm_driver):
    """Takes what the design sends, as ready as each item says."""

    def __init__(self, name: str, parent: uvm_component, prefix: str) -> None:
        super().__init__(name, parent)
        self.prefix = prefix

    def build_phase(self) -> None:
        self.stream = StreamSink(cocotb.top, self.prefix, cocotb.top.clk)

    async def run_phase(self) -> None:
        while True:
            item = await self.seq_item_port.get_next_item()
            self.stream.set_gaps(item.gaps)
            await ClockCycles(cocotb.top.clk, item.clocks)
            self.seq_item_port.item_done()


class Monitor(uvm_monitor):
    """Reports the beats and the packets of one stream; without ``last`` each beat is a packet."""

    def __init__(self, name: str, parent: uvm_component, prefix: str) -> None:
        super().__init__(name, parent)
        self.prefix = prefix

    def build_phase(self) -> None:
        self.beats = uvm_analysis_port("beats", self)
        self.packets = uvm_analysis_port("packets", self)
        self.count, self.partial, self.before, self.stalls_before = 0, [], 0, 0
        dut = cocotb.top
        self.stream = StreamMonitor(
            dut,
            self.prefix,
            dut.clk,
            reset=dut.rst,
            fields=payload(self.prefix),
            callback=self.take,
        )

    def take(self, seen: int | tuple[int, ...]) -> None:
        """A beat was taken: report it, and the packet that it ends."""
        data, last, broken, *_ = (*seen, 0) if isinstance(seen, tuple) else (seen, 1, 0)
        clock, stalled = clock_number(), self.stream.stalls - self.stalls_before
        idle = max(0, clock - self.before - 1 - stalled)
        self.before, self.stalls_before = clock, self.stream.stalls
        self.count += 1
        beat = Beat(data, last, clock, idle, stalled, broken)
        self.partial.append(beat)
        self.beats.write(beat)
        if last:
            packet, self.partial = Packet(tuple(self.partial)), []
            self.packets.write(packet)

    def forget(self) -> None:
        """A reset: drop the packet that was under way."""
        self.partial = []
        self.stalls_before = self.stream.stalls


class StreamAgent(uvm_agent):
    """Driver, sequencer and monitor of one stream, into the design or out of it."""

    def __init__(self, name: str, parent: uvm_component, prefix: str, driver: type) -> None:
        super().__init__(name, parent)
        self.prefix, self.driver_class = prefix, driver

    def build_phase(self) -> None:
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver = self.driver_class("driver", self, self.prefix)
        self.monitor = Monitor("monitor", self, self.prefix)

    def connect_phase(self) -> None:
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)
