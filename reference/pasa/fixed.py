# SPDX-License-Identifier: Apache-2.0
"""The golden model: bit for bit what the hardware computes.

``attention`` has the signature of ``ideal.attention``; ``run`` takes the integer command that
the hardware takes. The arithmetic steps live in ``arithmetic.py`` (fxpmath specification and its
integer twin), the selection rule in ``selection.py``, the masks in ``masks.py``.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from pasa import formats as f
from pasa.arithmetic import Integer, Specification, log2_of, nibble
from pasa.command import Command, default_output_scale, make_command
from pasa.errors import ArgumentError, DataError
from pasa.formats import Build
from pasa.masks import visible_keys
from pasa.merging import Carried, merge_sums, running_total
from pasa.plan import plan_head
from pasa.selection import Prediction, kept_keys, predict

ROWS_AT_ONCE = 256  # bounds the memory of the [rows, keys] arrays
LOWEST = -(1 << 62)


@dataclass(frozen=True)
class Result:
    """Output of a head and what is known about how it came to be.

    Attributes:
        output: int codes [n_q, d]; [0, d] from a command with ``merge_next``.
        output_scale: real value of one code, or None when run from an integer command.
        empty: bool [n_q], rows with no visible key (their output is zero).
        saturations: output codes that were clipped.
        visible, kept: keys seen and kept, int [n_q].
        kept_mask: bool [n_q, n_k].
        blocks: virtual keys used, int [n_q].
        row_sum: sum of the row's normalised weights, float [n_q]; 1 but for rounding.
        dropped_mass: estimated share of each row's mass that was dropped, raw at
            PREDICTED_WEIGHT_FRACTION, int [n_q]; summed over the tiles of a row, each against
            what was seen so far.
        carried: the rows as the next command finds them, from a command with ``merge_next``.
    """

    output: np.ndarray
    output_scale: float | None
    empty: np.ndarray
    saturations: int
    visible: np.ndarray
    kept: np.ndarray
    kept_mask: np.ndarray
    blocks: np.ndarray
    row_sum: np.ndarray
    dropped_mass: np.ndarray
    carried: Carried | None = None

    @property
    def real(self) -> np.ndarray:
        """Output in real units, float64 [n_q, d]."""
        if self.output_scale is None:
            raise ArgumentError("output_scale is unknown: the head ran from an integer command")
        return self.output * self.output_scale

    @property
    def kept_fraction(self) -> float:
        """Kept keys over visible keys."""
        return float(self.kept.sum() / max(1, self.visible.sum()))

    @property
    def counters(self) -> dict[str, int]:
        """Status fields that the golden model knows; they wrap as the hardware's do."""
        sums = {
            "rows": len(self.visible),
            "empty_rows": self.empty.sum(),
            "saturations": self.saturations,
            "keys_visible": self.visible.sum(),
            "keys_kept": self.kept.sum(),
            "blocks_compensated": self.blocks.sum(),
            "dropped_mass": self.dropped_mass.sum(),
        }
        return {name: int(n) & (1 << f.STATUS_FIELDS[name]) - 1 for name, n in sums.items()}


def check_codes(name: str, array: np.ndarray) -> np.ndarray:
    """Return the array if it is a 2-d int8 array, else raise DataError."""
    array = np.asarray(array)
    if array.dtype != np.int8 or array.ndim != 2 or 0 in array.shape:
        raise DataError(
            f"{name} must be a non-empty 2-d int8 array, not {array.dtype}{list(array.shape)}"
        )
    return array


def check_head(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple:
    """Check that q [n_q, d], k and v [n_k, d] are int8 and fit each other."""
    q, k, v = check_codes("q", q), check_codes("k", k), check_codes("v", v)
    if k.shape != v.shape:
        raise DataError(f"k {list(k.shape)} and v {list(v.shape)} must have the same shape")
    if q.shape[1] != k.shape[1]:
        raise DataError(f"q has {q.shape[1]} dimensions, k has {k.shape[1]}")
    return q, k, v


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
    specification: bool = False,
    **options,
) -> Result:
    """Attention of one head, bit-exact.

    Args:
        q, k, v: int8 codes, [n_q, d], [n_k, d], [n_k, d].
        scale_q, scale_k, scale_v: real value of one step of each.
        output_scale: real value of one output step; default V's own scale for int8 and
            1/256 of it for int16 (there, only a row of nothing but -128 may clip).
        build: hardware parameters.
        specification: compute with fxpmath instead of its integer twin (same bits, slower).
        options: see ``command.make_command``; any number of queries and keys up to 2^16
            (``plan.plan_head`` says how the hardware divides them).

    Raises:
        ArgumentError, DataError: name the argument and its limit.
    """
    q, k, v = check_head(q, k, v)
    if output_scale is None:
        output_scale = default_output_scale(scale_v, options.get("output_bits", 8))
    build = build or Build()
    head = make_command(
        len(q),
        len(k),
        q.shape[1],
        scale_q=scale_q,
        scale_k=scale_k,
        scale_v=scale_v,
        output_scale=output_scale,
        build=build,
        any_length=True,
        **options,
    )
    rows, tiles, carried = [], [], None
    for step in plan_head(head, build=build):
        part = run(
            step.command,
            q[step.queries],
            k[step.keys],
            v[step.keys],
            build=build,
            output_scale=output_scale,
            specification=specification,
            carried=carried,
        )
        carried = part.carried
        tiles.append((step.keys, part))
        if not step.command.merge_next:
            rows.append(_over_tiles(tiles, len(k)))
            tiles = []
    return _over_queries(rows)


def run(
    command: Command,
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    *,
    build: Build | None = None,
    output_scale: float | None = None,
    specification: bool = False,
    carried: Carried | None = None,
) -> Result:
    """Run one integer command on int8 codes.

    Args:
        carried: what the command before left (its ``Result.carried``), for ``merge_previous``.

    Raises:
        ArgumentError: a field does not fit its width, or the hardware would refuse the command.
        DataError: names the array that is not int8 or does not fit the others.
    """
    build = build or Build()
    command.pack()  # a record that cannot be written cannot run
    q, k, v = check_head(q, k, v)
    shape = (command.query_count, command.key_count, command.dims)
    if shape != (len(q), len(k), q.shape[1]):
        raise ArgumentError(f"the command's shape {shape} is not that of q, k, v")
    causes = command.causes(build)
    if causes:
        raise ArgumentError(f"illegal command: {', '.join(sorted(causes))}")
    if bool(command.merge_previous) != (carried is not None):
        raise ArgumentError("carried must be given with merge_previous, and only then")
    if carried is None:
        carried = Carried.nothing(*q.shape)
    elif carried.weighted.shape != q.shape:
        raise ArgumentError(f"carried has rows {carried.weighted.shape}, the command {q.shape}")
    model = _Head(command, k, v, build, Specification() if specification else Integer())
    parts = [
        model.rows(q[start : start + ROWS_AT_ONCE], start, carried)
        for start in range(0, len(q), ROWS_AT_ONCE)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    saturations = int(columns.pop("saturated").sum())
    left = Carried(*(columns.pop(field.name) for field in fields(Carried)))
    return Result(
        output_scale=output_scale,
        saturations=saturations,
        carried=left if command.merge_next else None,
        **columns,
    )


def _over_tiles(tiles: list[tuple[slice, Result]], n_k: int) -> Result:
    """One result of rows that ran tile by tile."""
    if len(tiles) == 1 and tiles[0][1].kept_mask.shape[1] == n_k:
        return tiles[0][1]
    parts = [part for _, part in tiles]
    kept_mask = np.zeros((len(parts[0].visible), n_k), dtype=bool)
    for keys, part in tiles:
        kept_mask[:, keys] = part.kept_mask
    summed = ("visible", "kept", "blocks", "dropped_mass")
    return replace(
        parts[-1],
        empty=np.logical_and.reduce([part.empty for part in parts]),
        kept_mask=kept_mask,
        **{name: sum(getattr(part, name) for part in parts) for name in summed},
    )


def _over_queries(parts: list[Result]) -> Result:
    """One result of parts of the queries."""
    if len(parts) == 1:
        return parts[0]
    arrays = [name for name, value in vars(parts[0]).items() if isinstance(value, np.ndarray)]
    return replace(
        parts[0],
        saturations=sum(part.saturations for part in parts),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays},
    )


class _Head:
    """The keys and values of one head, and the five stages of a row (DESIGN section 2)."""

    def __init__(self, command, k, v, build, arithmetic):
        self.command, self.build, self.step = command, build, arithmetic
        self.k, self.v = k.astype(np.float64), v.astype(np.float64)
        self.dims = command.predicted_slices * f.SLICE_DIMS
        self.k_nibbles = nibble(k[:, : self.dims], build.pred_bits).astype(np.float64)
        self.block_sums = self._by_block(v.astype(np.int64).T).T.astype(np.float64)

    def _by_block(self, keyed: np.ndarray) -> np.ndarray:
        """Sum the last axis over blocks of keys (the last block may be short)."""
        return np.add.reduceat(
            keyed, np.arange(0, keyed.shape[-1], self.build.block_keys), axis=-1, dtype=np.int64
        )

    def rows(self, q: np.ndarray, start: int, carried: Carried) -> dict[str, np.ndarray]:
        """All stages for the rows q [n, d] whose first query number is ``start``."""
        c = self.command
        before = carried.rows(slice(start, start + len(q)))
        visible = visible_keys(
            np.arange(start, start + len(q)),
            c.key_count,
            key_length=c.key_length,
            causal=bool(c.causal),
            query_offset=c.query_offset,
            window=c.window,
            sinks=c.sinks,
        )
        if c.sparse:
            prediction = self.predict(q, visible)
            running = (before.predicted_reference, before.predicted_total)
            *running, log_total = running_total((prediction.reference, prediction.total), running)
            prediction = replace(prediction, log_total=log_total)
            kept = kept_keys(
                prediction,
                min_probability=c.min_probability if c.use_threshold else None,
                budget=c.budget if c.use_budget else None,
            )
            tail = self.tail(prediction, visible, kept)
            reference, dropped = prediction.reference, self.dropped_mass(prediction, kept)
        else:
            kept = visible
            tail = np.zeros((len(q), len(self.block_sums)), dtype=np.int64)
            reference = dropped = np.zeros(len(q), dtype=np.int64)
            running = (reference, reference)
        weight, block_weight, reference = self.weigh(self.scores(q), kept, tail, reference)
        sums = merge_sums(
            (reference, *self.sums(weight, block_weight)),
            (before.reference, before.total, before.weighted),
            self.step,
            self.build,
        )
        columns = dict(
            zip((field.name for field in fields(Carried)), (*sums, *running), strict=True)
        )
        return (
            columns
            | self.normalise(sums[2], sums[1])
            | {
                "empty": ~visible.any(axis=1),
                "visible": visible.sum(axis=1),
                "kept": kept.sum(axis=1),
                "kept_mask": kept,
                "blocks": (tail > 0).sum(axis=1),
                "dropped_mass": dropped,
            }
        )

    def predict(self, q: np.ndarray, visible: np.ndarray) -> Prediction:
        """PREDICT: dot products of nibbles over the leading dimensions, in octaves."""
        c = self.command
        q_nibbles = nibble(q[:, : self.dims], self.build.pred_bits).astype(np.float64)
        product = (q_nibbles @ self.k_nibbles.T).astype(np.int64)
        scores = self.step.predicted_log2(product, c.predicted_multiplier, c.predicted_shift)
        return predict(scores, visible, self.step)

    def tail(self, prediction: Prediction, visible: np.ndarray, kept: np.ndarray) -> np.ndarray:
        """SELECT: predicted weight of the dropped keys of each wholly visible block [n, blocks]."""
        whole = self._by_block(visible) == self.build.block_keys
        dropped = self._by_block(np.where(visible & ~kept, prediction.weight, 0))
        return np.where(whole & bool(self.command.use_tail), dropped, 0)

    def dropped_mass(self, prediction: Prediction, kept: np.ndarray) -> np.ndarray:
        """Estimated dropped share of each row, by difference of logarithms."""
        dropped = np.where(kept, 0, prediction.weight).sum(axis=1)
        log_dropped = log2_of(np.maximum(dropped, 1), f.PREDICTED_WEIGHT_FRACTION)
        distance = prediction.log_total - log_dropped >> f.LOG_FRACTION - f.PREDICTED_FRACTION
        share = self.step.predicted_weight(np.minimum(distance, f.DISTANCE_FAR))
        return np.where(dropped > 0, share, 0)

    def scores(self, q: np.ndarray) -> np.ndarray:
        """SCORE: exact dot products, integer [n, n_k] (exact in float64: below 2^53)."""
        return (q.astype(np.float64) @ self.k.T).astype(np.int64)

    def weigh(self, score, kept, tail, predicted_reference) -> tuple[np.ndarray, ...]:
        """WEIGH: weights of kept keys [n, n_k], of mean keys [n, blocks]; their reference [n]."""
        c = self.command
        octaves = self.step.score_log2(score, c.score_multiplier, c.score_shift)
        best = np.where(kept, octaves, LOWEST).max(axis=1)
        reference = -(-best >> f.SCORE_FRACTION)  # integer, not below the maximum
        has_tail = (tail > 0).any(axis=1)
        reference = np.where(has_tail, np.maximum(reference, predicted_reference), reference)
        distance = np.where(kept, (reference[:, None] << f.SCORE_FRACTION) - octaves, 0)
        weight = np.where(kept, self.step.weight(distance), 0)
        shift = np.where(has_tail, reference - predicted_reference, 0)
        block_weight = self.step.block_weight(tail, self.build.block_log2, shift[:, None])
        return weight, block_weight, reference

    def sums(self, weight, block_weight) -> tuple[np.ndarray, np.ndarray]:
        """Summed weights [n] and weighted sums of V [n, d] of this tile."""
        weighted = (weight @ self.v + block_weight @ self.block_sums).astype(np.int64)
        return weight.sum(axis=1) + (block_weight.sum(axis=1) << self.build.block_log2), weighted

    def normalise(self, weighted, total) -> dict[str, np.ndarray]:
        """NORMALISE: one reciprocal a row, requantise. Nothing where the rows go on."""
        c = self.command
        if c.merge_next:
            weighted, total = np.zeros_like(weighted), np.zeros_like(total)
        empty = total == 0
        total = np.where(empty, 1, total)
        average = self.step.average(weighted, total[:, None])
        reciprocal = self.step.reciprocal(total)
        factor = self.step.factor(reciprocal, c.output_multiplier)
        output, saturated = self.step.output(
            average, factor[:, None], c.output_shift, c.output_bits
        )
        mantissa = total / 2.0 ** np.floor(np.log2(total))
        row_sum = mantissa * reciprocal / (1 << f.RECIPROCAL_FRACTION)
        return {
            "output": output[: 0 if c.merge_next else None],
            "saturated": saturated.sum(axis=1),
            "row_sum": np.where(empty, 0.0, row_sum),
        }
