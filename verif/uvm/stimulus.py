# SPDX-License-Identifier: Apache-2.0
"""Heads for the core: drawn at random under constraints, or pinned where a test wants one thing.

Every draw is `random`'s, which cocotb seeds for each test.
"""

import random
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from pasa import formats, make_command, patterns, workloads
from pasa.command import Command
from pasa.formats import Build

from verif.common.streams import STYLES
from verif.uvm.coverage import KEYS, MASKS, MODES, QUERIES, RING_ROWS
from verif.uvm.items import INPUTS, SINKS, SOURCES, Head

REAL = "real"
PATTERNS = (*patterns.NAMES, REAL)
MANY_QUERIES = 24  # a random head has at most so many: simulated clocks grow with them
FAR = (1 << 19) - 1  # the largest query offset
SCALES = tuple(
    f"{what}_{part}"
    for what in ("score", "predicted", "output")
    for part in ("multiplier", "shift")
)
NO_GAPS = dict.fromkeys((*SOURCES, *SINKS), "none")


def numbers() -> np.random.Generator:
    """A NumPy generator that follows `random`."""
    return np.random.default_rng(random.getrandbits(64))


def log_uniform(low: float, high: float) -> float:
    """A positive real, any order of magnitude as likely as another."""
    return low * (high / low) ** random.random()


def random_gaps() -> dict[str, str]:
    """A style for each stream in."""
    styles, weights = STYLES, (4, 2, 1, 1)
    return {stream: random.choices(styles, weights)[0] for stream in SOURCES}


@dataclass
class Stimulus:
    """Draws heads for one build."""

    build: Build

    # Legal heads

    def head(
        self,
        *,
        mode: str | None = None,
        mask: str | None = None,
        keys: str | int | None = None,
        queries: str | int | None = None,
        dims: int | None = None,
        slices: int | None = None,
        pattern: str | None = None,
        tail: bool | None = None,
        output_bits: int | None = None,
        budget: int | None = None,
        spread: float | None = None,
        wild: bool | None = None,
        gaps: dict[str, str] | None = None,
    ) -> Head:
        """A legal head; what is not given is drawn.

        Args:
            mode, mask, keys, queries: a bin of the coverage point of that name (``keys`` and
                ``queries`` also a number).
            dims, slices, budget, tail, output_bits: as in a command.
            pattern: one of PATTERNS.
            spread: octaves of a typical score.
            wild: draw all multipliers and shifts over their whole legal range.
            gaps: stream -> style.
        """
        mode = mode or random.choice(MODES)
        pattern = pattern or random.choice(PATTERNS)
        n_k = keys if isinstance(keys, int) else self.key_count(keys or random.choice(KEYS[:-1]))
        n_q = queries if isinstance(queries, int) else self.query_count(queries)
        if dims is None:
            dims = self.dim_count()
        q, k, v = self.codes(pattern, n_q, n_k, dims)
        options = self.mask_options(mask or random.choice(MASKS), n_q, n_k)
        options |= self.select_options(mode, n_k, budget)
        limit = self.build.head_dim // formats.SLICE_DIMS
        if slices is None:
            slices = random.choice((1, random.randint(1, limit)))
        command = make_command(
            n_q,
            n_k,
            dims,
            scale_q=self.score_scale(q, k, spread or log_uniform(0.05, 20)),
            scale_k=1.0,
            scale_v=1.0,
            softmax_scale=1.0,
            output_scale=random.choice((1.0, log_uniform(0.001, 1.0))),
            output_bits=output_bits or random.choice((8, 16)),
            tail=random.random() < 0.8 if tail is None else tail,
            pred_dims=slices * formats.SLICE_DIMS,
            tag=random.getrandbits(16),
            build=self.build,
            **options,
        )
        if random.random() < 0.15 if wild is None else wild:
            command = wild_scales(command)
        return Head(command, q, k, v, gaps=random_gaps() if gaps is None else gaps)

    def key_count(self, shape: str) -> int:
        """A number of keys of one bin of the point `keys`."""
        b = self.build
        most = min(b.tile_keys - 1, 3 * b.block_keys)  # simulated clocks grow with keys
        if shape == "part_block":
            low = max(2, b.pred_keys)
            return random.choice([n for n in range(low, most) if n % b.block_keys])
        if shape == "part_word" and b.pred_keys > 2:
            return random.randint(2, b.pred_keys - 1)
        blocks = random.randint(1, most // b.block_keys) * b.block_keys
        return {"one": 1, "blocks": blocks, "tile": b.tile_keys}.get(shape, 2)

    def query_count(self, shape: str | None) -> int:
        """A number of queries of one bin of the point `queries`, or any small one."""
        b = self.build
        wraps = max(32, RING_ROWS * b.rows) + random.randint(1, 2 * b.rows)
        if shape is None:
            return random.randint(1, random.choice((b.rows + 1, MANY_QUERIES)))
        part = random.randrange(0, MANY_QUERIES) // b.rows * b.rows + random.randint(1, b.rows)
        part -= b.rows > 1 and part % b.rows == 0
        return {
            "one": 1,
            "part_rows": part,
            "odd": random.randrange(3, MANY_QUERIES, 2),
            "ring_wraps": wraps,
            "tile": b.tile_keys,
        }[shape]

    def dim_count(self) -> int:
        """A number of dimensions: often an edge."""
        most = self.build.head_dim
        return random.choice((1, 16, most, most - 1, random.randint(1, most)))

    def codes(self, pattern: str, n_q: int, n_k: int, dims: int) -> tuple[np.ndarray, ...]:
        """q, k, v of a pattern, or a piece of a shipped head."""
        if pattern != REAL:
            return patterns.make_head(pattern, numbers(), n_q, n_k, dims)
        case = shipped(random.choice(workloads.shipped_paths()))
        pick = [
            np.sort(numbers().integers(0, len(rows), count))
            for rows, count in ((case.q, n_q), (case.k, n_k))
        ]
        columns = np.arange(dims) % case.q.shape[1]
        return tuple(
            rows[where][:, columns]
            for rows, where in ((case.q, pick[0]), (case.k, pick[1]), (case.v, pick[1]))
        )

    def score_scale(self, q: np.ndarray, k: np.ndarray, spread: float) -> float:
        """Nats of one exact score step that make a typical score `spread` octaves."""
        scores = np.abs(q[:64].astype(float) @ k[:64].astype(float).T)
        nats = spread * np.log(2) / max(1.0, float(scores.mean()))
        # The largest that both multipliers can hold (make_command says which would not).
        nibbles = 4.0 ** (8 - self.build.pred_bits) * (1 << formats.PREDICTED_FRACTION)
        return min(nats, 1.3, 0.69 * (1 << formats.PREDICTED_MULTIPLIER_BITS) / nibbles)

    def mask_options(self, mask: str, n_q: int, n_k: int) -> dict:
        """Options of `make_command` that put a mask in force."""
        options: dict = {}
        if mask == "key_length" or (mask != "none" and random.random() < 0.2):
            options["key_length"] = random.choice((0, random.randrange(n_k), n_k - 1))
        if mask.startswith("causal"):
            far = random.random() < 0.1
            reach = FAR if far else n_q + n_k
            offset = random.randint(1, random.choice((max(1, n_k), reach)))
            sign = {"causal_before": -1, "causal_zero": 0, "causal_beyond": 1}[mask]
            options |= {"causal": True, "query_offset": sign * offset}
        if mask.startswith("window") or (mask.startswith("causal") and random.random() < 0.2):
            options["window"] = random.choice((1, random.randint(1, n_k + 1), 65535))
            options["causal"] = mask != "window_ahead"
            options.setdefault("query_offset", random.randint(-n_q, n_k))
            if mask == "window_sinks" or (mask != "window" and random.random() < 0.5):
                options["sinks"] = random.choice((1, random.randint(1, n_k + 1), 65535))
        return options

    def select_options(self, mode: str, n_k: int, budget: int | None) -> dict:
        """Options of `make_command` that choose a mode."""
        options: dict = {}
        if mode in ("threshold", "both"):
            likely = (log_uniform(1e-3, 0.5) for _ in range(4))
            options["min_probability"] = random.choice((1.0, 2.0**-31, *likely))
        if mode in ("budget", "both"):
            near = random.randint(max(1, n_k - 2), n_k + 2)
            likely = (random.randint(1, max(1, n_k // 2)) for _ in range(4))
            options["budget"] = budget or random.choice((1, near, 65535, *likely))
        return options

    def changed(self, head: Head, **fields: int) -> Head:
        """The head with other command fields."""
        return replace(head, command=replace(head.command, **fields), gaps=random_gaps())

    # Commands that belong together

    def reusing(self, head: Head, *, count: int) -> list[Head]:
        """A head, and others that reuse its keys and values."""
        shape = {"keys": head.command.key_count, "dims": head.command.dims}
        others = [self.head(**shape) for _ in range(count)]
        return [head, *(self.changed(other, reuse_keys=1) for other in others)]

    def chain(
        self, *, tiles: int, mode: str | None = None, alike: bool | None = None
    ) -> list[Head]:
        """Heads whose rows go on from one to the next.

        Args:
            tiles: how many.
            mode: of all of them; drawn when not given.
            alike: the same queries and scales throughout, as tiles of one head have; else only
                what the hardware asks for is the same.
        """
        mode = mode or random.choice(MODES)
        queries = random.randint(1, self.build.merge_rows)
        first = self.head(mode=mode, queries=queries)
        shape = {"mode": mode, "queries": queries, "dims": first.command.dims}
        heads = [first, *(self.head(**shape) for _ in range(tiles - 1))]
        if random.random() < 0.8 if alike is None else alike:
            scales = {name: getattr(first.command, name) for name in SCALES}
            heads = [replace(self.changed(head, **scales), q=first.q) for head in heads]
        last = len(heads) - 1
        return [
            self.changed(head, merge_previous=int(place > 0), merge_next=int(place < last))
            for place, head in enumerate(heads)
        ]

    def spoiled_group(self, spoil: str) -> list[Head]:
        """A group in which some command must be refused.

        Args:
            spoil: ``reuse``: there is no tile, or another one; ``previous``: rows go on that
                were not left, or left otherwise; ``rows``: more than the hardware keeps.
        """
        if spoil == "reuse":
            head, other = self.reusing(self.head(keys="part_block"), count=1)
            change = random.choice(
                (
                    {"key_count": other.command.key_count - 1, "key_length": 0},
                    {"dims": other.command.dims % self.build.head_dim + 1},
                )
            )
            wrong = replace(other, command=replace(other.command, **change))
            unknown = self.changed(self.head(), reuse_keys=1)
            return [head, wrong, other, self.illegal("scale"), unknown]
        if spoil == "rows":
            over = self.head(queries=self.build.merge_rows + 1)
            return [self.changed(over, **{random.choice(("merge_previous", "merge_next")): 1})]
        chain = self.chain(tiles=3)
        if random.random() < 0.5:
            return [chain[0], self.head(queries=2), *chain[1:]]
        other = self.chain(tiles=2)
        return [chain[0], other[1], *self.chain(tiles=2)]

    def any_group(self) -> list[Head]:
        """What random traffic has of groups: mostly good ones."""
        if random.random() < 0.2:
            return self.spoiled_group(random.choice(("reuse", "previous", "rows")))
        if random.random() < 0.4:
            return self.reusing(self.any_head(), count=random.randint(1, 3))
        return self.chain(tiles=random.randint(2, 4))

    # What must be refused

    def illegal(self, cause: str) -> Head:
        """A head whose command has that cause (perhaps among others), with any packets."""
        head = self.head(queries=random.randint(1, 4))
        choice = random.choice(self.spoilers(cause, head.command))
        head.command = replace(head.command, **choice)
        head.faults = {stream: random.choice((0, -1, 1)) for stream in INPUTS}
        return head

    def spoilers(self, cause: str, c: Command) -> list[dict[str, int]]:
        """Field values that make a command illegal."""
        b = self.build
        over = (b.tile_keys + 1, 2 * b.tile_keys, 65535)
        if cause == "shape":
            counts = [{name: n} for n in (0, *over) for name in ("query_count", "key_count")]
            return [*counts, *({"dims": n} for n in (0, b.head_dim + 1, 2 * b.head_dim, 65535))]
        if cause == "mask":
            return [{"key_length": c.key_count + 1}, {"key_length": 65535}]
        if cause == "select":
            slices = b.head_dim // formats.SLICE_DIMS
            wrong = (0, slices + 1, 31)
            return [{"use_budget": 1, "budget": 0}, *({"predicted_slices": n} for n in wrong)]
        zeros = ("score_multiplier", "predicted_multiplier", "output_multiplier", "output_shift")
        limits = {"score_shift": 48, "predicted_shift": 32, "output_shift": 48}
        high = [{name: n} for name, low in limits.items() for n in (low, 63)]
        return [{name: 0} for name in zeros] + high

    def spoiled_packet(self, stream: str, length: str) -> Head:
        """A legal command with one packet (at times others too) too short or too long."""
        head = self.head(queries=random.randint(2, 6), keys="part_block")
        beats = len(head.beats(stream))
        far = beats + random.randint(1, 40)
        beyond = random.choice((1, far))
        head.faults = {stream: -random.randint(1, beats - 1) if length == "short" else beyond}
        if random.random() < 0.3:
            other = random.choice([name for name in INPUTS if name != stream])
            head.faults[other] = random.choice((-1, 1))
        return head

    def broken_packet(self, stream: str) -> Head:
        """A legal command with a packet of the right length that ends as broken."""
        return replace(self.head(queries=random.randint(1, 4)), broken=frozenset({stream}))

    def any_head(self, *, refused: float = 0.2) -> Head:
        """What random traffic consists of: mostly good heads."""
        if random.random() >= refused:
            queries = random.choices((None, *QUERIES[:-1]), (8, 1, 1, 1, 2))[0]
            keys = random.choices(KEYS[:-1], (1, 1, 3, 4))[0]
            mode = random.choices(MODES, (1, 2, 2, 2))[0]
            # Where nothing is masked, blocks are whole and virtual keys come into play.
            mask = random.choice((*MASKS, *["none"] * 8))
            return self.head(queries=queries, keys=keys, mask=mask, mode=mode)
        if random.random() < 0.5:
            return self.illegal(random.choice(formats.CAUSES[:4]))
        if random.random() < 0.2:
            return self.broken_packet(random.choice(INPUTS))
        return self.spoiled_packet(random.choice(INPUTS), random.choice(("short", "long")))


def wild_scales(command: Command) -> Command:
    """The command with multipliers and shifts drawn over their whole legal range."""

    def multiplier(bits: int) -> int:
        return random.choice((1, (1 << bits) - 1, random.randint(1, (1 << bits) - 1)))

    return replace(
        command,
        score_multiplier=multiplier(formats.SCORE_MULTIPLIER_BITS),
        score_shift=random.randint(0, formats.SCORE_SHIFT_MAX),
        predicted_multiplier=multiplier(formats.PREDICTED_MULTIPLIER_BITS),
        predicted_shift=random.randint(0, formats.PREDICTED_SHIFT_MAX),
        output_multiplier=multiplier(formats.OUTPUT_MULTIPLIER_BITS),
        output_shift=random.randint(1, formats.OUTPUT_SHIFT_MAX),
    )


@cache
def shipped(path) -> workloads.Case:
    """A head that ships with PASA, in its fitted basis."""
    return workloads.load_case(path, basis="fitted")
