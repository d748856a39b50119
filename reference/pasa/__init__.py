# SPDX-License-Identifier: Apache-2.0
"""PASA: prediction-based approximate self-attention. Golden model, formats and workloads.

result = pasa.fixed.attention(q, k, v, scale_q=..., scale_k=..., scale_v=...,
                              min_probability=0.002)
"""

from pasa import errors, fixed, formats, ideal, masks, metrics
from pasa.accelerator import Accelerator, Outcome
from pasa.command import Command, make_command
from pasa.errors import ArgumentError, DataError, PasaError
from pasa.formats import Build
from pasa.plan import Step, plan_head

__all__ = [
    "Accelerator",
    "ArgumentError",
    "Build",
    "Command",
    "DataError",
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
    "plan_head",
]
