# SPDX-License-Identifier: Apache-2.0
"""`make fpga-check`: every build of fpga/ in the strict stand-in for Vivado, and planted mistakes.

Runs fpga/vivado.py as `make bitstream` does, with a `vivado` on PATH that is
fpga/dryrun/vivado.tcl; writes build/fpga/dry-run.json. Nothing it writes is a bitstream.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from fpga.dryrun.plants import ACTIVITY, PLANTS, Plant
from fpga.vivado import ACTIONS, BOARDS, Build, run
from verif.common.hdl import ROOT
from verif.common.tools import BIN

TOOL = ROOT / "fpga" / "dryrun" / "vivado.tcl"
REPORT = ROOT / "build" / "fpga" / "dry-run.json"
LINE_LENGTH = "100"
SCRIPTS = ("build.tcl", "flow", "boards", "constraints")  # of fpga/, what Vivado reads

#: Files that each build must leave, beside its log.
LEAVES = {
    "ip": ("ip/component.xml",),
    "project": ("project/pasa.xpr",),
    "bitstream": ("pasa.bit", "pasa.hwh", "pasa.xsa", "pasa.json"),
    "ooc": ("pasa.json",),
}
REPORTS = ("utilisation.rpt", "timing.rpt", "power.rpt", "drc.rpt", "methodology.rpt")


@dataclass(frozen=True)
class Outcome:
    """What one build came to.

    Attributes:
        code: exit code.
        lines: what the user sees.
        record: figures of the stand-in, and `used`, the commands called.
    """

    code: int
    lines: list[str]
    record: dict[str, str]
    folder: Path

    @property
    def said(self) -> str:
        """All lines."""
        return "\n".join(self.lines)

    def missing(self, action: str) -> list[str]:
        """Files that should be there."""
        wanted = [*LEAVES[action], *(REPORTS if action in ("bitstream", "ooc") else ())]
        return [name for name in wanted if not (self.folder / name).is_file()]


def stand_in(folder: Path) -> Path:
    """A folder with the program `vivado`, to be put on PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "vivado"
    program.write_text(f'#!/bin/sh\nexec tclsh "{TOOL}" "$@"\n')
    program.chmod(0o755)
    return folder


def dry_run(build: Build, *, world: str = "", plant: str = "", vivado: bool = True) -> Outcome:
    """Run one build in the stand-in.

    Args:
        world: what the tool shall be like, `setup=-0.1;licence=0`.
        plant: Tcl list {script old new} that changes a script as it is read.
        vivado: False: there is none on PATH.
    """
    base = build.builds.resolve()
    record = base / f"{build.board}-{build.action}.record"
    record.unlink(missing_ok=True)
    path = f"{stand_in(base / 'bin')}{os.pathsep}{os.environ['PATH']}" if vivado else str(base)
    env = {**os.environ, "PATH": path, "PASA_RECORD": str(record), "PASA_WORLD": world}
    if plant:
        (base / "plant.tcl").write_text(plant)
        env["PASA_PLANT"] = str(base / "plant.tcl")
    lines: list[str] = []
    code = run(build, env=env, show=lines.append)
    text = record.read_text() if record.exists() else ""
    pairs = dict(line.split(" ", 1) for line in text.splitlines() if " " in line)
    return Outcome(code, lines, pairs, build.folder)


def caught(plant: Plant, builds: Path) -> str:
    """What is wrong with how a planted mistake was met; empty when it was met as it should."""
    build = Build(plant.action, builds=builds, activity=builds / "activity.saif")
    builds.mkdir()
    if plant.activity:
        build.activity.write_text(plant.activity)
    outcome = dry_run(build, world=plant.world, plant=plant.tcl(), vivado=plant.vivado)
    failed = [line for line in outcome.lines if "FAILED" in line]
    if outcome.code == 0 or len(failed) != 1:
        return f"{plant.name}: not caught:\n{outcome.said}"
    if not re.search(plant.says, failed[0]):
        return f"{plant.name}: the line does not say {plant.says!r}: {failed[0]}"
    if plant.action == "bitstream" and (outcome.folder / "pasa.bit").exists():
        return f"{plant.name}: a bitstream was written"
    return ""


def declared() -> set[str]:
    """Commands that fpga/dryrun/commands.tcl declares."""
    script = f'source "{TOOL.parent / "commands.tcl"}"; puts [dict keys $commands::known]'
    done = subprocess.run(["tclsh"], input=script, text=True, capture_output=True, check=True)
    return set(done.stdout.split())


def lint() -> str:
    """What tclint says about the scripts; the stand-in may build commands from data."""
    tclint = [str(BIN / "tclint"), "--style-line-length", LINE_LENGTH]
    calls = (
        [*tclint, *(f"fpga/{name}" for name in SCRIPTS)],
        [*tclint, "--ignore", "command-args", "fpga/dryrun"],
    )
    done = [subprocess.run(c, cwd=ROOT, text=True, capture_output=True, check=False) for c in calls]
    return "".join(d.stdout + d.stderr + f"exit {d.returncode}\n" for d in done if d.returncode)


def main() -> int:
    """Print the figures, write them, exit code 1 when one does not hold."""
    faults, used, record = [], set(), {}
    with tempfile.TemporaryDirectory() as name:
        builds, runs = Path(name), 0
        activity = builds / "activity.saif"
        activity.write_text(ACTIVITY)
        for board in BOARDS:
            for action in ACTIONS:
                outcome = dry_run(Build(action, board, builds=builds, activity=activity))
                missing = outcome.missing(action)
                if outcome.code or missing:
                    faults.append(f"{board} {action}: missing {missing}\n{outcome.said}")
                else:
                    runs += 1
                used |= set(outcome.record.get("used", "").split())
                record = outcome.record if action == "bitstream" else record
        met = [caught(plant, builds / plant.name.replace(" ", "_")) for plant in PLANTS]
    faults += filter(None, met)
    idle = sorted(declared() - used)
    said = lint()
    faults += [f"declared, but no script calls: {', '.join(idle)}"] if idle else []
    faults += [said] if said else []
    connected, ports = map(int, record.get("ports", "0 of 1").split(" of "))
    figures = [
        figure("builds run to their end", runs, "builds", len(BOARDS) * len(ACTIONS)),
        figure("Vivado commands used and declared", len(used), "commands", len(declared())),
        figure("ports of pasa_axi connected", connected, "ports", ports),
        figure("planted mistakes met with one clear line", met.count(""), "mistakes", len(PLANTS)),
        figure("warnings of tclint", said.count("\n"), "lines", 0),
        *(figure(f"block design: {key}", int(record.get(key, 0)), key, None) for key in COUNTED),
    ]
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps({"figures": figures, "faults": faults}, indent=1) + "\n")
    for f in figures:
        goal = "" if f["goal"] is None else f" of {f['goal']}"
        print(f"fpga-check: {f['name']:<42} {f['value']}{goal}")
    print("\n".join(faults), end="\n" if faults else "")
    print(f"fpga-check: {'FAILED' if faults else 'OK'}, {REPORT.relative_to(ROOT)}")
    return bool(faults)


COUNTED = ("cells", "buses", "pins", "addresses")


def figure(name: str, value: int, unit: str, goal: int | None) -> dict:
    """One entry of the report; without a goal it only informs."""
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "goal": goal,
        "holds": goal is None or value == goal,
    }


if __name__ == "__main__":
    sys.exit(main())
