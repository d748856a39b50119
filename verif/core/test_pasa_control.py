# SPDX-License-Identifier: Apache-2.0
"""pasa_control: legal commands run in order, others are refused whole with all their causes.

make unit M=pasa_control
"""

import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge
from pasa.command import Command, cause_names
from pasa.formats import Build

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamDriver, StreamSink, start

TOP = "pasa_control"
BUILD = Build(rows=1, pred_keys=4, head_dim=32, tile_keys=256)
COMMANDS = 60
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


def make_commands() -> list[tuple[Command, frozenset[str]]]:
    """Each wrong record once, good ones between, and the packets that go wrong."""
    records = [GOOD | wrong for wrong in WRONG]
    records += [GOOD for _ in range(COMMANDS - len(records))]
    random.shuffle(records)
    commands = []
    for tag, record in enumerate(records):
        bad = frozenset(name for name in PACKETS if random.random() < 0.15)
        commands.append((Command(**record, tag=tag), bad))
    return commands


class Loaders:
    """Three packet loaders: each ends its packet some clocks after the start, in any order."""

    def __init__(self, dut, commands):
        self.dut, self.commands, self.started = dut, commands, 0

    async def run(self):
        while True:
            await RisingEdge(self.dut.clk)
            if int(self.dut.load_start.value):
                await self.load(*self.commands[self.started])
                self.started += 1

    async def load(self, command, bad):
        dut = self.dut
        legal = not command.causes(BUILD)
        assert int(dut.load_discard.value) == (not legal)
        if legal:
            assert int(dut.load_queries.value) == command.query_count
            assert int(dut.load_keys.value) == command.key_count
            assert int(dut.load_dims.value) == command.dims
        ends = [random.randint(0, 20) for _ in PACKETS]
        for clock in range(max(ends) + 1):
            done = sum((end == clock) << place for place, end in enumerate(ends))
            dut.load_done.value = done
            dut.load_bad.value = sum((name in bad) << i for i, name in enumerate(PACKETS))
            await RisingEdge(dut.clk)
        dut.load_done.value = 0


class Engine:
    """Takes jobs and ends them after a while, in order; notes what it ran."""

    def __init__(self, dut):
        self.dut, self.ran, self.most = dut, [], 0

    async def run(self):
        dut, running = self.dut, []
        while True:
            await RisingEdge(dut.clk)
            dut.command_done.value = 0
            if int(dut.job_valid.value) and int(dut.job_ready.value):
                slot = int(dut.job_slot.value)
                record = int(dut.slot_command.value[256 * slot + 255 : 256 * slot])
                self.ran.append(record)
                running.append([random.randint(1, 120), slot])
            self.most = max(self.most, len(running))
            if running:
                running[0][0] -= 1
                if running[0][0] <= 0:
                    dut.command_done.value = 1
                    dut.command_done_slot.value = running.pop(0)[1]
            dut.job_ready.value = int(random.random() < 0.5)


@cocotb.test(timeout_time=300, timeout_unit="us")
@cocotb.parametrize(gaps=["none", "bursty"])
async def runs_or_refuses_each_command(dut, gaps):
    for pin in ("load_done", "load_bad", "job_ready", "command_done", "command_done_slot"):
        getattr(dut, pin).value = 0
    await start(dut)
    commands = make_commands()
    engine, loaders = Engine(dut), Loaders(dut, commands)
    cocotb.start_soon(engine.run())
    cocotb.start_soon(loaders.run())
    StreamSink(dut, "report", dut.clk, gaps=gaps)
    driver = StreamDriver(dut, "s_command", dut.clk, gaps=gaps)
    cocotb.start_soon(driver.send([command.pack() for command, _ in commands]))
    reports, commits, rollbacks, started = [], 0, 0, 0
    while len(reports) < len(commands):
        await RisingEdge(dut.clk)
        commits += int(dut.query_commit.value)
        rollbacks += int(dut.query_rollback.value)
        started += int(dut.clear_valid.value)
        if int(dut.report_valid.value) and int(dut.report_ready.value):
            causes = cause_names(int(dut.report_causes.value))
            reports.append((int(dut.report_tag.value), causes))
    want = [(command.tag, command.causes(BUILD) | bad) for command, bad in commands]
    assert reports == want
    good = [command.pack() for command, bad in commands if not command.causes(BUILD) | bad]
    assert engine.ran == good
    assert commits == len(good) and rollbacks == len(commands) - len(good)
    assert started == len(commands) and engine.most == 2, "commands never overlapped"


def bench(run, *, sim, **options):
    parameters = {"HEAD_DIM": BUILD.head_dim, "TILE_KEYS": BUILD.tile_keys}
    return run(TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


def test_design(sim):
    bench(simulate, sim=sim)


MUTANTS = {
    "shape": ("(queries > MOST_KEYS)", "1'b0"),
    "mask": ("command[`PASA_COMMAND_KEY_LENGTH] > keys", "1'b0"),
    "budget": ("(command[`PASA_COMMAND_BUDGET] == 0)", "1'b0"),
    "shift": ("(output_shift == 0) |", ""),
    "packets": ("causes   <= causes | packet_causes", "causes   <= causes"),
    "run anyway": ("loaded[run_slot] & (run_causes == 0)", "loaded[run_slot]"),
    "commit": ("query_commit   <= decided & (causes == 0)", "query_commit   <= decided"),
    "early": ("if (complete == 3'b111)", "if (complete[1:0] == 2'b11)"),
    "reuse": ("(state == IDLE) & !busy[load_slot]", "(state == IDLE)"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    bench(check_mutant_caught, sim="icarus", mutant=(f"{TOP}.v", *MUTANTS[name]))
