# SPDX-License-Identifier: Apache-2.0
"""Build the simulated shell: pasa_axi in Verilator behind the protocol of pasa_simulator.h.

    python fpga/host/simulator/build.py ROWS=2 PRED_KEYS=16      prints the path of the binary

One binary for each set of sources and parameters, in build/simulator/; what exists is not built
again.
"""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock
from pasa.errors import ArgumentError, BuildError
from pasa.formats import Build

from verif.common.hdl import INCLUDE, ROOT, closure, headers
from verif.common.tools import VERILATOR_ROOT, tool_environment

TOP = "pasa_axi"
HERE = Path(__file__).resolve().parent
FOLDER = ROOT / "build" / "simulator"
#: Verilog parameters of pasa_axi and what they are unless told otherwise.
DEFAULTS = {name.upper(): value for name, value in asdict(Build()).items()} | {"STREAM_BITS": 128}
TAIL = 20  # lines of a log shown with a failure


def build_simulator(parameters: Mapping[str, int], *, design: Path | None = None) -> Path:
    """The simulator with these Verilog parameters of pasa_axi, built when there is none.

    Args:
        parameters: value of each parameter that is not to have its default.
        design: another pasa_axi.v than that of hdl/shell/, for tests of the simulator.

    Returns:
        Path of the binary. The first build takes half a minute to minutes, by its size.

    Raises:
        ArgumentError: no such parameter.
        BuildError: the design does not build; names the log.
    """
    for name in parameters:
        if name not in DEFAULTS:
            raise ArgumentError(f"{name}: no parameter of {TOP}, want {', '.join(DEFAULTS)}")
    files = closure(TOP, extra=[design] if design else [])
    declared = re.findall(r"\bparameter\s+(\w+)", files[-1].read_text())
    values = DEFAULTS | dict(parameters)
    parameters = {name: value for name, value in values.items() if name in declared}
    folder = FOLDER / _fingerprint(files, parameters)
    folder.mkdir(parents=True, exist_ok=True)
    binary = folder / "pasa_simulator"
    with FileLock(folder / "lock"):
        if not binary.exists():
            if sys.stderr.isatty():
                print(f"compiling the simulator, once for this build: {binary}", file=sys.stderr)
            _compile(folder, files, parameters)
            (folder / f"V{TOP}").rename(binary)  # there only when whole
    return binary


def _fingerprint(files: list[Path], parameters: Mapping[str, int]) -> str:
    """Changes when anything changes that the binary is made of."""
    own = [path for path in HERE.iterdir() if path.suffix in (".h", ".cpp", ".py")]
    read = sorted([*files, *headers(files), *own])
    texts = [repr(sorted(parameters.items())), str(VERILATOR_ROOT), sys.version]
    texts += [f"{path}\n{path.read_text()}" for path in read]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def _compile(folder: Path, files: list[Path], parameters: Mapping[str, int]) -> None:
    """Verilate and compile into the folder."""
    verilate = [
        *("verilator", "--cc", "--exe", "--quiet", "-O3", "--language", "1364-2005"),
        *("--x-assign", "unique", "--x-initial", "unique"),
        *("--top-module", TOP, "--Mdir", str(folder), f"-I{INCLUDE}"),
        *(f"-G{name}={value}" for name, value in parameters.items()),
        *("-CFLAGS", f"-I{HERE} -std=c++17"),
        *map(str, [*files, HERE / "simulator.cpp"]),
    ]
    # Of the core, -O2 takes twice as long to compile as -O1 and runs no faster. The wheel was
    # built by a compiler that needs no flag to include a precompiled header.
    make = [
        *("make", "-C", str(folder), "-f", f"V{TOP}.mk", f"-j{min(2, os.cpu_count() or 1)}"),
        *("OPT_FAST=-O1", "OPT_SLOW=-O0", "CFG_CXXFLAGS_PCH_I=-include"),
    ]
    log = folder / "build.log"
    with log.open("w") as out:
        for command in (verilate, make):
            result = subprocess.run(
                command, env=tool_environment(), stdout=out, stderr=subprocess.STDOUT
            )
            if result.returncode:
                out.flush()
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-TAIL:])
                raise BuildError(f"{command[0]} cannot build {TOP}, log {log}\n{tail}")


def main(arguments: list[str]) -> int:
    """Build with the parameters NAME=number given, print the path of the binary."""
    parameters = {}
    for argument in arguments:
        name, _, value = argument.partition("=")
        if not value.isdigit():
            print(f"{argument!r} given, want NAME=number", file=sys.stderr)
            return 2
        parameters[name] = int(value)
    try:
        print(build_simulator(parameters))
    except (ArgumentError, BuildError) as error:
        print(error, file=sys.stderr)
        return 2 if isinstance(error, ArgumentError) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
