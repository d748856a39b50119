# SPDX-License-Identifier: Apache-2.0
"""Lint without a warning: `lint.py rtl` or `lint.py python`.

Every file of hdl/ is linted as a top of its own with its default parameters, by
Verilator (-Wall) and by Icarus (-g2005 -Wall). Any output of a tool is a failure.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from verif.common.hdl import INCLUDE, ROOT, closure, sources
from verif.common.tools import tool_environment

VERILATOR = ("verilator", "--lint-only", "-Wall", "--quiet", "--language", "1364-2005")
ICARUS = ("iverilog", "-g2005", "-Wall", "-o", "/dev/null")


def run(command: list[str]) -> str:
    """What the command says, with its exit code when that is not 0."""
    done = subprocess.run(
        command, env=tool_environment(), cwd=ROOT, text=True, capture_output=True, check=False
    )
    code = f"exit code {done.returncode}\n" if done.returncode else ""
    return done.stdout + done.stderr + code


def lint_module(path: Path) -> str:
    """Warnings and errors of one module in both tools; empty when clean."""
    top, files = path.stem, [str(file.relative_to(ROOT)) for file in closure(path.stem)]
    include = f"-I{INCLUDE.relative_to(ROOT)}"
    said = run([*VERILATOR, include, "--top-module", top, *files])
    said += run([*ICARUS, include, "-s", top, *files])
    return f"{path.relative_to(ROOT)}\n{said}\n" if said else ""


def lint_rtl() -> int:
    """Lint every module on two cores; exit code 1 when any tool said anything."""
    files = sources()
    names = [path.stem for path in files]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not files or twice:
        print(f"error: hdl/ holds {len(files)} files; more than once: {', '.join(twice) or '-'}")
        return 1
    with ThreadPoolExecutor(2) as pool:
        said = [text for text in pool.map(lint_module, files) if text]
    print("\n".join(said) + f"{len(files)} modules, {len(said)} with a warning or error")
    return bool(said)


def lint_python() -> int:
    """ruff: rules and format."""
    ruff = [sys.executable, "-m", "ruff"]
    codes = [
        subprocess.call([*ruff, "check", "."], cwd=ROOT),
        subprocess.call([*ruff, "format", "--check", "."], cwd=ROOT),
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit({"rtl": lint_rtl, "python": lint_python}[sys.argv[1]]())
