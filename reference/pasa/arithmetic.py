# SPDX-License-Identifier: Apache-2.0
"""Every rounding step of the accelerator, twice: as fxpmath formats and as plain integers.

``Specification`` says what each step means, in real numbers quantised by fxpmath to a named
``Format``. ``Integer`` is its fast twin in NumPy int64, as the RTL computes it. Tests prove the
two equal over random and extreme inputs. All arguments and results are raw integers.
"""

import numpy as np

from pasa import formats as f
from pasa.formats import (
    AVERAGE,
    FACTOR,
    PREDICTED,
    PREDICTED_WEIGHT,
    RECIPROCAL,
    SCORE_LOG2,
    TOTAL,
    WEIGHT,
    WEIGHTED,
)


def nibble(code: np.ndarray, pred_bits: int) -> np.ndarray:
    """The top ``pred_bits`` of int8 codes, rounded half up and saturated."""
    drop = 8 - pred_bits
    top = (code.astype(np.int64) + (1 << drop - 1)) >> drop
    return np.minimum(top, (1 << pred_bits - 1) - 1)


def log2_of(total: np.ndarray, fraction: int) -> np.ndarray:
    """log2 of positive fixed-point numbers, raw at LOG_FRACTION: leading one and 6 more bits."""
    total = np.asarray(total, dtype=np.int64)
    top = leading_one(total)
    aligned = (total << f.LOG_INDEX_BITS) >> top  # 64..127
    index = aligned - (1 << f.LOG_INDEX_BITS)
    return ((top - fraction) << f.LOG_FRACTION) + f.log2_table()[index]


def leading_one(value: np.ndarray) -> np.ndarray:
    """Position of the most significant 1 of positive integers below 2^53."""
    return np.frexp(np.asarray(value, dtype=np.float64))[1].astype(np.int64) - 1


class Integer:
    """The steps on integers, as the RTL does them."""

    def predicted_log2(self, product: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
        """Nibble dot product -> predicted score in 1/16 octave, rounded half up, saturated."""
        scaled = (product * multiplier + ((1 << shift) >> 1)) >> shift
        limit = 1 << f.PREDICTED_BITS - 1
        return np.clip(scaled, -limit, limit - 1)

    def predicted_weight(self, distance: np.ndarray) -> np.ndarray:
        """Distance below the row's reference -> 2^-distance; 0 from DISTANCE_FAR on."""
        octave = distance >> f.PREDICTED_FRACTION
        step = distance & ((1 << f.PREDICTED_FRACTION) - 1)
        weight = f.predicted_weight_table()[step] >> octave
        return np.where(distance >= f.DISTANCE_FAR, 0, weight)

    def score_log2(self, score: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
        """Exact score -> octaves, raw at SCORE_FRACTION."""
        return (score * multiplier) >> shift

    def weight(self, distance: np.ndarray) -> np.ndarray:
        """Distance below the reference exponent (raw at SCORE_FRACTION, >= 0) -> 2^-distance."""
        base, slope = f.exp2_table()
        octave = np.minimum(distance >> f.SCORE_FRACTION, 63)
        index = (distance >> f.EXP2_LOW_BITS) & ((1 << f.EXP2_INDEX_BITS) - 1)
        low = distance & ((1 << f.EXP2_LOW_BITS) - 1)
        return (base[index] - ((slope[index] * low) >> f.EXP2_LOW_BITS)) >> octave

    def block_weight(self, total: np.ndarray, block_log2: int, shift: np.ndarray) -> np.ndarray:
        """Summed predicted weight of a block's dropped keys -> weight of its mean key."""
        scale = f.WEIGHT_FRACTION - f.PREDICTED_WEIGHT_FRACTION - block_log2
        return (total << scale) >> np.minimum(shift, 63)

    def lower(self, weighted: np.ndarray, octaves: np.ndarray) -> np.ndarray:
        """Weighted sums against a reference so many octaves higher, rounded down."""
        return weighted >> octaves

    def lower_total(self, total: np.ndarray, octaves: np.ndarray) -> np.ndarray:
        """Summed weights against a reference so many octaves higher, rounded up."""
        return -(-total >> octaves)

    def average(self, weighted: np.ndarray, total: np.ndarray) -> np.ndarray:
        """Weighted sum of V over the leading power of two of the summed weights."""
        return (weighted << f.AVERAGE_FRACTION) >> leading_one(total)

    def reciprocal(self, total: np.ndarray) -> np.ndarray:
        """1/m of the mantissa m in [1, 2) of the summed weights, raw at RECIPROCAL_FRACTION."""
        base, slope = f.reciprocal_table()
        places = f.RECIPROCAL_INDEX_BITS + f.RECIPROCAL_LOW_BITS
        mantissa = (total << places) >> leading_one(total)
        index = (mantissa >> f.RECIPROCAL_LOW_BITS) & ((1 << f.RECIPROCAL_INDEX_BITS) - 1)
        low = mantissa & ((1 << f.RECIPROCAL_LOW_BITS) - 1)
        return base[index] - ((slope[index] * low) >> f.RECIPROCAL_LOW_BITS)

    def factor(self, reciprocal: np.ndarray, multiplier: int) -> np.ndarray:
        """Reciprocal times output multiplier, FACTOR_BITS wide."""
        return (reciprocal * multiplier) >> f.OUTPUT_MULTIPLIER_BITS

    def output(
        self, average: np.ndarray, factor: np.ndarray, shift: int, bits: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Output code, rounded half to even and saturated; and where it saturated."""
        product = average * factor
        floor = product >> shift
        rest = product - (floor << shift)
        half = 1 << shift - 1
        code = floor + ((rest > half) | ((rest == half) & (floor & 1 == 1)))
        limit = 1 << bits - 1
        clipped = np.clip(code, -limit, limit - 1)
        return clipped, clipped != code


class Specification(Integer):
    """The same steps as real numbers quantised by fxpmath to the formats of ``formats.py``."""

    def predicted_log2(self, product: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
        octaves = product * multiplier * 2.0 ** -(shift + f.PREDICTED_FRACTION)
        half_step = 2.0 ** -(f.PREDICTED_FRACTION + 1) if shift else 0.0
        return PREDICTED.raw(octaves + half_step)

    def predicted_weight(self, distance: np.ndarray) -> np.ndarray:
        octave, step = np.divmod(distance, 1 << f.PREDICTED_FRACTION)
        mantissa = f.predicted_weight_table()[step] / (1 << f.PREDICTED_WEIGHT_FRACTION)
        near = distance < f.DISTANCE_FAR
        return PREDICTED_WEIGHT.raw(np.where(near, mantissa * 2.0**-octave, 0.0))

    def score_log2(self, score: np.ndarray, multiplier: int, shift: int) -> np.ndarray:
        return SCORE_LOG2.raw(score * (multiplier * 2.0 ** -(shift + f.SCORE_FRACTION)))

    def weight(self, distance: np.ndarray) -> np.ndarray:
        octaves = distance / (1 << f.SCORE_FRACTION)
        whole = np.floor(octaves)
        piece, within = np.divmod((octaves - whole) * (1 << f.EXP2_INDEX_BITS), 1)
        base, slope = (column[piece.astype(np.int64)] for column in f.exp2_table())
        one = 1 << f.WEIGHT_FRACTION
        mantissa = base / one - WEIGHT.raw(slope / one * within) / one
        return WEIGHT.raw(mantissa * 2.0 ** -np.minimum(whole, 63))

    def block_weight(self, total: np.ndarray, block_log2: int, shift: np.ndarray) -> np.ndarray:
        mean = total * 2.0 ** -(f.PREDICTED_WEIGHT_FRACTION + block_log2)
        return WEIGHT.raw(mean * 2.0 ** -np.minimum(shift, 63).astype(float))

    def lower(self, weighted: np.ndarray, octaves: np.ndarray) -> np.ndarray:
        return WEIGHTED.raw(weighted * 2.0 ** -(octaves + f.WEIGHT_FRACTION))

    def lower_total(self, total: np.ndarray, octaves: np.ndarray) -> np.ndarray:
        return TOTAL.raw(total * 2.0 ** -(octaves + f.WEIGHT_FRACTION))

    def average(self, weighted: np.ndarray, total: np.ndarray) -> np.ndarray:
        return AVERAGE.raw(weighted / 2.0 ** leading_one(total))

    def reciprocal(self, total: np.ndarray) -> np.ndarray:
        places = 1 << f.RECIPROCAL_INDEX_BITS + f.RECIPROCAL_LOW_BITS
        mantissa = np.floor(total / 2.0 ** leading_one(total) * places) / places
        piece, within = np.divmod((mantissa - 1) * (1 << f.RECIPROCAL_INDEX_BITS), 1)
        base, slope = (column[piece.astype(np.int64)] for column in f.reciprocal_table())
        one = 1 << f.RECIPROCAL_FRACTION
        return RECIPROCAL.raw(base / one - RECIPROCAL.raw(slope / one * within) / one)

    def factor(self, reciprocal: np.ndarray, multiplier: int) -> np.ndarray:
        return FACTOR.raw(reciprocal * (multiplier * 2.0**-f.OUTPUT_MULTIPLIER_BITS))

    def output(
        self, average: np.ndarray, factor: np.ndarray, shift: int, bits: int
    ) -> tuple[np.ndarray, np.ndarray]:
        real = average * factor * 2.0**-shift
        code = f.output_format(bits).raw(real)
        return code, code != np.rint(real)
