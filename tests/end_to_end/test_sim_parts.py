# SPDX-License-Identifier: Apache-2.0
"""What `make sim` is made of: packets, slices of heads, scoreboard, verdict."""

import dataclasses

import numpy as np
import pytest
from pasa.errors import DataError
from pasa.formats import Build
from pasa.workloads import Case, save_case

from verif.sim.packets import from_beats, row_beats, to_beats
from verif.sim.plan import (
    LIMITS,
    Rows,
    narrow,
    prepare,
    read_plan,
    select,
    shipped_jobs,
    split,
    user_jobs,
    write_plan,
)
from verif.sim.report import goals, summarise
from verif.sim.runs import Choice, Outcome, judge
from verif.sim.score import Comparison, Seen, compare, formula, measure

BUILD = Build()


def head(rng: np.random.Generator, *, n_q: int, n_k: int, d: int, causal: bool = False) -> Case:
    codes = [rng.integers(-60, 60, (n, d)).astype(np.int8) for n in (n_q, n_k, n_k)]
    return Case("mine", *codes, 0.05, 0.05, 0.05, causal=causal)


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "mine.npz"
    save_case(file, head(np.random.default_rng(3), n_q=9, n_k=150, d=20))
    return file


@pytest.fixture
def work(path):
    job = user_jobs(path, LIMITS["verilator"], BUILD)[1]
    return prepare(job, BUILD)


def perfect(work) -> Seen:
    """What the pins would show if the hardware did everything right."""
    result, command = work.expected, work.command
    beats = [data for data, _ in to_beats(result.output.astype(np.int8))]
    status = dict.fromkeys(("tag", "causes", "stall_in", "stall_out"), 0)
    status |= {
        "rows": len(result.output),
        "empty_rows": int(result.empty.sum()),
        "saturations": result.saturations,
        "keys_visible": int(result.visible.sum()),
        "keys_kept": int(result.kept.sum()),
        "blocks_compensated": int(result.blocks.sum()),
        "dropped_mass": int(result.dropped_mass.sum()),
        "cycles": 100,
    }
    assert len(beats) == len(result.output) * row_beats(command.dims, 8)
    return Seen(beats, [len(beats) - 1], list(range(len(beats))), status, 120)


@pytest.mark.parametrize("shape", [(1, 1), (3, 16), (5, 17), (2, 64)])
def test_packets_carry_codes_there_and_back(shape):
    codes = np.random.default_rng(1).integers(-128, 128, shape).astype(np.int8)
    beats = to_beats(codes)
    assert [last for _, last in beats] == [0] * (len(beats) - 1) + [1]
    back, padding = from_beats([data for data, _ in beats], dims=shape[1], bits=8)
    assert padding == 0
    np.testing.assert_array_equal(back, codes)


def test_first_dimension_is_in_the_lowest_byte():
    codes = np.arange(32, dtype=np.int8).reshape(1, 32)
    assert [data & 0xFF for data, _ in to_beats(codes)] == [0, 16]


def test_int16_output_has_eight_codes_a_beat():
    codes = np.array([[-300, 299, *range(14)]], dtype="<i2")
    raw = codes.tobytes()
    beats = [int.from_bytes(raw[at : at + 16], "little") for at in (0, 16)]
    back, padding = from_beats(beats, dims=3, bits=16)
    np.testing.assert_array_equal(back, codes[:, :3])
    assert padding == 13


def test_perfect_run_has_no_mismatch(work):
    assert compare(work, perfect(work)) == Comparison(9 * 20, 0, [], None)


def test_each_wrong_bit_of_the_output_is_a_mismatch(work):
    seen = perfect(work)
    for beat, bit in ((0, 0), (1, 31), (17, 7)):  # dims 20: four codes in each second beat
        beats = list(seen.beats)
        beats[beat] ^= 1 << bit
        found = compare(work, dataclasses.replace(seen, beats=beats))
        assert (found.elements, found.mismatches, found.first_wrong) == (180, 1, beat // 2)
        assert f"row {beat // 2} " in found.problems[0]


def test_padding_that_is_not_zero_is_a_mismatch(work):
    seen = perfect(work)
    beats = [*seen.beats[:-1], seen.beats[-1] | 1 << 40]
    assert compare(work, dataclasses.replace(seen, beats=beats)).mismatches == 1


@pytest.mark.parametrize("cut", [1, 2, 7])
def test_missing_rows_are_mismatches(work, cut):
    seen = perfect(work)
    beats = seen.beats[:-cut]
    short = dataclasses.replace(seen, beats=beats, lasts=[len(beats) - 1])
    found = compare(work, short)
    assert found.first_wrong == len(beats) // 2
    assert found.elements == len(beats) // 2 * 20
    assert found.mismatches == 180 - found.elements


def test_rows_too_many_are_mismatches(work):
    seen = perfect(work)
    beats = [*seen.beats, 0, 0]
    long = dataclasses.replace(seen, beats=beats, lasts=[len(beats) - 1])
    assert compare(work, long).mismatches == 20


def test_no_output_and_no_status_is_all_wrong(work):
    found = compare(work, Seen([], [], [], {}, 0))
    assert found.elements == 0
    assert found.mismatches > 180
    assert "no status record" in found.problems


@pytest.mark.parametrize("name", ["rows", "keys_kept", "blocks_compensated", "dropped_mass"])
def test_wrong_counter_is_a_mismatch(work, name):
    seen = perfect(work)
    seen.status[name] += 1
    found = compare(work, seen)
    assert found.mismatches == 1
    assert f"status {name}" in found.problems[0]


@pytest.mark.parametrize("cycles", [0, 121])
def test_cycle_counter_must_fit_the_time_the_run_took(work, cycles):
    seen = perfect(work)
    seen.status["cycles"] = cycles
    assert compare(work, seen).mismatches == 1


def test_last_in_the_middle_is_a_mismatch(work):
    seen = dataclasses.replace(perfect(work), lasts=[3, 17])
    assert compare(work, seen).mismatches == 1


def test_formula_of_dense_mode_is_its_keys(path):
    dense = prepare(user_jobs(path, LIMITS["verilator"], BUILD)[0], BUILD)
    assert formula(dense, BUILD)["formula_cycles"] == -(-9 * 150 // BUILD.rows)


def test_measured_accuracy_is_that_of_the_output(work):
    figures = measure(work, perfect(work), BUILD)
    assert 0 < figures["relative_error"] < 1
    assert figures["mean_row_sum"] == pytest.approx(1, abs=2**-10)
    wrong = measure(work, Seen([], [], [], {}, 0), BUILD)
    assert wrong["relative_error"] is None


# Slices of heads


def test_shipped_heads_run_in_four_modes_in_the_fitted_basis():
    jobs = shipped_jobs(LIMITS["verilator"], BUILD)
    heads = {job.name for job in jobs}
    assert len(heads) >= 8
    assert len(jobs) == 4 * len(heads)
    assert {job.basis for job in jobs} == {"fitted"}
    assert {job.pred_dims for job in jobs} == {16}
    assert all(job.mode.name in ("dense", "budget") or job.mode.min_probability for job in jobs)


def test_icarus_runs_one_head_of_each_kind():
    jobs = shipped_jobs(LIMITS["icarus"], BUILD)
    assert len({job.kind for job in jobs}) == len({job.name for job in jobs}) >= 3
    assert max(job.keys for job in jobs) < 100


def test_slice_is_spread_over_the_head_or_at_its_end_when_causal(tmp_path):
    rng = np.random.default_rng(5)
    for causal, text in ((False, "every 3rd"), (True, "60 to 99")):
        file = tmp_path / f"{causal}.npz"
        save_case(file, head(rng, n_q=100, n_k=100, d=16, causal=causal))
        limits = dataclasses.replace(LIMITS["verilator"], dense_scores=4000)
        job = user_jobs(file, limits, BUILD)[0]
        assert job.rows.text(100) == text
        work = prepare(job, BUILD)
        whole = prepare(dataclasses.replace(job, rows=Rows(0, 100, 1)), BUILD)
        here = slice(job.rows.start, job.rows.stop, job.rows.step)
        np.testing.assert_array_equal(work.expected.output, whole.expected.output[here])


def test_budget_keeps_as_many_keys_as_lambda(path):
    jobs = user_jobs(path, LIMITS["verilator"], BUILD)
    like, budget = prepare(jobs[1], BUILD), prepare(jobs[3], BUILD)
    assert budget.command.budget == round(float(like.expected.kept.mean()))
    assert (budget.command.use_tail, like.command.use_tail) == (0, 1)


def test_plain_basis_predicts_with_every_dimension(path):
    assert {job.pred_dims for job in user_jobs(path, LIMITS["verilator"], BUILD)} == {32}


def test_plan_survives_the_way_to_the_simulator(path, tmp_path):
    jobs = user_jobs(path, LIMITS["verilator"], BUILD)
    parts = split(jobs, BUILD, shards=2)
    assert sorted(job.label for part in parts for job in part) == sorted(j.label for j in jobs)
    write_plan(tmp_path / "plan.json", parts, BUILD)
    assert read_plan(tmp_path / "plan.json") == (BUILD, parts)


def test_only_selects_by_glob_and_says_what_there_is(path):
    jobs = user_jobs(path, LIMITS["verilator"], BUILD)
    assert [job.label for job in select(jobs, "mine:lambda-*")] == [j.label for j in jobs[1:3]]
    assert select(jobs, "mine") == jobs
    with pytest.raises(DataError, match="ONLY=yours: no such case.*mine.*dense"):
        select(jobs, "yours")


def test_queries_narrow_a_job_to_a_stretch_of_its_head(path):
    jobs = user_jobs(path, LIMITS["verilator"], BUILD)
    job = dataclasses.replace(jobs[0], rows=Rows(0, 9, 2))
    (narrowed,) = narrow([job], "3:7")
    assert (narrowed.rows, narrowed.rows.text(9)) == (Rows(4, 7, 2), "4 to 6")
    for text, says in (("9:20", "no query of mine"), ("4", "want FIRST:END")):
        with pytest.raises(DataError, match=says):
            narrow([job], text)


def test_replay_of_a_long_case_is_cut_to_the_queries_around_the_fault(path):
    job = user_jobs(path, LIMITS["verilator"], BUILD)[0]
    assert "QUERIES" not in Choice().replay(job, wrong=5)
    long = dataclasses.replace(job, rows=Rows(0, 1500, 10))
    assert "QUERIES=680:1320" in Choice().replay(long, wrong=1000)
    assert "QUERIES=0:330" in Choice().replay(long, wrong=10)


# Verdict


def records(jobs, **changes) -> Outcome:
    figures = {"mismatches": 0, "elements": 5, "problems": [], "first_wrong": None} | changes
    return Outcome(
        records={job.label: {"figures": dict(figures), "clocks": 1, "seconds": 1} for job in jobs},
        ends=[{"error": None, "failures": 0}],
    )


@pytest.fixture
def jobs(path):
    return user_jobs(path, LIMITS["verilator"], BUILD)[:2]


def test_verdict_passes_only_a_whole_equal_run(jobs):
    assert judge(jobs, records(jobs), Choice()) == []


def test_one_mismatch_fails_with_the_command_that_replays_it(jobs):
    outcome = records(jobs)
    outcome.records[jobs[1].label]["figures"] |= {"mismatches": 1, "problems": ["row 3: 4, not 5"]}
    (fault,) = judge(jobs, outcome, Choice(sim="icarus", seed=7, case="mine.npz"))
    assert "row 3: 4, not 5" in fault
    assert f"make sim ONLY={jobs[1].label} SEED=7 WAVES=1 SIM=icarus CASE=mine.npz" in fault


def test_nothing_compared_fails(jobs):
    assert judge([], Outcome(), Choice()) == ["nothing was compared"]
    assert "nothing was compared" in judge(jobs, records(jobs, elements=0), Choice())[0]


def test_early_end_fails(jobs):
    outcome = records(jobs[:1])
    (fault,) = judge(jobs, outcome, Choice())
    assert "ended early: 1 of 2 cases did not run" in fault
    assert jobs[1].label in fault


def test_dead_simulator_fails(jobs):
    outcome = records(jobs)
    outcome.ends = [{"error": "the simulator failed", "failures": 0}]
    assert judge(jobs, outcome, Choice()) == ["the simulator failed"]


def test_goals_say_missed_when_the_error_is_too_large(work):
    figures = measure(work, perfect(work), BUILD)
    figures |= {"kind": "minilm", "basis": "fitted", "lambda": 0.003}
    for error, holds in ((0.11, True), (0.1101, False)):
        figures["relative_error"] = error
        goal = next(goal for goal in goals([figures]) if goal["name"].startswith("minilm"))
        assert goal["holds"] is holds


def test_rows_that_did_not_run_dense_count_with_their_least(path):
    jobs = user_jobs(path, LIMITS["verilator"], BUILD)[:2]
    outcome = Outcome()
    for job in jobs:
        work = prepare(job, BUILD)
        figures = measure(work, perfect(work), BUILD)
        figures["cycles"] = {"dense": 900, "lambda-0.002": 100}[job.mode.name]
        outcome.records[job.label] = {"figures": figures, "clocks": 1, "seconds": 1}
    outcome.records[jobs[0].label]["figures"]["visible"] -= 400
    dense, sparse = summarise(jobs, outcome, Choice(), BUILD, [])["cases"]
    assert (dense["dense_cycles"], dense["speedup"]) == (900, 1.0)
    assert (sparse["dense_cycles"], sparse["speedup"]) == (1000, 10.0)
