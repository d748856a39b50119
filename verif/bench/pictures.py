# SPDX-License-Identifier: Apache-2.0
"""The pictures of build/bench/report.html, as SVG text."""

from collections.abc import Mapping

import numpy as np

from verif.bench.figures import Records, heads, limits, of_section
from verif.bench.heads import SPEECH
from verif.bench.plan import SHOWN
from verif.sim.pictures import COLOURS, KEPT, MEASURED, VIRTUAL, figure_of, svg

FORMULA, FILL, LOST, LIMIT = KEPT, VIRTUAL, MEASURED, "#555555"
MADE = "#2f8f5b"


def draw(summary: Mapping) -> list[dict[str, str]]:
    """Pictures with `title`, `caption` and `svg`, as far as the runs have data for them."""
    build = summary["build"]
    records = summary["runs"].get(f"ROWS {build['ROWS']}, PRED_KEYS {build['PRED_KEYS']}", {})
    lanes = build["ROWS"]
    drawn = (
        _roofline(records),
        _growth(records, lanes),
        _fraction(records, lanes),
        _cycles(records),
    )
    return [picture for picture in drawn if picture]


def _roofline(records: Records) -> dict[str, str] | None:
    groups = {
        "heads back to back": ("overlap", MEASURED, "D"),
        "few queries on many keys, back to back": ("decode", VIRTUAL, "v"),
        "one whisper or minilm head, with load": ("traces", KEPT, "o"),
        "one head, n = 512, with load": ("n512", MADE, "s"),
    }
    figure, (ax,) = figure_of(8.4, 4.6)
    many = False
    for label, (section, colour, marker) in groups.items():
        events = of_section(records, section)
        events = {k: e for k, e in events.items() if e["heads"][0]["lambda"]}
        points = []
        for name, event in events.items():
            compute, beats = limits(event["heads"])
            points.append((compute / beats, beats / event["clocks"]))
            if section == "overlap":
                place = (6, 4) if len(points) % 2 else (6, -10)
                ax.annotate(name, points[-1], fontsize=6, xytext=place, textcoords="offset points")
        if points:
            many = True
            across, up = zip(*points, strict=True)
            ax.scatter(across, up, color=colour, marker=marker, s=26, label=label, zorder=3)
    if not many:
        return None
    ax.set_xscale("log")
    ax.set_yscale("log")
    reach = np.geomspace(*ax.get_xlim(), 200)
    ax.plot(reach, np.minimum(1, 1 / reach), color=LIMIT, linewidth=1.4, label="roof")
    ax.set_xlabel("clocks by formula for each beat of the longest stream")
    ax.set_ylabel("beats of the longest stream a clock")
    ax.legend(fontsize=7, frameon=False, loc="lower left")
    return {
        "title": "Roofline",
        "caption": (
            "Left of 1 a head is limited by its longest stream of 16 bytes a clock, right of it by "
            "the arithmetic that the formula counts. A head alone pays for its load before it "
            "starts; back to back the next one loads meanwhile."
        ),
        "svg": svg(figure),
    }


def _growth(records: Records, lanes: int) -> dict[str, str] | None:
    found = heads(records, "growth")
    figure, (ax,) = figure_of(8.4, 4.4)
    for name, mode, colour in (
        ("gaussian", "dense", LIMIT),
        ("gaussian", "sparse", MADE),
        (SHOWN, "sparse", COLOURS["whisper-encoder"]),
        (SPEECH, "sparse", MEASURED),
    ):
        chosen = [h for k, h in found.items() if k.startswith(name) and k.endswith(mode)]
        if not chosen:
            continue
        n = [head["n_k"] for head in chosen]
        scaled, by_formula = (
            [_whole_head(head, cycles, lanes) for head in chosen]
            for cycles in ("cycles", "formula_cycles")
        )
        ax.plot(n, scaled, "o-", color=colour, markersize=4, linewidth=1, label=f"{name}, {mode}")
        ax.plot(n, by_formula, "--", color=colour, linewidth=1)
    if not ax.lines:
        return None
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xlabel("n, queries and keys")
    ax.set_ylabel("cycles of a head")
    ax.legend(fontsize=7, frameon=False)
    return {
        "title": "Growth with n",
        "caption": (
            "λ is 3/n. Dashed: the formula. Dense ran on up to 64 queries, the others count one "
            "key a lane and clock. Below 512 keys the output, four clocks a row, bounds more. From "
            "4,096 on tiles merge, and 256 or 512 queries ran, the others count the same."
        ),
        "svg": svg(figure),
    }


def _whole_head(head: Mapping, name: str, lanes: int) -> float:
    """Cycles of a head of n queries, of which some ran.

    Dense rows that did not run cost one key a lane and clock, other rows what the mean one does.
    """
    if head["lambda"]:
        return head[name] * head["n_k"] / head["rows"]
    return head[name] + (head["n_k"] - head["rows"]) * head["n_k"] // lanes


def _fraction(records: Records, lanes: int) -> dict[str, str] | None:
    found = list(heads(records, "fraction").values())
    if not found:
        return None
    figure, (ax,) = figure_of(8.4, 3.6)
    kept = [100 * head["kept_fraction"] for head in found]
    for name, colour, style in (("formula_cycles", FORMULA, "--"), ("cycles", MEASURED, "o-")):
        cost = [head[name] * lanes / head["rows"] for head in found]
        label = "formula" if style == "--" else "measured"
        ax.plot(kept, cost, style, color=colour, markersize=4, linewidth=1.2, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("kept keys, % of visible")
    ax.set_ylabel("cycles a row, in its lane")
    ax.legend(fontsize=7, frameon=False)
    return {
        "title": "Growth with what is kept",
        "caption": (
            f"n = {found[0]['n_k']}, {found[0]['rows']} queries. On the left the predictor's words "
            "bound a row, on the right its kept keys; the distance is filling and draining."
        ),
        "svg": svg(figure),
    }


def _cycles(records: Records) -> dict[str, str] | None:
    found = [h for h in heads(records, "traces").values() if h["lambda"] and h["cycles"]]
    found += [h for h in heads(records, "n512").values() if h["lambda"] and h["cycles"]]
    if not found:
        return None
    figure, (ax,) = figure_of(8.4, 1.2 + 0.22 * len(found))
    place = np.arange(len(found))[::-1]
    shares = np.array([_shares(head) for head in found])
    left = np.zeros(len(found))
    names = (("formula", FORMULA), ("first row beyond it", FILL), ("waits and drain", LOST))
    for (name, colour), share in zip(names, shares.T, strict=True):
        ax.barh(place, share, left=left, color=colour, height=0.7, label=name)
        left += share
    names = [f"{h['name']}  n {h['n_k']}  λ {h['lambda']:g}" for h in found]
    ax.set_yticks(place, names, fontsize=7)
    ax.set_xlabel("% of the head's cycles")
    ax.margins(y=0.01)
    ax.legend(fontsize=7, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False, ncols=3)
    return {
        "title": "Where the cycles went",
        "caption": (
            "Of each head's cycles: what the formula counts, what its first row takes beyond the "
            "formula while the pipeline fills, and the rest. Heads that keep few keys a row are "
            "bound by the output stream, four clocks a row at d = 64."
        ),
        "svg": svg(figure),
    }


def _shares(head: Mapping) -> tuple[float, float, float]:
    """Percent of a head's cycles: formula, fill, rest."""
    cycles = head["cycles"]
    formula = min(head["formula_cycles"], cycles)
    fill = min(max(head["first_row"] or 0, 0), cycles - formula)
    return tuple(100 * part / cycles for part in (formula, fill, cycles - formula - fill))
