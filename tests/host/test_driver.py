# SPDX-License-Identifier: Apache-2.0
"""What the driver makes of a device that fails: typed errors, and the next call works. 1 s."""

import numpy as np
import pasa
import pytest
from pasa.driver import IN_FLIGHT, Driver
from pasa.errors import BusError, CommandRefused, DeviceError, DeviceTimeout, PacketError
from pasa.registers import ADDRESS

from tests.host.conftest import SCALES, SMALL, Faulty, Watched, codes


def run(device, rng):
    """A call that must come out right."""
    q, k = codes(rng, 3, 16), codes(rng, 9, 16)
    want = pasa.fixed.attention(q, k, k, **SCALES, build=SMALL)
    assert np.array_equal(device.attention(q, k, k, **SCALES).output, want.output)


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    (
        ("refused access", BusError, "SUBMIT was refused"),
        ("lost command", DeviceTimeout, r"no status of the command in 0\.2 s"),
        ("stuck stream", DeviceTimeout, r"no status of the command in 0\.2 s"),
        ("error status", CommandRefused, "refused the command: shape"),
        ("short input", CommandRefused, "refused the command: value_packet"),
        ("wrong tag", DeviceError, "status of command 1, want 0"),
        ("short read", PacketError, "output packet of 32 bytes, want 48"),
        ("no output", DeviceTimeout, "no output packet"),
    ),
)
def test_a_fault_is_told_and_the_next_call_works(rng, fault, error, says):
    device = pasa.open(Faulty(fault), timeout=0.2)
    q = codes(rng, 3, 16)
    with pytest.raises(error, match=says):
        device.attention(q, q, q, **SCALES)
    run(device, rng)
    run(device, rng)


def test_causes_are_names(rng):
    device = pasa.open(Faulty("short input"))
    q = codes(rng, 3, 16)
    with pytest.raises(CommandRefused) as caught:
        device.attention(q, q, q, **SCALES)
    assert caught.value.causes == {"value_packet"}


def test_a_lost_interrupt_costs_only_time(rng):
    device = pasa.open(Late("lost interrupt"), timeout=1)
    run(device, rng)
    assert device.lost_interrupts == 1
    run(device, rng)
    assert device.lost_interrupts == 1


class Late(Faulty):
    """Commands run only while somebody waits for the interrupt."""

    waiting = False

    def wait_interrupt(self, *, timeout):
        """Run what there is to run."""
        self.waiting = True
        try:
            return super().wait_interrupt(timeout=timeout)
        finally:
            self.waiting = False

    def _run(self):
        if self.waiting:
            super()._run()


def test_an_interrupt_that_comes_is_heard(rng):
    device = pasa.open(Late(), timeout=1)
    run(device, rng)
    assert device.lost_interrupts == 0


def test_jobs_that_had_begun_are_lost_and_others_are_not(rng):
    faulty = Faulty()
    device = pasa.open(faulty)
    q = codes(rng, 3, 16)
    faulty.fault = "short input"
    jobs = [device.submit(q, q, q, **SCALES) for _ in range(IN_FLIGHT + 1)]
    with pytest.raises(CommandRefused):
        jobs[0].wait()
    for job in jobs[1:-1]:
        with pytest.raises(DeviceError, match="lost with another job"):
            job.wait()
    assert jobs[-1].wait().output.shape == (3, 16)


def test_a_device_that_cannot_be_reset_fails_everything(rng):
    faulty = Faulty()
    device = pasa.open(faulty)
    q = codes(rng, 3, 16)
    jobs = [device.submit(q, q, q, **SCALES) for _ in range(IN_FLIGHT + 1)]
    faulty.fault = "endless reset"
    faulty.abort()
    faulty.write(ADDRESS["CONTROL"], 1)
    with pytest.raises(DeviceTimeout, match="no status"):
        jobs[0].wait(timeout=0.1)
    with pytest.raises(DeviceTimeout, match="soft reset is not over"):
        jobs[-1].wait()
    with pytest.raises(DeviceTimeout, match="soft reset is not over"):
        pasa.open(Faulty("endless reset"))


class Other(Watched):
    """Another thing at the same address."""

    def __init__(self, register, word):
        super().__init__()
        self._words[register] = word


@pytest.mark.parametrize(
    ("register", "word", "says"),
    (
        ("IDENTITY", 0xDEADBEEF, "no PASA accelerator: IDENTITY reads 0xdeadbeef"),
        ("VERSION", 0x01000000, r"accelerator of version \(1, 0, 0\)"),
        ("VERSION", 0x00000009, r"accelerator of version \(0, 0, 9\)"),
    ),
)
def test_only_what_is_known_is_driven(register, word, says):
    other = Other(register, word)
    with pytest.raises(DeviceError, match=says):
        pasa.open(other)
    assert other.closed


def test_only_words_that_change_are_written(rng):
    watched = Watched()
    driver = Driver(watched)
    q = codes(rng, 3, 16)
    command = pasa.make_command(3, 3, 16, **SCALES, output_scale=0.02, build=SMALL)
    records = {address for name, address in ADDRESS.items() if name.startswith("COMMAND_")}

    def words_written():
        watched.accesses.clear()
        driver.start(command, q, q, q)
        driver.finish()
        return sum(kind == "write" and a in records for kind, a in watched.accesses)

    assert [words_written(), words_written()] == [8, 1], "the second differs in its tag"


def test_tags_come_round(rng):
    driver = Driver(Watched())
    driver._count = 0xFFFF
    command = pasa.make_command(3, 3, 16, **SCALES, output_scale=0.02, build=SMALL)
    q = codes(rng, 3, 16)
    for count in range(IN_FLIGHT):
        assert driver.has_room and driver.in_flight == count
        driver.start(command, q, q, q)
    assert not driver.has_room
    assert [driver.finish().status["tag"] for _ in range(3)] == [0xFFFF, 0, 1]
