# SPDX-License-Identifier: Apache-2.0
"""The driver: registers and packets of one accelerator, over any transport.

A command is handed over with ``start`` and collected, in the same order, with ``finish``. Some may
be under way: while one runs, others' packets load. Heads of any shape are the device's work.
"""

import time
from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from pasa import registers
from pasa.command import Command, cause_names, unpack_status
from pasa.errors import CommandRefused, DeviceError, DeviceTimeout
from pasa.formats import COMMAND_BITS, STATUS_BITS, WORD_BITS, Build
from pasa.packets import from_packet, packet_bytes, to_packet
from pasa.transport import Transport

IN_FLIGHT = 4  # as many as the accelerator holds, if they are short
LOOK_AGAIN = 0.05  # seconds without an interrupt after which the state is read all the same
RESET_READS = 1000  # of CONTROL until a reset must be over
INTERRUPTS = ("status_ready", "refused")


@dataclass(frozen=True)
class Done:
    """A command that ran.

    Attributes:
        command: as handed over.
        status: field -> value, see ``formats.STATUS_FIELDS``.
        output: codes [query_count, dims], int8 or int16; None with ``merge_next``.
    """

    command: Command
    status: dict[str, int]
    output: np.ndarray | None


@dataclass(frozen=True)
class Identity:
    """What the accelerator says it is."""

    version: tuple[int, int, int]
    build: Build
    stream_bits: int
    command_depth: int
    status_depth: int


def field(register: str, name: str, word: int) -> int:
    """A field of a register's word."""
    low, width = registers.FIELDS[register][name]
    return word >> low & (1 << width) - 1


class Driver:
    """One accelerator.

    Args:
        transport: the way to it. The driver closes it.
        timeout: seconds a command may take; default what the transport is patient for.

    Raises:
        DeviceError: it is no PASA accelerator, or of a version that this package does not know.
    """

    def __init__(self, transport: Transport, *, timeout: float | None = None):
        self.transport = transport
        self.timeout = transport.patience if timeout is None else timeout
        self.lost_interrupts = 0  # statuses that came without one
        self._flying: deque[Command] = deque()
        self._words: dict[str, int] = {}  # COMMAND registers as last written
        self._count = 0
        self.identity = self._identify()
        self.reset()

    @property
    def in_flight(self) -> int:
        """Commands handed over and not collected."""
        return len(self._flying)

    @property
    def has_room(self) -> bool:
        """Whether ``start`` may be called."""
        return self.in_flight < IN_FLIGHT

    def start(
        self,
        command: Command,
        q: np.ndarray,
        k: np.ndarray | None = None,
        v: np.ndarray | None = None,
    ) -> None:
        """Hand over a command and its packets; q, k, v are int8 codes [n, d].

        Raises:
            BusError: after this, ``reset``.
        """
        command = replace(command, tag=self._count & 0xFFFF)
        self._count += 1
        self._write_record(command)
        if not command.merge_next:
            self.transport.expect(self._output_bytes(command))
        self._write("SUBMIT", 1)
        self._flying.append(command)
        for stream, codes in zip(("query", "key", "value"), (q, k, v), strict=True):
            if codes is not None:
                self.transport.send(stream, to_packet(codes))

    def ready(self) -> bool:
        """Whether ``finish`` would return without waiting for the accelerator."""
        return field("STATE", "status_waiting", self._read("STATE")) > 0

    def finish(self, *, timeout: float | None = None) -> Done:
        """Wait for the oldest command and collect its output and status.

        Raises:
            CommandRefused: with the causes. DeviceTimeout, BusError, PacketError. After any of
                these, ``reset``.
        """
        timeout = self.timeout if timeout is None else timeout
        command = self._flying[0]
        self._wait_status(timeout)
        status = self._take_status()
        if status["tag"] != command.tag:
            raise DeviceError(f"status of command {status['tag']}, want {command.tag}")
        if status["causes"]:
            causes = cause_names(status["causes"])
            named = ", ".join(sorted(causes))
            raise CommandRefused(f"the accelerator refused the command: {named}", causes=causes)
        output = None if command.merge_next else self._output(command, timeout)
        self._flying.popleft()
        return Done(command, status, output)

    def reset(self) -> None:
        """Forget all commands under way, here and there. DeviceTimeout when it does not end."""
        self.transport.abort()
        self._flying.clear()
        self._write("CONTROL", 1)
        for _ in range(RESET_READS):
            if not self._read("CONTROL") & 1:
                break
        else:
            raise DeviceTimeout(f"soft reset is not over after {RESET_READS} reads of CONTROL")
        self._write("INTERRUPT_ENABLE", self._interrupt_bits())

    def close(self) -> None:
        """Close the transport."""
        self.transport.close()

    def _read(self, register: str) -> int:
        return self.transport.read(registers.ADDRESS[register])

    def _write(self, register: str, value: int) -> None:
        self.transport.write(registers.ADDRESS[register], value)

    def _identify(self) -> Identity:
        """Read what the accelerator is; refuse what this package does not know."""
        magic = self._read("IDENTITY")
        if magic != registers.RESET["IDENTITY"]:
            raise DeviceError(
                f"no PASA accelerator: IDENTITY reads {magic:#010x}, "
                f"want {registers.RESET['IDENTITY']:#010x}"
            )
        version = self._read("VERSION")
        names = ("major", "minor", "patch")
        have, want = (
            tuple(field("VERSION", name, word) for name in names)
            for word in (version, registers.RESET["VERSION"])
        )
        if have[0] != want[0] or have[1] < want[1]:
            raise DeviceError(f"accelerator of version {have}, this package is for {want}")
        words = {name: self._read(name) for name in ("BUILD_0", "BUILD_1", "BUILD_2")}
        values = {n: field(r, n, word) for r, word in words.items() for n in registers.FIELDS[r]}
        depths = {name: values.pop(name) for name in ("command_depth", "status_depth")}
        stream_bits = 8 * values.pop("stream_bytes")
        return Identity(have, Build(**values), stream_bits, **depths)

    @staticmethod
    def _interrupt_bits() -> int:
        return sum(1 << registers.FIELDS["INTERRUPT_STATUS"][name][0] for name in INTERRUPTS)

    @staticmethod
    def _output_bytes(command: Command) -> int:
        return packet_bytes(command.query_count, command.dims, bits=command.output_bits)

    def _write_record(self, command: Command) -> None:
        """Write the COMMAND registers that differ from what they hold."""
        record = command.pack()
        for i in range(COMMAND_BITS // WORD_BITS):
            name, word = f"COMMAND_{i}", record >> WORD_BITS * i & 0xFFFFFFFF
            if self._words.get(name) != word:
                self._write(name, word)
                self._words[name] = word

    def _wait_status(self, timeout: float) -> None:
        """Wait until a status waits. An interrupt that gets lost costs LOOK_AGAIN, no more."""
        end = time.monotonic() + timeout
        called = True
        while True:
            self._write("INTERRUPT_STATUS", self._interrupt_bits())  # before the look, not after
            if self.ready():
                self.lost_interrupts += not called
                return
            left = end - time.monotonic()
            if left <= 0:
                raise DeviceTimeout(f"no status of the command in {timeout:g} s")
            called = self.transport.wait_interrupt(timeout=min(LOOK_AGAIN, left))

    def _take_status(self) -> dict[str, int]:
        """Read the oldest status and remove it."""
        words = [self._read(f"STATUS_{i}") for i in range(STATUS_BITS // WORD_BITS)]
        self._write("STATUS_POP", 1)
        return unpack_status(sum(word << WORD_BITS * i for i, word in enumerate(words)))

    def _output(self, command: Command, timeout: float) -> np.ndarray:
        packet = self.transport.receive(timeout=timeout)
        shape = command.query_count, command.dims
        return from_packet(packet, *shape, bits=command.output_bits)
