# SPDX-License-Identifier: Apache-2.0
"""The command record: what options become, packing, causes of refusal, and errors by name."""

import math
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pasa import ArgumentError, Build, Command, fixed, formats, make_command
from pasa.command import cause_names, multiplier_and_shift, unpack_command, unpack_status

from tests.reference.heads import Case, cases, make_case

SCALES = {"scale_q": 0.03, "scale_k": 0.03, "scale_v": 0.02, "output_scale": 0.01}
BUILD = Build()


def command(n_q=3, n_k=5, d=8, **options) -> Command:
    return make_command(n_q, n_k, d, **SCALES | options)


# --- options --------------------------------------------------------------------------------
def test_defaults_are_dense_int8_without_masks() -> None:
    made = command()
    assert (made.query_count, made.key_count, made.dims, made.key_length) == (3, 5, 8, 5)
    assert not made.sparse and made.output_bits == 8
    zero = "tag window sinks budget query_offset min_probability causal output_int16".split()
    assert all(getattr(made, name) == 0 for name in zero)
    assert made.predicted_slices == 1 and made.use_tail == 1


def test_options_become_fields() -> None:
    made = command(
        n_k=300,
        output_bits=16,
        min_probability=2.0**-9,
        budget=7,
        tail=False,
        pred_dims=48,
        key_length=200,
        causal=True,
        query_offset=-3,
        window=20,
        sinks=4,
        tag=65535,
    )
    wanted = {
        "output_int16": 1,
        "min_probability": 9 * 256,
        "use_threshold": 1,
        "use_budget": 1,
        "budget": 7,
        "use_tail": 0,
        "predicted_slices": 3,
        "key_length": 200,
        "causal": 1,
        "query_offset": -3,
        "window": 20,
        "sinks": 4,
        "tag": 65535,
    }
    assert asdict(made) | wanted == asdict(made)
    assert made.sparse and made.output_bits == 16


@given(case=cases())
def test_whatever_is_made_is_legal_and_fits(case: Case) -> None:
    made = case.command()
    assert made.causes(BUILD) == frozenset()
    assert 0 <= made.pack() < 1 << formats.COMMAND_BITS


# --- scales ---------------------------------------------------------------------------------
@given(
    power=st.floats(-28, 16),
    bits=st.integers(8, 17),
)
def test_multiplier_and_shift_is_as_close_as_its_width(power: float, bits: int) -> None:
    factor = 2.0**power
    if factor > 2.0 ** (bits - 1):
        return
    multiplier, shift = multiplier_and_shift(factor, bits=bits, max_shift=47, name="x")
    assert 0 < multiplier < 1 << bits and 0 <= shift <= 47
    assert multiplier >= 1 << bits - 1
    assert abs(multiplier * 2.0**-shift / factor - 1) <= 2.0**-bits


def test_multiplier_and_shift_at_its_ends() -> None:
    assert multiplier_and_shift(255.4, bits=8, max_shift=9, name="x") == (255, 0)
    assert multiplier_and_shift(127.9, bits=8, max_shift=9, name="x") == (128, 0)  # not 256 >> 1
    assert multiplier_and_shift(1e-30, bits=8, max_shift=9, name="x") == (1, 9)
    with pytest.raises(ArgumentError, match="x = 256 is above 255"):
        multiplier_and_shift(256, bits=8, max_shift=9, name="x")
    with pytest.raises(ArgumentError, match="x = 200 is above 127.5"):
        multiplier_and_shift(200, bits=8, max_shift=9, min_shift=1, name="x")


@given(case=cases())
def test_scales_come_back_from_the_fields(case: Case) -> None:
    made, a = case.command(), case.arguments
    octaves = a["scale_q"] * a["scale_k"] / math.sqrt(made.dims) * math.log2(math.e)
    exact = made.score_multiplier * 2.0 ** -(made.score_shift + formats.SCORE_FRACTION)
    assert exact == pytest.approx(octaves, rel=2.0**-16)
    places = made.predicted_shift + formats.PREDICTED_FRACTION
    predicted = made.predicted_multiplier * 2.0**-places
    assert predicted == pytest.approx(octaves * 256, rel=2.0**-11, abs=2.0**-34)


# --- packing --------------------------------------------------------------------------------
def random_command(rng: np.random.Generator) -> Command:
    """Any record at all, legal or not."""
    values = {}
    for name, (width, signed) in formats.COMMAND_FIELDS.items():
        low, high = (-(1 << width - 1), 1 << width - 1) if signed else (0, 1 << width)
        values[name] = int(rng.choice([low, high - 1, rng.integers(low, high)]))
    return Command(**values)


@given(seed=st.integers(0, 1 << 30))
def test_pack_puts_every_field_in_its_place(seed: int) -> None:
    made = random_command(np.random.default_rng(seed))
    word = made.pack()
    for name, low in formats.command_positions().items():
        width, signed = formats.COMMAND_FIELDS[name]
        value = word >> low & (1 << width) - 1
        if signed and value >> width - 1:
            value -= 1 << width
        assert value == getattr(made, name), name
        word &= ~((1 << width) - 1 << low)
    assert word == 0, "bits between fields are 0"
    assert unpack_command(made.pack()) == made


def test_every_field_of_a_command_is_in_the_record() -> None:
    assert set(asdict(command())) == set(formats.COMMAND_FIELDS)


def test_numpy_integers_pack_like_plain_ones() -> None:
    plain = command(n_k=300, budget=7, tag=9, query_offset=-3)
    made = command(
        n_q=np.int64(3),
        n_k=np.int64(300),
        d=np.int16(8),
        budget=np.int64(7),
        tag=np.uint8(9),
        query_offset=np.int32(-3),
        causal=np.bool_(False),
    )
    assert made == plain and made.pack() == plain.pack()
    raw = replace(plain, **{k: np.int64(v) for k, v in asdict(plain).items()})
    assert raw.pack() == plain.pack()


@pytest.mark.parametrize(
    ("name", "value", "limit"),
    [
        ("tag", 1 << 16, "0..65535"),
        ("tag", -1, "0..65535"),
        ("query_offset", 1 << 19, "-524288..524287"),
        ("score_multiplier", 1 << 17, "0..131071"),
        ("output_shift", 1.5, "0..63"),
        ("causal", 2, "0..1"),
    ],
)
def test_a_field_that_does_not_fit_is_named(name: str, value: float, limit: str) -> None:
    case = make_case("gaussian", n_q=3, n_k=5, d=8, sharpness=1.0)
    wrong = replace(case.command(), **{name: value})
    with pytest.raises(ArgumentError, match=f"{name} = {value} must be an integer in {limit}"):
        wrong.pack()
    with pytest.raises(ArgumentError, match=name):
        fixed.run(wrong, case.q, case.k, case.v)


def test_status_fields() -> None:
    word, low, values = 0, 0, {}
    for i, (name, width) in enumerate(formats.STATUS_FIELDS.items()):
        values[name] = (0x9E3779B9 * (i + 1)) % (1 << width)
        word |= values[name] << low
        low += width
    assert unpack_status(word) == values


def test_cause_names() -> None:
    assert cause_names(0) == frozenset()
    for i, name in enumerate(formats.CAUSES):
        assert cause_names(1 << i) == {name}
    assert cause_names(0b10001) == {"shape", "query_packet"}


# --- causes ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"query_count": 0}, "shape"),
        ({"query_count": 2049}, "shape"),
        ({"key_count": 2049}, "shape"),
        ({"dims": 0}, "shape"),
        ({"dims": 65}, "shape"),
        ({"key_length": 6}, "mask"),
        ({"use_budget": 1}, "select"),
        ({"predicted_slices": 0}, "select"),
        ({"predicted_slices": 5}, "select"),
        ({"score_multiplier": 0}, "scale"),
        ({"score_shift": 48}, "scale"),
        ({"predicted_multiplier": 0}, "scale"),
        ({"predicted_shift": 32}, "scale"),
        ({"output_multiplier": 0}, "scale"),
        ({"output_shift": 0}, "scale"),
        ({"output_shift": 48}, "scale"),
    ],
)
def test_each_cause(fields: dict, cause: str) -> None:
    wrong = replace(command(), **fields)
    assert wrong.causes(BUILD) == {cause}
    arrays = [np.ones((n, 8), dtype=np.int8) for n in (3, 5, 5)]
    with pytest.raises(ArgumentError, match=f"illegal command: {cause}|shape"):
        fixed.run(wrong, *arrays)


def test_causes_come_together() -> None:
    wrong = replace(command(), key_count=0, output_shift=0, predicted_slices=0)
    assert wrong.causes(BUILD) == {"shape", "mask", "select", "scale"}


def test_the_limits_themselves_are_legal() -> None:
    most = replace(
        command(),
        query_count=2048,
        key_count=2048,
        dims=64,
        key_length=2048,
        predicted_slices=4,
        score_shift=47,
        predicted_shift=31,
        output_shift=47,
        use_budget=1,
        budget=65535,
    )
    assert most.causes(BUILD) == frozenset()
    least = replace(command(1, 1, 1), key_length=0, score_shift=0, predicted_shift=0)
    assert replace(least, output_shift=1).causes(BUILD) == frozenset()
    small = Build(rows=1, pred_keys=4, head_dim=32, tile_keys=256)
    assert most.causes(small) == {"shape", "select"}


# --- errors by name -------------------------------------------------------------------------
NOT_INTEGERS = (True, 2.0, "2", None, math.nan, [2])
NOT_POSITIVE = (0, -1.0, math.nan, math.inf, "much", [1.0, 2.0])
INTEGERS = {
    "pred_dims": (0, -16, 8, 80, 24),
    "tag": (-1, 65536),
    "sinks": (-1, 65536),
    "query_offset": (-(1 << 19) - 1, 1 << 19),
    "key_length": (-1, 6),
    "budget": (0, -1, 65536),
    "window": (0, -1, 65536),
}
OPTIONAL = ("key_length", "budget", "window")  # None has a meaning


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in INTEGERS.items() for value in (*values, *NOT_INTEGERS)],
)
def test_a_wrong_integer_is_named(name: str, value: object) -> None:
    if value is None and name in OPTIONAL:
        assert command(**{name: None}) == command()
        return
    with pytest.raises(ArgumentError, match=f"^{name} = .* must be an? (integer in|multiple of)"):
        command(**{name: value})


@pytest.mark.parametrize("name", ["scale_q", "scale_k", "scale_v", "output_scale", "softmax_scale"])
@pytest.mark.parametrize("value", NOT_POSITIVE)
def test_a_wrong_scale_is_named(name: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=f"^{name} = .* must be a positive finite number"):
        command(**{name: value})


@pytest.mark.parametrize("value", [0, 1.01, -0.1, 2.0**-32, math.nan, math.inf, "small"])
def test_a_wrong_probability_is_named(value: object) -> None:
    with pytest.raises(ArgumentError, match="^min_probability = .* in 4.65661e-10..1"):
        command(min_probability=value)


@pytest.mark.parametrize("name", ["tail", "causal"])
@pytest.mark.parametrize("value", ["no", None, 2, math.nan])
def test_a_wrong_flag_is_named(name: str, value: object) -> None:
    with pytest.raises(ArgumentError, match=f"^{name} = .* must be True or False"):
        command(**{name: value})


@pytest.mark.parametrize("value", [0, 12, 32, None, "8"])
def test_a_wrong_output_width_is_named(value: object) -> None:
    with pytest.raises(ArgumentError, match="^output_bits = .* must be 8 or 16"):
        command(output_bits=value)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((0, 5, 8), r"query_count \(rows of q\) = 0 .* 1..2048"),
        ((2049, 5, 8), r"query_count .* = 2049 .* 1..2048"),
        ((3, 2049, 8), r"key_count \(rows of k and v\) = 2049 .* 1..2048"),
        ((3, 5, 0), "dims .* = 0 .* 1..64"),
        ((3, 5, 65), "dims .* = 65 .* 1..64"),
        ((3, 5.0, 8), "key_count .* = 5.0 must be an integer"),
    ],
)
def test_a_wrong_shape_is_named(shape: tuple, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        command(*shape)


def test_limits_follow_the_build() -> None:
    small = Build(rows=1, pred_keys=4, head_dim=32, tile_keys=256)
    with pytest.raises(ArgumentError, match="1..256"):
        command(n_k=257, build=small)
    with pytest.raises(ArgumentError, match="1..32"):
        command(d=33, build=small)
    with pytest.raises(ArgumentError, match="pred_dims = 48 .* 16..32"):
        command(pred_dims=48, build=small)
    with pytest.raises(ArgumentError, match="key_count .* = 65536 .* 1..65535"):
        command(n_k=65536, build=Build(tile_keys=1 << 16))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale_q": 1e9}, "scale_q scale_k softmax_scale = .* is above"),
        ({"scale_q": 1e200, "scale_k": 1e200}, "scale_q scale_k softmax_scale = inf"),
        ({"scale_q": 1e-200, "scale_k": 1e-200}, "scale_q scale_k softmax_scale = 0"),
        ({"output_scale": 1e-12}, "scale_v / output_scale = .* is above"),
        ({"scale_v": 1e-200, "output_scale": 1e200}, "scale_v / output_scale = 0"),
    ],
)
def test_scales_that_are_too_far_apart_are_named(options: dict, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        command(**options)


@pytest.mark.parametrize("options", [{"scale_v": None}, {"scale_v": math.nan}, {"scale_v": "x"}])
def test_a_default_output_scale_needs_a_good_scale_of_v(options: dict) -> None:
    case = make_case("gaussian", n_q=3, n_k=5, d=8, sharpness=1.0)
    with pytest.raises(ArgumentError, match="^scale_v = "):
        case.run(**options)


def test_an_unknown_option_is_named() -> None:
    with pytest.raises(TypeError, match="lambda_"):
        command(lambda_=0.1)
