# SPDX-License-Identifier: Apache-2.0
"""Fixtures and settings of all tests."""

import os
import shutil
from collections import Counter

import hypothesis
import pytest

from verif.common.runner import SIMULATORS

# Examples are the same in each run of one commit; SEED=n draws new ones. No deadline:
# the time of an example says nothing on a loaded machine.
hypothesis.settings.register_profile(
    "pasa", deadline=None, derandomize=not os.environ.get("SEED"), print_blob=True
)
hypothesis.settings.load_profile("pasa")

CHOSEN = os.environ.get("SIM") or ""
EVERYTHING = os.environ.get("MUTANTS") == "all"  # of `make unit`, `make uvm`, `make regress`
MUTANTS_A_BENCH = 1  # of `make test`: starting a simulator for each costs minutes


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of each bench leave the first mutant, and one shape in Verilator: the others run in Icarus.

    Tests marked as long are left out too. A small design takes Verilator several times as long to
    compile as Icarus to compile and run.
    """
    if EVERYTHING:
        return
    in_icarus = {_shape(item) for item in items if _simulator(item) == "icarus"}
    seen: Counter = Counter()
    kept, left_out = [], []
    for item in items:
        name = getattr(item, "originalname", None)
        most = MUTANTS_A_BENCH if name == "test_mutant_is_caught" else None
        if name == "test_design" and _simulator(item) == "verilator" and _shape(item) in in_icarus:
            most = 1
        seen[item.path, name, most] += 1
        out = most is not None and seen[item.path, name, most] > most
        out |= item.get_closest_marker("long") is not None
        (left_out if out else kept).append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


def _simulator(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("sim") if callspec else None


def _shape(item: pytest.Item) -> tuple:
    """A test and its parameters, but for the simulator."""
    params = sorted((k, repr(v)) for k, v in item.callspec.params.items() if k != "sim")
    return item.path, getattr(item, "originalname", None), tuple(params)


@pytest.fixture(params=[CHOSEN] if CHOSEN else SIMULATORS)
def sim(request: pytest.FixtureRequest) -> str:
    """Each simulator in turn, or the one that SIM names. A missing one is a failure."""
    if request.param == "icarus" and not shutil.which("iverilog"):
        pytest.fail("iverilog is not installed: make system", pytrace=False)
    return request.param
