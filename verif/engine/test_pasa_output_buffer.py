# SPDX-License-Identifier: Apache-2.0
"""pasa_output_buffer: rows written in any order leave in order, and proof that this bench can fail.

make unit M=pasa_output_buffer
"""

import os
import random
from dataclasses import dataclass, field

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamMonitor, StreamSink, start

TOP = "pasa_output_buffer"
GROUPS = int(os.environ.get("HEAD_DIM", "64")) // 16
PLACES = int(os.environ.get("OUTPUT_ROWS", "32"))
FIRST_BEAT = 6  # clocks from write_done to the first beat


@dataclass
class Row:
    """One row: what its descriptor says, and its groups of 16 codes as 256-bit words."""

    last: int
    slot: int
    int16: int
    words: list[int]
    unwritten: list[int] = field(default_factory=list)

    def beats(self) -> list[tuple[int, int]]:
        """(data, last) of the row's beats."""
        data = []
        for word in self.words:
            if self.int16:
                data += [word & ((1 << 128) - 1), word >> 128]
            else:
                data.append(sum((word >> 16 * i & 0xFF) << 8 * i for i in range(16)))
        return [(value, int(self.last and at == len(data) - 1)) for at, value in enumerate(data)]


def make_rows(count: int) -> list[Row]:
    """Random rows of several commands in alternating slots."""
    rows, slot = [], random.getrandbits(1)
    for at in range(count):
        last = int(random.random() < 0.2 or at == count - 1)
        words = [random.getrandbits(256) for _ in range(random.randint(1, GROUPS))]
        row = Row(last, slot, random.getrandbits(1), words, list(range(len(words))))
        random.shuffle(row.unwritten)
        rows.append(row)
        slot ^= last
    return rows


class Feeder:
    """Opens places in order and writes the groups of open rows in random order."""

    def __init__(self, dut, rows: list[Row], *, pace: float) -> None:
        self.dut, self.rows, self.pace = dut, rows, pace
        self.opened = self.freed = 0
        self.open: list[int] = []  # numbers of rows that are not written yet

    async def run(self) -> None:
        """Until every row was opened, written and freed."""
        while self.freed < len(self.rows):
            self._drive_open()
            self._drive_write()
            await RisingEdge(self.dut.clk)
            self.freed += int(self.dut.row_freed.value)
            assert self.freed <= self.opened
            assert int(self.dut.open_ready.value) >= int(self.dut.open_valid.value)
        self.dut.write_valid.value = self.dut.open_valid.value = 0

    def _drive_open(self) -> None:
        dut = self.dut
        free = self.opened < len(self.rows) and self.opened - self.freed < PLACES
        valid = free and random.random() < self.pace
        dut.open_valid.value = int(valid)
        if valid:
            row = self.rows[self.opened]
            dut.open_last.value, dut.open_slot.value = row.last, row.slot
            dut.open_int16.value, dut.open_last_group.value = row.int16, len(row.words) - 1
            self.open.append(self.opened)
            self.opened += 1

    def _drive_write(self) -> None:
        dut = self.dut
        valid = bool(self.open) and random.random() < self.pace
        dut.write_valid.value, dut.write_done.value = int(valid), random.getrandbits(1)
        if not valid:
            return
        number = random.choice([self.open[-1], random.choice(self.open)])
        row = self.rows[number]
        group = row.unwritten.pop()
        dut.write_row.value, dut.write_group.value = number % PLACES, group
        dut.write_data.value = row.words[group]
        dut.write_done.value = int(not row.unwritten)
        if not row.unwritten:
            self.open.remove(number)


async def check_command_done(dut, slots: list[int]) -> None:
    """command_done comes one clock after each last beat, with the slot of its command."""
    due = False
    while True:
        await RisingEdge(dut.clk)
        assert int(dut.command_done.value) == due
        if due:
            assert int(dut.command_done_slot.value) == slots.pop(0)
        due = all(int(getattr(dut, f"m_output_{n}").value) for n in ("valid", "ready", "last"))


async def begin(dut) -> None:
    dut.write_valid.value = dut.open_valid.value = dut.m_output_ready.value = 0
    await start(dut)


async def pass_rows(dut, rows: list[Row], *, pace: float, gaps: str) -> StreamMonitor:
    """Pass rows through and compare every beat, place and command."""
    beats = [beat for row in rows for beat in row.beats()]
    slots = [row.slot for row in rows if row.last]
    sink = StreamSink(dut, "m_output", dut.clk, gaps=gaps)
    monitor = StreamMonitor(dut, "m_output", dut.clk, reset=dut.rst)
    watcher = cocotb.start_soon(check_command_done(dut, slots))
    await Feeder(dut, rows, pace=pace).run()
    await monitor.wait_for(len(beats))
    await ClockCycles(dut.clk, 10)
    assert monitor.beats == beats
    assert not slots, f"{len(slots)} commands never ended"
    watcher.cancel()
    sink.stop()
    return monitor


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(pace=[0.4, 1.0], gaps=["none", "light", "heavy", "bursty"])
async def rows_leave_in_order(dut, pace, gaps):
    await begin(dut)
    await pass_rows(dut, make_rows(4 * PLACES), pace=pace, gaps=gaps)


@cocotb.test(timeout_time=200, timeout_unit="us")
async def works_after_a_reset_in_mid_flight(dut):
    await begin(dut)
    feeding = cocotb.start_soon(Feeder(dut, make_rows(PLACES), pace=1.0).run())
    await ClockCycles(dut.clk, PLACES * GROUPS)
    feeding.cancel()
    dut.write_valid.value = dut.open_valid.value = 0
    dut.rst.value = 1
    await ClockCycles(dut.clk, 1)
    dut.rst.value = 0
    await pass_rows(dut, make_rows(2 * PLACES), pace=0.5, gaps="light")


@cocotb.test(timeout_time=200, timeout_unit="us")
async def one_beat_a_clock(dut):
    """Rows that are ready leave without an idle clock, even when each is one beat."""
    await begin(dut)
    rows = make_rows(PLACES)
    for row in rows:
        row.int16, row.words, row.unwritten = 0, row.words[:1], [0]
    monitor = StreamMonitor(dut, "m_output", dut.clk, reset=dut.rst)
    feeding = cocotb.start_soon(Feeder(dut, rows, pace=1.0).run())
    await ClockCycles(dut.clk, 2 * PLACES + 10)
    dut.m_output_ready.value = 1
    await ClockCycles(dut.clk, PLACES + 1)
    assert monitor.beats == [beat for row in rows for beat in row.beats()]
    await feeding


@cocotb.test(timeout_time=200, timeout_unit="us")
async def first_beat_comes_soon(dut):
    await begin(dut)
    dut.m_output_ready.value = 1
    rows = make_rows(1)
    cocotb.start_soon(Feeder(dut, rows, pace=1.0).run())
    done = written = 0
    while not int(dut.m_output_valid.value):
        await RisingEdge(dut.clk)
        if int(dut.write_valid.value) & int(dut.write_done.value):
            written, done = done, 1
        written += done
    assert written == FIRST_BEAT + 1


def bench(run, *, sim, head_dim, output_rows, **options):
    shape = {"HEAD_DIM": head_dim, "OUTPUT_ROWS": output_rows}
    env = {name: str(value) for name, value in shape.items()}
    run(TOP, test_module=__name__, parameters=shape, env=env, sim=sim, **options)


@pytest.mark.parametrize(("head_dim", "output_rows"), [(16, 2), (64, 32)])
def test_design(sim, head_dim, output_rows):
    bench(simulate, sim=sim, head_dim=head_dim, output_rows=output_rows)


MUTANTS = {
    "not done": ("head_valid & done[place] &", "head_valid &"),
    "done stays": ("(done[p] & !clear)", "done[p]"),
    "overwritten": ("& (!next_valid | take)", ""),
    "halves": ("half_1 ? word_1[255:128]", "!half_1 ? word_1[255:128]"),
    "high bytes": ("word_1[16*c +: 8]", "word_1[16*c + 8 +: 8]"),
    "stall": (".read_enable(advance)", ".read_enable(1'b1)"),
    "freed early": ("row_freed <= reading & advance & final_beat & !rst", "row_freed <= take"),
    "freed twice": (
        "row_freed <= reading & advance & final_beat",
        "row_freed <= reading & final_beat",
    ),
    "last": ("last_1  <= row_last & final_beat", "last_1  <= row_last"),
    "slot": ("command_done_slot <= slot_out", "command_done_slot <= slot_2"),
    "untaken": (
        "m_output_valid & m_output_ready & m_output_last",
        "m_output_valid & m_output_last",
    ),
    "slow": ("(!reading | (advance & final_beat))", "!reading"),
    "reset": ("done[p] <= !rst & (", "done[p] <= ("),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", head_dim=32, output_rows=8, mutant=mutant)
