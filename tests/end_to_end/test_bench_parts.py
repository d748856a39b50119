# SPDX-License-Identifier: Apache-2.0
"""What `make bench` is made of: heads, plan, stalls, figures with goals, report, verdict."""

import dataclasses
import itertools
import json
import random

import numpy as np
import pytest
import typer
from pasa.formats import Build

from verif.bench import figures, report, trials
from verif.bench.bench import figures_of, hold, packet_of
from verif.bench.figures import Figure, all_figures, figure
from verif.bench.heads import SPEECH, uneven_head, write_heads
from verif.bench.plan import (
    BUILDS,
    DENSE,
    LONG,
    ONE_LOAD,
    OWN_LOADS,
    Heads,
    Run,
    builds_runs,
    cut,
    default_runs,
    lam,
    read_plan,
    split,
    write_plan,
)
from verif.bench.run import choose
from verif.bench.runs import Outcome, collect
from verif.common.streams import GAPS
from verif.sim.packets import to_beats
from verif.sim.plan import prepare, prepare_commands
from verif.sim.score import Seen, compare, formula

BUILD = Build()


@pytest.fixture(scope="module")
def heads(tmp_path_factory) -> Heads:
    return Heads(write_heads(tmp_path_factory.mktemp("heads")), BUILD)


@pytest.fixture(scope="module")
def runs(heads) -> list[Run]:
    return default_runs(heads)


def seen_of(work, *, start: int, rate: int) -> Seen:
    """A perfect run whose command starts at clock `start`: a row every `rate` clocks."""
    result = work.expected
    rows = len(result.visible)
    beats = [data for data, _ in to_beats(result.output.astype(np.int8))]
    a_row = -(-work.command.dims // 16)
    status = dict.fromkeys(("tag", "causes", "stall_in", "stall_out"), 0) | {
        "rows": rows,
        "empty_rows": int(result.empty.sum()),
        "saturations": result.saturations,
        "keys_visible": int(result.visible.sum()),
        "keys_kept": int(result.kept.sum()),
        "blocks_compensated": int(result.blocks.sum()),
        "dropped_mass": int(result.dropped_mass.sum()) & 0xFFFFFFFF,
        "cycles": rate * rows,
    }
    at = [start + rate * (place // a_row + 1) for place in range(len(beats))]
    lasts = [len(beats) - 1] if beats else []
    return Seen(beats, lasts, at, status, start + rate * rows + 5)


def record(run: str, *, clocks: int = 1000, stall: float = 0.0, **changes) -> dict:
    """An event of one head, all right unless changed."""
    head = {
        "name": "whisper-encoder-l3h0", "kind": "whisper-encoder", "mode": "lambda-0.002",
        "lambda": 0.002, "budget": None, "n_q": 100, "n_k": 100, "d": 64, "rows": 100,
        "visible": 10_000, "kept_fraction": 0.1, "relative_error": 0.05, "elements": 6400,
        "mismatches": 0, "problems": [], "cycles": 100, "formula_cycles": 95,
        "beats": [100, 400, 400, 200], "stream_beats": 400, "out_beats": 200, "commands": 1,
        "last_cycles": 100, "first_row": 50, "first_row_latency": 40, "steady": 0.99,
    }  # fmt: skip
    return {
        "run": run,
        "stall": stall,
        "clocks": clocks,
        "seconds": 2.0,
        "heads": [{**head, **changes}],
    }


def found(records: dict, text: str, *, others=None) -> list[Figure]:
    return [f for f in all_figures(records, BUILD, others or {}) if text in f.name]


# Heads and plan


@pytest.mark.parametrize("every", [2, 4])
def test_uneven_head_keeps_all_keys_of_some_rows_and_one_of_the_others(heads, every):
    job = heads.by_name[f"uneven-1-in-{every}"]
    result = prepare(cut(job, queries=16, keys=1024, mode=lam(0.5 / 1024)), BUILD).expected
    expected = np.ones(16, dtype=int)
    expected[::every] = 1024
    np.testing.assert_array_equal(result.kept, expected)
    assert not result.blocks.any()


def test_uneven_head_is_the_same_each_time():
    first, second = (uneven_head(n_q=4, n_k=64, d=16, every=2) for _ in range(2))
    np.testing.assert_array_equal(first.k, second.k)


def test_all_is_kept_where_sparse_is_compared_with_dense(runs):
    for run in runs:
        if run.section == "keep-all":
            assert prepare(run.jobs[0], BUILD).expected.kept_fraction == 1


def test_labels_are_unique(runs):
    assert len({run.label for run in runs}) == len(runs)


def test_only_heads_said_to_be_long_need_more_than_a_tile(runs):
    long = {job.keys for run in runs for job in run.jobs if job.keys > BUILD.tile_keys}
    assert long == set(LONG)
    for run in runs:
        for job in run.jobs:
            assert job.rows.count <= BUILD.tile_keys, run.label


def test_every_run_is_short_enough_to_simulate(runs):
    assert max(run.clocks(BUILD) for run in runs) < 200_000
    assert sum(run.clocks(BUILD) for run in runs) < 4_200_000  # 8 minutes in 2 processes


def test_only_the_first_of_a_group_brings_keys(runs):
    by_label = {run.label: run for run in runs}
    name = "grouped/16 queries, 1500 keys"
    once, each = by_label[f"{name}, {ONE_LOAD}"], by_label[f"{name}, {OWN_LOADS}"]
    assert [job.reuse_keys for job in once.jobs[:5]] == [False, True, True, True, False]
    assert tuple(dataclasses.replace(job, reuse_keys=False) for job in once.jobs) == each.jobs
    first, second = (prepare(job, BUILD) for job in once.jobs[:2])
    assert set(first.packets) == {"query", "key", "value"}
    assert set(second.packets) == {"query"}
    assert second.command.reuse_keys == 1
    assert not np.array_equal(first.case.q, second.case.q)


def test_repeated_head_keeps_its_share_of_the_keys(heads):
    job = heads.by_name[SPEECH]
    assert job.shape == (512, 8192, 64)
    for keys in (1024, 2048):
        result = prepare(cut(job, queries=16, keys=keys, mode=lam(3 / keys)), BUILD).expected
        assert 0.02 < result.kept_fraction < 0.08


# Heads of several commands


@pytest.fixture(scope="module")
def long_job(heads):
    return cut(heads.by_name["gaussian-4096"], queries=300, keys=4096, mode=lam(0.001))


@pytest.fixture(scope="module")
def chain(long_job):
    return prepare_commands(long_job, BUILD)


def test_long_head_is_a_chain_for_each_group_of_queries(chain):
    merges = [(w.command.merge_previous, w.command.merge_next) for w in chain]
    assert merges == [(0, 1), (1, 0)] * 2
    assert [w.command.query_count for w in chain] == [256, 256, 44, 44]
    assert [(w.job.rows.start, w.job.rows.stop) for w in chain[1::2]] == [(0, 256), (256, 300)]
    assert [len(w.expected.output) for w in chain] == [0, 256, 0, 44]


def test_command_whose_rows_go_on_has_no_output(chain):
    first, second = chain[:2]
    seen = seen_of(first, start=100, rate=50)
    assert compare(first, seen).mismatches == 0
    assert seen.status["rows"] == 256
    beats = [(7, 0), (8, 1), (9, 1)]
    assert packet_of(beats, first) == []
    assert packet_of(beats, second) == beats[:2]
    unasked = dataclasses.replace(seen, beats=[0] * 4, lasts=[3])
    assert compare(first, unasked).mismatches == 64


def test_figures_of_a_long_head_are_those_of_its_commands(chain):
    seen = [seen_of(work, start=0, rate=60) for work in chain]
    head = figures_of(chain, seen, BUILD)
    assert (head["mismatches"], head["elements"], head["rows"]) == (0, 300 * 64, 300)
    assert head["commands"] == 4
    assert head["beats"] == [2 * 300 * 4, 2 * 4096 * 4, 2 * 4096 * 4, 300 * 4]
    assert head["cycles"] == 2 * 300 * 60
    assert head["last_cycles"] == 44 * 60
    assert head["visible"] == 300 * 4096
    formulas = [formula(work, BUILD)["formula_cycles"] for work in chain]
    assert head["formula_cycles"] == sum(formulas)
    assert head["relative_error"] > 0
    assert (head["first_row"], head["steady"]) == (None, None)


def test_wrong_command_of_a_long_head_is_named(chain):
    seen = [seen_of(work, start=0, rate=60) for work in chain]
    seen[2] = dataclasses.replace(seen[2], status=seen[2].status | {"keys_kept": 1})
    head = figures_of(chain, seen, BUILD)
    assert head["mismatches"] == 1
    assert head["problems"][0].startswith("command 3 of 4: status keys_kept = 1")
    assert head["relative_error"] is None


def test_plan_survives_the_way_to_the_simulator(runs, tmp_path):
    write_plan(tmp_path / "plan.json", runs, BUILD)
    assert read_plan(tmp_path / "plan.json") == (BUILD, list(runs))


def test_split_loses_nothing_and_balances(runs):
    parts = split(runs, BUILD, shards=2)
    assert sorted(r.label for part in parts for r in part) == sorted(r.label for r in runs)
    first, second = (sum(run.clocks(BUILD) for run in part) for part in parts)
    assert max(first, second) < 1.1 * min(first, second)


def test_only_chooses_runs_of_every_build_and_says_what_there_is(heads, capsys):
    assert list(choose(heads, "n512/*")) == [BUILD]
    assert set(choose(heads, "builds/*")) == {BUILD, *BUILDS}
    with pytest.raises(typer.Exit):
        choose(heads, "nothing")
    assert "SECTION/NAME of traces, n512" in capsys.readouterr().err


# Stalls


def test_no_stall_needs_no_gaps():
    assert hold(0) == "none"


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_stalls_hold_a_stream_in_their_share_of_the_clocks(share):
    random.seed(1)
    pairs = list(itertools.islice(GAPS[hold(share)](), 4000))
    beats, idle = (sum(column) for column in zip(*pairs, strict=True))
    assert min(beats, idle) >= 4000
    assert idle / (beats + idle) == pytest.approx(share, abs=0.02)


# Figures of a head


def test_fill_and_steady_rate_are_those_of_the_pins(heads):
    job = cut(heads.by_name["gaussian-128"], queries=32, keys=128, mode=DENSE)
    work = prepare(job, BUILD)
    head = figures_of([work], [seen_of(work, start=700, rate=40)], BUILD)
    assert head["mismatches"] == 0
    assert head["formula_cycles"] == 128 * 32 // 4 == formula(work, BUILD)["formula_cycles"]
    assert head["first_row"] == 40 - 128
    assert head["first_row_latency"] == 40 - (3 * 4 + 2 * 128)
    assert head["steady"] == pytest.approx(28 * 128 / 4 / (28 * 40))
    assert head["stream_beats"] == 128 * 4
    assert head["out_beats"] == 32 * 4


def test_head_that_went_wrong_has_no_rate(heads):
    work = prepare(cut(heads.by_name["gaussian-128"], queries=32, keys=128, mode=DENSE), BUILD)
    seen = seen_of(work, start=0, rate=40)
    head = figures_of([work], [dataclasses.replace(seen, beats=seen.beats[:-1])], BUILD)
    assert head["mismatches"]
    assert (head["first_row"], head["steady"]) == (None, None)


# Figures and goals


@pytest.mark.parametrize(
    ("value", "limit", "holds"),
    [(0.9, {"least": 0.9}, True), (0.89, {"least": 0.9}, False), (64, {"most": 64}, True),
     (65, {"most": 64}, False), (5, {}, None)],
)  # fmt: skip
def test_goal_holds_up_to_its_limit(value, limit, holds):
    assert figure("it", value, "", **limit).holds is holds


def test_speed_up_counts_rows_that_did_not_run_dense_with_their_least():
    sparse = record("traces/whisper-encoder-l3h0:lambda-0.002")
    dense = {"mode": "dense", "lambda": None, "rows": 10, "visible": 1000, "cycles": 300}
    other = record("traces/whisper-encoder-l3h0:dense", **dense)
    (speed,) = found({e["run"]: e for e in (sparse, other)}, "speed-up")
    assert speed.value == (300 + 9000 // 4) / 100
    assert (speed.goal, speed.holds) == (">= 14", True)


def test_worst_head_decides_the_row_time():
    records = {
        f"traces/{name}": record(f"traces/{name}", cycles=cycles)
        for name, cycles in (("a:lambda-0.002", 100), ("b:lambda-0.002", 190))
    }
    worst = found(records, "slowest head with its fill")[0]
    assert (worst.value, worst.holds) == (0.5, False)


def test_output_that_is_longer_than_the_formula_is_told():
    label = "traces/a:lambda-0.002"
    (share,) = found({label: record(label, cycles=250)}, "output beats")
    assert (share.value, share.holds) == (0.8, None)


def test_stream_that_is_longer_than_the_formula_is_the_roof():
    head = record("overlap/x")["heads"][0]
    assert figures.roof([head, head]) == 800
    (share,) = found({"overlap/x": record("overlap/x", clocks=500)}, "back to back")
    assert (share.value, share.holds) == (0.8, False)


def test_longest_stream_is_that_of_all_heads_together():
    first, second = ({"formula_cycles": 1, "beats": beats} for beats in ([4, 9], [9, 2]))
    assert figures.roof([first, second]) == 13


def test_cost_of_a_command_is_told_with_and_without_the_last_run():
    event = record("decode/1 query", clocks=1150, beats=[1, 950, 950, 1], last_cycles=120)
    costs = found({"decode/1 query": event}, "cycles a command beyond load")
    assert [(cost.value, cost.holds) for cost in costs] == [(200, False), (80, True)]


def test_group_is_compared_with_a_load_for_each():
    records = {
        f"grouped/x, {loads}": record(f"grouped/x, {loads}", clocks=clocks)
        for loads, clocks in ((ONE_LOAD, 500), (OWN_LOADS, 1500))
    }
    (ratio,) = found(records, f"{OWN_LOADS} / {ONE_LOAD}")
    assert (ratio.value, ratio.holds) == (3, None)
    assert len(found(records, "/ time")) == 2


def test_first_row_is_told_beyond_its_formula_and_beyond_its_passes():
    label = "traces/a:lambda-0.002"
    told = found({label: record(label, first_row=300, first_row_latency=90)}, "fill, ")
    assert [(f.value, f.holds) for f in told] == [(300, False), (90, None)]


def test_published_figure_says_that_it_was_not_measured():
    records = {"n512/whisper-encoder-l3h0": record("n512/whisper-encoder-l3h0", cycles=5600)}
    (published,) = [f for f in found(records, "ITA") if f.unit == "cycles"]
    assert "not in this run" in published.name
    assert published.value == 32_769
    (mean,) = found(records, "mean cycles")
    assert (mean.value, mean.goal, mean.holds) == (5600, "<= 6500", True)
    (work,) = found(records, "cycles x exact multipliers")
    assert work.value == pytest.approx(32_769 * 1024 / (5600 * 512), abs=1e-4)


@pytest.mark.parametrize("mismatches", [0, 1])
def test_long_heads_must_be_right_to_the_bit(mismatches):
    label = "growth/gaussian 4096 sparse"
    event = record(label, clocks=800, commands=4, n_k=4096, mismatches=mismatches)
    clocks, *_, share = found({label: event}, "tiles merged")
    assert (clocks.value, clocks.goal, clocks.holds) == (800, "bit for bit", not mismatches)
    assert share.value == 400 / 800


def test_sparse_is_compared_with_dense_of_its_own_name():
    records = {
        f"keep-all/{name}": record(f"keep-all/{name}", cycles=cycles)
        for name, cycles in (("64 x 64: dense", 100), ("64 x 64: lambda-1", 103), ("x: dense", 1))
    }
    (ratio,) = found(records, "all kept")
    assert (ratio.value, ratio.holds) == (1.03, False)


def test_every_build_has_its_figures():
    records = {"builds/a:lambda-0.003": record("builds/a:lambda-0.003")}
    cycles = [f for f in found(records, "build ROWS", others={BUILDS[0]: records}) if f.unit]
    assert [f.name.split(":")[0] for f in cycles] == [
        "build ROWS 2, PRED_KEYS 16",
        "build ROWS 4, PRED_KEYS 32",
    ]


# Verdict and report


def test_process_that_died_and_runs_that_are_missing_are_faults(heads, tmp_path):
    runs = builds_runs(heads)
    plan = tmp_path / "plan-0.json"
    plan.with_suffix(".jsonl").write_text(json.dumps(record(runs[0].label)) + '\n{"run": "half')
    outcome = collect({BUILD: runs}, [(plan, BUILD)])
    assert list(outcome.records[BUILD]) == [runs[0].label]
    assert outcome.faults[0] == "plan-0 died"
    assert f"2 runs did not end, the first is {runs[1].label}" in outcome.faults[1]


def test_wrong_results_are_faults(heads, tmp_path):
    run = builds_runs(heads)[0]
    plan = tmp_path / "plan-0.json"
    event = record(run.label, mismatches=3, problems=["row 3: 4, not 5"])
    plan.with_suffix(".jsonl").write_text(json.dumps(event) + "\n")
    plan.with_suffix(".end").write_text('{"error": null, "failures": 1}')
    outcome = collect({BUILD: [run]}, [(plan, BUILD)])
    assert outcome.faults == [f"{run.label}: row 3: 4, not 5"]


def test_report_holds_figures_pictures_and_what_was_missed(tmp_path, capsys):
    names = (
        "traces/whisper-encoder-l3h0:dense", "traces/whisper-encoder-l3h0:lambda-0.002",
        "n512/whisper-encoder-l3h0", "growth/gaussian 64 sparse", "fraction/λ 0.03", "overlap/x",
    )  # fmt: skip
    records = {name: record(name) for name in names}
    records[names[0]]["heads"][0] |= {"mode": "dense", "lambda": None}
    outcome = Outcome(records={BUILD: records}, seconds=3.0)
    summary = report.summarise(outcome, all_figures(records, BUILD, {}), seed=1)
    report.write(summary, tmp_path)
    saved = json.loads((tmp_path / "report.json").read_text())
    assert {"name", "value", "unit", "goal", "holds"} == set(saved["figures"][0])
    assert saved["missed"] == sum(f["holds"] is False for f in saved["figures"]) > 0
    page = (tmp_path / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "missed" in page and "not in this run" in page
    assert "http://" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "")
    console = report.Console(width=200)
    report.tell(console, summary)
    printed = capsys.readouterr().out
    assert "missed speed-up over dense" in printed
    assert f"{summary['goals']} goals, {summary['missed']} missed" in printed


def test_trials_leave_the_golden_model_as_it_is(monkeypatch):
    built, light = trials.TRIALS[0], trials.TRIALS[-1]
    monkeypatch.setattr(trials, "TRIALS", (built, light, built))
    monkeypatch.setattr(trials, "KINDS", {"minilm": 0.003})
    monkeypatch.setattr(trials, "EVERY", 100)
    errors, clocks = (list(trials.trial_figures())[at::2] for at in (0, 1))
    assert errors[0].value < errors[1].value and clocks[0].value > clocks[1].value
    assert errors[0] == errors[2] and clocks[0] == clocks[2]
