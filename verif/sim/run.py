# SPDX-License-Identifier: Apache-2.0
"""`make sim`: heads of real models through the RTL, bit for bit against the golden model."""

import signal
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from pasa.errors import ArgumentError, DataError, PasaError
from pasa.formats import Build
from rich.console import Console

from verif.common.hdl import ROOT
from verif.sim import report
from verif.sim.plan import LIMITS, Job, narrow, select, shipped_jobs, user_jobs
from verif.sim.runs import Choice, judge, run_jobs

PARAMETERS = ("rows", "pred_keys", "head_dim", "tile_keys", "pred_bits", "block_keys")
WIDTH = 124  # columns of the table
TYPICAL = "minilm-l2h5:lambda-0.003"  # of SAIF=1: near the mean of kept keys, and short

HELP = f"""{__doc__}

\b
make sim                          the shipped heads, in Verilator
make sim CASE=my.npz              your own head: arrays q, k, v
make sim ONLY='minilm-*:dense'    some cases only
make sim ONLY=HEAD:MODE WAVES=1   one case, with all signals
make sim SAIF=1                   one head, with the activity of all signals for power estimates
make sim SIM=icarus               smaller slices, in Icarus
"""

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Simulator(StrEnum):
    """Simulators that can run the core."""

    verilator = "verilator"
    icarus = "icarus"


def parse_build(text: str | None) -> Build:
    """A hardware build from `ROWS=2,PRED_KEYS=16`; parameters not named keep their default."""
    values = {}
    for part in filter(None, (text or "").split(",")):
        name, _, value = part.partition("=")
        if name.strip().lower() not in PARAMETERS or not value.strip().isdigit():
            known = ", ".join(PARAMETERS).upper()
            raise ArgumentError(f"BUILD: {part!r} given, want NAME=number with {known}")
        values[name.strip().lower()] = int(value)
    return Build(**values)


def choose(choice: Choice, build: Build, *, only: str, queries: str, trace: str) -> list[Job]:
    """The jobs to run.

    Raises:
        DataError: one line that says what is wrong with the user's file or choice.
    """
    if trace == "activity" and choice.sim != "verilator":
        raise DataError(f"SAIF=1 needs SIM=verilator, SIM={choice.sim} cannot count activity")
    limits = LIMITS[choice.sim]
    if choice.case:
        jobs = user_jobs(choice.case, limits, build)
    else:
        jobs = shipped_jobs(limits, build)
    if only:
        jobs = select(jobs, only)
    if queries:
        jobs = narrow(jobs, queries)
    if not jobs:
        raise DataError("no head found in reference/data/")
    if trace != "none" and len(jobs) > 1:
        option = {"waves": "WAVES=1", "activity": "SAIF=1"}[trace]
        raise DataError(f"{option} records one case, {len(jobs)} chosen: add ONLY={jobs[0].label}")
    return jobs


@app.command(help=HELP)
def main(
    sim: Annotated[Simulator, typer.Option(envvar="SIM")] = Simulator.verilator,
    seed: Annotated[int, typer.Option(envvar="SEED", help="initial values of registers")] = 1,
    waves: Annotated[bool, typer.Option(envvar="WAVES", help="record all signals")] = False,
    saif: Annotated[bool, typer.Option(envvar="SAIF", help="activity of all signals")] = False,
    case: Annotated[str, typer.Option(envvar="CASE", help=".npz with arrays q, k, v")] = "",
    only: Annotated[str, typer.Option(envvar="ONLY", help="globs of HEAD:MODE")] = "",
    queries: Annotated[str, typer.Option(envvar="QUERIES", help="FIRST:END of the head's")] = "",
    build: Annotated[str, typer.Option(envvar="BUILD", help="such as ROWS=2,PRED_KEYS=16")] = "",
    processes: Annotated[int, typer.Option(min=1, help="simulators at a time")] = 2,
    folder: Annotated[Path, typer.Option(help="where reports go")] = ROOT / "build" / "sim",
) -> None:
    """Run, print the table, write the reports; exit code 0 only when every bit agrees."""
    console = Console(highlight=False, width=max(WIDTH, Console().width))
    choice = Choice(sim.value, seed, case or None, build or None)
    began = time.monotonic()
    trace = "activity" if saif else "waves" if waves else "none"
    if saif and not only and not case:
        only = TYPICAL
    try:
        hardware = parse_build(build)
        jobs = choose(choice, hardware, only=only, queries=queries, trace=trace)
    except PasaError as error:
        print(f"make sim: {error}", file=sys.stderr)
        raise typer.Exit(2) from None
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the simulators end too
    outcome = run_jobs(
        jobs, folder.resolve(), choice, hardware, processes=processes, trace=trace, console=console
    )
    faults = judge(jobs, outcome, choice)
    summary = report.summarise(jobs, outcome, choice, hardware, faults)
    console.print(report.table(summary))
    report.write(summary, jobs, outcome, folder)
    report.tell(console, summary, outcome, folder, seconds=time.monotonic() - began)
    raise typer.Exit(1 if faults else 0)


if __name__ == "__main__":
    app()
