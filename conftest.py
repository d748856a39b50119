# SPDX-License-Identifier: Apache-2.0
"""Fixtures and settings of all tests."""

import os
import shutil

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
EVERY_MUTANT = os.environ.get("MUTANTS") == "all"
MUTANTS_A_BENCH = 2  # of `make test`; `make regress`, and `make unit M=...`, run them all


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the first mutants of each bench; starting a simulator for each costs minutes."""
    if EVERY_MUTANT:
        return
    seen: dict[object, int] = {}
    kept, left_out = [], []
    for item in items:
        if getattr(item, "originalname", None) == "test_mutant_is_caught":
            seen[item.path] = seen.get(item.path, 0) + 1
            (kept if seen[item.path] <= MUTANTS_A_BENCH else left_out).append(item)
        else:
            kept.append(item)
    items[:] = kept
    config.hook.pytest_deselected(items=left_out)


@pytest.fixture(params=[CHOSEN] if CHOSEN else SIMULATORS)
def sim(request: pytest.FixtureRequest) -> str:
    """Each simulator in turn, or the one that SIM names. A missing one is a failure."""
    if request.param == "icarus" and not shutil.which("iverilog"):
        pytest.fail("iverilog is not installed: make system", pytrace=False)
    return request.param
