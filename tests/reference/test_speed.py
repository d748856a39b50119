# SPDX-License-Identifier: Apache-2.0
"""The integer path is fast enough for real heads: n = 1500, d = 64 within 10 s on one core."""

import time

import pytest

from tests.reference.heads import make_case

LIMIT = 10.0  # seconds of processor time


@pytest.mark.parametrize(
    "options", [{}, {"min_probability": 0.002, "pred_dims": 64}, {"budget": 90}]
)
def test_a_whisper_sized_head(options: dict) -> None:
    case = make_case("gaussian", n_q=1500, n_k=1500, d=64, sharpness=3.0, **options)
    start = time.process_time()
    result = case.run()
    assert time.process_time() - start < LIMIT
    assert result.output.shape == (1500, 64) and not result.empty.any()
