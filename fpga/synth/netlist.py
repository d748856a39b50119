# SPDX-License-Identifier: Apache-2.0
"""What a synthesised part is made of, counted as a 7-series part spends it.

A LUT of any size, a shift register and each LUT of a distributed RAM are one LUT. A carry bit
whose select input does not come from a LUT of its own costs one more, for in a slice that input
has no other way. `packed` is the same with pairs of small LUTs put into one LUT6_2, as a placer
does: only pairs with at most five different inputs, at least two of them common (or all of the
smaller), and never a LUT that feeds a carry chain.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Self

# LUTs of a distributed RAM (UG474, table 2-4), and of a shift register.
MEMORY_LUTS = {
    "RAM32X1S": 1,
    "RAM64X1S": 1,
    "RAM128X1S": 2,
    "RAM256X1S": 4,
    "RAM32X1D": 2,
    "RAM64X1D": 2,
    "RAM128X1D": 4,
    "RAM32M": 4,
    "RAM64M": 4,
}
SHIFT_REGISTERS = {"SRL16E", "SRLC16E", "SRLC32E"}
LUTS = {f"LUT{inputs}" for inputs in range(1, 7)} | {"INV"}
FLIP_FLOPS = {"FDRE", "FDSE", "FDCE", "FDPE", "FDRE_1", "FDSE_1", "FDCE_1", "FDPE_1"}
LATCHES = {"LDCE", "LDPE", "LD", "LDCP"}
FREE = {"$scopeinfo", "MUXF7", "MUXF8", "GND", "VCC", "BUFG", "IBUF", "OBUF"}
CONSTANTS = {"0", "1", "x", "z"}
PAIR_INPUTS = 5
BUSY_NET = 64  # readers beyond which a net does not lead to a partner


@dataclass(frozen=True)
class Size:
    """Resources of a part or a sum of parts.

    Attributes:
        lut: All LUTs, one each, with memory, shift registers and carry route-throughs.
        lut_ram: Of these, LUTs of distributed RAM.
        lut_shift: Of these, shift registers.
        packed: LUTs after the pairing of small ones.
        ff: Flip-flops.
        carry4: CARRY4.
        dsp: DSP48E1.
        ramb18: RAMB18E1, a RAMB36E1 as two.
        latch: Storage that is no flip-flop.
    """

    lut: int = 0
    lut_ram: int = 0
    lut_shift: int = 0
    packed: int = 0
    ff: int = 0
    carry4: int = 0
    dsp: int = 0
    ramb18: int = 0
    latch: int = 0

    def __add__(self, other: Self) -> Self:
        return type(self)(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def times(self, count: int) -> Self:
        """This size `count` times."""
        return type(self)(*(getattr(self, f.name) * count for f in fields(self)))

    @property
    def ramb36(self) -> float:
        """RAMB36E1, a RAMB18E1 as half."""
        return self.ramb18 / 2


class UnknownCell(ValueError):
    """A cell whose cost is not known here."""


def load(path: Path, name: str) -> dict:
    """The module `name` of a netlist in Yosys JSON."""
    return json.loads(path.read_text())["modules"][name]


def measure(cells: dict[str, dict], *, children: Iterable[str] = ()) -> Size:
    """The size of a netlist without the black boxes named in `children`.

    Raises:
        UnknownCell: A cell that is neither counted nor known to be free.
    """
    kinds = Counter(cell["type"] for cell in cells.values())
    skip = FREE | set(children)
    count = dict.fromkeys((f.name for f in fields(Size)), 0)
    for kind, number in kinds.items():
        for key, each in _cost(kind, skip):
            count[key] += number * each
    through = _route_throughs(cells)
    count["lut"] += through
    count["packed"] = count["lut"] - _pairs(cells)
    return Size(**count)


def _cost(kind: str, skip: set[str]) -> list[tuple[str, int]]:
    if kind in LUTS:
        return [("lut", 1)]
    if kind in FLIP_FLOPS:
        return [("ff", 1)]
    if kind in SHIFT_REGISTERS:
        return [("lut", 1), ("lut_shift", 1)]
    if kind in MEMORY_LUTS:
        return [("lut", MEMORY_LUTS[kind]), ("lut_ram", MEMORY_LUTS[kind])]
    single = {"CARRY4": ("carry4", 1), "DSP48E1": ("dsp", 1)}
    single |= {"RAMB18E1": ("ramb18", 1), "RAMB36E1": ("ramb18", 2)}
    if kind in single:
        return [single[kind]]
    if kind in skip:
        return []
    if kind in LATCHES or "latch" in kind.lower():
        return [("latch", 1)]
    raise UnknownCell(f"cell {kind}: its cost is not known")


def _route_throughs(cells: dict[str, dict]) -> int:
    """Carry bits that are used and whose select is neither a constant nor a LUT's output."""
    from_lut = {cell["connections"]["O"][0] for cell in cells.values() if cell["type"] in LUTS}
    return sum(
        bit not in from_lut and bit not in CONSTANTS
        for cell in cells.values()
        if cell["type"] == "CARRY4"
        for bit in cell["connections"]["S"]
    )


def _pairs(cells: dict[str, dict]) -> int:
    """How many pairs of small LUTs find each other, greedily."""
    to_carry = {
        bit
        for cell in cells.values()
        if cell["type"] == "CARRY4"
        for bit in cell["connections"]["S"]
    }
    small = []
    for cell in cells.values():
        if cell["type"] in LUTS and cell["connections"]["O"][0] not in to_carry:
            nets = frozenset(
                bits[0]
                for port, bits in cell["connections"].items()
                if port != "O" and bits[0] not in CONSTANTS
            )
            if len(nets) <= PAIR_INPUTS:
                small.append(nets)
    small.sort(key=lambda nets: (-len(nets), sorted(nets)))
    readers: dict[int, list[int]] = defaultdict(list)
    for index, nets in enumerate(small):
        for net in nets:
            readers[net].append(index)
    taken = [False] * len(small)
    found = 0
    for index, nets in enumerate(small):
        if taken[index]:
            continue
        partner = _partner(index, nets, small=small, readers=readers, taken=taken)
        if partner is not None:
            taken[index] = taken[partner] = True
            found += 1
    return found


def _partner(
    index: int,
    nets: frozenset,
    *,
    small: list[frozenset],
    readers: dict[int, list[int]],
    taken: list[bool],
) -> int | None:
    """The LUT with most inputs in common that fits beside `nets` in one LUT6_2."""
    best, best_common = None, 0
    for net in nets:
        if len(readers[net]) > BUSY_NET:
            continue
        for other in readers[net]:
            if other == index or taken[other]:
                continue
            common = len(nets & small[other])
            fits = len(nets) + len(small[other]) - common <= PAIR_INPUTS
            related = common >= min(2, len(nets), len(small[other]))
            if fits and related and common > best_common:
                best, best_common = other, common
    return best
