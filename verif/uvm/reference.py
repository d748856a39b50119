# SPDX-License-Identifier: Apache-2.0
"""The predictor in the UVM sense: from what went in on the pins to what must come out.

It sees packets that the input monitors saw, and knows the golden model. Nothing a driver or a
sequence meant reaches it.
"""

from collections import deque

import numpy as np
from pasa.accelerator import Accelerator
from pasa.command import Command, unpack_command
from pasa.formats import Build
from pyuvm import ConfigDB, uvm_analysis_port, uvm_component

from verif.uvm.agents import Tap
from verif.uvm.items import (
    BEAT_BYTES,
    INPUTS,
    SOURCES,
    Job,
    Packet,
    beats_of_output,
    rows_of_beats,
)


class Reference(uvm_component):
    """Joins each command with its packets and writes the job that they make."""

    def build_phase(self) -> None:
        self.hardware: Build = ConfigDB().get(self, "", "BUILD")
        self.accelerator = Accelerator(self.hardware)
        self.jobs = uvm_analysis_port("jobs", self)
        self.waiting: dict[str, deque[Packet]] = {stream: deque() for stream in SOURCES}
        self.number = 0
        self.taps = {stream: Tap(f"{stream}_in", self, self.sink(stream)) for stream in SOURCES}

    def sink(self, stream: str):
        """The function that takes the packets of one stream."""

        def take(packet: Packet) -> None:
            self.waiting[stream].append(packet)
            self.join()

        return take

    def join(self) -> None:
        """Whenever the oldest command has its packets, say what must come of them."""
        while self.waiting["command"]:
            command = unpack_command(self.waiting["command"][0].data[0])
            streams = ("command", *streams_of(command))
            if not all(self.waiting[stream] for stream in streams):
                return
            self.predict(command, {name: self.waiting[name].popleft() for name in streams})

    def predict(self, command: Command, inputs: dict[str, Packet]) -> None:
        """A command and its packets are complete."""
        faults = {} if self.accelerator.causes(command) else packet_faults(command, inputs)
        codes = {} if faults else self.codes(command, inputs)
        outcome = self.accelerator.execute(
            command, **codes, packet_causes=frozenset(f"{stream}_packet" for stream in faults)
        )
        job = Job(self.number, command, inputs, outcome.causes, faults, result=outcome.result)
        self.number += 1
        if outcome.result is not None:
            job.q, (job.k, job.v) = codes["q"], self.accelerator.tile
            job.beats = beats_of_output(outcome.result.output, bits=command.output_bits)
        self.jobs.write(job)

    def codes(self, command: Command, inputs: dict[str, Packet]) -> dict[str, np.ndarray]:
        """Rows that the packets of a command carry; none when it will be refused."""
        if self.accelerator.causes(command):
            return {}
        counts = {"query": command.query_count, "key": command.key_count}
        counts["value"] = command.key_count
        return {
            stream[0]: rows_of_beats(inputs[stream].data, counts[stream], command.dims)
            for stream in streams_of(command)
        }

    def forget(self) -> None:
        """A reset: what went in is lost."""
        self.accelerator.reset()
        for queue in self.waiting.values():
            queue.clear()


def streams_of(command: Command) -> tuple[str, ...]:
    """The data streams on which a command has a packet."""
    return ("query",) if command.reuse_keys else INPUTS


def packet_faults(command: Command, inputs: dict[str, Packet]) -> dict[str, str]:
    """Streams whose packet is ``short`` or ``long`` for the command, or came as ``broken``."""
    row = -(-command.dims // BEAT_BYTES)
    rows = {"query": command.query_count, "key": command.key_count, "value": command.key_count}
    found = {}
    for stream in streams_of(command):
        want, beats = rows[stream] * row, inputs[stream].beats
        if len(beats) != want:
            found[stream] = "short" if len(beats) < want else "long"
        elif beats[-1].broken:
            found[stream] = "broken"
    return found
