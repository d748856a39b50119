# SPDX-License-Identifier: Apache-2.0
"""How far the table functions lie from the real ones, over every input there is."""

import numpy as np
from pasa import formats as f
from pasa.arithmetic import Integer, leading_one, log2_of

STEP = Integer()


def test_weight_errs_by_less_than_2_to_minus_18() -> None:
    fraction = np.arange(1 << f.SCORE_FRACTION)
    real = np.exp2(-fraction / (1 << f.SCORE_FRACTION))
    error = STEP.weight(fraction) / (1 << f.WEIGHT_FRACTION) - real
    assert np.abs(error).max() < 2.0**-18


def test_weight_never_rises_with_distance() -> None:
    octaves = f.WEIGHT_BITS + 2
    weight = STEP.weight(np.arange(octaves << f.SCORE_FRACTION))
    assert weight[0] <= 1 << f.WEIGHT_FRACTION
    assert (np.diff(weight) <= 0).all()
    assert weight[-1] == 0
    assert STEP.weight(np.array([64 << f.SCORE_FRACTION, 1 << 41])).tolist() == [0, 0]


def test_reciprocal_errs_by_less_than_2_to_minus_16() -> None:
    one = 1 << f.RECIPROCAL_INDEX_BITS + f.RECIPROCAL_LOW_BITS
    mantissa = one + np.arange(one)
    reciprocal = STEP.reciprocal(mantissa)
    error = reciprocal / (1 << f.RECIPROCAL_FRACTION) - one / mantissa
    assert np.abs(error).max() < 2.0**-16
    assert reciprocal.max() <= 1 << f.RECIPROCAL_FRACTION
    assert (np.diff(reciprocal) <= 0).all()


def test_factor_fits_its_width() -> None:
    largest = np.array(1 << f.RECIPROCAL_FRACTION)
    assert STEP.factor(largest, (1 << f.OUTPUT_MULTIPLIER_BITS) - 1) < 1 << f.FACTOR_BITS


def test_log2_errs_by_less_than_half_a_step_and_a_rounding() -> None:
    total = np.arange(1, 1 << 16)
    error = log2_of(total, 0) / (1 << f.LOG_FRACTION) - np.log2(total)
    half_step = np.log2(1 + 0.5 / (1 << f.LOG_INDEX_BITS))
    assert np.abs(error).max() < half_step + 2.0**-f.LOG_FRACTION


def test_predicted_weight_errs_by_less_than_its_last_place() -> None:
    distance = np.arange(f.DISTANCE_FAR)
    real = np.exp2(-distance / (1 << f.PREDICTED_FRACTION))
    error = STEP.predicted_weight(distance) / (1 << f.PREDICTED_WEIGHT_FRACTION) - real
    assert np.abs(error).max() < 2.0**-f.PREDICTED_WEIGHT_FRACTION
    assert STEP.predicted_weight(np.array([f.DISTANCE_FAR, f.DISTANCE_MASKED])).tolist() == [0, 0]


def test_reference_exponent_fits_its_width() -> None:
    """The proof in pasa_row_reference, at the largest build."""
    best = np.array([-128 << 14, 128 << 14])  # 128 products of two int8
    octaves = STEP.score_log2(best, (1 << f.SCORE_MULTIPLIER_BITS) - 1, 0)
    reference = -(-octaves >> f.SCORE_FRACTION)
    assert np.abs(reference).max() < 1 << f.REFERENCE_BITS - 1


def test_average_fits_one_multiplier_port() -> None:
    """|weighted| <= 128 * total, so the average fits 25 bits signed at every total."""
    total = np.concatenate([1 << np.arange(35), (2 << np.arange(35)) - 1])
    for code in (-128, 127):
        average = STEP.average(code * total, total)
        limit = 1 << 8 + f.AVERAGE_FRACTION  # reached below only: flooring
        assert average.min() >= -limit and average.max() < limit
    assert (leading_one(total) == np.tile(np.arange(35), 2)).all()
