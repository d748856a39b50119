# SPDX-License-Identifier: Apache-2.0
"""Whisper tiny.en (Radford et al. 2022) from a CTranslate2 `model.bin`, in NumPy."""

import struct
import wave
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from .layers import (
    Array,
    Attend,
    Site,
    exact_attention,
    gelu,
    layer_norm,
    merge_heads,
    split_heads,
)

RATE, WINDOW, HOP, MELS, SECONDS = 16_000, 400, 160, 80, 30
START, NO_TIMESTAMPS, END, PREVIOUS = 50257, 50362, 50256, 50360
CONTEXT, LAYERS, HEADS = 448, 4, 6
DTYPES = {0: np.float32, 1: np.int8, 2: np.int16, 3: np.int32, 4: np.float16}


def read_ctranslate2(path: Path) -> dict[str, Array]:
    """Variables of a CTranslate2 file (version 6) by name; half floats become float32."""
    blob, at = path.read_bytes(), 0

    def take(form: str) -> int:
        nonlocal at
        (value,) = struct.unpack_from("<" + form, blob, at)
        at += struct.calcsize("<" + form)
        return value

    def text() -> str:
        nonlocal at
        size = take("H")
        at += size
        return blob[at - size : at].rstrip(b"\0").decode()

    version, spec, _revision, count = take("I"), text(), take("I"), take("I")
    if (version, spec) != (6, "WhisperSpec"):
        raise ValueError(f"{path}: {spec} version {version}, want WhisperSpec version 6")
    variables = {}
    for _ in range(count):
        name = text()
        shape = [take("I") for _ in range(take("B"))]
        dtype, size = np.dtype(DTYPES[take("B")]), take("I")
        array = np.frombuffer(blob, dtype, size // dtype.itemsize, at).reshape(shape)
        variables[name] = array.astype(np.float32) if dtype == np.float16 else array
        at += size
    return variables


def read_audio(path: Path) -> Array:
    """Samples in -1..1 of a mono 16 kHz file, .wav or headerless 16 bit .raw."""
    if path.suffix == ".raw":
        data = path.read_bytes()
    else:
        with wave.open(str(path)) as sound:
            if (sound.getframerate(), sound.getnchannels()) != (RATE, 1):
                raise ValueError(f"{path}: want mono at {RATE} Hz")
            data = sound.readframes(sound.getnframes())
    return np.frombuffer(data, "<i2").astype(np.float32) / 32768


def mel_filters() -> Array:
    """Slaney's area-normalised triangles, [MELS, WINDOW / 2 + 1]."""

    def to_hz(mel: Array) -> Array:
        return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))

    top = 15 + np.log(RATE / 2 / 1000) * 27 / np.log(6.4)
    edges = to_hz(np.linspace(0, top, MELS + 2))[:, None]
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)[None]
    rise = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.clip(np.minimum(rise, fall), 0, None) * 2 / (edges[2:] - edges[:-2])


def log_mel(audio: Array) -> Array:
    """[MELS, 3000] features of at most 30 s, padded with silence as Whisper does."""
    audio = np.pad(audio[: SECONDS * RATE], (0, max(0, SECONDS * RATE - len(audio))))
    audio = np.pad(audio, WINDOW // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(audio, WINDOW)[::HOP][:-1]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / WINDOW)
    power = np.abs(np.fft.rfft(frames * hann)) ** 2
    mel = np.log10(np.maximum(mel_filters() @ power.T, 1e-10))
    return ((np.maximum(mel, mel.max() - 8) + 4) / 4).astype(np.float32)


class Whisper:
    """The model in `folder` (`model.bin`, `tokenizer.json`); float32, no key cache."""

    def __init__(self, folder: Path) -> None:
        self.weights = read_ctranslate2(folder / "model.bin")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))

    def encode(self, audio: Array, *, attend: Attend = exact_attention) -> Array:
        """Samples at 16 kHz -> [1500, 384]."""
        x = gelu(self._convolve("encoder/conv1", log_mel(audio), stride=1))
        x = gelu(self._convolve("encoder/conv2", x, stride=2)).T
        x = x + self.weights["encoder/position_encodings/encodings"]
        for layer in range(LAYERS):
            at = f"encoder/layer_{layer}"
            x = self._attention(
                f"{at}/self_attention", x, None, Site("encoder", layer, False), attend
            )
            x = self._feed_forward(f"{at}/ffn", x)
        return self._norm("encoder", x)

    def decode(
        self, audio_state: Array, tokens: list[int], *, attend: Attend = exact_attention
    ) -> Array:
        """Logits [len(tokens), vocabulary] of the token after each of `tokens`."""
        if len(tokens) > CONTEXT:
            raise ValueError(f"tokens: {len(tokens)} given, at most {CONTEXT}")
        table = self.weights["decoder/embeddings/weight"]
        places = self.weights["decoder/position_encodings/encodings"]
        x = table[tokens] + places[: len(tokens)]
        for layer in range(LAYERS):
            at = f"decoder/layer_{layer}"
            x = self._attention(
                f"{at}/self_attention", x, None, Site("decoder", layer, True), attend
            )
            x = self._attention(
                f"{at}/attention", x, audio_state, Site("cross", layer, False), attend
            )
            x = self._feed_forward(f"{at}/ffn", x)
        return self._norm("decoder", x) @ table.T

    def transcribe(
        self, audio_state: Array, *, prompt: list[int] | None = None, limit: int = 100
    ) -> list[int]:
        """Greedy tokens of the transcript; `prompt` is the text before the audio."""
        head = ([PREVIOUS, *prompt] if prompt else []) + [START, NO_TIMESTAMPS]
        tokens: list[int] = []
        while len(tokens) < limit:
            logits = self.decode(audio_state, head + tokens)[-1]
            logits[END + 1 :] = -np.inf  # no special token inside the text
            token = int(logits.argmax())
            if token == END:
                break
            tokens.append(token)
        return tokens

    def _linear(self, name: str, x: Array) -> Array:
        return x @ self.weights[f"{name}/weight"].T + self.weights[f"{name}/bias"]

    def _norm(self, name: str, x: Array) -> Array:
        at = f"{name}/layer_norm"
        return layer_norm(x, self.weights[f"{at}/gamma"], self.weights[f"{at}/beta"], eps=1e-5)

    def _convolve(self, name: str, x: Array, *, stride: int) -> Array:
        """Kernel 3, padding 1: [channels, n] -> [outputs, n / stride]."""
        weight, bias = self.weights[f"{name}/weight"], self.weights[f"{name}/bias"]
        x = np.pad(x, ((0, 0), (1, 1)))
        taps = (weight[:, :, i] @ x[:, i : x.shape[1] - 2 + i : stride] for i in range(3))
        return sum(taps) + bias[:, None]

    def _attention(
        self, name: str, x: Array, other: Array | None, site: Site, attend: Attend
    ) -> Array:
        """x plus attention of x over itself, or over `other` when given."""
        normed = self._norm(name, x)
        if other is None:
            q, k, v = np.split(self._linear(f"{name}/linear_0", normed), 3, axis=1)
        else:
            q = self._linear(f"{name}/linear_0", normed)
            k, v = np.split(self._linear(f"{name}/linear_1", other), 2, axis=1)
        out = attend(site, *(split_heads(a, heads=HEADS) for a in (q, k, v)))
        last = "linear_1" if other is None else "linear_2"
        return x + self._linear(f"{name}/{last}", merge_heads(out))

    def _feed_forward(self, name: str, x: Array) -> Array:
        hidden = gelu(self._linear(f"{name}/linear_0", self._norm(name, x)))
        return x + self._linear(f"{name}/linear_1", hidden)
