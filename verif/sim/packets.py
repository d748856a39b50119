# SPDX-License-Identifier: Apache-2.0
"""Heads as packets: 16 bytes a beat, dimension 16b + i in byte i of a row's beat b."""

from collections.abc import Sequence

import numpy as np
from pasa.formats import SLICE_DIMS
from pasa.packets import to_packet

BEAT_BYTES = 16


def to_beats(codes: np.ndarray) -> list[tuple[int, int]]:
    """Beats (data, last) of the packet that carries int8 codes [n, d]; zeros beyond d."""
    raw = to_packet(codes).tobytes()
    last = len(raw) - BEAT_BYTES
    return [
        (int.from_bytes(raw[at : at + BEAT_BYTES], "little"), int(at == last))
        for at in range(0, len(raw), BEAT_BYTES)
    ]


def row_beats(dims: int, bits: int) -> int:
    """Beats of an output row of `dims` codes of 8 or 16 bits."""
    return -(-dims // SLICE_DIMS) * (bits // 8)


def from_beats(beats: Sequence[int], *, dims: int, bits: int) -> tuple[np.ndarray, int]:
    """Output codes [rows, dims] of whole rows, and how many padding codes are not zero."""
    raw = b"".join(beat.to_bytes(BEAT_BYTES, "little") for beat in beats)
    row_bytes = row_beats(dims, bits) * BEAT_BYTES
    whole = len(raw) // row_bytes * row_bytes
    codes = np.frombuffer(raw[:whole], dtype=f"<i{bits // 8}").reshape(-1, row_bytes * 8 // bits)
    return codes[:, :dims].astype(np.int64), int(np.count_nonzero(codes[:, dims:]))
