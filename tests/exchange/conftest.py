"""A study with the shipped models and a small tracked movie, and the movie's tracks in two programs' files."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.exchange.scores import Scores
from morpholaw.sample import sample_folder
from morpholaw.study import Study

FRAMES, HEIGHT, WIDTH, PIXEL = 6, 160, 240, 0.333  # the scale of the shipped sample, whose cells are drawn


def tracks_table() -> pd.DataFrame:
    """A mother (1) with two daughters (3, 4) and a cell that stays one (2)."""
    spans = {1: (0, 3, -1, 50, 70), 2: (0, 6, -1, 110, 180), 3: (3, 6, 1, 46, 34), 4: (3, 6, 1, 54, 114)}
    rows = [
        (track, t, y + 0.25 * t, x + 1.0 * t, parent)
        for track, (begin, end, parent, y, x) in spans.items()
        for t in range(begin, end)
    ]
    return pd.DataFrame(rows, columns=["track_id", "t", "y", "x", "parent"])


def movie(tracks: pd.DataFrame) -> np.ndarray:
    """Cells of the shipped sample, the mother in metaphase and the others not, uint16 (t, y, x)."""
    sample = sample_folder() / "labelled"
    images, labels = np.load(sample / "images.npy"), pd.read_csv(sample / "cells.csv")["label"].to_numpy()
    frames = np.random.default_rng(0).normal(400, 3, (FRAMES, HEIGHT, WIDTH))
    for k, (track, t, y, x) in enumerate(tracks[["track_id", "t", "y", "x"]].to_numpy()):
        kind = "metaphase" if track == 1 else "interphase"
        crop, top, left = images[labels == kind][k], int(y + 0.5) - 32, int(x + 0.5) - 32
        frames[int(t), top : top + 64, left : left + 64] += 10.0 * crop
    return frames.astype(np.uint16)


def with_models(folder: Path) -> Study:
    """A new study with the shipped encoder and classifiers, and no cells."""
    study = Study.create(folder)
    study.load_encoder("sample")
    shutil.copytree(sample_folder() / "classifiers", folder / "classifiers", dirs_exist_ok=True)
    return study


@pytest.fixture(scope="session")
def tracked(made_once) -> Study:
    """Read only: the shipped models, and a crop set "movie" cut with ``tracks_table``."""

    def make(folder: Path) -> None:
        tracks = tracks_table()
        with_models(folder).crop(movie(tracks), tracks, name="movie", pixel_size=PIXEL)

    return Study(made_once("tracked", make))


@pytest.fixture
def untracked(tmp_path: Path) -> Study:
    """The shipped models, and 10 cells of the shipped sample in no movie."""
    study = with_models(tmp_path / "untracked")
    images = np.load(sample_folder() / "labelled" / "images.npy")[:10]
    CropSet.write(
        study.path / "crops" / "drawn", images, pd.DataFrame(index=range(10)), CropOrigin(kind="simulated")
    )
    return study


@pytest.fixture
def scores() -> Scores:
    """Made-up scores of the cells of ``tracks_table``; track 2 has none in frame 0."""
    table = tracks_table()
    table["score"] = np.linspace(-3, 3.1, len(table))
    table.loc[(table["track_id"] == 2) & (table["t"] == 0), "score"] = np.nan
    table["class"] = np.where(table["score"] >= 0, "metaphase", "interphase")
    table.loc[table["score"].isna(), "class"] = "undefined"
    return Scores(table, ("interphase", "metaphase"), 3, "movie", PIXEL, (FRAMES, HEIGHT, WIDTH))


@pytest.fixture
def scores_of() -> Callable[[pd.DataFrame, str], Scores]:
    """``scores_of(tracks, name)``: scores of a file's tracks, each cell another, of scheme 2."""

    def made(tracks: pd.DataFrame, name: str) -> Scores:
        table = tracks[["track_id", "t", "y", "x", "parent"]].copy()
        table["score"] = np.linspace(-4, 4, len(table))
        table["class"] = np.where(table["score"] >= 0, "metaphase", "interphase")
        return Scores(table, ("interphase", "metaphase"), 2, name)

    return made


@pytest.fixture
def cut_tracks() -> pd.DataFrame:
    """The tracks that the movie was cut with."""
    return tracks_table()


@pytest.fixture
def trackmate_file(tmp_path: Path) -> Path:
    """The tracks of ``tracks_table`` as TrackMate saves them, in micrometres, with one spot in no track."""
    table = tracks_table()
    names = {(cell.track_id, cell.t): 100 + k for k, cell in enumerate(table.itertuples())}
    frames = {
        t: "".join(
            f'<Spot ID="{names[cell.track_id, t]}" name="ID{names[cell.track_id, t]}" FRAME="{t}" VISIBILITY="1" '
            f'POSITION_X="{cell.x * PIXEL}" POSITION_Y="{cell.y * PIXEL}" POSITION_Z="0.0" ROI_N_POINTS="3">0 1 1 0 1 1'
            "</Spot>"
            for cell in own.itertuples()
        )
        for t, own in table.groupby("t")
    }
    frames[0] += '<Spot ID="7" name="dust" FRAME="0" VISIBILITY="1" POSITION_X="9.0" POSITION_Y="9.0"/>'
    edges = [(names[key], names[(key[0], key[1] + 1)]) for key in names if (key[0], key[1] + 1) in names]
    edges += [(names[1, 2], names[3, 3]), (names[1, 2], names[4, 3])]
    path = tmp_path / "tracks.xml"
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<TrackMate version="7.10.2"><Log>é &lt; 1</Log><Model>'
        "<FeatureDeclarations><SpotFeatures>"
        '<Feature feature="POSITION_X" name="X" shortname="X" dimension="POSITION" isint="false"/>'
        "</SpotFeatures></FeatureDeclarations><AllSpots>"
        + "".join(f'<SpotsInFrame frame="{t}">{spots}</SpotsInFrame>' for t, spots in frames.items())
        + '</AllSpots><AllTracks><Track TRACK_ID="0">'
        + "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}"/>' for a, b in edges)
        + '</Track></AllTracks><FilteredTracks><TrackID TRACK_ID="0"/></FilteredTracks></Model><Settings>'
        f'<ImageData pixelwidth="{PIXEL}" pixelheight="{PIXEL}" nslices="1"/></Settings></TrackMate>',
        encoding="utf-8",
    )
    return path


@pytest.fixture
def btrack_file(tmp_path: Path) -> Path:
    """The tracks of ``tracks_table`` as btrack saves them: filtered, with a dummy, objects by frame."""
    table = tracks_table()
    by_frame = table.sort_values(["t", "track_id"], ignore_index=True)
    dummy = by_frame.index[(by_frame["track_id"] == 4) & (by_frame["t"] == 4)][0]
    small = pd.DataFrame({"track_id": [-1], "t": [0], "y": [1.0], "x": [1.0], "parent": [-1]})
    objects = pd.concat([small, by_frame.drop(index=dummy)], ignore_index=True)  # the first fails the filter
    number = {(o.track_id, o.t): k - 1 for k, o in enumerate(objects.itertuples())} | {(4, 4): -1}
    path, order = tmp_path / "tracks.h5", table.groupby("track_id")
    with h5py.File(path, "w") as file:
        own = file.create_group("objects/obj_type_1")
        zero = np.zeros(len(objects))
        own["coords"] = np.column_stack([objects["t"], objects["x"], objects["y"], zero, zero]).astype("f4")
        own["labels"] = np.full((len(objects), 1), 4, "f4")
        own["properties/area"] = np.array([1] + [50] * (len(objects) - 1), "f4")
        tracks = file.create_group("tracks/obj_type_1")
        tracks.attrs["f_expr"] = "area>10"
        tracks["tracks"] = np.array([number[c.track_id, c.t] for c in table.itertuples()], "i4")
        ends = np.cumsum(order.size().to_numpy())
        tracks["map"] = np.column_stack([np.append(0, ends[:-1]), ends]).astype("u4")
        rows = [(k, c["t"].min(), c["t"].max(), max(c["parent"].iloc[0], 0) or k, 1, 0) for k, c in order]
        tracks["LBEPR"] = np.array(rows, "i4")
        gone = by_frame.loc[dummy]
        tracks["dummies"] = np.array([[gone["t"], gone["x"], gone["y"], 0, 5]], "f4")
    return path


@pytest.fixture
def cut_with_trackmate(trackmate_file: Path, tmp_path: Path) -> Study:
    """The shipped models, and a crop set "movie" cut with ``trackmate_file``."""
    study = with_models(tmp_path / "cut-with-trackmate")
    study.crop(movie(tracks_table()), trackmate_file, name="movie", pixel_size=PIXEL)
    return study
