# SPDX-License-Identifier: Apache-2.0
"""What the C driver makes of a device that fails: a named error, and the next call works. 3 s."""

import re
import subprocess

import pytest
from pasa import registers
from pasa.driver import IN_FLIGHT
from pasa.formats import CAUSES

from tests.driver.conftest import HERE, HOST, STRICT

OK = "done"
TIMEOUT = "no answer in time"
BUS = "a register access was refused or not answered"
PACKET = "the output packet is shorter or longer than the command says"
RESET = "a reset does not end"


@pytest.fixture(scope="module")
def say(program):
    """Lines that the program prints for a fault."""
    binary = program("failures", HERE / "failures.c")

    def lines(fault: str) -> list[str]:
        done = subprocess.run([binary, fault], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return lines


@pytest.mark.parametrize(
    ("fault", "error"),
    (
        ("nothing", OK),
        ("later minor", OK),
        ("refused submit", BUS),
        ("refused read", BUS),
        ("lost command", TIMEOUT),
        ("error status", "the accelerator refused the command: shape, chain"),
        ("wrong tag", "the status is that of another command"),
        ("short read", PACKET),
        ("long read", PACKET),
        ("no output", TIMEOUT),
        ("stopped engine", "a DMA engine stopped with an error"),
    ),
)
def test_a_fault_is_told_and_the_next_head_works(say, fault, error):
    assert say(fault)[:4] == [OK, error, OK, "0 lost, interrupt 0"]


def test_a_lost_interrupt_costs_only_time(say):
    assert say("lost interrupt")[:4] == [OK, OK, OK, "1 lost, interrupt 0"]


@pytest.mark.parametrize(
    ("fault", "error"),
    (
        ("other device", "no PASA accelerator there"),
        ("later major", "the accelerator is of a version that this driver does not know"),
        ("earlier minor", "the accelerator is of a version that this driver does not know"),
        ("no keys", "the build parameters of the accelerator make no sense"),
        ("endless reset at once", RESET),
    ),
)
def test_only_what_is_known_is_driven(say, fault, error):
    assert say(fault) == [error]


def test_calls_out_of_place(say):
    full = "as many commands as fit are under way"
    limit = "an argument is outside its limit: "
    assert say("misuse")[1:] == [
        limit + "queries, keys, values, output: NULL",
        "no command is under way",
        limit + "queries, keys, values, output: those the command has",
        full,
        full,
        OK,
        *[OK] * IN_FLIGHT,
        "11 words",  # all eight for the first command, the tag for those after
        limit + "budget: it does not fit the command record",
        "0 lost, interrupt 0",
        "shape, mask|no such error",  # cut to 12 bytes
    ]


def test_the_constants_are_those_of_python():
    header, source = ((HOST / name).read_text() for name in ("pasa.h", "pasa.c"))
    known = re.search(r"#define PASA_VERSION_KNOWN (0x\w+)u", header)
    assert int(known[1], 16) == registers.RESET["VERSION"]
    assert int(re.search(r"#define PASA_IN_FLIGHT (\d+)", header)[1]) == IN_FLIGHT
    names = re.search(r"names\[\] = \{([^}]*)\}", source)
    assert tuple(re.findall(r'"(\w+)"', names[1])) == CAUSES


@pytest.mark.parametrize("target", ("linux", "bare metal"))
def test_the_driver_compiles_without_a_warning(tmp_path, target):
    options = [] if target == "linux" else ["-U__linux__"]
    command = ["gcc", *STRICT, "-O2", *options, "-c", HOST / "pasa.c", "-o", tmp_path / "pasa.o"]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""
    symbols = subprocess.run(["nm", "-g", tmp_path / "pasa.o"], capture_output=True, text=True)
    defined = re.findall(r" [TDBR] (\w+)", symbols.stdout)
    assert all(name.startswith("pasa_") for name in defined)
    assert ("pasa_uio_open" in defined) == (target == "linux")
    assert "malloc" not in symbols.stdout


def test_the_header_serves_cplusplus(tmp_path):
    program = tmp_path / "program.cpp"
    program.write_text('#include "pasa.h"\nint main() { return pasa_new_head(1, 1, 1).dims - 1; }')
    strict = ("-std=c++11", "-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{HOST}")
    command = ["g++", *strict, "-fsyntax-only", program]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""
