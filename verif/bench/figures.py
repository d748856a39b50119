# SPDX-License-Identifier: Apache-2.0
"""From the runs' records to figures with goals (DESIGN section 6)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from statistics import mean

from pasa.formats import Build

from verif.bench.heads import SPEECH
from verif.bench.plan import (
    DENSE,
    FRACTIONS,
    GROWTH,
    LONG,
    ONE_LOAD,
    OWN_LOADS,
    SHOWN,
    STALLS,
)

ROW_TIME = 0.90  # least formula / measured
DENSE_PEAK = 0.97
FILL = 64  # most clocks of a first row beyond its formula
SLOWER = 1.02  # most sparse / dense where all is kept
OVERLAP = 0.90
COMMAND_COST = 100  # most clocks that a command costs beyond formula and load
SHORT_CYCLES = 6_500
#: (kind, lambda) -> (least speed-up over dense, largest mean relative error).
TRACE_GOALS = {
    ("whisper-encoder", 0.002): (14.0, 0.06),
    ("whisper-encoder", 0.003): (19.0, 0.07),
    ("minilm", 0.003): (6.5, 0.11),
}


@dataclass(frozen=True)
class Published:
    """pulp-platform/ITA, one dense head of d = 64: measured elsewhere, not in this run."""

    name: str = "ITA (published/measured elsewhere, not in this run)"
    multipliers: int = 1_024
    n512: int = 32_769
    n128: int = 2_049
    n128_stalls: int = 4_511  # half of the clocks held


ITA = Published()


@dataclass(frozen=True)
class Figure:
    """One line of the report; `holds` is None where there is no goal."""

    name: str
    value: float | None
    unit: str
    goal: str | None = None
    holds: bool | None = None


Records = Mapping[str, dict]


def figure(name: str, value: float, unit: str, *, least=None, most=None) -> Figure:
    """A figure, with a goal when `least` or `most` is given."""
    value = round(float(value), 4)
    if least is not None:
        return Figure(name, value, unit, f">= {least:g}", value >= least)
    if most is not None:
        return Figure(name, value, unit, f"<= {most:g}", value <= most)
    return Figure(name, value, unit)


def multipliers(build: Build) -> int:
    """Exact int8 multipliers: a lane scores one key and weighs one value a clock."""
    return build.rows * 2 * build.head_dim


def heads(records: Records, section: str) -> dict[str, dict]:
    """{run: its only head} of a section."""
    return {name: event["heads"][0] for name, event in of_section(records, section).items()}


def reached(head: Mapping) -> float:
    """Formula over measured cycles: 1 is as fast as the formula says."""
    return head["formula_cycles"] / head["cycles"]


def limits(found: Iterable[Mapping]) -> tuple[int, int]:
    """Clocks of heads by formula, and beats of the longest stream of all of them."""
    found = list(found)
    streams = zip(*(head["beats"] for head in found), strict=True)
    return sum(head["formula_cycles"] for head in found), max(map(sum, streams))


def roof(found: Iterable[Mapping]) -> int:
    """Clocks of heads by formula or of their longest stream, whichever is more."""
    return max(limits(found))


def share_of_roof(event: Mapping) -> float:
    """max(formula, longest stream) over the time of a run: 1 is as fast as can be."""
    return roof(event["heads"]) / event["clocks"]


def of_section(records: Records, section: str) -> dict[str, dict]:
    """{run: its event} of a section."""
    return {
        label.partition("/")[2]: event
        for label, event in records.items()
        if label.startswith(f"{section}/")
    }


def dense_cycles(head: Mapping, dense: Mapping, *, lanes: int) -> int:
    """Cycles of dense mode for all rows of `head`.

    Rows that did not run dense count with one key a lane and cycle, the least they could take.
    """
    return dense["cycles"] + (head["visible"] - dense["visible"]) // lanes


def speedups(records: Records, build: Build) -> dict[str, float]:
    """{run: times faster than dense} of the traces."""
    found = heads(records, "traces")
    result = {}
    for label, head in found.items():
        dense = found.get(f"{head['name']}:dense")
        if dense:
            result[label] = dense_cycles(head, dense, lanes=build.rows) / head["cycles"]
    return result


def all_figures(records: Records, build: Build, others: Mapping[Build, Records]) -> list[Figure]:
    """Every figure the runs can tell, in the order of the report."""
    parts: list[Callable[[Records, Build], list[Figure]]] = [
        _speedup, _row_time, _short, _rows, _dense, _keep_all, _fill, _growth, _long, _fraction,
        _overlap, _grouped, _decode, _stalls,
    ]  # fmt: skip
    found = [figure for part in parts for figure in part(records, build)]
    return found + _builds({build: records, **others})


def as_dicts(found: Iterable[Figure]) -> list[dict]:
    """For report.json."""
    return [asdict(figure) for figure in found]


# Sections


def _speedup(records: Records, build: Build) -> list[Figure]:
    found, result = heads(records, "traces"), []
    keys = {(h["kind"], h["lambda"]) for h in found.values() if h["lambda"]}
    for kind, value in sorted(keys, key=str):
        chosen = [h for h in found.values() if (h["kind"], h["lambda"]) == (kind, value)]
        dense = [found.get(f"{h['name']}:dense") for h in chosen]
        if None in dense:
            continue
        least, error = TRACE_GOALS.get((kind, value), (None, None))
        cycles = [dense_cycles(h, d, lanes=build.rows) for h, d in zip(chosen, dense, strict=True)]
        name = f"{kind}, λ {value:g}, {len(chosen)} heads"
        took = sum(h["cycles"] for h in chosen)
        result.append(figure(f"speed-up over dense: {name}", sum(cycles) / took, "x", least=least))
        errors = [h["relative_error"] for h in chosen]
        if error and None not in errors:
            result.append(figure(f"mean relative error: {name}", mean(errors), "", most=error))
    return result


def _row_time(records: Records, build: Build) -> list[Figure]:
    found = [h for h in heads(records, "traces").values() if h["lambda"]]
    result = []
    for kind in dict.fromkeys(h["kind"] for h in found):
        chosen = [h for h in found if h["kind"] == kind]
        worst = min(map(reached, chosen))
        name = f"formula / row time: {kind}"
        result.append(figure(f"{name}, slowest head with its fill", worst, "", least=ROW_TIME))
        steady = [h["steady"] for h in chosen if h["steady"] is not None]
        if steady:
            result.append(figure(f"{name}, slowest head once filled", min(steady), ""))
        if any(h["out_beats"] > h["formula_cycles"] for h in chosen):
            share = min(max(h["out_beats"], h["formula_cycles"]) / h["cycles"] for h in chosen)
            text = f"max(formula, output beats) / time: {kind}, slowest head with its fill"
            result.append(figure(text, share, ""))
    return result


def _short(records: Records, build: Build) -> list[Figure]:
    found = [h for h in heads(records, "n512").values() if h["lambda"]]
    if not found:
        return []
    cycles = mean(h["cycles"] for h in found)
    errors = [h["relative_error"] for h in found if h["relative_error"] is not None]
    name = f"n = 512, d = 64, λ 0.005, {len(found)} Whisper heads"
    product = ITA.n512 * ITA.multipliers
    shown = [h for h in found if h["name"] == SHOWN and h["relative_error"] is not None]
    one = f"n = 512, d = 64, λ 0.005, {SHOWN}"
    return [
        *(figure(f"{one}: cycles", h["cycles"], "cycles", most=SHORT_CYCLES) for h in shown),
        *(figure(f"{one}: relative error", h["relative_error"], "", most=0.06) for h in shown),
        figure(f"{name}: mean cycles", cycles, "cycles", most=SHORT_CYCLES),
        figure(f"{name}: slowest", max(h["cycles"] for h in found), "cycles", most=SHORT_CYCLES),
        figure(f"{name}: mean relative error", mean(errors), "", most=0.06),
        figure(f"n = 512, d = 64, dense: {ITA.name}", ITA.n512, "cycles"),
        figure(f"{name}: times fewer cycles than ITA", ITA.n512 / cycles, "x"),
        figure(
            f"{name}: times fewer cycles x exact multipliers than ITA",
            product / (cycles * multipliers(build)),
            "x",
        ),
    ]


def _rows(records: Records, build: Build) -> list[Figure]:
    return [
        figure(f"formula / row time: {name}, n = 1024", reached(head), "", least=ROW_TIME)
        for name, head in heads(records, "rows").items()
    ]


def _dense(records: Records, build: Build) -> list[Figure]:
    return [
        figure(
            f"dense, share of the MAC peak: {name}, d = {build.head_dim}",
            head["visible"] / build.rows / head["cycles"],
            "",
            least=DENSE_PEAK,
        )
        for name, head in heads(records, "dense").items()
    ]


def _keep_all(records: Records, build: Build) -> list[Figure]:
    found, result = heads(records, "keep-all"), []
    for label, head in found.items():
        name, _, mode = label.rpartition(": ")
        dense = found.get(f"{name}: {DENSE.name}")
        if dense and mode != DENSE.name:
            ratio = head["cycles"] / dense["cycles"]
            result.append(figure(f"sparse / dense time, all kept: {name}", ratio, "", most=SLOWER))
    return result


def _fill(records: Records, build: Build) -> list[Figure]:
    found = [h for h in heads(records, "traces").values() if h["first_row"] is not None]
    result = []
    for mode in ("sparse", "dense"):
        for kind in dict.fromkeys(h["kind"] for h in found):
            chosen = [
                h for h in found if h["kind"] == kind and bool(h["lambda"]) == (mode == "sparse")
            ]
            if chosen:
                name = f"{kind}, {mode}, longest"
                formula, passes = (
                    max(h[key] for h in chosen) for key in ("first_row", "first_row_latency")
                )
                text = f"fill, first row beyond its formula: {name}"
                result.append(figure(text, formula, "cycles", most=FILL))
                text = f"fill, first row beyond its passes: {name}"
                result.append(figure(text, passes, "cycles"))
    return result


def _growth(records: Records, build: Build) -> list[Figure]:
    found, result = heads(records, "growth"), []
    for name in ("gaussian", SHOWN, SPEECH):
        for n in (*GROWTH, 1500, *LONG):
            sparse, dense = (found.get(f"{name} {n} {mode}") for mode in ("sparse", "dense"))
            if sparse:
                text = f"growth: {name}, n = {n}, λ 3/n"
                result.append(figure(f"{text}: cycles", sparse["cycles"], "cycles"))
                result.append(figure(f"{text}: formula / time", reached(sparse), ""))
            if sparse and dense:
                ratio = dense_cycles(sparse, dense, lanes=build.rows) / sparse["cycles"]
                result.append(figure(f"{text}: speed-up over dense", ratio, "x"))
    return result


def _long(records: Records, build: Build) -> list[Figure]:
    """Heads of several tiles, with their load: K and V pass once for each group of queries."""
    result = []
    for label, event in of_section(records, "growth").items():
        head = event["heads"][0]
        if head["commands"] == 1:
            continue
        name = f"tiles merged: {label}, {head['rows']} queries, {head['commands']} commands"
        right = not head["mismatches"]
        clocks = Figure(f"{name}: time with load", event["clocks"], "cycles", "bit for bit", right)
        formula, stream = limits([head])
        result += [
            clocks,
            figure(f"{name}: formula", formula, "cycles"),
            figure(f"{name}: longest stream", stream, "cycles"),
            figure(f"{name}: max(formula, longest stream) / time", share_of_roof(event), ""),
        ]
        if head["kind"] == SPEECH and right:
            result.append(figure(f"{name}: relative error", head["relative_error"], ""))
    return result


def _fraction(records: Records, build: Build) -> list[Figure]:
    found, result = heads(records, "fraction"), []
    for value in FRACTIONS:
        head = found.get(f"λ {value:.3g}")
        if head:
            kept = f"{100 * head['kept_fraction']:.3g} %"
            row = head["cycles"] * build.rows / head["rows"]
            name = f"kept fraction: n = 1024, {kept} kept"
            result.append(figure(f"{name}: cycles a row and lane", row, "cycles"))
            result.append(figure(f"{name}: formula / time", reached(head), ""))
    return result


def _overlap(records: Records, build: Build) -> list[Figure]:
    result = []
    for name, event in of_section(records, "overlap").items():
        text = f"back to back: {len(event['heads'])} heads, {name}"
        share = f"{text}: max(formula, longest stream) / time"
        result.append(figure(share, share_of_roof(event), "", least=OVERLAP))
    return result


def _grouped(records: Records, build: Build) -> list[Figure]:
    """Query heads that share K and V, beside the same with K and V loaded for each."""
    found, result = of_section(records, "grouped"), []
    for label, event in found.items():
        name, _, loads = label.rpartition(", ")
        text = f"grouped queries: {len(event['heads'])} heads, {name}"
        result.append(figure(f"{text}, {loads}: time", event["clocks"], "cycles"))
        share = f"{text}, {loads}: max(formula, longest stream) / time"
        result.append(figure(share, share_of_roof(event), "", least=OVERLAP))
        once = found.get(f"{name}, {ONE_LOAD}")
        if loads == OWN_LOADS and once:
            ratio = event["clocks"] / once["clocks"]
            result.append(figure(f"{text}: time, {OWN_LOADS} / {ONE_LOAD}", ratio, "x"))
    return result


def _decode(records: Records, build: Build) -> list[Figure]:
    """A few queries on many keys: what a command costs beyond its load."""
    result = []
    for name, event in of_section(records, "decode").items():
        found = event["heads"]
        commands = sum(head["commands"] for head in found)
        text = f"decode: {len(found)} heads, {commands} commands, {name}"
        share = f"{text}: max(formula, longest stream) / time"
        result.append(figure(share, share_of_roof(event), "", least=OVERLAP))
        beyond = event["clocks"] - roof(found)
        last = found[-1]["last_cycles"]
        cost = f"{text}: cycles a command beyond load"
        for label, clocks in ((cost, beyond), (f"{cost}, the last one's run apart", beyond - last)):
            result.append(figure(label, clocks / commands, "cycles", most=COMMAND_COST))
    return result


def _stalls(records: Records, build: Build) -> list[Figure]:
    found, result = of_section(records, "stalls"), []
    for label, event in found.items():
        name, _, _ = label.rpartition(", ")
        free = found.get(f"{name}, {100 * STALLS[0]:.0f} %")
        if event["stall"] and free:
            share = f"stalls of {100 * event['stall']:.0f} % on every stream"
            ratio = event["clocks"] / free["clocks"]
            result.append(figure(f"{share}: 2 heads, {name}: time / free", ratio, "x"))
    if result:
        name = f"stalls of 50 %, n = 128, dense: time / free, {ITA.name}"
        result.append(figure(name, ITA.n128_stalls / ITA.n128, "x"))
    return result


def _builds(by_build: Mapping[Build, Records]) -> list[Figure]:
    result = []
    for build in sorted(by_build, key=lambda b: (b.rows, b.pred_keys)):
        for label, head in heads(by_build[build], "builds").items():
            text = f"build ROWS {build.rows}, PRED_KEYS {build.pred_keys}: {label}"
            result.append(figure(f"{text}: cycles", head["cycles"], "cycles"))
            result.append(figure(f"{text}: formula / time", reached(head), ""))
    return result
