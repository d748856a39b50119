# SPDX-License-Identifier: Apache-2.0
"""Judges every access and every beat by the register source and the golden model.

Software cannot know at which clock a status arrives. What depends on it is bounded: a status may
be seen once its command's packets are in, and must be seen once STATE has told of it.
"""

from collections.abc import Mapping

import cocotb
from cocotb.utils import get_sim_time
from pasa import formats
from pasa.command import unpack_command
from pyuvm import uvm_component

from verif.common.rdl import Register, load
from verif.shell.axi import OKAY, SLVERR, Access
from verif.shell.coverage import count
from verif.shell.golden import EXACT, Golden, Job
from verif.shell.heads import BEAT_BYTES, INPUTS

DEPTH = 8  # of the FIFOs of commands and statuses
READY, REFUSED, OVERFLOW, UNDERFLOW = 1, 2, 4, 8  # INTERRUPT_STATUS
WORDS = formats.STATUS_BITS // 32


class Scoreboard(uvm_component):
    """Holds what software would know, and counts what it found right.

    Attributes:
        accesses, refusals, beats, statuses: checked so far.
        waiting: statuses that are surely in the FIFO.
        room: commands that the FIFO surely takes.
        resetting: a soft reset may still last.
    """

    def __init__(
        self, name: str, parent: uvm_component, golden: Golden, parameters: Mapping[str, int]
    ) -> None:
        super().__init__(name, parent)
        self.golden = golden
        self.registers = load(parameters)
        self.by_address = {register.address: register for register in self.registers.values()}
        self.values = {name: r.reset for name, r in self.registers.items() if r.readable}
        self.accesses = self.refusals = self.beats = self.statuses = 0
        self.refused_before = False
        self.reset()
        self.resetting = False

    def reset(self) -> None:
        """A soft reset begins."""
        self.golden.reset()
        self.waiting = self.room = 0
        self.resetting = True
        self.certain = self.unsure = 0  # interrupts that are surely set, that may be
        self.settle()

    def settle(self) -> None:
        """All is idle, and every sticky bit that hardware sets was just cleared."""
        self.cleared = False  # software has cleared sticky bits since
        self.golden.causes = 0
        self.popped_before = self.golden.popped

    # ---- streams ---------------------------------------------------------------------------

    def beat(self, stream: str, beat: tuple[int, int, int]) -> None:
        """A beat was taken."""
        self.beats += 1
        if stream == "output":
            self.golden.output_beat(beat)
        else:
            self.golden.beat(stream, beat)

    # ---- accesses ----------------------------------------------------------------------------

    def access(self, access: Access) -> None:
        """A response was taken: of a legal access it is what the source says, else SLVERR."""
        self.accesses += 1
        refusal = self.refusal(access)
        if refusal:
            self.refusals += 1
            count(refused=refusal)
            assert access.response == SLVERR, f"{access}: must be SLVERR"
            assert access.write or access.data == 0, f"{access}: data must be 0"
            return
        register = self.by_address[access.address]
        special = "write" if access.write else "read"
        check = getattr(self, f"_{special}_{register.name.rstrip('0123456789_').lower()}", None)
        count(access=f"{register.name}_{special}")
        if access.write:
            count(strobe=str(access.strobe), order=access.order)
            (check or self._store)(register, access)
        else:
            assert access.response == OKAY, f"{access}: must be OKAY"
            (check or self._kept)(register, access.data)

    def refusal(self, access: Access) -> str | None:
        """Why an access is illegal, a bin of coverage; None when it is not."""
        kind = "write" if access.write else "read"
        register = self.by_address.get(access.address)
        if access.address % 4:
            return f"unaligned_{kind}"
        if register is None:
            return f"unmapped_{kind}"
        if access.write:
            return None if register.writable else "read_only_written"
        return None if register.readable else "write_only_read"

    def _store(self, register: Register, access: Access) -> None:
        assert access.response == OKAY, f"{access}: must be OKAY"
        value = self.values[register.name]
        self.values[register.name] = register.after_write(value, access.data, access.strobe)

    def _kept(self, register: Register, data: int) -> None:
        want = self.values[register.name]
        assert data == want, f"{register.name} is {data:#010x}, must be {want:#010x}"

    def _acts(self, access: Access, *, possible: bool, certain: bool, name: str) -> bool:
        """Whether a SUBMIT or STATUS_POP did something; checks that it did what it could."""
        if not access.data & access.strobe & 1:
            assert access.response == OKAY
            count(**{name: "nothing"})
            return False
        done = access.response == OKAY
        assert done or access.response == SLVERR
        if self.resetting and not done:
            count(**{name: "in_reset"})
        else:
            assert possible if done else not certain, f"{access}: {name} against all knowledge"
        return done

    def _write_submit(self, register: Register, access: Access) -> None:
        done = self._acts(access, possible=True, certain=self.room > 0, name="submit")
        if done:
            count(submit="queued")
            self.room = max(0, self.room - 1)
            record = sum(self.values[f"COMMAND_{word}"] << 32 * word for word in range(8))
            unpack_command(record)
            self.golden.submit(record)
        elif access.response == SLVERR and not self.resetting:
            count(submit="no_room", event="commands_full")
            self.certain |= OVERFLOW

    def _write_status_pop(self, register: Register, access: Access) -> None:
        possible = bool(self.golden.jobs)
        done = self._acts(access, possible=possible, certain=self.waiting > 0, name="pop")
        if done:
            count(pop="removed")
            self.waiting = max(0, self.waiting - 1)
            self._removed(self.golden.pop())
        elif access.response == SLVERR and not self.resetting:
            count(pop="none_waits")
            self.certain |= UNDERFLOW
        elif access.response == SLVERR:  # in the reset, or just after it
            self.unsure |= UNDERFLOW

    def _removed(self, job: Job) -> None:
        """Software took a status: its command is done."""
        late = 2 * BEAT_BYTES // self.golden.size  # beats that pasa_stream_out may still hold
        assert len(job.output) <= late, f"tag {job.command.tag}: {len(job.output)} beats missing"
        self.statuses += 1
        c, ran = job.command, job.outcome.result is not None
        events = {"ran"} if ran else set()
        events |= {"ran_after_refused"} if ran and self.refused_before else set()
        events |= {"keys_reused"} if ran and c.reuse_keys else set()
        events |= {"rows_merged"} if ran and c.merge_previous else set()
        events |= {"int16"} if ran and c.output_int16 else set()
        count(event=events, cause=job.outcome.causes)
        count(packet={f"{stream}_{fault}" for stream, fault in job.faults.items()})
        self.refused_before = not ran

    def _write_control(self, register: Register, access: Access) -> None:
        assert access.response == OKAY
        if access.data & access.strobe & 1:
            count(reset=self.busy_with())
            self.reset()

    def busy_with(self) -> set[str]:
        """What a soft reset interrupts, bins of coverage."""
        g = self.golden
        found = {"in_reset"} if self.resetting else set()
        found |= {"commands"} if g.submitted > g.popped + len(g.jobs) else set()
        found |= {"inside_packet"} if any(g.partial.values()) else set()
        found |= {"output"} if g.outputs else set()
        found |= {"statuses"} if self.waiting else set()
        return found or {"idle"}

    def _write_interrupt_status(self, register: Register, access: Access) -> None:
        assert access.response == OKAY
        bits = access.data & (0xF if access.strobe & 1 else 0)
        self.certain &= ~bits
        self.unsure &= ~bits
        self.cleared |= bool(bits & (READY | REFUSED))

    def _write_causes(self, register: Register, access: Access) -> None:
        assert access.response == OKAY
        self.cleared |= bool(access.data & (0xFF if access.strobe & 1 else 0))

    def _read_control(self, register: Register, data: int) -> None:
        assert data == 0 or (data == 1 and self.resetting), f"CONTROL is {data}"
        self.resetting &= bool(data)

    def _read_state(self, register: Register, data: int) -> None:
        parts = {n: (data & f.mask) >> f.low for n, f in register.fields.items()}
        if self.resetting and not data:
            return
        g = self.golden
        waiting, room = parts["status_waiting"], parts["command_room"]
        assert parts["in_flight"] + waiting == g.submitted - g.popped, f"{parts}"
        assert self.waiting <= waiting <= min(DEPTH, len(g.jobs)), f"{parts}"
        assert self.room <= room <= DEPTH, f"{parts}"
        assert parts["idle"] == (g.submitted == g.popped), f"{parts}"
        if waiting == DEPTH:
            count(event="statuses_full")
        self.waiting, self.room = waiting, room
        self.certain |= READY if waiting and not self.cleared else 0

    def _read_interrupt_status(self, register: Register, data: int) -> None:
        self.certain |= data & self.unsure
        self.unsure = 0
        exact = OVERFLOW | UNDERFLOW
        assert data & exact == self.certain & exact, f"INTERRUPT_STATUS is {data:#x}"
        assert data & self.certain == self.certain, f"INTERRUPT_STATUS is {data:#x}"
        any_came = self.golden.popped > self.popped_before or self.golden.jobs
        self._sticky(data & READY, READY if any_came else 0)
        self._sticky(data & REFUSED, REFUSED if self.golden.causes else 0)
        self._interrupt(data)

    def _interrupt(self, status: int) -> None:
        """The pin, when nothing may change the register meanwhile."""
        if self.golden.submitted == self.golden.popped and not self.resetting:
            enable = self.values["INTERRUPT_ENABLE"]
            level = int(cocotb.top.interrupt.value)
            assert level == (status & enable != 0), f"interrupt is {level}"
            if status:
                count(event="interrupt_raised" if level else "interrupt_masked")

    def _read_causes(self, register: Register, data: int) -> None:
        self._sticky(data, self.golden.causes)

    def _sticky(self, data: int, want: int) -> None:
        """At most what could have come; all of it when all came and nothing was cleared."""
        assert data & ~want == 0, f"sticky bits {data:#x}, at most {want:#x}"
        if self.golden.submitted == self.golden.popped and not self.cleared:
            assert data == want, f"sticky bits {data:#x}, must be {want:#x}"

    def _read_status(self, register: Register, data: int) -> None:
        if not self.golden.jobs:
            assert data == 0, f"{register.name} is {data:#x} while nothing can wait"
            return
        want = self.golden.jobs[0].status
        for name, field in register.fields.items():
            value = (data & field.mask) >> field.low
            if data == 0 and not self.waiting:
                continue
            if name in EXACT:
                assert value == want[name], f"status {name} is {value}, must be {want[name]}"
            else:
                assert value <= get_sim_time("ns") / 10, f"status {name} is {value}"

    def check_phase(self) -> None:
        g = self.golden
        assert self.accesses and self.beats and self.statuses, "nothing was checked"
        assert g.submitted == g.popped and not g.outputs, "commands without an answer"
        assert not any(g.packets[stream] for stream in INPUTS), "packets without a command"
