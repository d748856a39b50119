# SPDX-License-Identifier: Apache-2.0
"""Builds pasa_axi and runs the pyuvm tests of shell_tests.py on it.

make unit M=pasa_axi
"""

import json

from verif.common.runner import simulate

TOP = "pasa_axi"
BENCH = "verif.shell.shell_tests"
BUILD = {"rows": 1, "pred_keys": 4, "head_dim": 32, "tile_keys": 256, "merge_rows": 16}


def parameters(width: int) -> dict[str, int]:
    """Verilog parameters of the build with streams of that width."""
    return {name.upper(): value for name, value in BUILD.items()} | {"STREAM_BITS": width}


def environment(width: int, actions: int) -> dict[str, str]:
    """What shell_tests.py reads."""
    build = json.dumps(BUILD | {"stream_bits": width})
    return {"PASA_SHELL_BUILD": build, "PASA_SHELL_ACTIONS": str(actions)}


def test_thousand_transactions():
    simulate(
        TOP,
        test_module=BENCH,
        parameters=parameters(64),
        sim="verilator",
        env=environment(64, 1000),
        optimise=True,
    )
