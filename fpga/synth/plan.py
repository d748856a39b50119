# SPDX-License-Identifier: Apache-2.0
"""What is synthesised, what it may cost, and where multipliers and memories have to be.

Change a number here only on purpose: `make synth` fails when the design does not agree.
"""

from collections.abc import Callable, Iterable, Mapping
from math import ceil

TOP = "pasa_axi"

#: The part on the boards: fabric of the XC7Z045 (DS190, UG474).
DEVICE = "XC7Z035"
ROOM = {"lut": 171_900, "ff": 343_800, "carry4": 42_975, "dsp": 900, "ramb36": 500}
SHARE = 0.80  # of the room, at most, in the best build
LEVELS = 10  # logic levels between two registers, at most

#: Parameters of the top. Twice the rows, keys, dimensions or tile of the default do not fit SHARE.
BUILDS: dict[str, dict[str, int]] = {
    "small": {"ROWS": 2, "PRED_KEYS": 16, "TILE_KEYS": 512, "MERGE_ROWS": 16},
    "default": {},
    "best": {},
}
BEST = "best"

#: DSP48E1 of a module, by its parameters; every other module has none.
MULTIPLIERS: dict[str, Callable[[Mapping[str, int]], int]] = {
    "pasa_score": lambda p: p["HEAD_DIM"],
    "pasa_weigh": lambda p: p["HEAD_DIM"],  # which accumulate as well
    "pasa_predict_row": lambda p: p["PRED_KEYS"],
    "pasa_select_row": lambda p: 1,
    "pasa_score_log2": lambda p: 1,
    "pasa_exp2": lambda p: 1,
    "pasa_reciprocal": lambda p: 1,
    "pasa_normalise": lambda p: 1,
    "pasa_requantise": lambda p: p["DIMS"],
}

BLOCK_WORDS = 128  # a pasa_ram of fewer words belongs into LUTs
#: Modules that describe a small memory of their own, without pasa_ram or pasa_fifo.
OWN_MEMORY = {"pasa_lane"}


def block_rams(memories: Iterable[tuple[str, int, int]]) -> int:
    """RAMB18E1 that the memories of a part need: (module, words, bits of a word) each."""
    return sum(
        _blocks(depth, width, dual=module == "pasa_ram_dual")
        for module, depth, width in memories
        if module.startswith("pasa_ram") and depth >= BLOCK_WORDS
    )


def _blocks(depth: int, width: int, *, dual: bool) -> int:
    """RAMB18E1 of one memory; two reading ports halve the widest word (UG473)."""
    for words, bits in ((512, 36), (1024, 18), (2048, 9)):
        if depth <= words and not (dual and bits == 36):
            return ceil(width / bits)
    return 2 * ceil(depth / 4096) * ceil(width / 9)  # RAMB36E1, 4096 words of 9 bits


def may_have_lut_ram(module: str, memories: Iterable[tuple[str, int, int]]) -> bool:
    """Whether distributed RAM belongs into a part."""
    small = any(not kind.startswith("pasa_ram") or d < BLOCK_WORDS for kind, d, _ in memories)
    return small or module in OWN_MEMORY
