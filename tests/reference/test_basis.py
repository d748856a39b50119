# SPDX-License-Identifier: Apache-2.0
"""The change of basis leaves softmax alone and gathers the scores in front."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pasa.basis import KINDS, choose_basis, fit_basis, prediction_error
from pasa.errors import ArgumentError
from pasa.workloads import DATA, load_case


def softmax(scores):
    e = np.exp(scores - scores.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def weights(q, k):
    return softmax(q @ k.T / np.sqrt(q.shape[1]))


def samples(seed, *, n=60, m=80, d=16, rank=None):
    """Queries and keys with unequal, correlated directions and keys off the origin."""
    rng = np.random.default_rng(seed)
    rank = d if rank is None else rank
    spread = np.geomspace(3, 0.1, rank)
    q, k = (
        rng.standard_normal((count, rank)) * spread @ rng.standard_normal((rank, d)) / 4
        for count in (n, m)
    )
    return q, k + rng.standard_normal(d)


@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 2**32 - 1), rank=st.integers(1, 16), n=st.integers(1, 40))
@settings(deadline=None)
def test_softmax_of_unseen_inputs_is_unchanged(kind, seed, rank, n):
    basis = fit_basis(*samples(seed, n=n, rank=rank), kind=kind)
    q, k = samples(seed ^ 1)
    turned = basis.apply(q, k)
    assert np.abs(weights(*turned) - weights(q, k)).max() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_degenerate_samples_still_give_a_basis(kind, value):
    flat = np.full((5, 8), value)
    basis = fit_basis(flat, flat, kind=kind)
    q, k = samples(3, d=8)
    assert np.abs(weights(*basis.apply(q, k)) - weights(q, k)).max() < 1e-9


@pytest.mark.parametrize("kind", KINDS)
def test_folded_projections_equal_apply(kind):
    rng = np.random.default_rng(4)
    x = rng.standard_normal((30, 24))
    w_q, w_k = rng.standard_normal((2, 16, 24))
    b_q, b_k = rng.standard_normal((2, 16))
    q, k = x @ w_q.T + b_q, x @ w_k.T + b_k
    basis = fit_basis(q, k, kind=kind)
    fw_q, fb_q, fw_k, fb_k = basis.fold(w_q, b_q, w_k, b_k)
    want_q, want_k = basis.apply(q, k)
    np.testing.assert_allclose(x @ fw_q.T + fb_q, want_q, atol=1e-9)
    np.testing.assert_allclose(x @ fw_k.T + fb_k, want_k, atol=1e-9)


def test_balanced_puts_equal_and_falling_power_in_q_and_k():
    q, k = samples(5, n=4000, m=4000)
    q, k = fit_basis(q, k, kind="balanced").apply(q, k)
    q_power, k_power = (q * q).mean(0), (k * k).mean(0)
    strong = q_power > 0.1 * q_power[0]  # the floor touches the weak ones
    np.testing.assert_allclose(q_power[strong], k_power[strong], rtol=0.05)
    assert (np.diff(q_power[strong]) < 0).all()


def test_rotation_is_orthogonal_and_ordered():
    q, k = samples(6)
    basis = fit_basis(q, k, kind="rotation")
    np.testing.assert_allclose(basis.query_matrix @ basis.query_matrix.T, np.eye(16), atol=1e-12)
    assert basis.query_matrix is basis.key_matrix
    q, k = basis.apply(q, k)
    power = (q * q).sum(0) / (q * q).sum() + (k * k).sum(0) / (k * k).sum()
    assert (np.diff(power) <= 1e-12).all()


@pytest.mark.parametrize("kind", KINDS)
def test_sixteen_dimensions_predict_better_in_the_basis(kind):
    rng = np.random.default_rng(7)
    hidden = rng.standard_normal((64, 64))  # hides 8 strong directions among 64
    strength = np.r_[np.full(8, 3.0), np.full(56, 0.2)]
    q, k = (rng.standard_normal((300, 64)) * strength @ np.linalg.qr(hidden)[0] for _ in "qk")
    basis = fit_basis(q[:150], k[:150], kind=kind)
    fresh = q[150:], k[150:]
    assert prediction_error(*basis.apply(*fresh)) < 0.3 * prediction_error(*fresh)


def test_choice_follows_the_predictor_on_samples_left_out():
    pairs = [samples(seed, n=6, m=200, d=32) for seed in range(4)]

    def left_out(kind):
        total = 0.0
        for i, pair in enumerate(pairs):
            others = [np.concatenate(x) for x in zip(*(pairs[:i] + pairs[i + 1 :]), strict=True)]
            total += prediction_error(*fit_basis(*others, kind=kind).apply(*pair))
        return total

    assert choose_basis(pairs).kind == min(KINDS, key=left_out)


def test_one_pair_is_enough_to_choose():
    q, k = samples(8)
    basis = choose_basis([(q, k)])
    errors = {kind: prediction_error(*fit_basis(q, k, kind=kind).apply(q, k)) for kind in KINDS}
    assert basis.kind == min(errors, key=errors.get)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.npz")), ids=lambda path: path.stem)
def test_shipped_bases_differ_from_plain_by_quantisation_only(path):
    plain, fitted = (load_case(path, basis=basis) for basis in ("plain", "fitted"))
    scores = [(c.q[::7] * c.scale_q) @ (c.k * c.scale_k).T for c in (plain, fitted)]
    difference = scores[0] - scores[1]
    difference -= difference.mean(1, keepdims=True)
    spread = scores[0] - scores[0].mean(1, keepdims=True)
    assert np.linalg.norm(difference) < 0.1 * np.linalg.norm(spread)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda q, k: fit_basis(q, k[:, :3]), "k: 3 dimensions given, q has 16"),
        (lambda q, k: fit_basis(q, k, kind="pca"), "kind: 'pca' given, want one of balanced, rot"),
        (lambda q, k: fit_basis(q * np.nan, k), "q: nan at"),
        (lambda q, k: choose_basis([]), "samples: none given"),
        (
            lambda q, k: fit_basis(q, k).apply(q[:, :3], k),
            "q: 3 dimensions given, the basis has 16",
        ),
    ],
)
def test_wrong_arguments_are_named(change, message):
    with pytest.raises(ArgumentError, match=message):
        change(*samples(9))
