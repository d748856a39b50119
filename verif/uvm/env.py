# SPDX-License-Identifier: Apache-2.0
"""The environment of the core: six agents, the reference, the scoreboard, the coverage.

    sequence -> sequencer -> driver -> pins -> monitor -> reference -> scoreboard -> coverage
                                       pins -> monitor ---------------^

The left of the pins and the right of them share nothing but the pins.
"""

import random

import cocotb
from cocotb.triggers import ClockCycles
from pyuvm import uvm_env, uvm_sequencer

from verif.uvm.agents import SinkDriver, SourceDriver, StreamAgent
from verif.uvm.coverage import Coverage
from verif.uvm.items import SINKS, SOURCES
from verif.uvm.reference import Reference
from verif.uvm.scoreboard import Scoreboard


class CoreSequencer(uvm_sequencer):
    """Holds the sequencer of each stream, for sequences that use several.

    Attributes:
        streams: stream -> sequencer, filled by the environment.
    """

    streams: dict[str, uvm_sequencer]


class CoreEnv(uvm_env):
    """Everything around the core but the tests."""

    def build_phase(self) -> None:
        self.sequencer = CoreSequencer("sequencer", self)
        self.agents = {
            stream: StreamAgent(f"{stream}_agent", self, f"s_{stream}", SourceDriver)
            for stream in SOURCES
        } | {
            stream: StreamAgent(f"{stream}_agent", self, f"m_{stream}", SinkDriver)
            for stream in SINKS
        }
        self.reference = Reference("reference", self)
        self.scoreboard = Scoreboard("scoreboard", self)
        self.coverage = Coverage("coverage", self)

    def connect_phase(self) -> None:
        self.sequencer.streams = {name: agent.sequencer for name, agent in self.agents.items()}
        for stream in SOURCES:
            tap = self.reference.taps[stream]
            self.agents[stream].monitor.packets.connect(tap.analysis_export)
        self.reference.jobs.connect(self.scoreboard.jobs.analysis_export)
        outputs, statuses = (self.agents[stream].monitor for stream in SINKS)
        outputs.beats.connect(self.scoreboard.outputs.analysis_export)
        statuses.beats.connect(self.scoreboard.statuses.analysis_export)
        self.scoreboard.checked.connect(self.coverage.checked.analysis_export)

    @property
    def beats(self) -> int:
        """Beats that any monitor saw, a sign of life."""
        return sum(agent.monitor.count for agent in self.agents.values())

    def drop(self, dropping: bool) -> None:
        """While dropping, drivers throw away what they should send."""
        for stream in SOURCES:
            event = self.agents[stream].driver.dropping
            event.set() if dropping else event.clear()

    async def reset(self) -> None:
        """Reset the core in the middle of anything; what was under way is forgotten."""
        dut = cocotb.top
        dut.rst.value = 1
        self.drop(True)
        await ClockCycles(dut.clk, random.choice((1, 2, 5)))
        for agent in self.agents.values():
            agent.monitor.forget()
        self.reference.forget()
        self.scoreboard.forget()
        self.coverage.before = None
        dut.rst.value = 0
