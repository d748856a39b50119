# SPDX-License-Identifier: Apache-2.0
"""Errors raised by the package. Each message names the argument, what was given and the limit."""


class PasaError(Exception):
    """Base of every error this package raises on purpose."""


class ArgumentError(PasaError, ValueError):
    """An argument is outside what the accelerator or the model accepts."""


class DataError(ArgumentError):
    """An array or a case file cannot be used as it is."""


class UnavailableError(PasaError):
    """A device is not there: no board, no PYNQ, no simulator."""


class BuildError(UnavailableError):
    """The simulated accelerator cannot be built."""


class DeviceError(PasaError):
    """A device did not do what it was told."""


class DeviceTimeout(DeviceError, TimeoutError):
    """A device did not answer in time."""


class BusError(DeviceError):
    """A register access was refused, or not answered."""


class PacketError(DeviceError):
    """An output packet is shorter or longer than the command says."""


class CommandRefused(DeviceError):
    """The accelerator refused a command; ``causes`` names why (see ``formats.CAUSES``)."""

    def __init__(self, message: str, *, causes: frozenset[str]):
        super().__init__(message)
        self.causes = causes
