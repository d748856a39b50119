# SPDX-License-Identifier: Apache-2.0
"""pasa_value_store: rows and block sums on every lane, in one format and with one latency.

make unit M=pasa_value_store
"""

import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack, start
from verif.memory.tiles import Lanes, chance, parameters_of, random_rows, row_word, run_with

TOP = "pasa_value_store"
NAMES = "ROWS HEAD_DIM TILE_KEYS BLOCK_KEYS"
ROWS, HEAD_DIM, TILE_KEYS, BLOCK_KEYS = parameters_of(NAMES)
KEY_BITS = max(TILE_KEYS - 1, 1).bit_length()
VALUE_BITS = 8 + max(BLOCK_KEYS, 1).bit_length() - 1

Request = tuple[bool, int, int]  # whether of a block, slot, key or block number


class Store:
    """Drives the store for one clock after another and checks all reads."""

    def __init__(self, dut):
        self.dut = dut
        self.words: dict[Request, int] = {}  # as seen by reads accepted in this clock
        self.late: dict[Request, int] = {}  # what the row of the clock before wrote
        self.recent: list[Request] = []  # what was written last
        self.lanes = Lanes(
            dut,
            lanes=ROWS,
            width=HEAD_DIM * VALUE_BITS,
            latency=3,
            choose=self._choose,
            look_up=self.words.get,
            fields={"read_address": (KEY_BITS + 1, self._address), "read_block": (1, self._block)},
            busy=0.8,
            never_waits=lambda request: request[0],
        )
        dut.row_valid.value = dut.read_valid.value = 0

    def _address(self, request: Request) -> int:
        return request[1] << KEY_BITS | request[2]

    def _block(self, request: Request) -> int:
        return request[0]

    def _choose(self) -> Request:
        slot, block = random.randrange(2), chance(0.5)
        known = [at for at in self.recent if at[1] == slot and at[0] == block]
        if known and chance(0.5):
            return random.choice(known)
        return block, slot, random.randrange(TILE_KEYS // BLOCK_KEYS if block else TILE_KEYS)

    async def clock(self, written: dict[Request, int]):
        """One clock; `written` is what this clock's row will have changed."""
        self.lanes.offer()
        await RisingEdge(self.dut.clk)
        self.lanes.step(written=bool(self.late))
        self.words.update(self.late)
        self.late = written
        self.recent = (self.recent + list(written))[-6:]

    async def load(self, slot: int, tile: np.ndarray, *, gap: float):
        """Write a tile in order; checks go on with the running sums."""
        dut = self.dut
        for number, codes in enumerate(tile):
            while chance(gap):
                dut.row_valid.value = 0
                dut.row_data.value = random.getrandbits(HEAD_DIM * 8)
                await self.clock({})
            block = number // BLOCK_KEYS
            total = tile[block * BLOCK_KEYS : number + 1].sum(axis=0, dtype=np.int64)
            dut.row_valid.value, dut.write_slot.value, dut.row_number.value = 1, slot, number
            dut.row_data.value = row_word(codes)
            wide = pack(codes, width=VALUE_BITS)
            sums = pack(total, width=VALUE_BITS)
            await self.clock({(False, slot, number): wide, (True, slot, block): sums})
        dut.row_valid.value = 0
        await self.clock({})


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.5])
async def rows_and_sums_of_both_slots(dut, gap):
    """Also after a tile that ended inside a block, and at the extremes of a sum."""
    store = Store(dut)
    await start(dut)
    extremes = np.full((2 * BLOCK_KEYS, HEAD_DIM), -128, dtype=np.int8)
    extremes[BLOCK_KEYS:] = 127
    tiles = [random_rows(BLOCK_KEYS + 5, HEAD_DIM), extremes, random_rows(TILE_KEYS, HEAD_DIM)]
    for turn, tile in enumerate(tiles):
        await store.load(turn % 2, tile, gap=gap)
        for _ in range(20):
            await store.clock({})
    for _ in range(90):
        await store.clock({})
    assert min(store.lanes.checked) > 40
    if ROWS > 1 and gap:
        assert min(store.lanes.passes[1::2]) > 0 and min(store.lanes.waits[1::2]) > 3


def bench(run, *, sim, values, **options):
    parameters = dict(zip(NAMES.split(), values, strict=True))
    run_with(run, TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


SMALL = (4, 32, 128, 32)


@pytest.mark.parametrize("values", [(1, 16, 128, 64), SMALL])
def test_design(sim, values):
    bench(simulate, sim=sim, values=values)


MUTANTS = {
    "never clears": ("& {VALUE_BITS{!first}}", ""),
    "sum not signed": (
        "<= so_far + {{(VALUE_BITS-8){code[7]}}, code}",
        "<= so_far + {{(VALUE_BITS-8){1'b0}}, code}",
    ),
    "row not signed": (": {{(VALUE_BITS-8){code[7]}}, code}", ": {{(VALUE_BITS-8){1'b0}}, code}"),
    "block waits": ("row_ready | read_block", "row_ready"),
    "slots share sums": ("add_block <= {write_slot,", "add_block <= {1'b0,"),
    "sum written early": ("sum_valid <= add & !rst", "sum_valid <= row_valid"),
    "mux early": ("show_sum <= read_sum", "show_sum <= read_block[l]"),
    "block beside slot": (
        "{asked[KEY_BITS], asked[BLOCK_BITS-1:0]}",
        "asked[KEY_BITS -: BLOCK_BITS+1]",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", values=SMALL, mutant=mutant)
