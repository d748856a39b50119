# SPDX-License-Identifier: Apache-2.0
"""What the driver needs of a device: registers, packets, an interrupt. Nothing else differs.

Transports: ``transport_reference`` (golden model), ``transport_sim`` (the Verilated shell in its
own process), ``transport_board`` (PYNQ).
"""

from typing import Protocol

import numpy as np

STREAMS = ("query", "key", "value")


class Transport(Protocol):
    """A way to the accelerator. Not safe to use from two threads at a time.

    Attributes:
        patience: seconds a command may take before the driver gives up, unless told otherwise.
    """

    patience: float

    def read(self, address: int) -> int:
        """The 32-bit word at a byte address. BusError when it is refused or not answered."""
        ...

    def write(self, address: int, value: int) -> None:
        """Write a 32-bit word. BusError when it is refused or not answered."""
        ...

    def send(self, stream: str, packet: np.ndarray) -> None:
        """Hand over a packet, uint8 [bytes], for one of STREAMS; the array may change afterwards.

        Waits for nothing: packets queue, and go out while the transport is asked for something.
        """
        ...

    def expect(self, count: int) -> None:
        """Make room for one more output packet of ``count`` bytes. Packets come in order."""
        ...

    def receive(self, *, timeout: float) -> np.ndarray:
        """The oldest expected output packet, uint8 [bytes], shorter if it ended early.

        Raises:
            DeviceTimeout: it did not arrive in ``timeout`` seconds.
            PacketError: it is longer than expected.
        """
        ...

    def wait_interrupt(self, *, timeout: float) -> bool:
        """Wait until the interrupt is high; False when ``timeout`` seconds passed before."""
        ...

    def abort(self) -> None:
        """Forget packets under way and expected, before a soft reset."""
        ...

    def close(self) -> None:
        """Give back processes and memory. More than one call does no harm."""
        ...
