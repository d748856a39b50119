# SPDX-License-Identifier: Apache-2.0
"""Arrays of any leading shape as a list of heads, each with its command, codes and scale."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from pasa.command import Command, default_output_scale, make_command
from pasa.errors import ArgumentError, DataError
from pasa.formats import Build
from pasa.quantise import check_scale, quantise, scale_of

if TYPE_CHECKING:
    from typing import Unpack  # not in the Python 3.10 of PYNQ's images

LEAST_DIMS, MOST_DIMS = 2, 4  # of an array: [n, d] to [batch, heads, n, d]


class Options(TypedDict, total=False):
    """Keywords of ``Device.attention``, where they are explained."""

    scale_q: object
    scale_k: object
    scale_v: object
    output_scale: object
    output_bits: int
    softmax_scale: object
    causal: object
    query_offset: object
    key_length: object
    window: object
    sinks: object
    min_probability: object
    budget: object
    tail: object
    pred_dims: object


@dataclass(frozen=True)
class Head:
    """One head to run.

    Attributes:
        place: batch and head number of its queries.
        command: of the whole head, any length.
        q, k, v: int8 codes [n_q, d], [n_k, d], [n_k, d].
        output_scale: real value of one output code.
        same_keys: keys and values are those of the head before it in the list.
    """

    place: tuple[int, int]
    command: Command
    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    output_scale: float
    same_keys: bool


def split_heads(
    q: object, k: object, v: object, *, build: Build, **options: Unpack[Options]
) -> tuple[list[Head], tuple[int, ...]]:
    """The heads of a call of ``Device.attention``, whose arguments these are.

    Returns:
        heads, those that share keys one after the other; and the leading shape of q.

    Raises:
        ArgumentError, DataError: name the argument and its limit.
    """
    for name in options:
        if name not in Options.__annotations__:
            raise ArgumentError(f"{name}: no option, want {', '.join(Options.__annotations__)}")
    arrays = [_as_array(name, x) for name, x in (("q", q), ("k", k), ("v", v))]
    leading = arrays[0].shape[:-2]
    q, k, v = (x.reshape((1,) * (MOST_DIMS - x.ndim) + x.shape) for x in arrays)
    _check_shapes(q, k, v)
    tensors = {
        name: _codes(name, x, options.pop(f"scale_{name}", None))
        for name, x in (("q", q), ("k", k), ("v", v))
    }
    bits = options.pop("output_bits", 8)
    per_head = {n: _per_head(n, value, q.shape[:2]) for n, value in options.items()}
    heads = []
    for place in np.ndindex(q.shape[:2]):
        chosen = {name: values[place] for name, values in per_head.items()}
        heads.append(_head(place, tensors, q.shape[1] // k.shape[1], chosen, bits, build))
    return heads, leading


def _head(
    place: tuple[int, int],
    tensors: dict[str, tuple[np.ndarray, np.ndarray]],
    group: int,
    options: dict[str, object],
    bits: int,
    build: Build,
) -> Head:
    """One head of ``tensors`` (codes and scales); ``group`` heads of q share one of k."""
    of_keys = place[0], place[1] // group
    places = {"q": place, "k": of_keys, "v": of_keys}
    codes = {name: tensors[name][0][at] for name, at in places.items()}
    scales = {f"scale_{name}": tensors[name][1][at] for name, at in places.items()}
    step = options.pop("output_scale", None)
    if step is None and bits in (8, 16):
        step = default_output_scale(scales["scale_v"], bits)
    command = make_command(
        *(len(codes["q"]), *codes["k"].shape),
        **scales,
        output_scale=step,
        output_bits=bits,
        any_length=True,
        build=build,
        **options,
    )
    return Head(place, command, **codes, output_scale=float(step), same_keys=place[1] % group > 0)


def _as_array(name: str, x: object) -> np.ndarray:
    """The argument as an array of int8 or real numbers, of a shape that can hold heads."""
    try:
        array = np.asarray(x)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name}: no array: {error}") from None
    if not LEAST_DIMS <= array.ndim <= MOST_DIMS or 0 in array.shape:
        raise DataError(
            f"{name}: shape {list(array.shape)} given, want [n, d], [heads, n, d] or "
            "[batch, heads, n, d], nothing empty"
        )
    if array.dtype != np.int8 and array.dtype.kind != "f":
        raise DataError(f"{name}: dtype {array.dtype} given, want int8 codes or floats")
    return array


def _check_shapes(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> None:
    """Shapes [batch, heads, n, d] that fit each other, else DataError."""
    if k.shape != v.shape:
        raise DataError(f"v: shape {list(v.shape)} given, k has {list(k.shape)}")
    if q.shape[3] != k.shape[3]:
        raise DataError(f"k: d = {k.shape[3]} given, q has {q.shape[3]}")
    if q.shape[0] != k.shape[0]:
        raise DataError(f"k: batch of {k.shape[0]} given, q has {q.shape[0]}")
    if q.shape[1] % k.shape[1]:
        raise DataError(f"k: {k.shape[1]} heads given, want a divisor of q's {q.shape[1]}")


def _codes(name: str, x: np.ndarray, scale: object) -> tuple[np.ndarray, np.ndarray]:
    """int8 codes [batch, heads, n, d] and their scales [batch, heads]."""
    shape = x.shape[:2]
    scales = _per_head(f"scale_{name}", scale, shape)
    given = scale is not None
    if x.dtype == np.int8:
        if not given:
            raise ArgumentError(f"scale_{name} must be given with int8 codes")
        for place in np.ndindex(shape):
            scales[place] = check_scale(scales[place], name=f"scale_{name}")
        return x, scales
    codes = np.empty(x.shape, dtype=np.int8)
    for place in np.ndindex(shape):
        scales[place] = scales[place] if given else scale_of(x[place], name=name)
        scales[place] = check_scale(scales[place], name=f"scale_{name}")
        codes[place] = quantise(x[place], scales[place], name=name)
    return codes, scales


def _per_head(name: str, value: object, shape: tuple[int, int]) -> np.ndarray:
    """The argument for each head, object [batch, heads]; one value serves all."""
    values = np.empty(shape, dtype=object)
    if value is None or np.ndim(value) == 0:
        values[...] = value if value is None or not hasattr(value, "item") else value.item()
        return values
    try:
        spread = np.broadcast_to(np.asarray(value), shape)
    except ValueError:
        raise ArgumentError(
            f"{name}: shape {list(np.shape(value))} given, want one value or an array that "
            f"broadcasts to [batch, heads] = {list(shape)}"
        ) from None
    for place in np.ndindex(shape):
        values[place] = spread[place].item()
    return values
