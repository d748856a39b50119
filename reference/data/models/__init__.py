# SPDX-License-Identifier: Apache-2.0
"""Whisper tiny.en and MiniLM-L6 in plain NumPy, with a hook at every attention."""
