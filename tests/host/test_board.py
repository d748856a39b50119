# SPDX-License-Identifier: Apache-2.0
"""The board's transport on a PYNQ that is not there: as strict as the real one. 2 s.

The fake keeps a buffer's memory apart from its cache, so a flush or an invalidate that is left
out shows; a channel transfers one packet at a time, and refuses another meanwhile.
"""

import ast
import os
import re
import sys
import types
from pathlib import Path

import numpy as np
import pasa
import pytest
from pasa.errors import DeviceError, DeviceTimeout, PacketError, UnavailableError
from pasa.transport_board import LEAST_BUFFER, BoardTransport
from pasa.transport_reference import ReferenceTransport

from tests.host.conftest import SCALES, SMALL, codes


class Buffer(np.ndarray):
    """What pynq.allocate returns: an array with memory behind its cache."""

    alive = 0

    @classmethod
    def make(cls, shape, dtype):
        """Allocate."""
        buffer = np.zeros(shape, dtype).view(cls)
        buffer.memory = np.zeros(shape, dtype)
        cls.alive += 1
        return buffer

    def flush(self):
        """Cache to memory."""
        self.memory[:] = self

    def invalidate(self):
        """Memory to cache."""
        self[:] = self.memory

    def freebuffer(self):
        """Give back, once."""
        assert self.memory is not None
        self.memory = None
        Buffer.alive -= 1


class Channel:
    """A direction of PYNQ's simple DMA driver (pynq/lib/dma.py)."""

    def __init__(self, device, stream=None):
        self.device, self.stream = device, stream
        self.buffer, self.transferred, self.error = None, 0, False
        self.started = True

    @property
    def idle(self):
        """Done with the transfer."""
        if self.buffer is None:
            return True
        if self.stream:
            return not self.device._packets[self.stream]
        self.device.wait_interrupt(timeout=0)
        return bool(self.device._received)

    def start(self):
        """After a reset."""
        self.started, self.buffer, self.error = True, None, False

    def transfer(self, array, start, nbytes):
        """Begin."""
        assert self.started and start == 0 and 0 < nbytes <= array.nbytes
        if not self.idle:
            raise RuntimeError("DMA channel not idle")
        self.buffer = array
        if self.stream:
            array.flush()
            self.device.send(self.stream, array.memory[:nbytes])
        else:
            self.device.expect(nbytes)

    def wait(self):
        """End."""
        assert self.idle, "the real one would wait for ever"
        if not self.stream:
            try:
                packet = self.device.receive(timeout=0)
            except PacketError:
                raise RuntimeError("DMA Internal Error (transfer length 0?)") from None
            self.buffer.memory[: len(packet)] = packet
            self.buffer.invalidate()
            self.transferred = len(packet)
        self.buffer = None


class Engine:
    """An AXI DMA."""

    def __init__(self, device, stream):
        self.device, self.stream = device, stream
        self.sendchannel = Channel(device, stream)
        self.recvchannel = Channel(device)
        self.control, self.stuck = 0, False

    def write(self, offset, value):
        """MM2S_DMACR: the reset bit clears itself."""
        assert (offset, value) == (0x00, 0x4)
        self.device._packets[self.stream].clear()
        self.sendchannel.started = self.recvchannel.started = False
        if self.stream == "query":
            self.device._expected.clear()
            self.device._received.clear()
        self.control = 0x4 if self.stuck else 0

    def read(self, offset):
        """MM2S_DMACR."""
        assert offset == 0x00
        return self.control


@pytest.fixture
def board(monkeypatch):
    """A board with the golden model on it, and the fake pynq that leads to it."""
    device = ReferenceTransport(SMALL)
    parts = {f"axi_dma_{name}": Engine(device, name) for name in ("query", "key", "value")}
    overlay = types.SimpleNamespace(pasa=device, **parts)
    loads = []

    def load(bitfile, download):
        if not bitfile.endswith(".bit"):
            raise OSError("Bitstream file does not exist.")
        loads.append((bitfile, download))
        return overlay

    pynq = types.ModuleType("pynq")
    pynq.Overlay, pynq.allocate = load, lambda shape, dtype: Buffer.make(shape, dtype)
    monkeypatch.setitem(sys.modules, "pynq", pynq)
    Buffer.alive = 0
    return types.SimpleNamespace(device=device, overlay=overlay, loads=loads)


def test_heads_on_the_board_equal_the_model(board, rng):
    q, k, v = codes(rng, 4, 30, 20), codes(rng, 2, 300, 20), codes(rng, 2, 300, 20)
    with pasa.open("board", bitfile="a/pasa.bit", download=False) as device:
        assert board.loads == [("a/pasa.bit", False)] and device.build == SMALL
        for keys in (100, 300):
            k, v = k[:, :keys], v[:, :keys]
            out = device.attention(q, k, v, **SCALES, min_probability=0.02)
            for h in range(4):
                part = q[h], k[h // 2], v[h // 2]
                want = pasa.fixed.attention(*part, **SCALES, min_probability=0.02, build=SMALL)
                assert np.array_equal(out.output[h], want.output)
        assert Buffer.alive <= 3 * 5 + 1, "as many as commands are under way, and one"
    assert Buffer.alive == 0


def test_the_walk_through_of_the_readme(board, capsys):
    readme = (Path(pasa.__file__).parent / "README.md").read_text()
    board.device.__init__(pasa.Build())
    exec(re.search(r"```python\n(.*?)```", readme, re.S).group(1), {})
    assert capsys.readouterr().out.startswith("(8, 100, 64) ")
    assert board.loads == [("pasa.bit", True)] and Buffer.alive == 0


def test_the_package_suits_the_python_of_pynqs_images():
    """Python 3.10: its grammar, and no name that came later."""
    later = {"StrEnum", "Unpack", "Self", "assert_never", "LiteralString", "UTC", "TaskGroup"}
    for path in Path(pasa.__file__).parent.glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 10))
        checked = [n for n in ast.walk(tree) if isinstance(n, ast.If)]
        for_types = {
            child for n in checked if "TYPE_CHECKING" in ast.dump(n.test) for child in n.body
        }
        for node in set(ast.walk(tree)) - for_types:
            if isinstance(node, ast.ImportFrom):
                assert not later & {alias.name for alias in node.names}, path.name


def test_packets_queue_and_go_out_one_after_another(board):
    transport = BoardTransport("pasa.bit")
    out = board.device._packets["key"]
    for number, count in enumerate((16, LEAST_BUFFER + 16, 32)):
        transport.send("key", np.full(count, number, np.uint8))
    sizes = []
    while out:
        sizes.append(len(out.popleft()))
        assert not transport.wait_interrupt(timeout=0)
        assert not transport.wait_interrupt(timeout=0)
    assert sizes == [16, LEAST_BUFFER + 16, 32]
    assert Buffer.alive == 3
    transport.send("key", np.full(16, 9, np.uint8))
    assert out[0].tolist() == [9] * 16 and Buffer.alive == 3
    transport.close()
    assert Buffer.alive == 0


def test_a_packet_that_does_not_come(board):
    transport = BoardTransport("pasa.bit")
    for _ in range(2):
        transport.send("key", np.ones(16, np.uint8))
        transport.expect(16)
    with pytest.raises(DeviceTimeout, match="no output packet in 0.01 s"):
        transport.receive(timeout=0.01)
    transport.abort()
    assert not board.device._packets["key"]
    with pytest.raises(DeviceError, match="without expect"):
        transport.receive(timeout=0)
    transport.send("key", np.ones(16, np.uint8))
    assert board.device._packets["key"]


def test_packets_of_the_wrong_length(board):
    transport = BoardTransport("pasa.bit")
    transport.expect(48)
    transport.expect(16)
    board.device._received.extend([(np.arange(32, dtype=np.uint8), 48)])
    assert transport.receive(timeout=0).tolist() == list(range(32))
    board.device._received.extend([(np.zeros(32, np.uint8), 16)])
    with pytest.raises(PacketError, match="axi_dma_query: DMA Internal Error"):
        transport.receive(timeout=0)


def test_an_engine_that_stays_in_reset(board):
    board.overlay.axi_dma_key.stuck = True
    with pytest.raises(DeviceTimeout, match="axi_dma_key does not end its reset"):
        pasa.open("board", bitfile="pasa.bit")
    assert Buffer.alive == 0


def test_interrupts_through_uio(board, rng, tmp_path):
    os.mkfifo(tmp_path / "uio")
    transport = BoardTransport("pasa.bit", uio=str(tmp_path / "uio"))
    assert transport.wait_interrupt(timeout=0.01), "a fifo gives back what was written"
    with pasa.open("board", bitfile="pasa.bit", uio=str(tmp_path / "uio")) as device:
        q = codes(rng, 3, 16)
        assert device.attention(q, q, q, **SCALES).output.shape == (3, 16)
    transport.close()
    transport.close()


def test_what_is_missing_is_named(board, monkeypatch):
    with pytest.raises(UnavailableError, match="bitfile: pasa.xsa cannot be loaded: Bitstream"):
        pasa.open("board", bitfile="pasa.xsa")
    del board.overlay.axi_dma_value
    with pytest.raises(UnavailableError, match="overlay has no axi_dma_value"):
        pasa.open("board", bitfile="pasa.bit")
    monkeypatch.setitem(sys.modules, "pynq", None)
    with pytest.raises(UnavailableError, match="board needs the pynq package"):
        pasa.open("board")
