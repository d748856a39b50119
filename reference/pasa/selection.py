# SPDX-License-Identifier: Apache-2.0
"""The selection rule (DESIGN section 1, step 2), to the bit.

Each visible key of a row has a *distance*: how far its predicted score lies below the row's
integer reference exponent, in 1/16 octave, saturated at DISTANCE_FAR. A row keeps its keys in
order of (distance, key number) up to a *cut*: every key nearer than ``distance``, and the first
``ties`` keys exactly at it. Threshold and budget each give a cut; the smaller set wins.
"""

from dataclasses import dataclass

import numpy as np

from pasa import formats as f
from pasa.arithmetic import log2_of

NO_LIMIT = 1 << f.LENGTH_BITS


@dataclass(frozen=True)
class Prediction:
    """What the predictor knows of rows [n, keys].

    Attributes:
        distance: int [n, keys], DISTANCE_MASKED where not visible.
        reference: int [n], the integer reference exponent, in octaves.
        weight: int [n, keys], raw at PREDICTED_WEIGHT_FRACTION.
        total: int [n], summed weight of the visible keys.
        log_total: int [n], log2 of the row's sum, raw at LOG_FRACTION, relative to ``reference``:
            what lambda is measured against. Of ``total``, or with rows that go on from an
            earlier tile, of both (``merging.running_total``).
    """

    distance: np.ndarray
    reference: np.ndarray
    weight: np.ndarray
    total: np.ndarray
    log_total: np.ndarray


def predict(scores: np.ndarray, visible: np.ndarray, arithmetic) -> Prediction:
    """Distances and weights from predicted scores [n, keys] (raw at PREDICTED_FRACTION)."""
    lowest = -(1 << f.PREDICTED_BITS)
    best = np.where(visible, scores, lowest).max(axis=1)
    reference = -(-best >> f.PREDICTED_FRACTION)  # ceiling
    below = (reference[:, None] << f.PREDICTED_FRACTION) - scores
    distance = np.where(visible, np.minimum(below, f.DISTANCE_FAR), f.DISTANCE_MASKED)
    weight = arithmetic.predicted_weight(distance)
    total = weight.sum(axis=1)
    log_total = log2_of(np.maximum(total, 1), f.PREDICTED_WEIGHT_FRACTION)
    return Prediction(distance, reference, weight, total, log_total)


def threshold_cut(prediction: Prediction, min_probability: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut of the keys whose predicted probability is at least lambda; always the best one."""
    steps = f.LOG_FRACTION - f.PREDICTED_FRACTION
    limit = np.minimum((min_probability - prediction.log_total) >> steps, f.DISTANCE_FAR)
    nearest = prediction.distance.min(axis=1)
    only_best = limit < nearest
    return np.where(only_best, nearest, limit), np.where(only_best, 1, NO_LIMIT)


def budget_cut(prediction: Prediction, budget: int) -> tuple[np.ndarray, np.ndarray]:
    """Cut of the ``budget`` best keys: counts of keys per distance, ties by key order."""
    levels = np.arange(f.DISTANCE_FAR + 1)
    counts = np.stack(
        [np.bincount(row, minlength=f.DISTANCE_MASKED + 1)[:-1] for row in prediction.distance]
    )
    up_to = np.cumsum(counts, axis=1)
    reached = up_to >= budget
    cut = np.where(reached.any(axis=1), reached.argmax(axis=1), f.DISTANCE_FAR)
    nearer = np.where(levels[None, :] < cut[:, None], counts, 0).sum(axis=1)
    return cut, budget - nearer


def kept_keys(
    prediction: Prediction, *, min_probability: int | None, budget: int | None
) -> np.ndarray:
    """Kept keys of each row, bool [n, keys]; with neither rule, every visible key."""
    distance = prediction.distance
    cut = np.full(len(distance), f.DISTANCE_FAR)
    ties = np.full(len(distance), NO_LIMIT)
    if min_probability is not None:
        cut, ties = threshold_cut(prediction, min_probability)
    if budget is not None:
        budget_at, budget_ties = budget_cut(prediction, budget)
        smaller = (budget_at < cut) | ((budget_at == cut) & (budget_ties < ties))
        cut, ties = np.where(smaller, budget_at, cut), np.where(smaller, budget_ties, ties)
    at_cut = distance == cut[:, None]
    first = np.cumsum(at_cut, axis=1) <= ties[:, None]
    visible = distance != f.DISTANCE_MASKED
    return visible & ((distance < cut[:, None]) | (at_cut & first))
