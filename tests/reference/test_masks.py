# SPDX-License-Identifier: Apache-2.0
"""Masks against the sentences that define them, and on the cases people meet."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pasa.masks import visible_keys

from tests.reference import literal
from tests.reference.heads import Case, cases


def rows(text: str) -> list[list[bool]]:
    """A picture of a mask: one word a query, 1 for a visible key."""
    return [[letter == "1" for letter in word] for word in text.split()]


def mask(queries: int, keys: int, **options) -> list[list[bool]]:
    return visible_keys(np.arange(queries), keys, **{"key_length": keys} | options).tolist()


def test_no_mask() -> None:
    assert mask(2, 3) == rows("111 111")


def test_key_length() -> None:
    assert mask(2, 4, key_length=3) == rows("1110 1110")
    assert mask(1, 4, key_length=0) == rows("0000")


def test_causal() -> None:
    assert mask(3, 4, causal=True) == rows("1000 1100 1110")
    assert mask(2, 4, causal=True, query_offset=2) == rows("1110 1111")
    assert mask(3, 4, causal=True, query_offset=-2) == rows("0000 0000 1000")
    assert mask(2, 4, causal=True, query_offset=9) == rows("1111 1111")


def test_window_without_causal_looks_both_ways() -> None:
    assert mask(4, 5, window=2) == rows("11000 11100 01110 00111")
    assert mask(1, 5, window=1, query_offset=3) == rows("00010")


def test_causal_window() -> None:
    assert mask(4, 5, window=2, causal=True) == rows("10000 11000 01100 00110")


def test_sinks_are_exempt_from_the_rear_of_the_window_only() -> None:
    assert mask(5, 5, window=1, sinks=2, causal=True) == rows("10000 11000 11100 11010 11001")
    assert mask(3, 5, window=1, sinks=2) == rows("10000 11000 11100")
    assert mask(1, 5, window=1, sinks=9, query_offset=3) == rows("11110")
    assert mask(1, 5, window=1, sinks=3, query_offset=4, key_length=2) == rows("11000")


def test_sinks_without_a_window_change_nothing() -> None:
    assert mask(2, 4, sinks=3, causal=True) == mask(2, 4, causal=True)


def test_a_window_beyond_the_keys_shows_only_sinks() -> None:
    assert mask(1, 4, window=2, query_offset=50) == rows("0000")
    assert mask(1, 4, window=2, query_offset=50, sinks=1) == rows("1000")


@given(case=cases(masked=True), start=st.integers(0, 3000))
def test_every_key_of_every_query(case: Case, start: int) -> None:
    command = case.command()
    queries = np.array([start, start + 1])
    seen = visible_keys(
        queries,
        command.key_count,
        key_length=command.key_length,
        causal=bool(command.causal),
        query_offset=command.query_offset - start,
        window=command.window,
        sinks=command.sinks,
    )
    keys = range(command.key_count)
    for query in (0, 1):
        assert seen[query].tolist() == [literal.sees(command, query, key) for key in keys]
