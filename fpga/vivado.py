# SPDX-License-Identifier: Apache-2.0
"""Run a build of fpga/build.tcl in Vivado: `make ip | project | bitstream | ooc`.

    .venv/bin/python fpga/vivado.py bitstream --board ax7z035

Prints a line a step; all that Vivado says is in vivado.log of the build's folder. A failure is
one line, with what to do where that is known, and exit code 1.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from verif.common.hdl import ROOT
from verif.common.rdl import Field, Register, load

VERSION = "2023.2"
ACTIONS = ("ip", "project", "bitstream", "ooc")
BOARDS = tuple(sorted(path.name for path in (ROOT / "fpga" / "boards").iterdir()))

#: What Vivado says -> what it means. The first that matches its output is shown.
ADVICE = (
    (
        r"17-34[578]\]|license was not found",
        "no licence for this device: synthesis of the XC7Z035 needs a paid one "
        "(Vivado, Help, Manage License)",
    ),
    (
        r"no parts matched|specified part could not be found",
        "no parts matched: this Vivado was installed without the Zynq-7000 devices, or is the free "
        "edition, which ends at smaller ones",
    ),
)


@dataclass(frozen=True)
class Build:
    """What the user chose.

    Attributes:
        builds: folder of all builds; each has one of its own below.
        activity: activity file of a simulation, used when it exists.
        settings: build parameters, `NAME=VALUE`.
    """

    action: str
    board: str = BOARDS[0]
    version: str = VERSION
    clock: str = "150"
    builds: Path = ROOT / "build" / "fpga"
    activity: Path = ROOT / "build" / "sim" / "activity.saif"
    settings: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where it goes: the board's name, for all but the bitstream with the action."""
        name = self.board if self.action == "bitstream" else f"{self.board}-{self.action}"
        return self.builds.resolve() / name

    def command(self) -> list[str]:
        """The call of vivado."""
        arguments = [f"board={self.board}", f"out={self.folder}", f"version={self.version}"]
        arguments += [f"registers={self.folder / 'registers.tcl'}", f"clock_mhz={self.clock}"]
        if self.activity.exists() and self.action in ("bitstream", "ooc"):
            arguments.append(f"saif={self.activity}")
        log = ["-notrace", "-nojournal", "-log", str(self.folder / "vivado.log")]
        source = ["-source", str(ROOT / "fpga" / "build.tcl")]
        call = ["vivado", "-mode", "batch", *log, *source]
        return [*call, "-tclargs", self.action, *arguments, *self.settings]


# Register map for the packager


def _access(readable: bool, writable: bool) -> str:
    """IP-XACT's word for who may do what."""
    return {(1, 1): "read-write", (1, 0): "read-only", (0, 1): "write-only"}[readable, writable]


def _word(text: str) -> str:
    """`text` as one word of Tcl, whatever it holds."""
    return "{" + re.sub(r"[{}\\]", " ", text) + "}"


def _field(part: Field) -> str:
    access = _access(part.readable, bool(part.write))
    return f"{{{part.name} {part.low} {part.width} {access} {_word(part.description)}}}"


def _register(register: Register) -> str:
    access = _access(register.readable, register.writable)
    fields = "\n".join(f"        {_field(part)}" for part in register.fields.values())
    head = f"{register.name} 0x{register.address:03X} {access} {_word(register.title)}"
    return f"    {{{head} {{\n{fields}\n    }}}}"


@cache
def registers() -> str:
    """The register map of hdl/shell/pasa.rdl as a Tcl script; fpga/flow/package.tcl reads it."""
    return "set registers {\n" + "\n".join(map(_register, load().values())) + "\n}\n"


# Run


def explain(output: str) -> str:
    """One line for a failed run, from all that Vivado printed."""
    for pattern, advice in ADVICE:
        if found := re.search(rf"^.*(?:{pattern}).*$", output, re.M | re.I):
            return f"{advice}; Vivado says: {found[0].strip()}"
    errors = [line for line in output.splitlines() if line.startswith("ERROR")]
    own = [line for line in errors if "Common 17-39" not in line]
    return next(iter(own or errors), "Vivado ended without saying why").removeprefix("ERROR: ")


def run(build: Build, *, env: Mapping[str, str] | None = None, show: Callable = print) -> int:
    """Run one build; 0 when it ended well.

    Args:
        env: Environment of vivado, os.environ by default.
        show: Takes each line for the user.
    """
    env = os.environ if env is None else env
    action, folder = build.action, build.folder
    if not shutil.which("vivado", path=env.get("PATH")):
        show(f"{action}: FAILED: no vivado on PATH; source settings64.sh of Vivado {build.version}")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "registers.tcl").write_text(registers())
    lines = []
    with subprocess.Popen(
        build.command(),
        cwd=folder,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if line.startswith("PASA: "):
                show(f"{action}: {line[6:].rstrip()}")
    if process.returncode:
        show(f"{action}: FAILED: {explain(''.join(lines))}")
        show(f"    log {os.path.relpath(folder / 'vivado.log')}")
        return 1
    show(f"{action}: OK, files in {os.path.relpath(folder)}")
    return 0


def main() -> int:
    """Parse the choices and run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("--board", choices=BOARDS, default=BOARDS[0])
    parser.add_argument("--version", default=VERSION, help=f"of Vivado, {VERSION} by default")
    parser.add_argument("--clock", default="150", help="MHz of the fabric's clock")
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="NAME=VALUE")
    return run(Build(**vars(parser.parse_args())), show=lambda line: print(line, flush=True))


if __name__ == "__main__":
    sys.exit(main())
