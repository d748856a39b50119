# SPDX-License-Identifier: Apache-2.0
"""pasa_row_ring: rows in order with their own entries and queries; blocks freed when released.

make unit M=pasa_row_ring
"""

import os
import random
from collections import deque

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack, start

TOP = "pasa_row_ring"
ROWS = int(os.environ.get("ROWS", "2"))
RING, BLOCKS, BLOCK_KEYS, HEAD_DIM = 8, 4, 8, 16
COUNT_BITS, TAIL_BITS, REFERENCE_BITS = 6, 18, 24
BLOCKS_TO_SEND = 40


def make_block(number: int) -> dict:
    """A row-block: its rows, each with its query, header and entries."""
    present = random.randint(1, ROWS) if number % 5 == 4 else ROWS
    rows = []
    for _ in range(present):
        places = sorted(random.sample(range(BLOCKS), random.randint(0, BLOCKS)))
        entries = [
            (place, random.getrandbits(BLOCK_KEYS), random.getrandbits(TAIL_BITS))
            for place in places
        ]
        rows.append(
            {
                "query": random.getrandbits(HEAD_DIM * 8),
                "items": random.getrandbits(COUNT_BITS),
                "reference": random.getrandbits(REFERENCE_BITS),
                "tail": random.getrandbits(1),
                "entries": entries,
            }
        )
    return {"rows": rows, "last": random.getrandbits(1), "slot": random.getrandbits(1)}


class Predictor:
    """Fills the ring; the entries of a block may overtake the headers of earlier ones."""

    def __init__(self, dut, blocks):
        self.dut, self.blocks, self.full = dut, blocks, 0

    async def run(self):
        headers = deque()
        for number, block in enumerate(self.blocks):
            while not int(self.dut.ring_free.value):
                self.full += 1
                await self.clock(headers)
            self.dut.ring_take.value = 1
            await self.clock(headers)
            self.dut.ring_take.value = 0
            for row, content in enumerate(block["rows"]):
                self.dut.query_write_valid.value = 1
                self.dut.query_write_block.value = number % RING
                self.dut.query_write_row.value = row
                self.dut.query_write_data.value = content["query"]
                await self.clock(headers)
            self.dut.query_write_valid.value = 0
            for place in range(BLOCKS):
                self.offer_entry(number, block, place)
                await self.clock(headers)
            self.dut.entry_valid.value = 0
            headers.append([random.randint(0, 12), number, block])
        while headers:
            await self.clock(headers)
        await self.clock(headers)

    def offer_entry(self, number, block, place):
        valid, masks, tails = 0, [0] * ROWS, [0] * ROWS
        for row, content in enumerate(block["rows"]):
            for at, mask, tail in content["entries"]:
                if at == place:
                    valid, masks[row], tails[row] = valid | 1 << row, mask, tail
        self.dut.entry_valid.value = valid
        self.dut.entry_ring_block.value, self.dut.entry_block.value = number % RING, place
        self.dut.entry_mask.value = pack(masks, width=BLOCK_KEYS)
        self.dut.entry_tail.value = pack(tails, width=TAIL_BITS)

    async def clock(self, headers):
        """One clock; publishes the oldest header when its time has come."""
        dut = self.dut
        dut.rows_valid.value = 0
        if headers:
            headers[0][0] -= 1
            if headers[0][0] <= 0:
                self.publish(*headers.popleft()[1:])
        await RisingEdge(dut.clk)

    def publish(self, number, block):
        dut, rows = self.dut, block["rows"]
        column = lambda name: [r[name] for r in rows] + [0] * (ROWS - len(rows))  # noqa: E731
        dut.rows_valid.value, dut.rows_ring_block.value = 1, number % RING
        dut.rows_present.value = (1 << len(rows)) - 1
        dut.rows_last.value, dut.rows_slot.value = block["last"], block["slot"]
        dut.rows_items.value = pack(column("items"), width=COUNT_BITS)
        dut.rows_reference.value = pack(column("reference"), width=REFERENCE_BITS)
        dut.rows_tail.value = pack(column("tail"), width=1)


async def read_entries(dut, lane, place, count) -> list[tuple]:
    """Read a row's entries as a lane would; two clocks of latency."""
    words = []
    for clock in range(count + 2):
        if clock < count:
            set_lane(dut, "lane_read", lane, 1, 1)
            set_lane(dut, "lane_read_block", lane, 3, place[0])
            set_lane(dut, "lane_read_row", lane, row_bits(), place[1])
            set_lane(dut, "lane_read_entry", lane, 2, clock)
        else:
            set_lane(dut, "lane_read", lane, 1, 0)
            set_lane(dut, "lane_read_row", lane, row_bits(), random.randrange(ROWS))
        await RisingEdge(dut.clk)
        if clock >= 2:
            words.append(lane_word(dut, lane))
    return words


def row_bits() -> int:
    return max(1, (ROWS - 1).bit_length())


def set_lane(dut, name, lane, width, value):
    """Change one lane's field of a bus, from the bench's own copy of it."""
    copy = set_lane.copies.get(name, 0)
    mask = ((1 << width) - 1) << lane * width
    set_lane.copies[name] = copy & ~mask | value << lane * width
    getattr(dut, name).value = set_lane.copies[name]


def lane_word(dut, lane):
    width = len(dut.lane_entry) // ROWS
    word = int(dut.lane_entry.value[lane * width + width - 1 : lane * width])
    tail, word = word & ((1 << TAIL_BITS) - 1), word >> TAIL_BITS
    return word >> BLOCK_KEYS, word & ((1 << BLOCK_KEYS) - 1), tail


async def lane_task(dut, lane, place, row, slow):
    """Read everything of a row, compare, and release it after a while."""
    got = await read_entries(dut, lane, place, len(row["entries"]))
    assert got == row["entries"], f"entries of the row at {place} read by lane {lane}"
    for _ in range(random.randint(0, slow)):
        await RisingEdge(dut.clk)
    set_lane(dut, "lane_release", lane, 1, 1)
    set_lane(dut, "lane_release_block", lane, 3, place[0])
    set_lane(dut, "lane_release_row", lane, row_bits(), place[1])
    await RisingEdge(dut.clk)
    set_lane(dut, "lane_release", lane, 1, 0)


@cocotb.test(timeout_time=300, timeout_unit="us")
@cocotb.parametrize(slow=[0, 150])
async def hands_every_row_over(dut, slow):
    set_lane.copies = {}
    for handle in dut:
        if handle._name in INPUTS:
            handle.value = 0
    await start(dut)
    blocks = [make_block(number) for number in range(BLOCKS_TO_SEND)]
    predictor = Predictor(dut, blocks)
    filling = cocotb.start_soon(predictor.run())
    lanes = [None] * ROWS
    order = [(n, i) for n, block in enumerate(blocks) for i in range(len(block["rows"]))]
    for number, index in order:
        block = blocks[number]
        row = block["rows"][index]
        lane = random.randrange(ROWS)
        while lanes[lane] is not None and not lanes[lane].done():
            await RisingEdge(dut.clk)
        dut.row_take.value = 1
        await RisingEdge(dut.clk)
        while not int(dut.row_valid.value):
            await RisingEdge(dut.clk)
        dut.row_take.value = 0
        place = (int(dut.row_ring_block.value), int(dut.row_number.value))
        assert place == (number % RING, index)
        assert int(dut.row_items.value) == row["items"]
        assert int(dut.row_entries.value) == len(row["entries"]), f"row {index} of block {number}"
        assert int(dut.row_reference.value) == row["reference"]
        assert int(dut.row_tail.value) == row["tail"]
        assert int(dut.row_slot.value) == block["slot"]
        end = index == len(block["rows"]) - 1
        assert int(dut.row_last.value) == (block["last"] and end)
        await RisingEdge(dut.clk)
        assert int(dut.query_data.value) == row["query"]
        lanes[lane] = cocotb.start_soon(lane_task(dut, lane, place, row, slow))
    await filling
    for _ in range(400):
        await RisingEdge(dut.clk)
    assert int(dut.row_valid.value) == 0 and int(dut.ring_free.value) == 1
    assert not slow or predictor.full, "the ring was never full"


INPUTS = {
    *("ring_take", "query_write_valid", "query_write_block", "query_write_row"),
    *("query_write_data", "entry_valid", "entry_ring_block", "entry_block", "entry_mask"),
    *("entry_tail", "rows_valid", "rows_ring_block", "rows_present", "rows_last", "rows_slot"),
    *("rows_items", "rows_reference", "rows_tail", "row_take", "lane_read", "lane_read_block"),
    *("lane_read_row", "lane_read_entry", "lane_release", "lane_release_block"),
    "lane_release_row",
}


def bench(run, *, sim, rows, **options):
    return run(
        TOP,
        test_module=__name__,
        parameters={
            "ROWS": rows,
            "HEAD_DIM": HEAD_DIM,
            "TILE_KEYS": BLOCKS * BLOCK_KEYS,
            "BLOCK_KEYS": BLOCK_KEYS,
            "RING_BLOCKS": RING,
        },
        env={"ROWS": str(rows)},
        sim=sim,
        **options,
    )


@pytest.mark.parametrize("rows", [1, 4])
def test_design(sim, rows):
    bench(simulate, sim=sim, rows=rows)


MUTANTS = {
    "shared count": ("wire [ENTRIES_BITS-1:0] before_header = written[rows_ring_block]",
                     "wire [ENTRIES_BITS-1:0] before_header = written[entry_ring_block]"),
    "kept count": ("if (rows_valid)       written[rows_ring_block]  <= {ENTRIES_BITS{1'b0}};", ""),
    "freed early": ("complete[oldest] & (in_use[oldest] == 0)", "complete[oldest]"),
    "present": ("? rows_present : in_use[f]", "? {ROWS{1'b1}} : in_use[f]"),
    "last": ("next_last & (next_row == next_last_row)", "next_last"),
    "latency": ("row_entry[from_row*ENTRY_BITS +: ENTRY_BITS]",
                "row_entry[lane_read_row[lane*ROW_BITS +: ROW_BITS]*ENTRY_BITS +: ENTRY_BITS]"),
    "endless": ("assign ring_free = taken != RING_BLOCKS[RING_BITS:0]", "assign ring_free = 1'b1"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", rows=4, mutant=mutant)
