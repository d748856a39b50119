# SPDX-License-Identifier: Apache-2.0
"""Symmetric int8 quantisation with one scale a tensor and head: value = code * scale."""

import numpy as np

from .errors import ArgumentError

CODE_MAX = 127  # scales use +-127; -128 stays a legal code


def check_matrix(x: np.ndarray, *, name: str = "x") -> np.ndarray:
    """`x` as float64 [n, d]. ArgumentError unless 2-D, not empty, numeric and finite."""
    x = np.asarray(x)
    if x.ndim != 2 or 0 in x.shape:
        raise ArgumentError(f"{name}: shape {x.shape} given, want [n, d] with n and d at least 1")
    if x.dtype.kind not in "fiu":
        raise ArgumentError(f"{name}: dtype {x.dtype} given, want real numbers")
    x = x.astype(np.float64)
    if not np.isfinite(x).all():
        row, column = np.argwhere(~np.isfinite(x))[0]
        raise ArgumentError(f"{name}: {x[row, column]} at [{row}, {column}], want finite numbers")
    return x


def scale_of(x: np.ndarray, *, name: str = "x") -> float:
    """Scale that puts the largest magnitude of `x` [n, d] at code 127; 1.0 when all are 0."""
    return _scale(x, code_max=CODE_MAX, name=name)


def output_scale(o: np.ndarray, *, bits: int = 8, name: str = "o") -> float:
    """Scale of an int8 or int16 output that holds `o` [n, d] without saturating.

    Attention averages, so V's own scale would leave most of these codes unused.
    """
    if bits not in (8, 16):
        raise ArgumentError(f"bits: {bits} given, want 8 or 16")
    return _scale(o, code_max=2 ** (bits - 1) - 1, name=name)


def quantise(x: np.ndarray, scale: float, *, name: str = "x") -> np.ndarray:
    """int8 codes of `x` [n, d]: x / scale, half to even, saturated to -128..127."""
    codes = np.rint(check_matrix(x, name=name) / check_scale(scale))
    return np.clip(codes, -128, 127).astype(np.int8)


def dequantise(codes: np.ndarray, scale: float) -> np.ndarray:
    """float64 values of integer codes, any shape."""
    return np.asarray(codes, np.float64) * check_scale(scale)


def check_scale(scale: float, *, name: str = "scale") -> float:
    """`scale` as a float. ArgumentError unless it is finite and above 0."""
    scale = float(scale)
    if not (np.isfinite(scale) and scale > 0):
        raise ArgumentError(f"{name}: {scale} given, want a finite number above 0")
    return scale


def _scale(x: np.ndarray, *, code_max: int, name: str) -> float:
    scale = float(np.abs(check_matrix(x, name=name)).max()) / code_max
    return scale if scale > 0 else 1.0
