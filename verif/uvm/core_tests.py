# SPDX-License-Identifier: Apache-2.0
"""The pyuvm tests of the core; test_uvm_core.py builds the designs and runs them.

Environment: PASA_UVM_BUILD, the parameters as JSON; PASA_UVM_RUN, the run's name in plan.toml;
PASA_UVM_EFFORT, how many heads: 1 is `make test`, more is a longer run.
"""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import cocotb
import pyuvm
from cocotb.triggers import ClockCycles
from cocotb_coverage.coverage import coverage_db
from pasa.formats import Build
from pyuvm import ConfigDB, uvm_test

from verif.common.streams import start
from verif.uvm import coverage, plan, sequences
from verif.uvm.env import CoreEnv
from verif.uvm.items import Head
from verif.uvm.sequences import EVERY_STYLE, Traffic
from verif.uvm.stimulus import Stimulus

EFFORT = float(os.environ.get("PASA_UVM_EFFORT", "1"))
RUN = os.environ.get("PASA_UVM_RUN", "")
BUILD = Build(**json.loads(os.environ.get("PASA_UVM_BUILD", "{}")))
PATIENCE = 10_000  # clocks without any beat on any stream: the core hangs
QUIET = 60  # clocks after the last status in which nothing may come


class CoreTest(uvm_test):
    """Sends what `heads` gives, waits for every status, and looks for more than expected."""

    SINKS = EVERY_STYLE

    def build_phase(self) -> None:
        ConfigDB().set(None, "*", "BUILD", BUILD)
        self.env = CoreEnv("env", self)
        self.draw = Stimulus(BUILD)

    def heads(self) -> list[Head]:
        """What this test sends."""
        raise NotImplementedError

    async def run_phase(self) -> None:
        self.raise_objection()
        await start(cocotb.top)
        cocotb.start_soon(self.watch())
        await self.stimulate()
        self.drop_objection()

    async def watch(self) -> None:
        """Fails when the core stands still."""
        board, beats, clocks = self.env.scoreboard, -1, 0
        while True:
            await ClockCycles(cocotb.top.clk, 100)
            alive = beats != self.env.beats or board.seen == board.planned
            beats, clocks = self.env.beats, 0 if alive else clocks + 100
            assert clocks < PATIENCE, f"no beat for {clocks} clocks: {board.missing()}"

    async def stimulate(self) -> None:
        """One batch of heads."""
        await self.send(self.heads())

    async def send(self, heads: list[Head]) -> None:
        """Send heads and wait until all of them were checked."""
        self.env.scoreboard.planned += len(heads)
        traffic = Traffic(heads, sinks=self.SINKS)
        await traffic.start(self.env.sequencer)
        await self.wait_for_the_last()
        traffic.finish()

    async def wait_for_the_last(self) -> None:
        """Until every planned command was checked, and a while longer."""
        board = self.env.scoreboard
        while board.seen < board.planned:
            await ClockCycles(cocotb.top.clk, 20)
        await ClockCycles(cocotb.top.clk, QUIET)


def some(make: Callable[[Stimulus], list[Head]], draw: Stimulus) -> list[Head]:
    """A directed list as often as the effort says; of the last pass a sample, in its order."""
    heads = [head for _ in range(int(EFFORT)) for head in make(draw)]
    part = make(draw) if EFFORT % 1 else []
    count = max(min(8, len(part)), round(EFFORT % 1 * len(part)))
    return heads + [part[place] for place in sorted(random.sample(range(len(part)), count))]


def many(count: int) -> int:
    """A number of random heads, by effort."""
    return max(3, round(EFFORT * count))


@pyuvm.test()
class RandomTraffic(CoreTest):
    """Anything legal or not, all streams with random gaps."""

    def heads(self) -> list[Head]:
        return sequences.random_heads(self.draw, many(60))


@pyuvm.test()
class Smoke(CoreTest):
    """Three short commands that use every lane, for builds that simulate slowly."""

    def heads(self) -> list[Head]:
        return sequences.smoke(self.draw)


@pyuvm.test()
class ModesByMasksByKeys(CoreTest):
    """The cross of selection, masks and shapes."""

    def heads(self) -> list[Head]:
        return some(sequences.modes_masks_keys, self.draw)


@pyuvm.test()
class Shapes(CoreTest):
    """One query, one key, one dimension, odd numbers, the whole tile."""

    def heads(self) -> list[Head]:
        return some(sequences.shapes, self.draw)


@pyuvm.test()
class Slices(CoreTest):
    """Every width of the prediction."""

    def heads(self) -> list[Head]:
        return some(sequences.slices, self.draw)


@pyuvm.test()
class TiesAndExtremes(CoreTest):
    """Equal scores, largest products, multipliers and shifts over their whole range."""

    def heads(self) -> list[Head]:
        return some(sequences.ties_and_extremes, self.draw)


@pyuvm.test()
class Groups(CoreTest):
    """Keys that are reused, rows that go on over tiles, and wrong uses of both."""

    def heads(self) -> list[Head]:
        if EFFORT < 0.25:
            return sequences.groups(self.draw, modes=2)
        return [head for _ in range(max(1, int(EFFORT))) for head in sequences.groups(self.draw)]


@pyuvm.test()
class HalfCodes(CoreTest):
    """Output codes exactly between two integers."""

    def heads(self) -> list[Head]:
        return sequences.half_codes(self.draw)


@pyuvm.test()
class ErrorsThenGood(CoreTest):
    """What is refused leaves no trace in what follows."""

    def heads(self) -> list[Head]:
        return sequences.errors(self.draw)


@pyuvm.test()
class BackToBack(CoreTest):
    """Loading beside running, nothing ever idle."""

    SINKS = ("none",)

    def heads(self) -> list[Head]:
        return sequences.back_to_back(self.draw, many(24))


@pyuvm.test()
class Empties(CoreTest):
    """Rows without a visible key."""

    def heads(self) -> list[Head]:
        return some(sequences.empties, self.draw)


@pyuvm.test()
class GapStyles(CoreTest):
    """Every style of gaps on every stream."""

    def heads(self) -> list[Head]:
        return some(sequences.gap_styles, self.draw)


@pyuvm.test()
class RealHeads(CoreTest):
    """Pieces of heads of real models."""

    def heads(self) -> list[Head]:
        return sequences.real_heads(self.draw, many(12))


@pyuvm.test()
class SoftReset(CoreTest):
    """Reset at any clock of any traffic; what follows is right."""

    async def stimulate(self) -> None:
        for _ in range(many(8)):
            traffic = Traffic(sequences.random_heads(self.draw, 6), sinks=self.SINKS)
            running = cocotb.start_soon(traffic.start(self.env.sequencer))
            await ClockCycles(cocotb.top.clk, random.randint(1, 2500))
            await self.env.reset()
            await running  # its drivers drop what is left
            traffic.finish()
            self.env.drop(False)
            await self.send([self.draw.any_head() for _ in range(2)])
            await self.send([self.draw.head(queries=2)])


@pyuvm.test(expect_fail=True)
class SilenceIsNotSuccess(CoreTest):
    """No output reaches the scoreboard, so this must fail."""

    def connect_phase(self) -> None:
        for stream in ("output", "status"):
            self.env.agents[stream].monitor.beats.write = lambda beat: None

    def heads(self) -> list[Head]:
        return [self.draw.head(queries=1, keys="one") for _ in range(2)]

    async def wait_for_the_last(self) -> None:
        await ClockCycles(cocotb.top.clk, 2000)


@cocotb.test(stage=1)
async def coverage_is_closed(dut):
    """Every bin that the plan closes in this run was hit; writes the coverage file."""
    coverage_db.export_to_xml("coverage.xml")
    hits = coverage.bins()
    planned = plan.bins_closed_in(RUN, hits)
    missed = sorted(name for name in planned if not hits[name])
    dut._log.info("coverage\n%s", coverage.table(Path("coverage.xml")))
    assert not missed, f"{len(missed)} of {len(planned)} planned bins missed: {', '.join(missed)}"
