# SPDX-License-Identifier: Apache-2.0
"""Scales and int8 codes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pasa.errors import ArgumentError
from pasa.quantise import dequantise, output_scale, quantise, scale_of

MATRICES = arrays(
    np.float64,
    array_shapes(min_dims=2, max_dims=2, max_side=8),
    elements=st.floats(-1e6, 1e6, width=32),
)


@given(MATRICES)
def test_round_trip_is_within_half_a_code(x):
    scale = scale_of(x)
    codes = quantise(x, scale)
    assert codes.dtype == np.int8
    assert np.abs(codes.astype(int)).max() <= 127
    assert np.abs(dequantise(codes, scale) - x).max() <= scale / 2 * (1 + 1e-9)


def test_the_largest_value_gets_code_127():
    x = np.array([[1.0, -4.0], [2.0, 0.5]])
    assert scale_of(x) == 4 / 127
    assert quantise(x, scale_of(x))[0, 1] == -127


def test_halves_go_to_even_and_both_ends_saturate():
    x = np.array([[0.5, 1.5, 2.5, -0.5, -1.5, 200, -200]])
    assert quantise(x, 1.0).tolist() == [[0, 2, 2, 0, -2, 127, -128]]


def test_zeros_have_scale_one():
    zeros = np.zeros((3, 2))
    assert scale_of(zeros) == output_scale(zeros) == 1.0
    assert not quantise(zeros, 1.0).any()


def test_output_scale_fills_the_codes_of_its_width():
    o = np.array([[0.25, -0.5]])
    assert output_scale(o) == 0.5 / 127
    assert output_scale(o, bits=16) == 0.5 / 32767


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.array([[1.0, np.nan]]), r"key: nan at \[0, 1\]"),
        (np.array([[-np.inf]]), r"key: -inf at \[0, 0\]"),
        (np.ones(3), r"key: shape \(3,\)"),
        (np.ones((2, 3, 4)), r"key: shape \(2, 3, 4\)"),
        (np.ones((0, 4)), r"key: shape \(0, 4\)"),
        (np.ones((1, 1), complex), "key: dtype complex128"),
        (np.array([["a"]]), "key: dtype <U1"),
    ],
)
def test_a_bad_array_is_named(x, message):
    with pytest.raises(ArgumentError, match=message):
        scale_of(x, name="key")


@pytest.mark.parametrize("scale", [0.0, -1.0, np.nan, np.inf])
def test_a_bad_scale_is_refused(scale):
    with pytest.raises(ArgumentError, match="scale: .* above 0"):
        quantise(np.ones((1, 1)), scale)


def test_an_output_has_8_or_16_bits():
    with pytest.raises(ArgumentError, match="bits: 12 given"):
        output_scale(np.ones((1, 1)), bits=12)
