# SPDX-License-Identifier: Apache-2.0
"""What else was tried to make prediction cheaper or better: figures of the golden model.

Not simulated, since most of it is not built: clocks are those of the formula of DESIGN section 2,
`max(words x slices, kept + blocks)`, which the RTL reaches to 0.9 and more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from statistics import mean

import numpy as np
from pasa import fixed, ideal
from pasa.formats import Build
from pasa.selection import Prediction
from pasa.workloads import Case, load_case, shipped_paths

from verif.bench.figures import Figure, figure

#: Kind of head -> lambda.
KINDS = {"whisper-encoder": 0.002, "minilm": 0.003}
EVERY = 10  # of the queries one in so many: enough for a mean


@dataclass(frozen=True)
class Trial:
    """A way to predict.

    Attributes:
        name: for the report.
        build: the hardware it would need.
        pred_dims: dimensions that the predictor reads.
        least_tail: octaves below the row's sum at which a virtual key is left out; None: never.
    """

    name: str
    build: Build = Build()
    pred_dims: int = 16
    least_tail: int | None = None


TRIALS = (
    Trial("as built: 4 bits, 16 dimensions, blocks of 64"),
    Trial("5 bits", replace(Build(), pred_bits=5)),
    Trial("3 bits", replace(Build(), pred_bits=3)),
    Trial("32 dimensions", pred_dims=32),
    Trial("blocks of 32", replace(Build(), block_keys=32)),
    Trial("blocks of 128", replace(Build(), block_keys=128)),
    Trial("virtual keys below 2^-8 of the row left out", least_tail=8),
    Trial("virtual keys below 2^-6 of the row left out", least_tail=6),
)


class _Head(fixed._Head):
    """The golden model of a head without its lightest virtual keys."""

    least_tail = 0

    def tail(self, prediction: Prediction, visible: np.ndarray, kept: np.ndarray) -> np.ndarray:
        found = super().tail(prediction, visible, kept)
        return np.where(found < prediction.total[:, None] >> self.least_tail, 0, found)


def _run(case: Case, trial: Trial, value: float) -> fixed.Result:
    options = {"min_probability": value, "build": trial.build, "pred_dims": trial.pred_dims}
    original = fixed._Head
    if trial.least_tail is not None:
        fixed._Head = type("_Head", (_Head,), {"least_tail": trial.least_tail})
    try:
        return fixed.attention(case.q[::EVERY], case.k, case.v, **_scales(case), **options)
    finally:
        fixed._Head = original


def _scales(case: Case) -> dict:
    names = ("scale_q", "scale_k", "scale_v")
    return {name: getattr(case, name) for name in names} | {"output_bits": 16}


def trial_figures() -> Iterator[Figure]:
    """Error and clocks a row of each trial, mean over the shipped heads of a kind."""
    cases = [load_case(path, basis="fitted") for path in shipped_paths()]
    for kind, value in KINDS.items():
        chosen = [case for case in cases if case.kind == kind]
        exact = [
            ideal.attention(case.q[::EVERY], case.k, case.v, **_scales(case)).real
            for case in chosen
        ]
        for trial in TRIALS:
            errors, clocks = [], []
            for case, dense in zip(chosen, exact, strict=True):
                result = _run(case, trial, value)
                errors.append(np.linalg.norm(result.real - dense) / np.linalg.norm(dense))
                words = -(-len(case.k) // trial.build.pred_keys) * trial.pred_dims // 16
                clocks.append(np.maximum(words, result.kept + result.blocks).mean())
            text = f"tried, golden model: {kind}, λ {value:g}: {trial.name}"
            yield figure(f"{text}: mean relative error", mean(errors), "")
            yield figure(f"{text}: clocks a row by formula", mean(clocks), "cycles")
