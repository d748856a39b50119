# SPDX-License-Identifier: Apache-2.0
"""Where the Verilog is: the one list that lint, elaboration, proof and simulation read.

A file holds one module and carries its name, so a file list is never kept by hand:
`sources()` finds every design file, `closure()` the ones a top needs.
"""

import re
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HDL = ROOT / "hdl"
INCLUDE = HDL / "include"

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)
_WORD = re.compile(r"\b[A-Za-z_]\w*\b")
_INCLUDE = re.compile(r'`include\s+"([^"]+)"')


def sources() -> list[Path]:
    """Every design file below hdl/, sorted by path."""
    return sorted(HDL.rglob("*.v"))


def find(module: str) -> Path:
    """The design file of `module`; raises FileNotFoundError when there is none."""
    for path in sources():
        if path.stem == module:
            return path
    raise FileNotFoundError(f"no {module}.v below {HDL.relative_to(ROOT)}/")


def closure(top: str, *, extra: Iterable[Path] = ()) -> list[Path]:
    """The files that `top` needs, itself last.

    Args:
        top: Module name, which is the stem of a file in `extra` or below hdl/.
        extra: Files outside hdl/, such as a bench top; used only when `top` needs them.

    Raises:
        FileNotFoundError: `top` is in none of them.
    """
    known = {path.stem: path for path in [*sources(), *extra]}
    if top not in known:
        raise FileNotFoundError(
            f"no {top}.v below {HDL.relative_to(ROOT)}/ or in the sources given"
        )
    needed, waiting = [], [top]
    while waiting:
        name = waiting.pop()
        if known[name] in needed:
            continue
        needed.append(known[name])
        words = _WORD.findall(_COMMENT.sub(" ", known[name].read_text()))
        waiting += sorted(set(words) & known.keys() - {name})
    return needed[::-1]


def headers(files: Iterable[Path]) -> list[Path]:
    """The files of hdl/include/ that `files` include, directly or through another."""
    found: list[Path] = []
    waiting = list(files)
    while waiting:
        text = waiting.pop().read_text()
        new = [INCLUDE / name for name in _INCLUDE.findall(text) if INCLUDE / name not in found]
        new = [path for path in dict.fromkeys(new) if path.is_file()]
        found += new
        waiting += new
    return sorted(found)
