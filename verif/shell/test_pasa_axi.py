# SPDX-License-Identifier: Apache-2.0
"""Builds pasa_axi and runs the pyuvm tests of shell_tests.py on it.

make unit M=pasa_axi
"""

import json
import os

import pytest

from verif.common.runner import check_mutant_caught, simulate

TOP = "pasa_axi"
BENCH = "verif.shell.shell_tests"
BUILD = {"rows": 1, "pred_keys": 4, "head_dim": 32, "tile_keys": 256}
BUILD |= {"merge_rows": 16, "output_rows": 16}


def parameters(width: int) -> dict[str, int]:
    """Verilog parameters of the build with streams of that width."""
    return {name.upper(): value for name, value in BUILD.items()} | {"STREAM_BITS": width}


def environment(width: int, actions: int) -> dict[str, str]:
    """What shell_tests.py reads."""
    build = json.dumps(BUILD | {"stream_bits": width})
    return {"PASA_SHELL_BUILD": build, "PASA_SHELL_ACTIONS": str(actions)}


def bench(run, *, width: int, actions: int, **options) -> None:
    """Run some actions on the build with streams of that width."""
    options = {"test_module": BENCH} | options
    run(TOP, parameters=parameters(width), env=environment(width, actions), **options)


def test_thousand_transactions():
    """All tests, and coverage is closed."""
    bench(simulate, width=64, actions=1000, sim=os.environ.get("SIM") or "verilator", optimise=True)


def test_another_master():
    """The models of cocotbext-axi, on the build of the transactions."""
    bench(
        simulate,
        width=64,
        actions=0,
        sim=os.environ.get("SIM") or "verilator",
        optimise=True,
        test_module="verif.shell.other_master_tests",
    )


@pytest.mark.parametrize("width", [32, 128], ids="width{}".format)
def test_other_widths(width):
    """Icarus, which builds the whole core in seconds, takes what is left."""
    bench(simulate, width=width, actions=0, sim="icarus", tests="EveryKind")


def forgets_soft_reset(instance: str) -> tuple[str, str]:
    """The instance sees the reset of the whole only."""
    text = instance + " (\n        .clk(aclk), .rst({})"
    return text.format("core_rst"), text.format("!aresetn")


MUTANTS = {
    "broken": (".s_key_broken(key_broken)", ".s_key_broken(1'b0)"),
    "arrives twice": ("status_valid & status_ready)", "status_valid)"),
    "stale status": forgets_soft_reset("statuses"),
    "stale value": forgets_soft_reset("value_in"),
    "stale output": forgets_soft_reset("output_out"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    tests = "ResetWhileFull" if name.startswith("stale") else "EveryKind"
    bench(check_mutant_caught, width=64, actions=0, sim="icarus", tests=tests, mutant=mutant)
