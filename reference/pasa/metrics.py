# SPDX-License-Identifier: Apache-2.0
"""How far an output is from the exact one, and what a selection costs."""

from dataclasses import dataclass

import numpy as np

from pasa.errors import ArgumentError, DataError
from pasa.fixed import Result
from pasa.formats import PREDICTED_WEIGHT_FRACTION


@dataclass(frozen=True)
class Agreement:
    """An output against the dense float64 attention of the same int8 inputs.

    Attributes:
        relative_error: Frobenius norm of the difference over that of the exact output.
        max_lsb_error: largest difference between the codes and the rounded exact output.
        within_one_lsb: share of the elements that differ by at most one code.
        mean_row_sum: mean over non-empty rows of the sum of normalised weights.
        kept_fraction: kept keys over visible keys.
        dropped_mass: mean over rows of the estimated dropped share of the row's mass.
    """

    relative_error: float
    max_lsb_error: int
    within_one_lsb: float
    mean_row_sum: float
    kept_fraction: float
    dropped_mass: float


def relative_error(output: np.ndarray, exact: np.ndarray) -> float:
    """||output - exact|| / ||exact|| in the Frobenius norm; 0/0 counts as 0, x/0 as 1."""
    output, exact = _alike(output, exact)
    norm = np.linalg.norm(exact)
    error = np.linalg.norm(output - exact)
    return float(error / norm) if norm else float(error > 0)


def lsb_error(codes: np.ndarray, exact: np.ndarray, bits: int) -> np.ndarray:
    """Distance in codes from the exact output (in code units) rounded half to even."""
    if bits not in (8, 16):
        raise ArgumentError(f"bits = {bits!r} must be 8 or 16")
    codes, exact = _alike(codes, exact)
    limit = 1 << bits - 1
    return np.abs(codes - np.clip(np.rint(exact), -limit, limit - 1)).astype(np.int64)


def _alike(output: np.ndarray, exact: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64; DataError unless they agree in shape and are finite."""
    output, exact = np.asarray(output, dtype=np.float64), np.asarray(exact, dtype=np.float64)
    if output.shape != exact.shape:
        raise DataError(f"output {list(output.shape)} and exact {list(exact.shape)} must agree")
    for name, array in (("output", output), ("exact", exact)):
        if not np.isfinite(array).all():
            raise DataError(f"{name} holds NaN or infinity, want finite numbers")
    return output, exact


def agreement(result: Result, exact: Result, *, bits: int = 8) -> Agreement:
    """Compare a result of ``fixed`` (or of the RTL) with a dense result of ``ideal``.

    Args:
        result: integer codes.
        exact: float64, with the same output scale.
        bits: width of an output code.

    Raises:
        DataError: shapes or output scales differ, or a value is not finite.
    """
    scales = result.output_scale, exact.output_scale
    if None not in scales and scales[0] != scales[1]:
        raise DataError(f"output_scale {scales[0]} of the result and {scales[1]} of exact differ")
    error = lsb_error(result.output, exact.output, bits)
    sums = result.row_sum[~result.empty]
    return Agreement(
        relative_error=relative_error(result.output, exact.output),
        max_lsb_error=int(error.max()),
        within_one_lsb=float(np.mean(error <= 1)),
        mean_row_sum=float(sums.mean()) if len(sums) else 1.0,
        kept_fraction=result.kept_fraction,
        dropped_mass=float(np.mean(result.dropped_mass)) / dropped_mass_one(result),
    )


def dropped_mass_one(result: Result) -> float:
    """What stands for a share of 1 in ``result.dropped_mass``."""
    integer = np.issubdtype(np.asarray(result.dropped_mass).dtype, np.integer)
    return float(1 << PREDICTED_WEIGHT_FRACTION) if integer else 1.0
