# SPDX-License-Identifier: Apache-2.0
"""The plan names what exists, and all that exists."""

import inspect

import pytest

from verif.uvm import core_tests, coverage, plan, test_uvm_core

POINTS = plan.points()
BINS = set(coverage.bins())
TESTS = {
    name
    for name, item in vars(core_tests).items()
    if inspect.isclass(item)
    and issubclass(item, core_tests.CoreTest)
    and item is not core_tests.CoreTest
}


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_names_exist(point):
    assert set(point.tests) <= TESTS
    assert set(point.runs) <= set(test_uvm_core.RUNS)
    for pattern in point.cover:
        assert coverage.matching([pattern], BINS), f"no bin is called {pattern}"
    assert point.stage in ("V1", "V2", "V3")


def test_every_test_has_a_row():
    assert {name for point in POINTS for name in point.tests} == TESTS


def test_every_bin_is_closed_in_some_run():
    closed = {run: plan.bins_closed_in(run, BINS) for run in test_uvm_core.RUNS}
    assert set().union(*closed.values()) == BINS


def test_names_are_unique():
    names = [point.name for point in POINTS]
    assert len(names) == len(set(names))
