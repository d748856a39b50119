# SPDX-License-Identifier: Apache-2.0
"""Float study of the algorithm of DESIGN section 1 on the shipped heads; prints Markdown.

    .venv/bin/python reference/data/study.py

Arithmetic is float64, the inputs are the shipped int8 codes, and the error is relative
(Frobenius) to exact attention on the same codes. It shows what the algorithm costs before
any fixed-point format does.
"""

from dataclasses import dataclass

import numpy as np
from pasa.workloads import Case, shipped_cases

LAMBDAS = {
    "whisper-encoder": 0.002,
    "whisper-cross": 0.002,
    "whisper-decoder": 0.005,
    "minilm": 0.003,
}


@dataclass(frozen=True)
class Rule:
    """The algorithm's settings; the defaults are the contract."""

    threshold: float = 0.002  # keep predicted probability >= threshold
    relative: bool = False  # ... >= threshold / visible keys of the row instead
    pred_dims: int = 16
    block: int = 64
    last_block: str = "mean"  # its virtual key when partly filled: none | mean | over64
    score_step: float = 0.0  # predicted scores rounded to this many octaves
    weight_bits: int = 0  # predicted weights floored to this many fractional bits


def attention(case: Case, rule: Rule | None = None) -> tuple[np.ndarray, float]:
    """Output [n_q, d] and fraction of visible keys kept; dense without a rule."""
    q, k, v = (x.astype(np.float64) for x in (case.q, case.k, case.v * case.scale_v))
    octave = case.scale_q * case.scale_k * np.log2(np.e) / np.sqrt(q.shape[1])
    visible = visible_keys(case)
    exact = np.where(visible, q @ k.T * octave, -np.inf)
    if rule is None:
        weights = np.exp2(exact - exact.max(1, keepdims=True))
        return weights @ v / weights.sum(1, keepdims=True), 1.0
    predicted = predicted_scores(q, k, octave=octave, rule=rule)
    predicted = np.where(visible, predicted, -np.inf)
    guess = np.exp2(predicted - predicted.max(1, keepdims=True))
    if rule.weight_bits:
        guess = np.floor(guess * 2**rule.weight_bits) / 2**rule.weight_bits
    limit = rule.threshold / (visible.sum(1, keepdims=True) if rule.relative else 1)
    kept = visible & (guess >= limit * guess.sum(1, keepdims=True))
    kept[np.arange(len(q)), predicted.argmax(1)] = True
    # Predicted and exact weights share one reference a row, so that they add up.
    top = np.maximum(np.where(kept, exact, -np.inf).max(1), predicted.max(1))[:, None]
    weights = np.where(kept, np.exp2(exact - top), 0)
    tail = np.where(kept, 0, guess) * np.exp2(predicted.max(1, keepdims=True) - top)
    tail, means = virtual_keys(tail, v, visible, rule=rule)
    total = weights.sum(1, keepdims=True) + tail.sum(1, keepdims=True)
    return (weights @ v + tail @ means) / total, kept.sum() / visible.sum()


def visible_keys(case: Case) -> np.ndarray:
    """bool [n_q, n_k]."""
    n_q, n_k, _ = case.shape
    if not case.causal:
        return np.ones((n_q, n_k), bool)
    return np.arange(n_k) <= np.arange(n_q)[:, None] + case.query_offset


def predicted_scores(q: np.ndarray, k: np.ndarray, *, octave: float, rule: Rule) -> np.ndarray:
    """Base-2 scores from 4 bit codes of the first `pred_dims` dimensions."""
    q, k = (np.clip(np.rint(x[:, : rule.pred_dims] / 16), -8, 7) for x in (q, k))
    scores = q @ k.T * (256 * octave)
    return np.rint(scores / rule.score_step) * rule.score_step if rule.score_step else scores


def virtual_keys(
    tail: np.ndarray, v: np.ndarray, visible: np.ndarray, *, rule: Rule
) -> tuple[np.ndarray, np.ndarray]:
    """Weight of each block's dropped keys [n_q, blocks] and its mean value [blocks, d].

    A block that a mask cuts gets no weight; one that the end of the keys cuts follows
    `rule.last_block`.
    """
    starts = np.arange(0, len(v), rule.block)
    sizes = np.diff([*starts, len(v)])
    sums = np.add.reduceat(tail, starts, axis=1)
    whole = np.add.reduceat(visible, starts, axis=1) == sizes
    if rule.last_block == "none":
        whole &= sizes == rule.block
    divisors = np.full(len(sizes), rule.block) if rule.last_block == "over64" else sizes
    return sums * whole, np.add.reduceat(v, starts, axis=0) / divisors[:, None]


def error(out: np.ndarray, want: np.ndarray) -> float:
    """||out - want|| / ||want||, Frobenius."""
    return float(np.linalg.norm(out - want) / np.linalg.norm(want))


def heads_table(cases: list[Case], plain: list[Case]) -> list[str]:
    """One line a head; the last two columns use the plain basis."""
    lines = [
        "| head | n_q | n_k | d | lambda | kept | error | plain basis: kept | error |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for pair in zip(cases, plain, strict=True):
        rule = Rule(threshold=LAMBDAS[pair[0].kind])
        cells = []
        for case in pair:
            out, kept = attention(case, rule)
            cells += [f"{kept:.1%}", f"{error(out, attention(case)[0]):.4f}"]
        n_q, n_k, d = pair[0].shape
        lines.append(
            f"| {pair[0].name} | {n_q} | {n_k} | {d} | {rule.threshold} | "
            + " | ".join(cells)
            + " |"
        )
    return lines


def variants_table(cases: list[Case]) -> list[str]:
    """Mean kept fraction and error of each kind of head under variants of the algorithm."""
    variants = {
        "mean of its keys for a partly filled last block": {},
        "no virtual key for it": {"last_block": "none"},
        "its sum / 64 as the mean": {"last_block": "over64"},
        "predicted scores in 1/16 octave": {"score_step": 1 / 16},
        "predicted scores in 1/8 octave": {"score_step": 1 / 8},
        "predicted scores in 1/4 octave": {"score_step": 1 / 4},
        "predicted weights of 10 bits": {"weight_bits": 10},
        "predicted weights of 12 bits": {"weight_bits": 12},
        "predicted weights of 14 bits": {"weight_bits": 14},
        "predicted weights of 16 bits": {"weight_bits": 16},
        "1/16 octave and 16 bits": {"score_step": 1 / 16, "weight_bits": 16},
    }
    kinds = sorted({case.kind for case in cases})
    dense = {case.name: attention(case)[0] for case in cases}
    lines = ["| variant | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for name, settings in variants.items():
        cells = []
        for kind in kinds:
            rule = Rule(threshold=LAMBDAS[kind], **settings)
            some = [case for case in cases if case.kind == kind]
            results = [attention(case, rule) for case in some]
            errors = [
                error(out, dense[case.name]) for case, (out, _) in zip(some, results, strict=True)
            ]
            cells.append(f"{np.mean([kept for _, kept in results]):.2%} -> {np.mean(errors):.4f}")
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def causal_table(cases: list[Case]) -> list[str]:
    """Error against kept fraction: lambda fixed, or c / visible keys, on causal heads."""
    rules = [Rule(threshold=x) for x in (0.002, 0.005, 0.01, 0.02)]
    rules += [Rule(threshold=c, relative=True) for c in (0.5, 1, 1.5, 2, 3, 5)]
    lines = [
        "| head | "
        + " | ".join(
            f"c = {r.threshold}" if r.relative else f"lambda = {r.threshold}" for r in rules
        )
        + " |",
        "|---" * (len(rules) + 1) + "|",
    ]
    for case in (case for case in cases if case.causal):
        dense = attention(case)[0]
        results = [attention(case, rule) for rule in rules]
        lines.append(
            f"| {case.name} | "
            + " | ".join(f"{kept:.1%} -> {error(out, dense):.4f}" for out, kept in results)
            + " |"
        )
    return lines


def main() -> None:
    cases, plain = (list(shipped_cases(basis=basis)) for basis in ("fitted", "plain"))
    for table in (heads_table(cases, plain), variants_table(cases), causal_table(cases)):
        print("\n".join(table), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
