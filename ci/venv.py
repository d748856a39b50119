# SPDX-License-Identifier: Apache-2.0
"""Make .venv: the pinned packages of requirements.txt and `pasa` from reference/.

Standard library only. Run by `make venv`, which keeps a stamp file.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def pip(*args: str) -> None:
    """Run pip of the new environment; its failure is ours."""
    subprocess.run(
        [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", *args],
        check=True,
        cwd=ROOT,
    )


def main() -> int:
    """Build the environment in place; packages that are already right stay."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    pip("-r", "requirements.txt")
    pip("--no-deps", "--no-build-isolation", "--editable", ".")
    # `import verif.common...` works from any folder and inside the simulators.
    site = next(VENV.glob("lib/python3*/site-packages"))
    (site / "pasa_repository.pth").write_text(f"{ROOT}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
