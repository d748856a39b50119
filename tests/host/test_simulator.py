# SPDX-License-Identifier: Apache-2.0
"""The simulator's bridge, with a stand-in design that builds in seconds (loopback/pasa_axi.v).

Some 12 s: a build for each stream width.
"""

import random
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pasa
import pytest
from pasa.errors import ArgumentError, BuildError, BusError, DeviceError, DeviceTimeout, PacketError
from pasa.transport_sim import (
    NO_LAST,
    OKAY,
    REPLY,
    REQUEST,
    STREAM_BITS,
    TIMEOUT,
    VERSION,
    Operation,
    SimTransport,
)

from fpga.host.simulator.build import build_simulator, main

LOOPBACK = Path(__file__).parent / "loopback" / "pasa_axi.v"
REFUSED = 0x102


@pytest.fixture(params=STREAM_BITS)
def bits(request):
    """Each stream width."""
    return request.param


@pytest.fixture
def bridge(bits):
    """The stand-in without stalls."""
    transport = SimTransport(build_simulator({"STREAM_BITS": bits}, design=LOOPBACK))
    yield transport
    transport.close()


def bytes_of(count, seed=0):
    """A packet of random bytes."""
    return np.random.default_rng(seed).integers(0, 256, count).astype(np.uint8)


@pytest.mark.parametrize("stalls", (0, 40, 95))
def test_what_goes_out_comes_back(bits, stalls):
    transport = SimTransport(
        build_simulator({"STREAM_BITS": bits}, design=LOOPBACK), stalls=stalls, seed=7
    )
    packets = [bytes_of(16 * count, seed=count) for count in (1, 2, 7, 30)]
    for packet in packets:
        transport.expect(len(packet))
        transport.send("query", packet)
        transport.send("key", packet)
    for packet in packets:
        assert np.array_equal(transport.receive(timeout=5), packet)
    transport.request(Operation.SENT, argument=1, clocks=10_000)
    assert transport.read(0x100) == len(packets)
    for word in range(16):
        transport.write(4 * word, 0x01010101 * word)
    assert [transport.read(4 * word) for word in range(16)] == [0x01010101 * w for w in range(16)]
    transport.close()


def test_a_stall_costs_clocks_and_a_seed_repeats_them(bits):
    binary = build_simulator({"STREAM_BITS": bits}, design=LOOPBACK)

    def clocks(**options):
        transport = SimTransport(binary, **options)
        transport.expect(1600)
        transport.send("query", bytes_of(1600))
        transport.receive(timeout=5)
        transport.close()
        return transport.clock

    free = clocks()
    assert 1600 * 8 // bits <= free <= 1600 * 8 // bits + 40
    assert clocks(stalls=50, seed=3) == clocks(stalls=50, seed=3) > 1.5 * free
    assert clocks(stalls=50, seed=4) != clocks(stalls=50, seed=3)


def test_a_packet_shorter_or_longer_than_the_buffer(bridge):
    bridge.expect(64)
    bridge.send("query", bytes_of(32))
    assert len(bridge.receive(timeout=1)) == 32
    bridge.expect(32)
    bridge.send("query", bytes_of(64))
    with pytest.raises(PacketError, match="longer than 32 bytes"):
        bridge.receive(timeout=1)
    bridge.expect(32)
    bridge.send("query", bytes_of(32, seed=5))
    assert np.array_equal(bridge.receive(timeout=1), bytes_of(32, seed=5))


def test_output_waits_for_a_buffer(bridge):
    bridge.send("query", bytes_of(32))
    assert bridge.request(Operation.SENT, clocks=100).result == TIMEOUT
    bridge.expect(32)
    assert bridge.request(Operation.SENT, clocks=100).result == OKAY


def test_a_packet_without_last_goes_on(bridge):
    bridge.expect(48)
    bridge.request(Operation.SEND, flags=NO_LAST, payload=bytes_of(32).tobytes())
    with pytest.raises(DeviceTimeout):
        bridge.receive(timeout=0.01)
    bridge.send("query", bytes_of(16))
    assert len(bridge.receive(timeout=1)) == 48


def test_a_broken_last_beat_shows_in_keep(bridge):
    assert not bridge.wait_interrupt(timeout=0)
    bridge.expect(32)
    bridge.send("query", bytes_of(17))
    bridge.receive(timeout=1)
    assert bridge.wait_interrupt(timeout=1)
    bridge.write(0xFC, 0)
    assert not bridge.wait_interrupt(timeout=0)


def test_abort_forgets_packets_and_buffers(bridge):
    bridge.expect(16)
    bridge.expect(16)
    bridge.send("query", bytes_of(16))
    bridge.request(Operation.RUN, clocks=3)
    bridge.send("query", bytes_of(160))
    bridge.abort()
    bridge.request(Operation.RUN, clocks=100)
    with pytest.raises(DeviceError, match="without expect"):
        bridge.receive(timeout=0)
    bridge.expect(16)
    bridge.send("query", bytes_of(16, seed=2))
    assert np.array_equal(bridge.receive(timeout=1), bytes_of(16, seed=2))


def test_bus_errors_are_typed(bridge):
    with pytest.raises(BusError, match="read of 0x800 was refused"):
        bridge.read(0x800)
    with pytest.raises(BusError, match="write of 0x5 to 0x800 was refused"):
        bridge.write(0x800, 5)
    with pytest.raises(BusError, match="write of 0x1 to 0x7fc was not answered"):
        bridge.write(0x7FC, 1)


def test_strobes_and_reset(bridge):
    bridge.write(8, 0x11223344)
    bridge.request(Operation.WRITE, argument=8, value=0xAABBCCDD, flags=0b0101)
    assert bridge.read(8) == 0x11BB33DD
    bridge.write(0xFC, 1)
    before = bridge.clock
    bridge.request(Operation.RESET, clocks=50)
    assert bridge.clock == before + 51
    assert bridge.read(0xFC) == 0


def test_the_simulator_refuses_nonsense(bridge):
    assert bridge.request(Operation.SEND, argument=3, payload=b"x").result == REFUSED
    assert bridge.request(Operation.SEND).result == REFUSED
    assert bridge.request(Operation.SENT, argument=3).result == REFUSED
    assert bridge.request(Operation.STALL, value=96).result == REFUSED
    assert bridge.request(99).result == REFUSED
    assert bridge.read(0) is not None


def test_death_is_told(bridge):
    bridge.request(Operation.QUIT)
    with pytest.raises(DeviceError, match="ended with code 0"):
        bridge.read(0)
    with pytest.raises(DeviceError, match="closed"):
        bridge.read(0)


def test_socket(bits, tmp_path):
    binary, path = build_simulator({"STREAM_BITS": bits}, design=LOOPBACK), tmp_path / "s"
    with subprocess.Popen([binary, "--socket", path]) as process:
        while not path.exists():
            time.sleep(0.01)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(REQUEST.pack(Operation.HELLO, 0, 0, 0, 0, 0, 0))
            assert REPLY.unpack(client.recv(REPLY.size))[:3] == (OKAY, VERSION, 0)
        assert process.wait(5) == 0
    assert not path.exists()
    assert subprocess.run([binary, "--sockets"], stderr=subprocess.DEVNULL).returncode == 2


def test_random_traffic_is_kept_apart(bridge):
    draw = random.Random(1)
    words, packets = {}, []
    for _ in range(300):
        if draw.random() < 0.5:
            address = 4 * draw.randrange(40)
            words[address] = draw.getrandbits(32)
            bridge.write(address, words[address])
        elif draw.random() < 0.5:
            packets.append(bytes_of(16 * draw.randrange(1, 9), seed=draw.getrandbits(30)))
            bridge.expect(len(packets[-1]))
            bridge.send("query", packets[-1])
        elif packets:
            assert np.array_equal(bridge.receive(timeout=1), packets.pop(0))
    assert {address: bridge.read(address) for address in words} == words


def test_an_interrupted_wait_ends_the_simulator(bridge, monkeypatch):
    def interrupt(count):
        raise KeyboardInterrupt

    monkeypatch.setattr(bridge, "_take", interrupt)
    with pytest.raises(KeyboardInterrupt):
        bridge.read(0)
    with pytest.raises(DeviceError, match="closed"):
        bridge.read(0)


def test_sim_without_the_source_tree(monkeypatch):
    monkeypatch.setitem(sys.modules, "fpga.host.simulator.build", None)
    monkeypatch.delattr("fpga.host.simulator.build")
    with pytest.raises(BuildError, match="needs PASA's source tree"):
        pasa.open("sim")


def test_arguments(tmp_path, capsys):
    with pytest.raises(ArgumentError, match="LANES: no parameter"):
        build_simulator({"LANES": 2})
    assert main(["ROWS"]) == 2 and "NAME=number" in capsys.readouterr().err
    broken = tmp_path / "pasa_axi.v"
    broken.write_text("module pasa_axi (input wire aclk;\nendmodule\n")
    with pytest.raises(BuildError, match="verilator cannot build"):
        build_simulator({}, design=broken)
    with pytest.raises(ArgumentError, match="stalls = 96"):
        SimTransport(tmp_path, stalls=96)
