# SPDX-License-Identifier: Apache-2.0
"""pasa_registers: every bit as hdl/shell/pasa.rdl says, on any order of AXI4-Lite accesses.

make unit M=pasa_registers
"""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge, gather
from pasa import formats

from verif.common.rdl import load
from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import GAPS, start
from verif.shell.axi import OKAY, SLVERR, AxiLite

TOP = "pasa_registers"
BUILD = {"ROWS": 2, "PRED_KEYS": 8, "HEAD_DIM": 128, "TILE_KEYS": 512, "PRED_BITS": 5}
BUILD |= {"BLOCK_KEYS": 32, "MERGE_ROWS": 1024, "STREAM_BITS": 64}
REGISTERS = load(BUILD)
BY_ADDRESS = {register.address: register for register in REGISTERS.values()}
SPAN = 0x1000
WORD = (1 << 32) - 1
KEPT = [r for r in REGISTERS.values() if any(f.write == "store" for f in r.fields.values())]
DEPTH = 8


class Shell:
    """The port, and the pins that the FIFOs and the core drive in the real design."""

    def __init__(self, dut, **gaps):
        self.dut = dut
        self.port = AxiLite(dut, dut.clk, reset=dut.rst, gaps=gaps)
        self.values = {r.name: r.reset for r in REGISTERS.values() if r.readable}

    async def begin(self):
        dut = self.dut
        dut.m_command_ready.value = 1
        for pin in ("command_level", "s_status_valid", "s_status_data", "status_level"):
            getattr(dut, pin).value = 0
        dut.arrived.value = dut.arrived_causes.value = 0
        await start(dut)
        return self

    async def read(self, name: str) -> int:
        data, response = await self.port.read(REGISTERS[name].address)
        assert response == OKAY, f"{name}: {response}"
        return data

    async def write(self, name: str, data: int, strobe: int = 0xF) -> int:
        return await self.port.write(REGISTERS[name].address, data, strobe=strobe)

    async def expect(self, **values: int):
        for name, value in values.items():
            got = await self.read(name)
            assert got == value, f"{name} is {got:#010x}, must be {value:#010x}"

    async def arrive(self, causes: int):
        """The status of a command enters the FIFO."""
        self.dut.arrived.value, self.dut.arrived_causes.value = 1, causes
        await RisingEdge(self.dut.clk)
        self.dut.arrived.value = 0

    async def submit(self) -> int:
        return await self.write("SUBMIT", 1)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def every_address_answers_as_declared(dut):
    shell = await Shell(dut).begin()
    for address in range(0, SPAN, 4):
        register = BY_ADDRESS.get(address)
        legal = register is not None and register.readable
        want = (register.reset, OKAY) if legal else (0, SLVERR)
        assert await shell.port.read(address) == want, f"{address:#05x}"
    odd = [a for a in range(0x100) if a % 4] + random.sample(range(0x101, SPAN, 2), 20)
    for address in odd:
        assert await shell.port.read(address) == (0, SLVERR), f"{address:#05x}"
    empty = [a for a in range(0, SPAN, 4) if a not in BY_ADDRESS or not BY_ADDRESS[a].writable]
    empty = [a for a in empty if a < 0x140 or a % 0x64 == 0]
    for address in [*odd, *empty]:
        data = random.getrandbits(32) | 1
        assert await shell.port.write(address, data) == SLVERR, f"{address:#05x}"
    await shell.expect(**shell.values)
    assert not int(dut.interrupt.value)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def every_bit_and_strobe_follows_the_source(dut):
    shell = await Shell(dut).begin()
    for register in KEPT:
        tries = [(1 << bit, 0xF) for bit in range(32)] + [(WORD, 1 << byte) for byte in range(4)]
        tries += [(random.getrandbits(32), strobe) for strobe in range(16)]
        random.shuffle(tries)
        for data, strobe in tries:
            assert await shell.write(register.name, data, strobe) == OKAY
            value = register.after_write(shell.values[register.name], data, strobe)
            shell.values[register.name] = value
            await shell.expect(**{register.name: value})
        await shell.expect(**shell.values)  # and nothing else moved


def kept_state(command_level: int, status_level: int, in_flight: int, valid: bool) -> int:
    fields = REGISTERS["STATE"].fields
    values = {"command_room": DEPTH - command_level, "status_waiting": status_level}
    values |= {"in_flight": in_flight, "idle": int(not in_flight and not valid)}
    return sum(values[name] << field.low for name, field in fields.items())


@cocotb.test(timeout_time=500, timeout_unit="us")
async def state_and_status_show_what_waits(dut):
    shell = await Shell(dut).begin()
    words = formats.STATUS_BITS // 32
    in_flight = 0
    for _ in range(20):
        record, valid = random.getrandbits(formats.STATUS_BITS), random.random() < 0.7
        levels = random.randint(0, DEPTH), random.randint(1, DEPTH) if valid else 0
        dut.s_status_data.value, dut.s_status_valid.value = record, valid
        dut.command_level.value, dut.status_level.value = levels
        if random.random() < 0.5:
            assert await shell.submit() == OKAY
            in_flight += 1
        elif in_flight:
            await shell.arrive(0)
            in_flight -= 1
        await shell.expect(STATE=kept_state(*levels, in_flight, valid))
        for word in range(words):
            want = record >> 32 * word & WORD if valid else 0
            await shell.expect(**{f"STATUS_{word}": want})


@cocotb.test(timeout_time=100, timeout_unit="us")
async def commands_may_come_while_statuses_arrive(dut):
    shell = await Shell(dut).begin()
    for _ in range(7):
        assert await shell.submit() == OKAY
    submit = cocotb.start_soon(shell.submit())
    dut.arrived.value = 1
    await ClockCycles(dut.clk, 5)
    dut.arrived.value = 0
    assert await submit == OKAY and len(shell.port.monitor.writes) == 8
    await shell.expect(STATE=kept_state(0, 0, 3, False))


@cocotb.test(timeout_time=500, timeout_unit="us")
async def sticky_bits_and_interrupt(dut):
    shell = await Shell(dut).begin()
    status = causes = enable = 0
    for _ in range(80):
        action = random.randrange(4)
        if action == 0:
            found = random.choice((0, 1 << random.randrange(8), random.getrandbits(8)))
            await shell.arrive(found)
            status, causes = status | 1 | (found != 0) << 1, causes | found
        elif action == 1:
            enable = random.getrandbits(4)
            assert await shell.write("INTERRUPT_ENABLE", enable) == OKAY
        else:
            name = ("INTERRUPT_STATUS", "CAUSES")[action - 2]
            data, strobe = random.getrandbits(32), random.choice((0xF, 0x1, 0xE, 0x0))
            assert await shell.write(name, data, strobe) == OKAY
            if action == 2:
                status = REGISTERS[name].after_write(status, data, strobe)
            else:
                causes = REGISTERS[name].after_write(causes, data, strobe)
        await shell.expect(INTERRUPT_STATUS=status, CAUSES=causes, INTERRUPT_ENABLE=enable)
        assert int(dut.interrupt.value) == (status & enable != 0)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def a_bit_set_while_it_is_cleared_stays(dut):
    shell = await Shell(dut).begin()
    dut.arrived.value, dut.arrived_causes.value = 1, 0x55
    for name in ("INTERRUPT_STATUS", "CAUSES"):
        assert await shell.write(name, WORD) == OKAY
    await shell.expect(INTERRUPT_STATUS=0b0011, CAUSES=0x55)


@cocotb.test(timeout_time=500, timeout_unit="us")
async def submit_and_pop_act_once_or_not_at_all(dut):
    shell = await Shell(dut).begin()
    queued, popped = [], 0

    async def watch():
        nonlocal popped
        while True:
            await RisingEdge(dut.clk)
            if int(dut.m_command_valid.value):
                assert int(dut.m_command_ready.value), "queued without room"
                queued.append(int(dut.m_command_data.value))
            popped += int(dut.s_status_ready.value)

    cocotb.start_soon(watch())
    sent, taken = [], 0
    for _ in range(60):
        room, waiting = random.random() < 0.6, random.random() < 0.6
        dut.m_command_ready.value, dut.s_status_valid.value = room, waiting
        for word in random.sample(range(8), 2):
            name = f"COMMAND_{word}"
            data = random.getrandbits(32)
            shell.values[name] = REGISTERS[name].after_write(shell.values[name], data)
            assert await shell.write(name, data) == OKAY
        data, strobe = random.choice(((1, 0xF), (WORD, 0x1), (1, 0xE), (WORD - 1, 0xF)))
        acts = bool(data & strobe & 1)
        response = await shell.write("SUBMIT", data, strobe)
        assert response == (SLVERR if acts and not room else OKAY)
        if acts and room:
            sent.append(sum(shell.values[f"COMMAND_{w}"] << 32 * w for w in range(8)))
        response = await shell.write("STATUS_POP", data, strobe)
        assert response == (SLVERR if acts and not waiting else OKAY)
        taken += acts and waiting
        failed = (acts and not room) << 2 | (acts and not waiting) << 3
        await shell.expect(INTERRUPT_STATUS=failed)
        await shell.write("INTERRUPT_STATUS", WORD)
        assert queued == sent and popped == taken
    assert len(sent) > 5 and taken > 5


@cocotb.test(timeout_time=200, timeout_unit="us")
async def soft_reset_keeps_the_bus_and_what_software_wrote(dut):
    shell = await Shell(dut).begin()
    names = [r.name for r in KEPT]
    for name in names:
        data = random.getrandbits(32)
        assert await shell.write(name, data) == OKAY
        shell.values[name] = REGISTERS[name].after_write(0, data)
    assert await shell.submit() == OKAY
    await shell.arrive(0xFF)
    await shell.submit()
    dut.s_status_valid.value = dut.status_level.value = 1
    dut.s_status_data.value = record = random.getrandbits(formats.STATUS_BITS)
    for data, strobe in ((0, 0xF), (WORD, 0xE), (WORD - 1, 0xF)):
        assert await shell.write("CONTROL", data, strobe) == OKAY
        await shell.expect(CONTROL=0)
    assert await shell.write("CONTROL", WORD) == OKAY
    assert int(dut.core_rst.value)
    await shell.expect(CONTROL=1, STATE=0, STATUS_0=0, INTERRUPT_STATUS=0, CAUSES=0)
    assert not int(dut.interrupt.value)
    assert await shell.write("CONTROL", 1) == OKAY  # anew
    assert await shell.submit() == SLVERR
    assert await shell.write("STATUS_POP", 1) == SLVERR
    await shell.expect(**{name: shell.values[name] for name in names})
    await shell.expect(INTERRUPT_STATUS=0, CONTROL=0)
    await shell.expect(STATUS_0=record & WORD, STATE=kept_state(0, 1, 0, True))
    assert await shell.submit() == OKAY


@cocotb.test(timeout_time=100, timeout_unit="us")
async def soft_reset_lasts(dut):
    shell = await Shell(dut).begin()
    await ClockCycles(dut.clk, 2)
    assert not int(dut.core_rst.value)
    cocotb.start_soon(shell.write("CONTROL", 1))
    await dut.core_rst.value_change
    clocks = 0
    while True:
        await RisingEdge(dut.clk)
        if not int(dut.core_rst.value):
            break
        clocks += 1
    assert clocks == 16


@cocotb.test(timeout_time=500, timeout_unit="us")
@cocotb.parametrize(gaps=list(GAPS))
async def any_order_of_channels_is_answered_in_order(dut, gaps):
    """Writes to one half of the record beside reads of the other; nothing waits for anything."""
    styles = {channel: random.choice(list(GAPS)) for channel in ("aw", "w", "ar")}
    shell = await Shell(dut, **styles, b=gaps, r=gaps).begin()
    for word in range(8):
        data = random.getrandbits(32)
        name = f"COMMAND_{word}"
        shell.values[name] = REGISTERS[name].after_write(0, data)
        assert await shell.write(name, data) == OKAY
    writes, reads, wanted, got = [], [], [], []
    for _ in range(120):
        name, data = f"COMMAND_{random.randrange(4)}", random.getrandbits(32)
        address = REGISTERS[name].address
        if random.random() < 0.2:
            address, name = random.choice((address + 1, 0x0FC, 0x000, 0x080)), None
        writes.append(cocotb.start_soon(shell.port.write(address, data)))
        wanted.append(OKAY if name else SLVERR)
        if name:
            shell.values[name] = REGISTERS[name].after_write(0, data)
        name = f"COMMAND_{random.randrange(4, 8)}"
        bad = random.random() < 0.2
        address = random.choice((0x060, 0x0A8, 0x3FE, 0xFFC)) if bad else REGISTERS[name].address
        reads.append(cocotb.start_soon(shell.port.read(address)))
        got.append((0, SLVERR) if bad else (shell.values[name], OKAY))
    assert list(await gather(*writes)) == wanted
    assert list(await gather(*reads)) == got
    await shell.expect(**{f"COMMAND_{word}": shell.values[f"COMMAND_{word}"] for word in range(8)})
    await ClockCycles(dut.clk, 20)
    assert len(shell.port.monitor.writes) == len(shell.port.monitor.reads) == 128


@cocotb.test(timeout_time=100, timeout_unit="us")
async def data_may_come_long_before_its_address(dut):
    shell = await Shell(dut).begin()
    port = shell.port
    for first, then in (("w", "aw"), ("aw", "w")):
        data = random.getrandbits(16)
        beats = {"aw": REGISTERS["COMMAND_0"].address, "w": (data, 0xF)}
        writes = port.monitor.writes
        count = len(writes)
        await port.drivers[first].send([beats[first]])
        await ClockCycles(dut.clk, 30)
        assert len(writes) == count
        await port.drivers[then].send([beats[then]])
        await ClockCycles(dut.clk, 4)
        assert writes[count:] == [OKAY]
        await shell.expect(COMMAND_0=data)


def bench(run, *, sim, **options):
    run(TOP, test_module=__name__, parameters=BUILD, sim=sim, **options)


def test_design(sim):
    bench(simulate, sim=sim)


MUTANTS = {
    "response": ("(!s_axi_bvalid | b_fire);", "1'b1;"),
    "strobe": ("& strobe[b[1:0]])", ")"),
    "unaligned": ("(aw & ~12'h01c)", "(aw & ~12'h01d)"),
    "clear wins": ("{4{write & write_interrupt}})) | events", "{4{1'b1}})) | events"),
    "overflow": ("submit & !submit_fails", "submit"),
    "write in reset": ("submit & (core_rst | !m_command_ready)", "submit & !m_command_ready"),
    "in flight": ("if (arrived & !m_command_valid)", "if (arrived)"),
    "forgets": ("if (rst) enable <= 4'd0;", "if (rst | core_rst) enable <= 4'd0;"),
    "short reset": ("RESET_CLOCKS[COUNT_BITS-1:0] - 1'b1", "4'd2"),
    "stale": ("{`PASA_STATUS_BITS{s_status_valid & !core_rst}}", "{`PASA_STATUS_BITS{1'b1}}"),
    "underflow": ("wire [3:0] events = {pop_fails,", "wire [3:0] events = {pop,"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, sim="icarus", mutant=(f"{TOP}.v", *MUTANTS[name]))
