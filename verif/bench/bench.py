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
from pasa.metrics import relative_error

from verif.bench.plan import Run, read_plan
from verif.common.streams import GAPS, start
from verif.sim.bench import PERIOD_PS, Bench, clock
from verif.sim.packets import row_beats, to_beats
from verif.sim.plan import Work, prepare_commands
from verif.sim.score import Seen, measure, row_costs, row_passes

PATIENCE = 4  # a run may take this many times its clocks in dense mode
STREAMS = ("query", "key", "value")
#: Figures of a head that are sums over its commands.
SUMMED = ("visible", "elements", "mismatches", "cycles", "formula_cycles",
          "predictor_cycles", "item_cycles")  # fmt: skip


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
        packets = [to_beats(work.packets[name]) for work in works if name in work.packets]
        driver.append([beat for packet in packets for beat in packet])
    try:
        waiting = cocotb.start_soon(bench.status.wait_for(wanted))
        await with_timeout(waiting, most_clocks * PERIOD_PS, "ps")
    except SimTimeoutError:
        pass
    clocks = clock() - began
    seen = []
    for number, work in enumerate(works):
        left = bench.output.beats[first_beat:]
        beats = list(left) if number == len(works) - 1 else packet_of(left, work)
        at = bench.output_clocks[first_beat : first_beat + len(beats)]
        first_beat += len(beats)
        place = wanted - len(works) + number
        known = place < len(bench.status.beats)
        status = unpack_status(bench.status.beats[place]) if known else {}
        lasts = [place for place, (_, last) in enumerate(beats) if last]
        data = [data for data, _ in beats]
        seen.append(Seen(data, lasts, [when - began for when in at], status, clocks))
    return seen, clocks


def packet_of(beats: Sequence[tuple[int, int]], work: Work) -> list[tuple[int, int]]:
    """Beats up to the first with `last`, all when there is none; none where rows go on."""
    if work.command.merge_next:
        return []
    end = next((place for place, (_, last) in enumerate(beats) if last), len(beats) - 1)
    return list(beats[: end + 1])


def figures_of(works: Sequence[Work], seen: Sequence[Seen], build: Build) -> dict:
    """Figures of one head of a run: those of `make sim`, its beats, and when its rows came.

    Of a head that is one command, `first_row` is the time from the command's start to the end of
    its first row, beyond what the formula gives that row, and `first_row_latency` beyond its
    passes (`score.row_passes`); `steady` is the formula of all rows but the first ROWS over the
    time they took. A head of several commands has none of these, and its `cycles` are the sum of
    theirs: commands whose rows go on do not overlap.
    """
    parts = [measure(work, event, build) for work, event in zip(works, seen, strict=True)]
    figures = parts[0] if len(parts) == 1 else _together(works, parts)
    beats = [sum(_in_beats(work, name) for work in works) for name in STREAMS]
    beats.append(sum(_out_beats(work) for work in works))
    figures |= {"commands": len(works), "beats": beats, "out_beats": beats[-1]}
    figures |= {"stream_beats": max(beats), "last_cycles": parts[-1]["cycles"]}
    figures |= dict.fromkeys(("first_row", "first_row_latency", "steady"))
    if len(parts) == 1 and not figures["mismatches"]:
        figures |= _row_times(works[0], seen[0], build)
    return figures


def _in_beats(work: Work, name: str) -> int:
    return len(work.packets.get(name, ())) * row_beats(work.command.dims, 8)


def _out_beats(work: Work) -> int:
    command = work.command
    rows = 0 if command.merge_next else command.query_count
    return rows * row_beats(command.dims, command.output_bits)


def _together(works: Sequence[Work], parts: Sequence[dict]) -> dict:
    """One set of figures of a head of several commands."""
    rows = sum(work.command.query_count for work in works if not work.command.merge_next)
    weights = [work.command.query_count / rows for work in works]
    figures = parts[0] | {name: sum(part[name] for part in parts) for name in SUMMED}
    for name in ("kept", "blocks"):  # means over the rows of each command
        weighted = zip(weights, parts, strict=True)
        figures[name] = sum(weight * part[name] for weight, part in weighted)
    figures["rows"] = rows
    figures["kept_fraction"] = figures["kept"] * rows / figures["visible"]
    figures["problems"] = [
        f"command {number} of {len(parts)}: {problem}"
        for number, part in enumerate(parts, start=1)
        for problem in part["problems"]
    ]
    last = [work for work in works if not work.command.merge_next]
    outputs = [
        np.concatenate([getattr(work, name).output for work in last])
        for name in ("expected", "exact")
    ]  # of a right result the golden model's output is the RTL's
    figures["relative_error"] = None if figures["mismatches"] else relative_error(*outputs)
    return figures


def _row_times(work: Work, seen: Seen, build: Build) -> dict:
    """`first_row`, `first_row_latency` and `steady` of a command with enough rows."""
    beats = row_beats(work.command.dims, work.command.output_bits)
    ends = np.array(seen.beat_clocks[beats - 1 :: beats])
    if len(ends) <= 2 * build.rows:
        return {}
    cost = np.maximum(*row_costs(work, build))
    first = ends[0] - (ends[-1] - seen.status["cycles"])
    return {
        "first_row": int(first - cost[0]),
        "first_row_latency": int(first - row_passes(work, build)[0]),
        "steady": float(cost[build.rows :].sum() / build.rows / (ends[-1] - ends[build.rows - 1])),
    }


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
    heads = [prepare_commands(job, build) for job in run.jobs]
    works = [work for head in heads for work in head]
    for part in (bench.command, *bench.inputs.values(), *bench.sinks):
        part.set_gaps(hold(run.stall))
    dense = sum(job.shape[1] * job.rows.count // build.rows for job in run.jobs)
    most = round(PATIENCE * (dense + 10_000 * len(works)) / (1 - run.stall))
    began = time.monotonic()
    seen, clocks = await send(bench, works, most_clocks=most)
    seconds = time.monotonic() - began
    left = iter(seen)
    return {
        "run": run.label,
        "stall": run.stall,
        "clocks": clocks,
        "seconds": seconds,
        "heads": [figures_of(head, [next(left) for _ in head], build) for head in heads],
    }
