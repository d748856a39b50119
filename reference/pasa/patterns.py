# SPDX-License-Identifier: Apache-2.0
"""Random heads of named distributions, for tests of the model and of the hardware alike."""

from collections.abc import Callable

import numpy as np

from pasa.errors import ArgumentError

LOWEST, HIGHEST = -128, 127


def _codes(real: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(real), LOWEST, HIGHEST).astype(np.int8)


def _uniform(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.integers(LOWEST, HIGHEST + 1, (n, d)).astype(np.int8)


def _gaussian(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return _codes(rng.normal(0, 40, (n, d)))


def _heavy_tailed(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return _codes(15 * rng.standard_t(2, (n, d)))


def _one_hot(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Zeros but for one large code a row, so a query meets few keys, strongly."""
    codes = np.zeros((n, d), dtype=np.int8)
    codes[np.arange(n), rng.integers(0, d, n)] = rng.choice((LOWEST, HIGHEST), n)
    return codes


def _all_equal(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return np.full((n, d), rng.integers(LOWEST, HIGHEST + 1), dtype=np.int8)


def _all_lowest(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """Every code -128: the largest products that exist, all alike."""
    return np.full((n, d), LOWEST, dtype=np.int8)


def _extremes(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    return rng.choice(np.array([LOWEST, HIGHEST], dtype=np.int8), (n, d))


def _alternating(rng: np.random.Generator, n: int, d: int) -> np.ndarray:
    """A chessboard of the two extremes: scores swing from one end to the other key by key."""
    odd = np.add.outer(np.arange(n), np.arange(d)) & 1
    return np.where(odd, HIGHEST, LOWEST).astype(np.int8)


_MAKERS: dict[str, Callable[[np.random.Generator, int, int], np.ndarray]] = {
    "uniform": _uniform,
    "gaussian": _gaussian,
    "heavy_tailed": _heavy_tailed,
    "one_hot": _one_hot,
    "all_equal": _all_equal,
    "all_lowest": _all_lowest,
    "extremes": _extremes,
    "alternating": _alternating,
}

#: Every distribution that ``make_head`` knows.
NAMES: tuple[str, ...] = tuple(_MAKERS)


def make_head(
    name: str, rng: np.random.Generator, n_q: int, n_k: int, d: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """int8 codes q [n_q, d], k [n_k, d] and v [n_k, d] of the named distribution.

    Raises:
        ArgumentError: no distribution of that name.
    """
    if name not in _MAKERS:
        raise ArgumentError(f"name = {name!r} must be one of {', '.join(NAMES)}")
    return tuple(_MAKERS[name](rng, n, d) for n in (n_q, n_k, n_k))
