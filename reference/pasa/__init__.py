# SPDX-License-Identifier: Apache-2.0
"""PASA: prediction-based approximate self-attention. Golden model, formats and workloads.

result = pasa.fixed.attention(q, k, v, scale_q=..., scale_k=..., scale_v=...,
                              min_probability=0.002)
"""

from pasa import errors, fixed, formats, ideal, masks, metrics
from pasa.command import Command, make_command
from pasa.errors import ArgumentError, DataError, PasaError
from pasa.formats import Build

__all__ = [
    "ArgumentError",
    "Build",
    "Command",
    "DataError",
    "PasaError",
    "errors",
    "fixed",
    "formats",
    "ideal",
    "make_command",
    "masks",
    "metrics",
]
