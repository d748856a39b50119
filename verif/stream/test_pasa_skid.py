# SPDX-License-Identifier: Apache-2.0
"""pasa_skid: order, loss, throughput, and proof that this bench can fail.

make unit M=pasa_skid
"""

import cocotb
import pytest

from verif.common.runner import check_mutant_caught, simulate
from verif.stream.traffic import pass_beats

TOP = "pasa_skid"
BEATS = 400


@cocotb.test(timeout_time=200, timeout_unit="us")
@cocotb.parametrize(gaps_in=["none", "light", "bursty"], gaps_out=["none", "heavy", "bursty"])
async def keeps_every_beat_in_order(dut, gaps_in, gaps_out):
    seen = await pass_beats(dut, count=BEATS, gaps_in=gaps_in, gaps_out=gaps_out)
    if gaps_in == "none" and gaps_out == "heavy":
        assert seen.entered.stalls >= 50, "stalls never filled the buffer"
    if gaps_out == "none":
        assert seen.entered.stalls == 0, "throughput below one beat per clock"


@pytest.mark.parametrize("width", [1, 8, 33, 512], ids="width{}".format)
def test_design(sim, width):
    simulate(TOP, test_module=__name__, parameters={"WIDTH": width}, sim=sim)


MUTANTS = {
    "order": ("spare_full ? spare_data : s_data", "s_data"),
    "loss": ("main_full <= spare_full | s_fire", "main_full <= s_fire"),
    "slow": ("assign s_ready = !spare_full", "assign s_ready = !main_full"),
    "double": ("else if (m_fire) begin", "else if (m_fire & s_valid) begin"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(sim, name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    check_mutant_caught(TOP, mutant=mutant, test_module=__name__, parameters={"WIDTH": 8}, sim=sim)
