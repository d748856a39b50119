# SPDX-License-Identifier: Apache-2.0
"""pasa_average against Integer.average, and proof that this bench can fail.

make unit M=pasa_average
"""

import cocotb
import numpy as np
import pytest
from pasa.arithmetic import Integer, leading_one

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import pack
from verif.softmax.pipeline import check_pipeline, generator

TOP = "pasa_average"
LATENCY = 3
COUNT = 800
DIMS = 2


@cocotb.test(timeout_time=1, timeout_unit="ms")
@cocotb.parametrize(gaps=[False, True])
async def equals_the_golden_model(dut, gaps):
    acc_bits = len(dut.in_accumulator) // DIMS
    rng = generator()
    total = 1 + (rng.integers(0, 1 << acc_bits - 8, COUNT) >> rng.integers(0, acc_bits - 8, COUNT))
    mean = rng.uniform(-128, 127, (COUNT, DIMS))
    weighted = (mean * total[:, None]).astype(np.int64)
    extreme = rng.random((COUNT, DIMS)) < 0.25
    weighted = np.where(
        extreme, rng.choice([-128, 127, 0], (COUNT, DIMS)) * total[:, None], weighted
    )
    zero = rng.random(COUNT) < 0.1
    average = np.where(zero[:, None], 0, Integer().average(weighted, total[:, None]))
    assert average.min() >= -(1 << 24) and average.max() < 1 << 24, "the width's proof is wrong"
    given = {
        "accumulator": [pack(row, width=acc_bits) for row in weighted],
        "leading_one": leading_one(total),
        "zero": zero,
    }
    expected = {"average": [pack(row, width=25) for row in average]}
    await check_pipeline(dut, latency=LATENCY, given=given, expected=expected, gaps=gaps)


def bench(run, *, sim, acc_bits, position_bits, **options):
    parameters = {"DIMS": DIMS, "ACC_BITS": acc_bits, "POSITION_BITS": position_bits, "USER": 5}
    run(TOP, test_module=__name__, parameters=parameters, sim=sim, **options)


@pytest.mark.parametrize(("acc_bits", "position_bits"), [(40, 5), (43, 6)])
def test_design(sim, acc_bits, position_bits):
    bench(simulate, sim=sim, acc_bits=acc_bits, position_bits=position_bits)


MUTANTS = {
    "unsigned": (
        "wire signed [BITS_1-1:0] by_4",
        "wire [BITS_1-1:0] by_4 = average_1 >> 0; wire [BITS_1-1:0] old_4",
    ),
    "late": ("{shift_1[3:2], 2'b00}", "{in_leading_one[3:2], 2'b00}"),
    "fine": ("shift_2 <= shift_1[1:0]", "shift_2 <= in_leading_one[1:0]"),
    "zero": ("in_zero ? {BITS_1{1'b0}} :", ""),
    "reset": ("rst ? {LATENCY{1'b0}}", "1'b0 ? {LATENCY{1'b0}}"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    bench(check_mutant_caught, sim="icarus", acc_bits=43, position_bits=6, mutant=mutant)
