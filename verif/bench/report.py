# SPDX-License-Identifier: Apache-2.0
"""Tables on the terminal, report.json and report.html of `make bench`."""

import json
from collections.abc import Sequence
from pathlib import Path

import jinja2
from pasa.formats import Build
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from verif.bench import pictures
from verif.bench.figures import (
    ITA,
    Figure,
    as_dicts,
    dense_cycles,
    heads,
    multipliers,
    reached,
    speedups,
)
from verif.bench.runs import Outcome
from verif.sim.report import commit, mode_text

TEMPLATE = Path(__file__).with_name("report.html.j2")
COLUMNS = (
    ("head", "left"),
    ("n_q x n_k x d", "left"),
    ("mode", "left"),
    ("kept %", "right"),
    ("error", "right"),
    ("cycles", "right"),
    ("formula", "right"),
    ("share", "right"),
    ("filled", "right"),
    ("output", "right"),
    ("speed-up", "right"),
    ("per product", "right"),
)
LEGEND = (
    "cycles: counted by the hardware, first row started to last beat out; dense ran on a slice of "
    "the queries, the others count one key a lane and cycle, the least they could take. "
    "formula: each row max(words x slices, kept + virtual keys), over the lanes. share: "
    "formula / cycles. filled: the same without the first rows. output: beats of the output, "
    "which also bound the cycles. per product: exact multipliers x cycles for each "
    "of the 2 n_q n_k d products of dense attention; ITA needs 1.0."
)


def summarise(outcome: Outcome, figures: Sequence[Figure], *, seed: int) -> dict:
    """All of a run, as written to report.json."""
    build = Build()
    records = outcome.records.get(build, {})
    everything = [e for events in outcome.records.values() for e in events.values()]
    return {
        "passed": not outcome.faults,
        "faults": outcome.faults,
        "commit": commit(),
        "seed": seed,
        "seconds": round(outcome.seconds, 1),
        "build": {name.upper(): value for name, value in vars(build).items()},
        "multipliers": multipliers(build),
        "elements": sum(h["elements"] for e in everything for h in e["heads"]),
        "mismatches": sum(h["mismatches"] for e in everything for h in e["heads"]),
        "clocks": sum(event["clocks"] for event in everything),
        "goals": sum(figure.holds is not None for figure in figures),
        "missed": sum(figure.holds is False for figure in figures),
        "figures": as_dicts(figures),
        "traces": trace_rows(records, build),
        "runs": {
            f"ROWS {b.rows}, PRED_KEYS {b.pred_keys}": events
            for b, events in outcome.records.items()
        },
    }


def trace_rows(records: dict, build: Build) -> list[list[str]]:
    """Lines of the table: shipped heads, then their cuts to n = 512, then ITA."""
    found, faster = heads(records, "traces"), speedups(records, build)
    lines = [
        _line(h, found.get(f"{h['name']}:dense"), faster.get(k), build) for k, h in found.items()
    ]
    short = heads(records, "n512")
    dense = short.get("dense")
    for name, head in short.items():
        if name != "dense":
            speed = dense and dense_cycles(head, dense, lanes=build.rows) / head["cycles"]
            lines.append(_line(head, dense, speed, build))
    if lines:
        lines.append(
            ["ITA, measured elsewhere", "512x512x64", "dense", "100", "-", f"{ITA.n512:,}"]
        )
        lines[-1] += ["-"] * 5 + [f"{_per_product(ITA.n512, 512, 512, 64, ITA.multipliers):.3f}"]
    return lines


def _per_product(cycles: float, n_q: int, n_k: int, d: int, multipliers: int) -> float:
    return cycles * multipliers / (2 * n_q * n_k * d)


def _line(head: dict, dense: dict | None, speed: float | None, build: Build) -> list[str]:
    n_q, n_k, d = head["n_q"], head["n_k"], head["d"]
    whole = dense and head["mode"] == "dense"
    cycles = head["cycles"]
    if whole and head["rows"] < n_q:
        cycles += (n_q - head["rows"]) * head["visible"] // head["rows"] // build.rows
    spent = _per_product(cycles, n_q, n_k, d, multipliers(build))
    return [
        head["name"],
        f"{n_q}x{n_k}x{d}",
        mode_text(head),
        f"{100 * head['kept_fraction']:.1f}",
        "-" if head["relative_error"] is None else f"{head['relative_error']:.3f}",
        f"{'~' if cycles != head['cycles'] else ''}{cycles:,}",
        f"{head['formula_cycles']:,}" + (f" of {head['rows']}" if head["rows"] < n_q else ""),
        f"{reached(head):.3f}",
        "-" if head["steady"] is None else f"{head['steady']:.3f}",
        f"{head['out_beats']:,}",
        "-" if speed is None else f"{speed:.1f}",
        f"{spent:.3f}",
    ]


# Terminal


def tell(console: Console, summary: dict) -> None:
    """The tables and the verdict."""
    if summary["traces"]:
        grid = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold underline")
        for name, justify in COLUMNS:
            grid.add_column(name, justify=justify, no_wrap=True)
        for line in summary["traces"]:
            grid.add_row(*line)
        console.print(grid)
        console.print(LEGEND, style="dim")
        console.print()
    marks = {True: "[green]holds [/]", False: "[red]missed[/]", None: "      "}
    for figure in summary["figures"]:
        goal = f"  (goal {figure['goal']})" if figure["goal"] else ""
        text = f"{value_text(figure)}{goal}"
        console.print(f"{marks[figure['holds']]} {escape(figure['name'])}: {text}", soft_wrap=True)
    console.print(
        f"\n{summary['goals']} goals, {summary['missed']} missed; {summary['elements']:,} elements "
        f"compared, {summary['mismatches']:,} wrong; {summary['clocks']:,} clocks, "
        f"{summary['seconds']:.0f} s; seed {summary['seed']}"
    )
    console.print("report  build/bench/report.html, build/bench/report.json")
    for fault in summary["faults"]:
        console.print(f"[bold red]FAILED[/] {escape(fault)}", soft_wrap=True)


def value_text(figure: dict) -> str:
    """Value and unit for a person."""
    value, unit = figure["value"], figure["unit"]
    if value is None:
        return "no figure"
    if unit == "x":
        return f"{value:.2f}x"
    number = f"{value:,.0f}" if unit in ("cycles", "clocks/s") else f"{value:.3f}"
    return f"{number} {unit}".strip()


# Files


def write(summary: dict, folder: Path) -> None:
    """Write report.json and report.html to `folder`."""
    (folder / "report.json").write_text(json.dumps(summary, indent=1) + "\n")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    page = environment.from_string(TEMPLATE.read_text()).render(
        summary=summary,
        columns=COLUMNS,
        legend=LEGEND,
        texts=[value_text(figure) for figure in summary["figures"]],
        pictures=pictures.draw(summary),
    )
    (folder / "report.html").write_text(page)
