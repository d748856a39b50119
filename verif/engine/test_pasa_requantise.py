# SPDX-License-Identifier: Apache-2.0
"""pasa_requantise against Integer.output, and proof that this bench can fail.

make unit M=pasa_requantise
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer
from pasa.formats import OUTPUT_SHIFT_MAX

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack
from verif.softmax.pipeline import check_pipeline, generator

TOP = "pasa_requantise"
LATENCY = 7
COUNT = 2000
DIMS = 2
AVERAGE_TOP = (1 << 24) - 1


def operands(shift: np.ndarray, bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Averages [COUNT, DIMS] and factors [COUNT] of five kinds that meet every case.

    Random; code near the limits of its width; exact halves (ties); one bit beside a half;
    far beyond the limits with zeros in all low bits.
    """
    rng, shape = generator(), (COUNT, DIMS)
    kind = rng.integers(0, 5, COUNT)
    sign = rng.choice([-1, 1], shape)
    average = rng.integers(-AVERAGE_TOP, AVERAGE_TOP + 1, shape) >> rng.integers(0, 24, shape)
    factor = 1 + (rng.integers(0, (1 << 17) - 1, COUNT) >> rng.integers(0, 17, COUNT))
    limit = sign * (1 << bits[:, None] - 1) + rng.integers(-2, 3, shape)
    code = np.where(rng.random(shape) < 0.5, limit, rng.integers(-150, 150, shape))
    half = (2 * code + 1) << (shift[:, None] - 1)  # (code + 1/2) * 2^shift
    places = np.clip(shift - 9, 0, 16)  # half is a multiple of 2^places
    beside = 1 << np.floor(rng.random(COUNT) * (shift - places)).astype(np.int64)
    tie = half >> places[:, None]
    choices = [
        average,
        half // factor[:, None],
        tie,
        tie + sign * beside[:, None],
        sign * (rng.integers(0, 8, shape) * 2 + 1) << 20,
    ]
    chosen = np.choose(kind[:, None], choices)
    fits = np.abs(chosen) <= AVERAGE_TOP
    power = np.where(kind == 4, 1 << 16, 1 << places)
    average = np.where(fits, chosen, average)
    average[rng.random(shape) < 0.02] = -AVERAGE_TOP - 1
    return average, np.where(kind >= 2, power, factor)


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    rng = generator()
    shift = rng.integers(1, OUTPUT_SHIFT_MAX + 1, COUNT)
    int16 = rng.random(COUNT) < 0.5
    average, factor = operands(shift, np.where(int16, 16, 8))
    code, saturated = np.empty_like(average), np.empty_like(average)
    for at in range(COUNT):
        code[at], saturated[at] = Integer().output(
            average[at], factor[at], int(shift[at]), 16 if int16[at] else 8
        )
    product = average * factor[:, None]
    ties = (product & ((1 << shift) - 1)[:, None]) == (1 << shift - 1)[:, None]
    clipped = saturated.any(axis=1)
    assert ties.sum() > COUNT // 10 and (~ties & (saturated == 0)).sum() > COUNT // 10
    assert min((clipped & int16).sum(), (clipped & ~int16).sum()) > COUNT // 20
    given = {
        "average": [pack(row, width=25) for row in average],
        "factor": factor,
        "shift": shift,
        "int16": int16,
    }
    expected = {
        "code": [pack(row, width=16) for row in code],
        "saturated": [pack(row, width=1) for row in saturated],
    }
    await check_pipeline(dut, latency=LATENCY, given=given, expected=expected, gaps=gaps)


def bench(run, *, sim, **options):
    parameters = {"DIMS": DIMS, "USER": 3}
    run(TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


def test_design(sim):
    bench(simulate, sim=sim)


MUTANTS = {
    "half up": ("kept_5[0] & (sticky_5 | kept_5[1])", "kept_5[0]"),
    "half down": ("kept_5[0] & (sticky_5 | kept_5[1])", "kept_5[0] & sticky_5"),
    "half to odd": ("(sticky_5 | kept_5[1])", "(sticky_5 | !kept_5[1])"),
    "sticky 16": ("(past_16_3 & low_3)", "1'b0"),
    "sticky 32": ("(past_32_3 & middle_3)", "1'b0"),
    "sticky 4": ("(|drop_3[3:2] & |kept_3[3:0])", "1'b0"),
    "sticky 8": ("(drop_3[3] & |kept_3[7:4])", "1'b0"),
    "sticky 12": ("(&drop_3[3:2] & |kept_3[11:8])", "1'b0"),
    "sticky 1": ("(|drop_4 & kept_4[0])", "1'b0"),
    "sticky 2": ("(drop_4[1] & kept_4[1])", "1'b0"),
    "sticky 3": ("(&drop_4 & kept_4[2])", "1'b0"),
    "far in 3": ("by_16[PRODUCT-1:KEPT_3-1] != {(PRODUCT-KEPT_3+1){sign_2}}", "1'b0"),
    "far in 4": ("(by_4[KEPT_3-1:KEPT_4-1] != {(KEPT_3-KEPT_4+1){sign_3}})", "1'b0"),
    "far in 5": ("(by_1[KEPT_4-1:17] != {(KEPT_4-17){sign_4}})", "1'b0"),
    "sign": ("{sign_6, {8{int16_6 ^ sign_6}}", "{1'b0, {8{int16_6}}"),
    "int8": ("(low_6 & !int16_6)", "1'b0"),
    "int16": ("far_6 | high_6 |", "far_6 |"),
    "factor": ("{1'b0, in_factor}", "{in_factor[16], in_factor}"),
    "reset": ("rst ? {LATENCY{1'b0}}", "1'b0 ? {LATENCY{1'b0}}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", mutant=mutant)
