# SPDX-License-Identifier: Apache-2.0
"""The environment of the shell: an agent of AXI4-Lite, agents of four streams, the scoreboard.

    software (a sequence) -> register model -> bus driver -> pins -> monitors -> scoreboard
                          -> packets ------> stream drivers -> pins -> monitors -> golden model

Right of the pins nothing knows what a driver meant.
"""

import random
from pathlib import Path

import cocotb
from cocotb.queue import Queue
from cocotb.triggers import ClockCycles, Event, FallingEdge, select, with_timeout
from pasa.formats import Build
from pyuvm import uvm_component, uvm_driver, uvm_env, uvm_sequencer

from verif.common.rdl import TOLD
from verif.common.streams import GAPS, StreamDriver, StreamMonitor, StreamSink
from verif.shell.axi import AxiLite
from verif.shell.golden import Golden
from verif.shell.heads import INPUTS
from verif.shell.register_model import BusItem, register_model
from verif.shell.scoreboard import Scoreboard

FIELDS = ("data", "keep", "last")
PATIENCE_US = 20  # of an access: far more than all gaps together
RESPONSE_GAPS = ("none", "light", "heavy")  # shorter than a soft reset and than any command


class Switch:
    """A level that only the test knows, where an agent takes a reset signal."""

    def __init__(self) -> None:
        self.value = 0


class BusDriver(uvm_driver):
    """Carries out bus items one after another, each channel with its gaps."""

    def __init__(self, name: str, parent: uvm_component, port: AxiLite) -> None:
        super().__init__(name, parent)
        self.port = port

    async def run_phase(self) -> None:
        while True:
            item: BusItem = await self.seq_item_port.get_next_item()
            await with_timeout(self.carry_out(item), PATIENCE_US, "us")
            self.seq_item_port.item_done()

    async def carry_out(self, item: BusItem) -> None:
        """One access; its response comes back in the item."""
        if item.write:
            item.response = await self.port.write(item.address, item.data, strobe=item.strobe)
        else:
            item.data, item.response = await self.port.read(item.address)


class Source(uvm_component):
    """Sends packets into one stream, with gaps."""

    def __init__(self, name: str, parent: uvm_component, prefix: str) -> None:
        super().__init__(name, parent)
        dut = cocotb.top
        self.stream = StreamDriver(dut, prefix, dut.aclk, fields=FIELDS, spelled="t{}")
        self.packets: Queue = Queue()
        self.dropping = Event()

    async def run_phase(self) -> None:
        while True:
            beats = await self.packets.get()
            if not self.dropping.is_set():
                self.stream.set_gaps(random.choices(list(GAPS), (6, 2, 1, 1))[0])
                await select(self.stream.send(beats), self.dropping.wait())
                self.stream.bus.valid.value = 0

    def send(self, beats: list) -> None:
        """Send a packet after those before it."""
        if beats:
            self.packets.put_nowait(beats)

    def drop(self) -> None:
        """Forget what was to be sent."""
        while not self.packets.empty():
            self.packets.get_nowait()
        self.dropping.set()


class ShellEnv(uvm_env):
    """Everything around the shell but the software.

    Args:
        build: parameters of the hardware.
        width: of its streams, bits.

    Attributes:
        model: the register model, with its front door on the bus.
        resetting: while on, streams are not watched: a soft reset cuts them off.
    """

    def __init__(self, name: str, parent: uvm_component, build: Build, width: int) -> None:
        super().__init__(name, parent)
        self.hardware, self.width = build, width

    def build_phase(self) -> None:
        dut = cocotb.top
        self.hard, self.resetting = Switch(), Switch()
        self.golden = Golden(self.hardware, self.width)
        parameters = {name: getattr(self.hardware, name.lower()) for name in TOLD}
        parameters["STREAM_BITS"] = self.width
        self.scoreboard = Scoreboard("scoreboard", self, self.golden, parameters)
        self.port = AxiLite(dut, dut.aclk, reset=self.hard, callback=self.scoreboard.access)
        self.sequencer = uvm_sequencer("sequencer", self)
        self.driver = BusDriver("driver", self, self.port)
        self.model = register_model(parameters, self.sequencer, folder=Path.cwd())
        self.sources = {s: Source(f"{s}_source", self, f"s_axis_{s}") for s in INPUTS}
        self.sink = StreamSink(dut, "m_axis_output", dut.aclk, spelled="t{}")
        self.monitors = {stream: self._monitor(stream) for stream in (*INPUTS, "output")}

    def _monitor(self, stream: str) -> StreamMonitor:
        dut = cocotb.top
        prefix = f"m_axis_{stream}" if stream == "output" else f"s_axis_{stream}"
        return StreamMonitor(
            dut,
            prefix,
            dut.aclk,
            reset=self.resetting,
            fields=FIELDS,
            spelled="t{}",
            callback=lambda beat: self.scoreboard.beat(stream, beat),
        )

    def connect_phase(self) -> None:
        self.driver.seq_item_port.connect(self.sequencer.seq_item_export)

    async def start(self) -> None:
        """Clock and the reset of the whole."""
        dut = cocotb.top
        self.hard.value = self.resetting.value = 1
        dut.s_axi_awprot.value = dut.s_axi_arprot.value = 0
        dut.aresetn.value = 0
        cocotb.start_soon(cocotb.clock.Clock(dut.aclk, 10, unit="ns").start())
        await ClockCycles(dut.aclk, 4)
        dut.aresetn.value = 1
        await ClockCycles(dut.aclk, 2)
        self.hard.value = self.resetting.value = 0

    def vary(self) -> None:
        """Other gaps on the bus and on the output."""
        styles = {channel: random.choice(list(GAPS)) for channel in ("aw", "w", "ar")}
        styles |= {channel: random.choice(RESPONSE_GAPS) for channel in ("b", "r")}
        self.port.set_gaps(**styles)
        self.sink.set_gaps(random.choices(list(GAPS), (6, 2, 1, 1))[0])

    def hold_output(self) -> None:
        """Take no output until `vary`."""
        self.sink.stop()
        cocotb.top.m_axis_output_tready.value = 0

    @property
    def output_waits(self) -> bool:
        """A beat of output is on offer."""
        return bool(int(cocotb.top.m_axis_output_tvalid.value))

    def cut(self) -> None:
        """A soft reset is about to be asked for: stop the streams as software must."""
        self.resetting.value = 1
        for source in self.sources.values():
            source.drop()

    async def check_reset(self) -> None:
        """In soft reset no stream is ready or valid, at any clock of the next eight."""
        dut = cocotb.top
        for _ in range(8):
            await FallingEdge(dut.aclk)
            ready = [int(getattr(dut, f"s_axis_{stream}_tready").value) for stream in INPUTS]
            assert not any(ready) and not int(dut.m_axis_output_tvalid.value), "alive in reset"

    def resume(self) -> None:
        """The soft reset is over."""
        for source in self.sources.values():
            source.dropping.clear()
        self.resetting.value = 0
