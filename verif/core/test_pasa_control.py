# SPDX-License-Identifier: Apache-2.0
"""pasa_control: legal commands run in order, others are refused whole with all their causes.

make unit M=pasa_control
"""

import os
import random
from dataclasses import dataclass

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge
from pasa.accelerator import Accelerator
from pasa.command import Command, cause_names, unpack_command
from pasa.formats import COMMAND_BITS, Build

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamDriver, StreamSink, start

TOP = "pasa_control"
BUILD = Build(rows=1, pred_keys=4, head_dim=32, tile_keys=256, merge_rows=8)
SLOTS = int(os.environ.get("SLOTS", "4"))
PACKETS = ("query_packet", "key_packet", "value_packet")
GOOD = {
    "query_count": 5,
    "key_count": 256,
    "dims": 32,
    "key_length": 200,
    "score_multiplier": 1,
    "score_shift": 47,
    "predicted_multiplier": 1,
    "predicted_shift": 31,
    "output_multiplier": 1,
    "output_shift": 47,
    "predicted_slices": 2,
}
WRONG = (
    {"query_count": 0},
    {"query_count": 257},
    {"query_count": 9, "merge_next": 1},
    {"merge_previous": 1, "dims": 31},
    {"reuse_keys": 1, "key_count": 255},
    {"key_count": 0, "key_length": 0},
    {"key_count": 257},
    {"dims": 0},
    {"dims": 33},
    {"key_count": 65535},
    {"key_length": 257},
    {"use_budget": 1, "budget": 0},
    {"predicted_slices": 0},
    {"predicted_slices": 3},
    {"score_multiplier": 0},
    {"predicted_multiplier": 0},
    {"output_multiplier": 0},
    {"score_shift": 48},
    {"predicted_shift": 32},
    {"output_shift": 0},
    {"output_shift": 48},
    {"key_length": 257, "dims": 0, "output_shift": 0, "predicted_slices": 0},
)


#: What a command leaves, and one after it that differs in a single thing.
UNFIT = (
    ({}, {"reuse_keys": 1, "key_count": 255, "key_length": 255}),
    ({}, {"reuse_keys": 1, "dims": 31}),
    ({"merge_next": 1}, {"merge_previous": 1, "query_count": 4}),
    ({"merge_next": 1}, {"merge_previous": 1, "dims": 31}),
    ({"merge_next": 1}, {"merge_previous": 1, "use_threshold": 1}),
    ({"merge_next": 0}, {"merge_previous": 1}),
    ({"output_shift": 0}, {"reuse_keys": 1}),  # refused, so its keys are not there
)


@dataclass(frozen=True)
class Case:
    """A command, the packets that go wrong, and the causes of its status."""

    command: Command
    bad: frozenset[str]
    causes: frozenset[str]  # of the record and what was before; the loaders discard then
    status: frozenset[str]

    @property
    def rows_kept(self) -> int:
        return self.command.query_count if self.command.merge_next else 0


def next_record(last: dict) -> dict:
    """A good record: of its own, or one that may go on where the last one ended."""
    if random.random() < 0.5:
        keys = random.choice([256, 129, 128, 100, 100])
        own = {"query_count": random.choice([5, 8, 9]), "dims": random.choice([16, 32])}
        own |= {"use_threshold": random.getrandbits(1), "merge_next": int(random.random() < 0.3)}
        return GOOD | own | {"key_count": keys, "key_length": keys}
    record = dict(last) | {"reuse_keys": int(random.random() < 0.5)}
    record |= {"merge_previous": last.get("merge_next", 0) & int(random.random() < 0.8)}
    record |= {"merge_next": int(random.random() < 0.5)}
    if random.random() < 0.1:  # one thing differs, and may be one too many
        name = random.choice(["query_count", "key_count", "dims", "use_threshold"])
        key_count = 90 if record["key_count"] == 100 else 100
        record[name] = {"query_count": 7, "key_count": key_count, "dims": 17, "use_threshold": 1}[
            name
        ]
        record["key_length"] = record["key_count"]
        record["merge_previous"] = int(random.random() < 0.5)
    return record


def make_records() -> list[dict]:
    """Each wrong record once, each unfit pair twice, good ones and chains between."""
    groups = [[GOOD | wrong] for wrong in WRONG]
    groups += [[GOOD | left, GOOD | unfit] for left, unfit in UNFIT * 2]
    groups += [[GOOD | {"merge_next": 1}, GOOD | {"merge_previous": 1}] for _ in range(6)]
    random.shuffle(groups)
    records, last = [], GOOD
    for group in groups:
        for _ in range(random.randint(1, 4)):
            last = next_record(last)
            records.append(last)
        records += group
    return records


def make_cases() -> list[Case]:
    """The records as commands, with some packets that go wrong."""
    cases, golden, records = [], Accelerator(BUILD), make_records()
    for tag, record in enumerate(records):
        command = Command(**record, tag=tag)
        names = PACKETS[:1] if command.reuse_keys else PACKETS
        bad = frozenset(name for name in names if random.random() < 0.05)
        causes = golden.causes(command)
        q, k = (
            np.zeros((count, command.dims), dtype=np.int8)
            for count in (command.query_count, command.key_count)
        )
        tile = None if command.reuse_keys else k
        status = golden.execute(command, q, tile, tile, packet_causes=bad).causes
        cases.append(Case(command, bad, causes, status))
    return cases


class Loaders:
    """Three packet loaders: each ends its packet some clocks after the start, in any order.

    Attributes:
        places: of each command so far, (slot, place, halves of tiles that its keys take).
        busy: those whose status has not been taken, by number.
    """

    def __init__(self, dut, cases):
        self.dut, self.cases, self.places, self.busy = dut, cases, [], {}

    async def run(self):
        while True:
            await RisingEdge(self.dut.clk)
            started = int(self.dut.load_start.value)
            if started:
                await self.load(started, self.cases[len(self.places)])

    async def load(self, started: int, case: Case):
        dut, command = self.dut, case.command
        assert started == (0b001 if command.reuse_keys else 0b111)
        self.place(command)
        assert int(dut.load_discard.value) == bool(case.causes)
        if not case.causes:
            assert int(dut.load_queries.value) == command.query_count
            assert int(dut.load_keys.value) == command.key_count
            assert int(dut.load_dims.value) == command.dims
        ends = [random.randint(0, 20) if started >> i & 1 else None for i in range(3)]
        bad = sum((name in case.bad) << i for i, name in enumerate(PACKETS))
        for clock in range(max(end for end in ends if end is not None) + 1):
            done = sum((end == clock) << place for place, end in enumerate(ends))
            dut.load_done.value, dut.load_bad.value = done, 0 if case.causes else bad
            await RisingEdge(dut.clk)
            dut.load_done.value = 0

    def place(self, command: Command):
        """New keys go where no command under way has any; reused ones stay."""
        slot, place = int(self.dut.load_slot.value), int(self.dut.load_place.value)
        assert slot == len(self.places) % SLOTS
        halves = {place}
        if command.reuse_keys and self.places:
            assert place == self.places[-1][1]
            halves = self.places[-1][2]
        elif not command.reuse_keys:
            if command.key_count > BUILD.tile_keys // 2:
                assert place % 2 == 0, "a whole tile begins at its first half"
                halves = {place, place + 1}
            under_way = set().union(*self.busy.values())
            assert not halves & under_way, f"{halves} hold keys of commands under way"
        self.busy[len(self.places)] = halves
        self.places.append((slot, place, halves))


def field(signal, slot: int, width: int) -> int:
    """What a signal with a field for each slot holds of one of them."""
    return int(signal.value[width * slot + width - 1 : width * slot])


class Engine:
    """Takes jobs and ends them after a while: in order, but those that leave rows by their rows.

    Attributes:
        ran: (tag, slot, place) of each job.
        most: jobs that ran at once.
    """

    def __init__(self, dut, cases):
        self.dut, self.cases, self.ran, self.most = dut, cases, [], 0
        self.timed, self.leaving = [], []  # [clocks left, slot], [rows left, slot]

    async def run(self):
        dut = self.dut
        while True:
            await RisingEdge(dut.clk)
            if int(dut.job_valid.value) and int(dut.job_ready.value):
                self.take()
            self.most = max(self.most, len(self.timed) + len(self.leaving))
            self.end()
            dut.job_ready.value = int(random.random() < 0.5)

    def take(self):
        slot = int(self.dut.job_slot.value)
        record = field(self.dut.slot_command, slot, COMMAND_BITS)
        case = self.cases[unpack_command(record).tag]
        assert record == case.command.pack()
        self.ran.append((case.command.tag, slot, field(self.dut.slot_place, slot, 2)))
        if case.rows_kept:
            self.leaving.append([case.rows_kept, slot])
        else:
            self.timed.append([random.randint(1, 120), slot])

    def end(self):
        dut = self.dut
        dut.command_done.value = dut.row_kept.value = 0
        if self.leaving and random.random() < 0.2:
            left = random.choice(self.leaving)  # rows of two commands may be kept in any order
            dut.row_kept.value, dut.row_kept_slot.value = 1, left[1]
            left[0] -= 1
            self.leaving = [left for left in self.leaving if left[0]]
        if self.timed:
            self.timed[0][0] -= 1
            if self.timed[0][0] <= 0:
                dut.command_done.value = 1
                dut.command_done_slot.value = self.timed.pop(0)[1]


@cocotb.test(timeout_time=300, timeout_unit="us")
@cocotb.parametrize(gaps=["none", "bursty"])
async def runs_or_refuses_each_command(dut, gaps):
    pins = ("load_done", "load_bad", "job_ready", "command_done", "command_done_slot")
    for pin in (*pins, "row_kept", "row_kept_slot"):
        getattr(dut, pin).value = 0
    await start(dut)
    cases = make_cases()
    engine, loaders = Engine(dut, cases), Loaders(dut, cases)
    cocotb.start_soon(engine.run())
    cocotb.start_soon(loaders.run())
    StreamSink(dut, "report", dut.clk, gaps=gaps)
    driver = StreamDriver(dut, "s_command", dut.clk, gaps=gaps)
    cocotb.start_soon(driver.send([case.command.pack() for case in cases]))
    reports, commits, rollbacks, cleared = [], 0, 0, []
    while len(reports) < len(cases):
        await RisingEdge(dut.clk)
        commits += int(dut.query_commit.value)
        rollbacks += int(dut.query_rollback.value)
        if int(dut.clear_valid.value):
            cleared.append(int(dut.clear_slot.value))
        if int(dut.report_valid.value) and int(dut.report_ready.value):
            assert int(dut.report_slot.value) == len(reports) % SLOTS
            del loaders.busy[len(reports)]
            causes = cause_names(int(dut.report_causes.value))
            reports.append((int(dut.report_tag.value), causes))
    assert reports == [(case.command.tag, case.status) for case in cases]
    good = [case.command.tag for case in cases if not case.status]
    assert engine.ran == [(tag, *loaders.places[tag][:2]) for tag in good]
    assert commits == len(good) and rollbacks == len(cases) - len(good)
    assert cleared == [number % SLOTS for number in range(len(cases))]
    assert engine.most >= min(SLOTS, 3), "commands hardly overlapped"
    chained = [case for case in cases if not case.status and case.command.merge_previous]
    refused = [case for case in cases if case.status == {"chain"}]
    assert len(chained) > 3 and len(refused) > 3


def bench(run, *, sim, slots=4, **options):
    parameters = {
        "HEAD_DIM": BUILD.head_dim,
        "TILE_KEYS": BUILD.tile_keys,
        "MERGE_ROWS": BUILD.merge_rows,
        "SLOTS": slots,
    }
    env = {"SLOTS": str(slots)}
    return run(TOP, test_module=__name__, parameters=parameters, env=env, sim=sim, **options)


@pytest.mark.parametrize("slots", [2, 4])
def test_design(sim, slots):
    bench(simulate, sim=sim, slots=slots)


MUTANTS = {
    "shape": ("(queries > MOST_KEYS)", "1'b0"),
    "mask": ("command[`PASA_COMMAND_KEY_LENGTH] > keys", "1'b0"),
    "budget": ("(command[`PASA_COMMAND_BUDGET] == 0)", "1'b0"),
    "shift": ("(output_shift == 0) |", ""),
    "packets": ("causes   <= causes | packet_causes", "causes   <= causes"),
    "run anyway": ("loaded[run_slot] & (run_causes == 0)", "loaded[run_slot]"),
    "commit": ("query_commit   <= decided & (causes == 0)", "query_commit   <= decided"),
    "early": ("if (complete == 3'b111)", "if (complete[1:0] == 2'b11)"),
    "same slot": ("(state == IDLE) & !busy[load_slot]", "(state == IDLE)"),
    "no tile": ("reuse & (!tile_there | (keys", "reuse & ((keys"),
    "other keys": ("(keys != tile_keys)", "1'b0"),
    "other dims": ("| (dims != tile_dims)", ""),
    "no rows": ("previous & (!rows_there | (queries", "previous & ((queries"),
    "other queries": ("(queries != rows_count) |", ""),
    "dims of rows": ("(dims != rows_dims)", "1'b0"),
    "other rule": ("(sparse != rows_sparse)", "1'b0"),
    "rows to leave": ("((previous | next) & (queries", "(previous & (queries"),
    "tile refused": ("tile_there <= causes == 0", "tile_there <= 1'b1"),
    "rows refused": ("rows_there  <= next & (causes == 0)", "rows_there  <= next"),
    "loads again": ("reuse ? 3'b001 : 3'b111", "3'b111"),
    "place": ("(wanted & taken) == 4'b0000", "1'b1"),
    "moves": ("if (!reuse) begin\n                    load_place", "begin\n load_place"),
    "whole": ("keys > MOST_KEYS / 2", "1'b0"),
    "one row": ("kept & (rows_left == 1)", "kept"),
    "row of any": ("row_kept & (row_kept_slot == HERE)", "row_kept"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, sim="icarus", mutant=(f"{TOP}.v", *MUTANTS[name]))
