# SPDX-License-Identifier: Apache-2.0
"""The Verilated shell in a process of its own, through its AXI ports.

The protocol is that of ``fpga/host/simulator/pasa_simulator.h``.
"""

import struct
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, fields
from enum import IntEnum
from pathlib import Path

import numpy as np

from pasa.errors import ArgumentError, BuildError, BusError, DeviceError, DeviceTimeout, PacketError
from pasa.formats import Build
from pasa.transport import STREAMS

REQUEST = struct.Struct("<6IQ")  # operation, argument, value, flags, length, 0, clocks
REPLY = struct.Struct("<4IQQ")  # result, value, length, interrupt, clock, 0
VERSION = 1
CLOCKS_AT_ONCE = 4096  # of a wait, between two looks at the time
STREAM_BITS = (32, 64, 128)
TAIL = 2000  # characters of the simulator's standard error shown with its death


class Operation(IntEnum):
    """Requests."""

    HELLO = 0
    READ = 1
    WRITE = 2
    SEND = 3
    SENT = 4
    EXPECT = 5
    RECEIVE = 6
    INTERRUPT = 7
    RUN = 8
    RESET = 9
    ABORT = 10
    STALL = 11
    QUIT = 12


OKAY, TIMEOUT, OVERRUN = 0, 0x100, 0x101
NO_LAST = 1  # flag of SEND


@dataclass(frozen=True)
class Reply:
    """What the simulator answers."""

    result: int
    value: int
    interrupt: bool
    clock: int
    payload: bytes


def parameters(build: Build, *, stream_bits: int) -> dict[str, int]:
    """Verilog parameters of pasa_axi."""
    if stream_bits not in STREAM_BITS:
        raise ArgumentError(f"stream_bits = {stream_bits!r} must be one of 32, 64, 128")
    named = {field.name.upper(): getattr(build, field.name) for field in fields(build)}
    return named | {"STREAM_BITS": stream_bits}


def build_simulator(build: Build, *, stream_bits: int = 128) -> Path:
    """The simulator of a hardware build, compiled when there is none yet.

    Raises:
        BuildError: there is no source tree or no compiler, or the design does not build.
    """
    try:
        from fpga.host.simulator import build as builder
    except ImportError as error:
        raise BuildError(
            f"sim needs PASA's source tree and its environment (make venv): {error}"
        ) from None
    return builder.build_simulator(parameters(build, stream_bits=stream_bits))


class SimTransport:
    """A running simulator.

    Args:
        binary: the simulator, from ``build_simulator``.
        seed: of the initial values of registers and of the stalls.
        stalls: percentage of clocks, 0 to 95, in which each side of a handshake pauses.
    """

    patience = 1800.0  # a large head on a large build, some thousand clocks a second

    def __init__(self, binary: Path, *, seed: int = 1, stalls: int = 0):
        if not 0 <= stalls <= 95:
            raise ArgumentError(f"stalls = {stalls!r} must be in 0..95 percent")
        self._errors = tempfile.TemporaryFile()
        self._process: subprocess.Popen | None = subprocess.Popen(
            [binary, f"+verilator+seed+{seed % 2**31 or 1}", "+verilator+rand+reset+2"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self.clock = 0
        version = self.request(Operation.HELLO).value
        if version != VERSION:
            self.close()
            raise DeviceError(f"the simulator speaks version {version}, this package {VERSION}")
        self.request(Operation.STALL, argument=seed % 2**32, value=stalls)

    def request(
        self,
        operation: Operation,
        *,
        argument: int = 0,
        value: int = 0,
        flags: int = 0,
        clocks: int = 0,
        payload: bytes = b"",
    ) -> Reply:
        """One request of the protocol and its reply. DeviceError when the simulator is gone."""
        if self._process is None:
            raise DeviceError("the simulator is closed")
        request = REQUEST.pack(operation, argument, value, flags, len(payload), 0, clocks)
        try:
            self._process.stdin.write(request + payload)
            self._process.stdin.flush()
            reply = self._take(REPLY.size)
            result, value, length, interrupt, self.clock, _ = REPLY.unpack(reply)
            return Reply(result, value, bool(interrupt), self.clock, self._take(length))
        except BrokenPipeError:
            raise self._death() from None
        except KeyboardInterrupt:  # what is left of the reply would be taken for the next one
            self.close()
            raise

    def read(self, address: int) -> int:
        """See Transport."""
        reply = self.request(Operation.READ, argument=address)
        _check_bus(reply.result, f"read of {address:#05x}")
        return reply.value

    def write(self, address: int, value: int) -> None:
        """See Transport."""
        reply = self.request(Operation.WRITE, argument=address, value=value, flags=0xF)
        _check_bus(reply.result, f"write of {value:#x} to {address:#05x}")

    def send(self, stream: str, packet: np.ndarray) -> None:
        """See Transport."""
        self.request(Operation.SEND, argument=STREAMS.index(stream), payload=packet.tobytes())

    def expect(self, count: int) -> None:
        """See Transport."""
        self.request(Operation.EXPECT, value=count)

    def receive(self, *, timeout: float) -> np.ndarray:
        """See Transport."""
        reply = self._run(Operation.RECEIVE, timeout)
        if reply.result == TIMEOUT:
            raise DeviceTimeout(f"no output packet in {timeout:g} s")
        if reply.result == OVERRUN:
            raise PacketError(f"the output packet is longer than {reply.value} bytes")
        if reply.result != OKAY:
            raise DeviceError("receive() without expect()")
        return np.frombuffer(reply.payload, dtype=np.uint8)

    def wait_interrupt(self, *, timeout: float) -> bool:
        """See Transport."""
        return self._run(Operation.INTERRUPT, timeout).result == OKAY

    def abort(self) -> None:
        """See Transport."""
        self.request(Operation.ABORT)

    def close(self) -> None:
        """See Transport."""
        process, self._process = self._process, None
        if process is None:
            return
        with suppress(BrokenPipeError):  # an unsent request, when it ended by itself
            process.stdin.close()  # it ends when its input does
        process.stdout.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._errors.close()

    def _run(self, operation: Operation, timeout: float) -> Reply:
        """Let clocks pass until the request has what it waits for, or time is up."""
        end = time.monotonic() + timeout
        while True:
            reply = self.request(operation, clocks=CLOCKS_AT_ONCE)
            if reply.result != TIMEOUT or time.monotonic() >= end:
                return reply

    def _take(self, count: int) -> bytes:
        taken = self._process.stdout.read(count)
        if len(taken) < count:
            raise self._death()
        return taken

    def _death(self) -> DeviceError:
        """What to say when the process is gone."""
        code = self._process.wait()
        self._errors.seek(0)
        text = self._errors.read().decode(errors="replace")[-TAIL:].strip()
        self.close()
        return DeviceError(f"the simulator ended with code {code}: {text or 'it said nothing'}")


def _check_bus(result: int, access: str) -> None:
    """BusError unless the access was answered with OKAY."""
    if result == TIMEOUT:
        raise BusError(f"{access} was not answered")
    if result != OKAY:
        raise BusError(f"{access} was refused (AXI response {result})")
