# SPDX-License-Identifier: Apache-2.0
"""One head as the hardware sees it: the integer command, its packing and its legality."""

import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass

from pasa import formats
from pasa.errors import ArgumentError
from pasa.formats import Build

LONGEST = 1 << formats.LENGTH_BITS  # queries or keys of a head


@dataclass(frozen=True)
class Command:
    """Every field of the command record (see ``formats.COMMAND_FIELDS``), as integers."""

    query_count: int
    key_count: int
    dims: int
    key_length: int
    score_multiplier: int
    score_shift: int
    predicted_multiplier: int
    predicted_shift: int
    output_multiplier: int
    output_shift: int
    tag: int = 0
    window: int = 0
    sinks: int = 0
    budget: int = 0
    query_offset: int = 0
    min_probability: int = 0
    use_threshold: int = 0
    use_budget: int = 0
    use_tail: int = 0
    causal: int = 0
    output_int16: int = 0
    predicted_slices: int = 1
    reuse_keys: int = 0
    merge_previous: int = 0
    merge_next: int = 0

    @property
    def sparse(self) -> bool:
        """True when the predictor selects keys; False in dense mode."""
        return bool(self.use_threshold or self.use_budget)

    @property
    def output_bits(self) -> int:
        """Width of an output code."""
        return 16 if self.output_int16 else 8

    def causes(self, build: Build) -> frozenset[str]:
        """Why the hardware refuses this command by itself; empty when it is legal.

        What it may also hold against the command before: ``accelerator.Accelerator``.
        """
        found = set()
        if (self.merge_previous or self.merge_next) and self.query_count > build.merge_rows:
            found.add("chain")
        counts = (
            (self.query_count, build.tile_keys),
            (self.key_count, build.tile_keys),
            (self.dims, build.head_dim),
        )
        if any(not 1 <= count <= limit for count, limit in counts):
            found.add("shape")
        if self.key_length > self.key_count:
            found.add("mask")
        slices = build.head_dim // formats.SLICE_DIMS
        if (self.use_budget and not self.budget) or not 1 <= self.predicted_slices <= slices:
            found.add("select")
        multipliers = (self.score_multiplier, self.predicted_multiplier, self.output_multiplier)
        if (
            not all(multipliers)
            or self.score_shift > formats.SCORE_SHIFT_MAX
            or self.predicted_shift > formats.PREDICTED_SHIFT_MAX
            or not 1 <= self.output_shift <= formats.OUTPUT_SHIFT_MAX
        ):
            found.add("scale")
        return frozenset(found)

    def pack(self) -> int:
        """The command record as one integer, field after field from bit 0.

        Raises:
            ArgumentError: a field is no integer or does not fit its width.
        """
        word = 0
        for name, low in formats.command_positions().items():
            width, _ = formats.COMMAND_FIELDS[name]
            word |= (_field(name, getattr(self, name)) & ((1 << width) - 1)) << low
        return word


def unpack_command(word: int) -> Command:
    """The command in a record: the inverse of ``Command.pack``."""
    values = {}
    for name, low in formats.command_positions().items():
        width, signed = formats.COMMAND_FIELDS[name]
        value = word >> low & ((1 << width) - 1)
        values[name] = value - (1 << width) if signed and value >> (width - 1) else value
    return Command(**values)


def unpack_status(word: int) -> dict[str, int]:
    """Split a status record into its fields."""
    widths = formats.STATUS_FIELDS
    return {
        name: word >> low & ((1 << widths[name]) - 1)
        for name, low in formats.positions(widths).items()
    }


def cause_names(bits: int) -> frozenset[str]:
    """Names of the causes set in the status field ``causes``."""
    return frozenset(name for i, name in enumerate(formats.CAUSES) if bits >> i & 1)


def cause_bits(names: Iterable[str]) -> int:
    """The status field ``causes`` of these causes: the inverse of ``cause_names``."""
    return sum(1 << formats.CAUSES.index(name) for name in set(names))


def _integer(name: str, value: int, low: int, high: int) -> int:
    """The value as a plain int, else ArgumentError with the name and the range."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        raise ArgumentError(f"{name} = {value!r} must be an integer in {low}..{high}")
    return number


def _field(name: str, value: int) -> int:
    """The value if it fits the command field of that name."""
    width, signed = formats.COMMAND_FIELDS[name]
    low, high = (-(1 << width - 1), (1 << width - 1) - 1) if signed else (0, (1 << width) - 1)
    return _integer(name, value, low, high)


def _real(name: str, value: float, *, low: float = 0.0, high: float = math.inf) -> float:
    """The value as a finite float above 0 and in low..high, else ArgumentError."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > 0 and low <= number <= high):
        limit = "a positive finite number" if high == math.inf else f"in {low:g}..{high:g}"
        raise ArgumentError(f"{name} = {value!r} must be {limit}")
    return number


def _flag(name: str, value: bool) -> int:
    """A truth value as 0 or 1, else ArgumentError."""
    if value not in (False, True):
        raise ArgumentError(f"{name} = {value!r} must be True or False")
    return int(value)


def default_output_scale(scale_v: float, output_bits: int) -> float:
    """V's own scale for int8; 1/256 of it for int16, which holds every average of V."""
    return _real("scale_v", scale_v) / (1 if output_bits == 8 else 256)


def multiplier_and_shift(
    factor: float, *, bits: int, max_shift: int, name: str, min_shift: int = 0
) -> tuple[int, int]:
    """Write a positive factor as ``multiplier * 2**-shift`` with a full-width multiplier.

    Raises:
        ArgumentError: the factor is not positive and finite, or too large for the format.
    """
    if not (math.isfinite(factor) and factor > 0):
        raise ArgumentError(f"{name} = {factor} must be a positive finite number")
    shift = min(bits - 1 - math.floor(math.log2(factor)), max_shift)
    multiplier = round(factor * 2.0**shift)
    if multiplier >> bits:
        shift -= 1
        multiplier = round(factor * 2.0**shift)
    if shift < min_shift:
        limit = ((1 << bits) - 1) * 2.0**-min_shift
        raise ArgumentError(f"{name} = {factor:g} is above {limit:g}, the largest multiplier")
    return max(multiplier, 1), shift


def _scale_fields(nats: float, output_step: float, build: Build) -> dict[str, int]:
    """Multipliers and shifts from the nats of one exact score step and the codes of one V step."""
    octaves = nats * math.log2(math.e)
    nibble = 4.0 ** (8 - build.pred_bits)  # exact score steps in one predicted score step
    score = multiplier_and_shift(
        octaves * 2.0**formats.SCORE_FRACTION,
        bits=formats.SCORE_MULTIPLIER_BITS,
        max_shift=formats.SCORE_SHIFT_MAX,
        name="2^16 log2(e) scale_q scale_k softmax_scale",
    )
    predicted = multiplier_and_shift(
        octaves * nibble * 2.0**formats.PREDICTED_FRACTION,
        bits=formats.PREDICTED_MULTIPLIER_BITS,
        max_shift=formats.PREDICTED_SHIFT_MAX,
        name=f"{nibble * 16:g} log2(e) scale_q scale_k softmax_scale",
    )
    # average * factor = code * 2^output_shift; 17 of its places belong to the reciprocal, and
    # 16 + 16 of AVERAGE_FRACTION and of the multiplier cancel against FACTOR's dropped 16.
    output = multiplier_and_shift(
        output_step * 2.0**-formats.RECIPROCAL_FRACTION,
        bits=formats.OUTPUT_MULTIPLIER_BITS,
        max_shift=formats.OUTPUT_SHIFT_MAX,
        min_shift=1,
        name="2^-17 scale_v / output_scale",
    )
    return {
        "score_multiplier": score[0],
        "score_shift": score[1],
        "predicted_multiplier": predicted[0],
        "predicted_shift": predicted[1],
        "output_multiplier": output[0],
        "output_shift": output[1],
    }


def make_command(
    query_count: int,
    key_count: int,
    dims: int,
    *,
    scale_q: float,
    scale_k: float,
    scale_v: float,
    output_scale: float,
    softmax_scale: float | None = None,
    output_bits: int = 8,
    min_probability: float | None = None,
    budget: int | None = None,
    tail: bool = True,
    pred_dims: int = 16,
    key_length: int | None = None,
    causal: bool = False,
    query_offset: int = 0,
    window: int | None = None,
    sinks: int = 0,
    tag: int = 0,
    any_length: bool = False,
    build: Build | None = None,
) -> Command:
    """Turn real scales and options into the integer command.

    Args:
        query_count, key_count, dims: shape of the head.
        scale_q, scale_k, scale_v: real value of one int8 step of each tensor.
        output_scale: real value of one output step.
        softmax_scale: factor of the scores before softmax, default 1/sqrt(dims).
        output_bits: 8 or 16.
        min_probability: keep keys of at least this predicted probability (lambda), 2^-31..1.
        budget: keep at most this many keys a row. Neither of the two means dense.
        tail: dropped keys count as one virtual key a block.
        pred_dims: dimensions the predictor reads, a multiple of 16.
        key_length: keys from here on are padding, default all are real.
        causal: a query at position p sees keys up to p; query i sits at query_offset + i.
        window: keys nearer than this are visible (behind, and ahead when not causal).
        sinks: the first keys, visible however far behind the window they lie.
        tag: returned in the status.
        any_length: the head may be longer than one command (``plan.plan_head`` divides it).

    Raises:
        ArgumentError: names the argument and its limit.
    """
    build = build or Build()
    most = LONGEST if any_length else min(build.tile_keys, LONGEST - 1)
    query_count = _integer("query_count (rows of q)", query_count, 1, most)
    key_count = _integer("key_count (rows of k and v)", key_count, 1, most)
    dims = _integer("dims (columns of q, k and v)", dims, 1, build.head_dim)
    if output_bits not in (8, 16):
        raise ArgumentError(f"output_bits = {output_bits!r} must be 8 or 16")
    pred_dims = _integer("pred_dims", pred_dims, formats.SLICE_DIMS, build.head_dim)
    if pred_dims % formats.SLICE_DIMS:
        raise ArgumentError(f"pred_dims = {pred_dims} must be a multiple of {formats.SLICE_DIMS}")
    if key_length is None:
        key_length = key_count
    longest = (1 << formats.LENGTH_BITS) - 1
    threshold = 0
    if min_probability is not None:
        min_probability = _real("min_probability", min_probability, low=2.0**-31, high=1.0)
        threshold = round(-math.log2(min_probability) * (1 << formats.LOG_FRACTION))
    scale_q, scale_k = _real("scale_q", scale_q), _real("scale_k", scale_k)
    scale_v, output_scale = _real("scale_v", scale_v), _real("output_scale", output_scale)
    softmax_scale = (
        1 / math.sqrt(dims) if softmax_scale is None else _real("softmax_scale", softmax_scale)
    )
    scales = _scale_fields(scale_q * scale_k * softmax_scale, scale_v / output_scale, build)
    return Command(
        query_count=query_count,
        key_count=key_count,
        dims=dims,
        key_length=_integer("key_length", key_length, 0, key_count),
        tag=_field("tag", tag),
        window=0 if window is None else _integer("window", window, 1, longest),
        sinks=_field("sinks", sinks),
        budget=0 if budget is None else _integer("budget", budget, 1, longest),
        query_offset=_field("query_offset", query_offset),
        min_probability=threshold,
        use_threshold=int(min_probability is not None),
        use_budget=int(budget is not None),
        use_tail=_flag("tail", tail),
        causal=_flag("causal", causal),
        output_int16=int(output_bits == 16),
        predicted_slices=pred_dims // formats.SLICE_DIMS,
        **scales,
    )
