# SPDX-License-Identifier: Apache-2.0
"""Start the simulator processes, show their progress, and judge what they did."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pasa.formats import Build
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from verif.common.hdl import ROOT
from verif.sim.plan import Job, split, write_plan

POLL_SECONDS = 0.2
REPLAY_QUERIES = 64  # around the first wrong one: waves take about 150 kB a clock


@dataclass(frozen=True)
class Choice:
    """What the user chose, as far as a replay needs it."""

    sim: str = "verilator"
    seed: int = 1
    case: str | None = None
    build: str | None = None

    def replay(self, job: Job, *, wrong: int | None = None) -> str:
        """The one command that runs just this job again, with waves, around query `wrong`."""
        parts = ["make sim", f"ONLY={job.label}", f"SEED={self.seed}", "WAVES=1"]
        if wrong is not None and job.rows.count > REPLAY_QUERIES:
            half = REPLAY_QUERIES * job.rows.step // 2
            parts += [f"QUERIES={max(0, wrong - half)}:{wrong + half}"]
        parts += [f"SIM={self.sim}"] if self.sim != "verilator" else []
        parts += [f"CASE={self.case}"] if self.case else []
        parts += [f"BUILD={self.build}"] if self.build else []
        return " ".join(parts)


@dataclass
class Outcome:
    """What the simulators did.

    Attributes:
        records: {job label: event of a finished job}.
        ends: what each process came to.
        seconds: wall time of all processes, with the build.
        build_seconds: wall time before the first command started.
    """

    records: dict[str, dict] = field(default_factory=dict)
    ends: list[dict] = field(default_factory=list)
    seconds: float = 0.0
    build_seconds: float = 0.0

    @property
    def clocks_a_second(self) -> float:
        """Simulated clocks a second of one process, with its drivers."""
        runs = self.records.values()
        return sum(r["clocks"] for r in runs) / max(1e-9, sum(r["seconds"] for r in runs))


def fresh_folder(folder: Path) -> None:
    """Make the folder and remove what an earlier run left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("shard-*.jsonl", "end-*.json", "trace-*.npz", "process-*.log"):
        for path in folder.glob(pattern):
            path.unlink()


def run_jobs(
    jobs: Sequence[Job],
    folder: Path,
    choice: Choice,
    build: Build,
    *,
    processes: int,
    trace: str,
    console: Console,
) -> Outcome:
    """Run every job, in up to `processes` simulators at a time; files go to `folder`."""
    fresh_folder(folder)
    plan = folder / "plan.json"
    parts = split(jobs, build, shards=processes)
    write_plan(plan, parts, build)
    began = time.monotonic()
    running = []
    for shard in range(len(parts)):
        command = [sys.executable, "-m", "verif.sim.process", str(plan), str(shard)]
        command += [choice.sim, str(choice.seed), trace]
        with (folder / f"process-{shard}.log").open("w") as log:
            running.append(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # ended below, with the compiler or simulator in it
                )
            )
    try:
        build_seconds = _watch(running, folder, parts, build, choice, console)
    finally:
        for process in running:
            if process.poll() is None:  # only after an interrupt
                os.killpg(process.pid, signal.SIGTERM)
    outcome = collect(folder, len(parts))
    outcome.seconds, outcome.build_seconds = time.monotonic() - began, build_seconds
    return outcome


def events(folder: Path, shard: int) -> list[dict]:
    """Events of one process so far; a line that is still being written does not count."""
    path = folder / f"shard-{shard}.jsonl"
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def collect(folder: Path, shards: int) -> Outcome:
    """Read what the processes left."""
    outcome = Outcome()
    for shard in range(shards):
        path = folder / f"end-{shard}.json"
        lost = {"error": f"process {shard} died, see {folder.name}/process-{shard}.log"}
        outcome.ends.append(json.loads(path.read_text()) if path.exists() else lost)
        finished = [event for event in events(folder, shard) if "done" in event]
        for number, event in enumerate(finished):
            event["trace"] = str(folder / f"trace-{shard}-{number}.npz")
            outcome.records[event["done"]] = event
    return outcome


def judge(jobs: Sequence[Job], outcome: Outcome, choice: Choice) -> list[str]:
    """Everything that makes this run a failure; empty when it passed."""
    by_label = {job.label: job for job in jobs}
    faults = []
    for label, record in outcome.records.items():
        figures = record["figures"]
        if figures["mismatches"] or not figures["elements"]:
            problems = "\n    ".join(figures["problems"] or ["nothing was compared"])
            replay = choice.replay(by_label[label], wrong=figures["first_wrong"])
            faults.append(f"{label}: {problems}\n    replay: {replay}")
    missing = [job for job in jobs if job.label not in outcome.records]
    if missing:
        count = f"{len(missing)} of {len(jobs)} cases"
        first = missing[0]
        faults.append(
            f"the simulation ended early: {count} did not run, the first is {first.label}\n"
            f"    replay: {choice.replay(first)}"
        )
    if not outcome.records:
        faults.append("nothing was compared")
    for end in outcome.ends:
        if end.get("error"):
            faults.append(end["error"])
        elif end.get("failures") and not faults:
            faults.append("the bench failed although every case compared equal")
    return faults


# Progress


def _watch(
    running: Sequence[subprocess.Popen],
    folder: Path,
    parts: Sequence[Sequence[Job]],
    build: Build,
    choice: Choice,
    console: Console,
) -> float:
    """Show progress until all processes ended; seconds before the first job started."""
    weights = {job.label: job.clocks(build) for part in parts for job in part}
    columns = (
        TextColumn("{task.description:<52}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    began, started, told = time.monotonic(), None, set()
    building = f"building the core for {choice.sim} where needed"
    if not console.is_terminal:
        console.print(f"{building}, log {_shown(folder)}/process-0.log")
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(building, total=None)
        while True:
            alive = [process for process in running if process.poll() is None]
            found = [event for shard in range(len(parts)) for event in events(folder, shard)]
            done = [event["done"] for event in found if "done" in event]
            now = [event["started"] for event in found if "started" in event]
            now = [label for label in now if label not in done]
            if found and started is None:
                started = time.monotonic() - began
                progress.reset(task, total=sum(weights.values()))
            if started is not None:
                progress.update(
                    task,
                    completed=sum(weights[label] for label in done),
                    description=f"{len(done)}/{len(weights)}  {', '.join(now)}"[:52],
                )
            for event in found:
                if not console.is_terminal and event.get("done", None) not in (None, *told):
                    told.add(event["done"])
                    console.print(_line(event, len(told), len(weights)), highlight=False)
            if not alive:
                return started or 0.0
            time.sleep(POLL_SECONDS)


def _shown(folder: Path) -> Path:
    return folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder


def _line(event: dict, number: int, count: int) -> str:
    figures = event["figures"]
    return (
        f"{number:3}/{count} {event['done']:<38} {figures['elements']:>7} compared, "
        f"{figures['mismatches']} wrong, {event['seconds']:.1f} s"
    )
