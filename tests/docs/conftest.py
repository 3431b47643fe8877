"""A folder in which the documentation's text runs: files under the names that it uses, and small settings."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr
from PIL import Image

from ctc_folders import write_ctc
from morpholaw import config
from morpholaw.cells import simulator
from morpholaw.report import writing

HEADS = {"models": 2, "epochs": 6, "warmup_epochs": 3, "epoch_cells": 300, "learning_rate": 1e-2}
SMALL: dict[type, dict[str, Any]] = {
    config.EncoderConfig: {"epochs": 1, "epoch_crops": 64, "batch_size": 64, "threads": 1},
    config.ClassifierConfig: {**HEADS, "sparsity": 0.8, "update_every": 10, "threads": 1},
    config.TuneConfig: {"trials": 2, "runs": 1, "epochs": 4},
    config.LawConfig: {"count": 1, "evaluations": 1_000, "processes": 1},
}
"""Defaults that stand in for a step's own, so that the text runs in seconds; what the text gives goes before them."""


@pytest.fixture
def small_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of a study, however it is called, begins with small defaults; movies, crops and sections are few."""

    def smaller(kind: Any, given: Any, settings: dict[str, Any]) -> Any:
        asked = {} if given is None else given.model_dump(exclude_unset=True)
        return kind.from_values({**SMALL.get(kind, {}), **asked, **settings})

    movie, crops = simulator.simulate_movie, simulator.simulate_crops

    def small_movie(asked: config.SimulateConfig, *rest: Any) -> Any:
        size = {"frames": min(asked.frames, 30), "cells": min(asked.cells, 30), "height": 260, "width": 260}
        return movie(asked.model_copy(update=size), *rest)

    def few_crops(count: int | None = None, *, phases: Any = None, **options: Any) -> Any:
        fewer = None if phases is None else {name: min(number, 8) for name, number in phases.items()}
        return crops(None if count is None else min(count, 16), phases=fewer, **options)

    parts = writing._parts
    monkeypatch.setattr(writing, "_parts", lambda *given: dict(list(parts(*given).items())[:3]))
    monkeypatch.setattr(config.StepConfig, "of", classmethod(smaller))
    monkeypatch.setattr(simulator, "simulate_movie", small_movie)
    monkeypatch.setattr(simulator, "simulate_crops", few_crops)


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A movie and its tracks in every format that the text names, its labels, and a folder of crops."""
    folder = tmp_path_factory.mktemp("files")
    movie, tracks = _movie_and_tracks()
    tifffile.imwrite(folder / "movie.tif", movie, metadata={"axes": "TYX"})
    labelled = tracks[["track_id", "t", "label"]]
    labelled[labelled["label"] != ""].to_csv(folder / "labels.csv", index=False)
    _write_btrack(folder / "tracks.h5", tracks)
    _write_trackmate(folder / "trackmate.xml", tracks)
    _write_geff(folder / "tracks.geff", tracks)
    _write_ome_zarr(folder / "movie.ome.zarr", movie)
    _write_ctc(folder / "Fluo-N2DL-HeLa", movie, tracks)
    images, cells = simulator.simulate_crops(phases={"interphase": 12, "metaphase": 12}, seed=5)
    for k, (image, label) in enumerate(zip(images, cells["label"], strict=True)):
        place = folder / "crops" / label.capitalize()
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"movie{k % 3}_{k}.png")
    return folder


@pytest.fixture
def sandbox(
    files: Path, trained_study: Any, small_settings: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Callable[..., Any]]:
    """Work in a folder of its own; gives what hidden blocks of the text may call."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return {"trained_study": lambda name: shutil.copytree(trained_study.path, tmp_path / name)}


def _movie_and_tracks() -> tuple[np.ndarray, pd.DataFrame]:
    """A small simulated movie; tracks with a metaphase in them and a few others."""
    sizes = {"frames": 30, "cells": 30, "height": 260, "width": 260}
    made = simulator.simulate_movie(config.SimulateConfig(**sizes, seed=3))
    return made.movie, made.tracks[["track_id", "t", "y", "x", "parent", "label"]].reset_index(drop=True)


def _write_btrack(path: Path, tracks: pd.DataFrame) -> None:
    states = {"": 0, "interphase": 0, "prometaphase": 1, "metaphase": 2, "anaphase": 3, "apoptosis": 4}
    ends = tracks.groupby("track_id", sort=False)["t"].agg(["min", "max", "size"])
    last = ends["size"].cumsum().to_numpy()
    parents = tracks.groupby("track_id", sort=False)["parent"].first()
    known = np.where(parents < 0, parents.index, parents)
    with h5py.File(path, "w") as file:
        nought = np.zeros(len(tracks))
        objects = file.create_group("objects/obj_type_1")
        objects["coords"] = np.column_stack([tracks["t"], tracks["x"], tracks["y"], nought, nought]).astype(
            "f4"
        )
        objects["labels"] = tracks["label"].map(states).to_numpy("f4")[:, None]
        group = file.create_group("tracks/obj_type_1")
        group["tracks"] = np.arange(len(tracks), dtype="i4")
        group["map"] = np.column_stack([last - ends["size"], last]).astype("u4")
        lineage = [ends.index, ends["min"], ends["max"], known, known, nought[: len(ends)]]
        group["LBEPR"] = np.column_stack(lineage).astype("i4")


def _edges(tracks: pd.DataFrame) -> list[tuple[int, int]]:
    """Pairs of rows: each spot and the next of its track, each parent's last and its daughters' first."""
    rows = tracks.groupby("track_id").indices
    along = [pair for spots in rows.values() for pair in pairwise(spots)]
    born = tracks.groupby("track_id")["parent"].first()
    return along + [(rows[parent][-1], rows[child][0]) for child, parent in born.items() if parent in rows]


def _write_trackmate(path: Path, tracks: pd.DataFrame) -> None:
    spots = "".join(
        f'<Spot ID="{k}" FRAME="{row.t}" POSITION_X="{row.x / 2}" POSITION_Y="{row.y / 2}" POSITION_Z="0"'
        ' VISIBILITY="1"/>'
        for k, row in enumerate(tracks.itertuples())
    )
    edges = "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}"/>' for a, b in _edges(tracks))
    path.write_text(
        f'<?xml version="1.0"?><TrackMate version="7"><Model><FeatureDeclarations>'
        f'<SpotFeatures></SpotFeatures></FeatureDeclarations><AllSpots><SpotsInFrame frame="0">{spots}'
        f'</SpotsInFrame></AllSpots><AllTracks><Track TRACK_ID="0">{edges}</Track></AllTracks><FilteredTracks>'
        '<TrackID TRACK_ID="0"/></FilteredTracks></Model><Settings><ImageData pixelwidth="0.5" pixelheight="0.5"'
        ' nslices="1"/></Settings></TrackMate>'
    )


def _write_geff(path: Path, tracks: pd.DataFrame) -> None:
    group = zarr.open_group(path, mode="w", zarr_format=2)
    axes = [("t", "time", "frame"), ("y", "space", "pixel"), ("x", "space", "pixel")]
    named = [{"name": name, "type": kind, "unit": unit} for name, kind, unit in axes]
    group.attrs["geff"] = {"geff_version": "1.1", "directed": True, "axes": named}
    group.create_array("nodes/ids", data=np.arange(len(tracks), dtype="u8"))
    group.create_array("edges/ids", data=np.array(_edges(tracks), "u8"))
    for name, _, _ in axes:
        group.create_array(f"nodes/props/{name}/values", data=tracks[name].to_numpy())


def _write_ome_zarr(path: Path, movie: np.ndarray) -> None:
    group = zarr.open_group(path, mode="w", zarr_format=3)
    scale = [{"type": "scale", "scale": [1.0, 0.333, 0.333]}]
    axes = [{"name": "t", "type": "time"}]
    axes += [{"name": name, "type": "space", "unit": "micrometer"} for name in "yx"]
    levels = [{"path": "0", "coordinateTransformations": scale}]
    group.attrs["ome"] = {"version": "0.5", "multiscales": [{"axes": axes, "datasets": levels}]}
    group.create_array("0", data=movie, chunks=(1, *movie.shape[1:]))


def _write_ctc(folder: Path, movie: np.ndarray, tracks: pd.DataFrame) -> None:
    masks = np.zeros(movie.shape, np.uint16)
    masks[tracks["t"], tracks["y"].round().astype(int), tracks["x"].round().astype(int)] = tracks["track_id"]
    (folder / "02").mkdir(parents=True)
    for t, frame in enumerate(movie):
        tifffile.imwrite(folder / f"02/t{t:03d}.tif", frame)
    write_ctc(folder / "02_GT/TRA", masks, tracks)
