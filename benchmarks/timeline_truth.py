"""Durations from images compared with the truth: simulated movies of two conditions, scored by the shipped models.

Run ``python benchmarks/timeline_truth.py STUDY [--scheme 4] [--replicates 3] [--frames 60] [--seed 10]``. The models
have two classes and classify prometaphase as metaphase, so the true duration runs from the beginning of
prometaphase to division. The last table shows where the error comes from: the errors of both ends of the phases, and
the number of prometaphases that are classified as interphase throughout.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import pandas as pd

from morpholaw.cells.simulator import simulate_movie
from morpholaw.config import SimulateConfig
from morpholaw.sample import sample_folder
from morpholaw.store.classifiers import adopt
from morpholaw.study import Study

CONDITIONS = {"control": 4.0, "drug": 8.0}
"""Median frames of metaphase."""
SIZE = {"cells": 40, "height": 400, "width": 400, "frame_interval": 300.0}


def main() -> None:
    """Simulate, cut, score and compare."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--scheme", type=int, default=4)
    parser.add_argument("--replicates", type=int, default=3)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--seed", type=int, default=10, help="That of the first movie; each has its own.")
    arguments = parser.parse_args()
    study = Study.create(arguments.study)
    rows, truths, tracks = [], [], []
    for condition, median in CONDITIONS.items():
        for replicate in range(arguments.replicates):
            name = f"{condition}{replicate + 1}"
            seed = arguments.seed + len(rows)
            config = SimulateConfig(frames=arguments.frames, metaphase=median, seed=seed, **SIZE)
            made = simulate_movie(config)
            place = made.write(arguments.study.with_name(f"{arguments.study.name}-movies") / name)
            study.crop(place / "movie.tif", place / "tracks.csv", name=name)
            rows.append({"movie": name, "condition": condition, "replicate": str(replicate + 1)})
            truths.append(true_minutes(made.tracks).assign(condition=condition))
            tracks.append(made.tracks.assign(movie=name, condition=condition))
    shutil.copytree(sample_folder() / "encoder", study.path / "encoder", dirs_exist_ok=True)
    for source in sorted((sample_folder() / "classifiers").iterdir()):
        adopt(study, source)
    timeline = study.timeline(arguments.scheme, conditions=pd.DataFrame(rows), out=study.path / "figures")
    true = pd.concat(truths).groupby("condition")["minutes"].agg(["mean", "median", "size"])
    measured = timeline.durations[timeline.durations["class"] == "metaphase"].set_index("condition")
    table = true.add_suffix(" (true)").join(measured[["mean", "median", "median_low", "median_high"]])
    table["error %"] = 100 * (table["mean"] / table["mean (true)"] - 1)
    print(table.round(1).to_string())
    print(timeline.comparisons.round(4).to_string())
    print(ends(pd.concat(tracks), timeline.phases, arguments.frames).round(2).to_string())


def true_minutes(tracks: pd.DataFrame) -> pd.DataFrame:
    """Return the minutes from prometaphase to division, for cells whose prometaphase begins within the movie."""
    phases = tracks[tracks["true_phase"].isin(["prometaphase", "metaphase"])]
    known = phases.groupby(["track_id", "true_phase"])["true_phase_frames"].first().unstack()
    return pd.DataFrame({"minutes": known.dropna().sum(axis=1) * SIZE["frame_interval"] / 60})


def ends(tracks: pd.DataFrame, phases: pd.DataFrame, frames: int) -> pd.DataFrame:
    """Return how many frames late the phases begin and end, for cells whose prometaphase and division are visible."""
    cell = ["movie", "track_id"]
    first = tracks.groupby(cell)["t"].min().rename("sight")
    stages = tracks[tracks["true_phase"].isin(["prometaphase", "metaphase"])]
    true = stages.groupby(cell).agg(condition=("condition", "first"), begin=("t", "min"), last=("t", "max"))
    onset = stages[stages["true_phase"] == "metaphase"].groupby(cell)["t"].min().rename("onset")
    called = phases[phases["class"] == "metaphase"].drop_duplicates(cell).set_index(cell)[["entry", "exit"]]
    seen = true.join(first).join(onset).join(called)
    seen = seen[(seen["begin"] > seen["sight"]) & (seen["last"] < frames - 1)].dropna()
    late = seen.assign(
        begins_late=seen["entry"] - seen["begin"],
        ends_late=seen["exit"] - seen["last"] - 1,
        skipped=(seen["entry"] >= seen["onset"]) & (seen["onset"] > seen["begin"]),
    )
    table = late.groupby("condition")[["begins_late", "ends_late", "skipped"]].mean()
    return table.assign(cells=late.groupby("condition").size())


if __name__ == "__main__":
    main()
