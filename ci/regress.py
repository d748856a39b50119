# SPDX-License-Identifier: Apache-2.0
"""Run every bench of verif/, and every mutant, again under new random seeds.

    ci/regress.py --seeds 8 --jobs 2

Seeds come from the clock and are printed; SEED=n fixes the first. All seeds run,
whatever fails; each failure in the log ends with the line that replays it.
"""

import argparse
import os
import random
import subprocess
import sys

from verif.common.hdl import ROOT


def run_seed(seed: int, jobs: int) -> bool:
    """All benches under one seed; True when they pass."""
    print(f"regress: SEED={seed}", flush=True)
    tests = [sys.executable, "ci/tests.py", "--name", f"regress-{seed}", "--path", "verif"]
    env = {**os.environ, "SEED": str(seed), "MUTANTS": "all"}
    return subprocess.call([*tests, "--", "-n", str(jobs)], cwd=ROOT, env=env) == 0


def main() -> int:
    """Exit code 1 when any seed failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--jobs", type=int, default=2)
    choice = parser.parse_args()
    first = int(os.environ.get("SEED") or random.SystemRandom().getrandbits(30))
    seeds = [first, *random.Random(first).sample(range(1, 1 << 30), choice.seeds - 1)]
    failed = [seed for seed in seeds if not run_seed(seed, choice.jobs)]
    print(f"regress: {len(seeds) - len(failed)} of {len(seeds)} seeds passed")
    if failed:
        print(f"regress: FAILED under SEED={', SEED='.join(map(str, failed))}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
