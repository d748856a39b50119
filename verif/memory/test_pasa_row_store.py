# SPDX-License-Identifier: Apache-2.0
"""pasa_row_store: every lane reads every row, latency, waits, reads beside writes.

make unit M=pasa_row_store
"""

import random

import cocotb
import pytest
from cocotb.triggers import RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import start
from verif.memory.tiles import Lanes, chance, parameters_of, run_with

TOP = "pasa_row_store"
ROWS, WIDTH, TILE_KEYS = parameters_of("ROWS WIDTH TILE_KEYS")
ADDRESS_BITS = (2 * TILE_KEYS - 1).bit_length()


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(writes=[0.25, 1.0], busy=[0.5, 1.0])
async def every_lane_reads_what_was_written(dut, writes, busy):
    words: dict[int, int] = {}  # as seen by reads accepted in this clock
    late: tuple[int, int] | None = None  # the write of the clock before
    favourites = random.sample(range(2 * TILE_KEYS), 8)  # rewritten and read all the time
    everywhere = list(range(2 * TILE_KEYS))
    lanes = Lanes(
        dut,
        lanes=ROWS,
        width=WIDTH,
        latency=2,
        choose=lambda: random.choice(favourites if chance(0.7) else everywhere),
        look_up=words.get,
        fields={"read_address": (ADDRESS_BITS, int)},
        busy=busy,
    )
    dut.write_valid.value = dut.read_valid.value = 0
    await start(dut)
    for _ in range(200):
        write = chance(writes)
        where = random.choice(favourites if chance(0.7) else everywhere)
        word = random.getrandbits(WIDTH)
        dut.write_valid.value, dut.write_address.value, dut.write_data.value = write, where, word
        lanes.offer()
        await RisingEdge(dut.clk)
        lanes.step(written=late is not None)
        if late is not None:
            words[late[0]] = late[1]
        late = (where, word) if write else None
    assert min(lanes.checked[::2]) > 50 * busy
    if ROWS > 1:
        assert min(lanes.waits[1::2]) > 3


def bench(run, *, sim, rows, width, tile_keys, **options):
    parameters = {"ROWS": rows, "WIDTH": width, "TILE_KEYS": tile_keys}
    run_with(run, TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


@pytest.mark.parametrize(("rows", "width", "tile_keys"), [(1, 128, 128), (8, 64, 16)])
def test_design(sim, rows, width, tile_keys):
    bench(simulate, sim=sim, rows=rows, width=width, tile_keys=tile_keys)


MUTANTS = {
    "odd never waits": ("read_ready[2*n+1] = !write", "read_ready[2*n+1] = 1'b1"),
    "odd waits early": ("read_ready[2*n+1] = !write", "read_ready[2*n+1] = !write_valid"),
    "lanes swapped": ("read_address[(2*n+1)*", "read_address[(2*n)*"),
    "one slot": ("write ? address", "write ? {1'b0, address[ADDRESS_BITS-2:0]}"),
    "latency": (
        "assign read_data[2*n*WIDTH +: WIDTH] = even_out",
        "assign read_data[2*n*WIDTH +: WIDTH] = even_word",
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", rows=8, width=64, tile_keys=16, mutant=mutant)
