# SPDX-License-Identifier: Apache-2.0
"""pasa_normalise against the golden model, its order and pace, and proof that this bench can fail.

make unit M=pasa_normalise
"""

import os
import random
from collections import deque
from dataclasses import dataclass

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge
from pasa.arithmetic import Integer
from pasa.formats import OUTPUT_SHIFT_MAX, WEIGHT_BITS, WEIGHT_FRACTION

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack, start
from verif.softmax.pipeline import generator

TOP = "pasa_normalise"
ROWS = int(os.environ.get("ROWS", "4"))
HEAD_DIM = int(os.environ.get("HEAD_DIM", "64"))
TILE_KEYS = int(os.environ.get("TILE_KEYS", "2048"))
PLACES = 32
TOTAL_BITS = WEIGHT_BITS + TILE_KEYS.bit_length() - 1
ACC_BITS = TOTAL_BITS + 8
MOST = TILE_KEYS << WEIGHT_FRACTION  # the largest total
FIRST_CAPTURE = 6  # clocks of lane_valid until an idle normaliser captures
WRITE = 13  # clocks from capture to write
COUNT = 2  # clocks from write to count


@dataclass(frozen=True)
class Fields:
    """The fields of one slot."""

    dims: int
    multiplier: int
    shift: int
    int16: int

    @property
    def groups(self) -> int:
        return -(-self.dims // 16)


@dataclass(frozen=True)
class Row:
    """A finished row and what must be written for it."""

    slot: int
    place: int
    total: int
    accumulator: int  # HEAD_DIM sums, packed
    words: tuple[int, ...]  # 16 codes each, packed
    clipped: tuple[int, ...]  # codes clipped in each


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


def make_row(fields: list[Fields], place: int) -> Row:
    """A row of a random slot with its golden codes; some totals are 0, 1 or the largest."""
    rng = generator()
    slot = random.getrandbits(1)
    f = fields[slot]
    anywhere = 1 + (random.randrange(MOST) >> random.randrange(TOTAL_BITS))
    total = random.choice([0, 1, MOST, anywhere, anywhere, anywhere, anywhere])
    weighted = (rng.uniform(-128, 127, f.dims) * total).astype(np.int64)
    extreme = rng.random(f.dims) < 0.2
    weighted = np.where(extreme, rng.choice([-128, 127, 0], f.dims) * total, weighted)
    step = Integer()
    some = np.asarray(max(total, 1))
    code, clipped = step.output(
        step.average(weighted, some),
        step.factor(step.reciprocal(some), f.multiplier),
        f.shift,
        16 if f.int16 else 8,
    )
    whole = np.zeros((2, f.groups * 16), dtype=np.int64)
    whole[:, : f.dims] = code, clipped
    words, counts = whole.reshape(2, f.groups, 16)
    garbage = random.getrandbits(HEAD_DIM * ACC_BITS)
    return Row(
        slot=slot,
        place=place,
        total=total,
        accumulator=pack(weighted, width=ACC_BITS) if total else garbage,
        words=tuple(pack(word, width=16) for word in words),
        clipped=tuple(int(count.sum()) for count in counts),
    )


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
            ("slot", 1),
        ):
            values = [getattr(o, name) if o else random.getrandbits(width) for o in offers]
            getattr(dut, f"lane_{name}").value = pack(values, width=width)
        places = [o.place if o else random.randrange(PLACES) for o in offers]
        dut.lane_output_row.value = pack(places, width=PLACES.bit_length() - 1)


class Watch:
    """Sees every write and every count."""

    def __init__(self, dut) -> None:
        self.dut, self.clock = dut, 0
        self.writes: list[tuple[int, ...]] = []  # clock, place, group, word, done
        self.counts: list[tuple[int, ...]] = []  # clock, slot, count

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


async def begin(dut) -> None:
    dut.lane_valid.value = 0
    for name in ("accumulator", "total", "output_row", "slot"):
        getattr(dut, f"lane_{name}").value = 0
    await start(dut)


async def set_fields(dut, fields: list[Fields]) -> None:
    dims_bits = HEAD_DIM.bit_length()
    dut.slot_dims.value = pack((f.dims for f in fields), width=dims_bits)
    dut.slot_multiplier.value = pack((f.multiplier for f in fields), width=16)
    dut.slot_shift.value = pack((f.shift for f in fields), width=6)
    dut.slot_int16.value = pack((f.int16 for f in fields), width=1)
    await ClockCycles(dut.clk, 2)


async def pass_rows(dut, fields: list[Fields], *, count: int, pace: float) -> Lanes:
    """Pass rows through all lanes; compare every write, count, order and clock."""
    await set_fields(dut, fields)
    rows = [make_row(fields, at % PLACES) for at in range(count)]
    queues = [deque(rows[lane::ROWS]) for lane in range(ROWS)]
    lanes, watch = Lanes(dut, queues, pace=pace), Watch(dut)
    watching = cocotb.start_soon(watch.run())
    await lanes.run()
    await ClockCycles(dut.clk, WRITE + COUNT + 4)
    watching.cancel()
    assert len(lanes.taken) == count
    writes, counts = [], []
    for _, row, clock in lanes.taken:
        groups = len(row.words)
        for group, word in enumerate(row.words):
            done = int(group == groups - 1)
            at = clock - groups + 1 + group + WRITE
            writes.append((at, row.place, group, word, done))
            counts.append((at + COUNT, row.slot, row.clipped[group]))
    assert watch.writes == writes
    assert watch.counts == counts
    return lanes


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(pace=[0.05, 0.5, 1.0])
async def equals_the_golden_model(dut, pace):
    await begin(dut)
    for _ in range(4):
        fields = [make_fields(), make_fields()]
        await pass_rows(dut, fields, count=4 * ROWS + 3, pace=pace)


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def busy_lanes_take_turns_without_idle_clocks(dut):
    await begin(dut)
    full = Fields(dims=HEAD_DIM, multiplier=50000, shift=33, int16=0)
    lanes = await pass_rows(dut, [full, full], count=6 * ROWS, pace=1.0)
    order = [lane for lane, _, _ in lanes.taken]
    assert order == [(order[0] + at) % ROWS for at in range(len(order))]
    clocks = [clock for _, _, clock in lanes.taken]
    if ROWS * full.groups >= FIRST_CAPTURE + full.groups:  # a lane's own next row is in time
        assert set(np.diff(clocks)) == {full.groups}, "idle clocks between rows"


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def lone_row_is_captured_soon(dut):
    await begin(dut)
    fields = [Fields(dims=HEAD_DIM, multiplier=50000, shift=33, int16=0)] * 2
    lanes = await pass_rows(dut, fields, count=1, pace=1.0)
    assert lanes.taken[0][2] == FIRST_CAPTURE + fields[0].groups - 1


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def works_after_a_reset_in_mid_flight(dut):
    await begin(dut)
    for clocks in (1, 4, 9, 20):
        fields = [make_fields(), make_fields()]
        await set_fields(dut, fields)
        dut.lane_valid.value = (1 << ROWS) - 1
        await ClockCycles(dut.clk, clocks)
        dut.rst.value, dut.lane_valid.value = 1, 0
        await ClockCycles(dut.clk, 1)
        dut.rst.value = 0
        await pass_rows(dut, fields, count=ROWS + 1, pace=0.5)


def bench(run, *, sim, rows, head_dim, tile_keys, **options):
    shape = {"ROWS": rows, "HEAD_DIM": head_dim, "TILE_KEYS": tile_keys}
    env = {name: str(value) for name, value in shape.items()}
    run(TOP, test_module=__name__, parameters=shape, env=env, sim=sim, **options)


@pytest.mark.parametrize(
    ("rows", "head_dim", "tile_keys"), [(1, 16, 256), (4, 64, 2048), (2, 128, 512)]
)
def test_design(sim, rows, head_dim, tile_keys):
    bench(simulate, sim=sim, rows=rows, head_dim=head_dim, tile_keys=tile_keys)


MUTANTS = {
    "twice": ("lane_valid & ~picked", "lane_valid"),
    "unfair": ("turn      <= found + 1'b1", "turn      <= {LANE_BITS{1'b0}}"),
    "slow": ("next_valid & (!run | last_0)", "next_valid & !run"),
    "released early": ("valid[CAPTURE-1] & last_3 &", "valid[CAPTURE-1] &"),
    "lane": ("lane_4  <= lane_3", "lane_4  <= lane_0"),
    "group": ("accumulator[group_3*", "accumulator[group_0*"),
    "groups of the other slot": ("last_group[next_slot]", "last_group[!next_slot]"),
    "last group": (
        "slot_dims[s*DIMS_BITS +: DIMS_BITS] - 1'b1",
        "slot_dims[s*DIMS_BITS +: DIMS_BITS]",
    ),
    "zero": (".in_zero(zero_5)", ".in_zero(1'b0)"),
    "multiplier slot": ("slot_multiplier[slot_7*", "slot_multiplier[slot_8*"),
    "shift slot": ("slot_shift[slot_8*", "slot_shift[slot_9*"),
    "int16 slot": ("slot_int16[slot_8]", "slot_int16[slot_7]"),
    "count": ("{2'd0, saturated_16[4*g + 3]}", "3'd0"),
    "count slot": (".CLOCKS(2)) slot_last", ".CLOCKS(1)) slot_last"),
    "place": (".CLOCKS(8)) row", ".CLOCKS(7)) row"),
    "reset picked": ("picked[g] <= !rst &", "picked[g] <="),
    "reset run": ("            run        <= 1'b0;\n", ""),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    shape = {"rows": 8, "head_dim": 32, "tile_keys": 256}
    bench(check_mutant_caught, sim="icarus", **shape, mutant=mutant)
