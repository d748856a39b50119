# SPDX-License-Identifier: Apache-2.0
"""Heads through the C driver and the simulated shell equal the golden model.

Some 8 s, and 30 s more where the simulator (that of tests/host) is still to be compiled.
"""

import subprocess

import numpy as np
import pasa
import pytest
from pasa.plan import plan_head
from pasa.transport_sim import build_simulator

from tests.driver.conftest import HERE, HOST
from tests.driver.test_record import Head

BUILD = pasa.Build(rows=2, pred_keys=16, tile_keys=512)  # as tests/host/test_sim.py
SCALES = dict(scale_q=0.05, scale_k=0.05, scale_v=0.02)
COUNTERS = ("rows", "empty_rows", "saturations", "keys_visible", "keys_kept")
COUNTERS += ("blocks_compensated", "dropped_mass")
#: n_q, n_k, d, options
CASES = {
    "dense": (17, 150, 40, {}),
    "threshold": (17, 150, 64, dict(min_probability=0.02)),
    "budget": (9, 150, 48, dict(budget=9, tail=False, output_bits=16)),
    "same keys": (5, 150, 48, dict(min_probability=0.01)),
    "masks": (30, 80, 33, dict(causal=True, query_offset=-5, window=20, sinks=3, budget=7)),
    "tiles": (40, 1300, 17, dict(min_probability=0.01, output_bits=16)),
    "empty rows": (60, 600, 16, dict(key_length=520, query_offset=480, window=5)),
    "queries": (530, 20, 16, {}),
    "nothing": (3, 20, 64, dict(key_length=0)),
}

PACKET = "the output packet is shorter or longer than the command says"
MEMORY = "a packet is not aligned to 16 bytes, or not in the memory of the DMA engines"
#: What the program does wrong before, and what it is told.
FAULTS = {
    "more keys": "the accelerator refused the command: mask",
    "no packets": "no answer in time",
    "small buffer": "a DMA engine stopped with an error",
    "not aligned": MEMORY,
    "elsewhere": MEMORY,
}


def heads():
    """Codes of each case; "same keys" has those of the case before."""
    rng = np.random.default_rng(8)
    drawn = {}
    k = v = None
    for name, (n_q, n_k, d, _) in CASES.items():
        q = rng.integers(-90, 90, (n_q, d)).astype(np.int8)
        if name != "same keys":
            k, v = (rng.integers(-90, 90, (n_k, d)).astype(np.int8) for _ in "kv")
        drawn[name] = q, k, v
    return drawn


@pytest.fixture(scope="module")
def golden():
    """What the reference device makes of each case."""
    with pasa.open("reference", build=BUILD) as device:
        return {
            name: device.attention(*codes, **SCALES, **CASES[name][3])
            for name, codes in heads().items()
        }


def job(name: str, codes) -> bytes:
    """A case as the program reads it."""
    n_q, n_k, d, options = CASES[name]
    head = Head(n_q, n_k, d, **SCALES, output_scale=0.0, **dict(key_length=n_k) | options)
    same = " same_keys" if name == "same keys" else ""
    return f"{head.line()}{same}\n".encode() + b"".join(part.tobytes() for part in codes)


@pytest.fixture(scope="module")
def binary(program):
    """The program that runs heads."""
    return program("heads", HERE / "heads.c", HERE / "engines.c", HOST / "pasa_sim_port.c")


@pytest.fixture(scope="module")
def simulator():
    """The simulated shell."""
    return build_simulator(BUILD)


def transfers() -> int:
    """Packets of all commands."""
    count = 0
    for name, (n_q, n_k, d, options) in CASES.items():
        head = Head(n_q, n_k, d, **SCALES, output_scale=0.02, **dict(key_length=n_k) | options)
        for step in plan_head(head.command(BUILD), build=BUILD):
            command = step.command
            fresh = not command.reuse_keys and name != "same keys"
            count += 1 + 2 * fresh + (not command.merge_next)
    return count


def devices(folder):
    """Files that stand for UIO devices and contiguous memory."""
    folder.mkdir()
    for name, size in dict(pasa=1 << 30, query=4096, key=4096, value=4096, memory=4 << 20).items():
        with (folder / name).open("wb") as file:
            file.truncate(size)
    return folder


def test_the_example_runs(program, simulator, tmp_path):
    shell = subprocess.Popen([simulator, "--socket", tmp_path / "socket"])
    example = program("head", HOST / "examples" / "head.c", HOST / "pasa_sim_port.c")
    done = subprocess.run(
        [example, "sim", tmp_path / "socket"], capture_output=True, text=True, timeout=60
    )
    if done.returncode:
        shell.kill()
    assert done.returncode == 0 and shell.wait(10) == 0, done.stdout
    assert "tiles of 512 keys" in done.stdout and "keys kept" in done.stdout
    assert subprocess.run([example], capture_output=True).returncode == 2


@pytest.mark.parametrize(
    ("port", "stalls"), (("sim", 0), ("sim", 35), ("dma", 0), ("uio", 20)), ids=str
)
def test_heads_equal_the_golden_model(binary, golden, simulator, tmp_path, port, stalls):
    socket = tmp_path / "socket"
    shell = subprocess.Popen(
        [simulator, "--socket", socket, "+verilator+seed+4", "+verilator+rand+reset+2"]
    )
    done = subprocess.run(
        [binary, port, socket, str(stalls), devices(tmp_path / "devices")],
        input=b"".join(job(name, codes) for name, codes in heads().items()),
        capture_output=True,
        timeout=100,
    )
    said = done.stderr.decode()
    if done.returncode:
        shell.kill()
    assert done.returncode == 0, said
    assert shell.wait(10) == 0
    told = dict(line.split(": ", 1) for line in said.splitlines() if ": " in line)
    assert told == {
        fault: text
        for fault, text in FAULTS.items()
        if port != "sim" or fault not in ("not aligned", "elsewhere")
    } | ({"small buffer": PACKET} if port == "sim" else {})
    if port != "sim":
        assert f"{transfers()} transfers" in said
    rest = done.stdout
    for name, want in golden.items():
        line, _, rest = rest.partition(b"\n")
        *counters, cycles = map(int, line.split()[1:])
        output, rest = rest[: want.output.nbytes], rest[want.output.nbytes :]
        assert np.array_equal(np.frombuffer(output, want.output.dtype), want.output.ravel()), name
        assert dict(zip(COUNTERS, counters, strict=True)) == {
            name: want.counters[name] for name in COUNTERS
        }, name
        assert cycles > 0
    assert not rest
