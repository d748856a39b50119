# SPDX-License-Identifier: Apache-2.0
"""The Makefile documents itself, and its steps report what they should."""

import re
import subprocess
import sys

import pytest

from verif.common.hdl import HDL, ROOT, closure, find, sources


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, text=True, capture_output=True, check=False
    )


def test_help_lists_every_phony_target():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony
    listed = re.findall(r"^  make ([\w-]+) +\S", make("help").stdout, re.M)
    assert sorted(listed) == sorted(phony[1].split())


def test_plain_make_is_help():
    assert make().stdout == make("help").stdout


def test_unit_of_an_unknown_module_fails_by_name():
    done = make("unit", "M=pasa_nowhere")
    assert done.returncode != 0
    assert "no unit bench verif/*/test_pasa_nowhere.py" in done.stderr


@pytest.mark.parametrize(("code", "word"), [(0, "OK"), (3, "FAILED")])
def test_step_reports_state_and_first_error(code, word):
    program = f"print('fine'); print('error: seven'); raise SystemExit({code})"
    name = f"tooling-{word.lower()}"
    done = subprocess.run(
        [sys.executable, "ci/step.py", name, "--", sys.executable, "-c", program],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == code
    assert re.search(rf"^{name} +{word} .*build/log/{name}.log$", done.stdout, re.M)
    assert ("error: seven" in done.stdout) == bool(code)


def test_every_module_has_its_file_once():
    names = [path.stem for path in sources()]
    assert len(names) == len(set(names)) > 0
    for path in sources():
        assert re.search(rf"^module {path.stem}\b", path.read_text(), re.M), path


def test_closure_ends_with_the_top():
    assert closure("pasa_fifo") == [HDL / "stream" / "pasa_fifo.v"] == [find("pasa_fifo")]
    with pytest.raises(FileNotFoundError, match="pasa_nowhere"):
        closure("pasa_nowhere")
