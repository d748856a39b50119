# SPDX-License-Identifier: Apache-2.0
"""Fixtures of all benches."""

import os
import shutil

import pytest

from verif.common.runner import SIMULATORS

CHOSEN = os.environ.get("SIM") or ""


@pytest.fixture(params=[CHOSEN] if CHOSEN else SIMULATORS)
def sim(request: pytest.FixtureRequest) -> str:
    """Each simulator in turn, or the one that SIM names. A missing one is a failure."""
    if request.param == "icarus" and not shutil.which("iverilog"):
        pytest.fail("iverilog is not installed: make system", pytrace=False)
    return request.param
