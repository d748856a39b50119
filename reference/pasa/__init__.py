# SPDX-License-Identifier: Apache-2.0
"""PASA: prediction-based approximate self-attention. Golden model, devices and workloads.

result = pasa.fixed.attention(q, k, v, scale_q=..., scale_k=..., scale_v=...,
                              min_probability=0.002)

with pasa.open("sim") as device:        # or "board", or "reference"
    result = device.attention(q, k, v, causal=True, min_probability=0.002)
"""

from pasa import errors, fixed, formats, ideal, masks, metrics, workloads
from pasa.accelerator import Accelerator, Outcome
from pasa.command import Command, make_command
from pasa.device import Device
from pasa.device import open_device as open
from pasa.errors import ArgumentError, DataError, PasaError
from pasa.formats import Build
from pasa.jobs import Attention, Job
from pasa.plan import Step, plan_head

__all__ = [
    "Accelerator",
    "ArgumentError",
    "Attention",
    "Build",
    "Command",
    "DataError",
    "Device",
    "Job",
    "Outcome",
    "PasaError",
    "Step",
    "errors",
    "fixed",
    "formats",
    "ideal",
    "make_command",
    "masks",
    "metrics",
    "open",
    "plan_head",
    "workloads",
]
