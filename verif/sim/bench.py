# SPDX-License-Identifier: Apache-2.0
"""The cocotb side of `make sim`: heads through pasa_core, one command after another.

PASA_SIM_PLAN names the plan, PASA_SIM_SHARD which of its lists this simulator runs. Each
finished job is a line of JSON in `shard-N.jsonl` beside the plan, so that a run that ends
early shows how far it came.
"""

import json
import os
import time
from pathlib import Path

import cocotb
import numpy as np
from cocotb.triggers import SimTimeoutError, with_timeout
from cocotb.utils import get_sim_time
from pasa.command import unpack_status
from pasa.formats import SLICE_DIMS, Build

from verif.common.streams import StreamDriver, StreamMonitor, StreamSink, start
from verif.sim.packets import row_beats, to_beats
from verif.sim.plan import Work, prepare, read_plan
from verif.sim.score import Seen, measure

PERIOD_PS = 6_666  # 150 MHz, so that activity is that of the board
PATIENCE = 2  # loading and running may each take this many times as long as in dense mode
SPARE_CLOCKS = 1000


class Bench:
    """Drivers and monitors of pasa_core; monitors read pins only."""

    def __init__(self, dut) -> None:
        names = ("query", "key", "value")
        self.command = StreamDriver(dut, "s_command", dut.clk)
        self.inputs = {name: StreamDriver(dut, f"s_{name}", dut.clk) for name in names}
        for name in names:
            getattr(dut, f"s_{name}_broken").value = 0
        self.sinks = [StreamSink(dut, name, dut.clk) for name in ("m_output", "m_status")]
        self.output_clocks: list[int] = []
        self.output = StreamMonitor(
            dut, "m_output", dut.clk, reset=dut.rst, callback=self._output_beat
        )
        self.status = StreamMonitor(dut, "m_status", dut.clk, reset=dut.rst)

    def _output_beat(self, beat) -> None:
        self.output_clocks.append(clock())

    async def run(self, work: Work, *, most_clocks: int) -> Seen:
        """Send one command with its packets and wait for its status."""
        first, reports = len(self.output.beats), len(self.status.beats)
        self.command.append([work.command.pack()])
        tasks = [
            cocotb.start_soon(self.inputs[name].send(to_beats(codes)))
            for name, codes in work.packets.items()
        ]
        tasks.append(cocotb.start_soon(self.status.wait_for(reports + 1)))
        loaded, status = clock(), {}
        try:
            for task in tasks:
                loaded = clock()
                await with_timeout(task, most_clocks * PERIOD_PS, "ps")
            status = unpack_status(self.status.beats[-1])
        except SimTimeoutError:
            cocotb.log.error("%s: no status after %d clocks", work.job.label, most_clocks)
        beats = self.output.beats[first:]
        return Seen(
            beats=[data for data, _ in beats],
            lasts=[place for place, (_, last) in enumerate(beats) if last],
            beat_clocks=[at - loaded for at in self.output_clocks[first:]],
            status=status,
            clocks=clock() - loaded,
        )


def clock() -> int:
    """Number of the present clock."""
    return int(get_sim_time("ps")) // PERIOD_PS


@cocotb.test()
async def heads(dut):
    """Every job of this shard; fails when one element differs."""
    plan, shard = Path(os.environ["PASA_SIM_PLAN"]), int(os.environ["PASA_SIM_SHARD"])
    build, shards = read_plan(plan)
    bench = Bench(dut)
    await start(dut, period_ps=PERIOD_PS)
    wrong = []
    with (plan.parent / f"shard-{shard}.jsonl").open("w") as log:
        for number, job in enumerate(shards[shard]):
            _tell(log, {"started": job.label})
            work = prepare(job, build)
            before, began = clock(), time.monotonic()
            seen = await bench.run(work, most_clocks=_patience(work, build))
            figures = measure(work, seen, build)
            run = {"clocks": clock() - before, "seconds": time.monotonic() - began}
            _tell(log, {"done": job.label, "figures": figures, **run})
            _keep(plan.parent / f"trace-{shard}-{number}.npz", work, seen)
            if figures["mismatches"]:
                wrong.append(f"{job.label}: {figures['problems'][0]}")
            if not seen.status:
                break  # it hangs: nothing after this can be trusted
    assert not wrong, "\n".join(wrong)


def _patience(work: Work, build: Build) -> int:
    """Clocks after which the core counts as hanging."""
    queries, keys, dims = work.case.shape
    load = max(queries, keys) * -(-dims // SLICE_DIMS)
    return PATIENCE * max(load, queries * keys // build.rows) + SPARE_CLOCKS


def _tell(log, event: dict) -> None:
    print(json.dumps(event), file=log, flush=True)


def _keep(path: Path, work: Work, seen: Seen) -> None:
    """What the pictures need: clocks of the rows, items, kept keys."""
    beats = row_beats(work.command.dims, work.command.output_bits)
    np.savez_compressed(
        path,
        label=work.job.label,
        row_clocks=np.array(seen.beat_clocks[beats - 1 :: beats], dtype=np.int64),
        kept=work.expected.kept,
        blocks=work.expected.blocks,
        visible=work.expected.visible,
        kept_mask=np.packbits(work.expected.kept_mask, axis=1),
    )
