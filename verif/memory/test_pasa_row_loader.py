# SPDX-License-Identifier: Apache-2.0
"""pasa_row_loader: beats, rows, verdict and timing of packets right and wrong, and discarded ones.

make unit M=pasa_row_loader
"""

import random
from dataclasses import dataclass, field

import cocotb
import numpy as np
import pytest
from cocotb.triggers import ClockCycles, RisingEdge

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamDriver, start
from verif.memory.tiles import (
    SLICE_DIMS,
    beats_of,
    chance,
    parameters_of,
    random_rows,
    row_word,
    run_with,
)

TOP = "pasa_row_loader"
HEAD_DIM, TILE_KEYS = parameters_of("HEAD_DIM TILE_KEYS")
KINDS = ("right", "short", "long", "broken", "discard")
STREAM = ("data", "last", "broken")


@dataclass
class Job:
    """One packet, and what must come of it."""

    rows: int
    dims: int
    discard: bool
    sent: list[tuple[int, int, int]]  # beats: data with garbage in the padding, last, broken
    beats: list[tuple[int, int, int]]  # (row, slice, data)
    whole: list[tuple[int, int]]  # (row, data)
    bad: bool


@dataclass
class Seen:
    """What left the design; clocks are counted from the start of the recorder."""

    beats: list[tuple[int, int, int]] = field(default_factory=list)
    whole: list[tuple[int, int]] = field(default_factory=list)
    beat_clocks: list[int] = field(default_factory=list)
    done: list[tuple[int, bool]] = field(default_factory=list)  # (clock, bad)
    taken: list[tuple[int, bool]] = field(default_factory=list)  # (clock, last)


def make_job(kind: str, rows: int, dims: int) -> Job:
    """A packet of the given kind for a command of `rows` rows of `dims` dimensions."""
    slices = -(-dims // SLICE_DIMS)
    expected = rows * slices
    count = {
        "right": expected,
        "broken": random.choice([expected, expected, expected + 1, max(1, expected - 1)]),
        "short": random.randint(1, max(1, expected - 1)),
        "long": expected + random.randint(1, 2 * slices + 3),
        "discard": random.randint(1, 2 * expected),
    }[kind]
    codes = random_rows(rows + 8, dims)
    beats, whole = [], []
    for number, codes_of_row in enumerate(codes):
        beats += [(number, part, data) for part, data in enumerate(beats_of(codes_of_row))]
        whole.append((number, row_word(codes_of_row)))
    discard = kind == "discard"
    kept = 0 if discard else min(count, expected)
    sent = [dirty(data, dims - part * SLICE_DIMS) for _, part, data in beats]
    sent += [random.getrandbits(128) for _ in range(count)]
    bad = (count != expected or kind == "broken") and not discard
    ends = [(data, int(at == count - 1), int(chance(0.5))) for at, data in enumerate(sent[:count])]
    ends[-1] = (sent[count - 1], 1, int(kind == "broken" or (discard and chance(0.5))))
    return Job(rows, dims, discard, ends, beats[:kept], whole[: kept // slices], bad)


def dirty(data: int, dims: int) -> int:
    """The beat with random bytes where it has no dimension."""
    return data | random.getrandbits(128) << 8 * min(dims, SLICE_DIMS) & (1 << 128) - 1


async def record(dut, seen: Seen):
    """Note every clock of the outputs."""
    clock = 0
    while True:
        await RisingEdge(dut.clk)
        if int(dut.s_valid.value) & int(dut.s_ready.value):
            assert not int(dut.hold.value), "a beat was taken in spite of hold"
            seen.taken.append((clock, bool(int(dut.s_last.value))))
        if int(dut.beat_valid.value):
            beat = (dut.beat_row, dut.beat_slice, dut.beat_data)
            seen.beats.append(tuple(int(signal.value) for signal in beat))
            seen.beat_clocks.append(clock)
        if int(dut.row_valid.value):
            seen.whole.append((int(dut.row_number.value), int(dut.row_data.value)))
            assert seen.beat_clocks[-1] == clock, "a row left without its last beat"
        if int(dut.done.value):
            seen.done.append((clock, bool(int(dut.bad.value))))
        clock += 1


async def play(dut, jobs: list[Job], *, gaps: str, hold: float) -> Seen:
    """Run the jobs one after another, the packets offered early, and check each one."""
    dut.start.value = dut.hold.value = 0
    seen = Seen()
    await start(dut)
    driver = StreamDriver(dut, "s", dut.clk, gaps=gaps, fields=STREAM)
    recorder = cocotb.start_soon(record(dut, seen))
    holder = cocotb.start_soon(drive_hold(dut, hold))
    for job in jobs:
        driver.append(job.sent)
    for job in jobs:
        before = len(seen.taken), len(seen.beats), len(seen.whole)
        await ClockCycles(dut.clk, random.choice([1, 1, 8]))
        assert len(seen.taken) == before[0], "a beat was taken before start"
        await run_job(dut, job, seen)
        check_job(job, seen, before)
    await ClockCycles(dut.clk, 6)
    assert len(seen.done) == len(jobs)
    recorder.cancel()
    holder.cancel()
    return seen


async def drive_hold(dut, probability: float):
    while probability:
        dut.hold.value = chance(probability)
        await RisingEdge(dut.clk)


async def run_job(dut, job: Job, seen: Seen):
    finished = len(seen.done)
    dut.start.value = 1
    dut.rows.value, dut.dims.value, dut.discard.value = job.rows, job.dims, job.discard
    await RisingEdge(dut.clk)
    dut.start.value = 0
    dut.rows.value, dut.dims.value = random.randint(1, TILE_KEYS), random.randint(1, HEAD_DIM)
    dut.discard.value = chance(0.5)
    while len(seen.done) == finished:
        await RisingEdge(dut.clk)


def check_job(job: Job, seen: Seen, before: tuple[int, int, int]):
    taken, beats, whole = before
    assert len(seen.taken) - taken == len(job.sent)
    assert seen.taken[-1][1], "the packet was not consumed up to its last beat"
    assert seen.beats[beats:] == job.beats
    assert seen.whole[whole:] == job.whole
    clock, bad = seen.done[-1]
    assert bad == job.bad, f"bad is {bad}"
    assert clock == seen.taken[-1][0] + 3, "done is not three clocks after the last beat"
    clocks_taken = [clock for clock, _ in seen.taken[taken:]][: len(job.beats)]
    assert seen.beat_clocks[beats:] == [clock + 1 for clock in clocks_taken]


@cocotb.test(timeout_time=2, timeout_unit="ms")
@cocotb.parametrize(gaps=["none", "light", "heavy"], hold=[0.0, 0.4])
async def keeps_what_belongs_to_the_command(dut, gaps, hold):
    jobs = []
    for kind in [*KINDS, *random.choices(KINDS, k=8), "right"]:
        jobs.append(make_job(kind, random.randint(1, 6), random.randint(1, HEAD_DIM)))
    seen = await play(dut, jobs, gaps=gaps, hold=hold)
    assert {bad for _, bad in seen.done} == {False, True}


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def takes_one_beat_per_clock(dut):
    """The largest tile, and the smallest."""
    jobs = [make_job("right", TILE_KEYS, HEAD_DIM), make_job("right", 1, 1)]
    jobs.append(make_job("right", 3, HEAD_DIM - 1))
    seen = await play(dut, jobs, gaps="none", hold=0.0)
    clocks = np.array([clock for clock, _ in seen.taken[: len(jobs[0].sent)]])
    assert (np.diff(clocks) == 1).all()


@cocotb.test(timeout_time=1, timeout_unit="ms")
async def reset_ends_a_packet(dut):
    """Reset in the middle of a packet; the next one is whole."""
    await play(dut, [make_job("right", 2, HEAD_DIM)], gaps="none", hold=0.0)
    dut.rows.value, dut.dims.value, dut.discard.value = 2, HEAD_DIM, 0
    dut.start.value = dut.s_valid.value = 1
    await RisingEdge(dut.clk)
    dut.start.value = 0
    await RisingEdge(dut.clk)
    dut.rst.value = 1
    await ClockCycles(dut.clk, 2)
    for signal in (dut.s_ready, dut.beat_valid, dut.row_valid, dut.done):
        assert not int(signal.value)
    dut.rst.value = 0
    await RisingEdge(dut.clk)
    assert not int(dut.s_ready.value)


def bench(run, *, sim, head_dim, tile_keys, **options):
    parameters = {"HEAD_DIM": head_dim, "TILE_KEYS": tile_keys}
    run_with(run, TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


@pytest.mark.parametrize(("head_dim", "tile_keys"), [(16, 128), (64, 256)])
def test_design(sim, head_dim, tile_keys):
    bench(simulate, sim=sim, head_dim=head_dim, tile_keys=tile_keys)


MUTANTS = {
    "ignores hold": ("active & !hold", "active"),
    "keeps too much": ("take & !complete & !dropping", "take & !dropping"),
    "keeps padding": ("{8{!ends_row | last_bytes[b]}}", "{8{1'b1}}"),
    "keeps old slices": ("part <= 128'd0", "part <= part"),
    "byte count": ("dims_less_1[3:0] >= i[3:0]", "dims_less_1[3:0] > i[3:0]"),
    "short is right": ("(complete | !ends_packet |", "(complete |"),
    "long is right": ("(complete | !ends_packet |", "((!complete & !ends_packet) |"),
    "discard is bad": ("bad <= !dropping &", "bad <="),
    "broken is right": ("!ends_packet | s_broken", "!ends_packet"),
    "discard is broken": ("bad <= !dropping & (complete |", "bad <= s_broken | (complete |"),
    "done early": ("done    <= written", "done    <= ended"),
    "reset forgets": ("if (rst) active <= 1'b0", ""),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", head_dim=64, tile_keys=128, mutant=mutant)
