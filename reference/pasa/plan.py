# SPDX-License-Identifier: Apache-2.0
"""Divides a head of any length into commands that the hardware takes.

More queries than a command holds: the keys stay in the accelerator, later commands reuse them.
More keys than a tile holds: the queries go in groups of ``Build.merge_rows``, and each group
passes over the tiles one command after another, its rows merging online.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pasa import formats
from pasa.command import Command
from pasa.formats import Build
from pasa.masks import visible_keys

SAMPLED_QUERIES = 16  # of a group, where visible keys are counted


@dataclass(frozen=True)
class Step:
    """One command of a head, and which of its rows go with it.

    Attributes:
        command: the record.
        queries, keys: rows of q, and of k and v; the latter are not sent with ``reuse_keys``.
    """

    command: Command
    queries: slice
    keys: slice


def plan_head(head: Command, *, build: Build) -> list[Step]:
    """The commands that compute a head, in the order in which they must run.

    Args:
        head: command of the whole head, from ``make_command(..., any_length=True)``.
        build: the hardware.

    A budget is shared among tiles by their visible keys. A tile that no query of the group may
    see is left out, as long as one remains.
    """
    if head.key_count <= build.tile_keys:
        return list(_one_tile(head, build))
    return [
        step
        for queries in _pieces(head.query_count, build.merge_rows)
        for step in _chain(_part(head, queries), queries, build)
    ]


def _pieces(count: int, most: int) -> list[slice]:
    """Slices of at most ``most`` that cover 0..count."""
    return [slice(at, min(at + most, count)) for at in range(0, count, most)]


def _part(head: Command, queries: slice) -> Command:
    """The head for some of its queries."""
    return replace(
        head,
        query_count=queries.stop - queries.start,
        query_offset=head.query_offset + queries.start,
    )


def _one_tile(head: Command, build: Build) -> Iterator[Step]:
    """A head whose keys fit: the first command brings them, the others reuse them."""
    keys = slice(0, head.key_count)
    for queries in _pieces(head.query_count, build.tile_keys):
        part = replace(_part(head, queries), reuse_keys=int(queries.start > 0))
        yield Step(part, queries, keys)


def _chain(part: Command, queries: slice, build: Build) -> list[Step]:
    """A group of queries over all tiles that one of them may see."""
    tiles = [keys for keys in _pieces(part.key_count, build.tile_keys) if _seen(part, keys)]
    tiles = tiles or [slice(0, build.tile_keys)]
    visible = _visible_shares(part, tiles)
    return [
        Step(
            replace(
                _on_tile(part, keys),
                budget=max(-(-part.budget * visible[place] // visible.sum()), 1),
                min_probability=_threshold(part, visible[: place + 1].sum() / visible.sum()),
                merge_previous=int(place > 0),
                merge_next=int(place < len(tiles) - 1),
            ),
            queries,
            keys,
        )
        for place, keys in enumerate(tiles)
    ]


def _visible_shares(part: Command, tiles: list[slice]) -> np.ndarray:
    """Visible keys in each tile, summed over some queries of the group; at least 1 each."""
    queries = np.unique(np.linspace(0, part.query_count - 1, SAMPLED_QUERIES).astype(int))
    seen = visible_keys(
        queries,
        part.key_count,
        key_length=part.key_length,
        causal=bool(part.causal),
        query_offset=part.query_offset,
        window=part.window,
        sinks=part.sinks,
    ).sum(axis=0)
    return np.array([max(int(seen[keys].sum()), 1) for keys in tiles])


def _on_tile(part: Command, keys: slice) -> Command:
    """The same queries on one tile: lengths and positions count from its first key."""
    count = keys.stop - keys.start
    return replace(
        part,
        key_count=count,
        key_length=min(max(part.key_length - keys.start, 0), count),
        query_offset=max(part.query_offset - keys.start, -(1 << formats.POSITION_BITS - 1)),
        sinks=max(part.sinks - keys.start, 0),
    )


def _threshold(part: Command, seen: float) -> int:
    """-log2 of lambda for a tile, where ``seen`` of the row's keys have been seen, it included.

    The hardware measures a tile's keys against the sum seen so far. Early on that sum is only a
    part of the row's, so the same lambda would keep more. It rises by the square root of the
    inverse part. Measured on six encoder heads of 1,500 keys in tiles of 512 (mean kept -> mean
    error at lambda .002; whole rows: 4.6 % -> 0.051): not raised 7.7 % -> 0.044, by the root
    5.2 % -> 0.053, by the inverse itself 3.2 % -> 0.076. At equal error the root keeps least.
    """
    octaves = -math.log2(seen) / 2
    return max(part.min_probability - round(octaves * (1 << formats.LOG_FRACTION)), 0)


def _seen(part: Command, keys: slice) -> bool:
    """Whether any query may see any key of the tile (see ``masks.visible_keys``)."""
    first, last = part.query_offset, part.query_offset + part.query_count - 1
    if keys.start >= part.key_length or (part.causal and keys.start > last):
        return False
    if not part.window:
        return True
    ahead = not part.causal and keys.start >= last + part.window
    behind = keys.stop - 1 <= first - part.window and keys.start >= part.sinks
    return not ahead and not behind
