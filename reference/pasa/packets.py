# SPDX-License-Identifier: Apache-2.0
"""Heads as the bytes of stream packets: a row is ``ceil(dims / 16)`` groups of 16 dimensions.

int8: 16 bytes a group; int16: 32, little-endian. Codes beyond dims are 0.
"""

import numpy as np

from pasa.errors import PacketError
from pasa.formats import SLICE_DIMS


def padded_dims(dims: int) -> int:
    """Dimensions of a row with its padding."""
    return -(-dims // SLICE_DIMS) * SLICE_DIMS


def packet_bytes(rows: int, dims: int, *, bits: int = 8) -> int:
    """Bytes of a packet of rows of ``dims`` codes of 8 or 16 bits."""
    return rows * padded_dims(dims) * bits // 8


def to_packet(codes: np.ndarray, *, bits: int = 8) -> np.ndarray:
    """The packet, uint8 [bytes], of integer codes [n, d] of 8 or 16 bits."""
    rows, dims = codes.shape
    padded = np.zeros((rows, padded_dims(dims)), dtype=f"<i{bits // 8}")
    padded[:, :dims] = codes
    return padded.reshape(-1).view(np.uint8)


def from_packet(packet: np.ndarray, rows: int, dims: int, *, bits: int = 8) -> np.ndarray:
    """Codes [rows, dims], int8 or int16, of an output packet, uint8 [bytes].

    Raises:
        PacketError: the packet is shorter or longer than that.
    """
    want = packet_bytes(rows, dims, bits=bits)
    if len(packet) != want:
        raise PacketError(f"output packet of {len(packet)} bytes, want {want}")
    codes = np.frombuffer(packet.tobytes(), dtype=f"<i{bits // 8}")
    return codes.reshape(rows, padded_dims(dims))[:, :dims].astype(f"i{bits // 8}")
