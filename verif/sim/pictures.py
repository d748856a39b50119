# SPDX-License-Identifier: Apache-2.0
"""The pictures of report.html, as SVG text."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from pasa.masks import visible_keys
from pasa.workloads import Case

from verif.sim.plan import Job, head_of
from verif.sim.runs import Outcome

COLOURS = {
    "whisper-encoder": "#1f5f99",
    "whisper-cross": "#5aa9d6",
    "whisper-decoder": "#7a5ea8",
    "minilm": "#d9812e",
    "user": "#2f8f5b",
}
KEPT, VIRTUAL, MEASURED, PREDICTOR = "#1f5f99", "#a9cbe6", "#c0392b", "#e0a100"
#: Heads whose maps say most, in order of preference, one a kind.
SHOWN = ("whisper-encoder-l3h0", "minilm-l3h10", "whisper-decoder-l2h4")
NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
CHUNK = 16  # rows averaged in the trace: lanes finish rows out of step


def draw(summary: dict, jobs: Sequence[Job], outcome: Outcome) -> list[dict[str, str]]:
    """Pictures with `title`, `caption` and `svg`; as far as the run has data for them."""
    by_label = {f"{case['name']}:{case['mode']}": case for case in summary["cases"]}
    sparse = [
        (job, by_label[job.label])
        for job in jobs
        if job.label in by_label and job.mode.min_probability and by_label[job.label]["cycles"]
    ]
    firsts: dict[str, tuple[Job, dict]] = {}
    for job, case in sparse:
        firsts.setdefault(job.name, (job, case))
    pictures = [_maps(job, case, outcome) for job, case in _shown(list(firsts.values()))]
    if sparse:
        pictures.append(_error_against_kept(summary["cases"]))
        pictures.append(_cycles(list(firsts.values()), summary))
        pictures += [
            _trace(job, case, outcome, summary) for job, case in _shown(list(firsts.values()))[:2]
        ]
    return pictures


def _shown(firsts: Sequence[tuple[Job, dict]]) -> list[tuple[Job, dict]]:
    """One head of each kind, preferred ones first, three at most."""
    rank = {name: place for place, name in enumerate(SHOWN)}
    ranked = sorted(firsts, key=lambda item: rank.get(item[0].name, len(SHOWN)))
    one_a_kind: dict[str, tuple[Job, dict]] = {}
    for item in ranked:
        one_a_kind.setdefault(item[0].kind, item)
    return list(one_a_kind.values())[:3]


def svg(figure: Figure) -> str:
    """The figure as SVG text, the same bytes for the same figure."""
    text = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "pasa"}):
        figure.savefig(text, format="svg", bbox_inches="tight", metadata=NO_METADATA)
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def figure_of(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """An empty figure of inches, with axes side by side."""
    figure = Figure(figsize=(width, height), layout="constrained", dpi=150)
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, list(axes)


# What is kept


def _probabilities(case: Case) -> np.ndarray:
    """Exact softmax of the head [queries, keys], 0 where masked."""
    octaves = case.q.astype(float) @ case.k.T.astype(float)
    octaves *= case.scale_q * case.scale_k * math.log2(math.e) / math.sqrt(case.q.shape[1])
    seen = visible_keys(
        np.arange(len(case.q)),
        len(case.k),
        key_length=len(case.k),
        causal=case.causal,
        query_offset=case.query_offset,
    )
    best = np.where(seen, octaves, -np.inf).max(axis=1, keepdims=True)
    weight = np.where(seen, np.exp2(octaves - np.where(np.isfinite(best), best, 0)), 0)
    return weight / np.maximum(weight.sum(axis=1, keepdims=True), 1e-300)


def _maps(job: Job, case: dict, outcome: Outcome) -> dict[str, str]:
    head = head_of(job)
    weight, kept = _probabilities(head), _kept_mask(job, outcome)
    covered = float(np.where(kept, weight, 0).sum(axis=1).mean())
    figure, (left, right) = figure_of(9.6, 4.6, columns=2)
    extent = (0, job.keys, job.rows.stop, job.rows.start)
    options = {"extent": extent, "aspect": "auto"}
    floor = math.log10(0.02 / job.keys)
    image = left.imshow(
        np.log10(np.maximum(weight, 1e-12)), cmap="magma", vmin=floor, vmax=0, **options
    )
    bar = figure.colorbar(image, ax=left, label="log10 of probability", shrink=0.8, format="%.0f")
    bar.locator = MaxNLocator(integer=True)
    right.imshow(_denser(kept), cmap="Greys", vmin=0, vmax=1, interpolation="nearest", **options)
    left.set_title("exact attention", fontsize=10)
    right.set_title(f"keys kept at λ = {job.mode.min_probability:g}", fontsize=10)
    for ax in (left, right):
        ax.set_xlabel("key")
        ax.set_ylabel("query")
    return {
        "title": f"What {job.name} keeps",
        "caption": (
            f"Left, where this head attends; right, the {100 * case['kept_fraction']:.1f} % of "
            f"keys that the predictor keeps for exact work. They carry {100 * covered:.0f} % of "
            f"the probability; virtual keys stand for the rest. Error of the output "
            f"{_number(case['relative_error'])}."
        ),
        "svg": svg(figure),
    }


def _denser(kept: np.ndarray, *, side: int = 360) -> np.ndarray:
    """The mask with at most `side` rows and columns, a point where any key is kept."""
    steps = [max(1, math.ceil(length / side)) for length in kept.shape]
    down, across = steps
    padded = np.pad(kept, [(0, -kept.shape[0] % down), (0, -kept.shape[1] % across)])
    return padded.reshape(len(padded) // down, down, -1, across).any(axis=(1, 3))


def _kept_mask(job: Job, outcome: Outcome) -> np.ndarray:
    with np.load(outcome.records[job.label]["trace"]) as trace:
        return np.unpackbits(trace["kept_mask"], axis=1, count=job.keys).astype(bool)


def _error_against_kept(cases: Sequence[dict]) -> dict[str, str]:
    figure, (ax,) = figure_of(8.4, 4.4)
    whole = [c for c in cases if c["relative_error"] is not None and c["mode"] != "dense"]
    for kind, colour in COLOURS.items():
        for tail, marker in ((True, "o"), (False, "x")):
            points = [c for c in whole if (c["kind"], c["tail"]) == (kind, tail)]
            if points:
                ax.scatter(
                    [100 * c["kept_fraction"] for c in points],
                    [c["relative_error"] for c in points],
                    color=colour,
                    marker=marker,
                    s=28,
                    label=f"{kind}, {'λ with tail' if tail else 'budget, no tail'}",
                )
    dense = [c["relative_error"] for c in cases if c["mode"] == "dense"]
    dense = [error for error in dense if error is not None]
    if dense:
        ax.axhspan(min(dense), max(dense), color="#dddddd", zorder=0, label="dense, int8 output")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("kept keys, % of visible")
    ax.set_ylabel("relative error of the output")
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return {
        "title": "Error against kept keys",
        "caption": (
            "Each point is one head in one mode, measured on the RTL's output. At equal kept keys "
            "the virtual keys of the tail (dots) lower the error several times against dropping "
            "the rest (crosses)."
        ),
        "svg": svg(figure),
    }


# Where the cycles went


def _cycles(firsts: Sequence[tuple[Job, dict]], summary: dict) -> dict[str, str]:
    lanes = summary["build"]["ROWS"]
    figure, (ax,) = figure_of(8.4, 1.2 + 0.27 * len(firsts))
    place = np.arange(len(firsts))[::-1]
    cases = [case for _, case in firsts]
    kept, blocks = [c["kept"] for c in cases], [c["blocks"] for c in cases]
    ax.barh(place, kept, color=KEPT, label="kept keys", height=0.7)
    ax.barh(place, blocks, left=kept, color=VIRTUAL, label="virtual keys", height=0.7)
    words, formula, measured = (
        [case[name] * lanes / case["rows"] for case in cases]
        for name in ("predictor_cycles", "formula_cycles", "cycles")
    )
    ax.scatter(
        words, place, marker="|", color=PREDICTOR, s=130, linewidth=2.5, label="predictor's words"
    )
    ax.scatter(formula, place, marker="D", color="white", edgecolor="black", s=20, label="formula")
    ax.scatter(measured, place, marker="o", color=MEASURED, s=20, label="measured")
    ax.set_yticks(place, [f"{c['name']}  λ {c['lambda']:g}" for c in cases], fontsize=8)
    ax.set_xlabel("cycles a row, in its lane")
    ax.set_xlim(left=0)
    ax.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    share = sum(c["formula_cycles"] for c in cases) / sum(c["cycles"] for c in cases)
    return {
        "title": "Where the cycles went",
        "caption": (
            "A row costs its lane one cycle for each kept and each virtual key, and all lanes "
            "together one for each word of keys that the predictor reads; the larger of the two "
            "counts, row by row (formula). All heads together reach "
            f"{100 * share:.0f} % of the formula; the distance is filling and draining the "
            "pipeline, waits for the predictor's slowest stage, and uneven rows."
        ),
        "svg": svg(figure),
    }


def _trace(job: Job, case: dict, outcome: Outcome, summary: dict) -> dict[str, str]:
    lanes = summary["build"]["ROWS"]
    with np.load(Path(outcome.records[job.label]["trace"])) as trace:
        clocks, kept, blocks = trace["row_clocks"], trace["kept"], trace["blocks"]
        words = -(-trace["visible"] // summary["build"]["PRED_KEYS"])
    items = kept + blocks
    figure, (ax,) = figure_of(8.4, 3.4)
    ax.plot(items, ".", color=VIRTUAL, markersize=3, label="kept + virtual keys of a row")
    ends = clocks[CHUNK - 1 :: CHUNK]
    cost = np.diff(ends, prepend=ends[0] if len(ends) else 0) * lanes / CHUNK
    middle = np.arange(len(ends)) * CHUNK + CHUNK / 2
    means = [items[at : at + CHUNK].mean() for at in range(0, len(ends) * CHUNK, CHUNK)]
    ax.step(middle, means, where="mid", color=KEPT, linewidth=1.2, label=f"their mean of {CHUNK}")
    ax.step(
        middle[1:], cost[1:], where="mid", color=MEASURED, linewidth=1.2, label="cycles measured"
    )
    ax.plot(words, color=PREDICTOR, linewidth=1, linestyle="--", label="predictor's words")
    ax.set_xlabel("row, in the order of the command")
    ax.set_ylabel("cycles a row, in its lane")
    ax.set_ylim(0, max(1.15 * items.max(), 1.3 * words.max()))
    ax.legend(fontsize=7, frameon=False, ncols=2)
    return {
        "title": f"Row by row: {job.name}",
        "caption": (
            f"Time between output rows at λ = {case['lambda']:g}, averaged over {CHUNK} rows, "
            "beside what those rows had to do."
        ),
        "svg": svg(figure),
    }


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"
