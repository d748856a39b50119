# SPDX-License-Identifier: Apache-2.0
"""The host API on the golden model: what it returns, shares, refuses and leaves for later. 3 s."""

import numpy as np
import pasa
import pytest
from pasa.driver import IN_FLIGHT
from pasa.errors import ArgumentError, DataError, DeviceError

from tests.host.conftest import SCALES, SMALL, Watched, codes


@pytest.fixture
def device():
    """The golden model of the small build."""
    with pasa.open("reference", build=SMALL) as opened:
        yield opened


def expected(q, k, v, **options):
    """One head of the golden model, without driver, registers and packets."""
    return pasa.fixed.attention(q, k, v, build=SMALL, **{**SCALES, **options})


OPTIONS = {
    "dense": {},
    "threshold": dict(min_probability=0.02),
    "budget": dict(budget=9, tail=False),
    "int16": dict(output_bits=16, min_probability=0.01, pred_dims=32),
    "masks": dict(causal=True, query_offset=-3, window=20, sinks=2, min_probability=0.05),
    "padding": dict(key_length=61, softmax_scale=0.3, output_scale=0.004),
}


@pytest.mark.parametrize("shape", ((9, 40), (150, 100), (40, 300), (70, 260), (1, 1)))
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_one_head_equals_the_model(device, rng, shape, options):
    n_q, n_k = shape
    options = {**options, "key_length": min(options.get("key_length", n_k), n_k)}
    q, k, v = codes(rng, n_q, 24), codes(rng, n_k, 24), codes(rng, n_k, 24)
    out, want = (f(q, k, v, **SCALES, **options) for f in (device.attention, expected_all))
    assert out.output.dtype == (np.int16 if options.get("output_bits") == 16 else np.int8)
    assert np.array_equal(out.output, want.output)
    assert out.output_scale == want.output_scale and out.output_scale.shape == ()
    assert np.allclose(out.real, want.real)
    assert out.counters == {
        "rows": n_q,
        "empty_rows": want.empty.sum(),
        "saturations": want.saturations,
        "keys_visible": want.visible.sum(),
        "keys_kept": want.kept.sum(),
        "blocks_compensated": want.blocks.sum(),
        "dropped_mass": want.dropped_mass.sum(),
        "cycles": 0,
        "stall_in": 0,
        "stall_out": 0,
    }
    assert out.kept_fraction == pytest.approx(want.kept_fraction)
    assert ("empty_rows" in out.flags) == want.empty.any()
    assert ("saturated" in out.flags) == (want.saturations > 0)


def expected_all(q, k, v, **options):
    """The golden model with the options as given."""
    return pasa.fixed.attention(q, k, v, build=SMALL, **options)


def test_batch_heads_and_groups(device, rng):
    q, k, v = codes(rng, 2, 6, 11, 16), codes(rng, 2, 3, 20, 16), codes(rng, 2, 3, 20, 16)
    limits = rng.uniform(0.01, 0.1, (2, 6))
    out = device.attention(q, k, v, **SCALES, min_probability=limits)
    assert out.output.shape == q.shape and out.output_scale.shape == (2, 6)
    for b, h in np.ndindex(2, 6):
        want = expected(q[b, h], k[b, h // 2], v[b, h // 2], min_probability=limits[b, h])
        assert np.array_equal(out.output[b, h], want.output)
        assert out.head_counters["keys_kept"][b, h] == want.kept.sum()
    assert out.counters["rows"] == 2 * 6 * 11


def test_heads_of_a_group_send_their_keys_once(rng):
    watched = Watched()
    q, k = codes(rng, 4, 5, 16), codes(rng, 2, 30, 16)
    with pasa.open(watched) as device:
        device.attention(q, k, k, **SCALES)
    assert [stream for stream, _ in watched.sent] == ["query", "key", "value", "query"] * 2
    assert watched.closed


def test_more_keys_than_a_tile_go_again_for_each_head(rng):
    watched = Watched()
    q, k = codes(rng, 2, 5, 16), codes(rng, 1, 129, 16)
    with pasa.open(watched) as device:
        out = device.attention(q, k, k, **SCALES)
    assert [stream for stream, _ in watched.sent] == ["query", "key", "value"] * 4
    assert np.array_equal(out.output[1], expected(q[1], k[0], k[0]).output)


def test_rows_empty_in_every_tile_are_empty(device, rng):
    q, k = codes(rng, 6, 16), codes(rng, 300, 16)
    out = device.attention(q, k, k, **SCALES, causal=True, query_offset=-2)
    assert out.counters["empty_rows"] == 2 and out.flags >= {"empty_rows"}
    assert not out.output[:2].any()
    out = device.attention(q, k, k, **SCALES, causal=True, query_offset=125, window=3)
    assert out.counters["empty_rows"] == 0


def test_floats_are_quantised_head_by_head(device, rng):
    q, k, v = (rng.normal(0, size, (2, 7, 16)) for size in (1, 2, 3))
    out = device.attention(q, k, v, output_bits=16)
    for h in range(2):
        scales = [pasa.quantise.scale_of(x[h]) for x in (q, k, v)]
        parts = [pasa.quantise.quantise(x[h], s) for x, s in zip((q, k, v), scales, strict=True)]
        named = dict(zip(("scale_q", "scale_k", "scale_v"), scales, strict=True))
        want = expected(*parts, **named, output_bits=16)
        assert np.array_equal(out.output[h], want.output)
        assert out.output_scale[h] == want.output_scale
    softmax = np.exp(q @ k.swapaxes(1, 2) / 4)
    exact = softmax / softmax.sum(axis=2, keepdims=True) @ v
    assert np.abs(out.real - exact).max() < 0.2
    given = device.attention(q.astype(np.float32), k, v, scale_q=[0.01, 0.02], scale_v=0.03)
    assert given.output_scale.tolist() == [0.03, 0.03]


class Foreign:
    """Not an array, but one can be had of it."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


def test_anything_that_gives_an_array(device, rng):
    q, k = codes(rng, 4, 16), codes(rng, 9, 16)
    out = device.attention(Foreign(q), Foreign(k), Foreign(k), **SCALES)
    assert np.array_equal(out.output, expected(q, k, k).output)


Q, K = np.zeros((2, 3, 16), np.int8), np.zeros((2, 5, 16), np.int8)


@pytest.mark.parametrize(
    ("arrays", "options", "error", "says"),
    (
        ((Q, K, K), dict(scale_q=None), ArgumentError, "scale_q must be given with int8"),
        ((Q, K, K), dict(scale_k=-1.0), ArgumentError, "scale_k: -1.0 given"),
        ((Q, K, K), dict(lamda=1), ArgumentError, "lamda: no option, want scale_q,"),
        ((Q, K, K), dict(budget=0), ArgumentError, "budget = 0 must be an integer in 1.."),
        ((Q, K, K), dict(budget=[1, 2, 3]), ArgumentError, r"budget: shape \[3\].* = \[1, 2\]"),
        ((Q, K, K), dict(min_probability=2), ArgumentError, "min_probability = 2 must be in"),
        ((Q, K, K), dict(output_bits=7), ArgumentError, "output_bits = 7 must be 8 or 16"),
        ((Q, K, K), dict(key_length=6), ArgumentError, r"key_length = 6 .* 0\.\.5"),
        ((Q, K, K), dict(pred_dims=48), ArgumentError, r"pred_dims = 48 .* 16\.\.32"),
        ((Q, K, K[:, :4]), {}, DataError, r"v: shape \[1, 2, 4, 16\] given, k has"),
        ((Q, K[..., :8], K[..., :8]), {}, DataError, "k: d = 8 given, q has 16"),
        ((Q[:, :, :0], K, K), {}, DataError, "q: shape .* nothing empty"),
        ((Q[0, 0], K, K), {}, DataError, r"q: shape \[16\] given, want \[n, d\]"),
        ((Q[:1], K, K), {}, DataError, "k: 2 heads given, want a divisor of q's 1"),
        ((Q[None], np.stack([K, K]), np.stack([K, K])), {}, DataError, "k: batch of 2"),
        ((Q.astype(int), K, K), {}, DataError, "q: dtype int64 given"),
        (([[1], [1, 2]], K, K), {}, DataError, "q: no array"),
        ((Q.astype(float) * np.nan, K, K), {}, ArgumentError, "q: nan at"),
        ((np.zeros((1, 64), np.int8),) * 3, {}, ArgumentError, r"dims .* 64 .* 1\.\.32"),
    ),
)
def test_what_is_wrong_is_named(device, arrays, options, error, says):
    with pytest.raises(error, match=says):
        device.attention(*arrays, **{**SCALES, **options})
    assert device.attention(Q, K, K, **SCALES).output.shape == Q.shape


def test_submit_returns_at_once_and_results_come_in_any_order(rng):
    watched = Watched()
    heads = [(codes(rng, 3, 16), codes(rng, 20 + i, 16)) for i in range(IN_FLIGHT + 3)]
    with pasa.open(watched) as device:
        jobs = [device.submit(q, k, k, **SCALES) for q, k in heads]
        assert len(watched.sent) == IN_FLIGHT * 3, "what the accelerator holds, no more"
        assert jobs[1].done() or jobs[1].done()
        for number in (4, 0, 2, 6, 3, 1, 5):
            q, k = heads[number]
            assert np.array_equal(jobs[number].wait().output, expected(q, k, k).output)
        assert all(job.finished for job in jobs)
        assert np.array_equal(jobs[0].wait().output, jobs[0].wait().output)


def test_a_closed_device_says_so(rng):
    device = pasa.open("reference", build=SMALL)
    q = codes(rng, 3, 16)
    jobs = [device.submit(q, q, q, **SCALES) for _ in range(3)]
    device.close()
    for job in jobs:
        with pytest.raises(DeviceError, match="closed"):
            job.wait()
    with pytest.raises(DeviceError, match="closed"):
        device.submit(q, q, q, **SCALES)


def test_progress_is_drawn(device, rng, capsys, monkeypatch):
    q = codes(rng, 9, 3, 16)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")  # rich draws on what is no terminal
    device.attention(q, q, q, **SCALES, progress=True)
    assert "9/9" in capsys.readouterr().err
    device.attention(q, q, q, **SCALES)
    assert capsys.readouterr().err == "", "no bar where nobody watches"


def test_open_names_what_it_knows():
    with pytest.raises(ArgumentError, match="kind: 'fpga' given, want one of reference, sim"):
        pasa.open("fpga")
    with pytest.raises(ArgumentError, match="seed: no option of reference, want build, timeout"):
        pasa.open("reference", seed=3)
    with pytest.raises(ArgumentError, match="stream_bits = 48"):
        pasa.open("sim", build=SMALL, stream_bits=48)


def test_device_and_result_show_what_they_are(device):
    out = device.attention(Q, K, K, **SCALES, key_length=0)
    assert repr(out) == (
        "<Attention int8[2, 3, 16], 0.0% of the keys kept, 0 cycles, flags empty_rows>"
    )
    assert device.build == SMALL and device.identity.stream_bits == 128
    assert "reference" in repr(device) and "tile_keys=128" in repr(device)
