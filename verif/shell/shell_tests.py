# SPDX-License-Identifier: Apache-2.0
"""The pyuvm tests of the shell; test_pasa_axi.py builds the designs and runs them.

Environment: PASA_SHELL_BUILD, the parameters as JSON; PASA_SHELL_ACTIONS, how many random actions.
"""

import json
import os
import random

import cocotb
import pyuvm
from cocotb.triggers import ClockCycles
from cocotb_coverage.coverage import coverage_db
from pasa import formats
from pasa.formats import Build
from pyuvm import uvm_sequence, uvm_status_e, uvm_test

from verif.common.rdl import Register
from verif.shell import coverage
from verif.shell.axi import SLVERR
from verif.shell.env import ShellEnv
from verif.shell.heads import INPUTS, Draw, Head
from verif.shell.register_model import BusItem
from verif.shell.scoreboard import DEPTH

PARAMETERS = json.loads(os.environ.get("PASA_SHELL_BUILD", "{}"))
WIDTH = PARAMETERS.pop("stream_bits", 128)
BUILD = Build(**PARAMETERS)
ACTIONS = int(os.environ.get("PASA_SHELL_ACTIONS", "1000"))
PATIENCE = 400  # polls of STATE in which a command must end
WORD = (1 << 32) - 1


class Software(uvm_sequence):
    """What a driver does, and what it should not do, through the register model or beside it."""

    def __init__(self, env: ShellEnv) -> None:
        super().__init__("software")
        self.env, self.model, self.board = env, env.model, env.scoreboard
        self.draw = Draw(env.hardware, env.width)
        self.owed: list[Head] = []  # submitted, packets not yet sent

    # ---- accesses ------------------------------------------------------------------------------

    async def raw(self, *, write: bool, address: int, data: int = 0, strobe: int = 0xF) -> BusItem:
        """An access past the register model; a store reaches its mirror all the same."""
        item = BusItem(write=write, address=address, data=data, strobe=strobe)
        await self.start_item(item)
        await self.finish_item(item)
        register = self.board.by_address.get(address)
        if write and register and any(f.write == "store" for f in register.fields.values()):
            self.model.get_reg_by_name(register.name).predict(self.board.values[register.name])
        return item

    async def write(self, name: str, value: int) -> bool:
        """Write through the register model; whether it was OKAY."""
        return await self.model.get_reg_by_name(name).write(value) == uvm_status_e.UVM_IS_OK

    async def read(self, name: str) -> int:
        """Read through the register model, and compare what only software changes with it."""
        register = self.model.get_reg_by_name(name)
        mirrored = register.get_mirrored_value()
        status, value = await register.read()
        assert status == uvm_status_e.UVM_IS_OK, name
        if not self.board.registers[name].volatile:
            assert value == mirrored, f"{name} is {value:#010x}, mirrored {mirrored:#010x}"
        return value

    async def state(self) -> dict[str, int]:
        """STATE, field by field."""
        data = await self.read("STATE")
        fields = self.board.registers["STATE"].fields.values()
        return {field.name: (data & field.mask) >> field.low for field in fields}

    # ---- commands ------------------------------------------------------------------------------

    def send(self, head: Head) -> None:
        """The packets of a head, each stream on its own."""
        for stream in INPUTS:
            self.env.sources[stream].send(head.beats(stream, self.env.width))

    async def submit(self, kind: str | None = None, *, packets: bool = True) -> bool:
        """Write a record in any order, submit it, send its packets; whether there was room."""
        head = self.draw.head(kind)
        record = head.command.pack()
        words = [f"COMMAND_{word}" for word in range(formats.COMMAND_BITS // 32)]
        for name in random.sample(words, len(words)):
            await self.write(name, record >> 32 * int(name[-1]) & WORD)
        early = packets and not self.owed and self.board.room > 0 and random.random() < 0.3
        if early:
            self.send(head)
        done = await self.write("SUBMIT", 1)
        assert done or not early, "no room where STATE told of some"
        if done and not packets:
            self.owed.append(head)
        elif done and not early:
            self.pay()
            self.send(head)
        return done

    def pay(self) -> None:
        """Send the packets that commands wait for."""
        for head in self.owed:
            self.send(head)
        self.owed.clear()

    async def fill(self, kind: str | None = None) -> None:
        """Submit until there is no room, and send no packet."""
        for _ in range(4 * DEPTH):
            if not await self.submit(kind, packets=False):
                return
        raise AssertionError("room without end")

    async def take_status(self) -> None:
        """Read some words of the oldest status and remove it, as a driver does; maybe too early."""
        if (await self.state())["status_waiting"] or random.random() < 0.3:
            for word in random.sample(range(formats.STATUS_BITS // 32), random.randint(0, 10)):
                await self.read(f"STATUS_{word}")
            await self.write("STATUS_POP", 1)

    async def finish(self) -> None:
        """Until every command has answered and every status is taken; then all must be quiet."""
        self.pay()
        for _ in range(PATIENCE):
            state = await self.state()
            if state["idle"]:
                break
            if state["status_waiting"]:
                for word in range(formats.STATUS_BITS // 32):
                    await self.read(f"STATUS_{word}")
                assert await self.write("STATUS_POP", 1)
            else:
                await ClockCycles(cocotb.top.aclk, 40)
        else:
            raise AssertionError(f"no end: {state}, {self.board.statuses} statuses")
        await self.read("INTERRUPT_STATUS")
        await self.read("CAUSES")
        await self.write("INTERRUPT_STATUS", WORD)
        await self.write("CAUSES", WORD)
        self.board.settle()
        assert await self.read("INTERRUPT_STATUS") == await self.read("CAUSES") == 0
        await ClockCycles(cocotb.top.aclk, 40)  # the last output may wait for a slow sink
        assert not self.env.golden.outputs

    # ---- actions -------------------------------------------------------------------------------

    async def command(self) -> None:
        """A head, good or bad."""
        await self.submit()

    async def illegal(self) -> None:
        """An access that must be refused."""
        write, known = random.random() < 0.5, self.board.by_address
        kind = random.choice(("unaligned", "unmapped", "access"))
        if kind == "unaligned":
            address = random.choice((random.choice(list(known)), random.randrange(0, 4096, 4)))
            address += random.randint(1, 3)
        elif kind == "unmapped":
            free = [a for a in range(0, 4096, 4) if a not in known]
            address = random.choice((0x028, 0x0AC, 0x064, 0xFFC, random.choice(free)))
        else:
            wrong = [r for r in known.values() if not (r.writable if write else r.readable)]
            address = random.choice(wrong).address
        data = random.getrandbits(32)
        item = await self.raw(write=write, address=address, data=data, strobe=random.getrandbits(4))
        assert item.response == SLVERR

    async def look(self) -> None:
        """Any register that may be read."""
        readable = [r.name for r in self.board.registers.values() if r.readable]
        await self.read(random.choice(readable))

    async def scribble(self) -> None:
        """A store with any strobe, in the record or the enables."""
        kept = [r for r in self.board.registers.values() if self._kept(r)]
        register, strobe = random.choice(kept), random.getrandbits(4)
        data = random.getrandbits(32)
        await self.raw(write=True, address=register.address, data=data, strobe=strobe)
        await self.read(register.name)

    @staticmethod
    def _kept(register: Register) -> bool:
        return any(f.write == "store" for f in register.fields.values())

    async def clear(self) -> None:
        """Some sticky bits."""
        name = random.choice(("INTERRUPT_STATUS", "CAUSES"))
        await self.read(name)
        await self.write(name, random.choice((0, WORD, random.getrandbits(8))))
        await self.read(name)

    async def nothing(self) -> None:
        """A write of 0, or without the byte that matters, to a register that acts on 1."""
        name = random.choice(("SUBMIT", "STATUS_POP", "CONTROL"))
        data, strobe = random.choice(((0, 0xF), (WORD - 1, 0x1), (WORD, 0xE), (1, 0)))
        address = self.board.registers[name].address
        await self.raw(write=True, address=address, data=data, strobe=strobe)

    async def wait(self) -> None:
        """Some clocks without software, and other gaps after them."""
        await ClockCycles(cocotb.top.aclk, random.choice((1, 10, random.randint(1, 400))))
        self.env.vary()

    async def reset(self) -> None:
        """A soft reset at any clock; at times another in the middle, or other accesses."""
        await ClockCycles(cocotb.top.aclk, random.randint(0, 100))
        self.env.cut()
        self.owed.clear()
        self.draw.before = None
        for _ in range(random.choice((1, 1, 2))):
            assert await self.write("CONTROL", 1)
        dead = cocotb.start_soon(self.env.check_reset()) if self._soon() else None
        if random.random() < 0.5:
            await self.write("STATUS_POP", 1)
        if random.random() < 0.5 and await self.write("SUBMIT", 1):
            await self.write("CONTROL", 1)  # too late to be refused: forget that command as well
        if dead is not None:
            await dead
        for _ in range(PATIENCE):
            if not await self.read("CONTROL"):
                break
        assert not self.board.resetting, "reset without end"
        self.env.resume()
        state = await self.state()
        assert state["idle"] and state["command_room"] == DEPTH, f"{state}"
        self.board.settle()

    def _soon(self) -> bool:
        """The response of CONTROL came so soon that the reset lasts for eight clocks more."""
        return self.env.port.gaps["b"] == "none"

    async def fill_commands(self) -> None:
        """More commands than fit, while no packet comes."""
        await self.finish()
        await self.fill()
        state = await self.state()
        assert state["command_room"] == 0 and not await self.write("SUBMIT", 1), f"{state}"
        await self.read("INTERRUPT_STATUS")
        if random.random() < 0.5:
            await self.reset()
        else:
            await self.finish()

    async def fill_statuses(self) -> None:
        """More statuses than fit: the accelerator waits and loses none."""
        await self.finish()
        golden = self.env.golden
        for _ in range(PATIENCE):
            if golden.submitted - golden.popped < DEPTH + 3:
                await self.submit(random.choice((*formats.CAUSES, "good")))
            elif (await self.state())["status_waiting"] == DEPTH:
                break
            await ClockCycles(cocotb.top.aclk, 40)
        else:
            raise AssertionError("the FIFO of statuses never filled")
        await ClockCycles(cocotb.top.aclk, 500)
        state = await self.state()
        assert (state["status_waiting"], state["in_flight"]) == (DEPTH, 3), f"{state}"
        if random.random() < 0.3:
            await self.reset()

    async def reset_while_full(self) -> None:
        """A soft reset while every buffer of the shell holds something."""
        await self.finish()
        for kind in ("shape", "good", "good", "good"):
            await self.submit(kind)
        self.env.hold_output()
        for _ in range(PATIENCE):
            if (await self.state())["status_waiting"] and self.env.output_waits:
                break
            await ClockCycles(cocotb.top.aclk, 20)
        else:
            raise AssertionError("no output came")
        await self.fill("good")
        head = self.draw.head("good")
        for stream in INPUTS:  # beats that no command will ask for
            self.env.sources[stream].send([(0, beat[1], 0) for beat in head.beats(stream, WIDTH)])
        await ClockCycles(cocotb.top.aclk, 100)
        self.env.port.set_gaps(**dict.fromkeys(self.env.port.gaps, "none"))
        await self.reset()
        self.env.vary()
        await self.submit("good")
        await self.finish()

    WEIGHTS = {
        command: 24,
        illegal: 20,
        look: 14,
        scribble: 12,
        take_status: 18,
        clear: 6,
        nothing: 5,
        wait: 6,
        reset: 4,
        finish: 2,
        fill_commands: 0.5,
        fill_statuses: 0.5,
        reset_while_full: 0.5,
    }

    async def body(self) -> None:
        """Random actions; the shell must be right in each and alive after all."""
        for _ in range(ACTIONS):
            action = random.choices(list(self.WEIGHTS), list(self.WEIGHTS.values()))[0]
            await action(self)
        await self.finish()

    async def every_kind(self) -> None:
        """Each cause, each fault of each packet, and chains of good commands."""
        spoiled = [f"{stream}_{fault}" for stream in INPUTS for fault in self.draw.faults]
        for kind in (*formats.CAUSES, *spoiled, "good", *["merge"] * 6, "reuse"):
            if not await self.submit(kind):
                await self.finish()
        await self.finish()


class ShellTest(uvm_test):
    """Runs a sequence of software on the shell."""

    def build_phase(self) -> None:
        self.env = ShellEnv("env", self, BUILD, WIDTH)

    async def run_phase(self) -> None:
        self.raise_objection()
        await self.env.start()
        software = Software(self.env)
        software.sequencer = self.env.sequencer
        await self.stimulate(software)
        await ClockCycles(cocotb.top.aclk, 100)
        self.drop_objection()

    async def stimulate(self, software: Software) -> None:
        """What software does."""
        await software.start(self.env.sequencer)

    def report_phase(self) -> None:
        board = self.env.scoreboard
        self.logger.info(
            "%d actions: %d accesses (%d refused), %d beats, %d statuses",
            *(ACTIONS, board.accesses, board.refusals, board.beats, board.statuses),
        )


@pyuvm.test()
class RandomTransactions(ShellTest):
    """Legal and illegal accesses mixed with streams good and bad, and soft resets."""


@pyuvm.test()
class EveryKind(ShellTest):
    """Each cause of a refusal, each fault of a packet, rows and keys that go on."""

    async def stimulate(self, software: Software) -> None:
        await software.every_kind()


@pyuvm.test()
class ResetWhileFull(ShellTest):
    """Nothing of what a soft reset cuts off comes out later."""

    async def stimulate(self, software: Software) -> None:
        await software.reset_while_full()


@pyuvm.test(expect_fail=True)
class SilenceIsNotSuccess(ShellTest):
    """No output reaches the scoreboard, so this must fail."""

    def connect_phase(self) -> None:
        self.env.monitors["output"].kill()

    async def stimulate(self, software: Software) -> None:
        await software.submit("good")
        await software.finish()


@cocotb.test(stage=1)
async def coverage_is_closed(dut):
    """Every bin was hit; writes the coverage file."""
    coverage_db.export_to_xml("coverage.xml")
    missed = coverage.missed()
    assert not missed, f"{len(missed)} of {len(coverage.hits())} bins missed: {', '.join(missed)}"
