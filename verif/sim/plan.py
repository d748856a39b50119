# SPDX-License-Identifier: Apache-2.0
"""What `make sim` runs: heads, modes, and the queries of each head that run.

A job is one head in one mode. Jobs travel to the simulator as JSON; `prepare` turns a job
into the packets' codes, the command and what the golden model expects.
"""

import dataclasses
import fnmatch
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pasa import fixed, ideal
from pasa.command import LONGEST, Command, make_command
from pasa.errors import DataError
from pasa.fixed import Result
from pasa.formats import SLICE_DIMS, Build
from pasa.plan import plan_head
from pasa.quantise import output_scale
from pasa.workloads import Case, load_case, shipped_paths

#: Two settings of lambda a kind of head; the first also sets the budget of the comparison.
#: The right lambda grows as n shrinks (DESIGN section 1); text has n = 500, speech 1500.
LAMBDAS: dict[str, tuple[float, float]] = {
    "whisper-encoder": (0.002, 0.003),
    "whisper-cross": (0.002, 0.003),
    "whisper-decoder": (0.002, 0.005),
    "minilm": (0.003, 0.005),
    "user": (0.002, 0.005),
}
#: Kind of head -> (lambda, largest mean relative error).
GOALS: dict[str, tuple[float, float]] = {
    "whisper-encoder": (0.002, 0.06),
    "minilm": (0.003, 0.11),
}
FITTED_PRED_DIMS = 16


@dataclass(frozen=True)
class Limits:
    """How much of a head runs: at most so many score evaluations (queries x keys) and keys."""

    dense_scores: int
    sparse_scores: int
    keys: int | None = None  # None: all of them, always so in Verilator
    heads_of_a_kind: int | None = None


#: Verilator runs some 15,000 clocks a second, Icarus about a hundred.
LIMITS = {
    "verilator": Limits(dense_scores=250_000, sparse_scores=2_250_000),
    "icarus": Limits(dense_scores=768, sparse_scores=768, keys=96, heads_of_a_kind=1),
}


@dataclass(frozen=True)
class Rows:
    """The queries that run, as range(start, stop, step)."""

    start: int
    stop: int
    step: int

    @property
    def count(self) -> int:
        """How many."""
        return len(range(self.start, self.stop, self.step))

    def within(self, first: int, end: int) -> "Rows":
        """Those from query `first` up to before query `end`; ValueError when there are none."""
        chosen = [
            query for query in range(self.start, self.stop, self.step) if first <= query < end
        ]
        return Rows(min(chosen), max(chosen) + 1, self.step)

    def part(self, places: slice) -> "Rows":
        """Those at these places, counted from 0."""
        first = self.start + places.start * self.step
        return Rows(first, min(self.start + places.stop * self.step, self.stop), self.step)

    def text(self, n_q: int) -> str:
        """Which of `n_q` queries these are, for a person."""
        if self.count == n_q:
            return "all"
        if self.start > 0 or self.stop + self.step <= n_q:
            return f"{self.start} to {self.stop - 1}"
        return f"every {_ordinal(self.step)}"


@dataclass(frozen=True)
class Mode:
    """How keys are selected; neither lambda nor budget is dense.

    Attributes:
        name: what ONLY= matches.
        min_probability: lambda, with tail.
        budget_like: budget without tail, of as many keys as this lambda keeps on average.
    """

    name: str
    min_probability: float | None = None
    budget_like: float | None = None


@dataclass(frozen=True)
class Job:
    """One head in one mode.

    Attributes:
        shape: n_q, n_k, d of the head, keys cut to `keys`.
        reuse_keys: the keys and values of the job before stay, only queries are sent.
    """

    path: str
    name: str  # of the head
    kind: str
    basis: str
    shape: tuple[int, int, int]
    mode: Mode
    rows: Rows
    keys: int
    all_keys: bool
    pred_dims: int
    reuse_keys: bool = False

    @property
    def label(self) -> str:
        """Unique name, HEAD:MODE."""
        return f"{self.name}:{self.mode.name}"

    def clocks(self, build: Build) -> int:
        """Rough number of clocks: loading, then each row in its lane."""
        _, _, d = self.shape
        times = -(-self.rows.count // build.merge_rows) if self.keys > build.tile_keys else 1
        keys = 0 if self.reuse_keys else self.keys * times
        load = max(keys, self.rows.count) * -(-d // SLICE_DIMS)
        visible = self.keys // 2 if self.kind == "whisper-decoder" else self.keys
        sparse = self.mode.min_probability or self.mode.budget_like
        items = visible // 16 + build.block_keys // 4 if sparse else visible
        return load + self.rows.count * items // build.rows

    def to_json(self) -> dict:
        """As plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, values: dict) -> "Job":
        """The inverse of `to_json`."""
        parts = {"mode": Mode(**values["mode"]), "rows": Rows(**values["rows"])}
        return cls(**{**values, **parts, "shape": tuple(values["shape"])})


@dataclass(frozen=True)
class Work:
    """One command of a job, ready to run.

    Attributes:
        job: with the queries of this command.
        case: the head with the queries and keys of this command.
        command: the integer command.
        expected: the golden model's result, bit for bit.
        exact: dense float64 attention of the same queries on all keys of the job.
    """

    job: Job
    case: Case
    command: Command
    expected: Result
    exact: Result

    @property
    def packets(self) -> dict[str, np.ndarray]:
        """Codes for each input stream; no keys and values where those before stay."""
        keys = {} if self.command.reuse_keys else {"key": self.case.k, "value": self.case.v}
        return {"query": self.case.q, **keys}


def shipped_jobs(limits: Limits, build: Build) -> list[Job]:
    """The heads that ship with PASA, in the fitted basis, each in every mode."""
    cases = [(path, load_case(path, basis="fitted", **_sizes(build))) for path in shipped_paths()]
    if limits.heads_of_a_kind is not None:
        cases = [
            item
            for kind in dict.fromkeys(case.kind for _, case in cases)
            for item in [c for c in cases if c[1].kind == kind][: limits.heads_of_a_kind]
        ]
    return [job for path, case in cases for job in _jobs(path, case, limits)]


def user_jobs(path: str | Path, limits: Limits, build: Build) -> list[Job]:
    """A user's own head in every mode; in the fitted basis if the file holds it.

    Raises:
        DataError: one line that names the file, the array and the limit.
    """
    case = load_case(path, **_sizes(build))
    with np.load(path, allow_pickle=False) as arrays:
        fitted = "q_fitted" in arrays
    if fitted:
        case = load_case(path, basis="fitted", **_sizes(build))
    return _jobs(path, case, limits)


def _sizes(build: Build) -> dict[str, int]:
    return {"head_dim": build.head_dim, "tile_keys": build.tile_keys}


def _jobs(path: str | Path, case: Case, limits: Limits) -> list[Job]:
    n_q, n_k, d = case.shape
    keys = min(n_k, limits.keys or n_k)
    lambdas = LAMBDAS.get(case.kind, LAMBDAS["user"])
    modes = [Mode("dense")]
    modes += [Mode(f"lambda-{value:g}", min_probability=value) for value in lambdas]
    modes += [Mode("budget", budget_like=lambdas[0])]
    every = -(-d // SLICE_DIMS) * SLICE_DIMS
    return [
        Job(
            path=str(Path(path).resolve()),
            name=case.name,
            kind=case.kind,
            basis=case.basis,
            shape=(n_q, keys, d),
            mode=mode,
            rows=_rows(
                case,
                keys,
                limits.dense_scores if mode.name == "dense" else limits.sparse_scores,
            ),
            keys=keys,
            all_keys=keys == n_k,
            pred_dims=min(FITTED_PRED_DIMS, every) if case.basis == "fitted" else every,
        )
        for mode in modes
    ]


def _rows(case: Case, keys: int, scores: int) -> Rows:
    """Queries spread over the head; of a causal head, whose rows must adjoin, the last ones."""
    n_q, most = len(case.q), max(1, scores // keys)
    if not case.causal:
        step = -(-n_q // most)
        return Rows(0, n_q, step)
    stop = max(1, min(n_q, keys - case.query_offset))
    return Rows(max(0, stop - most), stop, 1)


def select(jobs: Sequence[Job], only: str) -> list[Job]:
    """The jobs whose label, or head, matches one of the comma-separated globs in `only`.

    Raises:
        DataError: none does.
    """
    globs = [pattern.strip() for pattern in only.split(",")]
    chosen = [
        job
        for job in jobs
        if any(fnmatch.fnmatchcase(text, g) for g in globs for text in (job.label, job.name))
    ]
    if not chosen:
        heads = ", ".join(dict.fromkeys(job.name for job in jobs))
        modes = ", ".join(dict.fromkeys(job.mode.name for job in jobs))
        raise DataError(f"ONLY={only}: no such case; HEAD:MODE of {heads} and {modes}")
    return chosen


def narrow(jobs: Sequence[Job], queries: str) -> list[Job]:
    """The jobs with only the queries `FIRST:END` of their head, numbered from 0, END left out.

    Raises:
        DataError: the text is no such range, or a job has no query in it.
    """
    first, _, end = queries.partition(":")
    if not (first.isdigit() and end.isdigit()):
        raise DataError(f"QUERIES={queries}: want FIRST:END, such as 100:164")
    try:
        return [
            dataclasses.replace(job, rows=job.rows.within(int(first), int(end))) for job in jobs
        ]
    except ValueError:
        raise DataError(f"QUERIES={queries}: no query of {jobs[0].name} that runs") from None


def split(jobs: Iterable[Job], build: Build, *, shards: int) -> list[list[Job]]:
    """Jobs for each simulator process, about equally long; a head stays in one if it can."""
    heads: dict[str, list[Job]] = {}
    jobs = list(jobs)
    for job in jobs:
        heads.setdefault(job.name, []).append(job)
    groups = list(heads.values()) if len(heads) >= shards else [[job] for job in jobs]
    groups.sort(key=lambda group: -sum(job.clocks(build) for job in group))
    parts: list[list[Job]] = [[] for _ in range(max(1, min(shards, len(groups))))]
    for group in groups:
        shortest = min(parts, key=lambda part: sum(job.clocks(build) for job in part))
        shortest.extend(group)
    return parts


def write_plan(path: Path, parts: Sequence[Sequence[Job]], build: Build) -> None:
    """Write the plan that the simulator processes read."""
    plan = {
        "build": dataclasses.asdict(build),
        "shards": [[job.to_json() for job in part] for part in parts],
    }
    path.write_text(json.dumps(plan))


def read_plan(path: Path) -> tuple[Build, list[list[Job]]]:
    """The hardware build and the jobs of each process."""
    plan = json.loads(path.read_text())
    return Build(**plan["build"]), [[Job.from_json(j) for j in part] for part in plan["shards"]]


# From a job to packets and expectations


def head_of(job: Job) -> Case:
    """The head with the queries and keys that run."""
    return _sliced(job.path, job.basis, job.rows, job.keys)


def prepare(job: Job, build: Build) -> Work:
    """Load a head that fits one command, make the command, run the golden model."""
    (work,) = prepare_commands(job, build)
    return work


def prepare_commands(job: Job, build: Build) -> list[Work]:
    """The commands of a head of any length, in order, as `pasa.plan` divides it."""
    case, whole = head_of(job), _exact(job.path, job.basis, job.keys)
    scale, carried, works = whole.output_scale, None, []
    for step in plan_head(_head_command(job, case, scale, build), build=build):
        command = (
            dataclasses.replace(step.command, reuse_keys=1) if job.reuse_keys else step.command
        )
        part = dataclasses.replace(
            case,
            q=case.q[step.queries],
            k=case.k[step.keys],
            v=case.v[step.keys],
            query_offset=command.query_offset,
        )
        expected = fixed.run(
            command, part.q, part.k, part.v, build=build, output_scale=scale, carried=carried
        )
        carried = expected.carried
        rows = job.rows.part(step.queries)
        here = slice(rows.start, rows.stop, rows.step)
        exact = dataclasses.replace(whole, output=whole.output[here], empty=whole.empty[here])
        works.append(Work(dataclasses.replace(job, rows=rows), part, command, expected, exact))
    return works


def _head_command(job: Job, case: Case, scale: float, build: Build) -> Command:
    """The command of the whole head."""
    options: dict = {"pred_dims": job.pred_dims}
    if job.mode.budget_like is not None:
        options |= {"budget": _mean_kept(job, build), "tail": False}
    elif job.mode.min_probability is not None:
        options |= {"min_probability": job.mode.min_probability}
    return make_command(
        *case.shape,
        scale_q=case.scale_q,
        scale_k=case.scale_k,
        scale_v=case.scale_v,
        output_scale=scale,
        causal=case.causal,
        query_offset=case.query_offset,
        any_length=True,
        build=build,
        **options,
    )


def _mean_kept(job: Job, build: Build) -> int:
    """Keys a row that lambda keeps on average: the fair budget."""
    like = Mode("like", min_probability=job.mode.budget_like)
    kept = prepare(dataclasses.replace(job, mode=like), build).expected.kept
    return max(1, round(float(kept.mean())))


@lru_cache(maxsize=4)
def _loaded(path: str, basis: str) -> Case:
    return load_case(path, basis=basis, tile_keys=LONGEST)


@lru_cache(maxsize=4)
def _sliced(path: str, basis: str, rows: Rows, keys: int) -> Case:
    case = _loaded(path, basis)
    return dataclasses.replace(
        case,
        q=np.ascontiguousarray(case.q[rows.start : rows.stop : rows.step]),
        k=case.k[:keys],
        v=case.v[:keys],
        query_offset=case.query_offset + rows.start if case.causal else case.query_offset,
    )


@lru_cache(maxsize=4)
def _exact(path: str, basis: str, keys: int) -> Result:
    """Dense float64 attention of all queries, in codes of the head's own output scale."""
    case = _loaded(path, basis)
    result = ideal.attention(
        case.q,
        case.k[:keys],
        case.v[:keys],
        scale_q=case.scale_q,
        scale_k=case.scale_k,
        scale_v=case.scale_v,
        causal=case.causal,
        query_offset=case.query_offset,
    )
    scale = output_scale(result.real)
    return dataclasses.replace(result, output=result.real / scale, output_scale=scale)


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10)
    return f"{number}{ending or 'th'}"
