# SPDX-License-Identifier: Apache-2.0
"""pasa_normalise against the golden model, its order and pace, and proof that this bench can fail.

make unit M=pasa_normalise
"""

import os
import random
from collections import deque
from dataclasses import dataclass, replace

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge
from pasa.arithmetic import Integer
from pasa.formats import OUTPUT_SHIFT_MAX, REFERENCE_BITS, WEIGHT_FRACTION, Build
from pasa.merging import merge_sums

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack, start
from verif.softmax.pipeline import generator

TOP = "pasa_normalise"
ROWS = int(os.environ.get("ROWS", "4"))
HEAD_DIM = int(os.environ.get("HEAD_DIM", "64"))
TILE_KEYS = int(os.environ.get("TILE_KEYS", "2048"))
SLOTS = int(os.environ.get("SLOTS", "2"))
SLOT_BITS = SLOTS.bit_length() - 1
MERGE_ROWS = 16
BUILD = Build(rows=ROWS, head_dim=HEAD_DIM, tile_keys=TILE_KEYS, merge_rows=MERGE_ROWS)
PLACES = 32
TOTAL_BITS = BUILD.total_bits
ACC_BITS = TOTAL_BITS + 8
MOST = TILE_KEYS << WEIGHT_FRACTION  # the largest total of a tile
FIRST_CAPTURE = 10  # clocks of lane_valid until an idle normaliser captures
WRITE = 18  # clocks from capture to write
KEPT = 8  # clocks from a row's last capture to row_kept
COUNT = 2  # clocks from write to count

Sums = tuple[np.ndarray, np.ndarray, np.ndarray]  # reference [1], total [1], weighted [1, d]


@dataclass(frozen=True)
class Fields:
    """The fields of one slot."""

    dims: int
    multiplier: int
    shift: int
    int16: int
    previous: int = 0
    next: int = 0

    @property
    def groups(self) -> int:
        return -(-self.dims // 16)


@dataclass(frozen=True)
class Row:
    """A finished row and what must be written for it."""

    slot: int
    output_row: int
    merge_row: int
    total: int
    reference: int
    accumulator: int  # HEAD_DIM sums, packed
    words: tuple[int, ...]  # 16 codes each, packed
    clipped: tuple[int, ...]  # codes clipped in each
    kept: bool  # for the next command: nothing is written


def make_fields() -> Fields:
    """Often in the range where codes are neither all zero nor all clipped."""
    int16 = random.getrandbits(1)
    middle = random.randint(22, 27) if int16 else random.randint(30, 35)
    return Fields(
        dims=random.choice([1, 16, HEAD_DIM - 15, HEAD_DIM, random.randint(1, HEAD_DIM)]),
        multiplier=random.choice([1, (1 << 16) - 1, random.randint(1 << 15, (1 << 16) - 1)]),
        shift=random.choice([1, OUTPUT_SHIFT_MAX, middle, middle, middle]),
        int16=int16,
    )


def make_tile(f: Fields) -> Sums:
    """Sums of one tile; some totals are 0, 1 or the largest."""
    rng = generator()
    anywhere = 1 + (random.randrange(MOST) >> random.randrange(TOTAL_BITS))
    total = random.choice([0, 1, MOST, anywhere, anywhere, anywhere, anywhere])
    weighted = (rng.uniform(-128, 127, f.dims) * total).astype(np.int64)
    extreme = rng.random(f.dims) < 0.2
    weighted = np.where(extreme, rng.choice([-128, 127, 0], f.dims) * total, weighted)
    return np.array([random.randint(-9, 9)]), np.array([total]), weighted[None]


def golden_codes(f: Fields, merged: Sums) -> tuple[np.ndarray, np.ndarray]:
    """Output codes and whether they were clipped, [d] each."""
    step, some = Integer(), np.maximum(merged[1][0], 1)
    return step.output(
        step.average(merged[2][0], some),
        step.factor(step.reciprocal(some), f.multiplier),
        f.shift,
        16 if f.int16 else 8,
    )


def make_row(f: Fields, *, slot: int, place: int, merge_row: int, held: dict[int, Sums]) -> Row:
    """A row with its golden codes, merged with what is held of it; or held for what follows."""
    tile = make_tile(f)
    zero = np.zeros(1, dtype=np.int64)
    before = held.pop(merge_row) if f.previous else (zero, zero, np.zeros_like(tile[2]))
    merged = merge_sums(tile, before, Integer(), BUILD)
    if f.next:
        held[merge_row] = merged
    whole = np.zeros((2, f.groups * 16), dtype=np.int64)
    whole[:, : f.dims] = golden_codes(f, merged)
    words, counts = whole.reshape(2, f.groups, 16)
    nothing = not (tile[1][0] or f.previous or f.next)
    garbage = random.getrandbits(HEAD_DIM * ACC_BITS)
    return Row(
        slot=slot,
        output_row=place,
        merge_row=merge_row,
        total=int(tile[1][0]),
        reference=int(tile[0][0]) & ((1 << REFERENCE_BITS) - 1),
        accumulator=garbage if nothing else pack(tile[2][0], width=ACC_BITS),
        words=tuple(pack(word, width=16) for word in words),
        clipped=tuple(int(count.sum()) for count in counts),
        kept=bool(f.next),
    )


def make_rows(fields: list[Fields], *, count: int, held: dict[int, Sums]) -> list[Row]:
    """Rows of random slots; where a slot goes on or is kept, one for each row of its command."""
    plain = [slot for slot, f in enumerate(fields) if not f.previous and not f.next]
    chain = [slot for slot in range(SLOTS) if slot not in plain]
    slots = [(random.choice(plain), random.randrange(MERGE_ROWS)) for _ in range(count)]
    for slot in chain:
        for merge_row in sorted(held) if fields[slot].previous else range(count % MERGE_ROWS + 1):
            slots.append((slot, merge_row))
    random.shuffle(slots)
    return [
        make_row(fields[slot], slot=slot, place=at % PLACES, merge_row=merge_row, held=held)
        for at, (slot, merge_row) in enumerate(slots)
    ]


class Lanes:
    """Offers queued rows on every lane and replaces a row in the clock after lane_ready.

    `taken` lists (lane, row, clock) of each taken row in order.
    """

    def __init__(self, dut, queues: list[deque[Row]], *, pace: float) -> None:
        self.dut, self.queues, self.pace = dut, queues, pace
        self.offers: list[Row | None] = [None] * ROWS
        self.taken: list[tuple[int, Row, int]] = []
        self.clock = 0

    async def run(self) -> None:
        while any(self.queues) or any(self.offers):
            self._offer()
            await RisingEdge(self.dut.clk)
            self.clock += 1
            ready = int(self.dut.lane_ready.value)
            for lane in range(ROWS):
                if ready >> lane & 1:
                    assert self.offers[lane], f"lane {lane} was taken without a row"
                    self.taken.append((lane, self.offers[lane], self.clock))
                    self.offers[lane] = None
        self._offer()

    def _offer(self) -> None:
        for lane, queue in enumerate(self.queues):
            if self.offers[lane] is None and queue and random.random() < self.pace:
                self.offers[lane] = queue.popleft()
        dut, offers = self.dut, self.offers
        dut.lane_valid.value = pack((o is not None for o in offers), width=1)
        for name, width in (
            ("accumulator", HEAD_DIM * ACC_BITS),
            ("total", TOTAL_BITS),
            ("reference", REFERENCE_BITS),
            ("slot", SLOT_BITS),
            ("output_row", PLACES.bit_length() - 1),
            ("merge_row", MERGE_ROWS.bit_length() - 1),
        ):
            values = [getattr(o, name) if o else random.getrandbits(width) for o in offers]
            getattr(dut, f"lane_{name}").value = pack(values, width=width)


class Watch:
    """Sees every write, every count and every kept row."""

    def __init__(self, dut) -> None:
        self.dut, self.clock = dut, 0
        self.writes: list[tuple[int, ...]] = []  # clock, place, group, word, done
        self.counts: list[tuple[int, ...]] = []  # clock, slot, count
        self.kept: list[tuple[int, int]] = []  # clock, slot

    async def run(self) -> None:
        dut = self.dut
        while True:
            await RisingEdge(dut.clk)
            self.clock += 1
            if int(dut.write_valid.value):
                signals = (dut.write_row, dut.write_group, dut.write_data, dut.write_done)
                self.writes.append((self.clock, *(int(s.value) for s in signals)))
            if int(dut.saturation_valid.value):
                signals = (dut.saturation_slot, dut.saturation_count)
                self.counts.append((self.clock, *(int(s.value) for s in signals)))
            if int(dut.row_kept.value):
                self.kept.append((self.clock, int(dut.row_kept_slot.value)))


async def begin(dut) -> None:
    dut.lane_valid.value = 0
    for name in ("accumulator", "total", "reference", "output_row", "merge_row", "slot"):
        getattr(dut, f"lane_{name}").value = 0
    await start(dut)


async def set_fields(dut, fields: list[Fields]) -> None:
    dims_bits = HEAD_DIM.bit_length()
    dut.slot_dims.value = pack((f.dims for f in fields), width=dims_bits)
    dut.slot_multiplier.value = pack((f.multiplier for f in fields), width=16)
    dut.slot_shift.value = pack((f.shift for f in fields), width=6)
    dut.slot_int16.value = pack((f.int16 for f in fields), width=1)
    dut.slot_previous.value = pack((f.previous for f in fields), width=1)
    dut.slot_next.value = pack((f.next for f in fields), width=1)
    await ClockCycles(dut.clk, 2)


async def pass_rows(
    dut, fields: list[Fields], *, count: int, pace: float, held: dict[int, Sums] | None = None
) -> Lanes:
    """Pass rows through all lanes; compare every write, count, order and clock.

    Args:
        count: rows of slots that neither go on nor are kept; the others come on top.
        held: the rows kept before, and after it those kept now.
    """
    await set_fields(dut, fields)
    rows = make_rows(fields, count=count, held={} if held is None else held)
    queues = [deque(rows[lane::ROWS]) for lane in range(ROWS)]
    lanes, watch = Lanes(dut, queues, pace=pace), Watch(dut)
    watching = cocotb.start_soon(watch.run())
    await lanes.run()
    await ClockCycles(dut.clk, WRITE + COUNT + 4)
    watching.cancel()
    assert len(lanes.taken) == len(rows)
    writes, counts, kept = [], [], []
    for _, row, clock in lanes.taken:
        if row.kept:
            kept.append((clock + KEPT, row.slot))
            continue
        groups = len(row.words)
        for group, word in enumerate(row.words):
            done = int(group == groups - 1)
            at = clock - groups + 1 + group + WRITE
            writes.append((at, row.output_row, group, word, done))
            counts.append((at + COUNT, row.slot, row.clipped[group]))
    assert watch.writes == writes
    assert watch.counts == counts
    assert watch.kept == kept
    return lanes


def all_fields() -> list[Fields]:
    return [make_fields() for _ in range(SLOTS)]


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pace=[0.05, 0.5, 1.0])
async def equals_the_golden_model(dut, pace):
    await begin(dut)
    for _ in range(3):
        await pass_rows(dut, all_fields(), count=4 * ROWS + 3, pace=pace)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pace=[0.2, 1.0])
async def rows_go_on_over_commands(dut, pace):
    """Chains of two to four commands, with rows of other commands in between."""
    await begin(dut)
    for tiles in (2, 3, 4):
        chain, slot, held = make_fields(), random.randrange(SLOTS), {}
        for tile in range(tiles):
            fields = all_fields()
            fields[slot] = replace(chain, previous=int(tile > 0), next=int(tile < tiles - 1))
            await pass_rows(dut, fields, count=random.randint(1, 12), pace=pace, held=held)
        assert not held


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def busy_lanes_take_turns_without_idle_clocks(dut):
    await begin(dut)
    full = Fields(dims=HEAD_DIM, multiplier=50000, shift=33, int16=0)
    lanes = await pass_rows(dut, [full] * SLOTS, count=6 * ROWS, pace=1.0)
    order = [lane for lane, _, _ in lanes.taken]
    assert order == [(order[0] + at) % ROWS for at in range(len(order))]
    clocks = [clock for _, _, clock in lanes.taken]
    if ROWS * full.groups >= FIRST_CAPTURE + full.groups:  # a lane's own next row is in time
        assert set(np.diff(clocks)) == {full.groups}, "idle clocks between rows"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def lone_row_is_captured_soon(dut):
    await begin(dut)
    fields = [Fields(dims=HEAD_DIM, multiplier=50000, shift=33, int16=0)] * SLOTS
    lanes = await pass_rows(dut, fields, count=1, pace=1.0)
    assert lanes.taken[0][2] == FIRST_CAPTURE + fields[0].groups - 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def works_after_a_reset_in_mid_flight(dut):
    await begin(dut)
    for clocks in (1, 4, 9, 20):
        fields = all_fields()
        await set_fields(dut, fields)
        dut.lane_valid.value = (1 << ROWS) - 1
        await ClockCycles(dut.clk, clocks)
        dut.rst.value, dut.lane_valid.value = 1, 0
        await ClockCycles(dut.clk, 1)
        dut.rst.value = 0
        await pass_rows(dut, fields, count=ROWS + 1, pace=0.5)


def bench(run, *, sim, rows, head_dim, tile_keys, slots, **options):
    shape = {"ROWS": rows, "HEAD_DIM": head_dim, "TILE_KEYS": tile_keys, "SLOTS": slots}
    env = {name: str(value) for name, value in shape.items()}
    parameters = {**shape, "MERGE_ROWS": MERGE_ROWS}
    run(TOP, test_module=__name__, parameters=parameters, env=env, sim=sim, **options)


@pytest.mark.parametrize(
    ("rows", "head_dim", "tile_keys", "slots"),
    [(1, 16, 256, 2), (4, 64, 2048, 4), (2, 128, 512, 4)],
)
def test_design(sim, rows, head_dim, tile_keys, slots):
    bench(simulate, sim=sim, rows=rows, head_dim=head_dim, tile_keys=tile_keys, slots=slots)


MUTANTS = {
    "twice": ("lane_valid & ~picked", "lane_valid"),
    "unfair": ("turn      <= found + 1'b1", "turn      <= {LANE_BITS{1'b0}}"),
    "slow": ("next_valid & (!run | last_0)", "next_valid & !run"),
    "released early": ("valid[CAPTURE-1] & last_7 &", "valid[CAPTURE-1] &"),
    "lane": ("lane_8  <= lane_7", "lane_8  <= lane_0"),
    "group": ("accumulator[group_7*", "accumulator[group_0*"),
    "groups of the other slot": ("last_group[next_slot]", "last_group[!next_slot]"),
    "last group": (
        "slot_dims[s*DIMS_BITS +: DIMS_BITS] - 1'b1",
        "slot_dims[s*DIMS_BITS +: DIMS_BITS]",
    ),
    "zero": (".in_zero(zero_14)", ".in_zero(1'b0)"),
    "multiplier slot": ("slot_multiplier[slot_16*", "slot_multiplier[slot_17*"),
    "shift slot": ("slot_shift[slot_17*", "slot_shift[slot_18*"),
    "int16 slot": ("slot_int16[slot_17]", "slot_int16[slot_16]"),
    "count": ("{2'd0, saturated_25[4*g + 3]}", "3'd0"),
    "count slot": (".CLOCKS(2)) slot_last", ".CLOCKS(1)) slot_last"),
    "place": (".CLOCKS(17)) row", ".CLOCKS(16)) row"),
    "goes on": ("slot_previous[slot_0]", "1'b0"),
    "is kept": ("slot_next[slot_0]", "1'b0"),
    "kept row": ("lane_merge_row[lane_0*", "lane_merge_row[0*"),
    "reference": ("lane_reference[lane_0*", "lane_reference[next_lane*"),
    "total": ("lane_total[lane_0*", "lane_total[next_lane*"),
    "reset picked": ("picked[g] <= !rst &", "picked[g] <="),
    "reset run": ("            run        <= 1'b0;\n", ""),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    shape = {"rows": 8, "head_dim": 32, "tile_keys": 256, "slots": 2}
    bench(check_mutant_caught, sim="icarus", **shape, mutant=mutant)
