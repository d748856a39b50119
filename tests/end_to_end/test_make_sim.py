# SPDX-License-Identifier: Apache-2.0
"""`make sim` as a user meets it: exit codes, one-line errors, reports, and faults it must see."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from pasa.workloads import Case, save_case
from typer.testing import CliRunner

from verif.common.hdl import ROOT
from verif.sim.plan import LIMITS, split, user_jobs, write_plan
from verif.sim.process import run as run_process
from verif.sim.run import app, parse_build
from verif.sim.runs import Choice, collect, fresh_folder, judge

SMALL = "ROWS=2,PRED_KEYS=4,HEAD_DIM=32,TILE_KEYS=256"
CHOICES = ("SIM", "SEED", "WAVES", "CASE", "ONLY", "QUERIES", "BUILD")


def run(folder, *options: str, **choices: str) -> subprocess.CompletedProcess:
    """Run the command that `make sim` runs; choices as make would export them."""
    env = {name: value for name, value in os.environ.items() if name not in CHOICES}
    command = [sys.executable, "verif/sim/run.py", "--folder", str(folder), *options]
    return subprocess.run(
        command, cwd=ROOT, env={**env, **choices}, text=True, capture_output=True, check=False
    )


def codes(n: int, d: int, *, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(-80, 80, (n, d)).astype(np.int8)


@pytest.fixture
def path(tmp_path):
    """A small head of a user: 7 queries, 150 keys, 20 dimensions."""
    file = tmp_path / "mine.npz"
    save_case(file, Case("mine", codes(7, 20), codes(150, 20), codes(150, 20), 0.03, 0.03, 0.03))
    return file


# What a user's head comes to


def test_own_head_passes_and_leaves_reports(tmp_path, path, sim):
    done = run(tmp_path / "out", SIM=sim, CASE=str(path), BUILD=SMALL, SEED="5")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert (report["seed"], report["simulator"], report["passed"]) == (5, sim, True)
    assert [case["mode"] for case in report["cases"]] == [
        "dense",
        "lambda-0.002",
        "lambda-0.005",
        "budget",
    ]
    for case in report["cases"]:
        assert case["mismatches"] == 0
        assert case["elements"] == 7 * 20
        assert case["cycles"] > 0
        assert case["dense_cycles"] == report["cases"][0]["cycles"]
        for name in ("lambda", "kept_fraction", "max_lsb_error", "n_q", "n_k", "d"):
            assert name in case
        assert case["relative_error"] < 0.3
        assert case["mean_row_sum"] == pytest.approx(1, abs=2**-10)
    page = (tmp_path / "out" / "report.html").read_text()
    assert page.count("<svg") >= 4
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_float_arrays_are_quantised(tmp_path):
    file = tmp_path / "floats.npz"
    rng = np.random.default_rng(2)
    np.savez(file, **{name: rng.normal(size=(33, 17)).astype(np.float32) for name in "qkv"})
    done = run(tmp_path / "out", SIM="icarus", CASE=str(file), BUILD=SMALL, ONLY="floats:lambda-*")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 cases" in done.stdout


def test_waves_of_one_case_are_kept(tmp_path, path):
    only = "mine:lambda-0.005"
    done = run(tmp_path / "out", SIM="icarus", CASE=str(path), BUILD=SMALL, ONLY=only, WAVES="1")
    assert done.returncode == 0, done.stdout + done.stderr
    waves = next(line for line in done.stdout.splitlines() if line.startswith("waves"))
    assert (ROOT / waves.split()[1]).stat().st_size > 1000


def test_activity_needs_one_case_and_verilator(tmp_path, path):
    many = run(tmp_path / "out", CASE=str(path), BUILD=SMALL, SAIF="1")
    assert many.returncode == 2
    assert "SAIF=1 records one case" in many.stderr
    icarus = run(tmp_path / "out", SIM="icarus", SAIF="1")
    assert icarus.returncode == 2
    assert "SAIF=1 needs SIM=verilator" in icarus.stderr


# What a user gets wrong: exit code 2 and one line that names the array and the limit

WRONG = {
    "missing k": ({"q": codes(4, 8), "v": codes(4, 8)}, "k: array missing"),
    "three axes": ({name: codes(4, 8)[None] for name in "qkv"}, "q: shape"),
    "dtype": ({name: np.zeros((4, 8), np.int32) for name in "qkv"}, "q: dtype int32"),
    "NaN": (
        {"q": codes(4, 8), "k": codes(4, 8), "v": np.full((4, 8), np.nan, np.float32)},
        "v: nan at",
    ),
    "dims differ": ({"q": codes(4, 9), "k": codes(4, 8), "v": codes(4, 8)}, "k: d = 8"),
    "d too large": ({name: codes(4, 65) for name in "qkv"}, "d = 65 given, at most 64"),
    "n too large": (
        {"q": codes(4, 8), "k": codes(2049, 8), "v": codes(2049, 8)},
        "k: n = 2049 given, at most 2048",
    ),
    "scale": ({**{n: codes(4, 8) for n in "qkv"}, "scale_q": -1.0}, "scale_q: -1.0 given"),
}


def refused(**choices: str) -> str:
    """The one line that is said when these choices are refused."""
    env = {**dict.fromkeys(CHOICES), **choices}
    done = CliRunner().invoke(app, [], env=env)
    assert done.exit_code == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize("name", WRONG)
def test_wrong_array_is_one_clear_line(tmp_path, name):
    arrays, says = WRONG[name]
    file = tmp_path / "wrong.npz"
    np.savez(file, **arrays)
    line = refused(CASE=str(file))
    assert line.startswith("make sim: ")
    assert "wrong.npz" in line
    assert says in line


def test_refusal_reaches_the_shell(tmp_path):
    done = run(tmp_path / "out", CASE="no/such.npz")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "make sim: no/such.npz: no such file\n"


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        ({"CASE": "Makefile"}, "not a readable .npz"),
        ({"ONLY": "nobody:dense"}, "ONLY=nobody:dense: no such case"),
        ({"WAVES": "1"}, "add ONLY="),
        ({"BUILD": "ROWS=three"}, "BUILD: 'ROWS=three' given"),
        ({"BUILD": "ROWS=3"}, "rows = 3"),
    ],
)
def test_wrong_choice_is_one_clear_line(choices, says):
    assert says in refused(**choices)


# Faults of the hardware that must be seen


def broken(tmp_path, path, mutant) -> list[str]:
    """The faults that are told of a broken copy of the hardware."""
    folder = tmp_path / "broken"
    fresh_folder(folder)
    build, choice = parse_build(SMALL), Choice(sim="icarus", seed=3, case="mine.npz")
    jobs = user_jobs(path, LIMITS["icarus"], build)[:2]
    write_plan(folder / "plan.json", split(jobs, build, shards=1), build)
    run_process(folder / "plan.json", 0, sim="icarus", seed=3, mutant=mutant)
    return judge(jobs, collect(folder, 1), choice)


def test_wrong_output_is_seen_and_replayable(tmp_path, path):
    mutant = ("pasa_score.v", "= g_level[LEVELS].sums;", "= g_level[LEVELS].sums ^ 4096;")
    faults = broken(tmp_path, path, mutant)
    assert any("replay: make sim ONLY=mine:dense SEED=3 WAVES=1 SIM=icarus" in f for f in faults)


def test_wrong_counter_is_seen(tmp_path, path):
    mutant = ("pasa_counters.v", "keys_kept    <= keys_kept +", "keys_kept    <= keys_kept + 1 +")
    assert any("status keys_kept" in fault for fault in broken(tmp_path, path, mutant))


def test_hanging_core_is_seen(tmp_path, path):
    mutant = ("pasa_counters.v", "m_status_valid <= report_valid", "m_status_valid <= 1'b0")
    faults = broken(tmp_path, path, mutant)
    assert any("no status record" in fault for fault in faults)
    assert any("ended early: 1 of 2 cases did not run" in fault for fault in faults)


def test_simulator_that_ends_early_is_seen(tmp_path, path):
    mutant = ("pasa_counters.v", "integer i;", "integer i; initial #4000 $finish;")
    faults = broken(tmp_path, path, mutant)
    assert any("ended early: 2 of 2 cases did not run" in fault for fault in faults)
    assert "nothing was compared" in faults
