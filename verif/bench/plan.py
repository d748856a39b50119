# SPDX-License-Identifier: Apache-2.0
"""What `make bench` runs: sections of runs, a run being heads that follow each other."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pasa.command import LONGEST
from pasa.formats import Build
from pasa.workloads import load_case

from verif.bench.heads import SPEECH
from verif.sim.plan import FITTED_PRED_DIMS, Job, Limits, Mode, Rows, shipped_jobs

#: Dense mode is as slow as it is regular: a hundred queries on 1500 keys say all.
TRACES = Limits(dense_scores=150_000, sparse_scores=2_250_000)
GROWTH = (64, 128, 256, 512, 1024, 2048)
LONG = {4096: 512, 8192: 256}  # keys: queries; longer than TILE_KEYS, tiles merge online
LONG_DENSE = 16  # queries
SHARE = 3  # lambda of made-up heads and of cut ones is SHARE / n
FRACTIONS = (0.03, 0.01, 0.005, 0.003, 0.002, 0.001, 0.0005, 2.0**-31)
KEEP_ALL = 2.0**-31
GROUP = 4  # query heads that share K and V
ONE_LOAD, OWN_LOADS = "one load", "four loads"
DECODE_QUERIES = (1, 4, 16)
STALLS = (0.0, 0.1, 0.5)
#: Other builds that are simulated, beside the default one.
BUILDS = (Build(rows=2, pred_keys=16), Build(rows=4, pred_keys=16))

SHOWN = "whisper-encoder-l3h0"  # of the encoder's heads the one nearest to their mean
TEXT = "minilm-l3h10"
DENSE = Mode("dense")


@dataclass(frozen=True)
class Run:
    """Heads sent without a pause: the next one loads while one runs.

    Attributes:
        section: part of the report.
        name: unique in its section.
        stall: share of the clocks in which each stream is held, at random.
    """

    section: str
    name: str
    jobs: tuple[Job, ...]
    stall: float = 0.0

    @property
    def label(self) -> str:
        """Unique name."""
        return f"{self.section}/{self.name}"

    def clocks(self, build: Build) -> int:
        """Rough number of clocks."""
        return round(sum(job.clocks(build) for job in self.jobs) / (1 - self.stall))

    def to_json(self) -> dict:
        """As plain values."""
        return {**dataclasses.asdict(self), "jobs": [job.to_json() for job in self.jobs]}

    @classmethod
    def from_json(cls, values: Mapping) -> "Run":
        """The inverse of `to_json`."""
        return cls(**{**values, "jobs": tuple(Job.from_json(job) for job in values["jobs"])})


def lam(value: float) -> Mode:
    """Keys of at least this probability, with tail."""
    return Mode(f"lambda-{value:.3g}", min_probability=value)


def cut(job: Job, *, queries: int, keys: int, mode: Mode, step: int = 1, first: int = 0) -> Job:
    """The first keys of a head, and every `step`-th of its `queries` from `first`, in a mode."""
    rows = Rows(first, first + queries, step)
    shape = (queries, keys, job.shape[2])
    return dataclasses.replace(job, mode=mode, rows=rows, keys=keys, shape=shape, all_keys=False)


class Heads:
    """The heads there are, as jobs in dense mode that `cut` changes."""

    def __init__(self, made: Mapping[str, Path], build: Build) -> None:
        self.traces = [j for j in shipped_jobs(TRACES, build) if j.mode.budget_like is None]
        dense = [job for job in self.traces if job.mode == DENSE]
        dense += [_made(path) for path in made.values()]
        self.by_name = {job.name: job for job in dense}

    def kind(self, kind: str) -> list[Job]:
        """Heads of one kind, in dense mode."""
        return [job for job in self.by_name.values() if job.kind == kind]


def _made(path: Path) -> Job:
    """A made-up head of any length, whole."""
    case = load_case(path, tile_keys=LONGEST)
    return Job(
        path=str(path.resolve()),
        name=case.name,
        kind=case.kind,
        basis=case.basis,
        shape=case.shape,
        mode=DENSE,
        rows=Rows(0, len(case.q), 1),
        keys=len(case.k),
        all_keys=True,
        pred_dims=FITTED_PRED_DIMS,
    )


def default_runs(heads: Heads) -> list[Run]:
    """Everything that runs on the default build."""
    runs = [Run("traces", job.label, (job,)) for job in heads.traces]
    runs += _short(heads) + _rows(heads) + _dense(heads) + _keep_all(heads) + _growth(heads)
    runs += _long(heads) + _fraction(heads) + _stalls(heads) + _overlap(heads)
    return runs + _grouped(heads) + _decode(heads) + builds_runs(heads)


def _short(heads: Heads) -> list[Run]:
    """n = 512, d = 64: the first keys and queries of the encoder's heads."""
    runs = [
        Run("n512", job.name, (cut(job, queries=512, keys=512, mode=lam(0.005)),))
        for job in heads.kind("whisper-encoder")
    ]
    dense = cut(heads.by_name[SHOWN], queries=512, keys=512, mode=DENSE)
    return [*runs, Run("n512", "dense", (dense,))]


def _rows(heads: Heads) -> list[Run]:
    """Rows of all sorts on 1024 keys: even, heavy-tailed, as uneven as they get."""
    even, tailed = heads.by_name["gaussian-1024"], heads.by_name["heavy_tailed-1024"]
    mode = lam(SHARE / 1024)
    wide = dataclasses.replace(even, pred_dims=64)
    runs = [
        Run("rows", name, (cut(job, queries=1024, keys=1024, mode=mode),))
        for name, job in (
            ("gaussian", even),
            ("gaussian, 64 predicted dims", wide),
            ("heavy-tailed", tailed),
        )
    ]
    for every in (2, 4):
        job = heads.by_name[f"uneven-1-in-{every}"]
        uneven = cut(job, queries=256, keys=1024, mode=lam(0.5 / 1024))
        runs.append(Run("rows", f"uneven, 1 row in {every} keeps all, the others one", (uneven,)))
    return runs


def _dense(heads: Heads) -> list[Run]:
    jobs = [
        cut(heads.by_name[f"gaussian-{n}"], queries=min(n, 512), keys=n, mode=DENSE)
        for n in (256, 512)
    ]
    jobs.append(cut(heads.by_name["gaussian-1024"], queries=256, keys=1024, mode=DENSE))
    return [Run("dense", f"{job.rows.count} queries, {job.keys} keys", (job,)) for job in jobs]


def _keep_all(heads: Heads) -> list[Run]:
    """Heads whose every key is kept, and the same ones dense."""
    gaussian = heads.by_name["gaussian-512"]
    wide = dataclasses.replace(gaussian, pred_dims=64)
    causal = heads.by_name["whisper-decoder-l2h4"]
    cases = (
        ("64 x 64", gaussian, 64, 64),
        ("256 x 256", gaussian, 256, 256),
        ("128 x 512, 64 predicted dims", wide, 128, 512),
        ("causal 273", causal, 273, 273),
    )
    return [
        Run("keep-all", f"{name}: {mode.name}", (cut(job, queries=q, keys=k, mode=mode),))
        for name, job, q, k in cases
        for mode in (DENSE, lam(KEEP_ALL))
    ]


def _growth(heads: Heads) -> list[Run]:
    """lambda falls with n, so that about the same share of the keys is kept."""
    runs = []
    for n in GROWTH:
        job = heads.by_name[f"gaussian-{max(n, 128)}"]
        runs.append(_grown("gaussian", job, n, mode=lam(SHARE / n)))
        runs.append(_grown("gaussian", job, n, mode=DENSE, queries=min(n, 64)))
    trace = heads.by_name[SHOWN]
    for n in (*(n for n in GROWTH if n < trace.keys), trace.keys):
        runs.append(_grown(SHOWN, trace, n, mode=lam(SHARE / n)))
    return runs


def _grown(name: str, job: Job, n: int, *, mode: Mode, queries: int | None = None) -> Run:
    label = f"{name} {n} {'dense' if mode == DENSE else 'sparse'}"
    return Run("growth", label, (cut(job, queries=queries or n, keys=n, mode=mode),))


def _long(heads: Heads) -> list[Run]:
    """More keys than a tile holds: some queries of a head, a chain of commands for each group."""
    runs = []
    for n, queries in LONG.items():
        gaussian, mode = heads.by_name[f"gaussian-{n}"], lam(SHARE / n)
        runs.append(_grown("gaussian", gaussian, n, mode=mode, queries=queries))
        runs.append(_grown("gaussian", gaussian, n, mode=DENSE, queries=LONG_DENSE))
        runs.append(_grown(SPEECH, heads.by_name[SPEECH], n, mode=mode, queries=512))
    return runs


def _fraction(heads: Heads) -> list[Run]:
    job = heads.by_name["gaussian-1024"]
    return [
        Run("fraction", f"λ {value:.3g}", (cut(job, queries=128, keys=1024, mode=lam(value)),))
        for value in FRACTIONS
    ]


def _stalls(heads: Heads) -> list[Run]:
    """Two heads each, every stream held at random; ITA's case beside them."""
    speech, text = heads.by_name[SHOWN], heads.by_name[TEXT]
    dense = heads.by_name["gaussian-128"]
    cases = {
        "n = 512, λ 0.005": cut(speech, queries=512, keys=512, mode=lam(0.005)),
        "minilm, λ 0.003": dataclasses.replace(
            text, mode=lam(0.003), rows=Rows(0, text.shape[0], 1)
        ),
        "n = 128, dense": cut(dense, queries=128, keys=128, mode=DENSE),
    }
    return [
        Run("stalls", f"{name}, {100 * stall:.0f} %", (job, job), stall=stall)
        for name, job in cases.items()
        for stall in STALLS
    ]


def _overlap(heads: Heads) -> list[Run]:
    """Heads back to back: limited by arithmetic, then by the streams."""
    by_mode = {job.label: job for job in heads.traces}
    encoder = [job.name for job in heads.kind("whisper-encoder")]
    text = [job.name for job in heads.kind("minilm")]
    decoder = [job.name for job in heads.kind("whisper-decoder")]
    short = [
        cut(heads.by_name[name], queries=128, keys=128, mode=lam(SHARE / 128)) for name in encoder
    ]
    halves = [cut(heads.by_name[name], queries=512, keys=512, mode=lam(0.005)) for name in encoder]
    layers = [by_mode[f"{name}:lambda-0.002"] for name in decoder]
    return [
        Run("overlap", "whisper-encoder λ 0.003", _all(by_mode, encoder[:4], "lambda-0.003")),
        Run("overlap", "minilm λ 0.003", _all(by_mode, text, "lambda-0.003")),
        Run("overlap", "n = 512 λ 0.005", tuple(halves * 2)),
        Run("overlap", "n = 128 λ 3/n", tuple(short * 4)),
        Run("overlap", "causal, n = 273 λ 0.002, two heads in turn", tuple(layers * 8)),
        Run(
            "overlap",
            "causal, n = 273 λ 0.002, layer by layer",
            tuple(job for job in layers for _ in range(8)),
        ),
    ]


def _grouped(heads: Heads) -> list[Run]:
    """Four query heads on one loaded K and V, and the same with K and V loaded for each.

    The query heads are rows of one real head from four places: that many queries that belong
    to the keys, no two alike.
    """
    cases = (("512 queries, 512 keys", 512, 512, 2), ("16 queries, 1500 keys", 16, 1500, 3),
             ("1 query, 1500 keys", 1, 1500, 3))  # fmt: skip
    runs = []
    for name, queries, keys, groups in cases:
        mode = lam(0.005 if keys == 512 else 0.002)
        jobs = [
            cut(job, queries=queries, keys=keys, mode=mode, first=place * 329)
            for job in heads.kind("whisper-encoder")[-groups:]
            for place in range(GROUP)
        ]
        kept = [
            dataclasses.replace(job, reuse_keys=place % GROUP > 0) for place, job in enumerate(jobs)
        ]
        runs.append(Run("grouped", f"{name}, {ONE_LOAD}", tuple(kept)))
        runs.append(Run("grouped", f"{name}, {OWN_LOADS}", tuple(jobs)))
    return runs


def _decode(heads: Heads) -> list[Run]:
    """A few queries on many keys, limited by the load: two layers of six heads, two long ones."""
    runs = []
    for queries in DECODE_QUERIES:
        text = "1 query" if queries == 1 else f"{queries} queries"
        jobs = [
            cut(job, queries=queries, keys=1500, mode=lam(0.002))
            for job in heads.kind("whisper-encoder")
        ]
        runs.append(Run("decode", f"{text}, 1500 keys", tuple(jobs * 2)))
        for keys, count in ((2048, 12), (8192, 2)):
            jobs = [
                cut(heads.by_name[SPEECH], queries=queries, keys=keys, mode=lam(SHARE / keys),
                    first=place * 32)
                for place in range(count)
            ]  # fmt: skip
            runs.append(Run("decode", f"{text}, {keys} keys", tuple(jobs)))
    return runs


def _all(by_mode: Mapping[str, Job], names: Sequence[str], mode: str) -> tuple[Job, ...]:
    return tuple(by_mode[f"{name}:{mode}"] for name in names)


def builds_runs(heads: Heads) -> list[Run]:
    """What runs on every build."""
    speech, text = heads.by_name[SHOWN], heads.by_name[TEXT]
    jobs = (
        cut(speech, queries=1500, keys=1500, mode=lam(0.003), step=5),
        cut(text, queries=500, keys=500, mode=lam(0.003)),
        cut(speech, queries=128, keys=512, mode=DENSE),
    )
    return [Run("builds", job.label, (job,)) for job in jobs]


# The file that the simulator processes read


def split(runs: Sequence[Run], build: Build, *, shards: int) -> list[list[Run]]:
    """Runs for each simulator process, about equally long, in the order given."""
    order = sorted(runs, key=lambda run: -run.clocks(build))
    parts: list[list[Run]] = [[] for _ in range(max(1, min(shards, len(runs))))]
    for run in order:
        min(parts, key=lambda part: sum(r.clocks(build) for r in part)).append(run)
    place = {run.label: number for number, run in enumerate(runs)}
    return [sorted(part, key=lambda run: place[run.label]) for part in parts]


def write_plan(path: Path, runs: Sequence[Run], build: Build) -> None:
    """Write the plan of one process."""
    plan = {"build": dataclasses.asdict(build), "runs": [run.to_json() for run in runs]}
    path.write_text(json.dumps(plan))


def read_plan(path: Path) -> tuple[Build, list[Run]]:
    """The build and the runs of one process."""
    plan = json.loads(path.read_text())
    return Build(**plan["build"]), [Run.from_json(run) for run in plan["runs"]]
