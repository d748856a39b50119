# SPDX-License-Identifier: Apache-2.0
"""hdl/shell/pasa.rdl against the number formats, and what is generated from it."""

import tomllib

from pasa import formats, registers

from ci import registers as generator
from verif.common.hdl import ROOT
from verif.common.rdl import load


def record(prefix: str, words: int) -> dict[str, tuple[int, int]]:
    """Field -> (lowest bit in the record, width), of the registers that hold the record."""
    found = load()
    return {
        field.name: (32 * word + field.low, field.width)
        for word in range(words)
        for field in found[f"{prefix}_{word}"].fields.values()
    }


def test_command_is_the_record_of_formats():
    positions = formats.command_positions()
    assert record("COMMAND", formats.COMMAND_BITS // 32) == {
        name: (positions[name], width) for name, (width, _) in formats.COMMAND_FIELDS.items()
    }


def test_status_is_the_record_of_formats():
    positions = formats.positions(formats.STATUS_FIELDS)
    assert record("STATUS", formats.STATUS_BITS // 32) == {
        name: (positions[name], width) for name, width in formats.STATUS_FIELDS.items()
    }


def test_causes_are_those_of_formats():
    fields = load()["CAUSES"].fields.values()
    assert [(field.name, field.low, field.width) for field in fields] == [
        (name, place, 1) for place, name in enumerate(formats.CAUSES)
    ]


def test_build_parameters_reach_the_registers():
    build = {"ROWS": 2, "PRED_KEYS": 4, "HEAD_DIM": 32, "TILE_KEYS": 256, "PRED_BITS": 5}
    build |= {"BLOCK_KEYS": 16, "MERGE_ROWS": 64, "STREAM_BITS": 32}
    fields = {
        name: field.reset
        for word in range(3)
        for name, field in load(build)[f"BUILD_{word}"].fields.items()
    }
    want = {name.lower(): value for name, value in build.items() if name != "STREAM_BITS"}
    assert fields == want | {"stream_bytes": 4, "command_depth": 8, "status_depth": 8}


def test_version_is_that_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    fields = load()["VERSION"].fields
    assert ".".join(str(fields[part].reset) for part in ("major", "minor", "patch")) == project


def test_generated_files_are_fresh():
    assert not generator.stale(), "run: make registers"


def test_python_constants_tell_the_source():
    found = load()
    assert {name: r.address for name, r in found.items()} == registers.ADDRESS
    assert tuple(name for name, r in found.items() if r.readable) == registers.READABLE
    assert tuple(name for name, r in found.items() if r.writable) == registers.WRITABLE
    assert all(found[name].reset == value for name, value in registers.RESET.items())
    for name, register in found.items():
        places = {f.name: (f.low, f.width) for f in register.fields.values()}
        assert places == registers.FIELDS[name]


def test_a_stale_file_is_noticed(tmp_path, monkeypatch):
    text = generator.HEADER.read_text()
    (tmp_path / "changed.h").write_text(text.replace("0x060u", "0x064u"))
    monkeypatch.setattr(generator, "HEADER", tmp_path / "changed.h")
    assert generator.stale() == [tmp_path / "changed.h"]


def test_html_reference_names_every_register(tmp_path, monkeypatch):
    monkeypatch.setattr(generator, "HTML", tmp_path)
    generator.html()
    assert (tmp_path / "index.html").is_file()
    text = "".join(path.read_text() for path in (tmp_path / "content").rglob("*.html"))
    assert not [name for name in registers.ADDRESS if name not in text]
