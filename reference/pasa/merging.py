# SPDX-License-Identifier: Apache-2.0
"""Rows whose keys do not fit one tile: what is kept between two tiles, and how they merge.

A row's sums are relative to an integer reference exponent, so two tiles merge by a shift (the
online softmax of Milakov and Gimelshein, 2018, with a power of two for the rescale). Selection
across tiles looks at the predicted sum of the tiles seen so far, the one at hand included:
``lambda`` of a row that has seen half its keys is measured against half its mass, so early tiles
keep a few keys more than the whole row would have asked for, never fewer.
"""

from dataclasses import dataclass

import numpy as np

from pasa import formats as f
from pasa.arithmetic import Integer, log2_of
from pasa.formats import Build

FARTHEST = 63  # a larger rescale leaves nothing


@dataclass(frozen=True)
class Carried:
    """Rows between two tiles; all int64.

    Attributes:
        reference: [n] reference exponent of the sums, in octaves.
        total: [n] summed weights, raw at WEIGHT_FRACTION, below 2^Build.total_bits; 0: no key yet.
        weighted: [n, d] weighted sums of V.
        predicted_reference: [n] reference exponent of ``predicted_total``.
        predicted_total: [n] summed predicted weights, raw at PREDICTED_WEIGHT_FRACTION,
            saturated at 2^RUNNING_BITS - 1; 0: no key yet.
    """

    reference: np.ndarray
    total: np.ndarray
    weighted: np.ndarray
    predicted_reference: np.ndarray
    predicted_total: np.ndarray

    @classmethod
    def nothing(cls, rows: int, dims: int) -> "Carried":
        """Rows that have seen no key."""
        zero = np.zeros(rows, dtype=np.int64)
        return cls(zero, zero, np.zeros((rows, dims), dtype=np.int64), zero, zero)

    def rows(self, part: slice) -> "Carried":
        """Some of the rows."""
        return Carried(*(column[part] for column in self.columns()))

    def columns(self) -> tuple[np.ndarray, ...]:
        """The attributes, in order."""
        return (
            self.reference,
            self.total,
            self.weighted,
            self.predicted_reference,
            self.predicted_total,
        )


def merge_sums(
    tile: tuple, before: tuple, step: Integer, build: Build
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Merge (reference [n], total [n], weighted [n, d]) of a tile with that of the tiles before.

    The lower reference's sums are shifted down: the total rounded up and the weighted sums down,
    so that no average leaves int8. Where the total would pass ``Build.total_bits``, everything
    is halved and the reference raised.
    """
    keep = tile[1] == 0  # an empty tile changes nothing
    tile_leads = ~keep & ((before[1] == 0) | (tile[0] >= before[0]))
    lead = [_choose(tile_leads, a, b) for a, b in zip(tile, before, strict=True)]
    rest = [_choose(tile_leads, b, a) for a, b in zip(tile, before, strict=True)]
    distance = np.minimum(np.abs(tile[0] - before[0]), FARTHEST)
    total = lead[1] + step.lower_total(rest[1], distance)
    weighted = lead[2] + step.lower(rest[2], distance[:, None])
    halve = total >> build.total_bits
    return (
        lead[0] + halve,
        step.lower_total(total, halve),
        step.lower(weighted, halve[:, None]),
    )


def running_total(tile: tuple, before: tuple) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predicted sum of a tile and the tiles before, each (reference [n], total [n]).

    Returns:
        reference and total of both, and log2 of the total (raw at LOG_FRACTION) relative to the
        reference of the tile at hand, whose distances it is compared with.
    """
    rise = np.where(before[1] == 0, 0, before[0] - tile[0])
    before_leads = (rise > 0) | (tile[1] == 0)
    down = np.clip(np.where(before_leads, rise, 0), 0, f.RISE_MAX)
    down_before = np.minimum(np.where(before_leads, 0, -rise), f.RISE_MAX)
    total = (tile[1] >> down) + (before[1] >> down_before)
    total = np.minimum(total, (1 << f.RUNNING_BITS) - 1)
    log_total = log2_of(np.maximum(total, 1), f.PREDICTED_WEIGHT_FRACTION)
    lifted = down << f.LOG_FRACTION
    return np.where(before_leads, before[0], tile[0]), total, log_total + lifted


def _choose(first: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rows of a where ``first`` holds, else of b."""
    return np.where(first if a.ndim == 1 else first[:, None], a, b)
