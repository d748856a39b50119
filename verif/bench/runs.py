# SPDX-License-Identifier: Apache-2.0
"""Start the simulator processes of `make bench` and collect what they did."""

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pasa.formats import Build
from rich.console import Console

from verif.bench.plan import Run, split, write_plan
from verif.common.hdl import ROOT

POLL_SECONDS = 0.5


@dataclass
class Outcome:
    """What the simulators did.

    Attributes:
        records: {build: {run label: event}}, in the order planned.
        faults: everything that makes this run a failure.
        seconds: wall time, with builds.
    """

    records: dict[Build, dict[str, dict]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def clocks_a_second(self) -> float | None:
        """Simulated clocks a second of one process, with its drivers, without stalls."""
        found = [e for events in self.records.values() for e in events.values() if not e["stall"]]
        seconds = sum(event["seconds"] for event in found)
        return sum(event["clocks"] for event in found) / seconds if seconds else None


def run_all(
    planned: Mapping[Build, Sequence[Run]],
    folder: Path,
    *,
    seed: int,
    processes: int,
    console: Console,
) -> Outcome:
    """Run everything, up to `processes` simulators at a time; the first build has most runs."""
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in ("*.json", "*.jsonl", "*.end", "*.log"):
        for path in folder.glob(pattern):
            path.unlink()
    plans = _plans(planned, folder, processes)
    began = time.monotonic()
    count = sum(len(runs) for runs in planned.values())
    _execute([path for path, _ in plans], count, seed=seed, processes=processes, console=console)
    outcome = collect(planned, plans)
    outcome.seconds = time.monotonic() - began
    return outcome


def _plans(
    planned: Mapping[Build, Sequence[Run]], folder: Path, processes: int
) -> list[tuple[Path, Build]]:
    """One plan a process; other builds come second, to compile while the first runs."""
    (first, *others) = planned
    parts = [(first, part) for part in split(planned[first], first, shards=processes)]
    rest = [(build, planned[build]) for build in others]
    plans = []
    for number, (build, runs) in enumerate([*parts[:1], *rest, *parts[1:]]):
        path = folder / f"plan-{number}.json"
        write_plan(path, runs, build)
        plans.append((path, build))
    return plans


def _execute(
    plans: Sequence[Path], count: int, *, seed: int, processes: int, console: Console
) -> None:
    """Start the processes one after another as places get free; wait for all."""
    waiting, running, told = list(plans), [], 0
    console.print(f"{count} runs; building the core where needed, log {_shown(plans[0])}")
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                running.append(_start(waiting.pop(0), seed))
            time.sleep(POLL_SECONDS)
            running = [process for process in running if process.poll() is None]
            lines = [line for plan in plans for line in events(plan)]
            for event in lines[told:]:
                told += 1
                if told % max(1, count // 10) == 0:
                    console.print(f"{told:4}/{count} runs, last {event['run']}", highlight=False)
    finally:
        for process in running:  # still running only after an interrupt
            process.terminate()


def _start(plan: Path, seed: int) -> subprocess.Popen:
    command = [sys.executable, "-m", "verif.bench.process", str(plan), str(seed)]
    with plan.with_suffix(".log").open("w") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)


def _shown(plan: Path) -> str:
    log = plan.with_suffix(".log").resolve()
    return str(log.relative_to(ROOT) if log.is_relative_to(ROOT) else log)


def events(plan: Path) -> list[dict]:
    """Finished runs of one process; a line that is still being written does not count."""
    path = plan.with_suffix(".jsonl")
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def collect(planned: Mapping[Build, Sequence[Run]], plans: Sequence[tuple[Path, Build]]) -> Outcome:
    """Read what the processes left, and judge it."""
    outcome = Outcome()
    found: dict[Build, dict[str, dict]] = {build: {} for build in planned}
    for plan, build in plans:
        found[build] |= {event["run"]: event for event in events(plan)}
        end = plan.with_suffix(".end")
        left = json.loads(end.read_text()) if end.exists() else {"error": f"{plan.stem} died"}
        if left["error"]:
            outcome.faults.append(left["error"])
    for build, runs in planned.items():
        order = [run.label for run in runs if run.label in found[build]]
        outcome.records[build] = {label: found[build][label] for label in order}
        missing = [run.label for run in runs if run.label not in found[build]]
        if missing:
            outcome.faults.append(f"{len(missing)} runs did not end, the first is {missing[0]}")
    outcome.faults += _wrong(outcome)
    return outcome


def _wrong(outcome: Outcome) -> list[str]:
    """Heads that differ from the golden model: figures of wrong results count for nothing."""
    return [
        f"{label}: {'; '.join(head['problems'])}"
        for records in outcome.records.values()
        for label, event in records.items()
        for head in event["heads"]
        if head["mismatches"] or not head["elements"]
    ]
