# SPDX-License-Identifier: Apache-2.0
"""The README snippet, run as it stands. 3 s, and 30 s more to compile the simulator once."""

import re
import shlex
import subprocess
import sys

from verif.common.hdl import ROOT


def test_the_snippet_runs_a_head_through_axi_and_equals_the_model():
    readme = (ROOT / "README.md").read_text()
    snippet = re.search(r"```sh\n(\.venv/bin/python -c '.*?')\n```", readme, re.S).group(1)
    python, *arguments = shlex.split(snippet)
    assert python == ".venv/bin/python" and "pasa.open(kind, build=build)" in arguments[1]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    sim, reference, equal = done.stdout.splitlines()
    assert re.fullmatch(r"sim: [1-9]\d* cycles, 1\.6% of the keys kept", sim)
    assert reference == "reference: 0 cycles, 1.6% of the keys kept"
    assert equal == "equal: True"
