# SPDX-License-Identifier: Apache-2.0
"""Reads plan.toml: feature -> stimulus -> check -> coverage bins."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from verif.uvm.coverage import matching

FILE = Path(__file__).with_name("plan.toml")


@dataclass(frozen=True)
class Point:
    """One row of the plan.

    Attributes:
        name: of the feature.
        stage: V1, V2 or V3.
        why: the bug that would be missed without it.
        how: the stimulus.
        check: what tells right from wrong.
        tests: names of tests in core_tests.py.
        cover: bins, or shell patterns of bins.
        runs: runs of test_uvm_core.py in which each of the bins must be hit.
    """

    name: str
    stage: str
    why: str
    how: str
    check: str
    tests: tuple[str, ...]
    cover: tuple[str, ...]
    runs: tuple[str, ...]


def points() -> list[Point]:
    """The plan, row by row."""
    rows = tomllib.loads(FILE.read_text())["point"]
    return [
        Point(**{key: tuple(v) if isinstance(v, list) else v for key, v in row.items()})
        for row in rows
    ]


def bins_closed_in(run: str, names: Iterable[str]) -> set[str]:
    """The bins, out of `names`, that must be hit in a run."""
    patterns = [pattern for point in points() if run in point.runs for pattern in point.cover]
    return matching(patterns, names)
