# SPDX-License-Identifier: Apache-2.0
"""The cocotb side of `make bench`: runs of heads through pasa_core, clocks counted at the pins.

PASA_BENCH_PLAN names the plan. Each finished run is a line of JSON in `PLAN.jsonl`.
"""

import json
import os
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import SimTimeoutError, with_timeout
from pasa.command import unpack_status
from pasa.formats import Build

from verif.bench.plan import Run, read_plan
from verif.common.streams import GAPS, start
from verif.sim.bench import PERIOD_PS, Bench, clock
from verif.sim.packets import row_beats, to_beats
from verif.sim.plan import Work, prepare
from verif.sim.score import Seen, measure, row_costs

PATIENCE = 4  # a run may take this many times its clocks in dense mode


def hold(share: float) -> str:
    """Name of the gaps that hold a stream in this share of the clocks, at random."""
    if share == 0:
        return "none"
    name = f"hold {share:g}"

    def runs() -> Iterator[tuple[int, int]]:
        while True:
            yield _geometric(share), _geometric(1 - share)

    GAPS[name] = runs
    return name


def _geometric(end: float) -> int:
    """Clocks until something of probability `end` a clock happens, at least 1."""
    count = 1
    while random.random() >= end:
        count += 1
    return count


async def send(bench: Bench, works: Sequence[Work], *, most_clocks: int) -> tuple[list[Seen], int]:
    """All commands and packets at once; what came out of each, and clocks until the last status."""
    first_beat, wanted = len(bench.output.beats), len(bench.status.beats) + len(works)
    began = clock()
    bench.command.append([work.command.pack() for work in works])
    for name, driver in bench.inputs.items():
        packets = [to_beats(getattr(work.case, name[0])) for work in works]
        driver.append([beat for packet in packets for beat in packet])
    try:
        waiting = cocotb.start_soon(bench.status.wait_for(wanted))
        await with_timeout(waiting, most_clocks * PERIOD_PS, "ps")
    except SimTimeoutError:
        pass
    clocks = clock() - began
    seen = []
    for number in range(len(works)):
        beats = _packet(bench.output.beats[first_beat:])
        at = bench.output_clocks[first_beat : first_beat + len(beats)]
        first_beat += len(beats)
        place = wanted - len(works) + number
        known = place < len(bench.status.beats)
        status = unpack_status(bench.status.beats[place]) if known else {}
        lasts = [place for place, (_, last) in enumerate(beats) if last]
        data = [data for data, _ in beats]
        seen.append(Seen(data, lasts, [when - began for when in at], status, clocks))
    return seen, clocks


def _packet(beats: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The beats up to the first with `last`, all of them when there is none."""
    end = next((place for place, (_, last) in enumerate(beats) if last), len(beats) - 1)
    return list(beats[: end + 1])


def figures_of(work: Work, seen: Seen, build: Build) -> dict:
    """Figures of one head of a run: those of `make sim`, its beats, and when its rows came.

    `first_row` is the time from the command's start to the end of its first row, beyond what
    the formula gives that row; `steady` the formula of all rows but the first ROWS over the
    time they took.
    """
    figures = measure(work, seen, build)
    command = work.command
    beats = row_beats(command.dims, command.output_bits)
    loaded = [len(codes) * row_beats(command.dims, 8) for codes in (work.case.q, work.case.k)]
    out_beats = command.query_count * beats
    figures |= {"out_beats": out_beats, "stream_beats": max(*loaded, out_beats)}
    ends = np.array(seen.beat_clocks[beats - 1 :: beats])
    figures |= {"first_row": None, "steady": None}
    if not figures["mismatches"] and len(ends) > 2 * build.rows:
        cost = np.maximum(*row_costs(work, build))
        start = ends[-1] - figures["cycles"]
        figures["first_row"] = int(ends[0] - start - cost[0])
        took = ends[-1] - ends[build.rows - 1]
        figures["steady"] = float(cost[build.rows :].sum() / build.rows / took)
    return figures


@cocotb.test()
async def runs(dut):
    """Every run of the plan; fails when one element differs."""
    plan = Path(os.environ["PASA_BENCH_PLAN"])
    build, planned = read_plan(plan)
    bench = Bench(dut)
    await start(dut, period_ps=PERIOD_PS)
    wrong = []
    with plan.with_suffix(".jsonl").open("w") as log:
        for run in planned:
            event = await _one(bench, run, build)
            print(json.dumps(event), file=log, flush=True)
            wrong += [f"{run.label}: {head['problems'][0]}" for head in _faulty(event)]
            if any(not head["cycles"] for head in event["heads"]):
                break  # it hangs: nothing after this can be trusted
    assert not wrong, "\n".join(wrong)


def _faulty(event: dict) -> list[dict]:
    return [head for head in event["heads"] if head["mismatches"]]


async def _one(bench: Bench, run: Run, build: Build) -> dict:
    works = [prepare(job, build) for job in run.jobs]
    for part in (bench.command, *bench.inputs.values(), *bench.sinks):
        part.set_gaps(hold(run.stall))
    dense = sum(job.shape[1] * job.rows.count // build.rows for job in run.jobs)
    most = round(PATIENCE * (dense + 10_000 * len(works)) / (1 - run.stall))
    began = time.monotonic()
    seen, clocks = await send(bench, works, most_clocks=most)
    seconds = time.monotonic() - began
    pairs = zip(works, seen, strict=True)
    return {
        "run": run.label,
        "stall": run.stall,
        "clocks": clocks,
        "seconds": seconds,
        "heads": [figures_of(work, head, build) for work, head in pairs],
    }
