# SPDX-License-Identifier: Apache-2.0
"""The table on the terminal, report.json and report.html of `make sim`."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import jinja2
from pasa.formats import Build
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verif.common.hdl import ROOT
from verif.sim import pictures
from verif.sim.plan import GOALS, Job
from verif.sim.runs import Choice, Outcome

DENSE_LSB = 2  # DESIGN section 3: always
DENSE_WITHIN_ONE = 0.999  # share of elements within 1 LSB
ROW_SUM = 2.0**-10
TEMPLATE = Path(__file__).with_name("report.html.j2")


def summarise(
    jobs: Sequence[Job], outcome: Outcome, choice: Choice, build: Build, faults: Sequence[str]
) -> dict:
    """All figures of a run, as written to report.json."""
    cases = [
        dict(outcome.records[job.label]["figures"]) for job in jobs if job.label in outcome.records
    ]
    for case in cases:
        case |= _against_dense(case, cases, lanes=build.rows)
    return {
        "passed": not faults,
        "faults": list(faults),
        "waves_example": choice.replay(jobs[0], wrong=jobs[0].rows.stop // 2) if jobs else None,
        "simulator": choice.sim,
        "seed": choice.seed,
        "commit": commit(),
        "build": {name.upper(): value for name, value in vars(build).items()},
        "cases_planned": len(jobs),
        "elements": sum(case["elements"] for case in cases),
        "mismatches": sum(case["mismatches"] for case in cases),
        "clocks": sum(record["clocks"] for record in outcome.records.values()),
        "clocks_a_second": round(outcome.clocks_a_second),
        "seconds": round(outcome.seconds, 1),
        "build_seconds": round(outcome.build_seconds, 1),
        "goals": goals(cases),
        "cases": cases,
    }


def _against_dense(case: dict, cases: Sequence[dict], *, lanes: int) -> dict:
    """Cycles of dense mode for the same rows, and the speed-up.

    Where dense mode ran fewer rows, the others count with the least they could take: one
    visible key a lane and cycle.
    """
    dense = next((c for c in cases if (c["name"], c["mode"]) == (case["name"], "dense")), None)
    if not dense or not dense["cycles"] or not case["cycles"]:
        return {"dense_cycles": None, "dense_rows": None, "speedup": None}
    cycles = dense["cycles"] + (case["visible"] - dense["visible"]) // lanes
    speedup = round(cycles / case["cycles"], 2)
    return {"dense_cycles": cycles, "dense_rows": dense["rows"], "speedup": speedup}


def goals(cases: Sequence[dict]) -> list[dict]:
    """What the figures must reach: name, value, limit, holds. Only what the run can tell."""
    found = []
    for kind, (value, limit) in GOALS.items():
        errors = [
            case["relative_error"]
            for case in cases
            if (case["kind"], case["lambda"], case["basis"]) == (kind, value, "fitted")
            and case["all_keys"]
        ]
        if errors and None not in errors:
            name = f"{kind}: mean relative error of {len(errors)} heads, lambda {value:g}"
            found.append(_goal(name, mean(errors), limit))
    whole = [case for case in cases if case["relative_error"] is not None]
    dense = [case for case in whole if case["mode"] == "dense"]
    if dense:
        outside = 1 - min(case["within_one_lsb"] for case in dense)
        most = max(case["max_lsb_error"] for case in dense)
        found.append(_goal("dense: largest LSB error", most, DENSE_LSB))
        found.append(_goal("dense: share beyond 1 LSB", outside, round(1 - DENSE_WITHIN_ONE, 6)))
    if whole:
        worst = max(abs(case["mean_row_sum"] - 1) for case in whole)
        found.append(_goal("mean row sum: distance from 1", worst, ROW_SUM))
    return found


def _goal(name: str, value: float, limit: float) -> dict:
    return {"name": name, "value": value, "limit": limit, "holds": bool(value <= limit)}


def commit() -> str | None:
    """Short hash of the commit, with + when the tree differs from it."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


# Terminal

COLUMNS = (
    ("case", "left"),
    ("n_q x n_k x d", "left"),
    ("queries", "left"),
    ("mode", "left"),
    ("kept %", "right"),
    ("elements", "right"),
    ("wrong", "right"),
    ("cycles", "right"),
    ("dense", "right"),
    ("speed", "right"),
    ("error", "right"),
    ("LSB", "right"),
    ("row sum", "right"),
)


def mode_text(case: dict) -> str:
    """The mode of a case for a person."""
    if case["mode"] == "dense":
        return "dense"
    if case["budget"]:
        return f"budget {case['budget']}"
    return f"λ {case['lambda']:g} +tail"


def row_of(case: dict) -> tuple[str, ...]:
    """One line of the table, a text for each of COLUMNS."""
    scaled = "~" if case["dense_rows"] not in (None, case["rows"]) else ""
    known = case["relative_error"] is not None
    return (
        case["name"],
        f"{case['n_q']}x{case['n_k']}x{case['d']}",
        case["queries"],
        mode_text(case),
        f"{100 * case['kept_fraction']:.1f}",
        f"{case['elements']:,}",
        f"{case['mismatches']:,}",
        f"{case['cycles']:,}",
        "-" if case["dense_cycles"] is None else f"{scaled}{case['dense_cycles']:,}",
        "-" if case["speedup"] is None else f"{case['speedup']:.1f}",
        f"{case['relative_error']:.4f}" if known else "-",
        f"{case['max_lsb_error']}" if known else "-",
        f"{case['mean_row_sum']:.5f}" if known else "-",
    )


def table(summary: dict) -> Table:
    """The table of all cases."""
    grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold underline")
    for name, justify in COLUMNS:
        grid.add_column(name, justify=justify, no_wrap=True)
    before = None
    for case in summary["cases"]:
        if before not in (None, case["name"]):
            grid.add_row()
        grid.add_row(*row_of(case), style="bold red" if case["mismatches"] else None)
        before = case["name"]
    return grid


LEGEND = (
    "queries: which ran, on the n_k keys shown. "
    "wrong: elements, rows or status counters that differ from the golden model. "
    "cycles: counted by the hardware, first row started to last beat out. "
    "dense: cycles of dense mode on the same rows; ~ where fewer ran, the others count one key a "
    "lane and cycle, the least they could take; "
    "speed: how many times faster than dense. "
    "error, LSB: against exact float64 attention of the same int8 inputs. "
    "row sum: mean sum of a row's weights (golden model). "
    "budget: no tail, as many keys as the first λ keeps on average."
)


def tell(
    console: Console, summary: dict, outcome: Outcome, folder: Path, *, seconds: float
) -> None:
    """What a person wants to know below the table."""
    console.print(LEGEND, style="dim")
    console.print()
    for goal in summary["goals"]:
        mark = "[green]holds[/]" if goal["holds"] else "[red]missed[/]"
        console.print(f"{mark:<6}  {goal['name']}: {goal['value']:.4g} (limit {goal['limit']:.4g})")
    kept = [end["waves"] for end in outcome.ends if end.get("waves")]
    for path in kept:
        console.print(f"waves   {path}")
    for path in (end["activity"] for end in outcome.ends if end.get("activity")):
        console.print(f"activity of all signals  {path}")
    console.print(
        f"\n{len(summary['cases'])} of {summary['cases_planned']} cases, "
        f"{summary['elements']:,} elements compared, {summary['mismatches']:,} mismatches; "
        f"seed {summary['seed']}"
    )
    console.print(
        f"{summary['clocks']:,} clocks in {summary['simulator']}, "
        f"{summary['clocks_a_second']:,} a second and process; {seconds:.0f} s in all, "
        f"{summary['build_seconds']:.0f} s until the first case"
    )
    console.print(f"report  {_shown(folder / 'report.html')}, {_shown(folder / 'report.json')}")
    console.print(f"one case with waves: {summary['waves_example']}", soft_wrap=True)
    for fault in summary["faults"]:
        console.print(f"[bold red]FAILED[/] {escape(fault)}", soft_wrap=True)
    if summary["passed"]:
        console.print("[bold green]PASSED[/] every element equals the golden model")


def _shown(path: Path) -> str:
    path = path.resolve()
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


# Files


def write(summary: dict, jobs: Sequence[Job], outcome: Outcome, folder: Path) -> None:
    """Write report.json and report.html to `folder`."""
    (folder / "report.json").write_text(json.dumps(summary, indent=1) + "\n")
    template = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(
        TEMPLATE.read_text()
    )
    page = template.render(
        summary=summary,
        columns=COLUMNS,
        rows=[(case, row_of(case)) for case in summary["cases"]],
        legend=LEGEND,
        pictures=pictures.draw(summary, jobs, outcome),
    )
    (folder / "report.html").write_text(page)
