# SPDX-License-Identifier: Apache-2.0
"""One head as the hardware sees it: the integer command, its packing and its legality."""

import math
from dataclasses import asdict, dataclass

from pasa import formats
from pasa.errors import ArgumentError
from pasa.formats import Build


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

    @property
    def sparse(self) -> bool:
        """True when the predictor selects keys; False in dense mode."""
        return bool(self.use_threshold or self.use_budget)

    @property
    def output_bits(self) -> int:
        """Width of an output code."""
        return 16 if self.output_int16 else 8

    def causes(self, build: Build) -> frozenset[str]:
        """Why the hardware refuses this command; empty when it is legal."""
        found = set()
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
        """The command record as one integer, field after field from bit 0."""
        word, low = 0, 0
        values = asdict(self)
        for name, (width, signed) in formats.COMMAND_FIELDS.items():
            value = values[name]
            bounds = (-(1 << width - 1), 1 << width - 1) if signed else (0, 1 << width)
            if not bounds[0] <= value < bounds[1]:
                raise ArgumentError(f"{name} = {value} does not fit {width} bits")
            word |= (value & ((1 << width) - 1)) << low
            low += width
        return word


def unpack_status(word: int) -> dict[str, int]:
    """Split a status record into its fields."""
    fields, low = {}, 0
    for name, width in formats.STATUS_FIELDS.items():
        fields[name] = word >> low & ((1 << width) - 1)
        low += width
    return fields


def cause_names(bits: int) -> frozenset[str]:
    """Names of the causes set in the status field ``causes``."""
    return frozenset(name for i, name in enumerate(formats.CAUSES) if bits >> i & 1)


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
        sinks: the first keys, visible whatever the window says.

    Raises:
        ArgumentError: names the argument and its limit.
    """
    build = build or Build()
    if output_bits not in (8, 16):
        raise ArgumentError(f"output_bits = {output_bits} must be 8 or 16")
    if pred_dims % formats.SLICE_DIMS or not 16 <= pred_dims <= build.head_dim:
        raise ArgumentError(f"pred_dims = {pred_dims} must be a multiple of 16 up to head_dim")
    if budget is not None and not 1 <= budget < 1 << formats.LENGTH_BITS:
        raise ArgumentError(f"budget = {budget} is outside 1..{(1 << formats.LENGTH_BITS) - 1}")
    if window is not None and window < 1:
        raise ArgumentError(f"window = {window} must be at least 1")
    if min_probability is not None and not 2.0**-31 <= min_probability <= 1:
        raise ArgumentError(f"min_probability = {min_probability} is outside 2^-31..1")
    if softmax_scale is None:
        softmax_scale = 1 / math.sqrt(dims)
    octaves = scale_q * scale_k * softmax_scale * math.log2(math.e)  # of one exact score step
    nibble = 4.0 ** (8 - build.pred_bits)  # exact score steps in one predicted score step
    score = multiplier_and_shift(
        octaves * 2.0**formats.SCORE_FRACTION,
        bits=formats.SCORE_MULTIPLIER_BITS,
        max_shift=formats.SCORE_SHIFT_MAX,
        name="score scale",
    )
    predicted = multiplier_and_shift(
        octaves * nibble * 2.0**formats.PREDICTED_FRACTION,
        bits=formats.PREDICTED_MULTIPLIER_BITS,
        max_shift=formats.PREDICTED_SHIFT_MAX,
        name="predicted score scale",
    )
    # average * factor = code * 2^output_shift; 17 of its places belong to the reciprocal, and
    # 16 + 16 of AVERAGE_FRACTION and of the multiplier cancel against FACTOR's dropped 16.
    output = multiplier_and_shift(
        scale_v / output_scale * 2.0**-formats.RECIPROCAL_FRACTION,
        bits=formats.OUTPUT_MULTIPLIER_BITS,
        max_shift=formats.OUTPUT_SHIFT_MAX,
        min_shift=1,
        name="scale_v / output_scale",
    )
    command = Command(
        query_count=query_count,
        key_count=key_count,
        dims=dims,
        key_length=key_count if key_length is None else key_length,
        score_multiplier=score[0],
        score_shift=score[1],
        predicted_multiplier=predicted[0],
        predicted_shift=predicted[1],
        output_multiplier=output[0],
        output_shift=output[1],
        tag=tag,
        window=window or 0,
        sinks=sinks,
        budget=budget or 0,
        query_offset=query_offset,
        min_probability=0
        if min_probability is None
        else round(-math.log2(min_probability) * (1 << formats.LOG_FRACTION)),
        use_threshold=int(min_probability is not None),
        use_budget=int(budget is not None),
        use_tail=int(tail),
        causal=int(causal),
        output_int16=int(output_bits == 16),
        predicted_slices=pred_dims // formats.SLICE_DIMS,
    )
    command.pack()  # raises when a field does not fit
    causes = command.causes(build)
    if causes:
        raise ArgumentError(f"the accelerator refuses this head: {', '.join(sorted(causes))}")
    return command
