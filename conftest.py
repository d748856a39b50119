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


@pytest.fixture(params=[CHOSEN] if CHOSEN else SIMULATORS)
def sim(request: pytest.FixtureRequest) -> str:
    """Each simulator in turn, or the one that SIM names. A missing one is a failure."""
    if request.param == "icarus" and not shutil.which("iverilog"):
        pytest.fail("iverilog is not installed: make system", pytrace=False)
    return request.param
