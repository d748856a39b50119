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
from pasa.formats import Build

from verif.common.hdl import ROOT
from verif.common.runner import check_mutant_caught, simulate
from verif.uvm.coverage import table

TOP = "pasa_core"
BENCH = "verif.uvm.core_tests"
EFFORT = float(os.environ.get("PASA_UVM_EFFORT") or 1)
REPORT = ROOT / "build" / "uvm"

BUILDS = {
    "small": {
        "rows": 1,
        "pred_keys": 4,
        "head_dim": 32,
        "tile_keys": 256,
        "merge_rows": 8,
        "output_rows": 32,
    },
    "medium": {"rows": 2, "pred_keys": 16, "head_dim": 64, "tile_keys": 512, "merge_rows": 16},
    "lanes": {
        "rows": 8,
        "pred_keys": 4,
        "head_dim": 16,
        "tile_keys": 256,
        "merge_rows": 8,
        "output_rows": 32,
    },
    "dims": {
        "rows": 1,
        "pred_keys": 4,
        "head_dim": 128,
        "tile_keys": 256,
        "merge_rows": 1,
        "output_rows": 4,
    },
    "words": {"rows": 1, "pred_keys": 64, "head_dim": 16, "tile_keys": 256},
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


# A clock takes Icarus ten times as long, so it leaves out what needs many.
ICARUS = (
    "RandomTraffic|Groups|HalfCodes|ErrorsThenGood|BackToBack|Empties|SoftReset|Silence|coverage"
)
RUNS = {
    "small-verilator": Run("small", "verilator", 1),
    "small-icarus": Run("small", "icarus", 0.1, ICARUS),
    "medium-verilator": Run("medium", "verilator", 0.25),
    "default-verilator": Run("default", "verilator", 0.5, "RealHeads|BackToBack|coverage"),
    "dims-verilator": Run("dims", "verilator", 0.3, "RandomTraffic|Groups|TiesAndExtremes"),
}
LONG_RUNS = {  # of `make uvm` and `make regress`; the large build alone compiles for minutes
    "medium-icarus": Run("medium", "icarus", 0.05, "RandomTraffic"),
    "lanes-verilator": Run("lanes", "verilator", 0.3, "RandomTraffic|Groups|BackToBack"),
    "words-verilator": Run("words", "verilator", 0.3, "RandomTraffic|BackToBack|TiesAndExtremes"),
    "large-verilator": Run("large", "verilator", 0.2, "Smoke|RealHeads"),
}
if os.environ.get("MUTANTS") == "all":
    RUNS |= LONG_RUNS


def parameters(build: str) -> dict[str, int]:
    """Verilog parameters of a build; all are named, so that `make sim` shares the default one."""
    return {name.upper(): value for name, value in vars(Build(**BUILDS[build])).items()}


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
        env=environment(name, run.build, run.effort),
        tests=run.tests,
        optimise=run.sim == "verilator",
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


MUTANTS = {
    "stale_queries": (
        "pasa_control.v",
        "query_rollback <= decided & (causes != 0);",
        "query_rollback <= 1'b0;",
    ),
    "forgetful_counters": (
        "pasa_counters.v",
        "clear_valid & (clear_slot == HERE)",
        "clear_valid",
    ),
    "noise": ("pasa_row_loader.v", "{8{!ends_row | last_bytes[b]}}", "{8{1'b1}}"),
    "nibble_not_rounded": ("pasa_key_store.v", "{{(PRED_BITS-1){1'b0}}, half}", "1'b0"),
    "block_sum_not_cleared": (
        "pasa_value_store.v",
        "{VALUE_BITS{!first}}",
        "{VALUE_BITS{1'b1}}",
    ),
    "window_edge": ("pasa_visibility.v", "PLACE_OF >= from_place", "PLACE_OF > from_place"),
    "ties_of_each_word": ("pasa_ties.v", "first ? ties : left", "ties"),
    "tail_of_partial_block": (
        "pasa_select_row.v",
        "word_shown & (whole | word_opens)",
        "whole | word_opens",
    ),
    "ring_overrun": ("pasa_row_ring.v", "taken != RING_BLOCKS[RING_BITS:0]", "1'b1"),
    "lowest_score": ("pasa_lane.v", "score > best", "score < best"),
    "virtual_key_counts_once": (
        "pasa_weigh.v",
        "is_block ? share << BLOCK_LOG2 : share",
        "share",
    ),
    "exact_reference": ("pasa_row_reference.v", "below_6 ? predicted_6", "below_6 ? exact_6"),
    "tile_of_the_slot": (
        "pasa_lane.v",
        "item_place = slot_place[2*item_slot +: 2]",
        "item_place = slot_place[1:0]",
    ),
    "merge_too_early": ("pasa_dispatch.v", "(!row_merges | merge_free)", "1'b1"),
    "rows_of_another": ("pasa_control.v", "(queries != rows_count) | ", ""),
    "lambda_of_the_tile": (
        "pasa_measure.v",
        "& {R{merge_previous}}",
        "& {R{1'b0}}",
    ),
    "half_up": ("pasa_requantise.v", "(sticky_5 | kept_5[1])", "1'b1"),
    "int16_halves": (
        "pasa_output_buffer.v",
        "!int16_1 ? bytes_1 : half_1",
        "!int16_1 ? bytes_1 : !half_1",
    ),
}


CATCHES = {  # the test that must, where random traffic need not
    "half_up": "HalfCodes",
    "stale_queries": "ErrorsThenGood",
    "tile_of_the_slot": "Groups",
    "merge_too_early": "Groups",
    "rows_of_another": "Groups",
    "lambda_of_the_tile": "Groups",
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    check_mutant_caught(
        TOP,
        test_module=BENCH,
        parameters=parameters("small"),
        sim=os.environ.get("SIM") or "icarus",  # which builds a mutant in seconds
        build_name=f"uvm-mutant-{name}",
        env=environment("mutant", "small", 0.5),
        tests=CATCHES.get(name, "RandomTraffic"),
        mutant=MUTANTS[name],
    )
