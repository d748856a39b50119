# SPDX-License-Identifier: Apache-2.0
"""pasa_query_store: committed rows in order, dropped packets, fill level, and speed.

make unit M=pasa_query_store
"""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamMonitor, StreamSink, start
from verif.memory.tiles import chance, parameters_of, run_with

TOP = "pasa_query_store"
HEAD_DIM, TILE_KEYS = parameters_of("HEAD_DIM TILE_KEYS")


class Loader:
    """Writes rows as pasa_row_loader does: each leaves one clock after its beat was taken.

    Attributes:
        committed: Every row that must come out, in order.
        full: Clocks in which full was seen.
    """

    def __init__(self, dut):
        self.dut, self.committed, self.full = dut, [], 0
        for signal in (dut.clear, dut.row_valid, dut.commit, dut.rollback):
            signal.value = 0

    async def packet(self, rows: int, *, gap: float = 0.0, commit: bool = True):
        """One packet and its verdict; with full high no beat is taken."""
        words = [random.getrandbits(HEAD_DIM * 8) for _ in range(rows)]
        sent = 0
        while sent < rows:
            wants = not chance(gap)
            await RisingEdge(self.dut.clk)
            full = bool(int(self.dut.full.value))
            self.full += full
            taken = wants and not full
            self.dut.row_valid.value = taken
            self.dut.row_data.value = words[sent] if taken else random.getrandbits(HEAD_DIM * 8)
            sent += taken
        await RisingEdge(self.dut.clk)
        self.dut.row_valid.value = 0
        await self.verdict(commit)
        self.committed += words if commit else []

    async def verdict(self, commit: bool):
        """Commit or roll back; returns in the clock in which the loader could start again."""
        self.dut.commit.value, self.dut.rollback.value = commit, not commit
        await RisingEdge(self.dut.clk)
        self.dut.commit.value = self.dut.rollback.value = 0


async def begin(dut, *, gaps: str) -> tuple[Loader, StreamMonitor, StreamSink]:
    loader = Loader(dut)
    dut.m_ready.value = 0
    await start(dut)
    await RisingEdge(dut.clk)
    sink = StreamSink(dut, "m", dut.clk, gaps=gaps)
    return loader, StreamMonitor(dut, "m", dut.clk, reset=dut.rst), sink


async def finish(dut, loader: Loader, monitor: StreamMonitor):
    await monitor.wait_for(len(loader.committed))
    await ClockCycles(dut.clk, 10)
    assert monitor.beats == loader.committed


@cocotb.test(timeout_time=100, timeout_unit="us")
@cocotb.parametrize(gap=[0.0, 0.6], gaps=["none", "heavy", "bursty"])
async def gives_committed_rows_in_order(dut, gap, gaps):
    loader, monitor, _ = await begin(dut, gaps=gaps)
    for number in range(8):
        rows = random.choice([1, 2, 7, TILE_KEYS // 4, TILE_KEYS // 2])
        await loader.packet(rows, gap=gap, commit=number % 3 == 0 or chance(0.4))
        await ClockCycles(dut.clk, random.choice([1, 1, 20]))
    await finish(dut, loader, monitor)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def holds_a_whole_packet_behind_a_slow_reader(dut):
    """Full stops the loader before a row is lost, and never blocks the only packet."""
    loader, monitor, sink = await begin(dut, gaps="none")
    dut.m_ready.value = 0
    await loader.packet(2)  # fills the two places behind the memory
    await ClockCycles(dut.clk, 6)
    await loader.packet(TILE_KEYS)
    assert loader.full == 0, "full while nothing committed waited in the memory"
    more = cocotb.start_soon(loader.packet(TILE_KEYS))
    await ClockCycles(dut.clk, 40)
    assert loader.full > 20 and not monitor.beats
    sink.set_gaps("heavy")
    await more
    await finish(dut, loader, monitor)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def one_row_per_clock_from_the_third_clock_on(dut):
    loader, monitor, _ = await begin(dut, gaps="none")
    await loader.packet(TILE_KEYS)
    for _ in range(2):
        await RisingEdge(dut.clk)
        assert not int(dut.m_valid.value)
    for clock in range(TILE_KEYS):
        await RisingEdge(dut.clk)
        assert int(dut.m_valid.value), f"no row in clock {clock}"
    await finish(dut, loader, monitor)


@cocotb.test(timeout_time=100, timeout_unit="us")
async def clear_drops_everything(dut):
    """Committed rows, prefetched rows and a packet in progress; then traffic as after reset."""
    loader = Loader(dut)
    dut.m_ready.value = 0
    await start(dut)
    await RisingEdge(dut.clk)
    await loader.packet(TILE_KEYS)
    await ClockCycles(dut.clk, 5)
    assert int(dut.m_valid.value) and int(dut.full.value)
    dut.row_valid.value = dut.clear.value = 1
    await RisingEdge(dut.clk)
    dut.row_valid.value = dut.clear.value = 0
    await RisingEdge(dut.clk)
    assert not int(dut.m_valid.value) and not int(dut.full.value)
    loader.committed.clear()
    monitor = StreamMonitor(dut, "m", dut.clk, reset=dut.rst)
    StreamSink(dut, "m", dut.clk, gaps="light")
    await loader.packet(5)
    await finish(dut, loader, monitor)


def bench(run, *, sim, head_dim, tile_keys, **options):
    parameters = {"HEAD_DIM": head_dim, "TILE_KEYS": tile_keys}
    run_with(run, TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


@pytest.mark.parametrize(("head_dim", "tile_keys"), [(16, 128), (64, 16)])
def test_design(sim, head_dim, tile_keys):
    bench(simulate, sim=sim, head_dim=head_dim, tile_keys=tile_keys)


MUTANTS = {
    "overflows": ("IN_FLIGHT = 3", "IN_FLIGHT = 2"),
    "full when empty": ("commit | waiting & held >= FULL_FROM", "held >= FULL_FROM"),
    "open at commit": ("(commit | waiting", "(waiting"),
    "keeps dropped rows": ("if (rollback)  written   <= committed;", ""),
    "shows uncommitted": ("waiting = committed != fetched", "waiting = written != fetched"),
    "slow": ("word_moves = !word_valid | out_moves", "word_moves = !word_valid"),
    "loses a row": ("out_moves  = !out_valid | m_ready", "out_moves  = 1'b1"),
    "clear keeps a row": ("out_valid  <= 1'b0;", ""),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", head_dim=16, tile_keys=16, mutant=mutant)
