# SPDX-License-Identifier: Apache-2.0
"""A head through the models of cocotbext-axi, which know nothing of ours.

Environment: as shell_tests.py. A master of our own could share a misreading of the protocol with
the design; this one cannot.
"""

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import (
    AxiLiteBus,
    AxiLiteMaster,
    AxiResp,
    AxiStreamBus,
    AxiStreamFrame,
    AxiStreamSink,
    AxiStreamSource,
)
from pasa import formats, registers
from pasa.command import unpack_status

from verif.shell.golden import Golden
from verif.shell.heads import INPUTS, Draw
from verif.shell.shell_tests import BUILD, WIDTH

ADDRESS = registers.ADDRESS


def pauses(every: int):
    """A pause each `every` clocks, for a stream."""
    place = 0
    while True:
        place += 1
        yield place % every == 0


class Master:
    """AXI4-Lite and the streams of the shell."""

    def __init__(self, dut) -> None:
        self.dut = dut
        clock = {"clock": dut.aclk, "reset": dut.aresetn, "reset_active_level": False}
        self.bus = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axi"), **clock)
        self.sources = {
            stream: AxiStreamSource(AxiStreamBus.from_prefix(dut, f"s_axis_{stream}"), **clock)
            for stream in INPUTS
        }
        self.sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis_output"), **clock)
        self.sources["key"].set_pause_generator(pauses(3))
        self.sink.set_pause_generator(pauses(4))

    async def write(self, name: str, value: int) -> AxiResp:
        data = value.to_bytes(4, "little")
        return (await self.bus.write(ADDRESS[name], data)).resp

    async def read(self, name: str) -> int:
        answer = await self.bus.read(ADDRESS[name], 4)
        assert answer.resp == AxiResp.OKAY
        return int.from_bytes(answer.data, "little")

    async def status(self) -> dict[str, int]:
        """Wait for a status, take it away."""
        low, width = registers.FIELDS["STATE"]["status_waiting"]
        while not await self.read("STATE") >> low & ((1 << width) - 1):
            await ClockCycles(self.dut.aclk, 20)
        words = [await self.read(f"STATUS_{word}") for word in range(formats.STATUS_BITS // 32)]
        assert await self.write("STATUS_POP", 1) == AxiResp.OKAY
        return unpack_status(sum(word << 32 * place for place, word in enumerate(words)))


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def heads_through_another_master(dut):
    dut.aresetn.value = 0
    cocotb.start_soon(Clock(dut.aclk, 10, unit="ns").start())
    await ClockCycles(dut.aclk, 4)  # what a register holds before that means nothing
    master = Master(dut)
    await ClockCycles(dut.aclk, 4)
    dut.aresetn.value = 1
    assert await master.read("IDENTITY") == registers.RESET["IDENTITY"]
    assert await master.write("IDENTITY", 0) == AxiResp.SLVERR
    narrow = await master.bus.write(ADDRESS["COMMAND_0"] + 1, b"\x55")
    assert narrow.resp == AxiResp.SLVERR and await master.read("COMMAND_0") == 0
    draw, golden = Draw(BUILD, WIDTH), Golden(BUILD, WIDTH)
    for kind in ("good", "good", "shape", "key_short", "good"):
        head = draw.head(kind)
        record = head.command.pack()
        for word in range(formats.COMMAND_BITS // 32):
            await master.write(f"COMMAND_{word}", record >> 32 * word & 0xFFFFFFFF)
        assert await master.write("SUBMIT", 1) == AxiResp.OKAY
        golden.submit(record)
        for stream in INPUTS:
            beats = head.beats(stream, WIDTH)
            for beat in beats:
                golden.beat(stream, beat)
            raw = b"".join(data.to_bytes(WIDTH // 8, "little") for data, _, _ in beats)
            await master.sources[stream].send(AxiStreamFrame(raw))
        job = golden.jobs.popleft()
        status = await master.status()
        assert {name: status[name] for name in job.status} == job.status
        if job.output:
            want = b"".join(data.to_bytes(WIDTH // 8, "little") for data, _, _ in job.output)
            assert bytes((await master.sink.recv()).tdata) == want
    await ClockCycles(dut.aclk, 100)
    assert master.sink.empty()
