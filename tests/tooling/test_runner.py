# SPDX-License-Identifier: Apache-2.0
"""The runner reports as a failure whatever is not a complete, passing run."""

from pathlib import Path

import pytest

from verif.common.runner import SimulationError, check_mutant_caught, read_results, simulate

HERE = Path(__file__).parent
BENCHES = "tests.tooling.benches"
SKID = {"top": "pasa_skid", "parameters": {"WIDTH": 8}}


def test_passing_bench_counts_its_tests(sim):
    result = simulate(**SKID, test_module=f"{BENCHES}.passes", sim=sim, seed=7)
    assert (result.tests, result.failures, result.seed) == (2, 0, 7)


def test_failing_bench_raises_with_replay_line(sim):
    with pytest.raises(SimulationError, match="1 of 2 tests failed: is_wrong") as error:
        simulate(**SKID, test_module=f"{BENCHES}.fails", sim=sim, seed=7)
    assert "seven is not eight" in str(error.value)
    assert f"SIM={sim} SEED=7 WAVES=1" in str(error.value)
    assert "test_failing_bench_raises_with_replay_line" in str(error.value)


def test_bench_without_tests_is_a_failure(sim):
    with pytest.raises(SimulationError, match="0 of 0 tests ran"):
        simulate(**SKID, test_module=f"{BENCHES}.no_tests", sim=sim)


def test_missing_test_is_a_failure(sim):
    with pytest.raises(SimulationError, match="2 of 3 tests ran"):
        simulate(**SKID, test_module=f"{BENCHES}.passes", sim=sim, expected=3)


def test_simulator_that_dies_is_a_failure(sim):
    with pytest.raises(SimulationError, match="0 of 1 tests ran"):
        simulate(**SKID, test_module=f"{BENCHES}.dies", sim=sim)


def test_design_that_finishes_early_is_a_failure(sim):
    source = HERE / "benches" / "early_finish.v"
    with pytest.raises(SimulationError):
        simulate("early_finish", test_module=f"{BENCHES}.passes", sources=[source], sim=sim)


def test_illegal_parameter_stops_the_build(sim):
    with pytest.raises(SimulationError, match="ERROR_WIDTH_must_be_at_least_1"):
        simulate("pasa_skid", test_module=f"{BENCHES}.passes", parameters={"WIDTH": 0}, sim=sim)


def test_surviving_mutant_is_a_failure(sim):
    mutant = ("pasa_skid.v", "spare_full ? spare_data : s_data", "s_data")
    with pytest.raises(AssertionError, match="mutant survived"):
        check_mutant_caught(**SKID, mutant=mutant, test_module=f"{BENCHES}.passes", sim=sim)


def test_outdated_mutant_is_a_failure(sim):
    mutant = ("pasa_skid.v", "no such text", "")
    with pytest.raises(AssertionError, match="no longer contains"):
        check_mutant_caught(**SKID, mutant=mutant, test_module=f"{BENCHES}.passes", sim=sim)


def test_waves_are_written(sim):
    result = simulate(**SKID, test_module=f"{BENCHES}.passes", sim=sim, waves=True)
    assert result.waves is not None and result.waves.stat().st_size > 0


def test_activity_is_counted():
    options = dict(test_module=f"{BENCHES}.passes", sim="verilator", optimise=True)
    result = simulate(**SKID, **options, activity=True)
    assert result.waves is not None
    text = result.waves.read_text()
    # What fpga/flow/implement.tcl looks for, and the last two instances end the file.
    assert "\n (INSTANCE $rootio\n" in text and "\n (INSTANCE pasa_skid\n" in text
    assert text.endswith("\n )\n)\n")
    with pytest.raises(ValueError, match="only verilator counts activity"):
        simulate(**SKID, test_module=f"{BENCHES}.passes", sim="icarus", activity=True)


def test_optimised_build_shows_the_pins():
    simulate(**SKID, test_module="verif.stream.test_pasa_skid", sim="verilator", optimise=True)


def test_monitor_objects_to_broken_rules(sim):
    source = HERE / "benches" / "wire_stream.v"
    # Verilator has no X, so the two benches about unknown values are left to Icarus.
    tests = "payload_changes|valid_falls|lawful" if sim == "verilator" else None
    simulate(
        "wire_stream", test_module=f"{BENCHES}.streams", sources=[source], sim=sim, tests=tests
    )


def test_unknown_simulator_is_named():
    with pytest.raises(ValueError, match="questa"):
        simulate(**SKID, test_module=f"{BENCHES}.passes", sim="questa")


def test_missing_results_count_as_nothing(tmp_path):
    assert read_results(tmp_path / "none.xml") == (0, ())
    (tmp_path / "cut.xml").write_text("<testsuites><testsuite>")
    assert read_results(tmp_path / "cut.xml") == (0, ())
