# SPDX-License-Identifier: Apache-2.0
"""Run one command quietly: one line with OK or FAILED, the time and the log.

    python3 ci/step.py NAME -- COMMAND ...

Standard library only, for it runs before the environment exists. The output
goes to build/log/NAME.log; the first error follows a FAILED line.
"""

import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ERROR = re.compile(
    r"%Error|%Warning|\berror\b|\bwarning\b|FAILED|unformatted|Traceback|Exception", re.I
)
CONTEXT = 6  # lines shown from the first error on


def first_error(text: str) -> str:
    """The lines from the first error on, or the last lines when none is recognised."""
    lines = [line for line in text.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if ERROR.search(line)), -CONTEXT)
    chosen = lines[at : at + CONTEXT] if at >= 0 else lines[at:]
    return "\n".join("    " + line for line in chosen)


def run_step(name: str, command: list[str]) -> int:
    """Run `command`, print its line, return its exit code."""
    log = ROOT / "build" / "log" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    print(f"{name:<14}", end="", flush=True)
    with log.open("w") as out:
        code = subprocess.call(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT)
    took = time.monotonic() - start
    print(f" {'FAILED' if code else 'OK':<6} {took:6.1f} s  {log.relative_to(ROOT)}", flush=True)
    if code:
        print(first_error(log.read_text(errors="replace")), flush=True)
    return code


if __name__ == "__main__":
    sys.exit(run_step(sys.argv[1], sys.argv[3:]))
