# SPDX-License-Identifier: Apache-2.0
"""Builds pasa_core and runs the pyuvm tests of core_tests.py on it.

    make uvm                                all builds, both simulators, all mutants
    make uvm SIM=icarus SEED=7 K=small
    PASA_UVM_EFFORT=10 make uvm             ten times the commands

Coverage of all runs together goes to build/uvm/coverage.xml and coverage.txt.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from cocotb_coverage.coverage import merge_coverage
from filelock import FileLock

from verif.common.hdl import ROOT
from verif.common.runner import check_mutant_caught, simulate
from verif.uvm.coverage import table

TOP = "pasa_core"
BENCH = "verif.uvm.core_tests"
EFFORT = float(os.environ.get("PASA_UVM_EFFORT") or 1)
REPORT = ROOT / "build" / "uvm"

BUILDS = {
    "small": {"rows": 1, "pred_keys": 4, "head_dim": 32, "tile_keys": 256},
    "medium": {"rows": 2, "pred_keys": 16, "head_dim": 64, "tile_keys": 512},
    "default": {"rows": 4, "pred_keys": 32, "head_dim": 64, "tile_keys": 2048},
    "large": {"rows": 8, "pred_keys": 64, "head_dim": 128, "tile_keys": 2048},
}


@dataclass(frozen=True)
class Run:
    """One simulation: how much of which tests; without `tests` all, and coverage is closed."""

    build: str
    sim: str
    effort: float
    tests: str | None = None


RUNS = {
    "small-verilator": Run("small", "verilator", 1),
    "small-icarus": Run("small", "icarus", 0.25),
    "medium-verilator": Run("medium", "verilator", 0.5),
    "medium-icarus": Run("medium", "icarus", 0.1, "RandomTraffic|BackToBack"),
    "default-verilator": Run("default", "verilator", 0.2, "RealHeads|BackToBack|coverage"),
    "large-verilator": Run("large", "verilator", 0.1, "RealHeads"),
}


def parameters(build: str) -> dict[str, int]:
    """Verilog parameters of a build."""
    return {name.upper(): value for name, value in BUILDS[build].items()}


def environment(name: str, build: str, effort: float) -> dict[str, str]:
    """What core_tests.py reads."""
    return {
        "PASA_UVM_BUILD": json.dumps(BUILDS[build]),
        "PASA_UVM_RUN": name,
        "PASA_UVM_EFFORT": str(effort * EFFORT),
    }


CHOSEN = [name for name, run in RUNS.items() if os.environ.get("SIM") in (None, "", run.sim)]


@pytest.mark.parametrize("name", CHOSEN)
def test_core(name):
    run = RUNS[name]
    result = simulate(
        TOP,
        test_module=BENCH,
        parameters=parameters(run.build),
        sim=run.sim,
        build_name=f"uvm-{run.build}",
        env=environment(name, run.build, run.effort),
        tests=run.tests,
    )
    print(f"{name}: {result.tests} tests, seed {result.seed}; again: {result.replay}")
    if (exported := result.log.with_name("coverage.xml")).exists():
        report(name, exported)


def report(name: str, exported: Path) -> None:
    """Merge a run's coverage with that of the other runs of this session."""
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", f"process {os.getpid()}")
    REPORT.mkdir(parents=True, exist_ok=True)
    with FileLock(REPORT / "lock"):
        marker = REPORT / "session"
        if not marker.exists() or marker.read_text() != session:
            shutil.rmtree(REPORT / "runs", ignore_errors=True)
            marker.write_text(session)
        (REPORT / "runs").mkdir(exist_ok=True)
        shutil.copy(exported, REPORT / "runs" / f"{name}.xml")
        merged = REPORT / "coverage.xml"
        runs = sorted(str(path) for path in (REPORT / "runs").glob("*.xml"))
        merge_coverage(lambda text: None, str(merged), *runs)
        (REPORT / "coverage.txt").write_text(table(merged))
        print(table(merged))


MUTANTS: dict[str, tuple[str, str, str]] = {}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    check_mutant_caught(
        TOP,
        test_module=BENCH,
        parameters=parameters("small"),
        sim=os.environ.get("SIM") or "icarus",  # builds a mutant in a second
        build_name=f"uvm-mutant-{name}",
        env=environment("mutant", "small", 0.3),
        tests="RandomTraffic",
        mutant=MUTANTS[name],
    )
