# SPDX-License-Identifier: Apache-2.0
"""The scripts for Vivado run to their end in the strict stand-in, and planted mistakes do not."""

import json
import re
import subprocess

import pytest
from pasa import registers as constants

from fpga.dryrun import check
from fpga.dryrun.plants import IMPLEMENT, Plant
from fpga.vivado import ACTIONS, BOARDS, Build, explain, registers
from verif.common.hdl import ROOT


def bitstream(folder, **choice) -> Build:
    """A build below `folder`, without the activity file that may lie in build/sim."""
    return Build("bitstream", builds=folder, activity=folder / "none", **choice)


def test_every_build_runs_and_every_planted_mistake_is_caught(capsys):
    assert check.main() == 0, capsys.readouterr().out
    report = json.loads(check.REPORT.read_text())
    assert not report["faults"]
    figures = {figure["name"]: figure for figure in report["figures"]}
    assert all(figure["holds"] for figure in figures.values())
    assert figures["builds run to their end"]["value"] == len(BOARDS) * len(ACTIONS) == 8
    assert figures["planted mistakes met with one clear line"]["value"] >= 50
    assert figures["block design: addresses"]["value"] == 8  # 4 of the processor, 4 of the engines


def test_a_mistake_that_is_none_is_reported(tmp_path):
    harmless = Plant("harmless", "anything", IMPLEMENT, "opt_design }", "opt_design -verbose }")
    assert "not caught" in check.caught(harmless, tmp_path / "harmless")


def test_another_failure_than_the_expected_is_reported(tmp_path):
    other = Plant("other", "no licence", world="setup=-1")
    assert "does not say 'no licence'" in check.caught(other, tmp_path / "other")


def test_a_plant_that_changes_nothing_is_reported(tmp_path):
    stale = Plant("stale", "unknown", IMPLEMENT, "text that is nowhere", "")
    assert "does not hold 'text that is nowhere'" in check.caught(stale, tmp_path / "stale")


def test_bitstream_platform_and_handoff_share_a_name(tmp_path):
    outcome = check.dry_run(bitstream(tmp_path))
    assert outcome.code == 0, outcome.said
    found = {path.name for path in outcome.folder.glob("pasa.*")}
    assert found == {"pasa.bit", "pasa.hwh", "pasa.xsa", "pasa.json"}
    about = json.loads((outcome.folder / "pasa.json").read_text())
    assert about["part"] == "xc7z035ifbg676-2L"
    assert about["vivado"] == "2023.2"
    assert about["setup_slack_ns"] > 0
    assert about["stream_bits"] == 64


@pytest.mark.parametrize("bits", [32, 128])
def test_build_parameters_reach_the_design(tmp_path, bits):
    settings = ["ROWS=8", f"STREAM_BITS={bits}"]
    outcome = check.dry_run(bitstream(tmp_path, settings=settings, clock="125"))
    assert outcome.code == 0, outcome.said
    about = json.loads((outcome.folder / "pasa.json").read_text())
    assert (about["rows"], about["stream_bits"], about["clock_mhz"]) == (8, bits, 125)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("ROWS=3", "CONFIG.ROWS of pasa:accelerator:pasa:0.1 is '3'"),
        ("LANES=4", "argument 'LANES=4' is unknown"),
    ],
)
def test_illegal_build_parameters_are_refused(tmp_path, setting, says):
    outcome = check.dry_run(bitstream(tmp_path, settings=[setting]))
    assert outcome.code == 1
    assert says in outcome.lines[-2]


def test_register_map_of_the_ip_is_that_of_the_rdl():
    text = registers()
    script = f"{text}\nforeach r $registers {{ puts [lrange $r 0 2] }}"
    done = subprocess.run(["tclsh"], input=script, text=True, capture_output=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert {name: int(offset, 16) for name, offset, _ in rows} == constants.ADDRESS
    for name, _, access in rows:
        assert ("read" in access) == (name in constants.READABLE)
        assert ("write" in access) == (name in constants.WRITABLE)


def test_explain_prefers_the_cause_over_the_command_that_failed():
    said = "ERROR: [Synth 8-439] no module\nERROR: [Common 17-39] 'synth_design' failed\n"
    assert explain(said) == "[Synth 8-439] no module"
    assert "without saying why" in explain("")


def test_make_names_the_boards():
    done = subprocess.run(
        ["make", "bitstream", "BOARD=nowhere"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode != 0
    assert "nowhere" in done.stderr and all(board in done.stderr for board in BOARDS)


def test_walk_through_of_the_readme_runs_without_a_board(capsys):
    text = (ROOT / "fpga" / "README.md").read_text()
    code = re.search(r"```python\n(.*?)```", text, re.S)
    assert code
    board = 'pasa.open("board", bitfile="pasa.bit")'
    assert code[1].count(board) == 1
    exec(code[1].replace(board, 'pasa.open("reference")'), {})
    said = capsys.readouterr().out
    assert "int8[2, 96, 32]" in said
    assert float(said.rsplit("error", 1)[1]) < 0.1


def test_addresses_of_the_readme_are_those_of_the_design():
    readme = (ROOT / "fpga" / "README.md").read_text().replace("_", "")
    design = (ROOT / "fpga" / "flow" / "system.tcl").read_text()
    offsets = set(re.findall(r"/(?:reg0|Reg) +0x([0-9A-F]{8}) ", design))
    assert len(offsets) == 4
    assert all(readme.count(f"0x{offset}") == 2 for offset in offsets)  # picture and table
