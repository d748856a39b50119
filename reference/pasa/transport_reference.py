# SPDX-License-Identifier: Apache-2.0
"""The golden model behind the registers and packets of the hardware.

Everything the shell does but time: commands run at once when their packets are there and their
output has room, and the counters of clocks are 0.
"""

from collections import deque

import numpy as np

from pasa import registers
from pasa.accelerator import Accelerator
from pasa.command import Command, cause_bits, unpack_command
from pasa.errors import BusError, DeviceError, DeviceTimeout, PacketError
from pasa.fixed import Result
from pasa.formats import COMMAND_BITS, STATUS_BITS, STATUS_FIELDS, WORD_BITS, Build
from pasa.formats import positions as field_positions
from pasa.packets import packet_bytes, padded_dims, to_packet
from pasa.transport import STREAMS

COMMAND_WORDS = COMMAND_BITS // WORD_BITS
STATUS_WORDS = STATUS_BITS // WORD_BITS
COMMAND_DEPTH = STATUS_DEPTH = 8
NAMES = {address: name for name, address in registers.ADDRESS.items()}
CLEARED_BY_ONES = ("INTERRUPT_STATUS", "CAUSES")


def pack_fields(register: str, **values: int) -> int:
    """A register's word from its fields."""
    fields = registers.FIELDS[register]
    return sum((value & (1 << fields[n][1]) - 1) << fields[n][0] for n, value in values.items())


def _mask(register: str) -> int:
    """The bits of a register that have a name."""
    return sum((1 << width) - 1 << low for low, width in registers.FIELDS[register].values())


class ReferenceTransport:
    """A device without hardware; see Transport for the methods.

    Args:
        build: hardware parameters.
        stream_bits: width of the streams, which only the registers show.
    """

    patience = 60.0

    def __init__(self, build: Build | None = None, *, stream_bits: int = 128):
        self.build = build or Build()
        self._accelerator = Accelerator(self.build)
        self._words = {name: 0 for name in registers.RESET} | self._constants(stream_bits)
        self._packets: dict[str, deque[np.ndarray]] = {stream: deque() for stream in STREAMS}
        self._expected: deque[int] = deque()
        self._received: deque[tuple[np.ndarray, int]] = deque()
        self._commands: deque[Command] = deque()
        self._statuses: deque[int] = deque()

    def read(self, address: int) -> int:
        """See Transport."""
        self._run()
        name = NAMES.get(address)
        if name not in registers.READABLE:
            raise BusError(f"read of {address:#05x} was refused")
        if name.startswith("STATUS_"):
            word = int(name.removeprefix("STATUS_"))
            return (self._statuses[0] if self._statuses else 0) >> 32 * word & 0xFFFFFFFF
        return self._state() if name == "STATE" else self._words[name]

    def write(self, address: int, value: int) -> None:
        """See Transport."""
        self._run()
        name = NAMES.get(address)
        if name not in registers.WRITABLE:
            raise BusError(f"write of {value:#x} to {address:#05x} was refused")
        if name in CLEARED_BY_ONES:
            self._words[name] &= ~value
        elif name in ("CONTROL", "SUBMIT", "STATUS_POP"):
            if value & 1:
                {"CONTROL": self._reset, "SUBMIT": self._submit, "STATUS_POP": self._pop}[name]()
        else:
            self._words[name] = value & _mask(name)

    def send(self, stream: str, packet: np.ndarray) -> None:
        """See Transport."""
        self._packets[stream].append(packet.copy())

    def expect(self, count: int) -> None:
        """See Transport."""
        self._expected.append(count)

    def receive(self, *, timeout: float) -> np.ndarray:
        """See Transport. Never waits: what has not come by now needs something else first."""
        self._run()
        if not self._received:
            if not self._expected:
                raise DeviceError("receive() without expect()")
            raise DeviceTimeout("no output packet, and none will come")
        packet, count = self._received.popleft()
        if len(packet) > count:
            raise PacketError(f"the output packet is longer than {count} bytes")
        return packet

    def wait_interrupt(self, *, timeout: float) -> bool:
        """See Transport. Never waits."""
        self._run()
        return bool(self._words["INTERRUPT_STATUS"] & self._words["INTERRUPT_ENABLE"])

    def abort(self) -> None:
        """See Transport."""
        for queue in (*self._packets.values(), self._expected, self._received):
            queue.clear()

    def close(self) -> None:
        """See Transport."""

    def _constants(self, stream_bits: int) -> dict[str, int]:
        """Identification of this build."""
        b = self.build
        return {
            "IDENTITY": registers.RESET["IDENTITY"],
            "VERSION": registers.RESET["VERSION"],
            "BUILD_0": pack_fields(
                "BUILD_0",
                rows=b.rows,
                pred_keys=b.pred_keys,
                block_keys=b.block_keys,
                stream_bytes=stream_bits // 8,
            ),
            "BUILD_1": pack_fields(
                "BUILD_1", head_dim=b.head_dim, pred_bits=b.pred_bits, tile_keys=b.tile_keys
            ),
            "BUILD_2": pack_fields(
                "BUILD_2",
                merge_rows=b.merge_rows,
                command_depth=COMMAND_DEPTH,
                status_depth=STATUS_DEPTH,
            ),
        }

    def _state(self) -> int:
        return pack_fields(
            "STATE",
            command_room=COMMAND_DEPTH - len(self._commands),
            status_waiting=len(self._statuses),
            in_flight=len(self._commands),
            idle=not self._commands and not self._statuses,
        )

    def _reset(self) -> None:
        """Soft reset: commands, statuses and what the accelerator keeps are lost."""
        self._accelerator.reset()
        self._commands.clear()
        self._statuses.clear()
        self._words |= dict.fromkeys(CLEARED_BY_ONES, 0)

    def _submit(self) -> None:
        if len(self._commands) == COMMAND_DEPTH:
            self._raise(command_overflow=1)
            raise BusError("write to SUBMIT was refused: no room for a command")
        record = sum(self._words[f"COMMAND_{i}"] << 32 * i for i in range(COMMAND_WORDS))
        self._commands.append(unpack_command(record))
        self._run()

    def _pop(self) -> None:
        if not self._statuses:
            self._raise(status_underflow=1)
            raise BusError("write to STATUS_POP was refused: no status waits")
        self._statuses.popleft()

    def _raise(self, **bits: int) -> None:
        """Set bits of INTERRUPT_STATUS."""
        self._words["INTERRUPT_STATUS"] |= pack_fields("INTERRUPT_STATUS", **bits)

    def _run(self) -> None:
        """Run every command that can run now."""
        while self._commands and len(self._statuses) < STATUS_DEPTH and self._run_one():
            pass

    def _run_one(self) -> bool:
        """Run the oldest command; False when it must wait for a packet or for room."""
        command = self._commands[0]
        streams = STREAMS[:1] if command.reuse_keys else STREAMS
        if not all(self._packets[stream] for stream in streams):
            return False
        wrong = self._wrong_packets(command, streams)
        refused = bool(self._accelerator.causes(command) or wrong)
        if not (refused or command.merge_next or self._expected):
            return False
        self._commands.popleft()
        packets = [self._packets[stream].popleft() for stream in streams]
        codes = () if refused else [_codes(packet, command.dims) for packet in packets]
        outcome = self._accelerator.execute(command, *codes, packet_causes=wrong)
        if outcome.result is not None and not command.merge_next:
            packet = to_packet(outcome.result.output, bits=command.output_bits)
            self._received.append((packet, self._expected.popleft()))
        self._report(command, outcome.causes, outcome.result)
        return True

    def _wrong_packets(self, command: Command, streams: tuple[str, ...]) -> frozenset[str]:
        """Causes of packets that are not as long as the command says."""
        rows = {"query": command.query_count}
        return frozenset(
            f"{stream}_packet"
            for stream in streams
            if len(self._packets[stream][0])
            != packet_bytes(rows.get(stream, command.key_count), command.dims)
        )

    def _report(self, command: Command, causes: frozenset[str], result: Result | None) -> None:
        """Queue the status of a command."""
        bits = cause_bits(causes)
        status = {"tag": command.tag, "causes": bits} | (result.counters if result else {})
        places = field_positions(STATUS_FIELDS)
        self._statuses.append(sum(value << places[name] for name, value in status.items()))
        self._words["CAUSES"] |= bits
        self._raise(status_ready=1, refused=int(bits != 0))


def _codes(packet: np.ndarray, dims: int) -> np.ndarray:
    """int8 codes [rows, dims] of an input packet."""
    return packet.view(np.int8).reshape(-1, padded_dims(dims))[:, :dims]
