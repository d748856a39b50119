# SPDX-License-Identifier: Apache-2.0
"""pasa_predictor: every entry, mask, tail, header and counter against the golden model.

make unit M=pasa_predictor
"""

import os
import random
from pathlib import Path

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, Event, RisingEdge
from pasa.formats import PREDICTED_WEIGHT_FRACTION, Build

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamDriver, start, unpack
from verif.predictor.cases import (
    MASKS,
    SHAPES,
    Case,
    golden_rows,
    make_case,
    nibble_words,
    plain_case,
    query_words,
    random_case,
    random_chain,
    words_seen,
)

TOP = "predictor_bench"
RING = 8
NAMES = ("ROWS", "PRED_KEYS", "HEAD_DIM", "TILE_KEYS", "MERGE_ROWS")
SHAPE = tuple(int(os.environ.get(name, "1")) for name in NAMES)
COMMANDS = int(os.environ.get("COMMANDS", "1"))
CHAINS = -(-COMMANDS // 5)


def this_build() -> Build:
    return Build(**dict(zip(map(str.lower, NAMES), SHAPE, strict=True)))


def generator() -> np.random.Generator:
    """Random numbers that follow the seed of the simulation."""
    return np.random.default_rng(random.getrandbits(63))


class Ring:
    """The row ring: counts free row-blocks, gives them back late, drives ring_free."""

    def __init__(self, dut, *, stalls: bool) -> None:
        self.dut, self.stalls, self.used, self.refused = dut, stalls, 0, 0
        self.slow = RING  # the first ones come back last, so that the ring fills
        self._update()

    def _update(self) -> None:
        self.dut.ring_free.value = int(self.used < RING)

    def take(self) -> None:
        assert self.used < RING, "ring_take without a free row-block"
        self.used += 1
        self._update()
        self.refused += self.used == RING

    async def give_back(self) -> None:
        if self.stalls:
            self.slow -= self.slow > 0
            await ClockCycles(self.dut.clk, 400 if self.slow else random.choice([1, 5, 60, 400]))
        self.used -= 1
        self._update()


class Checker:
    """Watches the outputs clock by clock and compares them with what is expected.

    Attributes:
        blocks: expected row-blocks still to come: (ring block, slot, last, rows).
        queries: expected query_write data still to come: (ring block, row, word).
        clocks: clock number of every header so far.
    """

    def __init__(self, dut, build: Build, ring: Ring) -> None:
        self.dut, self.build, self.ring = dut, build, ring
        self.blocks: list = []
        self.queries: list = []
        self.entries: dict[int, list] = {}
        self.clocks: list[int] = []
        self.sums = None  # of the rows that the last command has left
        self.next_ring, self.takes, self.empty_rows, self.tails = 0, 0, 0, 0
        self._more = Event()
        self._task = cocotb.start_soon(self._watch())

    def expect(self, case: Case, slot: int) -> None:
        """Queue everything that a command must give."""
        rows, self.sums = golden_rows(case, self.build, self.sums)
        words = query_words(case, self.build)
        for first in range(0, len(rows), self.build.rows):
            part = rows[first : first + self.build.rows]
            last = first + self.build.rows >= len(rows)
            self.blocks.append((self.next_ring, slot, int(last), part))
            for number in range(len(part)):
                self.queries.append((self.next_ring, number, words[first + number]))
            self.next_ring = (self.next_ring + 1) % RING

    async def wait_until(self, count: int) -> None:
        """Until at most `count` row-blocks are still to come."""
        while len(self.blocks) > count:
            self._more.clear()
            await self._more.wait()

    def stop(self) -> None:
        self._task.cancel()

    async def _watch(self) -> None:
        dut, clock = self.dut, 0
        while True:
            await RisingEdge(dut.clk)
            clock += 1
            if int(dut.rst.value) or not int(dut.busy.value):
                continue
            if int(dut.ring_take.value):
                self.takes += 1
                self.ring.take()
            if int(dut.query_write_valid.value):
                self._query()
            valid = int(dut.entry_valid.value)
            if valid:
                self._entry(valid)
            if int(dut.rows_valid.value):
                self.clocks.append(clock)
                self._header()
                cocotb.start_soon(self.ring.give_back())
                self._more.set()

    def _query(self) -> None:
        names = ("query_write_block", "query_write_row", "query_write_data")
        got = tuple(int(getattr(self.dut, name).value) for name in names)
        assert got == self.queries.pop(0)

    def _entry(self, valid: int) -> None:
        dut, build = self.dut, self.build
        ring = int(dut.entry_ring_block.value)
        rows = self.entries.setdefault(ring, [[] for _ in range(build.rows)])
        tail_bits = PREDICTED_WEIGHT_FRACTION + 1 + build.block_log2
        masks = unpack(
            int(dut.entry_mask.value), width=build.block_keys, count=build.rows, signed=False
        )
        tails = unpack(int(dut.entry_tail.value), width=tail_bits, count=build.rows, signed=False)
        for row in range(build.rows):
            if valid >> row & 1:
                rows[row].append((int(dut.entry_block.value), masks[row], tails[row]))

    def _header(self) -> None:
        dut, rows = self.dut, self.build.rows
        ring, slot, last, expected = self.blocks.pop(0)
        seen = self.entries.pop(ring, [[] for _ in range(rows)])
        for number in range(rows):
            want = list(expected[number].entries) if number < len(expected) else []
            assert seen[number] == want, f"row {number}: entries {seen[number]}, golden {want}"
        names = ("rows_ring_block", "rows_present", "rows_last", "rows_slot")
        got = tuple(int(getattr(dut, name).value) for name in names)
        assert got == (ring, (1 << len(expected)) - 1, last, slot)
        bits = self.build.tile_keys.bit_length()
        items = unpack(int(dut.rows_items.value), width=bits, count=rows, signed=False)
        references = unpack(int(dut.rows_reference.value), width=24, count=rows)
        tails = int(dut.rows_tail.value)
        for number, row in enumerate(expected):
            got = (items[number], references[number], tails >> number & 1)
            assert got == (row.items, row.reference, row.tail), f"row {number}: {got}, {row}"
        for name in ("visible", "kept", "blocks", "dropped", "empty"):
            want = sum(getattr(row, name) for row in expected)
            assert int(getattr(dut, f"rows_{name}_sum").value) == want, f"{name} is not {want}"
        self.empty_rows += sum(row.empty for row in expected)
        self.tails += sum(row.blocks for row in expected)


class Bench:
    """Drivers and checker around the design, freshly reset."""

    def __init__(self, dut, *, stalls: bool, gaps: str) -> None:
        self.dut, self.build, self.rng = dut, this_build(), generator()
        self.ring = Ring(dut, stalls=stalls)
        self.jobs = StreamDriver(dut, "job", dut.clk, fields=("slot", "command"))
        self.queries = StreamDriver(dut, "s_query", dut.clk, gaps=gaps)
        self.checker = Checker(dut, self.build, self.ring)
        self.last_of_slot = [0, 0]  # row-blocks queued when the slot's last job was
        self.queued = 0

    async def load(self, slot: int, words: list[int]) -> None:
        """Write nibble words from word 0, slice 0 on."""
        dut, slices = self.dut, self.build.head_dim // 16
        slice_bits = max(1, (slices - 1).bit_length())
        word_bits = (self.build.tile_keys // self.build.pred_keys).bit_length() - 1
        dut.write_enable.value = 1
        for number, word in enumerate(words):
            place = number // slices << slice_bits | number % slices
            dut.write_address.value = slot << word_bits + slice_bits | place
            dut.write_data.value = word
            await RisingEdge(dut.clk)
        dut.write_enable.value = 0

    async def run(self, cases: list[Case]) -> None:
        """Run all commands, each loaded as early as its slot allows, and compare everything.

        One that takes or leaves rows starts when all before it are finished.
        """
        for number, case in enumerate(cases):
            slot = number % 2
            done = self.last_of_slot[slot]
            await self.checker.wait_until(self.queued - done)
            await self.load(slot, nibble_words(self.rng, case, self.build))
            if case.command.merge_previous or case.command.merge_next:
                await self.checker.wait_until(0)
            self.checker.expect(case, slot)
            self.queued += -(-case.command.query_count // self.build.rows)
            self.last_of_slot[slot] = self.queued
            self.jobs.append([(slot, case.command.pack())])
            self.queries.append(query_words(case, self.build))
        await self.checker.wait_until(0)
        await ClockCycles(self.dut.clk, 80)
        assert not self.checker.blocks and not self.checker.queries and not self.checker.entries
        assert self.checker.takes == len(self.checker.clocks) == self.queued > 0


async def make_bench(dut, *, stalls: bool = False, gaps: str = "none") -> Bench:
    dut.write_enable.value = 0
    dut.ring_free.value = 0
    bench = Bench(dut, stalls=stalls, gaps=gaps)
    await start(dut)
    return bench


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def every_shape_and_mask(dut):
    bench = await make_bench(dut)
    build, rng = bench.build, bench.rng
    cases = [
        make_case(
            rng,
            build,
            n_q=int(rng.integers(1, 2 * build.rows + 1)),
            n_k=int(rng.choice([build.block_keys, build.tile_keys // 2 + 3, build.tile_keys])),
            shape=shape,
            mask=mask,
        )
        for mask in MASKS
        for shape in SHAPES
    ]
    flat = {"predicted_multiplier": 1, "predicted_shift": 10, "use_tail": 1, "min_probability": 0}
    cases += [
        plain_case(rng, build, n_q=build.rows + 1, n_k=build.tile_keys, slices=1, **flat),
        plain_case(rng, build, n_q=build.rows + 1, n_k=build.tile_keys, slices=1, key_length=0),
    ]
    await bench.run(cases)
    assert bench.checker.tails > 0 and bench.checker.empty_rows > 0


@cocotb.test(timeout_time=40, timeout_unit="ms")
@cocotb.parametrize(gaps=["none", "bursty"], stalls=[False, True])
async def random_commands(dut, gaps, stalls):
    bench = await make_bench(dut, gaps=gaps, stalls=stalls)
    build, rng = bench.build, bench.rng
    cases = [plain_case(rng, build, n_q=16 * build.rows, n_k=build.pred_keys, slices=1)]
    cases += [random_case(rng, build, rows=24) for _ in range(COMMANDS)]
    await bench.run(cases)
    if stalls:
        assert bench.ring.refused > 0, "the ring was never full"


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def rows_go_on_over_tiles(dut):
    """Chains of two to four tiles, with other commands between and after them."""
    bench = await make_bench(dut)
    build, rng = bench.build, bench.rng
    for _ in range(CHAINS):
        cases = random_chain(rng, build, tiles=int(rng.integers(2, 5)))
        cases += [random_case(rng, build, rows=24) for _ in range(int(rng.integers(0, 3)))]
        await bench.run(cases)
    assert bench.checker.tails > 0 and bench.checker.empty_rows > 0


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def short_commands_wait_behind_long_ones(dut):
    """PREDICT of short rows is far quicker than MEASURE of a full tile before them."""
    bench = await make_bench(dut)
    build, rng = bench.build, bench.rng
    for _ in range(3):
        long = plain_case(rng, build, n_q=2 * build.rows, n_k=build.tile_keys, slices=1)
        short = plain_case(rng, build, n_q=12 * build.rows, n_k=build.pred_keys, slices=1)
        await bench.run([long, short, short])


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def recovers_from_reset_at_any_clock(dut):
    for _ in range(12):
        bench = await make_bench(dut)
        case = random_case(bench.rng, bench.build, rows=24)
        running = cocotb.start_soon(bench.run([case, case]))
        await ClockCycles(dut.clk, random.randint(1, 400))
        dut.rst.value = 1
        running.cancel()
        bench.checker.stop()
        bench.jobs.kill()
        bench.queries.kill()
        dut.job_valid.value = dut.s_query_valid.value = 0
        await ClockCycles(dut.clk, 2)
    bench = await make_bench(dut)
    await bench.run(random_chain(bench.rng, bench.build, tiles=2))
    await bench.run([random_case(bench.rng, bench.build, rows=24) for _ in range(4)])


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def keeps_the_rate(dut):
    """A row-block costs words * slices + 1 clocks, or what fetching its rows costs."""
    bench = await make_bench(dut)
    build, rng = bench.build, bench.rng
    fetch = max(build.rows + 1, 6) + 2
    for words in (1, 2, 5, 12, build.tile_keys // build.pred_keys):
        for slices in {1, build.head_dim // 16}:
            keys = words * build.pred_keys - int(rng.integers(0, 2))
            case = plain_case(rng, build, n_q=16 * build.rows, n_k=keys, slices=slices)
            assert words_seen(case, build, 0) == words
            seen = len(bench.checker.clocks)
            await bench.run([case])
            clocks = np.diff(bench.checker.clocks[seen:])[6:]
            period = clocks.mean()
            dut._log.info("words %d, slices %d: %.2f clocks a row-block", words, slices, period)
            assert period <= words * slices + 8
            if words * slices > 40:
                assert period == words * slices + 1
            if words * slices == 1:
                assert period <= fetch + 1


def bench(run, *, sim, build, commands, **options):
    values = dict(zip(NAMES, build, strict=True))
    return run(
        TOP,
        test_module=__name__,
        parameters=values,
        env={name: str(value) for name, value in {**values, "COMMANDS": commands}.items()},
        sources=[Path(__file__).with_name("predictor_bench.v")],
        sim=sim,
        **options,
    )


SMALL, MIDDLE, DEFAULT = (1, 4, 32, 256, 8), (2, 16, 64, 512, 16), (4, 32, 64, 2048, 256)


TINY = (2, 4, 32, 128, 8)


@pytest.mark.parametrize("build", [SMALL, MIDDLE], ids=["small", "middle"])
def test_design(sim, build):
    """Icarus is slow on the middle build: there it checks each shape and mask once."""
    slow = sim == "icarus"
    tests = "every_shape_and_mask" if slow and build == MIDDLE else None
    bench(simulate, sim=sim, build=build, commands=12 if slow else 40, tests=tests)


@pytest.mark.long
def test_default_build():
    bench(simulate, sim="verilator", build=DEFAULT, commands=40, optimise=True)


MUTANTS = {
    "rounding": ("pasa_query_load", "code[DROP-1] & !most", "code[DROP-1]"),
    "position": ("pasa_query_load", "next_position + ROWS[POSITION-1:0]", "next_position"),
    "farthest": ("pasa_query_load", "if (block_present[k]) farthest", "if (1'b1) farthest"),
    "ring": ("pasa_query_load", "ring        <= ring + 1'b1", "ring        <= ring"),
    "job early": ("pasa_query_load", "state == IDLE & !block_valid", "state == IDLE"),
    "absent": ("pasa_query_load", ".present(block_present[r])", ".present(1'b1)"),
    "reset": ("pasa_query_load", "state       <= IDLE;\n", ""),
    "ring full": ("pasa_query_load", "WAIT & ring_free & !block_valid", "WAIT & !block_valid"),
    "credit": ("pasa_predict", "!running & !used[PLACE_BITS]", "!running"),
    "multiplier": ("pasa_predict", ".CLOCKS(6)) multiplier_wait", ".CLOCKS(4)) multiplier_wait"),
    "budget": ("pasa_predict", ".CLOCKS(13 + 2 * TREE)) budget", ".CLOCKS(7)) budget"),
    "slice": ("pasa_predict", "whole[slice_1*Q +: Q]", "whole[0 +: Q]"),
    "word first": ("pasa_predict", "word_first & !slice_ends", "word_first"),
    "slow": ("pasa_predict", "!running & !used[PLACE_BITS]", "!running & used == 0"),
    "seen": ("pasa_predict_row", "visible_9 <= visible;", "visible_9 <= {PRED_KEYS{1'b1}};"),
    "row wait": ("pasa_predict_row", ".CLOCKS(TREE + 4)", ".CLOCKS(TREE + 5)"),
    "buffer": ("pasa_measure", "place   <= place + 1'b1", "place   <= place"),
    "octave": ("pasa_measure", ".CLOCKS(3)) octave_wait", ".CLOCKS(1)) octave_wait"),
    "no lift": ("pasa_measure_row", "+ {1'b0, rise_2}", "+ 6'd0"),
    "lift wraps": ("pasa_measure_row", "|lifted[5:4] |", "1'b0 |"),
    "go on": ("pasa_measure", "& {R{merge_previous}}", ""),
    "leave": ("pasa_measure", "ends_running & merge_next_late", "ends_running & 1'b0"),
    "next rows": ("pasa_measure", "<= block_last ? {GROUP", "<= 1'b0 ? {GROUP"),
    "same rows": ("pasa_measure", "next_group + 1'b1", "next_group"),
    "rows reset": ("pasa_measure", "if (rst) next_group", "if (1'b0) next_group"),
    "no key": ("pasa_measure", "== {COUNT_BITS{1'b0}};", "== {COUNT_BITS{1'b1}};"),
    "masked": ("pasa_measure_row", "&stored_2 ? `PASA_DISTANCE_MASKED", "1'b0 ? 8'd0"),
    "sum": ("pasa_measure_row", "first_5 ? more : total + more", "more"),
    "partial block": ("pasa_select_row", "whole & full & use_tail", "full & use_tail"),
    "unseen words": ("pasa_select_row", "whole & full & use_tail", "whole & use_tail"),
    "tail off": ("pasa_select_row", "whole & full & use_tail", "whole & full"),
    "tie weight": ("pasa_select_row", "far_sum_late + tie_weight[S-1:0]", "far_sum_late"),
    "old mask": ("pasa_select_row", "else if (word_opens) mask", "else if (1'b0) mask"),
    "kept": ("pasa_select_row", "(word_first ? {COUNT_BITS{1'b0}} : kept_count)", "kept_count"),
    "blocks": ("pasa_select_row", "(leads ? {COUNT_BITS{1'b0}} : blocks)", "blocks"),
    "nothing": ("pasa_select_row", ".zero(nothing)", ".zero(1'b0)"),
    "dense": ("pasa_select", "dense ? {E{1'b0}} :", "1'b0 ? {E{1'b0}} :"),
    "empty": ("pasa_select", "present[r] & !(", "!("),
    "opens": ("pasa_select", "start | word_closes", "start"),
    "stale": ("pasa_select", "if (rst) word_valid", "if (1'b0) word_valid"),
    "crossed": ("pasa_predictor", "load_last, load_dense,", "load_dense, load_last,"),
    "rules crossed": (
        "pasa_predictor",
        "load_merge_previous, load_merge_next, load_use",
        "load_merge_next, load_merge_previous, load_use",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    module, good, bad = MUTANTS[name]
    mutant = (f"{module}.v", good, bad)
    bench(check_mutant_caught, sim="icarus", build=TINY, commands=25, mutant=mutant)
