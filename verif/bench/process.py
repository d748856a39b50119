# SPDX-License-Identifier: Apache-2.0
"""One simulator process: `python -m verif.bench.process PLAN SEED`.

Builds pasa_core where needed, runs the plan, and writes `PLAN.end`: what it came to.
"""

import json
import sys
from pathlib import Path

from verif.bench.plan import read_plan
from verif.common.runner import SimulationError, simulate
from verif.sim.process import parameters


def run(plan: Path, *, seed: int) -> None:
    """Run one plan; same build as `make sim`, so it is shared."""
    build, _ = read_plan(plan)
    end: dict = {"error": None, "failures": 0}
    try:
        end["failures"] = simulate(
            "pasa_core",
            test_module="verif.bench.bench",
            parameters=parameters(build),
            sim="verilator",
            seed=seed,
            waves=False,
            env={"PASA_BENCH_PLAN": str(plan)},
            optimise=True,
            expected=1,
            replay=f"make bench SEED={seed}",
            check=False,
        ).failures
    except SimulationError as error:
        end["error"] = str(error)
    plan.with_suffix(".end").write_text(json.dumps(end))


if __name__ == "__main__":
    run(Path(sys.argv[1]), seed=int(sys.argv[2]))
