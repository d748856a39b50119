# SPDX-License-Identifier: Apache-2.0
"""Sequences: lists of heads, directed or random, and the traffic that carries them out."""

import random
from collections.abc import Iterable

import cocotb
import numpy as np
from cocotb.triggers import gather
from pasa import formats
from pyuvm import uvm_sequence

from verif.common.streams import STYLES
from verif.uvm.coverage import KEYS, LENGTHS, MASKS, MODES
from verif.uvm.items import INPUTS, SINKS, SOURCES, Burst, Head, Readiness
from verif.uvm.stimulus import FAR, PATTERNS, REAL, Stimulus


class Feed(uvm_sequence):
    """The bursts of all heads for one stream, one behind the other."""

    def __init__(self, stream: str, heads: Iterable[Head]) -> None:
        super().__init__(f"feed_{stream}")
        self.stream, self.heads = stream, heads

    async def body(self) -> None:
        for head in self.heads:
            beats = head.beats(self.stream)
            if not beats:
                continue
            item = Burst("burst", beats, head.gaps.get(self.stream, "none"))
            await self.start_item(item)
            await self.finish_item(item)


class Drain(uvm_sequence):
    """Readiness of one stream out, changing now and then, until `finished`."""

    def __init__(self, stream: str, styles: Iterable[str]) -> None:
        super().__init__(f"drain_{stream}")
        self.styles, self.finished = list(styles), False

    async def body(self) -> None:
        while not self.finished:
            item = Readiness("ready", random.choice(self.styles), random.randint(50, 1500))
            await self.start_item(item)
            await self.finish_item(item)


class Traffic(uvm_sequence):
    """All heads through the core: each stream runs ahead as far as the core lets it.

    Args:
        heads: what to send.
        sinks: styles that outputs and statuses are taken with.
    """

    def __init__(self, heads: list[Head], *, sinks: Iterable[str] = ("none",)) -> None:
        super().__init__("traffic")
        self.heads, self.sinks = heads, tuple(sinks)

    async def body(self) -> None:
        agents = self.sequencer.streams
        self.drains = [Drain(stream, self.sinks) for stream in SINKS]
        for stream, drain in zip(SINKS, self.drains, strict=True):
            cocotb.start_soon(drain.start(agents[stream]))
        feeds = [Feed(stream, self.heads).start(agents[stream]) for stream in SOURCES]
        await gather(*feeds)

    def finish(self) -> None:
        """Stop changing how ready the sinks are."""
        for drain in self.drains:
            drain.finished = True


EVERY_STYLE = STYLES


def random_heads(draw: Stimulus, count: int) -> list[Head]:
    """Constrained-random commands, a fifth of them to be refused, and some in groups."""
    heads: list[Head] = []
    while len(heads) < count:
        heads += draw.any_group() if random.random() < 0.15 else [draw.any_head()]
    return heads


def groups(draw: Stimulus, *, modes: int = len(MODES)) -> list[Head]:
    """Keys reused, rows that go on over tiles, and each wrong use of both, good ones between.

    Args:
        modes: so many of them, at random.
    """
    heads: list[Head] = []
    for mode in random.sample(MODES, modes):
        heads += draw.reusing(draw.head(mode=mode), count=2)
        heads += draw.chain(tiles=3, mode=mode, alike=True)
        heads += draw.chain(tiles=4, mode=mode, alike=False)
    for spoil in ("reuse", "previous", "rows"):
        for _ in range(modes - 1):
            heads += [*draw.spoiled_group(spoil), *draw.chain(tiles=2)]
    return heads


def smoke(draw: Stimulus) -> list[Head]:
    """One row more than lanes, on whole blocks of keys: dense, with tail, and refused."""
    rows, dims = draw.build.rows + 1, draw.build.head_dim
    good = [
        draw.head(
            mode=mode, mask="none", keys="blocks", queries=rows, dims=dims, gaps={}, tail=True
        )
        for mode in ("dense", "threshold")
    ]
    return [good[0], draw.spoiled_packet("value", "short"), good[1]]


def modes_masks_keys(draw: Stimulus) -> list[Head]:
    """Every mode under every mask on every shape of keys, with few queries."""
    heads = [
        draw.head(mode=mode, mask=mask, keys=keys, queries=random.randint(1, 3))
        for keys in KEYS
        for mask in MASKS
        for mode in MODES
    ]
    random.shuffle(heads)
    return heads


def shapes(draw: Stimulus) -> list[Head]:
    """Edges of queries and dimensions, and as many queries as the tile holds."""
    build = draw.build
    queries = ("one", "part_rows", "odd", "ring_wraps")
    edges = (1, 15, 16, build.head_dim - 1, build.head_dim)
    heads = [draw.head(queries=n, dims=d) for n in queries for d in edges]
    heads += [draw.head(keys="one", queries="one", dims=d) for d in edges]
    heads += [draw.head(mode=mode, keys="one", queries="tile") for mode in ("dense", "both")]
    return heads


def slices(draw: Stimulus) -> list[Head]:
    """Every number of predicted slices, with as many dimensions and with fewer."""
    build = draw.build
    heads = []
    for count in range(1, build.head_dim // formats.SLICE_DIMS + 1):
        for dims in (build.head_dim, 16 * count, max(1, 16 * count - 15), 5):
            mode = random.choice(MODES[1:])
            heads.append(draw.head(mode=mode, slices=count, dims=dims, keys="part_block"))
    return heads


def ties_and_extremes(draw: Stimulus) -> list[Head]:
    """Codes that make equal scores, the largest products, and the widest swings."""
    heads = []
    for pattern in PATTERNS:
        for mode in MODES:
            head = draw.head(mode=mode, pattern=pattern, mask="none", keys="part_block")
            heads += [head, draw.head(mode=mode, pattern=pattern, wild=True)]
    for budget in (1, 2, 63, 64, 65):
        for mode in ("budget", "both"):
            for tail in (True, False):
                heads.append(
                    draw.head(
                        mode=mode,
                        budget=budget,
                        pattern="all_equal",
                        keys="blocks",
                        mask="none",
                        tail=tail,
                    )
                )
    return heads


def half_codes(draw: Stimulus) -> list[Head]:
    """Values that nearly cancel under nearly equal weights, and few places to drop."""
    heads = []
    for bits in (8, 16):
        for mode in MODES:
            head = draw.head(
                mode=mode, mask="none", keys="part_word", queries=8, output_bits=bits, spread=0.01
            )
            signs = np.where(np.arange(head.command.key_count) % 2, -1, 1)[:, None]
            head.v = (signs * random.randint(1, 60)).repeat(head.command.dims, 1).astype(np.int8)
            heads.append(draw.changed(head, output_multiplier=1, output_shift=random.randint(1, 6)))
    return heads


def errors(draw: Stimulus) -> list[Head]:
    """Each cause of a refusal, each followed by a good command, and several in a row."""
    bad = [draw.illegal(cause) for cause in formats.CAUSES[:4] for _ in range(2)]
    bad += [draw.spoiled_packet(stream, length) for stream in INPUTS for length in LENGTHS]
    bad += [draw.broken_packet(stream) for stream in INPUTS]
    random.shuffle(bad)
    heads = [item for head in bad for item in (head, draw.head(queries=2))]
    heads += [draw.illegal("mask"), draw.spoiled_packet("query", "long"), draw.illegal("scale")]
    return [*heads, draw.head(queries="ring_wraps", keys="part_word"), draw.illegal("shape")]


def back_to_back(draw: Stimulus, count: int) -> list[Head]:
    """Commands without gaps: one loads while another runs, long beside short."""
    heads = []
    for place in range(count):
        longer = place % 3 == 0
        heads.append(
            draw.head(
                queries="odd" if longer else random.randint(1, 2),
                keys=random.choice(("part_block", "blocks") if longer else ("part_word", "one")),
                gaps={},
            )
        )
    return heads


def empties(draw: Stimulus) -> list[Head]:
    """Rows that see nothing: all of them, the first ones, the last ones."""
    heads = []
    for mode in MODES:
        some = draw.head(mode=mode, mask="none", queries="odd", keys="part_block")
        n_q, n_k = some.command.query_count, some.command.key_count
        fields = (
            {"key_length": 0},
            {"causal": 1, "query_offset": -n_q},
            {"causal": 1, "query_offset": -FAR - 1},
            {"causal": 1, "query_offset": -(n_q // 2)},
            {"window": 1, "query_offset": n_k - n_q // 2},
            {"window": 2, "query_offset": FAR},
            {"window": 2, "sinks": 1, "query_offset": FAR},
        )
        heads += [draw.changed(some, **change) for change in fields]
    return heads


def gap_styles(draw: Stimulus) -> list[Head]:
    """Each style on each stream in, on packets long enough to show it."""
    heads = []
    for style in EVERY_STYLE:
        for _ in range(3):
            gaps = dict.fromkeys(SOURCES, style)
            heads.append(draw.head(keys="part_block", dims=16, gaps=gaps))
    return heads


def real_heads(draw: Stimulus, count: int) -> list[Head]:
    """Pieces of shipped heads, with scores spread about as the models spread them."""
    return [
        draw.head(
            pattern=REAL,
            mode=MODES[place % len(MODES)],
            mask=random.choice(("none", "none", "causal_beyond", "window_ahead")),
            keys=random.choice(("part_block", "blocks", "blocks")),
            dims=draw.build.head_dim,
            spread=random.uniform(1, 6),
            wild=False,
        )
        for place in range(count)
    ]
