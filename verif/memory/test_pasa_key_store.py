# SPDX-License-Identifier: Apache-2.0
"""pasa_key_store: rows for the lanes and nibbles for the predictor, of tiles that replace others.

make unit M=pasa_key_store
"""

import random

import cocotb
import numpy as np
import pytest
from cocotb.triggers import RisingEdge
from pasa.arithmetic import nibble

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack, start
from verif.memory.tiles import (
    SLICE_DIMS,
    Lanes,
    beats_of,
    chance,
    parameters_of,
    random_rows,
    row_word,
    run_with,
)

TOP = "pasa_key_store"
NAMES = "ROWS PRED_KEYS HEAD_DIM TILE_KEYS PRED_BITS"
ROWS, PRED_KEYS, HEAD_DIM, TILE_KEYS, PRED_BITS = parameters_of(NAMES)
SLICES = HEAD_DIM // SLICE_DIMS
KEY_BITS = max(TILE_KEYS - 1, 1).bit_length()


def nibble_columns(tile: np.ndarray, word: int, part: int) -> list[int | None]:
    """What one nibble read must show, key by key; None where the tile has no key."""
    rounded = nibble(tile, PRED_BITS)
    columns: list[int | None] = []
    for key in range(word * PRED_KEYS, (word + 1) * PRED_KEYS):
        if part * SLICE_DIMS >= tile.shape[1]:
            columns.append(0)
        elif key < len(tile):
            wanted = rounded[key, part * SLICE_DIMS : (part + 1) * SLICE_DIMS]
            columns.append(pack(wanted, width=PRED_BITS))
        else:
            columns.append(None)
    return columns


class Store:
    """Drives the store for one clock after another and checks both kinds of reads."""

    def __init__(self, dut):
        self.dut = dut
        self.tiles: dict[int, np.ndarray] = {}  # slot -> tile that may be read
        self.lanes = Lanes(
            dut,
            lanes=ROWS,
            width=HEAD_DIM * 8,
            latency=2,
            choose=self._choose,
            look_up=lambda at: row_word(self.tiles[at[0]][at[1]]) if at else None,
            fields={"read_address": (KEY_BITS + 1, lambda at: at[0] << KEY_BITS | at[1])},
            busy=0.7,
        )
        self.nibbles: list[list[int | None]] = [[], []]
        self.dims = [0, 0]  # of each slot's tile
        self.compared = 0
        self.late = False
        dut.row_valid.value = dut.beat_valid.value = 0
        dut.read_valid.value = dut.nibble_enable.value = dut.nibble_dims.value = 0

    def _choose(self):
        if not self.tiles:
            return None
        slot = random.choice(list(self.tiles))
        return slot, random.randrange(len(self.tiles[slot]))

    def show_dims(self, slot: int, dims: int):
        """Set the dims of one slot, keep the other's."""
        self.dims[slot] = dims

    async def clock(self, *, row: bool = False):
        """One clock of random reads of the tiles that are whole."""
        self.lanes.offer()
        expected = self._offer_nibbles()
        await RisingEdge(self.dut.clk)
        self.lanes.step(written=self.late)
        self.late = row
        self._check_nibbles(self.nibbles.pop(0))
        self.nibbles.append(expected)

    def _offer_nibbles(self) -> list[int | None]:
        enable = bool(self.tiles) and chance(0.8)
        slot = random.choice(list(self.tiles)) if enable else random.randrange(2)
        word, part = random.randrange(TILE_KEYS // PRED_KEYS), random.randrange(SLICES)
        if enable and chance(0.9):  # mostly words that hold keys
            word = random.randrange(-(-len(self.tiles[slot]) // PRED_KEYS))
        self.dut.nibble_enable.value, self.dut.nibble_slot.value = enable, slot
        self.dut.nibble_word.value, self.dut.nibble_slice.value = word, part
        self.dut.nibble_dims.value = self.dims[slot]
        return nibble_columns(self.tiles[slot], word, part) if enable else []

    def _check_nibbles(self, expected: list[int | None]):
        width = SLICE_DIMS * PRED_BITS
        text = str(self.dut.nibble_data.value)
        for column, value in enumerate(expected):
            end = len(text) - column * width
            if value is not None:
                got = text[end - width : end]
                assert got == f"{value:0{width}b}", f"key {column} of the word"
                self.compared += 1

    async def load(self, slot: int, tile: np.ndarray, *, gap: float):
        """Write a tile as the loader does: the row with its last beat."""
        dut = self.dut
        self.tiles.pop(slot, None)
        self.lanes.offers = [o if o and o[0] != slot else None for o in self.lanes.offers]
        for number, codes in enumerate(tile):
            beats = beats_of(codes)
            for part, beat in enumerate(beats):
                while chance(gap):
                    await self._write(slot, number, random.randrange(SLICES), beat, valid=False)
                last = part == len(beats) - 1
                dut.row_data.value = row_word(codes) if last else random.getrandbits(HEAD_DIM * 8)
                await self._write(slot, number, part, beat, valid=True, row=last)
        await self._write(slot, 0, 0, 0, valid=False)
        self.show_dims(slot, tile.shape[1])
        self.tiles[slot] = tile  # readable two clocks after its last row

    async def _write(self, slot, number, part, beat, *, valid, row=False):
        dut = self.dut
        dut.write_slot.value, dut.row_number.value, dut.row_valid.value = slot, number, row
        dut.beat_valid.value, dut.beat_row.value = valid, number
        dut.beat_slice.value, dut.beat_data.value = part, beat
        await self.clock(row=row)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gap=[0.0, 0.5])
async def both_slots_are_read_while_tiles_change(dut, gap):
    store = Store(dut)
    await start(dut)
    shapes = [(min(TILE_KEYS, 40), HEAD_DIM), (min(TILE_KEYS, 70), HEAD_DIM)]  # (keys, dims)
    shapes += [(PRED_KEYS + 1, 1 + HEAD_DIM // 4), (9, 16), (3, 1), (20, HEAD_DIM - 1)]
    for turn, (keys, dims) in enumerate(shapes):
        await store.load(turn % 2, random_rows(keys, dims), gap=gap)
        for _ in range(15):
            await store.clock()
    assert store.compared > 200 and min(store.lanes.checked) > 20


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def the_largest_tile_fills_every_place(dut):
    store = Store(dut)
    await start(dut)
    tiles = [random_rows(TILE_KEYS, SLICE_DIMS) for _ in range(2)]
    for slot, tile in enumerate(tiles):
        await store.load(slot, tile, gap=0.0)
    for _ in range(150):
        await store.clock()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def every_code_becomes_its_nibble(dut):
    store = Store(dut)
    await start(dut)
    codes = np.arange(-128, 128).astype(np.int8).reshape(16, 16)
    await store.load(0, codes, gap=0.0)
    for _ in range(40 * 32 // PRED_KEYS):
        await store.clock()
    assert store.compared > 80


def bench(run, *, sim, values, **options):
    parameters = dict(zip(NAMES.split(), values, strict=True))
    run_with(run, TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


SMALL = (4, 8, 64, 128, 4)


@pytest.mark.parametrize("values", [(1, 4, 16, 128, 3), SMALL])
def test_design(sim, values):
    bench(simulate, sim=sim, values=values)


MUTANTS = {
    "nibble wraps": ("(top == HIGHEST) ? HIGHEST :", ""),
    "nibble truncates": ("{{(PRED_BITS-1){1'b0}}, half}", "{PRED_BITS{1'b0}}"),
    "shows absent slices": ("absent ? {COLUMN_WIDTH{1'b0}} : word", "word"),
    "a slice too many": (">= nibble_dims", "> nibble_dims"),
    "one column": ("nibble_write & write_column == NUMBER", "nibble_write"),
    "slots share nibbles": ("{write_slot, beat_row", "{1'b0, beat_row"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", values=SMALL, mutant=mutant)
