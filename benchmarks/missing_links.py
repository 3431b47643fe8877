"""Divisions found along tracks with all, half or none of the division links, with controls.

Run ``python benchmarks/missing_links.py DATA STUDY``. STUDY has classifiers of interphase and metaphase. DATA has
the folder ``hela_ctc_02``, whose movie is added to the study if it is missing. The tracks are the challenge's
ground truth, and divisions are always counted by their links, whichever links the model is given.

A division counts as found if its mother is classified as metaphase in one of her last two frames. The controls are
scores shuffled among all cells of the movie, and a rule without a classifier: the last two frames before every link are
metaphase.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cli.progress_bar import progress
from morpholaw.evaluation.track_hmm import classify_tracks
from morpholaw.store import classifiers
from morpholaw.study import Study

MOVIE = "hela_ctc_02"
PIXEL_SIZE = 0.333
"""Micrometres per pixel that are stated for the movie: those of the shipped encoder, so that it is not resampled.
MitoCheck is of the same scale as this movie, 0.645, and its crops were not resampled either."""
LAST_FRAMES = 2
SEEDS = 5
"""Draws of the links that are missing, and of shuffled scores."""


def without_links(cells: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Return the tracks of a tracker that misses a fraction of the divisions."""
    mothers = np.unique(cells.loc[cells["parent"] >= 0, "parent"])
    missed = np.random.default_rng(seed).permutation(mothers)[: round(share * len(mothers))]
    return cells.assign(parent=cells["parent"].where(~cells["parent"].isin(missed), -1))


def before_divisions(cells: pd.DataFrame) -> pd.Series:
    """Return the mother's track for cells in the last frames before a link, and -1 for all others."""
    last = cells.groupby("track_id")["t"].max()
    mothers = [track for track in np.unique(cells["parent"]) if track in last.index]
    final = cells["track_id"].isin(mothers) & (cells["t"] > cells["track_id"].map(last) - LAST_FRAMES)
    return cells["track_id"].where(final, -1)


def counted(truth: pd.DataFrame, called: np.ndarray) -> tuple[int, float]:
    """Return the number of divisions found, by the true links, and the share of other cells classified as metaphase."""
    mother = before_divisions(truth)
    return int(mother[called & (mother >= 0)].nunique()), float(called[(mother < 0).to_numpy()].mean())


def rows(truth: pd.DataFrame, name: str, scores: np.ndarray, study: Study) -> list[dict[str, object]]:
    """Return one row per way of classifying the cells by the scores of a classifier."""
    calibration = classifiers.record(study, name).evaluation.calibration
    assert calibration is not None
    found: list[dict[str, object]] = [_row(name, "frame by frame", [counted(truth, scores >= 0)])]
    for share, links in ((0.0, "all links"), (0.5, "half of the links"), (1.0, "no link")):
        for shuffled in (False, True):
            counts = []
            for seed in range(SEEDS if shuffled or share == 0.5 else 1):
                order = (
                    np.random.default_rng(100 + seed).permutation(len(scores)) if shuffled else slice(None)
                )
                probability, _ = classify_tracks(
                    without_links(truth, share, seed), scores[order], calibration
                )
                counts.append(counted(truth, probability >= 0.5))
            found.append(_row(name, links + (", shuffled scores" if shuffled else ""), counts))
    return found


def the_rule(truth: pd.DataFrame) -> list[dict[str, object]]:
    """Return the result of the links alone: the last frames before each link are metaphase."""
    found = []
    for share, links in ((0.0, "all links"), (0.5, "half of the links"), (1.0, "no link")):
        counts = [
            counted(truth, (before_divisions(without_links(truth, share, seed)) >= 0).to_numpy())
            for seed in range(SEEDS if share == 0.5 else 1)
        ]
        found.append(_row("rule without a model", links, counts))
    return found


def _row(name: str, how: str, counts: list[tuple[int, float]]) -> dict[str, object]:
    divisions, others = zip(*counts, strict=True)
    spread = (
        f"{min(divisions)}" if min(divisions) == max(divisions) else f"{min(divisions)} to {max(divisions)}"
    )
    return {"classifier": name, "links": how, "found": spread, "others, %": f"{100 * np.mean(others):.2f}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("study", type=Path)
    options = parser.parse_args()
    study, folder = Study.open(options.study), options.data / MOVIE
    if MOVIE not in [one.name for one in study.sets]:
        with progress() as monitor:
            study.crop(
                folder / "Fluo_Hela_02_img.tif",
                folder / "02_GT" / "TRA",
                name=MOVIE,
                pixel_size=PIXEL_SIZE,
                monitor=monitor,
            )
    crop_set = study.crop_set(MOVIE)
    truth = crop_set.cells.reset_index(drop=True)
    table = []
    for name, record in classifiers.records(study).items():
        if record.two_classes:
            scores = study.classify(name, crops=crop_set, along_tracks=False)["score"].to_numpy(np.float64)
            table += rows(truth, name, scores, study)
    mothers = before_divisions(truth)
    print(f"{mothers[mothers >= 0].nunique()} divisions, {int((mothers < 0).sum())} other cells")
    print(pd.DataFrame(table + the_rule(truth)).to_string(index=False))


if __name__ == "__main__":
    main()
