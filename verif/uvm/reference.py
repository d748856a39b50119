# SPDX-License-Identifier: Apache-2.0
"""The predictor in the UVM sense: from what went in on the pins to what must come out.

It sees packets that the input monitors saw, and knows the golden model. Nothing a driver or a
sequence meant reaches it.
"""

from collections import deque

from pasa import fixed
from pasa.command import unpack_command
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
    """Joins each command with its three packets and writes the job that they make."""

    def build_phase(self) -> None:
        self.hardware: Build = ConfigDB().get(self, "", "BUILD")
        self.jobs = uvm_analysis_port("jobs", self)
        self.waiting: dict[str, deque[Packet]] = {stream: deque() for stream in SOURCES}
        self.number = 0
        self.taps = {stream: Tap(f"{stream}_in", self, self.sink(stream)) for stream in SOURCES}

    def sink(self, stream: str):
        """The function that takes the packets of one stream."""

        def take(packet: Packet) -> None:
            self.waiting[stream].append(packet)
            if all(self.waiting.values()):
                self.predict({name: queue.popleft() for name, queue in self.waiting.items()})

        return take

    def predict(self, inputs: dict[str, Packet]) -> None:
        """A command and its packets are complete: say what must come of them."""
        command = unpack_command(inputs["command"].data[0])
        causes = command.causes(self.hardware)
        faults = {} if causes else packet_faults(command, inputs)
        causes |= {f"{stream}_packet" for stream in faults}
        job = Job(self.number, command, inputs, frozenset(causes), faults)
        self.number += 1
        if not causes:
            self.run(job)
        self.jobs.write(job)

    def run(self, job: Job) -> None:
        """Let the golden model compute the job."""
        c = job.command
        counts = {"query": c.query_count, "key": c.key_count, "value": c.key_count}
        job.q, job.k, job.v = (
            rows_of_beats(job.inputs[stream].data, counts[stream], c.dims) for stream in INPUTS
        )
        job.result = fixed.run(c, job.q, job.k, job.v, build=self.hardware)
        job.beats = beats_of_output(job.result.output, bits=c.output_bits)

    def forget(self) -> None:
        """A reset: what went in is lost."""
        for queue in self.waiting.values():
            queue.clear()


def packet_faults(command, inputs: dict[str, Packet]) -> dict[str, str]:
    """Streams whose packet is not as long as the command says: ``short`` or ``long``."""
    row = -(-command.dims // BEAT_BYTES)
    rows = {"query": command.query_count, "key": command.key_count, "value": command.key_count}
    found = {}
    for stream in INPUTS:
        want, got = rows[stream] * row, len(inputs[stream].beats)
        if got != want:
            found[stream] = "short" if got < want else "long"
    return found
