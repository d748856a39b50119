# SPDX-License-Identifier: Apache-2.0
"""Compiles programs around the C driver."""

import subprocess
from pathlib import Path

import pytest

from verif.common.hdl import ROOT

HOST = ROOT / "fpga" / "host"
HERE = Path(__file__).parent
STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wshadow")
CHECKED = ("-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def compile_program(folder: Path, name: str, *sources: Path) -> Path:
    """A program of C sources and the driver, with every warning and run-time check."""
    program = folder / name
    command = ["gcc", *STRICT, *CHECKED, f"-I{HOST}", *sources, HOST / "pasa.c"]
    done = subprocess.run([*command, "-lm", "-o", program], text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    return program


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Compile sources once for a module of tests."""
    folder = tmp_path_factory.mktemp("driver")
    return lambda name, *sources: compile_program(folder, name, *sources)
