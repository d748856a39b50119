# SPDX-License-Identifier: Apache-2.0
"""What software sends to the shell: commands good and bad, and packets whole and broken.

Every draw is `random`'s, which cocotb seeds for each test.
"""

import random
from dataclasses import dataclass, field, replace

import numpy as np
from pasa import formats, make_command
from pasa.command import Command
from pasa.formats import Build

INPUTS = ("query", "key", "value")
BEAT_BYTES = 16
FAULTS = ("short", "long", "keep", "last")

Beat = tuple[int, int, int]  # tdata, tkeep, tlast


@dataclass
class Head:
    """A command and its packets.

    Attributes:
        rows: stream -> int8 [n, dims]; key and value are missing with ``reuse_keys``.
        faults: stream -> one of FAULTS.
    """

    command: Command
    rows: dict[str, np.ndarray]
    faults: dict[str, str] = field(default_factory=dict)

    def beats(self, stream: str, width: int) -> list[Beat]:
        """The packet of a stream in beats of `width` bits; empty when there is none."""
        if stream not in self.rows:
            return []
        count, dims = self.rows[stream].shape
        padded = random.randbytes(count * -(-dims // BEAT_BYTES) * BEAT_BYTES)
        array = np.frombuffer(padded, dtype=np.int8).reshape(count, -1).copy()
        array[:, :dims] = self.rows[stream]
        return _spoil(array.tobytes(), self.faults.get(stream), width // 8)


def _spoil(raw: bytes, fault: str | None, size: int) -> list[Beat]:
    """A packet of `raw` in beats of `size` bytes, with a fault."""
    full = (1 << size) - 1
    if fault == "short" and len(raw) > BEAT_BYTES:
        raw = raw[: -BEAT_BYTES * random.randint(1, len(raw) // BEAT_BYTES - 1)]
    elif fault in ("short", "long"):  # a packet of one beat can only be too long
        raw += random.randbytes(BEAT_BYTES * random.randint(1, 5))
    elif fault == "last":
        raw = raw[: -size * random.randint(1, BEAT_BYTES // size - 1)]
    data = [int.from_bytes(raw[at : at + size], "little") for at in range(0, len(raw), size)]
    keep = [full] * len(data)
    if fault == "keep":
        keep[random.randrange(len(keep))] = random.choice((0, 1, full >> 1, full - 1))
    last = [place == len(data) - 1 for place in range(len(data))]
    return [(d, k, int(end)) for d, k, end in zip(data, keep, last, strict=True)]


@dataclass
class Draw:
    """Draws heads for one build, each in view of the one before.

    Args:
        width: of the data streams; at 128 bits no packet can end inside a beat.
    """

    build: Build
    width: int
    before: Command | None = None

    @property
    def faults(self) -> tuple[str, ...]:
        """What can be wrong with a packet at this width."""
        return FAULTS if self.width < 8 * BEAT_BYTES else FAULTS[:-1]

    def head(self, kind: str | None = None) -> Head:
        """A head.

        Args:
            kind: good, reuse, merge, a cause of formats.CAUSES, or one of FAULTS in a packet, such
                as key_short; default drawn.
        """
        if kind is None and self.before and self.before.merge_next and random.random() < 0.7:
            kind = "merge"
        kind = kind or random.choice(("good", "good", "good", "reuse", "merge", "bad", "packet"))
        if kind == "bad":
            kind = random.choice(("shape", "mask", "select", "scale", "chain"))
        command, rows = self._good(kind)
        head = Head(command, rows)
        stream, _, fault = kind.partition("_")
        if kind == "packet":
            self._spoil_packets(head)
        elif stream in INPUTS:
            head.faults[stream] = self._fault() if fault == "packet" else fault
        elif kind in formats.CAUSES:
            head = self._illegal(kind, head)
        self.before = head.command
        return head

    def _good(self, kind: str) -> tuple[Command, dict[str, np.ndarray]]:
        """A legal command (as far as this one alone can tell) and its rows."""
        before, most = self.before, self.build.head_dim
        n_q = random.choice((1, random.randint(1, 6)))
        n_k = random.choices((1, random.randint(1, 12), random.randint(13, 80)), (1, 4, 1))[0]
        dims = random.choice((1, 16, most, random.randint(1, most)))
        options = self._select()
        fields: dict[str, int] = {}
        if kind == "reuse" and before is not None and before.dims in range(1, most + 1):
            n_k, dims = min(max(before.key_count, 1), 80), before.dims
            fields["reuse_keys"] = 1
        if kind == "merge" and before is not None and before.merge_next:
            n_q, dims = before.query_count, before.dims
            options = self._select(sparse=before.sparse)
            fields["merge_previous"] = 1
        if kind == "merge" and random.random() < 0.6:
            fields["merge_next"] = 1
        command = make_command(
            n_q,
            n_k,
            dims,
            scale_q=10.0 ** random.uniform(-4, -2),
            scale_k=1.0,
            scale_v=1.0,
            output_scale=random.choice((1.0, 0.1)),
            softmax_scale=1.0,
            output_bits=random.choice((8, 16)),
            key_length=random.choice((None, random.randint(0, n_k))),
            causal=random.random() < 0.3,
            query_offset=random.randint(-4, n_k),
            window=random.choice((None, None, random.randint(1, 20))),
            sinks=random.choice((0, 2)),
            tail=random.random() < 0.7,
            pred_dims=16 * random.randint(1, most // 16),
            tag=random.getrandbits(16),
            build=self.build,
            **options,
        )
        counts = {"query": n_q} if "reuse_keys" in fields else dict.fromkeys(INPUTS, n_k)
        counts["query"] = n_q
        rows = {
            stream: np.frombuffer(random.randbytes(n * dims), dtype=np.int8).reshape(n, dims)
            for stream, n in counts.items()
        }
        return replace(command, **fields), rows

    def _select(self, *, sparse: bool | None = None) -> dict:
        """Options of `make_command` that choose a mode."""
        choices = [{}, {"min_probability": 0.02}, {"budget": random.randint(1, 20)}]
        if sparse is not None:
            choices = choices[1:] if sparse else choices[:1]
        return random.choice(choices)

    def _fault(self) -> str:
        return random.choice(self.faults)

    def _spoil_packets(self, head: Head) -> None:
        for stream in random.sample(list(head.rows), random.randint(1, len(head.rows))):
            head.faults[stream] = self._fault()

    def _illegal(self, cause: str, head: Head) -> Head:
        """The head with a command that has the cause, perhaps among others."""
        build, c = self.build, head.command
        over = random.choice((0, build.tile_keys + 1, 65535))
        fields = {
            "shape": {random.choice(("query_count", "key_count")): over},
            "mask": {"key_length": random.choice((c.key_count + 1, 65535))},
            "select": {"predicted_slices": random.choice((0, build.head_dim // 16 + 1, 31))},
            "scale": random.choice(({"score_multiplier": 0}, {"output_shift": 48})),
            "chain": {"merge_previous": 1, "query_count": min(c.query_count + 1, 6)},
        }[cause]
        if random.random() < 0.3:
            self._spoil_packets(head)
        return replace(head, command=replace(c, **fields))
