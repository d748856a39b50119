# SPDX-License-Identifier: Apache-2.0
"""`make bench`: how fast the RTL is, in exact cycles, beside its goals."""

import fnmatch
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from pasa import fixed
from pasa.formats import Build
from rich.console import Console

from verif.bench import report
from verif.bench.figures import Figure, all_figures, figure
from verif.bench.heads import write_heads
from verif.bench.plan import BUILDS, SHOWN, TEXT, Heads, Run, builds_runs, default_runs
from verif.bench.runs import Outcome, run_all
from verif.bench.trials import trial_figures
from verif.common.hdl import ROOT
from verif.sim.plan import prepare

HELP = f"""{__doc__}

\b
make bench                         every section, at most 20 minutes on 2 cores
make bench ONLY='n512/*,rows/*'    some runs only: globs of SECTION/NAME
"""
WIDTH = 130  # columns of the table

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def choose(heads: Heads, only: str) -> dict[Build, list[Run]]:
    """{build: its runs}, the default build first; exits when `only` matches none."""
    planned = {Build(): default_runs(heads)} | {build: builds_runs(heads) for build in BUILDS}
    globs = [pattern.strip() for pattern in only.split(",")] if only else ["*"]
    chosen = {build: _matching(runs, globs) for build, runs in planned.items()}
    chosen = {build: runs for build, runs in chosen.items() if runs}
    if not chosen:
        sections = ", ".join(dict.fromkeys(run.section for run in planned[Build()]))
        print(f"make bench: ONLY={only}: no such run; SECTION/NAME of {sections}", file=sys.stderr)
        raise typer.Exit(2)
    return chosen


def _matching(runs: Sequence[Run], globs: Sequence[str]) -> list[Run]:
    return [run for run in runs if any(fnmatch.fnmatchcase(run.label, g) for g in globs)]


def host_figures(heads: Heads, outcome: Outcome) -> list[Figure]:
    """How fast the golden model and the simulation are on this machine."""
    found = []
    by_label = {job.label: job for job in heads.traces}
    for label in (f"{SHOWN}:lambda-0.003", f"{TEXT}:lambda-0.003"):
        work = prepare(by_label[label], Build())
        began = time.perf_counter()
        fixed.run(work.command, work.case.q, work.case.k, work.case.v)
        took = time.perf_counter() - began
        n_q, n_k, d = work.case.shape
        name = f"host: golden model, one head of {n_q} x {n_k} x {d}"
        found.append(figure(name, took, "s"))
    speed = outcome.clocks_a_second()
    if speed:
        found.append(figure("host: Verilator, one process", round(speed), "clocks/s"))
    return found


@app.command(help=HELP)
def main(
    seed: Annotated[int, typer.Option(envvar="SEED", help="initial values, stalls")] = 1,
    only: Annotated[str, typer.Option(envvar="ONLY", help="globs of SECTION/NAME")] = "",
    processes: Annotated[int, typer.Option(min=1, help="simulators at a time")] = 2,
    folder: Annotated[Path, typer.Option(help="where reports go")] = ROOT / "build" / "bench",
) -> None:
    """Run, print figures and goals, write the reports; exit code 1 when a result is wrong."""
    console = Console(highlight=False, width=max(WIDTH, Console().width))
    work = folder.resolve() / "run"
    heads = Heads(write_heads(work / "heads"), Build())
    planned = choose(heads, only)
    outcome = run_all(planned, work, seed=seed, processes=processes, console=console)
    own, others = outcome.records.get(Build(), {}), dict(outcome.records)
    others.pop(Build(), None)
    figures = all_figures(own, Build(), others) + host_figures(heads, outcome)
    figures += [] if only else trial_figures()
    summary = report.summarise(outcome, figures, seed=seed)
    report.tell(console, summary)
    report.write(summary, folder.resolve())
    raise typer.Exit(1 if outcome.faults else 0)


if __name__ == "__main__":
    app()
