# SPDX-License-Identifier: Apache-2.0
"""Layers that both models share, float32.

Every attention goes through an `Attend` hook, so a caller can record Q, K and V or put an
approximation in its place without touching a model.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Site:
    """Where an attention sits in its model."""

    kind: str  # "encoder" | "decoder" | "cross"
    layer: int
    causal: bool


# (site, q [heads, n_q, d], k [heads, n_k, d], v [heads, n_k, d]) -> [heads, n_q, d]
Attend = Callable[[Site, Array, Array, Array], Array]


def exact_attention(site: Site, q: Array, k: Array, v: Array) -> Array:
    """softmax(q k^T / sqrt(d)) v for each head; query 0 of a causal site sees key 0 only."""
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    if site.causal:
        hidden = np.triu(np.ones(scores.shape[1:], bool), 1)
        scores = np.where(hidden, -np.inf, scores)
    return softmax(scores) @ v


class Recorder:
    """An `Attend` that keeps what it saw: `seen[site]` is (q, k, v) of the last call."""

    def __init__(self) -> None:
        self.seen: dict[Site, tuple[Array, Array, Array]] = {}

    def __call__(self, site: Site, q: Array, k: Array, v: Array) -> Array:
        self.seen[site] = (q, k, v)
        return exact_attention(site, q, k, v)


def softmax(x: Array) -> Array:
    """Over the last axis; -inf is a masked key."""
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def gelu(x: Array) -> Array:
    """x Phi(x), with erf from Abramowitz and Stegun 7.1.26 (error below 2e-7)."""
    z = np.abs(x) * np.float32(np.sqrt(0.5))
    t = 1 / (1 + np.float32(0.3275911) * z)
    poly = t * (
        0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))
    )
    erf = np.sign(x) * (1 - poly * np.exp(-z * z))
    return 0.5 * x * (1 + erf)


def layer_norm(x: Array, gamma: Array, beta: Array, *, eps: float) -> Array:
    """Over the last axis, biased variance."""
    x = x - x.mean(-1, keepdims=True)
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + eps) * gamma + beta


def split_heads(x: Array, *, heads: int) -> Array:
    """[n, heads * d] -> [heads, n, d]."""
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)


def merge_heads(x: Array) -> Array:
    """[heads, n, d] -> [n, heads * d]."""
    return x.transpose(1, 0, 2).reshape(x.shape[1], -1)
