# SPDX-License-Identifier: Apache-2.0
"""Check for the programs that pip cannot bring; install them by apt where allowed.

    python3 ci/system.py             what `make sim` needs
    python3 ci/system.py --icarus    and what `make test` needs: Icarus, tclsh

Standard library only, and silent when nothing is missing.
"""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def has_libpython() -> bool:
    """Simulators load Python as a shared library; Debian's python3 may lack it."""
    name = sysconfig.get_config_var("INSTSONAME") or ""
    folder = Path(sysconfig.get_config_var("LIBDIR") or "/")
    if (folder / name).is_file():
        return True
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def missing_packages(icarus: bool) -> list[str]:
    """Debian packages for whatever this machine lacks."""
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    programs = {"g++": "g++", "make": "make", "perl": "perl"}
    if icarus:
        programs |= {"iverilog": "iverilog", "tclsh": "tcl"}
    missing = [package for program, package in programs.items() if not shutil.which(program)]
    if not importlib.util.find_spec("ensurepip"):
        missing.append("python3-venv")
    if not has_libpython():
        missing.append(f"libpython{version}")
    return missing


def apt_prefix() -> list[str] | None:
    """How to call apt-get without a password, or None."""
    if not shutil.which("apt-get"):
        return None
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and subprocess.call([sudo, "-n", "true"], stderr=subprocess.DEVNULL) == 0:
        return [sudo, "-n"]
    return None


def install(packages: list[str]) -> int:
    """Install by apt-get, output to build/log/system.log."""
    prefix = apt_prefix()
    if prefix is None:
        print(f"system: missing, please install: apt-get install {' '.join(packages)}")
        return 1
    log = ROOT / "build" / "log" / "system.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    options = ["-y", "--no-install-recommends"]
    with log.open("w") as out:
        for command in (["update"], ["install", *options, *packages]):
            code = subprocess.call(
                [*prefix, "apt-get", *command], stdout=out, stderr=subprocess.STDOUT, env=env
            )
    state = "FAILED" if code else "OK"
    print(
        f"{'system':<14} {state:<6} apt-get install {' '.join(packages)}  {log.relative_to(ROOT)}"
    )
    return code


def main() -> int:
    """Exit code 0 when everything needed is there in the end."""
    if sys.version_info < (3, 11):
        print(
            f"system: Python 3.11 or newer is needed, this is {sys.version.split()[0]}; "
            "choose another with make PYTHON=..."
        )
        return 1
    packages = missing_packages(icarus="--icarus" in sys.argv[1:])
    return install(packages) if packages else 0


if __name__ == "__main__":
    sys.exit(main())
