# SPDX-License-Identifier: Apache-2.0
"""What the environment itself computes, checked without a simulator."""

import random
from dataclasses import replace

import numpy as np
import pytest
from pasa.command import unpack_command
from pasa.formats import Build
from pasa.patterns import make_head

from verif.common.streams import unpack
from verif.uvm import sequences
from verif.uvm.items import INPUTS, beats_of_output, beats_of_rows, rows_of_beats
from verif.uvm.stimulus import PATTERNS, Stimulus
from verif.uvm.test_uvm_core import BUILDS


@pytest.fixture
def draw(request):
    random.seed(1)
    return Stimulus(Build(**BUILDS["small"]))


@pytest.mark.parametrize("dims", [1, 15, 16, 17, 32])
def test_rows_survive_their_beats_and_noise_fills_the_rest(dims):
    rows = make_head("uniform", np.random.default_rng(1), 5, 5, dims)[0]
    beats = beats_of_rows(rows)
    assert len(beats) == 5 * -(-dims // 16)
    assert np.array_equal(rows_of_beats(beats, 5, dims), rows)
    assert beats_of_rows(rows) != beats or dims % 16 == 0


@pytest.mark.parametrize("bits", [8, 16])
def test_output_beats_hold_the_codes_and_zeros(bits):
    output = np.array([[-1, 2, -128]])
    first, *rest = beats_of_output(output, bits=bits)
    codes = unpack(first, width=bits, count=128 // bits)
    assert codes[:3] == [-1, 2, -128] and not any(codes[3:])
    assert rest == [0] * (bits // 8 - 1)


@pytest.mark.parametrize("name", BUILDS)
def test_every_legal_head_is_legal_and_every_illegal_one_is_not(name):
    random.seed(2)
    draw = Stimulus(Build(**BUILDS[name]))
    for _ in range(100):
        head = draw.head(queries=random.randint(1, 3))
        assert not head.command.causes(draw.build)
        assert unpack_command(head.command.pack()) == head.command
    for cause in ("shape", "mask", "select", "scale"):
        for _ in range(20):
            assert cause in draw.illegal(cause).command.causes(draw.build)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_codes_have_the_shape_asked_for(draw, pattern):
    q, k, v = draw.codes(pattern, 3, 70, 31)
    assert q.shape == (3, 31) and k.shape == v.shape == (70, 31)
    assert q.dtype == k.dtype == v.dtype == np.int8


def test_spoiled_packets_differ_in_length(draw):
    for stream in INPUTS:
        for length, sign in (("short", -1), ("long", 1)):
            head = draw.spoiled_packet(stream, length)
            right = len(replace(head, faults={}).beats(stream))
            assert sign * (len(head.beats(stream)) - right) > 0


def test_errors_are_followed_by_good_commands(draw):
    heads = sequences.errors(draw)
    refused = [bool(h.command.causes(draw.build)) or any(h.faults.values()) for h in heads]
    assert any(bad and not after for bad, after in zip(refused, refused[1:], strict=False))
