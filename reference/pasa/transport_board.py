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
from contextlib import suppress
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

    def send(self, stream: str, packet: np.ndarray) -> None:
        """See Transport."""
        self._senders[stream].send(packet)

    def expect(self, count: int) -> None:
        """See Transport."""
        self._receiver.expect(count)

    def receive(self, *, timeout: float) -> np.ndarray:
        """See Transport."""
        if not self._receiver.waiting:
            raise DeviceError("receive() without expect()")
        if not _poll(lambda: self._pump() and self._receiver.over, timeout):
            raise DeviceTimeout(f"no output packet in {timeout:g} s")
        return self._receiver.take()

    def wait_interrupt(self, *, timeout: float) -> bool:
        """See Transport."""
        self._pump()
        queued = any(sender.waiting for sender in self._senders.values())
        if self._uio is None or queued or self._interrupt_is_high():
            return _poll(lambda: self._pump() and self._interrupt_is_high(), timeout)
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
        with suppress(DeviceTimeout):  # no engine may still read what is given back
            self.abort()
        for channel in (*self._senders.values(), self._receiver):
            channel.free()
        if self._uio is not None:
            os.close(self._uio)
            self._uio = None

    def _pump(self) -> bool:
        """Begin to send what may go out now; always True."""
        for sender in self._senders.values():
            sender.pump()
        return True

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

    def __init__(self, name: str, channel: object):
        self.name, self.channel = name, channel
        self.busy = False  # a transfer was begun, and nobody saw its end

    @property
    def over(self) -> bool:
        """Whether no transfer is under way any more."""
        return not self.busy or self.channel.idle or self.channel.error

    def begin(self, array: np.ndarray, count: int) -> None:
        """Begin to transfer the first ``count`` bytes."""
        self.channel.transfer(array, 0, count)
        self.busy = True

    def end(self) -> None:
        """See to a transfer that is over: PYNQ invalidates the cache and counts the bytes."""
        if self.busy:
            try:
                self.channel.wait()
            except RuntimeError as error:
                raise PacketError(f"{self.name}: {error}") from None
            self.busy = False

    def restart(self) -> None:
        """After a reset of the engine."""
        self.channel.start()
        self.busy = False


class _Sender(_Channel):
    """Memory to stream. Packets are copied when they come and go out one after another."""

    def __init__(self, name: str, channel: object, pynq: ModuleType):
        super().__init__(name, channel)
        self._pynq = pynq
        self.waiting: deque[tuple[_Buffer, int]] = deque()  # filled, and with how many bytes
        self._going: _Buffer | None = None
        self._spare: list[_Buffer] = []

    def send(self, packet: np.ndarray) -> None:
        """Queue a copy of the packet."""
        buffer = self._spare.pop() if self._spare else _Buffer(self._pynq)
        buffer.of(len(packet))[: len(packet)] = packet
        self.waiting.append((buffer, len(packet)))
        self.pump()

    def pump(self) -> None:
        """Begin the next packet if none is under way."""
        if not self.waiting or not self.over:
            return
        self.end()
        if self._going is not None:
            self._spare.append(self._going)
        self._going, count = self.waiting.popleft()
        self.begin(self._going.array, count)

    def restart(self) -> None:
        """After a reset of the engine: packets that wait are forgotten."""
        super().restart()
        self._spare += [buffer for buffer, _ in self.waiting]
        self.waiting.clear()

    def free(self) -> None:
        """Give the buffers back."""
        waiting = [buffer for buffer, _ in self.waiting]
        for buffer in [*self._spare, *waiting, *filter(None, [self._going])]:
            buffer.free()


class _Receiver(_Channel):
    """Stream to memory."""

    def __init__(self, name: str, channel: object, pynq: ModuleType):
        super().__init__(name, channel)
        self._buffer = _Buffer(pynq)
        self.waiting: deque[int] = deque()  # bytes of the packets expected, the oldest first

    def expect(self, count: int) -> None:
        """Begin to take the packet, or do so after those before it."""
        self.waiting.append(count)
        if len(self.waiting) == 1:
            self._begin()

    def take(self) -> np.ndarray:
        """The oldest packet, uint8 [bytes], once it is ``over``."""
        self.end()
        packet = np.array(self._buffer.array[: self.channel.transferred])
        self.waiting.popleft()
        if self.waiting:
            self._begin()
        return packet

    def restart(self) -> None:
        """After a reset of the engine: no packet is expected any more."""
        super().restart()
        self.waiting.clear()

    def free(self) -> None:
        """Give the buffer back."""
        self._buffer.free()

    def _begin(self) -> None:
        self.begin(self._buffer.of(self.waiting[0]), self.waiting[0])


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
