# SPDX-License-Identifier: Apache-2.0
"""Heads through the AXI ports of the Verilated shell, with the driver that a board gets.

Some 35 s of one core where the simulator is still to be compiled, 5 s where it is not.
"""

import random

import numpy as np
import pasa
import pytest
from pasa import registers
from pasa.driver import Driver
from pasa.errors import BusError, CommandRefused, DeviceTimeout
from pasa.transport_reference import ReferenceTransport
from pasa.transport_sim import OKAY, TIMEOUT, Operation, SimTransport, build_simulator

from tests.host.conftest import SCALES, codes

BUILD = pasa.Build(rows=2, pred_keys=16, tile_keys=512)  # also that of the README
CLOCKED = ("cycles", "stall_in", "stall_out")


@pytest.fixture(scope="module")
def reference():
    """The golden model of the build."""
    with pasa.open("reference", build=BUILD) as device:
        yield device


@pytest.fixture(params=(0, 35), ids=("free", "stalled"))
def sim(request):
    """The simulated shell, its host in haste or at leisure."""
    with pasa.open("sim", build=BUILD, stalls=request.param, seed=11, timeout=60) as device:
        yield device


OPTIONS = {
    "dense": {},
    "threshold": dict(min_probability=0.02),
    "budget": dict(budget=9, tail=False, output_bits=16),
    "masks": dict(causal=True, query_offset=50, window=60, sinks=3, min_probability=0.05),
    "empty": dict(key_length=0),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_heads_equal_the_golden_model(sim, reference, rng, options):
    q, k, v = codes(rng, 2, 4, 17, 40), codes(rng, 2, 2, 150, 40), codes(rng, 2, 2, 150, 40)
    out, want = (device.attention(q, k, v, **SCALES, **options) for device in (sim, reference))
    assert np.array_equal(out.output, want.output)
    for name, counted in want.head_counters.items():
        if name not in CLOCKED:
            assert np.array_equal(out.head_counters[name], counted), name
    assert out.cycles > 0 and out.flags == want.flags


@pytest.mark.parametrize("options", ({}, dict(min_probability=0.01)), ids=("dense", "threshold"))
def test_more_keys_than_a_tile(sim, reference, rng, options):
    q, k, v = codes(rng, 2, 9, 64), codes(rng, 1, 1100, 64), codes(rng, 1, 1100, 64)
    out, want = (device.attention(q, k, v, **SCALES, **options) for device in (sim, reference))
    assert np.array_equal(out.output, want.output)
    assert out.counters["keys_kept"] == want.counters["keys_kept"]


def test_jobs_overlap(reference, rng):
    """Two commands under way are faster than one after the other."""
    heads = [tuple(codes(rng, 64, 64) for _ in range(3)) for _ in range(6)]
    clocks = []
    for together in (True, False):
        with pasa.open("sim", build=BUILD) as device:
            before = device._driver.transport.clock
            if together:
                jobs = [device.submit(*head, **SCALES) for head in heads]
                outputs = [job.wait().output for job in jobs]
            else:
                outputs = [device.attention(*head, **SCALES).output for head in heads]
            clocks.append(device._driver.transport.clock - before)
        for head, output in zip(heads, outputs, strict=True):
            assert np.array_equal(output, reference.attention(*head, **SCALES).output)
    assert clocks[0] < 0.9 * clocks[1]


def test_registers_read_as_the_software_model_says(sim):
    """Legal and illegal accesses in any order; the shell and its twin agree on each."""
    shell, twin = sim._driver.transport, ReferenceTransport(BUILD)
    Driver(twin)
    draw = random.Random(3)
    addresses = [*registers.ADDRESS.values(), 0x028, 0x064, 0x0AC, 0x7FC, 0xFFC, 0x041, 0x01E]
    busy = {registers.ADDRESS["SUBMIT"]}  # what it starts needs packets; see the tests above
    for _ in range(1000):
        address = draw.choice(addresses)
        if draw.random() < 0.5 and address not in busy:
            value = draw.getrandbits(32)
            answers = [attempt(t.write, address, value) for t in (shell, twin)]
            if address == registers.ADDRESS["CONTROL"]:
                shell.request(Operation.RUN, clocks=20)
        else:
            answers = [attempt(t.read, address) for t in (shell, twin)]
        assert answers[0] == answers[1], hex(address)
    q = np.ones((3, 16), np.int8)
    sim._driver.reset()
    assert sim.attention(q, q, q, **SCALES).output.shape == (3, 16)


def attempt(access, *arguments):
    """What the access gives; BusError as such, whatever it says."""
    try:
        return access(*arguments)
    except BusError:
        return BusError


def test_a_refused_command_is_told_and_the_next_one_works(sim, reference, rng):
    driver = sim._driver
    q, k = codes(rng, 5, 16), codes(rng, 40, 16)
    command = pasa.make_command(5, 40, 16, **SCALES, output_scale=0.02, build=BUILD)
    for keys, values, cause in ((k[:39], k, "key_packet"), (k, np.vstack([k, k]), "value_packet")):
        driver.start(command, q, keys, values)
        with pytest.raises(CommandRefused) as caught:
            driver.finish()
        assert caught.value.causes == {cause}
        driver.reset()
    out, want = (device.attention(q, k, k, **SCALES) for device in (sim, reference))
    assert np.array_equal(out.output, want.output)


def test_a_command_without_packets_times_out_and_the_next_one_works(sim, reference, rng):
    q, k = codes(rng, 5, 16), codes(rng, 40, 16)
    command = pasa.make_command(5, 40, 16, **SCALES, output_scale=0.02, build=BUILD)
    sim._driver.start(command, q)
    with pytest.raises(DeviceTimeout, match=r"no status of the command in 0\.1 s"):
        sim._driver.finish(timeout=0.1)
    sim._driver.reset()
    out, want = (device.attention(q, k, k, **SCALES) for device in (sim, reference))
    assert np.array_equal(out.output, want.output)


def test_soft_reset_at_any_clock(rng, reference):
    """Whatever the accelerator was doing, the next head comes out right."""
    q, k = codes(rng, 20, 48), codes(rng, 120, 48)
    want = reference.attention(q, k, k, **SCALES, min_probability=0.01)
    with pasa.open("sim", build=BUILD) as sim:
        for clocks in random.Random(1).sample(range(1500), 25):
            sim.submit(q, k, k, **SCALES, min_probability=0.01)
            sim._driver.transport.request(Operation.RUN, clocks=clocks)
            sim._flying.clear()
            sim._driver.reset()
            out = sim.attention(q, k, k, **SCALES, min_probability=0.01)
            assert np.array_equal(out.output, want.output), clocks


def test_the_interrupt_is_a_level(rng):
    """High from the status to its acknowledgement."""
    transport = SimTransport(build_simulator(BUILD))
    driver = Driver(transport)
    q = codes(rng, 5, 16)
    command = pasa.make_command(5, 5, 16, **SCALES, output_scale=0.02, build=BUILD)
    assert transport.request(Operation.INTERRUPT, clocks=500).result == TIMEOUT
    driver.start(command, q, q, q)
    assert transport.request(Operation.INTERRUPT, clocks=5000).result == OKAY
    assert transport.request(Operation.RUN, clocks=100).interrupt
    transport.write(registers.ADDRESS["INTERRUPT_STATUS"], 3)
    assert not transport.request(Operation.RUN, clocks=1).interrupt
    assert driver.finish().status["rows"] == 5
    driver.close()
