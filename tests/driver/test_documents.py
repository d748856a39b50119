# SPDX-License-Identifier: Apache-2.0
"""What README.md and the example show compiles as they say. 3 s."""

import re
import subprocess

import pytest

from tests.driver.conftest import HOST, STRICT

BLOCKS = re.findall(r"```c\n(.*?)```", (HOST / "README.md").read_text(), re.DOTALL)
#: What the example uses of the board support package.
XIL_CACHE = """
#include <stdint.h>
typedef intptr_t INTPTR;
void Xil_DCacheFlushRange(INTPTR address, INTPTR bytes);
void Xil_DCacheInvalidateRange(INTPTR address, INTPTR bytes);
"""
XTIME = """
typedef unsigned long long XTime;
#define COUNTS_PER_SECOND 333333343
void XTime_GetTime(XTime *now);
"""


def compiles(*options) -> None:
    """Without a word."""
    command = ["gcc", *STRICT, f"-I{HOST}", "-fsyntax-only", *options]
    assert subprocess.run(command, capture_output=True, text=True).stderr == ""


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_the_readme_compiles(tmp_path, number):
    source = tmp_path / "block.c"
    source.write_text(BLOCKS[number])
    compiles("-Wno-missing-field-initializers", source)


def test_the_readme_shows_code():
    assert len(BLOCKS) == 2


def test_the_example_compiles_for_bare_metal(tmp_path):
    (tmp_path / "xil_cache.h").write_text(XIL_CACHE)
    (tmp_path / "xtime_l.h").write_text(XTIME)
    compiles("-U__linux__", f"-I{tmp_path}", HOST / "examples" / "head.c")
