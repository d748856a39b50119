# SPDX-License-Identifier: Apache-2.0
"""The parts of the stream agents that need no simulator."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verif.common.streams import GAPS, gap_runs, pack, packet, unpack


@given(st.lists(st.integers(-128, 127), max_size=70))
def test_unpack_inverts_pack(values):
    word = pack(values, width=8)
    assert unpack(word, width=8, count=len(values)) == values
    assert word < 1 << (8 * len(values)) or not values


def test_unsigned_fields_stay_unsigned():
    assert unpack(pack([255, 1], width=8), width=8, count=2, signed=False) == [255, 1]


def test_last_marks_the_final_beat_only():
    assert packet([4, 5, 6]) == [(4, 0), (5, 0), (6, 1)]
    assert packet([]) == []


@pytest.mark.parametrize("style", GAPS)
def test_gap_runs_always_send_something(style):
    random.seed(1)
    runs = list(itertools.islice(gap_runs(style), 200))
    assert all(on > 0 and off >= 0 for on, off in runs)
    assert (style == "none") == all(off == 0 for _, off in runs)
