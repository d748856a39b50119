# SPDX-License-Identifier: Apache-2.0
"""Functional coverage of the shell: what happened on its pins and was found right."""

from collections.abc import Iterable

from cocotb_coverage.coverage import CoverPoint, coverage_db, coverage_section
from pasa import formats

from verif.common.rdl import load
from verif.shell.heads import FAULTS, INPUTS

TOP = "shell"
ACCESSES = [
    f"{register.name}_{kind}"
    for register in load().values()
    for kind, legal in (("read", register.readable), ("write", register.writable))
    if legal
]
POINTS: dict[str, Iterable[str]] = {
    "access": ACCESSES,
    "refused": (
        "unmapped_read",
        "unmapped_write",
        "unaligned_read",
        "unaligned_write",
        "read_only_written",
        "write_only_read",
    ),
    "strobe": [str(strobe) for strobe in range(16)],
    "order": ("address_first", "data_first", "together"),
    "submit": ("queued", "no_room", "nothing", "in_reset"),
    "pop": ("removed", "none_waits", "nothing", "in_reset"),
    "cause": formats.CAUSES,
    "packet": [f"{stream}_{fault}" for stream in INPUTS for fault in FAULTS],
    "reset": ("idle", "commands", "inside_packet", "output", "statuses", "in_reset"),
    "event": (
        "interrupt_raised",
        "interrupt_masked",
        "commands_full",
        "statuses_full",
        "ran",
        "ran_after_refused",
        "keys_reused",
        "rows_merged",
        "int16",
    ),
}


def _point(name: str, bins: Iterable[str]) -> CoverPoint:
    def hit(facts: dict, label: str) -> bool:
        return label in facts.get(name, ())

    return CoverPoint(f"{TOP}.{name}", xf=lambda facts: facts, rel=hit, bins=list(bins), inj=False)


@coverage_section(*(_point(name, bins) for name, bins in POINTS.items()))
def sample(facts: dict[str, set[str]]) -> None:
    """Count what was seen: point -> bins."""


def count(**facts: str | Iterable[str]) -> None:
    """Count bins by point, one or several each."""
    sample({name: {bins} if isinstance(bins, str) else set(bins) for name, bins in facts.items()})


def hits() -> dict[str, int]:
    """``point.bin`` -> hits so far in this process."""
    return {
        f"{name}.{label}": number
        for name in POINTS
        for label, number in coverage_db[f"{TOP}.{name}"].detailed_coverage.items()
    }


def missed() -> list[str]:
    """Bins without a hit."""
    return sorted(name for name, number in hits().items() if not number)
