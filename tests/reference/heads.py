# SPDX-License-Identifier: Apache-2.0
"""Heads, scales and options for the tests of the golden model, as hypothesis strategies."""

import math
from dataclasses import dataclass, field, replace

import numpy as np
from hypothesis import strategies as st
from pasa import fixed, make_command
from pasa.command import Command
from pasa.patterns import NAMES, make_head

#: Octaves that a score of 64 * 64 * sqrt(d) stands for: flat, as in trained models, one-hot.
SHARPNESS = (1e-6, 0.05, 1.0, 4.0, 16.0, 200.0, 4000.0)
EDGES = (1, 2, 3, 63, 64, 65, 127, 128, 129, 192, 255, 256, 257, 320)


def scales(sharpness: float) -> dict[str, float]:
    """Scales of q, k and v that give the scores this sharpness."""
    return {"scale_q": sharpness * math.log(2) / 4096, "scale_k": 1.0, "scale_v": 0.03}


@dataclass(frozen=True)
class Case:
    """A head with the arguments to run it."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    arguments: dict
    note: str = field(default="")

    def command(self) -> Command:
        """The integer command of the case."""
        scale = fixed.default_output_scale(
            self.arguments["scale_v"], self.arguments.get("output_bits", 8)
        )
        shape = len(self.q), len(self.k), self.q.shape[1]
        return make_command(*shape, **{"output_scale": scale} | self.arguments)

    def run(self, **changes) -> fixed.Result:
        """The golden model's result, with some arguments changed."""
        return fixed.attention(self.q, self.k, self.v, **self.arguments | changes)

    def with_options(self, **changes) -> "Case":
        """The case with some arguments changed."""
        return replace(self, arguments=self.arguments | changes)

    def with_arrays(self, **arrays: np.ndarray) -> "Case":
        """The case with some arrays changed."""
        return replace(self, **arrays)


def make_case(
    name: str, *, n_q: int, n_k: int, d: int, sharpness: float, seed: int = 0, **options
) -> Case:
    """A case of a named distribution."""
    rng = np.random.default_rng(seed)
    return Case(*make_head(name, rng, n_q, n_k, d), scales(sharpness) | options, note=name)


def key_counts() -> st.SearchStrategy[int]:
    """Numbers of keys, often at the edge of a block."""
    return st.sampled_from(EDGES) | st.integers(1, 320)


def selections(n_k: int) -> st.SearchStrategy[dict]:
    """Threshold, budget or both, with and without the tail."""
    probability = st.floats(-31, 0).map(lambda power: 2.0**power)
    budget = st.integers(1, n_k) | st.integers(1, 8)
    one = st.fixed_dictionaries({"min_probability": probability})
    other = st.fixed_dictionaries({"budget": budget})
    both = st.fixed_dictionaries({"min_probability": probability, "budget": budget})
    rest = st.fixed_dictionaries(
        {"tail": st.booleans(), "pred_dims": st.sampled_from((16, 32, 48, 64))}
    )
    return st.tuples(one | other | both, rest).map(lambda parts: parts[0] | parts[1])


def masks(n_q: int, n_k: int) -> st.SearchStrategy[dict]:
    """Key length, causal with an offset and sliding window with sinks, in any combination."""
    return st.fixed_dictionaries(
        {},
        optional={
            "key_length": st.integers(0, n_k),
            "causal": st.booleans(),
            "query_offset": st.integers(-n_q - 2, n_k + 70),
            "window": st.integers(1, n_k + 2),
            "sinks": st.integers(0, 70),
        },
    )


@st.composite
def cases(draw, *, sparse: bool | None = None, masked: bool | None = None) -> Case:
    """Small heads of every distribution, sharpness, selection, mask and output width.

    Args:
        sparse, masked: True or False to force it, None for either.
    """
    n_q, n_k, d = draw(st.integers(1, 5)), draw(key_counts()), draw(st.integers(1, 64))
    options = {"output_bits": draw(st.sampled_from((8, 16)))}
    if draw(st.booleans()) if sparse is None else sparse:
        options |= draw(selections(n_k))
    if draw(st.booleans()) if masked is None else masked:
        options |= draw(masks(n_q, n_k))
    case = make_case(
        draw(st.sampled_from(NAMES)),
        n_q=n_q,
        n_k=n_k,
        d=d,
        sharpness=draw(st.sampled_from(SHARPNESS)),
        seed=draw(st.integers(0, 1 << 30)),
        **options,
    )
    if draw(st.integers(0, 3)) == 0:
        case.q[0] = 0  # every score is 0: the reference equals the maximum
    return case


def same_rows(one: fixed.Result, two: fixed.Result, rows: slice | np.ndarray = slice(None)) -> bool:
    """True when every bit known of the rows is the same in both results."""
    names = ("output", "empty", "visible", "kept", "blocks", "row_sum", "dropped_mass")
    return all(np.array_equal(getattr(one, name)[rows], getattr(two, name)[rows]) for name in names)
