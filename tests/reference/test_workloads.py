# SPDX-License-Identifier: Apache-2.0
"""Reading of heads: the shipped ones, good files, and every way to be wrong."""

import dataclasses

import numpy as np
import pytest
from pasa.errors import ArgumentError, DataError
from pasa.workloads import (
    BASES,
    DEFAULT_SCALE,
    Case,
    load_case,
    save_case,
    shipped_cases,
    shipped_paths,
)


def floats(n_q=3, n_k=5, d=4):
    rng = np.random.default_rng(1)
    return {
        "q": rng.standard_normal((n_q, d)),
        "k": rng.standard_normal((n_k, d)),
        "v": rng.standard_normal((n_k, d)),
    }


def write(folder, **arrays):
    path = folder / "mine.npz"
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize("basis", BASES)
def test_shipped_heads(basis):
    cases = list(shipped_cases(basis=basis))
    kinds = [case.kind for case in cases]
    assert kinds.count("whisper-encoder") >= 4
    assert kinds.count("whisper-decoder") >= 1
    assert kinds.count("whisper-cross") >= 2
    assert kinds.count("minilm") >= 3
    for case in cases:
        assert case.basis == basis and case.provenance
        assert case.causal == (case.kind == "whisper-decoder")
        assert case.q.dtype == case.k.dtype == case.v.dtype == np.int8
        assert case.v.shape == case.k.shape
        n_q, n_k, d = case.shape
        assert d == (32 if case.kind == "minilm" else 64)
        if case.kind == "whisper-encoder":
            assert n_q == n_k == 1500
        for codes in (case.q, case.k, case.v):
            assert np.abs(codes.astype(int)).max() == 127


def test_shipped_files_stay_small():
    assert sum(path.stat().st_size for path in shipped_paths()) <= 8e6


def test_floats_are_quantised(tmp_path):
    arrays = floats()
    case = load_case(write(tmp_path, **arrays))
    assert case.name == "mine" and case.kind == "user" and not case.causal
    for name, x in arrays.items():
        scale = getattr(case, f"scale_{name}")
        assert np.abs(getattr(case, name) * scale - x).max() <= scale / 2 * (1 + 1e-9)


def test_codes_and_scales_are_taken_as_they_are(tmp_path):
    q, k, v = (np.full(shape, -128, np.int8) for shape in ((1, 2), (3, 2), (3, 2)))
    case = load_case(write(tmp_path, q=q, k=k, v=v, scale_q=0.5, causal=True, query_offset=2))
    assert (case.q == -128).all()
    assert (case.scale_q, case.scale_k) == (0.5, DEFAULT_SCALE)
    assert case.causal is True and case.query_offset == 2


def test_saved_cases_come_back(tmp_path):
    one = load_case(write(tmp_path, **floats(), causal=True, query_offset=2))
    other = dataclasses.replace(one, q=-one.q, k=-one.k, scale_q=0.25, basis="fitted")
    save_case(tmp_path / "both.npz", one, fitted=other)
    for want, basis in ((one, "plain"), (other, "fitted")):
        have = load_case(tmp_path / "both.npz", basis=basis)
        for field in dataclasses.fields(Case):
            assert np.array_equal(getattr(have, field.name), getattr(want, field.name)), field


def test_a_fitted_case_must_share_v(tmp_path):
    one = load_case(write(tmp_path, **floats()))
    with pytest.raises(ArgumentError, match="fitted: its v differs"):
        save_case(tmp_path / "x.npz", one, fitted=dataclasses.replace(one, scale_v=9.0))


def nan_at(x):
    x = x.copy()
    x[1, 2] = np.nan
    return x


WRONG = {
    "missing array": (lambda a: a.pop("v"), "v: array missing; the file has q, k"),
    "one axis": (lambda a: a.update(q=a["q"][0]), r"q: shape \(4,\) given, want \[n, d\]"),
    "three axes": (lambda a: a.update(k=a["k"][None]), r"k: shape \(1, 5, 4\) given"),
    "no rows": (lambda a: a.update(q=a["q"][:0]), r"q: shape \(0, 4\) given"),
    "nan": (lambda a: a.update(k=nan_at(a["k"])), r"k: nan at \[1, 2\]"),
    "infinity": (lambda a: a.update(v=a["v"] / 0.0), "v: -?inf at"),
    "int16": (lambda a: a.update(q=a["q"].astype(np.int16)), "q: dtype int16 given, want int8"),
    "text": (lambda a: a.update(q=a["q"].astype(str)), "q: dtype <U.* given, want int8"),
    "other d": (lambda a: a.update(q=a["q"][:, :3]), "k: d = 4 given, q has 3"),
    "fewer values": (lambda a: a.update(v=a["v"][:4]), r"v: shape \(4, 4\) given, k has \(5, 4\)"),
    "wide": (lambda a: a.update(floats(d=65)), r"q: d = 65 given, at most 64 \(HEAD_DIM\)"),
    "long": (
        lambda a: a.update(floats(n_k=2049)),
        r"k: n = 2049 given, at most 2048 \(TILE_KEYS\)",
    ),
    "many queries": (lambda a: a.update(floats(n_q=2049)), "q: n = 2049 given, at most 2048"),
    "zero scale": (lambda a: a.update(scale_q=0.0), "scale_q: 0.0 given, want .* above 0"),
    "vector scale": (lambda a: a.update(scale_k=np.ones(4)), r"scale_k: float64 \(4,\) given"),
    "text scale": (lambda a: a.update(scale_k="1"), r"scale_k: <U1 \(\) given"),
    "causal 2": (lambda a: a.update(causal=2), "causal: int64 2 given, want an integer 0 to 1"),
    "half offset": (lambda a: a.update(query_offset=0.5), "query_offset: float64 0.5 given"),
    "far offset": (lambda a: a.update(query_offset=4096), "query_offset: .* -2048 to 2048"),
    "number for a name": (lambda a: a.update(name=7), "name: int64 .* want one text"),
    "pickled": (lambda a: a.update(q=np.array([[{}]])), "not a readable .npz of plain arrays"),
}


@pytest.mark.filterwarnings("ignore:divide by zero")
@pytest.mark.parametrize("change", WRONG)
def test_a_wrong_array_gives_one_clear_line(tmp_path, change):
    spoil, message = WRONG[change]
    arrays = floats()
    spoil(arrays)
    path = write(tmp_path, **arrays)
    with pytest.raises(DataError, match=message) as caught:
        load_case(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_limits_follow_the_build(tmp_path):
    path = write(tmp_path, **floats(d=33))
    with pytest.raises(DataError, match="q: d = 33 given, at most 32"):
        load_case(path, head_dim=32)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"", "not a readable .npz"),
        (b"hello", "not a readable .npz"),
        (b"PK\x03\x04 cut short", "not a readable .npz"),
    ],
)
def test_a_wrong_file_gives_one_clear_line(tmp_path, content, message):
    path = tmp_path / "x.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_case(path)


def test_a_damaged_file_gives_one_clear_line(tmp_path):
    path = write(tmp_path, **floats())
    blob = bytearray(path.read_bytes())
    blob[150] ^= 0xFF  # inside the first array
    path.write_bytes(blob)
    with pytest.raises(DataError, match="not a readable .npz"):
        load_case(path)


def test_a_single_array_and_a_folder_are_no_npz(tmp_path):
    np.save(tmp_path / "x.npy", np.ones((2, 2)))
    with pytest.raises(DataError, match="a single array, want an .npz"):
        load_case(tmp_path / "x.npy")
    with pytest.raises(DataError, match="no such file"):
        load_case(tmp_path)


def test_fitted_basis_needs_its_arrays(tmp_path):
    path = write(tmp_path, **floats())
    with pytest.raises(DataError, match="q_fitted: array missing"):
        load_case(path, basis="fitted")
    with pytest.raises(ArgumentError, match="basis: 'other' given, want one of plain, fitted"):
        load_case(path, basis="other")
