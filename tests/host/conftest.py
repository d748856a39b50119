# SPDX-License-Identifier: Apache-2.0
"""A small build, heads for it, and transports that watch or fail."""

import numpy as np
import pytest
from pasa import Build
from pasa.errors import BusError, DeviceTimeout
from pasa.registers import ADDRESS
from pasa.transport_reference import ReferenceTransport

SMALL = Build(
    rows=2, pred_keys=16, head_dim=32, tile_keys=128, pred_bits=4, block_keys=16, merge_rows=32
)


class Watched(ReferenceTransport):
    """Notes the packets and reads; waits for nothing."""

    def __init__(self, build: Build = SMALL):
        super().__init__(build)
        self.sent: list[tuple[str, int]] = []
        self.accesses: list[tuple[str, int]] = []
        self.closed = False

    def send(self, stream, packet):
        """Note the stream and the bytes."""
        self.sent.append((stream, len(packet)))
        super().send(stream, packet)

    def read(self, address):
        """Note the access."""
        self.accesses.append(("read", address))
        return super().read(address)

    def write(self, address, value):
        """Note the access."""
        self.accesses.append(("write", address))
        super().write(address, value)

    def close(self):
        """Note it."""
        self.closed = True


class Faulty(Watched):
    """Does one thing wrong, ``times`` times, once ``fault`` is set."""

    def __init__(self, fault: str = "", *, times: int = 1):
        super().__init__()
        self.fault, self.times = fault, times

    def _now(self, fault: str) -> bool:
        due = self.fault == fault and self.times > 0
        self.times -= due
        return due

    def write(self, address, value):
        """A refused register, a wrong command, a submit that is lost, a reset that never ends."""
        if address == ADDRESS["SUBMIT"] and self._now("refused access"):
            raise BusError("write to SUBMIT was refused")
        if address == ADDRESS["SUBMIT"] and self._now("lost command"):
            return
        if address == ADDRESS["COMMAND_0"] and self._now("error status"):
            value &= 0xFFFF  # no query
        super().write(address, value)

    def read(self, address):
        """A status of another command, a reset that never ends."""
        word = super().read(address)
        if address == ADDRESS["STATUS_0"] and self._now("wrong tag"):
            return word ^ 1
        if address == ADDRESS["CONTROL"] and self.fault == "endless reset":
            return 1
        return word

    def send(self, stream, packet):
        """A packet that stops early, one that does not go out."""
        if stream == "value" and self._now("short input"):
            packet = packet[:-16]
        if stream != "key" or not self._now("stuck stream"):
            super().send(stream, packet)

    def receive(self, *, timeout):
        """A packet that ends early, one that does not come."""
        if self._now("no output"):
            raise DeviceTimeout("no output packet")
        packet = super().receive(timeout=timeout)
        return packet[:-16] if self._now("short read") else packet

    def wait_interrupt(self, *, timeout):
        """An interrupt that nobody hears."""
        return super().wait_interrupt(timeout=timeout) and not self._now("lost interrupt")


@pytest.fixture
def rng():
    """Random numbers, the same in each run."""
    return np.random.default_rng(5)


@pytest.fixture
def small():
    """The build of these tests."""
    return SMALL


def codes(rng, *shape):
    """int8 codes of a shape."""
    return rng.integers(-90, 90, shape).astype(np.int8)


SCALES = dict(scale_q=0.05, scale_k=0.05, scale_v=0.02)
