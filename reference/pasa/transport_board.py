# SPDX-License-Identifier: Apache-2.0
"""A Zynq board under PYNQ: overlay, AXI DMA, contiguous buffers.

The block design is that of ``fpga/flow/system.tcl``: ``pasa``, ``axi_dma_query`` (queries out,
output in), ``axi_dma_key`` and ``axi_dma_value``. A register access that the shell refuses is a
bus error of the processor and ends the process, so the driver makes none.
"""

import os
import select
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np

from pasa import registers
from pasa.errors import DeviceError, DeviceTimeout, PacketError, UnavailableError
from pasa.transport import STREAMS

POLL = 50e-6  # seconds between two looks at a register
RESET_TIME = 0.1  # seconds a DMA engine may take to reset
DMA_CONTROL, DMA_RESET = 0x00, 0x4  # MM2S_DMACR and its bit; it resets the whole engine
LEAST_BUFFER = 1 << 16  # bytes; buffers grow to what is needed


class BoardTransport:
    """See Transport for the methods.

    Args:
        bitfile: the .bit, with the .hwh of the same name beside it.
        download: whether to load it; False when the board already runs it.
        uio: device of the accelerator's interrupt, such as "/dev/uio0"; default: the interrupt
            is looked up in its register, every 50 us.

    Raises:
        UnavailableError: PYNQ is not there, or the overlay is not what it should be.
    """

    patience = 10.0

    def __init__(self, bitfile: str | Path, *, download: bool = True, uio: str | None = None):
        pynq = _import_pynq()
        try:
            overlay = pynq.Overlay(str(bitfile), download=download)
        except (OSError, RuntimeError) as error:
            raise UnavailableError(f"bitfile: {bitfile} cannot be loaded: {error}") from None
        self._registers = _part(overlay, "pasa")
        self._engines = {stream: _part(overlay, f"axi_dma_{stream}") for stream in STREAMS}
        self._senders = {
            stream: _Sender(f"axi_dma_{stream}", engine.sendchannel, pynq)
            for stream, engine in self._engines.items()
        }
        self._receiver = _Receiver("axi_dma_query", self._engines["query"].recvchannel, pynq)
        self._uio = None if uio is None else os.open(uio, os.O_RDWR)

    def read(self, address: int) -> int:
        """See Transport."""
        return int(self._registers.read(address))

    def write(self, address: int, value: int) -> None:
        """See Transport."""
        self._registers.write(address, value)

    def send(self, stream: str, packet: np.ndarray, *, timeout: float) -> None:
        """See Transport."""
        self._senders[stream].send(packet, timeout)

    def expect(self, count: int) -> None:
        """See Transport."""
        self._receiver.expect(count)

    def receive(self, *, timeout: float) -> np.ndarray:
        """See Transport."""
        return self._receiver.receive(timeout)

    def wait_interrupt(self, *, timeout: float) -> bool:
        """See Transport."""
        if self._uio is None or self._interrupt_is_high():
            return _poll(self._interrupt_is_high, timeout)
        os.write(self._uio, (1).to_bytes(4, "little"))  # let the kernel tell of one interrupt
        heard, _, _ = select.select([self._uio], [], [], timeout)
        if heard:
            os.read(self._uio, 4)
        return bool(heard)

    def abort(self) -> None:
        """See Transport."""
        for stream, engine in self._engines.items():
            engine.write(DMA_CONTROL, DMA_RESET)
            if not _poll(lambda e=engine: not e.read(DMA_CONTROL) & DMA_RESET, RESET_TIME):
                raise DeviceTimeout(f"axi_dma_{stream} does not end its reset")
        for sender in self._senders.values():
            sender.restart()
        self._receiver.restart()

    def close(self) -> None:
        """See Transport."""
        for sender in self._senders.values():
            sender.free()
        self._receiver.free()
        if self._uio is not None:
            os.close(self._uio)
            self._uio = None

    def _interrupt_is_high(self) -> bool:
        status, enable = (
            self.read(registers.ADDRESS[name]) for name in ("INTERRUPT_STATUS", "INTERRUPT_ENABLE")
        )
        return bool(status & enable)


class _Buffer:
    """Contiguous memory that grows."""

    def __init__(self, pynq: ModuleType):
        self._pynq = pynq
        self.array = None

    def of(self, count: int) -> np.ndarray:
        """At least ``count`` bytes, uint8; what they held may be lost."""
        if self.array is None or self.array.nbytes < count:
            self.free()
            self.array = self._pynq.allocate(shape=(max(count, LEAST_BUFFER),), dtype=np.uint8)
        return self.array

    def free(self) -> None:
        """Give the memory back."""
        if self.array is not None:
            self.array.freebuffer()
            self.array = None


class _Channel:
    """A direction of a DMA engine; it transfers one buffer at a time."""

    def __init__(self, name: str, channel: object, buffers: list[_Buffer]):
        self.name, self.channel, self.buffers = name, channel, buffers
        self.busy = False  # a transfer was begun, and nobody saw its end

    def begin(self, array: np.ndarray, count: int) -> None:
        """Begin to transfer the first ``count`` bytes."""
        self.channel.transfer(array, 0, count)
        self.busy = True

    def end(self, timeout: float) -> None:
        """Wait for the transfer that is under way, if one is."""
        if not self.busy:
            return
        if not _poll(lambda: self.channel.idle or self.channel.error, timeout):
            raise DeviceTimeout(f"{self.name} is not done with a packet in {timeout:g} s")
        try:
            self.channel.wait()  # returns at once; invalidates the cache, counts the bytes
        except RuntimeError as error:
            raise PacketError(f"{self.name}: {error}") from None
        self.busy = False

    def restart(self) -> None:
        """After a reset of the engine."""
        self.channel.start()
        self.busy = False

    def free(self) -> None:
        """Give the buffers back."""
        for buffer in self.buffers:
            buffer.free()


class _Sender(_Channel):
    """Memory to stream. Two buffers take turns, so that one fills while the other goes out."""

    def __init__(self, name: str, channel: object, pynq: ModuleType):
        super().__init__(name, channel, [_Buffer(pynq), _Buffer(pynq)])

    def send(self, packet: np.ndarray, timeout: float) -> None:
        """Copy the packet, wait for the one before it, begin."""
        self.buffers.reverse()
        array = self.buffers[0].of(len(packet))
        array[: len(packet)] = packet
        self.end(timeout)
        self.begin(array, len(packet))


class _Receiver(_Channel):
    """Stream to memory."""

    def __init__(self, name: str, channel: object, pynq: ModuleType):
        super().__init__(name, channel, [_Buffer(pynq)])
        self.waiting: deque[int] = deque()  # bytes of the packets expected, the oldest first

    def expect(self, count: int) -> None:
        """Begin to take the packet, or do so after those before it."""
        self.waiting.append(count)
        if len(self.waiting) == 1:
            self._begin()

    def receive(self, timeout: float) -> np.ndarray:
        """The oldest packet, uint8 [bytes]."""
        if not self.waiting:
            raise DeviceError("receive() without expect()")
        self.end(timeout)
        packet = np.array(self.buffers[0].array[: self.channel.transferred])
        self.waiting.popleft()
        if self.waiting:
            self._begin()
        return packet

    def restart(self) -> None:
        """After a reset of the engine: no packet is expected any more."""
        super().restart()
        self.waiting.clear()

    def _begin(self) -> None:
        self.begin(self.buffers[0].of(self.waiting[0]), self.waiting[0])


def _import_pynq() -> ModuleType:
    """The pynq package, which only a board has."""
    try:
        import pynq
    except ImportError as error:
        raise UnavailableError(
            f"board needs the pynq package, which PYNQ's image of a Zynq board brings: {error}"
        ) from None
    return pynq


def _part(overlay: object, name: str) -> object:
    """A block of the overlay by its name."""
    try:
        return getattr(overlay, name)
    except AttributeError:
        raise UnavailableError(
            f"the overlay has no {name}; it must be a bitstream of `make bitstream`"
        ) from None


def _poll(true: Callable[[], object], timeout: float) -> bool:
    """Call until it is true; False when ``timeout`` seconds passed before."""
    end = time.monotonic() + timeout
    while not true():
        if time.monotonic() >= end:
            return False
        time.sleep(POLL)
    return True
