# SPDX-License-Identifier: Apache-2.0
"""Functional coverage of the core: what the checked commands were, seen from the pins.

A bin is named ``point.bin``, that of a cross ``point.bin/bin``; plan.toml names them. A command
counts only after its output and status were compared.
"""

import fnmatch
from collections.abc import Callable, Iterable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from cocotb_coverage.coverage import CoverCross, CoverPoint, coverage_db, coverage_section
from pasa import formats
from pasa.arithmetic import Integer, nibble
from pasa.command import Command
from pasa.formats import Build
from pasa.masks import visible_keys
from pasa.selection import predict
from pyuvm import ConfigDB, uvm_component

from verif.uvm.agents import Tap
from verif.uvm.items import INPUTS, SINKS, SOURCES, Job

TOP = "core"
MODES = ("dense", "threshold", "budget", "both")
MASKS = (
    "none",
    "key_length",
    "causal_before",
    "causal_zero",
    "causal_beyond",
    "window",
    "window_sinks",
    "window_ahead",
)
KEYS = ("one", "part_word", "part_block", "blocks", "tile")
QUERIES = ("one", "part_rows", "odd", "ring_wraps", "tile")
DIMS = ("one", "sixteen", "odd", "most")
RING_ROWS = 16  # row-blocks in pasa_row_ring; the output buffer holds 32 rows
PACES = ("none", "short", "medium", "long")
LENGTHS = ("short", "long")
FAULTS = (*LENGTHS, "broken")
MERGES = ("none", "first", "middle", "last")
CHAIN_CAUSES = ("reuse", "previous", "rows")
EVENTS = (
    "saturation",
    "empty_row",
    "all_rows_empty",
    "empty_beside_full",
    "tie_at_cut",
    "half_code",
    "budget_beyond_visible",
    "one_key_kept",
    "tail_reference",
    "loaded_beside_run",
    "good_after_refused",
    "refused_after_good",
    "tile_leads",
    "rows_lead",
    "tile_adds_nothing",
    "first_key_late",
    "merged_beside_load",
)


# What a command is. Each returns a label or a tuple of labels.


def mode(c: Command) -> str:
    """The selection rule."""
    return MODES[c.use_threshold + 2 * c.use_budget]


def masks(c: Command) -> tuple[str, ...]:
    """Every mask in force."""
    found = ["key_length"] if c.key_length < c.key_count else []
    if c.causal:
        order = (c.query_offset > 0) - (c.query_offset < 0)
        found.append(("causal_zero", "causal_beyond", "causal_before")[order])
    if c.window:
        found.append("window_sinks" if c.sinks else "window")
        found += [] if c.causal else ["window_ahead"]
    return tuple(found) or ("none",)


def keys(c: Command, build: Build) -> str:
    """Shape of the keys against words, blocks and the tile."""
    n = c.key_count
    if n == 1:
        return "one"
    if n == build.tile_keys:
        return "tile"
    if n < build.pred_keys:
        return "part_word"
    return "part_block" if n % build.block_keys else "blocks"


def queries(c: Command, build: Build) -> tuple[str, ...]:
    """Shape of the queries against the rows of a block, the ring and the tile."""
    n = c.query_count
    hit = {
        "one": n == 1,
        "part_rows": n % build.rows != 0 or build.rows == 1,
        "odd": n > 1 and n % 2 == 1,
        "ring_wraps": n > RING_ROWS * build.rows
        and n > 32,  # more than the ring and the output hold
        "tile": n == build.tile_keys,
    }
    return tuple(name for name in QUERIES if hit[name])


def dims(c: Command, build: Build) -> tuple[str, ...]:
    """Shape of the dimensions."""
    d = c.dims
    hit = {
        "one": d == 1,
        "sixteen": d == 16,
        "odd": d > 1 and d % 2 == 1,
        "most": d == build.head_dim,
    }
    return tuple(name for name in DIMS if hit[name])


def merge(c: Command) -> str:
    """Place in a chain of commands."""
    return {(0, 0): "none", (0, 1): "first", (1, 1): "middle", (1, 0): "last"}[
        c.merge_previous, c.merge_next
    ]


def chain_causes(job: Job, build: Build) -> tuple[str, ...]:
    """What a command refused for its place in a chain had asked for."""
    c = job.command
    if "chain" not in job.causes:
        return ()
    merging = c.merge_previous or c.merge_next
    hit = {
        "reuse": c.reuse_keys,
        "previous": c.merge_previous,
        "rows": merging and c.query_count > build.merge_rows,
    }
    return tuple(name for name in CHAIN_CAUSES if hit[name])


def merged_rows(job: Job, before: Job | None) -> set[str]:
    """How the rows of a command in the middle of a chain met those before."""
    if merge(job.command) != "middle" or before is None or before.result is None:
        return set()
    old, new = before.result.carried, job.result.carried
    had, sees = old.total > 0, job.result.visible > 0
    raised = new.reference > old.reference
    hit = {
        "tile_leads": had & sees & raised,
        "rows_lead": had & sees & ~raised,
        "tile_adds_nothing": had & ~sees,
        "first_key_late": ~had & sees,
    }
    return {name for name, rows in hit.items() if rows.any()}


def pace(clocks: int) -> str:
    """Class of a gap or a wait."""
    return PACES[(clocks > 0) + (clocks > 2) + (clocks > 8)]


def cut_ties(job: Job, build: Build) -> bool:
    """Whether in some row a dropped key is as near as a kept one, so key order decided."""
    c = job.command
    if not c.sparse:
        return False
    leading = c.predicted_slices * formats.SLICE_DIMS
    q, k = (nibble(codes[:, :leading], build.pred_bits) for codes in (job.q, job.k))
    step = Integer()
    scores = step.predicted_log2(q @ k.T, c.predicted_multiplier, c.predicted_shift)
    seen = visible_keys(
        range(c.query_count),
        c.key_count,
        key_length=c.key_length,
        causal=bool(c.causal),
        query_offset=c.query_offset,
        window=c.window,
        sinks=c.sinks,
    )
    distance = predict(scores, seen, step).distance
    kept = job.result.kept_mask
    farthest_kept = (distance * kept).max(axis=1)
    nearest_dropped = (distance + 1000 * (kept | ~seen)).min(axis=1)
    return bool((nearest_dropped <= farthest_kept).any())


def half_codes(job: Job) -> bool:
    """Whether an output code lay exactly between two integers, looking at rows without tail."""
    c, r, step = job.command, job.result, Integer()
    rows = (r.kept > 0) & (r.blocks == 0)
    if not rows.any() or merge(c) != "none":
        return False
    kept = r.kept_mask[rows]
    scores = job.q[rows].astype(np.int64) @ job.k.T.astype(np.int64)
    octaves = step.score_log2(scores, c.score_multiplier, c.score_shift)
    best = np.where(kept, octaves, octaves.min()).max(axis=1)
    reference = -(-best >> formats.SCORE_FRACTION) << formats.SCORE_FRACTION
    distance = np.where(kept, reference[:, None] - octaves, 0)
    weight = np.where(kept, step.weight(distance), 0)
    total = weight.sum(axis=1, keepdims=True)
    factor = step.factor(step.reciprocal(total), c.output_multiplier)
    product = step.average(weight @ job.v.astype(np.int64), total) * factor
    return bool(((product & ((1 << c.output_shift) - 1)) == 1 << (c.output_shift - 1)).any())


def loaded_beside(job: Job, before: Job | None) -> bool:
    """Whether data of the job went in while the command before it ran."""
    if before is None or before.result is None:
        return False
    end = (before.outputs[-1] if before.outputs else before.status_beat).clock
    beats = (beat for stream in INPUTS if stream in job.inputs for beat in job.inputs[stream].beats)
    return any(before.loaded < beat.clock < end for beat in beats)


def events(job: Job, build: Build, before: Job | None) -> set[str]:
    """What happened that a plan asks for."""
    c, r = job.command, job.result
    refused_before = before is not None and before.result is None
    if r is None:
        return {"refused_after_good"} if before is not None and not refused_before else set()
    hit = {
        "saturation": r.saturations > 0,
        "empty_row": r.empty.any(),
        "all_rows_empty": r.empty.all(),
        "empty_beside_full": r.empty.any() and not r.empty.all(),
        "tie_at_cut": cut_ties(job, build),
        "half_code": half_codes(job),
        "budget_beyond_visible": c.use_budget
        and (r.visible > 0).any()
        and c.budget >= r.visible.max(),
        "one_key_kept": c.sparse and ((r.kept == 1) & (r.visible > 1)).any(),
        "tail_reference": (r.blocks > 0).any(),
        "loaded_beside_run": loaded_beside(job, before),
        "good_after_refused": refused_before,
        "merged_beside_load": merge(c) in ("middle", "last") and loaded_beside(job, before),
    }
    return {name for name, happened in hit.items() if happened} | merged_rows(job, before)


# The points. Each takes what `Coverage.facts` gives.


def _point(name: str, bins: Iterable, read: Callable) -> CoverPoint:
    """A point that may hit several of its bins at once."""

    def hit(facts: dict, bin_name) -> bool:
        found = read(facts)
        return bin_name in found if isinstance(found, set | tuple) else bin_name == found

    return CoverPoint(f"{TOP}.{name}", xf=lambda facts: facts, rel=hit, bins=list(bins), inj=False)


def _of(name: str) -> Callable:
    return lambda facts: facts.get(name, ())


def _points() -> list:
    points = [
        _point("mode", MODES, _of("mode")),
        _point("mask", MASKS, _of("mask")),
        _point("keys", KEYS, _of("keys")),
        _point("queries", QUERIES, _of("queries")),
        _point("dims", DIMS, _of("dims")),
        _point("tail", ("off", "unused", "used"), _of("tail")),
        _point("slices", ("1", "2", "3", "4"), _of("slices")),
        _point("output", ("int8", "int16"), _of("output")),
        _point("event", EVENTS, _of("event")),
        _point("cause", formats.CAUSES, _of("cause")),
        _point("packet", [f"{s}_{n}" for s in INPUTS for n in FAULTS], _of("packet")),
        _point("reuse", ("no", "yes"), _of("reuse")),
        _point("merge", MERGES, _of("merge")),
        _point("chain_cause", CHAIN_CAUSES, _of("chain_cause")),
    ]
    points += [_point(f"{s}_gap", PACES, _of(f"{s}_gap")) for s in SOURCES]
    points += [_point(f"{s}_wait", PACES, _of(f"{s}_wait")) for s in SINKS]
    for name, parts in (
        ("mode_mask_keys", ("mode", "mask", "keys")),
        ("mode_tail", ("mode", "tail")),
        ("mode_output", ("mode", "output")),
        ("mode_merge", ("mode", "merge")),
        ("mode_reuse", ("mode", "reuse")),
    ):
        # Dense commands drop nothing, so no virtual key can be used.
        ignored = [("dense", "used")] if name == "mode_tail" else []
        points.append(
            CoverCross(f"{TOP}.{name}", items=[f"{TOP}.{p}" for p in parts], ign_bins=ignored)
        )
    return points


@coverage_section(*_points())
def sample(facts: dict) -> None:
    """Count one checked command."""


class Coverage(uvm_component):
    """Samples every job that the scoreboard found right."""

    def build_phase(self) -> None:
        self.hardware: Build = ConfigDB().get(self, "", "BUILD")
        self.before: Job | None = None
        self.checked = Tap("checked", self, self.take)

    def take(self, job: Job) -> None:
        """A job was checked."""
        sample(self.facts(job))
        self.before = job

    def facts(self, job: Job) -> dict:
        """What each point reads of a job; shape and selection only when it ran."""
        c, build = job.command, self.hardware
        found = {
            "cause": tuple(job.causes),
            "packet": tuple(f"{stream}_{length}" for stream, length in job.faults.items()),
            "event": events(job, build, self.before),
            "command_gap": pace(job.inputs["command"].beats[0].idle),
            "status_wait": pace(job.status_beat.stalled),
        }
        found["chain_cause"] = chain_causes(job, build)
        for stream in INPUTS:
            if stream in job.inputs:
                found[f"{stream}_gap"] = pace(job.inputs[stream].longest_idle)
        if job.result is None:
            return found
        used = "used" if (job.result.blocks > 0).any() else "unused"
        return found | {
            "mode": mode(c),
            "mask": masks(c),
            "keys": keys(c, build),
            "queries": queries(c, build),
            "dims": dims(c, build),
            "tail": used if c.use_tail else "off",
            "slices": str(c.predicted_slices) if c.sparse else (),
            "output": "int16" if c.output_int16 else "int8",
            "reuse": "yes" if c.reuse_keys else "no",
            "merge": merge(c),
            "output_wait": pace(max((beat.stalled for beat in job.outputs), default=0)),
        }


# Reading the result


def bins() -> dict[str, int]:
    """Bin name -> hits so far in this process."""
    found = {}
    for name, item in coverage_db.items():
        if isinstance(item, CoverPoint | CoverCross):
            for label, hits in item.detailed_coverage.items():
                found[bin_name(name, label)] = hits
    return found


def bin_name(point: str, label) -> str:
    """``point.bin``, without the top's name."""
    text = "/".join(label) if isinstance(label, tuple) else str(label)
    return f"{point.removeprefix(TOP + '.')}.{text}"


def matching(patterns: Iterable[str], names: Iterable[str]) -> set[str]:
    """The names that one of the patterns (shell style) fits."""
    names = list(names)
    return {name for pattern in patterns for name in fnmatch.filter(names, pattern)}


def table(xml: Path) -> str:
    """A text table of an exported coverage file: point, bins hit, hits, bins missed."""
    lines = [f"{'point':<16}{'bins':>9}{'hits':>8}  missed"]
    covered = total = 0
    for point in ElementTree.parse(xml).getroot().iter():
        cells = [child for child in point if child.tag.startswith("bin")]
        if not cells:
            continue
        missed = [cell.get("bin") for cell in cells if cell.get("hits") == "0"]
        covered, total = covered + len(cells) - len(missed), total + len(cells)
        hits = sum(int(cell.get("hits")) for cell in cells)
        shown = ", ".join(missed[:6]) + (f" and {len(missed) - 6} more" if len(missed) > 6 else "")
        count = f"{len(cells) - len(missed)}/{len(cells)}"
        lines.append(f"{point.tag:<16}{count:>9}{hits:>8}  {shown}")
    return "\n".join([*lines, f"{'all':<16}{f'{covered}/{total}':>9}"]) + "\n"
