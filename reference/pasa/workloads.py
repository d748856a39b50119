# SPDX-License-Identifier: Apache-2.0
"""Heads to run: the traces that ship with PASA, and a user's own .npz.

A file holds `q` [n_q, d], `k` and `v` [n_k, d], each int8 codes or floats, and optionally
scalars `scale_q`, `scale_k`, `scale_v` (value = code * scale), `causal`, `query_offset` and the
texts `name`, `kind`, `provenance`. `q_fitted`, `k_fitted` and their scales hold the same head
in the fitted basis, with the same `v`.
"""

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import ArgumentError, DataError
from .quantise import check_matrix, check_scale, quantise, scale_of

DATA = Path(__file__).resolve().parents[1] / "data"
BASES = ("plain", "fitted")
# Codes without a scale are read as multiples of this: the full range is then about +-4.
DEFAULT_SCALE = 1 / 32


@dataclass(frozen=True)
class Case:
    """One head, quantised. Query i is at position `query_offset` + i of the key axis."""

    name: str
    q: np.ndarray  # int8 [n_q, d]
    k: np.ndarray  # int8 [n_k, d]
    v: np.ndarray  # int8 [n_k, d]
    scale_q: float  # value = code * scale
    scale_k: float
    scale_v: float
    causal: bool = False  # query i sees keys 0 .. query_offset + i
    query_offset: int = 0
    basis: str = "plain"  # "plain" | "fitted"
    kind: str = "user"  # "whisper-encoder" | "whisper-decoder" | ... | "user"
    provenance: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_q, n_k, d)."""
        return len(self.q), *self.k.shape

    @property
    def options(self) -> dict[str, float | bool | int]:
        """Keywords of ``attention`` that belong to the head: scales and mask."""
        names = ("scale_q", "scale_k", "scale_v", "causal", "query_offset")
        return {name: getattr(self, name) for name in names}


def load_case(
    path: str | Path, *, basis: str = "plain", head_dim: int = 64, tile_keys: int = 2048
) -> Case:
    """Read a head from an .npz, quantising float arrays.

    Raises DataError, one line that names the file, the array and the limit, when the file is
    missing or no .npz, or an array is missing or of the wrong type, shape or size
    (d at most `head_dim`, n_q and n_k at most `tile_keys`), or holds NaN or infinity.
    """
    path = Path(path)
    if basis not in BASES:
        raise ArgumentError(f"basis: {basis!r} given, want one of {', '.join(BASES)}")
    arrays = _read(path)
    suffix = "" if basis == "plain" else "_fitted"
    try:
        (q, scale_q), (k, scale_k) = (_codes(arrays, f"{part}{suffix}") for part in "qk")
        v, scale_v = _codes(arrays, "v")
        _check_shapes(q, k, v, suffix=suffix, head_dim=head_dim, tile_keys=tile_keys)
        return Case(
            name=_text(arrays, "name", path.stem),
            q=q,
            k=k,
            v=v,
            scale_q=scale_q,
            scale_k=scale_k,
            scale_v=scale_v,
            basis=basis,
            causal=bool(_integer(arrays, "causal", low=0, high=1)),
            query_offset=_integer(arrays, "query_offset", low=-tile_keys, high=tile_keys),
            kind=_text(arrays, "kind", "user"),
            provenance=_text(arrays, "provenance", ""),
        )
    except ArgumentError as error:
        raise DataError(f"{path}: {error}") from None


def save_case(path: str | Path, case: Case, *, fitted: Case | None = None) -> None:
    """Write `case`, and the same head in the fitted basis when given, so load_case reads both."""
    arrays = {
        "q": case.q,
        "k": case.k,
        "v": case.v,
        "scale_q": case.scale_q,
        "scale_k": case.scale_k,
        "scale_v": case.scale_v,
        "causal": case.causal,
        "query_offset": case.query_offset,
        "name": case.name,
        "kind": case.kind,
        "provenance": case.provenance,
    }
    if fitted is not None:
        if not np.array_equal(fitted.v, case.v) or fitted.scale_v != case.scale_v:
            raise ArgumentError("fitted: its v differs from the case's; a basis leaves V alone")
        arrays |= {
            "q_fitted": fitted.q,
            "k_fitted": fitted.k,
            "scale_q_fitted": fitted.scale_q,
            "scale_k_fitted": fitted.scale_k,
        }
    np.savez_compressed(path, **arrays)


def shipped_paths() -> list[Path]:
    """Files of the heads that ship with PASA, by name."""
    return sorted(DATA.glob("*.npz"))


def shipped_case(name: str, *, basis: str = "fitted") -> Case:
    """The shipped head of that name. ArgumentError, which lists them, when there is none."""
    paths = {path.stem: path for path in shipped_paths()}
    if name not in paths:
        raise ArgumentError(f"name: {name!r} given, want one of {', '.join(paths)}")
    return load_case(paths[name], basis=basis)


def shipped_cases(*, basis: str = "fitted") -> Iterator[Case]:
    """The heads that ship with PASA, by name, in one basis ("plain" or "fitted")."""
    return (load_case(path, basis=basis) for path in shipped_paths())


def _read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an .npz."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    try:
        file = np.load(path, allow_pickle=False)
        arrays = dict(file) if isinstance(file, np.lib.npyio.NpzFile) else None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise DataError(f"{path}: not a readable .npz of plain arrays") from None
    if arrays is None:
        raise DataError(f"{path}: a single array, want an .npz with arrays q, k and v")
    file.close()
    return arrays


def _codes(arrays: Mapping[str, np.ndarray], name: str) -> tuple[np.ndarray, float]:
    """int8 codes and scale of array `name`; floats are quantised."""
    if name not in arrays:
        raise DataError(f"{name}: array missing; the file has {', '.join(arrays) or 'none'}")
    array = arrays[name]
    if array.dtype != np.int8 and array.dtype.kind != "f":
        raise DataError(f"{name}: dtype {array.dtype} given, want int8 or a float type")
    values = check_matrix(array, name=name)
    given = arrays.get(f"scale_{name}")
    if given is not None and (given.shape != () or given.dtype.kind not in "fiu"):
        raise DataError(f"scale_{name}: {given.dtype} {given.shape} given, want one number")
    if array.dtype == np.int8:
        return array, check_scale(DEFAULT_SCALE if given is None else given, name=f"scale_{name}")
    scale = scale_of(values) if given is None else check_scale(given, name=f"scale_{name}")
    return quantise(values, scale), scale


def _check_shapes(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, *, suffix: str, head_dim: int, tile_keys: int
) -> None:
    for name, array in ((f"q{suffix}", q), (f"k{suffix}", k), ("v", v)):
        if array.shape[1] > head_dim:
            raise DataError(f"{name}: d = {array.shape[1]} given, at most {head_dim} (HEAD_DIM)")
        if len(array) > tile_keys:
            raise DataError(f"{name}: n = {len(array)} given, at most {tile_keys} (TILE_KEYS)")
    if q.shape[1] != k.shape[1]:
        raise DataError(f"k{suffix}: d = {k.shape[1]} given, q{suffix} has {q.shape[1]}")
    if v.shape != k.shape:
        raise DataError(f"v: shape {v.shape} given, k{suffix} has {k.shape}")


def _integer(arrays: Mapping[str, np.ndarray], name: str, *, low: int, high: int) -> int:
    """Optional whole number of the file, 0 when absent."""
    value = arrays.get(name, np.array(0))
    if value.shape != () or value.dtype.kind not in "biu" or not low <= int(value) <= high:
        raise DataError(f"{name}: {value.dtype} {value} given, want an integer {low} to {high}")
    return int(value)


def _text(arrays: Mapping[str, np.ndarray], name: str, default: str) -> str:
    value = arrays.get(name, np.array(default))
    if value.shape != () or value.dtype.kind != "U":
        raise DataError(f"{name}: {value.dtype} of shape {value.shape} given, want one text")
    return str(value)
