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

    A query at position p = query_offset + i sees key j when all of these hold: ``j < key_length``;
    not ahead of it: ``j <= p`` if causal, else, with a window w, ``j < p + w``; not behind it:
    with a window w, ``p - w < j`` or j is a sink (``j < sinks``). So a sink is exempt from the
    window's rear only: it never shows a row what lies ahead.

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
