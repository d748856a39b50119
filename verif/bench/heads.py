# SPDX-License-Identifier: Apache-2.0
"""Made-up heads of `make bench`, written as .npz like a user's own."""

import math
from pathlib import Path

import numpy as np
from pasa.patterns import make_head
from pasa.workloads import DEFAULT_SCALE, Case, save_case, shipped_case

SPEECH = "repeated speech"
LOUD, QUIET = 100, 30  # codes of the uneven head's queries and keys
SIGNS = 16  # dimensions that tell its keys apart: the predictor's first slice
OCTAVES_APART = 32.0  # between its best key and the next
NOISE = 8.0  # codes, of the repetitions of a real head


def pattern_head(pattern: str, *, n_q: int, n_k: int, d: int, seed: int = 1) -> Case:
    """A random head of a distribution of `pasa.patterns`.

    Gaussian codes of deviation 40 and the default scale give scores of deviation 1.6 nats.
    """
    q, k, v = make_head(pattern, np.random.default_rng(seed), n_q, n_k, d)
    scales = (DEFAULT_SCALE, DEFAULT_SCALE, DEFAULT_SCALE)
    return Case(f"{pattern}-{n_k}", q, k, v, *scales, kind=pattern)


def uneven_head(*, n_q: int, n_k: int, d: int, every: int, seed: int = 1) -> Case:
    """Query 0, `every`, 2 x `every` ... keeps all keys at lambda below 1/n_k, any other one key.

    A query of zeros scores all keys alike. Any other one equals the signs of one key, and a
    key whose signs differ in one place is OCTAVES_APART worse, beyond the predictor's range.
    """
    rng = np.random.default_rng(seed)
    signs = rng.choice(1 << SIGNS, n_k, replace=False)
    signs = np.where(signs[:, None] >> np.arange(SIGNS) & 1, 1, -1)
    k = np.zeros((n_k, d), dtype=np.int8)
    k[:, :SIGNS] = QUIET * signs
    q = np.zeros((n_q, d), dtype=np.int8)
    q[:, :SIGNS] = LOUD * signs[np.arange(n_q) % n_k]
    q[::every] = 0
    apart = 2 * LOUD * QUIET  # of two scores, in steps of the codes
    scale = math.sqrt(OCTAVES_APART * math.sqrt(d) / (apart * math.log2(math.e)))
    v = rng.integers(-100, 101, (n_k, d)).astype(np.int8)
    return Case(f"uneven-1-in-{every}", q, k, v, scale, scale, DEFAULT_SCALE, kind="uneven")


def repeated_head(name: str, repeated: str, *, n_q: int, n_k: int, seed: int = 1) -> Case:
    """A longer head than any that ships: keys and values of one, in its fitted basis, repeated.

    Each repetition, the first one included, carries its own Gaussian noise of NOISE codes, so
    no two keys are alike. The queries are real ones, spread over the head.
    """
    rng, case = np.random.default_rng(seed), shipped_case(repeated)
    turns = np.arange(n_k) % len(case.k)
    k, v = (
        np.clip(np.rint(codes[turns] + rng.normal(0, NOISE, (n_k, codes.shape[1]))), -128, 127)
        for codes in (case.k, case.v)
    )
    chosen = np.linspace(0, len(case.q) - 1, n_q).astype(int)
    scales = (case.scale_q, case.scale_k, case.scale_v)
    return Case(name, case.q[chosen], k.astype(np.int8), v.astype(np.int8), *scales, kind=name)


def write_heads(folder: Path) -> dict[str, Path]:
    """Write every made-up head to `folder`; {name: file}."""
    folder.mkdir(parents=True, exist_ok=True)
    cases = [pattern_head("gaussian", n_q=n, n_k=n, d=64) for n in (128, 256, 512, 1024, 2048)]
    cases += [pattern_head("gaussian", n_q=q, n_k=n, d=64) for q, n in ((512, 4096), (256, 8192))]
    cases += [repeated_head(SPEECH, "whisper-encoder-l3h0", n_q=512, n_k=8192)]
    cases += [pattern_head("heavy_tailed", n_q=1024, n_k=1024, d=64)]
    cases += [uneven_head(n_q=256, n_k=1024, d=64, every=every) for every in (2, 4)]
    for case in cases:
        save_case(folder / f"{case.name}.npz", case)
    return {case.name: folder / f"{case.name}.npz" for case in cases}
