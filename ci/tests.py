# SPDX-License-Identifier: Apache-2.0
"""Run pytest with its output on the terminal and in build/log/NAME.log.

    ci/tests.py --name test                          tests/ and verif/
    ci/tests.py --name unit [--module pasa_skid]     unit benches: verif/*/test_*.py
    ci/tests.py --name uvm --path verif/uvm

What follows `--` goes to pytest. Running no test is a failure.
"""

import argparse
import subprocess
import sys

from verif.common.hdl import ROOT

NOT_UNIT = {"uvm", "sim", "common"}  # folders of verif/ that hold no unit benches


def unit_benches(module: str | None) -> list[str]:
    """Paths of the unit benches, or of the one of `module`; exits when there is none."""
    pattern = f"*/test_{module or '*'}.py"
    found = [p for p in (ROOT / "verif").glob(pattern) if p.parent.name not in NOT_UNIT]
    if not found:
        sys.exit(f"no unit bench verif/*/test_{module or '*'}.py")
    return sorted(str(path.relative_to(ROOT)) for path in found)


def main() -> int:
    """Run pytest; its exit code is ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--path")
    parser.add_argument("--module")
    parser.add_argument("pytest", nargs="*")
    choice = parser.parse_args()
    if choice.path:
        paths = [choice.path]
    else:
        paths = unit_benches(choice.module) if choice.name == "unit" else ["tests", "verif"]
    folder = ROOT / "build" / "log"
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / f"{choice.name}.xml"
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", "--durations=10"]
    with (folder / f"{choice.name}.log").open("w") as log:
        run = subprocess.Popen(
            [*command, *paths, *choice.pytest],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert run.stdout is not None
        while text := run.stdout.read(1):  # by character: progress dots appear at once
            print(text, end="", flush=True)
            log.write(text)
    return run.wait()


if __name__ == "__main__":
    sys.exit(main())
