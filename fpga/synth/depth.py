# SPDX-License-Identifier: Apache-2.0
"""Logic levels between registers, by a walk over the netlists, through the borders of parts.

A level is one LUT with the wire to it, about 0.6 ns. Everything else is counted in eighths of that,
by the delays that come with Yosys for its cells (measured in silicon by Project X-Ray): a step into
a carry chain is a level, each further CARRY4 an eighth, a MUXF7 or MUXF8 a quarter; memories and
multipliers without an output register take what MEMORY_OUT, BLOCK_OUT, MULTIPLY and ADD say. Wires
of large fan-out and the placement are not seen here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from fpga.synth.netlist import CONSTANTS, FLIP_FLOPS, LUTS, MEMORY_LUTS, SHIFT_REGISTERS

LEVEL = 8  # units of a level
CARRY_STEP = 1
WIDE_MUX = 2
# Clock to output of what is no flip-flop, beyond what one takes; and ways inside a DSP48E1.
MEMORY_OUT = 2 * LEVEL  # distributed RAM and shift registers
BLOCK_OUT = {0: 7 * LEVEL // 2, 1: 1 * LEVEL}  # block RAM without, with its output register
MULTIPLY = 9 * LEVEL // 4
ADD = 9 * LEVEL // 4

Bit = int | str  # a net of a Yosys netlist, or a constant


class CombinationalLoop(ValueError):
    """Logic that feeds itself without a register."""


@dataclass(frozen=True, order=True)
class Reach:
    """The longest way to or from somewhere.

    Attributes:
        units: Its length, LEVEL to a logic level.
        luts: LUTs on it.
        carries: CARRY4 on it.
        end: The register where it begins or ends.
    """

    units: int = 0
    luts: int = 0
    carries: int = 0
    end: str = ""

    def plus(self, step: "Reach") -> "Reach":
        """This way and one more step on it; the end stays."""
        return Reach(
            self.units + step.units, self.luts + step.luts, self.carries + step.carries, self.end
        )


@dataclass(frozen=True, order=True)
class Path:
    """One way between two registers."""

    units: int
    luts: int
    carries: int
    start: str
    end: str

    @property
    def levels(self) -> float:
        """Its length in logic levels."""
        return self.units / LEVEL


@dataclass
class Model:
    """What a part looks like from outside: keys are (port, index).

    Attributes:
        outputs: Longest way from a register inside to an output.
        inputs: Longest way from an input to a register inside.
        arcs: Ways from inputs to an output that meet no register.
        worst: The longest ways between registers that end in this part or at its children.
    """

    outputs: dict[tuple[str, int], Reach] = field(default_factory=dict)
    inputs: dict[tuple[str, int], Reach] = field(default_factory=dict)
    arcs: dict[tuple[str, int], dict[tuple[str, int], Reach]] = field(default_factory=dict)
    worst: list[Path] = field(default_factory=list)


@dataclass
class _Graph:
    """Bits of one netlist: sources, sinks, and steps from bit to bit."""

    sources: dict[Bit, Reach] = field(default_factory=dict)
    sinks: dict[Bit, Reach] = field(default_factory=dict)
    steps: dict[Bit, list[tuple[Bit, Reach]]] = field(default_factory=dict)  # output: from where

    def source(self, bit: Bit, reach: Reach) -> None:
        self.sources[bit] = max(self.sources.get(bit, reach), reach)

    def sink(self, bit: Bit, reach: Reach) -> None:
        if bit not in CONSTANTS:
            self.sinks[bit] = max(self.sinks.get(bit, reach), reach)

    def step(self, start: Bit, end: Bit, reach: Reach) -> None:
        if start not in CONSTANTS:
            self.steps.setdefault(end, []).append((start, reach))


def model(netlist: dict, *, children: dict[str, Model], most: int = 20) -> Model:
    """The timing model of one part.

    Args:
        netlist: Module of a Yosys JSON netlist.
        children: Models of the parts inside it, by the type of their cells.
        most: How many of the longest ways to keep.

    Raises:
        CombinationalLoop: With the names of the bits on the loop.
    """
    names = _names(netlist)
    graph = _graph(netlist["cells"], children=children, names=names)
    order = _order(graph, names)
    arrival = _arrivals(graph, order)
    made = Model()
    ends = [
        Path(way.units, way.luts, way.carries, arrival[bit].end, reach.end)
        for bit, reach in graph.sinks.items()
        if bit in arrival
        for way in [arrival[bit].plus(reach)]
    ]
    made.worst = sorted(ends, reverse=True)[:most]
    required = _required(graph, order)
    inputs = {}
    for port, entry in netlist["ports"].items():
        for index, bit in enumerate(entry["bits"]):
            if entry["direction"] == "input":
                inputs[bit] = (port, index)
                if bit in required:
                    made.inputs[port, index] = required[bit]
            elif bit in arrival:
                made.outputs[port, index] = arrival[bit]
    for port, entry in netlist["ports"].items():
        for index, bit in enumerate(entry["bits"]):
            if entry["direction"] == "output" and (found := _from_inputs(graph, bit, inputs)):
                made.arcs[port, index] = found
    return made


def _arrivals(graph: _Graph, order: list[Bit]) -> dict[Bit, Reach]:
    arrival = dict(graph.sources)
    for bit in order:
        ways = [arrival[start].plus(by) for start, by in graph.steps[bit] if start in arrival]
        if ways:
            arrival[bit] = max(ways + [arrival[bit]] if bit in arrival else ways)
    return arrival


def _required(graph: _Graph, order: list[Bit]) -> dict[Bit, Reach]:
    required = dict(graph.sinks)
    for bit in reversed(order):
        if bit not in required:
            continue
        for start, by in graph.steps[bit]:
            way = required[bit].plus(by)
            required[start] = max(required.get(start, way), way)
    return required


def _from_inputs(graph: _Graph, bit: Bit, inputs: dict) -> dict[tuple[str, int], Reach]:
    """Longest ways from the inputs to one bit, register-free."""
    cone, waiting = set(), [bit]
    while waiting:
        here = waiting.pop()
        if here not in cone:
            cone.add(here)
            waiting += [start for start, _ in graph.steps.get(here, [])]
    if not cone & inputs.keys():
        return {}
    ways = {bit: Reach()}
    part = _Graph(steps={key: graph.steps[key] for key in cone if key in graph.steps})
    for here in reversed(_order(part, {})):
        for start, by in part.steps[here]:
            way = ways[here].plus(by)
            ways[start] = max(ways.get(start, way), way)
    return {inputs[start]: way for start, way in ways.items() if start in inputs}


def _order(graph: _Graph, names: dict[Bit, str]) -> list[Bit]:
    """The bits that steps lead to, each after all it depends on."""
    order: list[Bit] = []
    done: set[Bit] = set()
    for root in graph.steps:
        if root in done:
            continue
        stack: list[tuple[Bit, Iterator]] = [(root, iter(graph.steps[root]))]
        open_bits = {root}
        while stack:
            bit, rest = stack[-1]
            for start, _ in rest:
                if start in open_bits:
                    loop = ", ".join(names.get(b, str(b)) for b, _ in stack)
                    raise CombinationalLoop(f"logic feeds itself: {loop}")
                if start in graph.steps and start not in done:
                    stack.append((start, iter(graph.steps[start])))
                    open_bits.add(start)
                    break
            else:
                stack.pop()
                open_bits.discard(bit)
                done.add(bit)
                order.append(bit)
    return order


def _names(netlist: dict) -> dict[Bit, str]:
    """The shortest name a reader knows, for every bit that has one."""
    names: dict[Bit, str] = {}
    for name, net in netlist["netnames"].items():
        if net["hide_name"]:
            continue
        bits = net["bits"]
        for index, bit in enumerate(bits):
            full = name if len(bits) == 1 else f"{name}[{index}]"
            if bit not in names or (full.count("."), len(full)) < (
                names[bit].count("."),
                len(names[bit]),
            ):
                names[bit] = full
    return names


def _graph(cells: dict[str, dict], *, children: dict[str, Model], names: dict) -> _Graph:
    graph = _Graph()
    carries = {
        cell["connections"]["CO"][3]
        for cell in cells.values()
        if cell["type"] == "CARRY4" and len(cell["connections"].get("CO", [])) == 4
    }
    for instance, cell in cells.items():
        kind, pins = cell["type"], cell["connections"]
        if kind in children:
            _child(graph, instance, pins, children[kind])
        elif kind == "CARRY4":
            _carry(graph, pins, carries)
        else:
            handler = _HANDLERS.get(kind)
            if handler:
                handler(graph, _name(instance, cell, names), cell)
    return graph


def _name(instance: str, cell: dict, names: dict[Bit, str]) -> str:
    """How a register is called: by what it drives when that has a name, else by its cell."""
    for port in ("Q", "O", "DOA", "DOB", "DOADO", "DOBDO", "P"):
        for bit in cell["connections"].get(port, []):
            if bit in names:
                return names[bit]
    return instance


def _child(graph: _Graph, instance: str, pins: dict, inside: Model) -> None:
    def named(reach: Reach) -> Reach:
        return Reach(reach.units, reach.luts, reach.carries, f"{instance}.{reach.end}")

    for (port, index), reach in inside.outputs.items():
        if index < len(pins.get(port, [])):
            graph.source(pins[port][index], named(reach))
    for (port, index), reach in inside.inputs.items():
        if index < len(pins.get(port, [])):
            graph.sink(pins[port][index], named(reach))
    for (port, index), ways in inside.arcs.items():
        if index >= len(pins.get(port, [])):
            continue
        for (start, at), reach in ways.items():
            if at < len(pins.get(start, [])):
                graph.step(pins[start][at], pins[port][index], reach)


def _carry(graph: _Graph, pins: dict, carries: set[Bit]) -> None:
    """O[i] depends on S[i] and what carries into it; CO[i] on its own bit and all below."""
    enter = Reach(LEVEL, 0, 1)
    chain = pins["CI"][0] in carries
    begins = [(pins["CI"][0], Reach(CARRY_STEP, 0, 1) if chain else enter)]
    begins.append((pins["CYINIT"][0], enter))
    for index in range(4):
        own = [(pins["S"][index], enter), (pins["DI"][index], enter)]
        for start, by in [*begins, own[0]]:
            if index < len(pins.get("O", [])):
                graph.step(start, pins["O"][index], by)
        begins += own
        for start, by in begins:
            if index < len(pins.get("CO", [])):
                graph.step(start, pins["CO"][index], by)


def _logic(units: int, luts: int) -> Callable:
    def handle(graph: _Graph, name: str, cell: dict) -> None:
        pins = cell["connections"]
        for port, bits in pins.items():
            if port != "O":
                graph.step(bits[0], pins["O"][0], Reach(units, luts, 0))

    return handle


def _flip_flop(graph: _Graph, name: str, cell: dict) -> None:
    for port, bits in cell["connections"].items():
        if port == "Q":
            graph.source(bits[0], Reach(end=name))
        elif port != "C":
            graph.sink(bits[0], Reach(end=name))


def _memory(graph: _Graph, name: str, cell: dict) -> None:
    """Distributed RAM and shift registers: written by clock, read by address through a LUT."""
    pins, ways = cell["connections"], cell["port_directions"]
    shift = cell["type"] in SHIFT_REGISTERS
    outputs = [bit for port in pins if ways[port] == "output" for bit in pins[port]]
    for bit in outputs:
        graph.source(bit, Reach(MEMORY_OUT, end=name))
    for port, bits in pins.items():
        if ways[port] == "output" or port in ("CLK", "WCLK", "C"):
            continue
        address = port.startswith("A") or port.startswith("DPRA")
        for bit in bits:
            graph.sink(bit, Reach(end=name))
            if address and bit not in CONSTANTS:
                for out in _addressed(port, pins, outputs, shift):
                    graph.step(bit, out, Reach(LEVEL, 1, 0))


def _addressed(port: str, pins: dict, outputs: list[Bit], shift: bool) -> list[Bit]:
    """The outputs that an address port selects."""
    if port.startswith("ADDR"):
        return pins.get(f"DO{port[-1]}", [])
    if port.startswith("DPRA"):
        return pins.get("DPO", [])
    return outputs if shift else pins.get("SPO", pins.get("O", []))


def _block_memory(graph: _Graph, name: str, cell: dict) -> None:
    pins, ways = cell["connections"], cell["port_directions"]
    for port, bits in pins.items():
        register = _number(cell, "DOB_REG" if port.startswith("DOB") else "DOA_REG")
        for bit in bits:
            if ways[port] == "output":
                graph.source(bit, Reach(BLOCK_OUT[register], end=name))
            elif "CLK" not in port:
                graph.sink(bit, Reach(end=name))


def _multiplier(graph: _Graph, name: str, cell: dict) -> None:
    """DSP48E1: what lies between a pin and the nearest register, by the registers in use."""
    pins, ways = cell["connections"], cell["port_directions"]
    has = {key: _number(cell, f"{key}REG") for key in "ABCMPD"}
    product = 0 if has["P"] else (ADD if has["M"] else ADD + MULTIPLY)
    registered = has["P"] or has["M"] or has["A"] or has["B"] or has["C"]
    outputs = [bit for port in pins if ways[port] == "output" for bit in pins[port]]
    for bit in outputs:
        if registered:
            graph.source(bit, Reach(product, end=name))
    for port, bits in pins.items():
        if ways[port] == "output" or port == "CLK":
            continue
        for bit in bits:
            if port not in ("A", "B", "C", "D") or has[port]:
                graph.sink(bit, Reach(end=name))
                continue
            multiplied = port != "C"
            ahead = (MULTIPLY if multiplied else 0) + (0 if multiplied and has["M"] else ADD)
            if has["P"] or (multiplied and has["M"]):
                graph.sink(bit, Reach(ahead, end=name))
            else:
                for out in outputs:
                    graph.step(bit, out, Reach(ahead, 0, 0))


def _number(cell: dict, key: str) -> int:
    value = cell["parameters"].get(key, "0")
    return int(str(value), 2) if set(str(value)) <= {"0", "1"} else 0


_HANDLERS: dict[str, Callable] = {
    **dict.fromkeys(LUTS, _logic(LEVEL, 1)),
    **dict.fromkeys(("MUXF7", "MUXF8"), _logic(WIDE_MUX, 0)),
    **dict.fromkeys(FLIP_FLOPS, _flip_flop),
    **dict.fromkeys((*MEMORY_LUTS, *SHIFT_REGISTERS), _memory),
    **dict.fromkeys(("RAMB18E1", "RAMB36E1"), _block_memory),
    "DSP48E1": _multiplier,
}
