# SPDX-License-Identifier: Apache-2.0
"""all-MiniLM-L6-v2 (sentence embedding, 6 layers, 12 heads, d = 32) in NumPy."""

import json
import struct
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

CONTEXT, LAYERS, HEADS = 512, 6, 12


def read_safetensors(path: Path) -> dict[str, Array]:
    """float32 tensors of a safetensors file by name."""
    blob = path.read_bytes()
    (size,) = struct.unpack_from("<Q", blob)
    tensors = {}
    for name, entry in json.loads(blob[8 : 8 + size]).items():
        if entry.get("dtype") == "F32":
            begin, end = entry["data_offsets"]
            data = blob[8 + size + begin : 8 + size + end]
            tensors[name] = np.frombuffer(data, np.float32).reshape(entry["shape"])
    return tensors


class MiniLm:
    """The model in `folder` (`model.safetensors`, `tokenizer.json`); float32."""

    def __init__(self, folder: Path) -> None:
        self.weights = read_safetensors(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()

    def tokens(self, text: str, *, limit: int = CONTEXT) -> list[int]:
        """At most `limit` tokens, the first [CLS] and the last [SEP]."""
        ids = self.tokenizer.encode(text).ids
        return ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]]

    def hidden(self, tokens: list[int], *, attend: Attend = exact_attention) -> Array:
        """Last hidden states, [len(tokens), 384]."""
        embed = {
            part: self.weights[f"embeddings.{part}_embeddings.weight"]
            for part in ("word", "position", "token_type")
        }
        x = embed["word"][tokens] + embed["position"][: len(tokens)] + embed["token_type"][0]
        x = self._norm("embeddings", x)
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"
            q, k, v = (
                split_heads(self._linear(f"{at}.attention.self.{part}", x), heads=HEADS)
                for part in ("query", "key", "value")
            )
            out = merge_heads(attend(Site("encoder", layer, False), q, k, v))
            out = self._linear(f"{at}.attention.output.dense", out)
            x = self._norm(f"{at}.attention.output", x + out)
            wide = gelu(self._linear(f"{at}.intermediate.dense", x))
            x = self._norm(f"{at}.output", x + self._linear(f"{at}.output.dense", wide))
        return x

    def embed(self, text: str, *, attend: Attend = exact_attention) -> Array:
        """Unit sentence vector [384]: the mean of the hidden states."""
        mean = self.hidden(self.tokens(text), attend=attend).mean(0)
        return mean / np.linalg.norm(mean)

    def _linear(self, name: str, x: Array) -> Array:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, name: str, x: Array) -> Array:
        at = f"{name}.LayerNorm"
        return layer_norm(x, self.weights[f"{at}.weight"], self.weights[f"{at}.bias"], eps=1e-12)
