# SPDX-License-Identifier: Apache-2.0
"""Random commands for the predictor, and what the golden model says of each row."""

from dataclasses import dataclass, replace

import numpy as np
from pasa import formats as f
from pasa.arithmetic import Integer, nibble
from pasa.command import Command, multiplier_and_shift
from pasa.fixed import _Head
from pasa.formats import Build
from pasa.masks import visible_keys
from pasa.merging import running_total
from pasa.selection import kept_keys

SHAPES = ("normal", "heavy", "one_hot", "flat", "equal", "extreme")
MASKS = ("none", "length", "causal", "window", "causal_window", "far")


@dataclass(frozen=True)
class Case:
    """One command with its query [n_q, d] and key [n_k, d] codes."""

    command: Command
    q: np.ndarray
    k: np.ndarray


@dataclass(frozen=True)
class Row:
    """What the predictor must say of one row."""

    entries: tuple[tuple[int, int, int], ...]  # (block, mask, tail), in key order
    items: int
    reference: int
    tail: int
    visible: int
    kept: int
    blocks: int
    dropped: int
    empty: int


def codes(rng: np.random.Generator, shape: str, count: int, dims: int) -> np.ndarray:
    """int8 codes [count, dims] of a named distribution."""
    if shape == "extreme":
        real = rng.choice([-128, -120, 119, 127], size=(count, dims))
    elif shape == "heavy":
        real = rng.standard_t(1.5, size=(count, dims)) * 12
    elif shape == "flat":
        real = rng.integers(-9, 9, size=(count, dims))
    elif shape == "equal":
        real = np.repeat(rng.integers(-128, 128, size=(1, dims)), count, axis=0)
    else:
        real = rng.normal(0, 35, size=(count, dims))
    return np.clip(np.rint(real), -128, 127).astype(np.int8)


def scale(rng: np.random.Generator, q: np.ndarray, k: np.ndarray, bits: int) -> tuple[int, int]:
    """Multiplier and shift: mostly such that distances spread over all 255 steps."""
    if rng.random() < 0.15:
        return int(rng.integers(1, 4096)), int(rng.integers(0, 32))
    spread = max(1.0, (nibble(q, bits).astype(float) @ nibble(k, bits).T.astype(float)).std())
    factor = min(2.0 ** rng.uniform(0, 11) / spread, 4000.0)
    return multiplier_and_shift(
        factor, bits=f.PREDICTED_MULTIPLIER_BITS, max_shift=f.PREDICTED_SHIFT_MAX, name="scale"
    )


def masks(rng: np.random.Generator, kind: str, n_q: int, n_k: int) -> dict[str, int]:
    """Mask fields of the command."""
    length = n_k if rng.random() < 0.6 else int(rng.integers(0, n_k + 1))
    fields = {"key_length": length}
    fields["query_offset"] = int(rng.integers(-n_q - 5, n_k + 6))
    if kind in ("causal", "causal_window"):
        fields["causal"] = 1
    if kind in ("window", "causal_window"):
        fields["window"] = int(rng.integers(1, n_k + 10))
        fields["sinks"] = int(rng.choice([0, rng.integers(0, 20), rng.integers(0, n_k + 300)]))
    if kind == "far":
        fields["query_offset"] = int(rng.choice([-(1 << 19), (1 << 19) - 1, -n_q, n_k]))
        fields["window"] = int(rng.choice([0, 1, 65535]))
        fields["sinks"] = int(rng.choice([0, 3, 65535]))
        fields["causal"] = int(rng.integers(0, 2))
    if kind == "length":
        fields["key_length"] = int(rng.integers(0, n_k + 1))
    return fields


def make_case(
    rng: np.random.Generator,
    build: Build,
    *,
    n_q: int,
    n_k: int,
    shape: str,
    mask: str,
    q: np.ndarray | None = None,
) -> Case:
    """A random legal command of the given kind, with its codes; with ``q``, for these queries."""
    if q is None:
        q = codes(rng, shape, n_q, int(rng.integers(1, build.head_dim + 1)))
    n_q, dims = q.shape
    k = codes(rng, shape, n_k, dims)
    if shape == "one_hot":
        k[rng.integers(0, n_k)] = np.clip(q[0].astype(int) * 2, -128, 127)
    multiplier, shift = scale(rng, q, k, build.pred_bits)
    rule = rng.integers(0, 8)
    command = Command(
        query_count=n_q,
        key_count=n_k,
        dims=dims,
        score_multiplier=1,
        score_shift=1,
        output_multiplier=1,
        output_shift=1,
        predicted_multiplier=multiplier,
        predicted_shift=shift,
        use_threshold=int(rule in (1, 2, 3, 6, 7)),
        use_budget=int(rule in (4, 5, 6, 7)),
        use_tail=int(rng.random() < 0.75),
        budget=int(rng.choice([1, rng.integers(1, 20), rng.integers(1, n_k + 5), 65535])),
        min_probability=int(rng.choice([0, 8191, rng.integers(0, 8192), rng.integers(0, 3500)])),
        predicted_slices=int(rng.integers(1, build.head_dim // f.SLICE_DIMS + 1)),
        tag=int(rng.integers(0, 1 << 16)),
        **masks(rng, mask, n_q, n_k),
    )
    return Case(command, q, k)


def random_case(
    rng: np.random.Generator, build: Build, *, rows: int, q: np.ndarray | None = None
) -> Case:
    """A random command of at most `rows` queries; small and full tiles are frequent."""
    n_k = int(rng.choice([1, rng.integers(1, 70), rng.integers(1, build.tile_keys + 1)]))
    if rng.random() < 0.1:
        n_k = build.tile_keys
    return make_case(
        rng,
        build,
        n_q=int(rng.integers(1, rows + 1)),
        n_k=n_k,
        shape=str(rng.choice(SHAPES)),
        mask="none" if rng.random() < 0.3 else str(rng.choice(MASKS)),
        q=q,
    )


def random_chain(rng: np.random.Generator, build: Build, *, tiles: int) -> list[Case]:
    """Commands whose rows go on from one to the next: same queries, mostly the same scale."""
    most = build.merge_rows
    first = random_case(rng, build, rows=most)
    if rng.random() < 0.5:
        first = random_case(rng, build, rows=most, q=codes(rng, "normal", most, first.q.shape[1]))
    cases = []
    for tile in range(tiles):
        case = first if tile == 0 else random_case(rng, build, rows=most, q=first.q)
        c = case.command
        fields = {"merge_previous": int(tile > 0), "merge_next": int(tile < tiles - 1)}
        fields |= {"use_threshold": int(c.use_threshold or not c.use_budget)}
        if not first.command.sparse:
            fields |= {"use_threshold": 0, "use_budget": 0}
        if rng.random() < 0.7:
            names = ("predicted_multiplier", "predicted_shift", "predicted_slices")
            fields |= {name: getattr(first.command, name) for name in names}
        if rng.random() < 0.15:
            fields["key_length"] = 0
        cases.append(replace(case, command=replace(c, **fields)))
    return cases


def plain_case(
    rng: np.random.Generator, build: Build, *, n_q: int, n_k: int, slices: int, **fields: int
) -> Case:
    """A command without masks, for measuring speed."""
    case = make_case(rng, build, n_q=n_q, n_k=n_k, shape="normal", mask="none")
    fields = {"key_length": n_k, "predicted_slices": slices, "use_threshold": 1, **fields}
    return replace(case, command=replace(case.command, **fields))


def visible_of(case: Case) -> np.ndarray:
    """Visibility [n_q, n_k]."""
    c = case.command
    return visible_keys(
        np.arange(c.query_count),
        c.key_count,
        key_length=c.key_length,
        causal=bool(c.causal),
        query_offset=c.query_offset,
        window=c.window,
        sinks=c.sinks,
    )


Sums = tuple[np.ndarray, np.ndarray]  # reference [n_q] and predicted total [n_q]


def golden_rows(case: Case, build: Build, before: Sums | None) -> tuple[list[Row], Sums]:
    """Every row of the command, by the golden model's own functions, and the rows' sums after it.

    ``before``: their sums after the command before; only with ``merge_previous``.
    """
    c = case.command
    nothing = np.zeros(c.query_count, dtype=np.int64)
    before = before if c.merge_previous else (nothing, nothing)
    visible = visible_of(case)
    model = _Head(c, case.k, case.k, build, Integer())
    blocks = -(-c.key_count // build.block_keys)
    kept, tail = visible, np.zeros((c.query_count, blocks), dtype=np.int64)
    reference = dropped = nothing
    if c.sparse:
        prediction = model.predict(case.q, visible)
        *before, log_total = running_total((prediction.reference, prediction.total), before)
        prediction = replace(prediction, log_total=log_total)
        kept = kept_keys(
            prediction,
            min_probability=c.min_probability if c.use_threshold else None,
            budget=c.budget if c.use_budget else None,
        )
        tail = model.tail(prediction, visible, kept)
        reference, dropped = prediction.reference, model.dropped_mass(prediction, kept)
    rows = [
        _row(visible[i], kept[i], tail[i], int(reference[i]), int(dropped[i]), build)
        for i in range(c.query_count)
    ]
    return rows, tuple(before)


def _row(visible, kept, tail, reference: int, dropped: int, build: Build) -> Row:
    entries = []
    for block, weight in enumerate(tail):
        keys = kept[block * build.block_keys : (block + 1) * build.block_keys]
        mask = sum(1 << int(key) for key in np.flatnonzero(keys))
        if mask or weight:
            entries.append((block, mask, int(weight)))
    blocks = int((tail > 0).sum())
    return Row(
        entries=tuple(entries),
        items=int(kept.sum()) + blocks,
        reference=reference,
        tail=int(blocks > 0),
        visible=int(visible.sum()),
        kept=int(kept.sum()),
        blocks=blocks,
        dropped=dropped,
        empty=int(not visible.any()),
    )


def nibble_words(rng: np.random.Generator, case: Case, build: Build) -> list[int]:
    """Nibble words of the case in order of (word, slice); places without a key hold noise."""
    n_k, dims = case.k.shape
    words = -(-n_k // build.pred_keys)
    bits = build.pred_bits
    table = rng.integers(0, 1 << bits, size=(words * build.pred_keys, build.head_dim))
    table[:n_k, :dims] = nibble(case.k, bits) & ((1 << bits) - 1)
    by_word = table.reshape(words, build.pred_keys, -1, f.SLICE_DIMS).transpose(0, 2, 1, 3)
    flat = by_word.reshape(-1, build.pred_keys * f.SLICE_DIMS).astype(np.uint8)
    places = (flat[:, :, None] >> np.arange(bits)) & 1
    packed = np.packbits(places.reshape(len(flat), -1), axis=1, bitorder="little")
    return [int.from_bytes(word.tobytes(), "little") for word in packed]


def query_words(case: Case, build: Build) -> list[int]:
    """Query rows as words of head_dim bytes, absent dimensions zero."""
    rows = np.zeros((len(case.q), build.head_dim), dtype=np.int8)
    rows[:, : case.q.shape[1]] = case.q
    return [int.from_bytes(row.tobytes(), "little") for row in rows]


def words_seen(case: Case, build: Build, first: int) -> int:
    """Words that the block of rows from `first` on must look at, at least one."""
    rows = visible_of(case)[first : first + build.rows]
    starts = np.arange(0, rows.shape[1], build.pred_keys)
    return max(1, int(np.logical_or.reduceat(rows.any(axis=0), starts).sum()))
