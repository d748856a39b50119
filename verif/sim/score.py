# SPDX-License-Identifier: Apache-2.0
"""The scoreboard: what came out of the RTL against the golden model, and what it cost."""

import dataclasses
from dataclasses import dataclass

import numpy as np
from pasa.command import cause_names
from pasa.formats import SLICE_DIMS, Build
from pasa.metrics import agreement

from verif.sim.packets import from_beats
from verif.sim.plan import Work


@dataclass(frozen=True)
class Seen:
    """What the pins showed during one command.

    Attributes:
        beats: data of the output packet's beats.
        lasts: positions of the beats with `last`.
        beat_clocks: clock of each beat, counted from the command's last input beat.
        status: fields of the status record, empty when none came.
        clocks: from the last input beat to the status record.
    """

    beats: list[int]
    lasts: list[int]
    beat_clocks: list[int]
    status: dict[str, int]
    clocks: int


@dataclass(frozen=True)
class Comparison:
    """Result of the scoreboard.

    Attributes:
        elements: output codes compared.
        mismatches: how many differ, are missing or too many, and wrong counters.
        problems: what is wrong, one line each.
        first_wrong: query of the first row that is wrong or missing, None without one.
    """

    elements: int
    mismatches: int
    problems: list[str]
    first_wrong: int | None


def compare(work: Work, seen: Seen) -> Comparison:
    """Everything that came out against everything that should have.

    An element that is missing, or that no one asked for, is a mismatch; so is anything
    wrong with the packet's end, its padding or the status counters. A command whose rows go on
    in the next one (`merge_next`) has no output.
    """
    command, expected = work.command, work.expected.output
    codes, padding = from_beats(seen.beats, dims=command.dims, bits=command.output_bits)
    rows = min(len(codes), len(expected))
    wrong = codes[:rows] != expected[:rows]
    problems = []
    queries = range(work.job.rows.start, work.job.rows.stop, work.job.rows.step)
    first_wrong = queries[rows] if rows < len(expected) else None
    if wrong.any():
        row, dim = (int(at) for at in np.argwhere(wrong)[0])
        first_wrong = queries[row]
        got, want, scale = codes[row, dim], expected[row, dim], work.exact.output_scale
        problems.append(
            f"row {row} (query {queries[row]}), dimension {dim}: "
            f"{got} ({got * scale:.6g}), expected {want} ({want * scale:.6g}); "
            f"{int(wrong.sum())} elements in {int(wrong.any(axis=1).sum())} rows differ"
        )
    missing = abs(len(codes) - len(expected)) * command.dims
    if missing:
        problems.append(f"{len(codes)} rows came out, expected {len(expected)}")
    ends = [len(seen.beats) - 1] if seen.beats else []
    faults = [
        f"{padding} codes beyond dims are not zero" if padding else "",
        f"last on beats {seen.lasts[:4]}" if seen.lasts != ends else "",
        *_status_faults(work, seen),
    ]
    faults = [fault for fault in faults if fault]
    mismatches = int(wrong.sum()) + missing + len(faults)
    return Comparison(int(wrong.size), mismatches, problems + faults, first_wrong)


def _status_faults(work: Work, seen: Seen) -> list[str]:
    """Counters of the status record that differ from the golden model."""
    if not seen.status:
        return ["no status record"]
    want = {"tag": work.command.tag, "causes": 0} | work.expected.counters
    faults = [
        f"status {name} = {seen.status[name]}, expected {value}"
        for name, value in want.items()
        if seen.status[name] != value
    ]
    if seen.status["causes"]:
        faults.append(f"refused: {', '.join(sorted(cause_names(seen.status['causes'])))}")
    if not 0 < seen.status["cycles"] <= seen.clocks:
        faults.append(f"status cycles = {seen.status['cycles']}, the run took {seen.clocks} clocks")
    return faults


def row_costs(work: Work, build: Build) -> tuple[np.ndarray, np.ndarray]:
    """Clocks of each row by DESIGN section 2: in the predictor, and in its lane, int [n_q]."""
    result, command = work.expected, work.command
    slices = min(command.predicted_slices, -(-command.dims // SLICE_DIMS)) if command.sparse else 1
    return -(-result.visible // build.pred_keys) * slices, result.kept + result.blocks


def row_passes(work: Work, build: Build) -> np.ndarray:
    """Clocks of the passes that a row makes one after another, int [n_q].

    PREDICT reads its words once for each slice, MEASURE and SELECT once more each; SCORE and
    WEIGH take an item a clock each. A row alone takes these and the latency of the pipeline.
    """
    words, items = row_costs(work, build)
    return words + 2 * -(-work.expected.visible // build.pred_keys) + 2 * items


def formula(work: Work, build: Build) -> dict[str, int]:
    """Cycles by DESIGN section 2: each row costs max(words x slices, kept + blocks) in its lane.

    Returns:
        `formula_cycles`, and the sums alone: `predictor_cycles` and `item_cycles`.
    """
    words, items = row_costs(work, build)
    totals = {
        "formula_cycles": np.maximum(words, items),
        "predictor_cycles": words,
        "item_cycles": items,
    }
    return {name: int(-(-value.sum() // build.rows)) for name, value in totals.items()}


def measure(work: Work, seen: Seen, build: Build) -> dict:
    """Every figure of one case, as plain values; accuracy is that of the RTL's output."""
    job, result = work.job, work.expected
    found = compare(work, seen)
    figures = {
        "name": job.name,
        "kind": job.kind,
        "mode": job.mode.name,
        "lambda": job.mode.min_probability,
        "budget": work.command.budget if work.command.use_budget else None,
        "tail": bool(work.command.sparse and work.command.use_tail),
        "basis": job.basis,
        "pred_dims": job.pred_dims,
        "n_q": job.shape[0],
        "n_k": job.shape[1],
        "d": job.shape[2],
        "all_keys": job.all_keys,
        "rows": job.rows.count,
        "queries": job.rows.text(job.shape[0]),
        "kept_fraction": result.kept_fraction,
        "visible": int(result.visible.sum()),
        "kept": float(result.kept.mean()),
        "blocks": float(result.blocks.mean()),
        "elements": found.elements,
        "mismatches": found.mismatches,
        "problems": found.problems,
        "first_wrong": found.first_wrong,
        "cycles": seen.status.get("cycles", 0),
        **formula(work, build),
    }
    return figures | _accuracy(work, seen, whole=not found.mismatches)


def _accuracy(work: Work, seen: Seen, *, whole: bool) -> dict:
    """Agreement of the RTL's output with exact attention; none without whole rows."""
    names = ("relative_error", "max_lsb_error", "within_one_lsb", "mean_row_sum")
    if not whole or work.command.merge_next:
        return dict.fromkeys(names)
    command = work.command
    codes, _ = from_beats(seen.beats, dims=command.dims, bits=command.output_bits)
    found = agreement(
        dataclasses.replace(work.expected, output=codes), work.exact, bits=command.output_bits
    )
    return {name: getattr(found, name) for name in names}
