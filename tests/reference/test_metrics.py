# SPDX-License-Identifier: Apache-2.0
"""Metrics on values that can be worked out by hand."""

import numpy as np
import pytest
from pasa import ArgumentError, DataError, ideal, metrics

from tests.reference.heads import make_case


def test_relative_error() -> None:
    exact = np.array([[3.0, 4.0]])
    assert metrics.relative_error(exact, exact) == 0
    assert metrics.relative_error(exact + [[0, 1]], exact) == pytest.approx(0.2)
    assert metrics.relative_error([[0, 0]], exact) == 1
    assert metrics.relative_error(exact * 0, exact * 0) == 0
    assert metrics.relative_error(exact, exact * 0) == 1


def test_lsb_error_rounds_half_to_even_and_clips() -> None:
    exact = np.array([0.5, 1.5, -0.5, 200.0, -999.0, 126.6])
    assert metrics.lsb_error(np.array([0, 2, 0, 127, -128, 127]), exact, 8).tolist() == [0] * 6
    assert metrics.lsb_error(np.array([1, 1, -2, 120, 0, 0]), exact, 8).tolist() == [
        1, 1, 2, 7, 128, 127,
    ]  # fmt: skip
    assert metrics.lsb_error(np.array([200]), np.array([199.6]), 16).tolist() == [0]


def test_agreement() -> None:
    case = make_case(
        "gaussian", n_q=30, n_k=256, d=16, sharpness=2.0, pred_dims=16, min_probability=0.01
    )
    exact = ideal.attention(case.q, case.k, case.v, **case.arguments | {"min_probability": None})
    result = case.run()
    agreement = metrics.agreement(result, exact)
    error = result.output - exact.output
    norm = np.sqrt((error**2).sum() / (exact.output**2).sum())
    assert agreement.relative_error == pytest.approx(norm)
    assert agreement.max_lsb_error == np.abs(result.output - np.rint(exact.output)).max() > 1
    near = np.abs(result.output - np.rint(exact.output)) <= 1
    assert agreement.within_one_lsb == pytest.approx(near.mean())
    assert near.mean() < 0.99  # so that the check means something
    assert agreement.kept_fraction == pytest.approx(result.kept.sum() / (30 * 256))
    assert agreement.mean_row_sum == pytest.approx(1, abs=2**-10)
    approximate = ideal.attention(case.q, case.k, case.v, **case.arguments)
    mass = metrics.agreement(approximate, exact).dropped_mass
    assert agreement.dropped_mass == pytest.approx(mass, rel=0.1)


def test_agreement_ignores_the_sums_of_empty_rows() -> None:
    case = make_case("gaussian", n_q=3, n_k=9, d=8, sharpness=1.0, causal=True, query_offset=-2)
    exact = ideal.attention(case.q, case.k, case.v, **case.arguments)
    assert metrics.agreement(case.run(), exact).mean_row_sum == pytest.approx(1, abs=2**-10)
    nothing = case.with_options(key_length=0)
    exact = ideal.attention(case.q, case.k, case.v, **nothing.arguments)
    assert metrics.agreement(nothing.run(), exact).mean_row_sum == 1


def test_unequal_things_are_not_compared() -> None:
    case = make_case("gaussian", n_q=3, n_k=9, d=8, sharpness=1.0)
    exact = ideal.attention(case.q, case.k, case.v, **case.arguments)
    other = ideal.attention(case.q, case.k, case.v, **case.arguments, output_scale=0.5)
    with pytest.raises(DataError, match=r"output_scale 0.03 .* 0.5"):
        metrics.agreement(case.run(), other)
    with pytest.raises(DataError, match=r"\[2, 8\] and exact \[3, 8\]"):
        metrics.relative_error(exact.output[:2], exact.output)
    with pytest.raises(DataError, match=r"\[8\] and exact \[3, 8\]"):
        metrics.lsb_error(case.run().output[0], exact.output, 8)
    with pytest.raises(DataError, match="exact holds NaN"):
        metrics.lsb_error(case.run().output, exact.output * np.nan, 8)
    with pytest.raises(DataError, match="output holds NaN"):
        metrics.relative_error(exact.output * np.inf, exact.output)
    with pytest.raises(ArgumentError, match="bits = 12"):
        metrics.lsb_error(exact.output, exact.output, 12)
