"""Which simulated cells a study's models lose in the surroundings of the other class, and what these look like.

``python benchmarks/other_surroundings.py STUDY [--seeds 77 78] [--cells N] [--picture FILE]`` simulates cells that no
model has seen and pastes each into the surroundings of cells of the other class, with and without the rims of those
cells. It prints the points of balanced accuracy lost, and whose loss that is. ``--picture`` draws cells that scheme 2
loses: as they are, with the rim of the other cell, and with that rim hidden.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.simulator import simulate_crops
from morpholaw.cells.simulator.domains import PIXEL_SIZE
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.figures.pictures import montage
from morpholaw.interpretation.interventions import predictor, variants
from morpholaw.interpretation.surroundings import CellCrops
from morpholaw.study import Study

CLASSES = ("interphase", "metaphase")
YOUNG = 55.0
"""Area in um² below which an interphase nucleus is hardly larger than a metaphase plate."""
WORST = 30
"""Tracks that lose most."""
DRAWN = 10
"""Cells of the picture, each of another track."""
RIMS = {"with rims": "other class", "rims hidden": "other class, cell removed"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path)
    parser.add_argument("--names", nargs="*", default=["scheme2", "scheme3", "scheme4-hinge"])
    parser.add_argument("--seeds", type=int, nargs="*", default=[77, 78])
    parser.add_argument("--cells", type=int, default=1_500, help="Cells of each class.")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    study, rows = Study.open(options.study), []
    for seed in options.seeds:
        images, table = simulate_crops(phases=dict.fromkeys(CLASSES, options.cells), seed=seed)
        truth = table["true_phase"].map(CLASSES.index).to_numpy()
        groups = table["group"].to_numpy()
        crops = CellCrops.of(images, table["brightness"].to_numpy())
        shown = {rims: list(variants(kind, crops, truth, groups)) for rims, kind in RIMS.items()}
        for name in options.names:
            predict = predictor(scorer(study.classifier(name)))
            before = right(predict(images), truth)
            row: dict[str, Any] = {"seed": seed, "tracks": len(set(groups)), "model": name}
            for rims, pasted in shown.items():
                lost = before - np.mean([right(predict(each), truth) for each in pasted], axis=0)
                row |= {f"{rims}: {key}": value for key, value in whose(lost, table).items()}
                if rims == "with rims" and options.picture and not rows:
                    draw(options.picture, images, [each[0] for each in shown.values()], lost, groups)
            rows.append(row)
    print(pd.DataFrame(rows).round(1).to_string(index=False))


def right(classes: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the share of the models, (members, n), that classify each cell correctly, float (n,)."""
    return (classes == truth).mean(axis=0)


def whose(lost: np.ndarray, table: pd.DataFrame) -> dict[str, float]:
    """Return the points of balanced accuracy lost, and the shares of young interphase cells and of the worst tracks."""
    losses = lost.clip(0)  # cells that are gained are few
    young = (table["true_phase"] == "interphase") & (table["true_size"] < YOUNG)
    of_track = pd.Series(losses).groupby(table["group"].to_numpy()).sum().nlargest(WORST)
    return {
        "points lost": 100 * lost.mean(),  # the classes have equally many cells
        "% of it young": 100 * losses[young].sum() / losses.sum(),
        f"% of it {WORST} tracks": 100 * of_track.sum() / losses.sum(),
    }


def draw(
    file: Path, images: np.ndarray, pasted: list[np.ndarray], lost: np.ndarray, groups: np.ndarray
) -> None:
    """Draw the cell of each track that is lost most often, as it is and as pasted, for the tracks that lose most."""
    worst = pd.Series(lost).groupby(groups).idxmax()
    chosen = worst.to_numpy()[np.argsort(-lost[worst.to_numpy()])][:DRAWN]
    rows = {"as it is": images, **dict(zip(RIMS, pasted, strict=True))}
    figure = montage(
        np.concatenate([each[chosen] for each in rows.values()]),
        labels=[name for name in rows for _ in chosen],
        columns=DRAWN,
        pixel_size=PIXEL_SIZE,
        figsize=(12, None),
    )
    figure.savefig(file, dpi=100)


if __name__ == "__main__":
    main()
