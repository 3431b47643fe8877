"""The child process that runs PySR: ``python -m morpholaw.training.symbolic.pysr_child FOLDER``.

The process imports pysr before anything imports torch and runs the fit in its main thread, so that SIGINT stops it
gracefully. The folder contains settings.json and data.npz; PySR writes its hall of fame into it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

LOSSES = {
    "hinge": "hinge(p, t) = max(zero(p), one(p) - t * p)",
    "mse": "L2DistLoss()",
    "censored": "function censored(p, t)\n"
    "    gap = p - clamp(p, t <= -1 ? typemin(p) : t, t >= 1 ? typemax(p) : t)\n"
    "    pull = clamp(gap, -one(p), one(p))\n"
    "    return pull * (2 * gap - pull)\n"
    "end",
}
RUN = "search"
"""Name of the folder of PySR's results."""


def pysr_settings(settings: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Return PySR's keyword arguments (paper, B.4). Julia code is fixed here and never read from a file."""
    return {
        "binary_operators": list(settings["binary"]),
        "unary_operators": list(settings["unary"]),
        "complexity_of_operators": {k: v for k, v in settings["costs"].items() if v != 1},
        "complexity_of_constants": settings["constant_cost"],
        "complexity_of_variables": settings["variable_cost"],
        "parsimony": settings["parsimony"],
        "maxsize": max(settings["max_complexity"], 7),
        "elementwise_loss": LOSSES[settings["loss"]],
        "niterations": 1_000_000,
        "max_evals": settings["max_evaluations"],
        "timeout_in_seconds": settings["max_seconds"],
        "parallelism": "serial",
        "deterministic": True,
        "random_state": settings["seed"],
        "precision": 32,
        "should_optimize_constants": True,
        "model_selection": "accuracy",
        "progress": False,
        "verbosity": 0,
        "update": False,
        "input_stream": "devnull",
        "output_directory": str(folder),
        "run_id": RUN,
        "temp_equation_file": False,
    }


def main(folder: Path) -> None:
    """Run the fit and leave the hall of fame in the folder."""
    from pysr import PySRRegressor

    settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
    with np.load(folder / "data.npz", allow_pickle=False) as data:
        x, y = data["x"], data["y"]
    PySRRegressor(**pysr_settings(settings, folder)).fit(x, y, variable_names=list(settings["variables"]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
