# SPDX-License-Identifier: Apache-2.0
"""`make synth`: size and depth of the design on a 7-series part, by Yosys, against budgets."""

import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from fpga.synth import plan, report
from fpga.synth.depth import CombinationalLoop, Model, model
from fpga.synth.gates import GATES, netlist, simulate_gates
from fpga.synth.netlist import load, measure
from fpga.synth.yosys import BUILD, SynthesisError, elaborate, synthesise
from verif.common.hdl import ROOT
from verif.common.runner import SimulationError

HELP = f"""{__doc__}

\b
make synth                     the builds small, default and best, and netlists simulated
make synth ONLY=small,gates    some of these
"""
GATE_RUNS = "gates"

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def examine(
    name: str,
    *,
    top: str = plan.TOP,
    parameters: dict[str, int],
    folder: Path = BUILD,
    extra: tuple[Path, ...] = (),
    tell=lambda text: None,
) -> report.Build:
    """Synthesise and measure one build.

    Args:
        name: What the build is called.
        top: Its top module.
        parameters: Parameters of the top that differ from their defaults.
        folder: For intermediate files and the cache of netlists; below the root of the tree.
        extra: Files outside hdl/ that `top` may need.
        tell: Called with a line for each part.

    Raises:
        SynthesisError: Yosys refused the design.
    """
    design = elaborate(top, parameters, folder=folder / name, extra=extra)
    instances = design.instances()
    models: dict[str, Model] = {}
    rows = []
    for part in design.parts:
        began = time.monotonic()
        path = synthesise(design, part, cache=folder / "cache", extra=extra)
        made = load(path, part.name)
        size = measure(made["cells"], children=part.children)
        models[part.name] = model(made, children=models)
        rows.append(
            report.Row(
                part=part,
                count=instances[part.name],
                size=size,
                worst=models[part.name].worst,
            )
        )
        tell(f"{name}: {part.name} {size.lut} LUT, {time.monotonic() - began:.0f} s")
    return report.Build(name=name, top=top, parameters=parameters, rows=rows)


def all_builds(names: Iterable[str], *, folder: Path) -> list[report.Build]:
    """The builds of plan.BUILDS with these names; equal ones are examined once."""
    builds: list[report.Build] = []
    for name in names:
        parameters = plan.BUILDS[name]
        same = next((build for build in builds if build.parameters == parameters), None)
        builds.append(
            replace(same, name=name)
            if same
            else examine(name, parameters=parameters, folder=folder, tell=_tell)
        )
    return builds


def all_gates(*, folder: Path) -> list[report.Figure]:
    """Each netlist of gates.GATES under its bench: tests that agree with the golden model."""
    figures = []
    for name, gate in GATES.items():
        began = time.monotonic()
        path = netlist(gate, folder=folder / GATE_RUNS / gate.module)
        try:
            passed, problem = simulate_gates(gate, path).tests, ""
        except SimulationError as error:
            passed, problem = 0, str(error)
        _tell(f"gates: {name} {time.monotonic() - began:.0f} s {problem}")
        title = f"gates: {name} against the golden model"
        figures.append(report.Figure(title, passed, "tests", ">= 1", passed >= 1))
    return figures


def _tell(text: str) -> None:
    print(text, flush=True)


@app.command(help=HELP)
def main(
    only: Annotated[str, typer.Option(envvar="ONLY", help="builds, or gates; by comma")] = "",
    folder: Annotated[Path, typer.Option(help="where reports and netlists go")] = BUILD,
) -> None:
    """Synthesise, simulate, print the tables, write the reports; exit code 1 for a missed goal."""
    known = [*plan.BUILDS, GATE_RUNS]
    chosen = only.split(",") if only else known
    if unknown := [name for name in chosen if name not in known]:
        _refuse(f"make synth: ONLY={only}: {unknown[0]} is none of {', '.join(known)}", code=2)
    folder = folder.resolve()
    try:
        builds = all_builds([name for name in chosen if name != GATE_RUNS], folder=folder)
        gates = all_gates(folder=folder) if GATE_RUNS in chosen else []
    except (SynthesisError, CombinationalLoop) as error:
        _refuse(f"error: {error}", code=1)
    summary = report.summarise(builds, extra=gates)
    print(report.text(summary))
    report.write(summary, folder)
    print(f"{folder.relative_to(ROOT)}/report.md, report.json")
    raise typer.Exit(0 if summary.holds else 1)


def _refuse(message: str, *, code: int) -> NoReturn:
    print(message, file=sys.stderr)
    raise typer.Exit(code)


if __name__ == "__main__":
    app()
