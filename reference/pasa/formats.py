# SPDX-License-Identifier: Apache-2.0
"""Every number format of the accelerator, in one place.

The golden model quantises with these formats, and ``write_headers`` writes the Verilog headers
in ``hdl/include`` that the RTL includes, so the two cannot drift apart (a test compares them).

    python reference/pasa/formats.py            rewrite hdl/include
    python reference/pasa/formats.py --check    exit 1 when hdl/include differs

Names end in the unit they count: ``_BITS`` is a width, ``_FRACTION`` a number of binary places.
"""

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from fxpmath import Fxp

from pasa.errors import ArgumentError

# --- streams and lengths -------------------------------------------------------------------
SLICE_DIMS = 16  # dimensions in one stream beat, and in one pass of the predictor
POSITION_BITS = 20  # query offset, signed: a query may sit beyond or before the keys

LENGTH_BITS = 16  # counts of keys, queries and dimensions in a command
WORD_BITS = 32  # of the control bus
COMMAND_BITS = 256
STATUS_BITS = 320

# --- predictor: scores in steps of 1/16 octave (base-2 log units) ---------------------------
PREDICTED_FRACTION = 4
PREDICTED_BITS = 16
PREDICTED_MULTIPLIER_BITS = 12
SHIFT_BITS = 6  # every programmable right shift
DISTANCE_BITS = 8  # how far a predicted score lies below the row's reference, in 1/16 octave
DISTANCE_FAR = 254  # this far or farther: weight 0, but may still be kept
DISTANCE_MASKED = 255  # not visible: never kept
PREDICTED_WEIGHT_FRACTION = 14
LOG_FRACTION = 8  # log2 of a row sum, and the threshold register
LOG_INDEX_BITS = 6
MIN_PROBABILITY_BITS = 13  # -log2(lambda), U5.8
RUNNING_BITS = 32  # a predicted sum over tiles, saturated
RISE_MAX = 31  # octaves between the references of two tiles; farther is as far

# --- exact scores and their weights ---------------------------------------------------------
SCORE_FRACTION = 16
SCORE_MULTIPLIER_BITS = 17
WEIGHT_FRACTION = 23  # weights lie in [0, 1]
WEIGHT_BITS = WEIGHT_FRACTION + 1
REFERENCE_BITS = 24  # integer reference exponent, signed: |score| <= 2^21, multiplier < 2^17
EXP2_INDEX_BITS = 7
EXP2_LOW_BITS = SCORE_FRACTION - EXP2_INDEX_BITS
EXP2_SLOPE_BITS = 16

# --- normalisation --------------------------------------------------------------------------
RECIPROCAL_FRACTION = 17
RECIPROCAL_INDEX_BITS = 8
RECIPROCAL_LOW_BITS = 9
RECIPROCAL_SLOPE_BITS = 10
AVERAGE_FRACTION = 16  # weighted average of V before the reciprocal of the sum's mantissa
OUTPUT_MULTIPLIER_BITS = 16
FACTOR_BITS = 17  # reciprocal times output multiplier


# --- records on the command and status streams ----------------------------------------------
#: Command fields in order from bit 0: name -> (width, signed). ``positions`` tells where each lies.
COMMAND_FIELDS: dict[str, tuple[int, bool]] = {
    # word 0
    "tag": (16, False),  # returned in the status
    "query_count": (LENGTH_BITS, False),
    # word 1
    "key_count": (LENGTH_BITS, False),
    "key_length": (LENGTH_BITS, False),  # keys at or beyond it are masked
    # word 2
    "dims": (LENGTH_BITS, False),
    "budget": (LENGTH_BITS, False),
    # word 3
    "window": (LENGTH_BITS, False),  # 0: no window
    "sinks": (LENGTH_BITS, False),
    # word 4
    "query_offset": (POSITION_BITS, True),
    "predicted_slices": (5, False),
    "use_threshold": (1, False),
    "use_budget": (1, False),
    "use_tail": (1, False),
    "causal": (1, False),
    "output_int16": (1, False),
    "reuse_keys": (1, False),  # no key and value packet: those of the command before
    "merge_previous": (1, False),  # the rows go on where the command before left them
    # word 5
    "score_multiplier": (SCORE_MULTIPLIER_BITS, False),
    "score_shift": (SHIFT_BITS, False),
    "output_shift": (SHIFT_BITS, False),
    "merge_next": (1, False),  # no output: the command after goes on with the rows
    # word 6
    "predicted_multiplier": (PREDICTED_MULTIPLIER_BITS, False),
    "predicted_shift": (SHIFT_BITS, False),
    "min_probability": (MIN_PROBABILITY_BITS, False),
    # word 7
    "output_multiplier": (OUTPUT_MULTIPLIER_BITS, False),
}
SCORE_SHIFT_MAX = 47
PREDICTED_SHIFT_MAX = 31
OUTPUT_SHIFT_MAX = 47

#: Why a command was refused: one bit each in the status field ``causes``.
CAUSES = (
    "shape",  # query_count, key_count or dims is 0 or beyond the build
    "mask",  # key_length above key_count
    "select",  # budget 0, or predicted_slices 0 or beyond HEAD_DIM
    "scale",  # a multiplier of 0, or a shift beyond its limit
    "query_packet",  # packet shorter or longer than the command says
    "key_packet",
    "value_packet",
    "chain",  # reuse_keys or merge_previous, but the command before does not allow it
)

#: Status fields in order from bit 0: name -> width. All count one command.
STATUS_FIELDS: dict[str, int] = {
    "tag": 16,
    "causes": 8,  # 0: done; else refused whole
    "reserved": 8,
    "rows": 16,
    "empty_rows": 16,  # rows with no visible key: output zeros
    "saturations": 32,  # output codes clipped
    "keys_visible": 32,
    "keys_kept": 32,
    "blocks_compensated": 32,
    "dropped_mass": 32,  # sum over rows of the estimated dropped share, PREDICTED_WEIGHT_FRACTION
    "cycles": 32,  # first row started to last output beat taken
    "stall_in": 32,  # cycles idle for want of input
    "stall_out": 32,  # cycles an output beat waited
}


def positions(widths: dict[str, int]) -> dict[str, int]:
    """Lowest bit of each field of a record: one after the other, none across a 32-bit word.

    A bus writes and reads a record word by word, so a field that would straddle two words starts
    at the next one. Bits between fields are 0.
    """
    places, low = {}, 0
    for name, width in widths.items():
        if low % WORD_BITS + width > WORD_BITS:
            low += -low % WORD_BITS
        places[name] = low
        low += width
    return places


def command_positions() -> dict[str, int]:
    """Lowest bit of each command field."""
    return positions({name: width for name, (width, _) in COMMAND_FIELDS.items()})


@dataclass(frozen=True)
class Build:
    """Parameters of one hardware build (the Verilog parameters of the same names).

    ``head_dim``, ``tile_keys``, ``pred_bits`` and ``block_keys`` change results; ``rows``,
    ``pred_keys`` and ``output_rows`` change cycles. ``merge_rows`` bounds the queries of a
    command whose rows go on in the next one, as heads of more than ``tile_keys`` keys need.
    """

    rows: int = 4
    pred_keys: int = 32
    head_dim: int = 64
    tile_keys: int = 2048
    pred_bits: int = 4
    block_keys: int = 64
    merge_rows: int = 256
    output_rows: int = 256

    def __post_init__(self) -> None:
        limits = {
            "rows": (1, 16),
            "pred_keys": (2, 64),
            "head_dim": (16, 128),
            "tile_keys": (2 * self.block_keys, 1 << 16),
            "block_keys": (self.pred_keys, 128),
            "pred_bits": (2, 6),
            "merge_rows": (self.rows, 1 << 11),
            "output_rows": (4, 1 << 10),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ArgumentError(f"{name} = {value} is outside {low}..{high}")
            if name != "pred_bits" and value & (value - 1):
                raise ArgumentError(f"{name} = {value} must be a power of two")

    @property
    def block_log2(self) -> int:
        """log2(block_keys): the mean of a block is its sum shifted right by this."""
        return self.block_keys.bit_length() - 1

    @property
    def total_bits(self) -> int:
        """Width of a row's summed weights: at most tile_keys of 1.0, one bit to spare."""
        return WEIGHT_BITS + self.tile_keys.bit_length() - 1

    @property
    def score_bits(self) -> int:
        """Width of an exact score: head_dim products of two int8, signed, (-128)^2 included."""
        return 15 + self.head_dim.bit_length()

    @property
    def nibble_product_bits(self) -> int:
        """Width of a predicted score before scaling: head_dim products of two nibbles."""
        return 2 * self.pred_bits - 1 + self.head_dim.bit_length()


@dataclass(frozen=True)
class Format:
    """A fixed-point format with its rounding and overflow rule, always named.

    Args:
        name: what the number is.
        dtype: fxpmath format, ``fxp-s16/4`` is signed, 16 bits, 4 of them fraction.
        rounding: fxpmath rounding: ``floor``, ``ceil`` or ``around`` (half to even).
        overflow: ``saturate``, or ``exact`` where ``because`` shows that none can happen.
        because: why width and rounding suffice.
    """

    name: str
    dtype: str
    rounding: str
    overflow: str
    because: str

    @property
    def fraction(self) -> int:
        """Binary places."""
        return int(self.dtype.split("/")[1])

    def of(self, real: np.ndarray | float) -> Fxp:
        """Quantise real values; ``exact`` formats raise when a value does not fit."""
        value = Fxp(
            np.asarray(real, dtype=np.float64),
            dtype=self.dtype,
            rounding=self.rounding,
            overflow="saturate",
        )
        if self.overflow == "exact" and (value.status["overflow"] or value.status["underflow"]):
            raise OverflowError(f"{self.name} does not fit {self.dtype}: {self.because}")
        return value

    def raw(self, real: np.ndarray | float) -> np.ndarray:
        """Quantise real values and return the raw integers, int64."""
        return np.asarray(self.of(real).val, dtype=np.int64)


PREDICTED = Format(
    "predicted score",
    f"fxp-s{PREDICTED_BITS}/{PREDICTED_FRACTION}",
    "floor",
    "saturate",
    "2,048 octaves are far beyond one-hot; the nibbles' own noise exceeds 1/16 octave",
)
PREDICTED_WEIGHT = Format(
    "predicted weight",
    f"fxp-u{PREDICTED_WEIGHT_FRACTION + 1}/{PREDICTED_WEIGHT_FRACTION}",
    "floor",
    "exact",
    "2^-distance lies in [0, 1]",
)
SCORE_LOG2 = Format(
    "exact score in octaves",
    f"fxp-s48/{SCORE_FRACTION}",
    "floor",
    "exact",
    "24-bit score times 17-bit multiplier; flooring moves a whole row alike and falls out",
)
WEIGHT = Format(
    "weight of a kept key",
    f"fxp-u{WEIGHT_BITS}/{WEIGHT_FRACTION}",
    "floor",
    "exact",
    "2^-distance lies in [0, 1]; 2,048 floored tails lose at most 2^-12 of the largest weight",
)
TOTAL = Format(
    "summed weights of a row, lowered to another tile's reference",
    f"fxp-u42/{WEIGHT_FRACTION}",
    "ceil",
    "exact",
    "2^15 keys of 1.0 at most; rounded up, so that no average exceeds the largest value",
)
WEIGHTED = Format(
    "weighted sum of V, lowered to another tile's reference",
    f"fxp-s50/{WEIGHT_FRACTION}",
    "floor",
    "exact",
    "a total times int8",
)
AVERAGE = Format(
    "weighted sum of V over the sum's leading power of two",
    f"fxp-s{9 + AVERAGE_FRACTION}/{AVERAGE_FRACTION}",
    "floor",
    "exact",
    "a weighted average of int8, times a mantissa below 2",
)
RECIPROCAL = Format(
    "reciprocal of the sum's mantissa",
    f"fxp-u{RECIPROCAL_FRACTION + 1}/{RECIPROCAL_FRACTION}",
    "floor",
    "exact",
    "the mantissa lies in [1, 2)",
)
FACTOR = Format(
    "reciprocal times output multiplier",
    f"fxp-u{FACTOR_BITS}/0",
    "floor",
    "exact",
    "the multiplier is below 2^16 and the reciprocal at most 2^17",
)


def output_format(bits: int) -> Format:
    """The output code: int8 or int16, half to even, saturating (saturations are counted)."""
    return Format("output", f"fxp-s{bits}/0", "around", "saturate", "DESIGN section 3")


@cache
def predicted_weight_table() -> np.ndarray:
    """2^(-i/16) for i = 0..15, raw at PREDICTED_WEIGHT_FRACTION."""
    step = np.arange(1 << PREDICTED_FRACTION) / (1 << PREDICTED_FRACTION)
    return np.rint(np.exp2(-step) * (1 << PREDICTED_WEIGHT_FRACTION)).astype(np.int64)


@cache
def log2_table() -> np.ndarray:
    """log2(1 + (i + 0.5)/64) for i = 0..63, raw at LOG_FRACTION: the middle of each step."""
    count = 1 << LOG_INDEX_BITS
    middle = (np.arange(count) + 0.5) / count
    return np.rint(np.log2(1 + middle) * (1 << LOG_FRACTION)).astype(np.int64)


def _chords(values: np.ndarray, ends: np.ndarray, middles: np.ndarray) -> tuple:
    """Line pieces of a convex function, lowered by half their largest error.

    A chord lies above a convex function by most near its middle; lowering it halves the error.
    """
    slope = np.rint(values - ends)
    base = np.rint(values - ((values + ends) / 2 - middles) / 2)
    return base.astype(np.int64), slope.astype(np.int64)


@cache
def exp2_table() -> tuple[np.ndarray, np.ndarray]:
    """Base and slope of 2^-x on 128 pieces of [0, 1), raw at WEIGHT_FRACTION.

    ``2^-x = base[i] - (slope[i] * low >> EXP2_LOW_BITS)``; error below 2^-18.
    """
    count = 1 << EXP2_INDEX_BITS
    one = 1 << WEIGHT_FRACTION
    edge = np.arange(count) / count
    half = 0.5 / count
    return _chords(
        np.exp2(-edge) * one, np.exp2(-(edge + 2 * half)) * one, np.exp2(-(edge + half)) * one
    )


@cache
def reciprocal_table() -> tuple[np.ndarray, np.ndarray]:
    """Base and slope of 1/m on 256 pieces of [1, 2), raw at RECIPROCAL_FRACTION.

    ``1/m = base[i] - (slope[i] * low >> RECIPROCAL_LOW_BITS)``; error below 2^-16.
    """
    count = 1 << RECIPROCAL_INDEX_BITS
    one = 1 << RECIPROCAL_FRACTION
    edge = 1 + np.arange(count) / count
    half = 0.5 / count
    return _chords(one / edge, one / (edge + 2 * half), one / (edge + half))


# --- Verilog headers ------------------------------------------------------------------------
_NOTICE = (
    "// SPDX-License-Identifier: Apache-2.0\n"
    "// Written by `python reference/pasa/formats.py`. Do not edit.\n"
)


def _constants() -> dict[str, int]:
    """Every integer constant of this file, in the order written."""
    return {
        name: value
        for name, value in globals().items()
        if name.isupper() and isinstance(value, int) and not name.startswith("_")
    }


def _case_table(columns: tuple, widths: tuple, index_bits: int) -> str:
    """The arms of a Verilog case statement: index -> {columns}, most significant first."""
    total = sum(widths)
    lines = []
    for index, row in enumerate(zip(*columns, strict=True)):
        word = 0
        for value, width in zip(row, widths, strict=True):
            if not 0 <= value < 1 << width:
                raise OverflowError(f"table entry {value} does not fit {width} bits")
            word = word << width | int(value)
        lines.append(f"{index_bits}'d{index}: entry = {total}'h{word:0{(total + 3) // 4}x};\n")
    return "".join(lines)


def _record_defines(record: str, fields: dict[str, int]) -> str:
    """`PASA_<record>_<FIELD>` as a part-select range of the record, in field order."""
    limit = {"COMMAND": COMMAND_BITS, "STATUS": STATUS_BITS}[record]
    lines = []
    for name, low in positions(fields).items():
        high = low + fields[name] - 1
        if high >= limit:
            raise OverflowError(f"{name} ends at bit {high} of {limit} of {record}")
        lines.append(f"`define PASA_{record}_{name.upper()} {high}:{low}\n")
    return "".join(lines)


def headers() -> dict[str, str]:
    """File name -> text of every generated header."""
    defines = "".join(f"`define PASA_{name} {value}\n" for name, value in _constants().items())
    defines += _record_defines("COMMAND", {k: w for k, (w, _) in COMMAND_FIELDS.items()})
    defines += _record_defines("STATUS", STATUS_FIELDS)
    defines += "".join(f"`define PASA_CAUSE_{n.upper()} {i}\n" for i, n in enumerate(CAUSES))
    guard = "`ifndef PASA_FORMATS_VH\n`define PASA_FORMATS_VH\n" + defines + "`endif\n"
    exp2_widths = (WEIGHT_FRACTION, EXP2_SLOPE_BITS)
    reciprocal_widths = (RECIPROCAL_FRACTION + 1, RECIPROCAL_SLOPE_BITS)
    weights = (predicted_weight_table(),)
    tables = {
        "pasa_exp2_table.vh": _case_table(exp2_table(), exp2_widths, EXP2_INDEX_BITS),
        "pasa_reciprocal_table.vh": _case_table(
            reciprocal_table(), reciprocal_widths, RECIPROCAL_INDEX_BITS
        ),
        "pasa_log2_table.vh": _case_table((log2_table(),), (LOG_FRACTION,), LOG_INDEX_BITS),
        "pasa_predicted_weight_table.vh": _case_table(
            weights, (PREDICTED_WEIGHT_FRACTION + 1,), PREDICTED_FRACTION
        ),
    }
    return {"pasa_formats.vh": _NOTICE + guard} | {
        name: _NOTICE + text for name, text in tables.items()
    }


def include_folder() -> Path:
    """Where the generated headers live in the source tree."""
    return Path(__file__).resolve().parents[2] / "hdl" / "include"


def stale_headers() -> list[str]:
    """Names of generated headers that differ from what this file says."""
    folder = include_folder()
    return [
        name
        for name, text in headers().items()
        if not (folder / name).is_file() or (folder / name).read_text() != text
    ]


def write_headers() -> None:
    """Write every header into hdl/include."""
    include_folder().mkdir(parents=True, exist_ok=True)
    for name, text in headers().items():
        (include_folder() / name).write_text(text)


if __name__ == "__main__":
    if "--check" in sys.argv[1:]:
        stale = stale_headers()
        sys.exit(f"hdl/include is stale: {', '.join(stale)}" if stale else 0)
    write_headers()
