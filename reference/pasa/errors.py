# SPDX-License-Identifier: Apache-2.0
"""Errors raised by the package. Each message names the argument, what was given and the limit."""


class PasaError(Exception):
    """Base of every error this package raises on purpose."""


class ArgumentError(PasaError, ValueError):
    """An argument is outside what the accelerator or the model accepts."""


class DataError(ArgumentError):
    """An array or a case file cannot be used as it is."""
