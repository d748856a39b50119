# SPDX-License-Identifier: Apache-2.0
"""One simulator process: `python -m verif.sim.process PLAN SHARD SIM SEED TRACE`.

Builds pasa_core where needed, runs one list of the plan, and writes `end-SHARD.json` beside
the plan: what the simulator's run came to. TRACE is none, waves or activity; the activity file
goes beside the plan as activity.saif.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from pasa.formats import Build

from verif.common.runner import Mutant, SimulationError, simulate
from verif.sim.plan import read_plan


def parameters(build: Build) -> dict[str, int]:
    """Verilog parameters of pasa_core."""
    return {
        "ROWS": build.rows,
        "PRED_KEYS": build.pred_keys,
        "HEAD_DIM": build.head_dim,
        "TILE_KEYS": build.tile_keys,
        "PRED_BITS": build.pred_bits,
        "BLOCK_KEYS": build.block_keys,
    }


def run(
    plan: Path,
    shard: int,
    *,
    sim: str,
    seed: int,
    trace: str = "none",
    mutant: Mutant | None = None,
) -> None:
    """Run shard number `shard` of the plan; `mutant` is for tests of the tests."""
    build, _ = read_plan(plan)
    end: dict = {"error": None, "failures": 0, "waves": None}
    try:
        result = simulate(
            "pasa_core",
            test_module="verif.sim.bench",
            parameters=parameters(build),
            sim=sim,
            seed=seed,
            waves=trace == "waves",
            activity=trace == "activity",
            env={"PASA_SIM_PLAN": str(plan), "PASA_SIM_SHARD": str(shard)},
            mutant=mutant,
            optimise=True,
            expected=1,
            replay="see make sim",
            check=False,
        )
        end["failures"] = result.failures
        if trace == "activity" and result.waves:
            kept = shutil.copyfile(result.waves, plan.parent / "activity.saif")
            end["activity"] = os.path.relpath(kept)
        elif result.waves:
            end["waves"] = os.path.relpath(result.waves)
    except SimulationError as error:
        end["error"] = str(error)
    (plan.parent / f"end-{shard}.json").write_text(json.dumps(end))


if __name__ == "__main__":
    run(
        Path(sys.argv[1]),
        int(sys.argv[2]),
        sim=sys.argv[3],
        seed=int(sys.argv[4]),
        trace=sys.argv[5],
    )
