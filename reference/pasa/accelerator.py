# SPDX-License-Identifier: Apache-2.0
"""The golden model of the whole accelerator: commands one after another, with what stays between.

Between commands the hardware keeps the last tile of keys and values (``reuse_keys``) and the rows
of a chain (``merge_next``, ``merge_previous``). ``fixed.run`` says what a single command computes.
"""

from dataclasses import dataclass

import numpy as np

from pasa import fixed
from pasa.command import Command
from pasa.errors import ArgumentError
from pasa.formats import Build
from pasa.merging import Carried


@dataclass(frozen=True)
class Outcome:
    """What came of a command.

    Attributes:
        causes: why it was refused; empty when it ran.
        result: of the golden model; None when refused.
    """

    causes: frozenset[str]
    result: fixed.Result | None


@dataclass(frozen=True)
class _Chain:
    """Rows left by a command with ``merge_next``."""

    query_count: int
    dims: int
    sparse: bool
    carried: Carried


class Accelerator:
    """Runs commands in order, bit for bit as ``pasa_core`` does.

    Args:
        build: hardware parameters.
    """

    def __init__(self, build: Build | None = None):
        self.build = build or Build()
        self.reset()

    def reset(self) -> None:
        """Forget the tile and the chain, as a reset does."""
        self._tile: tuple[np.ndarray, np.ndarray] | None = None
        self._chain: _Chain | None = None

    @property
    def tile(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Keys and values that a command with ``reuse_keys`` would take; None: there are none."""
        return self._tile

    def causes(self, command: Command) -> frozenset[str]:
        """Why the command would be refused now, whatever its packets; empty when it may run."""
        chained = self._reuse_allowed(command) and self._merge_allowed(command)
        return command.causes(self.build) | (frozenset() if chained else {"chain"})

    def execute(
        self,
        command: Command,
        q: np.ndarray | None = None,
        k: np.ndarray | None = None,
        v: np.ndarray | None = None,
        *,
        packet_causes: frozenset[str] = frozenset(),
    ) -> Outcome:
        """Run or refuse one command.

        Args:
            command: the record.
            q: int8 [query_count, dims]. k, v: int8 [key_count, dims], not with ``reuse_keys``.
                May be None where the command will be refused.
            packet_causes: packets that are short, long or broken: ``query_packet`` and so on.

        Raises:
            ArgumentError: keys or values given together with ``reuse_keys``.
        """
        if command.reuse_keys and not (k is None and v is None):
            raise ArgumentError("k and v must be None with reuse_keys")
        causes = self.causes(command)
        causes = causes or frozenset(packet_causes)
        chain, self._chain = self._chain, None
        if not command.reuse_keys:
            self._tile = None if causes else (k, v)
        if causes:
            return Outcome(causes, None)
        assert self._tile is not None, "causes() lets no reuse pass without a tile"
        carried = chain.carried if command.merge_previous and chain else None
        result = fixed.run(command, q, *self._tile, build=self.build, carried=carried)
        if result.carried is not None:
            shape = (command.query_count, command.dims, command.sparse)
            self._chain = _Chain(*shape, result.carried)
        return Outcome(causes, result)

    def _reuse_allowed(self, command: Command) -> bool:
        """A reused tile must be there and of the command's shape."""
        if not command.reuse_keys:
            return True
        return self._tile is not None and self._tile[0].shape == (command.key_count, command.dims)

    def _merge_allowed(self, command: Command) -> bool:
        """Rows go on as they were left."""
        if not command.merge_previous:
            return True
        left = self._chain
        shape = (command.query_count, command.dims, command.sparse)
        return left is not None and (left.query_count, left.dims, left.sparse) == shape
