# SPDX-License-Identifier: Apache-2.0
"""Which keys a query may see: key length, causal, sliding window with sinks."""

import numpy as np


def visible_keys(
    queries: np.ndarray,
    key_count: int,
    *,
    key_length: int,
    causal: bool = False,
    query_offset: int = 0,
    window: int = 0,
    sinks: int = 0,
) -> np.ndarray:
    """Visibility of keys for the given query numbers.

    A query at position p = query_offset + i sees key j when ``j < key_length``, and ``j <= p`` if
    causal, and, with a window w, when it is nearer than w (``p - w < j``, and ``j < p + w`` if
    not causal) or a sink (``j < sinks``; sinks never show a causal row its future).

    Returns:
        bool array [len(queries), key_count].
    """
    position = query_offset + np.asarray(queries)[:, None]
    key = np.arange(key_count)[None, :]
    seen = np.broadcast_to(key < key_length, (len(queries), key_count)).copy()
    if causal:
        seen &= key <= position
    elif window:
        seen &= key < position + window
    if window:
        seen &= (key > position - window) | (key < sinks)
    return seen
