"""The paper's findings under attack (6.5; figures 14, 17 and 19) as numbers, on a study with all schemes.

Run ``python benchmarks/attack_findings.py STUDY NAME [--out docs]``. Prints one table per kind of attack, with the mean
and standard deviation of the accuracy over the models of each scheme, and writes OUT/images/NAME_attack_*.png.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.figures.attacks import attack_curves
from morpholaw.study import Study

ATTACKS: dict[str, dict[str, Any]] = {
    "image": {"space": "image", "eps": (0.0, 0.02, 0.05, 0.1, 0.15, 0.2)},
    "latent": {"space": "latent", "eps": (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)},
    "neighbourhood": {"space": "latent", "keep": "morphology", "eps": (0.0, 0.25, 0.5, 1.0, 2.0)},
}
SCHEMES = {
    "1": {"scheme": 1},
    "2": {"scheme": 2},
    "3": {"scheme": 3},
    "4, hinge": {"scheme": 4, "loss": "hinge"},
    "4, MSE": {"scheme": 4, "loss": "mse"},
}


def attacked(study: Study, attack: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the accuracy of every scheme that has the attacked space: one row per model, one column per eps."""
    tables = {}
    for name, scheme in SCHEMES.items():
        if attack["space"] == "image" or name != "1":
            rows = study.attack(**attack, **scheme)
            tables[name] = rows.pivot(index="model", columns="eps", values="accuracy")
    return tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("name")
    parser.add_argument("--out", type=Path, default=Path("docs"))
    options = parser.parse_args()
    study = Study.open(options.study)
    for kind, attack in ATTACKS.items():
        begun = time.perf_counter()
        tables = attacked(study, attack)
        print(
            f"\n{kind}, {time.perf_counter() - begun:.0f} s\n\n| scheme | "
            + " | ".join(map(str, attack["eps"]))
            + " |"
        )
        print("| --- " * (1 + len(attack["eps"])) + "|")
        for name, table in tables.items():
            cells = [f"{100 * table[e].mean():.1f} ± {100 * table[e].std():.1f}" for e in table]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
        models = max(len(table) for table in tables.values())
        accuracy = np.full((len(tables), models, len(attack["eps"])), np.nan)
        for row, table in zip(accuracy, tables.values(), strict=True):
            row[: len(table)] = table.to_numpy()
        figure = attack_curves(
            np.array(attack["eps"]),
            accuracy,
            schemes=[name if name.isdigit() else f"scheme {name}" for name in tables],
            space=attack["space"],
        )
        figure.savefig(options.out / "images" / f"{options.name}_attack_{kind}.png", dpi=150)


if __name__ == "__main__":
    main()
