# SPDX-License-Identifier: Apache-2.0
"""The command `pasa`: run heads on a device, and compare with the golden model."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import numpy as np
import typer

from pasa import fixed, ideal
from pasa.device import open_device
from pasa.errors import ArgumentError, PasaError, UnavailableError
from pasa.formats import Build
from pasa.jobs import Attention
from pasa.metrics import relative_error
from pasa.workloads import BASES, Case, load_case, shipped_paths

Value = TypeVar("Value")
Result = TypeVar("Result", Attention, fixed.Result)

EXIT_CODES = """Exit codes: 0 done, and equal to the golden model; 1 it differs; 2 an argument or a
file is wrong; 3 the device failed; 4 the device cannot be built or reached."""

app = typer.Typer(
    help="PASA: approximate self-attention on the golden model, the simulated hardware, a board.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


class Kind(Enum):
    """Devices."""

    reference = "reference"
    sim = "sim"
    board = "board"


@dataclass(frozen=True)
class Request:
    """What to compute of a head."""

    head: str
    basis: str
    queries: str
    options: dict[str, object]
    output: Path | None


def _head_names() -> list[str]:
    return [path.stem for path in shipped_paths()]


def _complete_head(incomplete: str) -> list[str]:
    return [name for name in _head_names() if name.startswith(incomplete)]


# Options that several commands share.
HeadArgument = Annotated[
    str,
    typer.Argument(
        help="a shipped head (see `pasa info`) or an .npz with arrays q, k and v",
        autocompletion=_complete_head,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object")]
BuildOption = Annotated[
    str, typer.Option("--build", help="hardware, such as ROWS=2,TILE_KEYS=512; rest as default")
]
BasisOption = Annotated[str, typer.Option(help="plain or fitted; see reference/data")]
QueriesOption = Annotated[str, typer.Option(help="FIRST:END, some of the head's queries")]
LambdaOption = Annotated[
    float | None, typer.Option("--min-probability", help="keep keys of at least this; 0 < p <= 1")
]
BudgetOption = Annotated[int | None, typer.Option(help="keep at most this many keys a row")]
TailOption = Annotated[bool, typer.Option(help="one virtual key for a block's dropped keys")]
DimsOption = Annotated[int, typer.Option(help="dimensions the predictor reads, 16, 32, ...")]
BitsOption = Annotated[int, typer.Option(help="of an output code, 8 or 16")]
OutputOption = Annotated[
    Path | None, typer.Option("--output", help="write output and scale to this .npz")
]
TimeoutOption = Annotated[float | None, typer.Option(help="seconds a command may take")]


@app.command()
def run(
    head: HeadArgument,
    device: Annotated[Kind, typer.Option(help="where it runs")] = Kind.reference,
    bitfile: Annotated[str, typer.Option(help="board: the .bit")] = "pasa.bit",
    build: BuildOption = "",
    basis: BasisOption = "fitted",
    queries: QueriesOption = "",
    min_probability: LambdaOption = None,
    budget: BudgetOption = None,
    tail: TailOption = True,
    pred_dims: DimsOption = 16,
    output_bits: BitsOption = 8,
    output: OutputOption = None,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one head on a device. Without --min-probability and --budget it looks at every key.

    \b
    pasa run whisper-encoder-l0h1 --min-probability 0.002
    pasa run my.npz --device board --bitfile pasa.bit --budget 64 --output out.npz
    """
    options = _options(min_probability, budget, tail, pred_dims, output_bits)
    request = Request(head, basis, queries, options, output)
    arguments: dict[str, object] = {"timeout": timeout}
    if device is Kind.board:
        if build:
            _end(ArgumentError("--build: a board has the build of its bitstream"))
        arguments["bitfile"] = bitfile
    else:
        arguments["build"] = _attempt(lambda: parse_build(build))
    _attempt(lambda: _run(request, device.value, arguments, as_json))


@app.command()
def sim(
    head: HeadArgument,
    build: BuildOption = "",
    stream_bits: Annotated[int, typer.Option(help="width of the AXI streams")] = 128,
    seed: Annotated[int, typer.Option(help="of first register values and stalls")] = 1,
    stalls: Annotated[int, typer.Option(help="percent of clocks the host pauses")] = 0,
    basis: BasisOption = "fitted",
    queries: QueriesOption = "",
    min_probability: LambdaOption = None,
    budget: BudgetOption = None,
    tail: TailOption = True,
    pred_dims: DimsOption = 16,
    output_bits: BitsOption = 8,
    output: OutputOption = None,
    timeout: TimeoutOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run one head on the simulated hardware, through its AXI ports. Compiles it the first time.

    \b
    pasa sim whisper-decoder-l0h2 --build ROWS=2,TILE_KEYS=512 --stalls 20
    """
    options = _options(min_probability, budget, tail, pred_dims, output_bits)
    request = Request(head, basis, queries, options, output)
    arguments = {"timeout": timeout, "stream_bits": stream_bits, "seed": seed, "stalls": stalls}
    arguments["build"] = _attempt(lambda: parse_build(build))
    _attempt(lambda: _run(request, "sim", arguments, as_json))


@app.command()
def info(
    device: Annotated[Kind, typer.Option(help="which one to ask")] = Kind.reference,
    bitfile: Annotated[str, typer.Option(help="board: the .bit")] = "pasa.bit",
    build: BuildOption = "",
    as_json: JsonOption = False,
) -> None:
    """What a device says it is, and the heads that ship with PASA."""
    arguments: dict[str, object] = {}
    if device is Kind.board:
        arguments["bitfile"] = bitfile
    else:
        arguments["build"] = _attempt(lambda: parse_build(build))
    _attempt(lambda: _info(device.value, arguments, as_json))


def parse_build(text: str) -> Build:
    """A hardware build from "ROWS=2,TILE_KEYS=512"; what is not named keeps its default."""
    known = tuple(Build.__dataclass_fields__)
    values = {}
    for part in filter(None, text.split(",")):
        name, _, value = part.partition("=")
        if name.strip().lower() not in known or not value.strip().isdigit():
            raise ArgumentError(
                f"--build: {part!r} given, want NAME=number with {', '.join(known).upper()}"
            )
        values[name.strip().lower()] = int(value)
    return Build(**values)


def find_case(head: str, *, basis: str, queries: str) -> Case:
    """A shipped head or a file's, perhaps only some of its queries."""
    if basis not in BASES:
        raise ArgumentError(f"--basis: {basis!r} given, want one of {', '.join(BASES)}")
    paths = {path.stem: path for path in shipped_paths()}
    path = paths.get(head, Path(head))
    if head not in paths and path.suffix != ".npz":
        raise ArgumentError(f"{head!r} is no shipped head (see `pasa info`) and no .npz file")
    case = load_case(path, basis=basis, head_dim=128, tile_keys=1 << 16)
    return _narrow(case, queries) if queries else case


def _narrow(case: Case, queries: str) -> Case:
    """The case with queries FIRST:END only."""
    first, _, end = queries.partition(":")
    if not (first.isdigit() and end.isdigit() and int(first) < int(end) <= len(case.q)):
        raise ArgumentError(
            f"--queries: {queries!r} given, want FIRST:END with FIRST < END <= {len(case.q)}"
        )
    changed = {"q": case.q[int(first) : int(end)], "query_offset": case.query_offset + int(first)}
    return Case(**{**case.__dict__, **changed})


def _options(
    min_probability: float | None, budget: int | None, tail: bool, pred_dims: int, output_bits: int
) -> dict[str, object]:
    """Keywords of ``Device.attention`` from the command line."""
    return {
        "min_probability": min_probability,
        "budget": budget,
        "tail": tail,
        "pred_dims": pred_dims,
        "output_bits": output_bits,
    }


def _attention(attention: Callable[..., Result], case: Case, options: dict[str, object]) -> Result:
    """The head by a function of the signature that device and golden model share."""
    return attention(case.q, case.k, case.v, **case.options, **options)


def _run(request: Request, kind: str, arguments: dict[str, object], as_json: bool) -> None:
    """Run, print, write; end with 1 where the golden model says something else."""
    case = find_case(request.head, basis=request.basis, queries=request.queries)
    with open_device(kind, **arguments) as device:
        result = _attention(device.attention, case, request.options)
        build = device.build
    if request.output is not None:
        np.savez(request.output, output=result.output, output_scale=result.output_scale)
    report = {
        "head": case.name,
        "device": kind,
        "shape": dict(zip(("n_q", "n_k", "d"), case.shape, strict=True)),
        "build": asdict(build),
        **_judge(case, result, request.options, build),
        "kept_fraction": result.kept_fraction,
        "flags": sorted(result.flags),
        "counters": result.counters,
    }
    _print(report, as_json)
    if report["wrong"]:
        raise typer.Exit(1)


def _judge(
    case: Case, result: Attention, options: dict[str, object], build: Build
) -> dict[str, object]:
    """Elements that differ from the golden model, and the error against exact attention."""
    wanted = _attention(partial(fixed.attention, build=build), case, options)
    bits = {"output_bits": options["output_bits"]}
    exact = _attention(partial(ideal.attention, build=build), case, bits)
    return {
        "elements": result.output.size,
        "wrong": int(np.count_nonzero(result.output != wanted.output)),
        "relative_error": relative_error(result.output, exact.output),
    }


def _info(kind: str, arguments: dict[str, object], as_json: bool) -> None:
    """Print what the device is and the shipped heads."""
    with open_device(kind, **arguments) as device:
        identity = asdict(device.identity)
    identity["version"] = ".".join(map(str, identity["version"]))
    _print({"device": kind, **identity, "heads": _head_names()}, as_json)


def _print(report: dict[str, object], as_json: bool) -> None:
    """The report as one JSON object, or as lines."""
    if as_json:
        print(json.dumps(report))
        return
    for name, value in report.items():
        if isinstance(value, dict):
            value = ", ".join(f"{key} {part}" for key, part in value.items())
        elif isinstance(value, list):
            value = ", ".join(value) or "none"
        elif isinstance(value, float):
            value = f"{value:.4f}"
        print(f"{name:14} {value}")


def _attempt(action: Callable[[], Value]) -> Value:
    """Do it; an error of ours is one line and an exit code."""
    try:
        return action()
    except PasaError as error:
        _end(error)


def _end(error: PasaError) -> NoReturn:
    """Say what is wrong and end with the code for it."""
    print(f"pasa: {error}", file=sys.stderr)
    codes = {ArgumentError: 2, UnavailableError: 4}
    raise typer.Exit(next((codes[kind] for kind in codes if isinstance(error, kind)), 3))


def main() -> None:
    """The entry point."""
    app(prog_name="pasa")
