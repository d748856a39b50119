# SPDX-License-Identifier: Apache-2.0
"""The algorithm in float64: what the hardware approximates, with no rounding of its own.

Dense, it is plain attention on the dequantised int8 inputs. With ``min_probability`` or
``budget`` it is the algorithm of DESIGN section 1, whose only losses are the selection and the
tail by blocks.
"""

import math

import numpy as np

from pasa.arithmetic import nibble
from pasa.command import default_output_scale, make_command
from pasa.fixed import ROWS_AT_ONCE, Result, check_head
from pasa.formats import Build
from pasa.masks import visible_keys


def attention(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    scale_q: float,
    scale_k: float,
    scale_v: float,
    output_scale: float | None = None,
    build: Build | None = None,
    softmax_scale: float | None = None,
    min_probability: float | None = None,
    budget: int | None = None,
    tail: bool = True,
    pred_dims: int = 16,
    **options,
) -> Result:
    """Attention of one head in float64; arguments and errors as ``fixed.attention``.

    Returns:
        a ``fixed.Result`` whose ``output`` is float64 in units of ``output_scale``, unrounded;
        ``dropped_mass`` is the predicted share as a float.
    """
    q, k, v = check_head(q, k, v)
    build = build or Build()
    if output_scale is None:
        output_scale = default_output_scale(scale_v, options.get("output_bits", 8))
    command = make_command(  # checks every argument as the hardware would
        len(q),
        len(k),
        q.shape[1],
        scale_q=scale_q,
        scale_k=scale_k,
        scale_v=scale_v,
        output_scale=output_scale,
        build=build,
        softmax_scale=softmax_scale,
        min_probability=min_probability,
        budget=budget,
        tail=tail,
        pred_dims=pred_dims,
        any_length=True,
        **options,
    )
    octave = scale_q * scale_k * math.log2(math.e)
    octave *= 1 / math.sqrt(q.shape[1]) if softmax_scale is None else softmax_scale
    head = _Head(q, k, v, octave, command, build, min_probability)
    parts = [head.rows(start) for start in range(0, len(q), ROWS_AT_ONCE)]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns["output"] = columns["output"] * (scale_v / output_scale)
    return Result(output_scale=output_scale, saturations=0, **columns)


class _Head:
    """Keys and values of one head with the stages of a row in float64."""

    def __init__(self, q, k, v, octave, command, build, min_probability):
        self.q, self.k, self.v = (x.astype(np.float64) for x in (q, k, v))
        self.octave, self.command, self.min_probability = octave, command, min_probability
        self.block_keys = build.block_keys
        dims = command.predicted_slices * 16
        self.q_nibbles = nibble(q[:, :dims], build.pred_bits).astype(np.float64)
        self.k_nibbles = nibble(k[:, :dims], build.pred_bits).astype(np.float64)
        self.nibble_octave = octave * 4.0 ** (8 - build.pred_bits)
        self.starts = np.arange(0, len(k), self.block_keys)
        counts = np.diff(np.append(self.starts, len(k)))
        self.block_means = np.add.reduceat(self.v, self.starts, axis=0) / counts[:, None]

    def rows(self, start: int) -> dict[str, np.ndarray]:
        """Rows ``start`` up to ``start + ROWS_AT_ONCE``."""
        c = self.command
        here = slice(start, min(start + ROWS_AT_ONCE, len(self.q)))
        queries = np.arange(here.start, here.stop)
        visible = visible_keys(
            queries,
            c.key_count,
            key_length=c.key_length,
            causal=bool(c.causal),
            query_offset=c.query_offset,
            window=c.window,
            sinks=c.sinks,
        )
        score = np.where(visible, self.q[here] @ self.k.T * self.octave, -np.inf)
        predicted = np.where(
            visible, self.q_nibbles[here] @ self.k_nibbles.T * self.nibble_octave, -np.inf
        )
        kept = self.keep(predicted, visible) if c.sparse else visible
        whole = np.add.reduceat(visible, self.starts, axis=1, dtype=np.int64) == self.block_keys
        use_tail = c.sparse and c.use_tail
        tail_keys = visible & ~kept & np.repeat(whole, self.block_keys, axis=1)[:, : len(self.k)]
        tail_keys &= bool(use_tail)
        reference = np.where(kept, score, -np.inf).max(axis=1, initial=-np.inf)
        tail_best = np.where(tail_keys, predicted, -np.inf).max(axis=1)
        reference = np.maximum(reference, tail_best)
        reference = np.where(np.isfinite(reference), reference, 0.0)[:, None]
        weight = np.where(kept, np.exp2(np.where(kept, score - reference, 0)), 0)
        lost = np.where(tail_keys, np.exp2(np.where(tail_keys, predicted - reference, 0)), 0)
        block_weight = np.add.reduceat(lost, self.starts, axis=1)
        total = weight.sum(axis=1) + block_weight.sum(axis=1)
        output = weight @ self.v + block_weight @ self.block_means
        output /= np.where(total == 0, 1, total)[:, None]
        share = self._softmax(predicted, visible)
        return {
            "output": output,
            "row_sum": (total > 0).astype(float),
            "empty": ~visible.any(axis=1),
            "visible": visible.sum(axis=1),
            "kept": kept.sum(axis=1),
            "kept_mask": kept,
            "blocks": (block_weight > 0).sum(axis=1),
            "dropped_mass": np.where(kept, 0, share).sum(axis=1),
        }

    @staticmethod
    def _softmax(octaves: np.ndarray, visible: np.ndarray) -> np.ndarray:
        best = np.where(visible, octaves, -np.inf).max(axis=1, keepdims=True)
        best = np.where(np.isfinite(best), best, 0)
        weight = np.where(visible, np.exp2(np.where(visible, octaves - best, 0)), 0)
        return weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)

    def keep(self, predicted: np.ndarray, visible: np.ndarray) -> np.ndarray:
        """Predicted probability at least lambda, at most ``budget``, always the best key."""
        order = np.argsort(-predicted, axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(order.shape[1])[None, :], axis=1)
        kept = visible.copy()
        if self.command.use_threshold:
            kept &= (self._softmax(predicted, visible) >= self.min_probability) | (rank == 0)
        if self.command.use_budget:
            kept &= rank < self.command.budget
        return kept
