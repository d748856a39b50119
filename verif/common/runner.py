# SPDX-License-Identifier: Apache-2.0
"""Build and run one cocotb simulation: the only place that does.

    from verif.common.runner import check_mutant_caught, simulate

    def test_design(sim, width):
        simulate("pasa_skid", test_module=__name__, parameters={"WIDTH": width}, sim=sim)

`simulate` fails unless the simulator ran to its end, every cocotb test of the
module ran, and all passed. A failure ends with the one line that replays it.
"""

import hashlib
import importlib
import json
import logging
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from cocotb._decorators import Test, TestGenerator
from cocotb_tools.runner import Icarus, Runner, Verilator, VerilatorControlFile
from filelock import FileLock

from verif.common.hdl import INCLUDE, ROOT, closure, headers
from verif.common.tools import tool_environment

SIMULATORS = ("verilator", "icarus")
DEFAULT_SEED = 1  # fixed, so that two runs of one commit agree; `make regress` varies it
BENCH = ROOT / "build" / "bench"
TAIL = 25  # log lines shown with a failure

Mutant = tuple[str, str, str]  # file name, text that occurs in it, what replaces it


class SimulationError(AssertionError):
    """The build failed, the simulator ended early, or fewer tests ran than expected."""


@dataclass(frozen=True)
class Result:
    """What one simulation did."""

    tests: int  # cocotb tests that ran
    failures: int  # of which failed
    failed: tuple[str, ...]  # their names
    seed: int
    replay: str  # one shell line that repeats it, with waves
    log: Path  # output of the simulator
    waves: Path | None


@dataclass(frozen=True)
class _Job:
    """Everything that decides what is built."""

    top: str
    sim: str
    name: str
    files: tuple[Path, ...]
    parameters: Mapping[str, object]
    waves: bool
    optimise: bool
    mutant: Mutant | None
    activity: bool

    @property
    def pins_only(self) -> bool:
        """Whether the bench reads and writes the pins alone; waves still show every signal."""
        return self.optimise and self.sim == "verilator"

    @property
    def folder(self) -> Path:
        """One folder for each configuration; its content follows the sources."""
        choice = [self.top, sorted(self.parameters.items()), self.waves, self.optimise, self.mutant]
        choice += ["activity"] if self.activity else []
        return BENCH / self.sim / f"{self.name}-{_digest(repr(choice))}"

    def fingerprint(self) -> str:
        """Changes when anything changes that the build reads."""
        read = [*self.files, *headers(self.files), Path(__file__)]
        return _digest(*(f"{path}\n{path.read_text()}" for path in read), sys.version)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12]


def simulate(
    top: str,
    *,
    test_module: str,
    parameters: Mapping[str, object] | None = None,
    sim: str | None = None,
    seed: int | None = None,
    build_name: str | None = None,
    sources: Sequence[Path] = (),
    waves: bool | None = None,
    env: Mapping[str, str] | None = None,
    mutant: Mutant | None = None,
    optimise: bool = False,
    activity: bool = False,
    tests: str | None = None,
    expected: int | None = None,
    replay: str | None = None,
    check: bool = True,
) -> Result:
    """Build `top` where needed and run the cocotb tests of one module on it.

    Args:
        top: Name of the top module.
        test_module: Dotted name of the module with the cocotb tests (`__name__`).
        parameters: Verilog parameters of the top.
        sim: "verilator" or "icarus"; default SIM of the environment, else verilator.
        seed: Default SEED of the environment, else `DEFAULT_SEED`.
        build_name: Readable name of the build folder; default `top`.
        sources: Files outside hdl/ that `top` may need, such as a bench top.
        waves: Record all signals; default WAVES of the environment.
        env: Further environment variables of the simulation.
        mutant: (file name, good, bad): the build uses `bad` where that file says `good`.
        optimise: For long runs: Verilator at -O3 with only the pins of `top` visible.
        activity: Instead of waves, Verilator counts how often each signal changes (SAIF).
        tests: Regular expression that selects tests by name.
        expected: Number of tests that must run; default what `test_module` declares.
        replay: The line that repeats this run; default made from the pytest test.
        check: Raise on a failing test. Only benches of failing designs say False.

    Returns:
        Counts, seed, replay line and files.

    Raises:
        SimulationError: The build failed, the simulator ended early, tests are
            missing, or (with `check`) a test failed.
        ValueError: `sim` is unknown, or cannot count activity.
    """
    __tracebackhide__ = True
    sim = sim or os.environ.get("SIM") or "verilator"
    if sim not in SIMULATORS:
        raise ValueError(f"sim is {sim!r}, must be one of {', '.join(SIMULATORS)}")
    if activity and sim != "verilator":
        raise ValueError(f"sim is {sim!r}, only verilator counts activity")
    seed = int(os.environ.get("SEED") or DEFAULT_SEED) if seed is None else seed
    waves = os.environ.get("WAVES", "") not in ("", "0") if waves is None else waves
    job = _Job(
        top=top,
        sim=sim,
        name=build_name or top,
        files=tuple(closure(top, extra=sources)),
        parameters=dict(parameters or {}),
        waves=waves or activity,
        optimise=optimise,
        mutant=mutant,
        activity=activity,
    )
    replay = replay or _replay_line(sim, seed)
    if expected is None:
        expected = count_tests(test_module, select=tests)
    with _environment(tool_environment()):
        runner = _build(job)
        return _run(job, runner, test_module, seed, env or {}, tests, expected, replay, check)


def check_mutant_caught(top: str, *, mutant: Mutant, **options) -> Result:
    """Assert that the bench fails on a broken copy of the design.

    Takes the arguments of `simulate`. A mutant that does not build, or that
    kills the simulator, is an error and not a catch.
    """
    __tracebackhide__ = True
    options["env"] = {**options.get("env", {}), "COCOTB_MAX_FAILURES": "1"}
    result = simulate(top, mutant=mutant, check=False, **options)
    file_name, good, bad = mutant
    assert result.failures > 0, (
        f"mutant survived: {file_name}: {good!r} -> {bad!r}\n  log    {result.log}\n"
        f"  replay {result.replay}"
    )
    return result


def count_tests(test_module: str, *, select: str | None = None) -> int:
    """Number of cocotb tests that a module declares, skipped ones not counted."""
    found = vars(importlib.import_module(test_module)).values()
    tests = [item for item in found if isinstance(item, Test)]
    for item in found:
        if isinstance(item, TestGenerator):
            tests += item.generate_tests()
    pattern = re.compile(select or "")
    return sum(1 for test in tests if not test.skip and pattern.search(test.fullname))


# Build


class _Verilator(Verilator):
    """cocotb's runner with the compiler options of `job`."""

    def __init__(self, job: _Job) -> None:
        super().__init__()
        self.job = job

    def _build_command(self) -> list[list[str]]:
        verilate, make = super()._build_command()
        if self.job.pins_only:
            verilate.remove("--public-flat-rw")
        if self.job.activity:
            verilate[verilate.index("--trace")] = "--trace-saif"
        # Of pasa_core, -O2 takes twice as long to compile as -O1 and runs no faster.
        # A build with waves runs once or twice, so it shall be ready soon.
        fast = "-O1" if self.job.optimise and not self.job.waves else "-O0"
        # The wheel was built by a compiler that needs no flag to include a precompiled header.
        include = "CFG_CXXFLAGS_PCH_I=-include"
        return [verilate, [*make, include, f"OPT_FAST={fast}", "OPT_SLOW=-O0"]]


def _verilator_arguments(job: _Job) -> list[str]:
    # Random initial values: a design that needs an unreset register shows it.
    random_values = ["--x-assign", "unique", "--x-initial", "unique"]
    return [
        *("--language", "1364-2005", "--quiet", *random_values),
        *(["-O3"] if job.optimise else []),
        *(["-Wno-fatal"] if job.mutant else []),
    ]


def _build(job: _Job) -> Runner:
    """A runner with an up-to-date build; safe beside other processes."""
    __tracebackhide__ = True
    runner = _Verilator(job) if job.sim == "verilator" else Icarus()
    runner.log.setLevel(logging.WARNING)
    folder = job.folder
    folder.mkdir(parents=True, exist_ok=True)
    stamp, fingerprint = folder / "built", job.fingerprint()
    with FileLock(f"{folder}.lock"):
        if not (stamp.exists() and stamp.read_text() == fingerprint):
            stamp.unlink(missing_ok=True)
            _compile(job, runner, folder)
            stamp.write_text(fingerprint)
    return runner


def _compile(job: _Job, runner: Runner, folder: Path) -> None:
    __tracebackhide__ = True
    files: list[Path | VerilatorControlFile] = list(_mutated(job, folder))
    if job.pins_only:
        control = folder / "visible.vlt"
        control.write_text(f'`verilator_config\npublic_flat_rw -module "{job.top}" -var "*"\n')
        files.insert(0, VerilatorControlFile(control))
    log = folder / "build.log"
    try:
        runner.build(
            sources=files,
            hdl_toplevel=job.top,
            includes=[INCLUDE],
            parameters=job.parameters,
            build_args=_verilator_arguments(job) if job.sim == "verilator" else [],
            build_dir=folder,
            timescale=("1ns", "1ps"),
            waves=job.waves,
            always=True,
            log_file=log,
        )
    except (RuntimeError, SystemExit) as error:
        text = log.read_text(errors="replace") if log.exists() else ""
        raise SimulationError(
            f"{job.sim} cannot build {job.top}: {error}\n{_tail(text)}\n  log    {log}"
        ) from None


def _mutated(job: _Job, folder: Path) -> list[Path]:
    """The source files, with the mutant's copy in place of the original."""
    if job.mutant is None:
        return list(job.files)
    file_name, good, bad = job.mutant
    original = next((path for path in job.files if path.name == file_name), None)
    assert original, f"mutant: {job.top} does not use {file_name}"
    text = original.read_text()
    assert good in text, f"mutant: {file_name} no longer contains {good!r}"
    copy = folder / "mutant" / file_name
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(text.replace(good, bad, 1))
    return [copy if path == original else path for path in job.files]


# Run


def _run(
    job: _Job,
    runner: Runner,
    test_module: str,
    seed: int,
    env: Mapping[str, str],
    tests: str | None,
    expected: int,
    replay: str,
    check: bool,
) -> Result:
    __tracebackhide__ = True
    who = [test_module, str(seed), json.dumps(dict(env), sort_keys=True), tests or ""]
    folder = job.folder / f"run-{_digest(*who, os.environ.get('PYTEST_XDIST_WORKER', ''))}"
    folder.mkdir(exist_ok=True)
    xml, log = folder / "results.xml", folder / "sim.log"
    print(f"{job.name} on {job.sim}, seed {seed}, log {log.relative_to(ROOT)}", flush=True)
    plusargs = [f"+verilator+seed+{seed % 2**31 or 1}", "+verilator+rand+reset+2"]
    died = ""
    with FileLock(f"{folder}.lock"):
        try:
            runner.test(
                hdl_toplevel=job.top,
                hdl_toplevel_lang="verilog",
                test_module=test_module,
                build_dir=job.folder,
                test_dir=folder,
                results_xml=str(xml),
                seed=seed,
                waves=job.waves,
                test_filter=tests,
                plusargs=plusargs if job.sim == "verilator" else [],
                extra_env={"COCOTB_ANSI_OUTPUT": "0", "PYTHONUNBUFFERED": "1", **env},
                log_file=log,
            )
        except (RuntimeError, SystemExit) as error:
            died = str(error)
        ran, failed = read_results(xml)
    result = Result(ran, len(failed), failed, seed, replay, log, _waves_file(job, folder))
    stopped = bool(failed) and "COCOTB_MAX_FAILURES" in env  # a mutant: one failure is enough
    problem = _problem(result, died, expected, stopped=stopped, check=check)
    if problem is None:
        return result
    text = log.read_text(errors="replace") if log.exists() else ""
    raise SimulationError(
        f"{job.name} on {job.sim}, seed {seed}: {problem}\n{_tail(text)}\n"
        f"  log    {log}\n  replay {replay}"
    )


def _problem(result: Result, died: str, expected: int, *, stopped: bool, check: bool) -> str | None:
    """Why the run is no success, or None."""
    if result.tests == 0 or (result.tests != expected and not stopped):
        return f"{result.tests} of {expected} tests ran, the simulator ended early"
    if died and not result.failures:
        return f"the simulator failed: {died}"
    if result.failures and check:
        return f"{result.failures} of {result.tests} tests failed: {', '.join(result.failed)}"
    return None


def read_results(xml: Path) -> tuple[int, tuple[str, ...]]:
    """(tests that ran, names of failed ones) of a results file; (0, ()) without one."""
    try:
        cases = list(ElementTree.parse(xml).getroot().iter("testcase"))
    except (FileNotFoundError, ElementTree.ParseError):
        return 0, ()
    ran = [case for case in cases if case.find("skipped") is None]
    bad = [
        case for case in ran if case.find("failure") is not None or case.find("error") is not None
    ]
    return len(ran), tuple(case.get("name", "?") for case in bad)


def _waves_file(job: _Job, folder: Path) -> Path | None:
    if not job.waves:
        return None
    if job.activity:
        return folder / "dump.saif"
    return folder / "dump.vcd" if job.sim == "verilator" else job.folder / f"{job.top}.fst"


def _tail(text: str) -> str:
    """The interesting end of a log: from the first error on, else the last lines."""
    lines = text.splitlines()
    error = re.compile(r"%Error|: error|Traceback|AssertionError|failed$")
    at = next((i for i, line in enumerate(lines) if error.search(line)), len(lines) - TAIL)
    return "\n".join("    " + line for line in lines[max(at, 0) : max(at, 0) + TAIL])


def _replay_line(sim: str, seed: int) -> str:
    """The command that repeats the running pytest test with waves."""
    node = os.environ.get("PYTEST_CURRENT_TEST", "").rsplit(" ", 1)[0]
    path, _, test = node.partition("::")
    options = f"SIM={sim} SEED={seed} WAVES=1"
    if path.startswith("verif/uvm/"):
        return f"make uvm {options} K={shlex.quote(test)}"
    if path.startswith("verif/"):
        return (
            f"make unit M={Path(path).stem.removeprefix('test_')} {options} K={shlex.quote(test)}"
        )
    return f"{options} .venv/bin/python -m pytest {shlex.quote(node)}"


@contextmanager
def _environment(env: Mapping[str, str]):
    """os.environ as given for a while: cocotb's runner reads it."""
    before = dict(os.environ)
    os.environ.update(env)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
