# SPDX-License-Identifier: Apache-2.0
"""pasa_kept_reader: every kept key in order, one a clock, across blocks and rows.

make unit M=pasa_kept_reader
"""

import os
import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamMonitor, StreamSink, start

TOP = "pasa_kept_reader"
TILE_KEYS = int(os.environ.get("TILE_KEYS", "256"))
BLOCK_KEYS = int(os.environ.get("BLOCK_KEYS", "64"))
BLOCKS = TILE_KEYS // BLOCK_KEYS
LOOKAHEAD = 8
FIELDS = ("is_block", "null", "last", "index", "tail", "tag")
ROWS = 36


def make_row(index: int) -> list[tuple[int, int, int]]:
    """Entries (block, mask, tail) of one row; empty now and then."""
    kind = index % 6
    if kind == 5:
        return []
    blocks = sorted(random.sample(range(BLOCKS), random.randint(1, BLOCKS)))
    entries = []
    for block in blocks:
        mask = random.getrandbits(BLOCK_KEYS)
        if kind in (0, 1):
            mask &= random.getrandbits(BLOCK_KEYS) & random.getrandbits(BLOCK_KEYS)
        if kind == 2:
            mask = (1 << BLOCK_KEYS) - 1
        if kind == 3:
            mask = 1 << random.randrange(BLOCK_KEYS)
        tail = random.choice([0, 1, random.getrandbits(17)]) if kind else 0
        if kind == 4:
            mask, tail = 0, 7
        if mask or tail:
            entries.append((block, mask, tail))
    return entries


def items_of(entries: list[tuple[int, int, int]], tag: int) -> list[tuple]:
    """What must come out, as (is_block, null, last, index, tail or None, tag)."""
    if not entries:
        return [(1, 1, 1, None, None, tag)]
    items = []
    for block, mask, tail in entries:
        for key in range(BLOCK_KEYS):
            if mask >> key & 1:
                items.append((0, 0, 0, block * BLOCK_KEYS + key, None, tag))
        if tail:
            items.append((1, 0, 0, block, tail, tag))
    return items[:-1] + [(*items[-1][:2], 1, *items[-1][3:])]


class Ring:
    """Answers reads two clocks later and watches the releases."""

    def __init__(self, dut):
        self.dut, self.rows, self.released = dut, {}, []

    def word(self, place, entry):
        block, mask, tail = self.rows[place][entry]
        tail_bits = len(self.dut.item_tail)
        return ((block << BLOCK_KEYS | mask) << tail_bits) | tail

    async def run(self):
        dut, coming = self.dut, deque([None])
        while True:
            await RisingEdge(dut.clk)
            ask = None
            if int(dut.read.value):
                place = (int(dut.read_block.value), int(dut.read_row.value))
                ask = self.word(place, int(dut.read_entry.value))
            coming.append(ask)
            answer = coming.popleft()
            dut.entry.value = answer if answer is not None else random.getrandbits(len(dut.entry))
            if int(dut.release_valid.value):
                self.released.append((int(dut.release_block.value), int(dut.release_row.value)))


@cocotb.test(timeout_time=400, timeout_unit="us")
@cocotb.parametrize(gaps=["none", "heavy", "bursty"])
async def lists_every_kept_key(dut, gaps):
    dut.assign_valid.value, dut.entry.value = 0, 0
    await start(dut)
    monitor = StreamMonitor(dut, "item", dut.clk, reset=dut.rst, fields=FIELDS)
    StreamSink(dut, "item", dut.clk, gaps=gaps)
    ring = Ring(dut)
    cocotb.start_soon(ring.run())
    expected, assigned = [], []
    for index in range(ROWS):
        entries, tag = make_row(index), index % 8
        place = (index // 4 % 8, index % 4)
        while not int(dut.ready.value):
            await RisingEdge(dut.clk)
        left = len(expected) - len(monitor.beats)
        assert left <= LOOKAHEAD + 4, f"a row was asked for with {left} items to go"
        ring.rows[place] = entries
        row_items = items_of(entries, tag)
        expected += row_items
        assigned.append(place)
        dut.assign_valid.value = 1
        dut.assign_ring_block.value, dut.assign_row.value = place
        dut.assign_items.value = 0 if not entries else len(row_items)
        dut.assign_entries.value, dut.assign_tag.value = len(entries), tag
        await RisingEdge(dut.clk)
        dut.assign_valid.value = 0
        await RisingEdge(dut.clk)
    await monitor.wait_for(len(expected))
    await ClockCycles(dut.clk, 20)
    assert len(monitor.beats) == len(expected)
    for at, (got, want) in enumerate(zip(monitor.beats, expected, strict=True)):
        for name, seen, wanted in zip(FIELDS, got, want, strict=True):
            assert wanted is None or seen == wanted, f"item {at} of {len(expected)}: {name}"
    assert ring.released == assigned


@cocotb.test(timeout_time=100, timeout_unit="us")
async def loses_no_clock(dut):
    """Rows of full blocks, assigned as asked: from the first item on, one item a clock."""
    dut.assign_valid.value, dut.entry.value = 0, 0
    await start(dut)
    monitor = StreamMonitor(dut, "item", dut.clk, reset=dut.rst, fields=FIELDS)
    StreamSink(dut, "item", dut.clk)
    ring = Ring(dut)
    cocotb.start_soon(ring.run())
    rows = 12
    full = [(block, (1 << BLOCK_KEYS) - 1, 0) for block in range(BLOCKS)]
    thin = [(block, 5 << block, 3) for block in range(BLOCKS)]  # three items each
    clock = start_clock = 0
    sent = wanted = 0
    while len(monitor.beats) < wanted or sent < rows:
        if sent < rows and int(dut.ready.value) and not int(dut.assign_valid.value):
            entries = thin if sent % 2 else full
            ring.rows[sent % 8, 0] = entries
            count = len(items_of(entries, 0))
            wanted += count
            dut.assign_valid.value, dut.assign_ring_block.value = 1, sent % 8
            dut.assign_row.value, dut.assign_tag.value = 0, 0
            dut.assign_items.value, dut.assign_entries.value = count, len(entries)
            sent += 1
        else:
            dut.assign_valid.value = 0
        await RisingEdge(dut.clk)
        clock += 1
        if len(monitor.beats) == 1 and not start_clock:
            start_clock = clock
    assert clock - start_clock <= wanted + 1, f"{clock - start_clock} clocks, {wanted} items"


def bench(run, *, sim, tile_keys, block_keys, **options):
    shape = {"TILE_KEYS": tile_keys, "BLOCK_KEYS": block_keys}
    return run(
        TOP,
        test_module=__name__,
        parameters=shape,
        env={name: str(value) for name, value in shape.items()},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize(("tile_keys", "block_keys"), [(64, 8), (256, 16), (512, 64)])
def test_design(sim, tile_keys, block_keys):
    bench(simulate, sim=sim, tile_keys=tile_keys, block_keys=block_keys)


MUTANTS = {
    "order": ("mask & (~mask + 1'b1)", "mask & ~(mask >> 1) & (~mask + 1'b1)"),
    "last": ("item_last     <= finish & last", "item_last     <= last"),
    "no tail": ("(rest == 0) & !has_tail", "(rest == 0)"),
    "room": ("fetching & (room != 0)", "fetching"),
    "bubble": ("(step & finish) | !held", "!held"),
    "eager": ("(items_left <= LOOKAHEAD[COUNT_BITS:0])", "1'b1"),
    "release": ("release_valid <= fetch_end", "release_valid <= fetch"),
    "null": ("fetch_null | (fetch_index", "(fetch_index"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    shape = {"tile_keys": 256, "block_keys": 16}
    bench(check_mutant_caught, sim="icarus", tests="none|clock", mutant=mutant, **shape)
