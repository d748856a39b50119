# SPDX-License-Identifier: Apache-2.0
"""pasa_lane: sums of every row equal the golden model's, at one item a clock.

make unit M=pasa_lane
"""

import os
import random
from collections import deque

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge
from pasa.arithmetic import Integer
from pasa.formats import REFERENCE_BITS, SCORE_FRACTION, Build

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamMonitor, StreamSink, pack, start, unpack
from verif.softmax.pipeline import generator

TOP = "pasa_lane"
BUILD = Build(
    head_dim=int(os.environ.get("HEAD_DIM", "16")),
    tile_keys=int(os.environ.get("TILE_KEYS", "256")),
    block_keys=int(os.environ.get("BLOCK_KEYS", "16")),
    pred_keys=4,
)
BLOCKS = BUILD.tile_keys // BUILD.block_keys
ROWS = 40
SLOTS = 4
MULTIPLIER = (99_991, 70_001, 131_071, 65_536)  # of each slot
SHIFT = (18, 9, 17, 14)  # flat, peaked, and between
PLACES = (0, 2, 1, 3)  # {tile, half} of each slot's keys
PLACE_BITS = 13
FIELDS = ("accumulator", "total", "reference", "place", "slot")


class Memory:
    """Keys and values of both tiles, and the sums of values over blocks."""

    def __init__(self, rng: np.random.Generator):
        shape = (2, BUILD.tile_keys, BUILD.head_dim)
        self.k, self.v = rng.integers(-128, 128, shape), rng.integers(-128, 128, shape)
        self.sums = self.v.reshape(2, BLOCKS, BUILD.block_keys, -1).sum(axis=2)

    def key(self, address: int) -> int:
        return pack(self.k.reshape(-1, BUILD.head_dim)[address], width=8)

    def value(self, address: int, is_block: int, width: int) -> int:
        tile, place = divmod(address, BUILD.tile_keys)
        return pack((self.sums if is_block else self.v)[tile, place], width=width)

    def of_slot(self, slot: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Keys, values and sums as the slot numbers them: from the first of its half tile."""
        tile, half = divmod(PLACES[slot], 2)
        first = half * BUILD.tile_keys // 2
        return self.k[tile, first:], self.v[tile, first:], self.sums[tile, half * BLOCKS // 2 :]


def make_row(rng: np.random.Generator, index: int) -> dict:
    """Mask and tails of a row: sparse, full, one key, none; no key beyond an upper half."""
    slot = int(rng.choice(SLOTS, p=[0.45, 0.45, 0.05, 0.05]))
    kept = rng.random(BUILD.tile_keys) < rng.choice([0.02, 0.1, 0.5])
    tail = np.where(rng.random(BLOCKS) < 0.5, rng.integers(0, 1 << 17, BLOCKS), 0)
    kind = index % 8
    if kind == 2:
        kept[:], tail[:] = True, 0
    if kind in (3, 4):
        kept[:], tail[:] = False, 0
    if kind == 3 or (kind != 4 and not kept.any()):
        kept[rng.integers(BUILD.tile_keys)] = True
    if PLACES[slot] % 2:
        kept[: BUILD.tile_keys // 2] |= kept[BUILD.tile_keys // 2 :]
        kept[BUILD.tile_keys // 2 :], tail[BLOCKS // 2 :] = False, 0
    return {
        "kept": kept,
        "tail": tail,
        "query": rng.integers(-128, 128, BUILD.head_dim),
        "slot": slot,
        "reference": int(rng.integers(-3, 4)) if tail.any() else 0,
        "place": int(rng.integers(1 << PLACE_BITS)),
    }


def items(row: dict) -> int:
    return int(row["kept"].sum() + (row["tail"] > 0).sum())


def golden(row: dict, memory: Memory) -> tuple[list[int], int, int | None]:
    """Weighted sums, total and reference: fixed._Head.weigh and sums on one row."""
    step, slot = Integer(), row["slot"]
    if not items(row):
        return [0] * BUILD.head_dim, 0, None
    k, v, sums = memory.of_slot(slot)
    kept, tail = row["kept"][: len(k)], row["tail"][: len(sums)]
    octaves = step.score_log2(k @ row["query"], MULTIPLIER[slot], SHIFT[slot])
    reference = -(-octaves[kept].max() >> SCORE_FRACTION)
    shift = 0
    if tail.any():
        reference = max(reference, row["reference"])
        shift = reference - row["reference"]
    distance = (reference << SCORE_FRACTION) - octaves
    weight = np.where(kept, step.weight(np.maximum(distance, 0)), 0)
    block = step.block_weight(tail, BUILD.block_log2, np.array(shift))
    weighted = weight @ v + block @ sums
    total = int(weight.sum() + (block.sum() << BUILD.block_log2))
    return [int(x) for x in weighted], total, int(reference)


class Surroundings:
    """Ring, key store and value store of the bench: right data, exact latencies."""

    def __init__(self, dut, memory, key_stall=0.0, hold=0.0):
        self.dut, self.memory, self.entries = dut, memory, {}
        self.key_stall, self.hold = key_stall, hold
        self.issued = 0
        self.value_bits = len(dut.value_data) // BUILD.head_dim

    async def run(self):
        dut = self.dut
        entry, key, value = deque([0]), deque([0]), deque([0, 0])
        held = deque([0] * 10)
        while True:
            ready = int(random.random() >= self.key_stall)
            hold = int(random.random() < self.hold)
            dut.key_ready.value, dut.value_hold.value = ready, hold
            held.append(hold)
            await RisingEdge(dut.clk)
            entry.append(self._entry())
            take = int(dut.key_valid.value) and ready
            key.append(self.memory.key(int(dut.key_address.value)) if take else 0)
            read = int(dut.value_valid.value)
            # ten clocks after a held issue the store writes: no read may fall there
            assert not (held.popleft() and read), "a value was read in the clock of a write"
            self.issued += read
            address = int(dut.value_address.value) if read else 0
            is_block = int(dut.value_is_block.value) if read else 0
            value.append(self.memory.value(address, is_block, self.value_bits))
            dut.entry.value = entry.popleft()
            dut.key_data.value = key.popleft()
            dut.value_data.value = value.popleft()

    def _entry(self) -> int:
        if not int(self.dut.read.value):
            return random.getrandbits(len(self.dut.entry))
        place = (int(self.dut.read_block.value), int(self.dut.read_row.value))
        return self.entries[place][int(self.dut.read_entry.value)]

    def store(self, place, row) -> int:
        """Put a row's entries into the ring; returns their number."""
        tail_bits = len(self.dut.entry) - BUILD.block_keys - (BLOCKS - 1).bit_length()
        words = []
        for block, kept in enumerate(row["kept"].reshape(BLOCKS, -1)):
            mask, tail = pack(kept, width=1), int(row["tail"][block])
            if mask or tail:
                words.append((block << BUILD.block_keys | mask) << tail_bits | tail)
        self.entries[place] = words
        return len(words)


async def begin(dut, **stalls):
    memory = Memory(generator())
    for pin in ("assign_valid", "entry", "key_ready", "key_data", "value_hold", "value_data"):
        getattr(dut, pin).value = 0
    dut.score_multiplier.value = pack(MULTIPLIER, width=17)
    dut.score_shift.value = pack(SHIFT, width=6)
    dut.slot_place.value = pack(PLACES, width=2)
    await start(dut)
    around = Surroundings(dut, memory, **stalls)
    cocotb.start_soon(around.run())
    return memory, around


async def assign(dut, around, row, index):
    while not int(dut.ready.value):
        await RisingEdge(dut.clk)
    place = (index // 4 % 8, index % 4)
    dut.assign_valid.value = 1
    dut.assign_ring_block.value, dut.assign_row.value = place
    dut.assign_slot.value, dut.assign_items.value = row["slot"], items(row)
    dut.assign_entries.value = around.store(place, row)
    dut.assign_reference.value = row["reference"] & ((1 << 24) - 1)
    dut.assign_tail.value = int(row["tail"].any())
    dut.assign_place.value = row["place"]
    dut.assign_query.value = pack(row["query"], width=8)
    await RisingEdge(dut.clk)
    dut.assign_valid.value = 0
    await RisingEdge(dut.clk)


@cocotb.test(timeout_time=400, timeout_unit="us")
@cocotb.parametrize(stalls=[False, True])
async def sums_equal_the_golden_model(dut, stalls):
    memory, around = await begin(dut, key_stall=0.2 * stalls, hold=0.3 * stalls)
    monitor = StreamMonitor(dut, "done", dut.clk, reset=dut.rst, fields=FIELDS)
    StreamSink(dut, "done", dut.clk, gaps="bursty" if stalls else "none")
    rng = generator()
    rows = [make_row(rng, index) for index in range(ROWS)]
    for index, row in enumerate(rows):
        await assign(dut, around, row, index)
    await monitor.wait_for(ROWS)
    width = len(dut.done_accumulator) // BUILD.head_dim
    for index, (row, beat) in enumerate(zip(rows, monitor.beats, strict=True)):
        sums, total, reference = golden(row, memory)
        reference = beat[2] if reference is None else reference & (1 << REFERENCE_BITS) - 1
        assert beat[1:] == (total, reference, row["place"], row["slot"]), f"row {index}"
        assert unpack(beat[0], width=width, count=BUILD.head_dim) == sums, f"row {index}"


@cocotb.test(timeout_time=200, timeout_unit="us")
async def costs_one_clock_an_item(dut):
    """Rows of 40 to a tile of items: neither stage ever waits for more than its row.

    Two stages that each take a row's items and hand over whole rows end at most the longest row
    after the sum of all.
    """
    memory, around = await begin(dut)
    monitor = StreamMonitor(dut, "done", dut.clk, reset=dut.rst, fields=FIELDS)
    StreamSink(dut, "done", dut.clk)
    rows, rng = [], generator()
    for index in range(16):
        row = make_row(rng, 1)
        most = BUILD.tile_keys >> PLACES[row["slot"]] % 2
        row["kept"][: min(most, [40, BUILD.tile_keys, 60, 100][index % 4])] = True
        rows.append(row)
    total = sum(items(row) for row in rows)
    feeding = cocotb.start_soon(feed(dut, around, rows))
    while not int(dut.key_valid.value):
        await RisingEdge(dut.clk)
    clocks = 0
    while len(monitor.beats) < len(rows):
        await RisingEdge(dut.clk)
        clocks += 1
    await feeding
    assert around.issued == total
    longest, latency = max(items(row) for row in rows), 40
    assert total < clocks <= total + longest + latency, f"{clocks} clocks for {total} items"


async def feed(dut, around, rows):
    for index, row in enumerate(rows):
        await assign(dut, around, row, index)


def bench(run, *, sim, head_dim, tile_keys, block_keys, **options):
    shape = {"HEAD_DIM": head_dim, "TILE_KEYS": tile_keys, "BLOCK_KEYS": block_keys}
    return run(
        TOP,
        test_module=__name__,
        parameters={**shape, "SLOTS": SLOTS, "PLACE_BITS": PLACE_BITS},
        env={name: str(value) for name, value in shape.items()},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize(
    ("head_dim", "tile_keys", "block_keys"), [(16, 256, 16), (32, 256, 64), (64, 512, 64)]
)
def test_design(sim, head_dim, tile_keys, block_keys):
    bench(simulate, sim=sim, head_dim=head_dim, tile_keys=tile_keys, block_keys=block_keys)


MUTANTS = {
    "first best": ("(!has_best | (score > best))", "(score > best)"),
    "sticky best": ("has_best <= !row_scored &", "has_best <="),
    "last best": ("in_best(better ? score : best)", "in_best(best)"),
    "wrong query": ("query_read <= item_query", "query_read <= query_write"),
    "no hold": ("weighing & !value_hold &", "weighing &"),
    "overrun": ("(!row_first | (outstanding < 2'd3))", "1'b1"),
    "item room": ("assign item_ready  = has_room & (", "assign item_ready  = ("),
    "value early": ("held_index | half_of_tile", "scored_index | half_of_tile"),
    "slot": ("in_shift(score_shift[issued_slot*", "in_shift(score_shift[row_slot*"),
    "tile of the key": ("assign key_address = {item_place[1],", "assign key_address = {1'b0,"),
    "half of the key": ("item_index[KEY_BITS-1] | item_place[0]", "item_index[KEY_BITS-1]"),
    "tile of the value": (".in({issued_keys[1],", ".in({1'b0,"),
    "half of the value": ("!issued_keys[0] ? {KEY_BITS", "1'b1 ? {KEY_BITS"),
    "half of the sums": ("<< (BLOCK_BITS - 1)", "<< (KEY_BITS - 1)"),
    "reference": ("issued_place, issued_reference}),", "issued_place, row_reference_q}),"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    shape = {"head_dim": 16, "tile_keys": 256, "block_keys": 16}
    bench(check_mutant_caught, sim="icarus", mutant=mutant, **shape)
