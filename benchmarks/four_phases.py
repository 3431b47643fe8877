"""Four phases of mitosis: all schemes on fresh simulated cells, and along the tracks of simulated movies.

Run ``python benchmarks/four_phases.py STUDY``. The study is trained on simulated crops and on the cells of two
simulated movies; the test cells and movies have other seeds. Half of the mother-daughter links are
removed from the test movies.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.shape_features import NEIGHBOURHOOD_NAMES, SHAPE_NAMES
from morpholaw.cells.simulator import simulate_crop_set, simulate_movie, without_links
from morpholaw.cli.progress_bar import progress
from morpholaw.config import SimulateConfig
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.store import classifiers
from morpholaw.study import Study

PHASES = ("interphase", "prometaphase", "metaphase", "anaphase")
SHAPES = (*SHAPE_NAMES, *NEIGHBOURHOOD_NAMES)
"""Half of an anaphase looks like a metaphase seen from the side: the other half beside it tells them apart."""
MOST_NODES = {"latents": 15, "shapes": 9, "both": 15}
"""Most complexity of the law of a class, by what it reads."""
SIZE: dict[str, Any] = {"frames": 60, "cells": 40, "height": 400, "width": 400}
LEARNT, FRESH = 30, 99
"""Seeds of the crops that are learnt from, and of those that are tested."""
LEARNT_MOVIES, FRESH_MOVIES = (31, 32), (101, 102, 103)


def build(study: Study, options: argparse.Namespace) -> None:
    """Simulate the training cells, and train each scheme that is missing."""
    there = {crop_set.name for crop_set in study.sets}
    if "labelled" not in there:
        simulate_crop_set(
            study.path / "crops" / "labelled", seed=LEARNT, phases=dict.fromkeys(PHASES, options.cells)
        )
    with progress() as monitor:
        said: dict[str, Any] = {"monitor": monitor, "classes": PHASES}
        for seed in LEARNT_MOVIES:
            if f"movie{seed}" not in there:
                add_movie(study, seed)
        if not study.has_encoder:
            study.load_encoder("sample")
        done = set(classifiers.names(study))
        for inputs in options.inputs:
            shapes = None if inputs == "latents" else SHAPES
            for scheme in (2, 3):
                if f"scheme{scheme}-{inputs}" not in done:
                    study.train_classifier(
                        scheme,
                        inputs=inputs,
                        shapes=shapes,
                        name=f"scheme{scheme}-{inputs}",
                        models=3,
                        **said,
                    )
            if f"laws-{inputs}" not in done:
                study.discover_law(
                    inputs=inputs,
                    shapes=shapes,
                    name=f"laws-{inputs}",
                    evaluations=options.evaluations,
                    count=1,
                    max_complexity=MOST_NODES[inputs],
                    latents=tuple(range(32)) if inputs != "shapes" else (),
                    **said,
                )
        if "scheme1" not in done:
            study.train_classifier(1, models=1, start_from="none", deformation=0, **said)


def add_movie(study: Study, seed: int) -> None:
    """Cut a simulated movie whose cells are labelled with their phases."""
    made = simulate_movie(SimulateConfig(seed=seed, **SIZE))
    with tempfile.TemporaryDirectory() as place:
        folder = made.write(place)
        study.crop(
            folder / "movie.tif", folder / "tracks.csv", name=f"movie{seed}", labels=folder / "tracks.csv"
        )


def on_fresh_cells(study: Study, count: int) -> pd.DataFrame:
    """Return balanced accuracy and recall of each class on cells of another seed, one row per classifier."""
    with tempfile.TemporaryDirectory() as place:
        fresh: CropSet = simulate_crop_set(
            Path(place) / "fresh", seed=FRESH, phases=dict.fromkeys(PHASES, count)
        )
        truth = fresh.cells["label"].to_numpy(str)
        rows = []
        for name in classifiers.names(study):
            called = study.classify(name, crops=fresh)["class"].to_numpy(str)
            recall = {one: (called[truth == one] == one).mean() for one in PHASES}
            numbers = [np.array([PHASES.index(one) for one in names]) for names in (truth, called)]
            rows.append({"name": name, "balanced": balanced_accuracy(*numbers), **recall})
    return pd.DataFrame(rows).set_index("name")


def along_movies(study: Study) -> pd.DataFrame:
    """Return the accuracy of the phases frame by frame and along tracks, with half of the links removed."""
    rows = []
    order = StageOrder(PHASES)
    with tempfile.TemporaryDirectory() as place:
        for seed in FRESH_MOVIES:
            made = simulate_movie(SimulateConfig(seed=seed, **SIZE))
            folder = made.write(Path(place) / str(seed))
            tracks = without_links(made.tracks, 0.5, np.random.default_rng(seed))
            tracks[["track_id", "t", "y", "x", "parent"]].to_csv(folder / "half.csv", index=False)
            truth = made.tracks[["track_id", "t", "label"]]
            for name in classifiers.names(study):
                table = study.classify(
                    name,
                    movie=folder / "movie.tif",
                    tracks=folder / "half.csv",
                    stages=PHASES,
                    along_tracks=True,
                ).merge(truth, on=["track_id", "t"])
                links = table.merge(tracks[["track_id", "t", "parent"]], on=["track_id", "t"])
                recall = {one: (table.loc[table["label"] == one, "class"] == one).mean() for one in PHASES}
                rows.append(
                    {
                        "name": name,
                        "movie": seed,
                        "frames": len(table),
                        "alone": (table["frame_class"] == table["label"]).mean(),
                        "along tracks": (table["class"] == table["label"]).mean(),
                        "out of order": order.violations(links, links["class"].to_numpy(str), PHASES),
                        **recall,
                    }
                )
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--cells", type=int, default=1500, help="Crops of each phase to learn from.")
    parser.add_argument("--fresh", type=int, default=1250, help="Crops of each phase to test.")
    parser.add_argument(
        "--inputs",
        nargs="+",
        default=["shapes", "both"],
        help="latents, shapes or both: what schemes 2 to 4 read.",
    )
    parser.add_argument("--evaluations", type=int, default=60_000)
    options = parser.parse_args()
    study = Study.open_or_create(options.study)
    build(study, options)
    print((100 * on_fresh_cells(study, options.fresh)).round(1).to_string())
    movies = along_movies(study)
    mean = movies.groupby("name").agg(
        {"frames": "sum", "out of order": "sum", "alone": "mean", "along tracks": "mean"}
        | dict.fromkeys(PHASES, "mean")
    )
    print(movies.round(3).to_string())
    print(mean.round(3).to_string())


if __name__ == "__main__":
    main()
