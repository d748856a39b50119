# SPDX-License-Identifier: Apache-2.0
"""The command `pasa`: what it prints, writes, completes and ends with. 4 s."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pasa
import pytest
from pasa import cli
from pasa.errors import BusError
from typer.testing import CliRunner

HEAD = "whisper-decoder-l0h2"
LAMBDA = ("--min-probability", "0.002")


def pasa_command(*arguments):
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(cli.app, arguments)
    return result.exit_code, result.stdout, result.stderr


def test_run_prints_what_the_device_counted(tmp_path):
    code, out, _ = pasa_command("run", HEAD, *LAMBDA, "--json", "--output", str(tmp_path / "o.npz"))
    report = json.loads(out)
    case = pasa.workloads.shipped_case(HEAD)
    want = pasa.fixed.attention(case.q, case.k, case.v, **case.options, min_probability=0.002)
    assert code == 0 and report["wrong"] == 0 and report["elements"] == want.output.size
    assert report["counters"]["keys_kept"] == want.kept.sum()
    assert report["kept_fraction"] == pytest.approx(want.kept_fraction)
    assert 0 < report["relative_error"] < 0.02
    written = np.load(tmp_path / "o.npz")
    assert np.array_equal(written["output"], want.output)
    assert written["output_scale"] == want.output_scale


def test_run_without_json_is_for_people():
    code, out, _ = pasa_command("run", HEAD, "--queries", "0:4", "--build", "ROWS=2,TILE_KEYS=512")
    assert code == 0
    assert "shape          n_q 4, n_k 273, d 64" in out and "rows 2, " in out
    assert "wrong          0" in out and "flags          none" in out


def test_a_file_of_floats(tmp_path):
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "my.npz", **{name: rng.normal(size=(9, 16)) for name in "qkv"})
    code, out, _ = pasa_command("run", str(tmp_path / "my.npz"), "--basis", "plain", "--json")
    assert code == 0 and json.loads(out)["shape"] == {"n_q": 9, "n_k": 9, "d": 16}


def test_an_output_that_differs_ends_with_1(monkeypatch):
    wrong = pasa.Device.attention

    def attention(self, *arrays, **options):
        result = wrong(self, *arrays, **options)
        result.output[0, 0] ^= 1
        return result

    monkeypatch.setattr(pasa.Device, "attention", attention)
    code, out, _ = pasa_command("run", HEAD, "--json")
    assert code == 1 and json.loads(out)["wrong"] == 1


def test_a_device_that_fails_ends_with_3(monkeypatch):
    def fail(*_, **__):
        raise BusError("read of 0x000 was not answered")

    monkeypatch.setattr(cli, "open_device", fail)
    assert pasa_command("run", HEAD) == (3, "", "pasa: read of 0x000 was not answered\n")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    (
        (("run", "nope"), 2, "'nope' is no shipped head (see `pasa info`) and no .npz file"),
        (("run", "nope.npz"), 2, "nope.npz: no such file"),
        (("run", HEAD, "--basis", "odd"), 2, "--basis: 'odd' given"),
        (("run", HEAD, "--queries", "9:3"), 2, "--queries: '9:3' given, want FIRST:END"),
        (("run", HEAD, "--build", "LANES=2"), 2, "--build: 'LANES=2' given, want NAME=number"),
        (("run", HEAD, "--build", "ROWS=3"), 2, "rows = 3 must be a power of two"),
        (("run", HEAD, "--budget", "0"), 2, "budget = 0 must be an integer in 1.."),
        (("run", HEAD, "--device", "board", "--build", "ROWS=2"), 2, "a board has the build"),
        (("run", HEAD, "--device", "board"), 4, "board needs the pynq package"),
        (("info", "--device", "board"), 4, "board needs the pynq package"),
        (("sim", HEAD, "--stream-bits", "48"), 2, "stream_bits = 48 must be one of"),
    ),
)
def test_what_is_wrong_is_one_line_and_a_code(arguments, code, says):
    ended, out, error = pasa_command(*arguments)
    assert (ended, out) == (code, "")
    assert error.startswith("pasa: ") and says in error and error.count("\n") == 1


def test_info():
    code, out, _ = pasa_command("info", "--json")
    report = json.loads(out)
    assert code == 0 and report["version"] == "0.1.0" and report["build"]["tile_keys"] == 2048
    assert HEAD in report["heads"]
    assert "heads          minilm-l1h8, " in pasa_command("info")[1]


def test_help_tells_the_exit_codes_and_examples():
    code, out, _ = pasa_command("--help")
    assert code == 0 and "Exit codes: 0 done" in out
    example = "  pasa run whisper-encoder-l0h1 --min-probability 0.002\n"
    assert example in pasa_command("run", "--help")[1]


def test_the_entry_point_and_its_completion():
    script = Path(sys.executable).parent / "pasa"
    assert shutil.which(script), "make venv"
    environment = {
        "_PASA_COMPLETE": "complete_bash",
        "COMP_WORDS": "pasa run minilm",
        "COMP_CWORD": "2",
    }
    out = subprocess.run(
        [script], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert out.split() == [name for name in cli._head_names() if name.startswith("minilm")]
    module = subprocess.run([sys.executable, "-m", "pasa", "info", "--json"], capture_output=True)
    assert json.loads(module.stdout)["device"] == "reference"
