# SPDX-License-Identifier: Apache-2.0
"""Random heads have the shape, type and character that their name says."""

import numpy as np
import pytest
from pasa import ArgumentError
from pasa.patterns import NAMES, make_head


@pytest.mark.parametrize("name", NAMES)
def test_shapes_types_and_seeds(name: str) -> None:
    shapes = [(3, 7), (50, 7), (50, 7)]
    one, two = (make_head(name, np.random.default_rng(5), 3, 50, 7) for _ in range(2))
    assert [array.shape for array in one] == shapes
    assert all(array.dtype == np.int8 for array in one)
    assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    assert [array.shape for array in make_head(name, np.random.default_rng(), 1, 1, 1)] == [
        (1, 1)
    ] * 3


def test_characters() -> None:
    rng = np.random.default_rng(0)
    heads = {name: make_head(name, rng, 200, 300, 16)[1].astype(int) for name in NAMES}
    assert (np.count_nonzero(heads["one_hot"], axis=1) == 1).all()
    assert np.unique(heads["all_equal"]).size == 1
    assert np.unique(heads["all_lowest"]).tolist() == [-128]
    for name in ("extremes", "alternating"):
        assert np.unique(heads[name]).tolist() == [-128, 127]
    assert (np.diff(np.sign(heads["alternating"]), axis=0) != 0).all()
    assert np.unique(heads["uniform"]).size == 256
    tails = {n: (np.abs(heads[n]) > 4 * np.median(np.abs(heads[n]))).mean() for n in heads}
    assert tails["heavy_tailed"] > 5 * tails["gaussian"]


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ArgumentError, match="'cauchy' must be one of uniform, gaussian"):
        make_head("cauchy", np.random.default_rng(), 1, 1, 1)
