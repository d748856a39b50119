# SPDX-License-Identifier: Apache-2.0
"""The registers as hdl/shell/pasa.rdl declares them: what generators and tests read.

registers = load({"ROWS": 2})
registers["CONTROL"].fields["soft_reset"].low
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from systemrdl import RDLCompiler
from systemrdl.node import AddrmapNode, FieldNode, RegNode

from verif.common.hdl import HDL

SOURCE = HDL / "shell" / "pasa.rdl"
#: Parameters of the hardware that registers tell, besides STREAM_BITS.
TOLD = ("ROWS", "PRED_KEYS", "HEAD_DIM", "TILE_KEYS", "PRED_BITS", "BLOCK_KEYS", "MERGE_ROWS")
#: What a write of 1 does: ``store`` keeps the value, ``act`` is a pulse that reads back as nothing.
WRITES = ("store", "set", "clear", "act")


@dataclass(frozen=True)
class Field:
    """Some bits of a register.

    Attributes:
        low, width: place.
        reset: value after reset; of a register without storage its constant.
        readable: software may read it.
        write: one of WRITES, None when software cannot write it.
        volatile: hardware changes it.
    """

    name: str
    low: int
    width: int
    reset: int
    readable: bool
    write: str | None
    volatile: bool
    description: str

    @property
    def mask(self) -> int:
        """Its bits in the register."""
        return ((1 << self.width) - 1) << self.low


@dataclass(frozen=True)
class Register:
    """One 32-bit word."""

    name: str
    address: int
    title: str
    fields: dict[str, Field] = field(default_factory=dict)

    @cached_property
    def readable(self) -> bool:
        """A read is legal."""
        return any(f.readable for f in self.fields.values())

    @cached_property
    def writable(self) -> bool:
        """A write is legal."""
        return any(f.write for f in self.fields.values())

    @cached_property
    def volatile(self) -> bool:
        """Hardware changes it."""
        return any(f.volatile for f in self.fields.values())

    @cached_property
    def reset(self) -> int:
        """Its value after reset."""
        return sum(f.reset << f.low for f in self.fields.values() if f.readable)

    @cached_property
    def write_mask(self) -> int:
        """Bits that a write may change."""
        return sum(f.mask for f in self.fields.values() if f.write)

    def after_write(self, value: int, data: int, strobe: int = 0xF) -> int:
        """What it holds after `data` was written where it held `value`, by the kind of each field.

        Args:
            strobe: bit b is 1 where byte b of the word is written.
        """
        bits = sum(0xFF << 8 * byte for byte in range(4) if strobe >> byte & 1)
        for part in self.fields.values():
            touched = part.mask & bits
            if part.write == "store":
                value = value & ~touched | data & touched
            elif part.write == "clear":
                value &= ~(data & touched)
        return value


def compile_rdl(parameters: Mapping[str, int] | None = None) -> AddrmapNode:
    """The elaborated address map, for PeakRDL's exporters; raises on any error in the source."""
    compiler = RDLCompiler()
    compiler.compile_file(str(SOURCE))
    return compiler.elaborate(parameters=dict(parameters or {})).top


def load(parameters: Mapping[str, int] | None = None) -> dict[str, Register]:
    """Every register by name, in address order.

    Args:
        parameters: of the build, as the Verilog parameters; they decide BUILD_*.
    """
    return {node.inst_name: _register(node) for node in compile_rdl(parameters).registers()}


def _register(node: RegNode) -> Register:
    fields = {f.inst_name: _field(f) for f in node.fields()}
    title = node.get_property("name", default=node.inst_name)
    return Register(node.inst_name, node.absolute_address, title, fields)


def _field(node: FieldNode) -> Field:
    return Field(
        name=node.inst_name,
        low=node.low,
        width=node.width,
        reset=node.get_property("reset", default=0),
        readable=node.is_sw_readable,
        write=_write(node),
        volatile=node.is_hw_writable or bool(node.get_property("hwset")),
        description=" ".join((node.get_property("desc") or "").split()),
    )


def _write(node: FieldNode) -> str | None:
    if not node.is_sw_writable:
        return None
    if node.get_property("singlepulse"):
        return "act"
    effect = node.get_property("onwrite")
    return {None: "store", "woset": "set", "woclr": "clear"}[effect and effect.name]
