# SPDX-License-Identifier: Apache-2.0
"""`make synth` finds what it should: planted faults, budgets passed, a wrong gate.

About 40 s of one core: six small runs of Yosys and two of Icarus.
"""

import json
import re
from pathlib import Path

import pytest

from fpga.synth import plan, report
from fpga.synth.depth import LEVEL, CombinationalLoop, model
from fpga.synth.gates import Gate, netlist, simulate_gates
from fpga.synth.netlist import UnknownCell, measure
from fpga.synth.run import examine
from fpga.synth.yosys import BUILD, SynthesisError, elaborate

PLANTED = tuple(sorted((Path(__file__).parent / "planted").glob("*.v")))
FOLDER = BUILD / "test"
SMALL_GATE = Gate(
    module="pasa_reciprocal",
    bench=lambda run: run(
        "pasa_reciprocal",
        test_module="verif.softmax.test_pasa_reciprocal",
        parameters={"USER": 17},
    ),
    tests="gaps=False",
)


def lut(output: int, *inputs: int) -> dict:
    """A LUT cell of a Yosys netlist."""
    pins = {"O": [output], **{f"I{i}": [net] for i, net in enumerate(inputs)}}
    return {"type": f"LUT{len(inputs)}", "parameters": {}, "connections": pins}


def flip_flop(output: int, data: int) -> dict:
    pins = {"Q": [output], "D": [data], "C": [1], "CE": ["1"], "R": ["0"]}
    return {"type": "FDRE", "parameters": {}, "connections": pins}


def carry(number: int, *, begins: int | str, select: list) -> dict:
    """The CARRY4 `number`, with outputs of its own."""
    ends = [1000 + 10 * number + i for i in range(8)]
    pins = {"CI": ["0"], "CYINIT": [begins], "S": select, "DI": ["0"] * 4}
    if isinstance(begins, int):
        pins |= {"CI": [begins], "CYINIT": ["0"]}
    return {
        "type": "CARRY4",
        "parameters": {},
        "connections": {**pins, "CO": ends[:4], "O": ends[4:]},
    }


def circuit(**cells: dict) -> dict:
    return {"cells": cells, "ports": {}, "netnames": {}}


@pytest.fixture(scope="module")
def planted() -> report.Build:
    return examine("best", top="planted", parameters={}, folder=FOLDER, extra=PLANTED)


def test_planted_faults_are_found(planted):
    faults = "\n".join(report.summarise([planted]).faults)
    assert "planted_latch: latch" in faults
    assert "planted_multiplier: 1 DSP48E1, expected 0" in faults
    assert "planted_deep: " in faults and "levels from from[" in faults
    assert planted.total.latch == 16 and planted.total.dsp == 1


def test_a_budget_that_is_passed_fails(planted, monkeypatch):
    def held(room: int) -> bool:
        monkeypatch.setitem(plan.ROOM, "lut", room)
        figures = {f.name: f for f in report.summarise([planted]).figures}
        return figures["best: LUT of XC7Z035"].holds

    need = planted.total.lut
    assert held(need * 2)
    assert not held(need)


def test_a_good_module_has_no_fault_and_a_report(tmp_path):
    build = examine("best", top="pasa_reciprocal", parameters={}, folder=FOLDER)
    summary = report.summarise([build])
    assert summary.holds and not summary.faults
    assert build.total.dsp == 1 and build.total.latch == 0 and 0 < build.total.lut < 400
    report.write(summary, tmp_path)
    written = json.loads((tmp_path / "report.json").read_text())
    assert all(figure["holds"] is not False for figure in written["figures"])
    assert {"name", "value", "unit", "goal", "holds"} == set(written["figures"][0])
    assert "`pasa_reciprocal`" in (tmp_path / "report.md").read_text()


def test_an_equal_part_is_synthesised_once():
    design = elaborate(
        "pasa_row_store", {"ROWS": 4, "TILE_KEYS": 64, "WIDTH": 8}, folder=FOLDER / "row_store"
    )
    part = design.part(design.top)
    assert part.memories == (("pasa_ram_dual", 128, 8),) * 2
    assert plan.block_rams(part.memories) == 2
    assert design.instances() == {design.top: 1}


def test_a_wrong_parameter_is_told():
    with pytest.raises(SynthesisError, match="ERROR_ROWS"):
        elaborate("pasa_core", {"ROWS": 3}, folder=FOLDER / "wrong")


@pytest.fixture(scope="module")
def gates() -> Path:
    return netlist(SMALL_GATE, folder=FOLDER / "gates")


def test_gates_do_what_the_golden_model_does(gates):
    assert simulate_gates(SMALL_GATE, gates).tests == 1


def test_a_wrong_gate_fails_its_bench(gates):
    """One LUT of the netlist gives the opposite for half of its inputs."""
    text = gates.read_text()
    good = text[text.index("  LUT6 #(") :][:60]
    bad = re.sub(r"'h[0-9a-f]{8}", lambda m: f"'h{int(m[0][2:], 16) ^ 0xFFFF_FFFF:08x}", good)
    mutant = ("pasa_reciprocal.v", good, bad)
    result = simulate_gates(SMALL_GATE, gates, mutant=mutant, check=False, expected=1)
    assert result.failures == 1


def test_levels_count_luts_and_carries():
    """Register, two LUTs, three CARRY4, register: 2 + 1 + 2/8 levels."""
    chain = circuit(
        start=flip_flop(2, 3),
        one=lut(4, 2),
        two=lut(5, 4),
        a=carry(0, begins="0", select=[5, "0", "0", "0"]),
        b=carry(1, begins=1003, select=["0"] * 4),
        c=carry(2, begins=1013, select=["0"] * 4),
        end=flip_flop(6, 1027),
    )
    (path,) = [way for way in model(chain, children={}).worst if way.luts]
    assert (path.luts, path.carries, path.units) == (2, 3, 3 * LEVEL + 2)


def test_levels_cross_the_border_of_parts():
    inner = circuit(gate=lut(3, 2))
    inner["ports"] = {
        "a": {"direction": "input", "bits": [2]},
        "b": {"direction": "output", "bits": [3]},
    }
    inside = model(inner, children={})
    child = {"type": "inner", "parameters": {}, "connections": {"a": [2], "b": [4]}}
    outer = circuit(start=flip_flop(2, 9), child=child, last=lut(5, 4), end=flip_flop(6, 5))
    assert model(outer, children={"inner": inside}).worst[0].levels == 2


def test_a_loop_without_a_register_is_told():
    with pytest.raises(CombinationalLoop):
        model(circuit(one=lut(2, 3), two=lut(3, 2)), children={})


def test_small_luts_pair_only_when_they_share():
    sharing = measure({"a": lut(9, 1, 2, 3), "b": lut(8, 2, 3, 4)})
    apart = measure({"a": lut(9, 1, 2, 3), "b": lut(8, 5, 6)})
    assert (sharing.lut, sharing.packed) == (2, 1)
    assert (apart.lut, apart.packed) == (2, 2)


def test_a_carry_without_its_lut_costs_one():
    size = measure({"c": carry(0, begins="0", select=[5, 6, "0", "0"]), "s": lut(6, 7)})
    assert (size.lut, size.carry4) == (2, 1)


def test_an_unknown_cell_is_told():
    with pytest.raises(UnknownCell, match="MYSTERY"):
        measure({"m": {"type": "MYSTERY", "parameters": {}, "connections": {}}})
