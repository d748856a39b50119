# SPDX-License-Identifier: Apache-2.0
"""The generated Verilog headers are those of formats.py, and the tables are as good as it says."""

import numpy as np
import pytest
from pasa import ArgumentError, Build, formats


def test_headers_are_fresh() -> None:
    assert formats.stale_headers() == [], "run `python reference/pasa/formats.py`"


def test_a_stale_header_is_noticed(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(formats, "include_folder", lambda: tmp_path / "include")
    assert len(formats.stale_headers()) == len(formats.headers())
    formats.write_headers()
    assert formats.stale_headers() == []
    (tmp_path / "include" / "pasa_formats.vh").write_text("`define PASA_SHIFT_BITS 7\n")
    assert formats.stale_headers() == ["pasa_formats.vh"]


def test_records_fill_what_they_say() -> None:
    command = {name: width for name, (width, _) in formats.COMMAND_FIELDS.items()}
    for widths, limit in (
        (command, formats.COMMAND_BITS),
        (formats.STATUS_FIELDS, formats.STATUS_BITS),
    ):
        end = 0
        for name, low in formats.positions(widths).items():
            high = low + widths[name] - 1
            assert end <= low and high < limit, name
            assert low // formats.WORD_BITS == high // formats.WORD_BITS, f"{name} straddles"
            end = high + 1
    assert len(formats.CAUSES) <= formats.STATUS_FIELDS["causes"]


def test_reciprocal_table() -> None:
    base, slope = formats.reciprocal_table()
    assert base[0] <= 1 << formats.RECIPROCAL_FRACTION
    assert base.max() < 1 << formats.RECIPROCAL_FRACTION + 1
    assert slope.max() < 1 << formats.RECIPROCAL_SLOPE_BITS


def test_exp2_table() -> None:
    base, slope = formats.exp2_table()
    assert base.max() < 1 << formats.WEIGHT_FRACTION
    assert slope.max() < 1 << formats.EXP2_SLOPE_BITS
    assert (np.diff(base) < 0).all()


def test_widths_of_a_build_hold_the_largest_products() -> None:
    for head_dim in (16, 32, 64, 128):
        for pred_bits in (2, 4, 6):
            build = Build(head_dim=head_dim, pred_bits=pred_bits)
            assert head_dim * 128 * 128 < 1 << build.score_bits - 1
            assert head_dim * 4 ** (pred_bits - 1) < 1 << build.nibble_product_bits - 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": 3},
        {"rows": 32},
        {"pred_keys": 128},
        {"head_dim": 8},
        {"tile_keys": 64},
        {"block_keys": 16},
        {"pred_bits": 7},
    ],
)
def test_a_build_names_the_wrong_parameter(wrong: dict) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        Build(**wrong)
