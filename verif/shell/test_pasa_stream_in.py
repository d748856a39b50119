# SPDX-License-Identifier: Apache-2.0
"""pasa_stream_in: bytes in order, broken packets named, full rate, at each width.

make unit M=pasa_stream_in
"""

import random

import cocotb
import pytest
from cocotb.triggers import ClockCycles

from verif.common.runner import check_mutant_caught, simulate
from verif.common.streams import StreamDriver, StreamMonitor, StreamSink, start

TOP = "pasa_stream_in"
PACKETS = 60
BEAT = 16


def make_packet(width: int, fault: str) -> tuple[list, list]:
    """(beats in, beats out) of one packet; `fault` is none, tkeep, last or both."""
    size = width // 8
    count = BEAT // size * random.randint(1, 6)
    if fault in ("last", "both") and size < BEAT:
        count -= random.randint(1, BEAT // size - 1)
    data = [random.getrandbits(width) for _ in range(count)]
    keep = [(1 << size) - 1] * count
    if fault in ("tkeep", "both"):
        for place in random.sample(range(count), random.randint(1, min(3, count))):
            keep[place] = random.choice((0, 1, (1 << size) - 2, random.getrandbits(size - 1)))
    raw = b"".join(word.to_bytes(size, "little") for word in data)
    beats = [raw[at : at + BEAT].ljust(BEAT, b"\0") for at in range(0, len(raw), BEAT)]
    broken = len(raw) % BEAT != 0 or any(k != (1 << size) - 1 for k in keep)
    into = [(d, k, int(i == count - 1)) for i, (d, k) in enumerate(zip(data, keep, strict=True))]
    ends = [i == len(beats) - 1 for i in range(len(beats))]
    out = [
        (int.from_bytes(beat, "little"), int(end), int(end and broken))
        for beat, end in zip(beats, ends, strict=True)
    ]
    return into, out


@cocotb.test(timeout_time=300, timeout_unit="us")
@cocotb.parametrize(gaps_in=["none", "bursty"], gaps_out=["none", "heavy"])
async def packs_bytes_and_names_broken_packets(dut, gaps_in, gaps_out):
    dut.rst.value = 1
    fields = ("data", "keep", "last")
    driver = StreamDriver(dut, "s_axis", dut.clk, gaps=gaps_in, fields=fields, spelled="t{}")
    StreamSink(dut, "m", dut.clk, gaps=gaps_out)
    entered = StreamMonitor(dut, "s_axis", dut.clk, reset=dut.rst, fields=fields, spelled="t{}")
    left = StreamMonitor(dut, "m", dut.clk, reset=dut.rst, fields=("data", "last", "broken"))
    into, out = [], []
    for _ in range(PACKETS):
        fault = random.choice(("none", "none", "tkeep", "last", "both"))
        beats, expected = make_packet(len(dut.s_axis_tdata), fault)
        into, out = into + beats, out + expected
    await start(dut)
    await driver.send(into)
    await left.wait_for(len(out))
    await ClockCycles(dut.clk, 20)
    assert left.beats == out and len(entered.beats) == len(into)
    assert any(broken for *_, broken in out) and not all(b for _, last, b in out if last)
    if gaps_out == "none":
        assert entered.stalls == 0, "throughput below one beat per clock"


@cocotb.test(timeout_time=100, timeout_unit="us")
async def reset_forgets_a_packet_and_takes_nothing(dut):
    fields = ("data", "keep", "last")
    driver = StreamDriver(dut, "s_axis", dut.clk, fields=fields, spelled="t{}")
    StreamSink(dut, "m", dut.clk)
    await start(dut)
    width = len(dut.s_axis_tdata)
    full = (1 << width // 8) - 1
    for _ in range(8):
        await driver.send([(1, full - 1, 0), *[(2, full, 0)] * random.randint(0, 3)])
        dut.rst.value = dut.s_axis_tvalid.value = 1
        await ClockCycles(dut.clk, 2)
        assert not int(dut.s_axis_tready.value) and not int(dut.m_valid.value)
        dut.s_axis_tvalid.value = 0
        dut.rst.value = 0
        left = StreamMonitor(dut, "m", dut.clk, reset=dut.rst, fields=("data", "last", "broken"))
        beats, expected = make_packet(width, "none")
        await driver.send(beats)
        await left.wait_for(len(expected))
        assert left.beats == expected
        left.kill()


def test_design(sim):
    simulate(TOP, test_module=__name__, parameters={"STREAM_BITS": 32}, sim=sim)


@pytest.mark.parametrize("width", [64, 128], ids="width{}".format)
def test_other_widths(width):
    simulate(TOP, test_module=__name__, parameters={"STREAM_BITS": width}, sim="icarus")


MUTANTS = {
    "last inside": ("| (s_axis_tlast & !full)", ""),
    "tkeep": ("!(&s_axis_tkeep)", "!(|s_axis_tkeep)"),
    "sticky": ("broken <= wrong & !s_axis_tlast", "broken <= 1'b0"),
    "next packet": ("broken <= wrong & !s_axis_tlast", "broken <= wrong"),
    "padding": ("held & {STREAM_BITS{piece > HERE}}", "held"),
    "piece": ("piece <= done ?", "piece <= full ?"),
    "reset": ("ready & !rst", "ready"),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_caught(name):
    mutant = (f"{TOP}.v", *MUTANTS[name])
    parameters = {"STREAM_BITS": 32}
    check_mutant_caught(
        TOP, mutant=mutant, test_module=__name__, parameters=parameters, sim="icarus"
    )
