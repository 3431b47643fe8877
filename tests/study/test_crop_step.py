"""Cells of a movie come into a study whole or not at all, once, and at one scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor
from morpholaw.study import Study

FRAMES, HEIGHT, WIDTH = 4, 160, 200


def tracks(seed: int = 0, n: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(1, n + 1):
        place, step = rng.uniform(40, 120, 2), rng.uniform(-8, 8, 2)
        rows += [(k, t, *(place + t * step)) for t in range(FRAMES)]
    return pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])


def elsewhere() -> pd.DataFrame:
    """Tracks of cells that are not in the movie of the others."""
    return tracks().assign(y=lambda t: 159 - t.y, x=lambda t: t.x + 60)


def drawn(table: pd.DataFrame, sigma: float = 4.0) -> np.ndarray:
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    movie = np.random.default_rng(1).normal(100, 5, (FRAMES, HEIGHT, WIDTH))
    for row in table.itertuples():
        movie[row.t] += 3000 * np.exp(-((y - row.y) ** 2 + (x - row.x) ** 2) / (2 * sigma**2))
    return movie.astype(np.uint16)


def write_movie(path: Path, table: pd.DataFrame, pixel_size: float | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    scale = {} if pixel_size is None else {"resolution": (1 / pixel_size, 1 / pixel_size)}
    unit = {"unit": "um"} if pixel_size else {}
    tifffile.imwrite(path, drawn(table), imagej=True, metadata={"axes": "TYX", **unit}, **scale)
    return path


@pytest.fixture
def inputs(tmp_path: Path) -> tuple[Path, Path]:
    """A movie and its tracks as files."""
    movie = write_movie(tmp_path / "film.tif", tracks())
    tracks().to_csv(tmp_path / "tracks.csv", index=False)
    return movie, tmp_path / "tracks.csv"


def spoken(events: list[Any]) -> str:
    return " ".join(event.text for event in events if isinstance(event, Message))


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("wrong", ["no tracks", "missing tracks", "other frames", "other places", "labels"])
def test_a_refused_study_leaves_no_folder(tmp_path, inputs, wrong):
    movie, table = inputs
    bad = tmp_path / "bad.csv"
    labels = None
    if wrong == "labels":
        labels = bad
        tracks()[["track_id"]].to_csv(bad, index=False)
    elif wrong == "other frames":
        tracks().assign(t=tracks().t + 1).to_csv(bad, index=False)
    elif wrong == "other places":
        elsewhere().to_csv(bad, index=False)
    given = {"no tracks": None, "missing tracks": tmp_path / "nowhere.csv", "labels": table}.get(wrong, bad)
    before = names(tmp_path)
    with pytest.raises(InputError):
        Study.create(tmp_path / "new" / "study", movie=movie, tracks=given, labels=labels)
    assert names(tmp_path) == before
    study = Study.create(tmp_path / "new" / "study", movie=movie, tracks=table)
    assert len(study.crops) == 20


def test_a_refused_crop_leaves_an_existing_study_as_it_was(tmp_path, inputs):
    movie, table = inputs
    study = Study.create(tmp_path / "study")
    tracks()[["track_id", "t"]].assign(colour="red").to_csv(tmp_path / "bad.csv", index=False)
    with pytest.raises(InputError, match=r"bad\.csv"):
        study.crop(movie, table, labels=tmp_path / "bad.csv")
    assert study.sets == []
    tracks()[["track_id", "t"]].assign(label="metaphase").to_csv(tmp_path / "good.csv", index=False)
    study.crop(movie, table, labels=tmp_path / "good.csv")
    assert list(study.labels) == ["metaphase"] * 20


def test_an_empty_folder_that_was_there_stays_and_is_empty(tmp_path, inputs):
    (tmp_path / "study").mkdir()
    with pytest.raises(InputError):
        Study.create(tmp_path / "study", movie=inputs[0], tracks=tmp_path / "nowhere.csv")
    assert names(tmp_path / "study") == set()


def test_what_contradicts_itself_is_done_on_demand_and_said(tmp_path, inputs):
    movie, _ = inputs
    said: list[Any] = []
    study = Study.create(tmp_path / "study")
    study.crop(movie, elsewhere(), force=True, monitor=Monitor(said.append))
    assert any(isinstance(one, Message) and "no cells at the tracked positions" in one.text for one in said)


def test_the_same_movie_is_noticed_and_replaced_on_demand(tmp_path, inputs):
    movie, table = inputs
    study = Study.create(tmp_path / "study", movie=movie, tracks=table)
    for row, label in ((3, "metaphase"), (0, "anaphase")):  # row 0 is of track 1
        study.annotations.set_label("film", row, label)
    marked = study.sets[0].cells.iloc[3]
    with pytest.raises(InputError, match=r"already holds crops of this movie, the set film.*--replace"):
        study.crop(movie, table)
    study = Study(study.path)
    fewer = tracks()[tracks()["track_id"] != 1]
    study.crop(movie, fewer, replace=True)
    (crops,) = study.sets
    assert len(crops) == 16
    (row,) = study.annotations.of_set(crops)
    assert list(crops.cells.loc[row, ["track_id", "t"]]) == list(marked[["track_id", "t"]])
    study.crop(movie, table, force=True)
    assert len(study.sets) == 2


def test_a_movie_without_a_file_is_noticed_by_its_pixels(tmp_path):
    study = Study.create(tmp_path / "study", movie=drawn(tracks()), tracks=tracks())
    with pytest.raises(InputError, match="already holds crops of this movie"):
        study.crop(drawn(tracks()), tracks(), name="another name")


def test_movies_of_one_name_have_groups_of_their_own(tmp_path):
    study = Study.create(tmp_path / "study")
    for k in range(2):
        table = tracks(seed=k)
        study.crop(write_movie(tmp_path / f"Pos{k}" / "img.tif", table), table)
    study.rename_set("img", "first")
    study.crop(write_movie(tmp_path / "Pos2" / "img.tif", tracks(seed=2)), tracks(seed=2))
    groups = [set(one.cells["group"]) for one in study.sets]
    assert len(set.union(*groups)) == 15


def test_movies_of_two_scales_come_out_at_one(tmp_path):
    study = Study.create(tmp_path / "study")
    study.crop(write_movie(tmp_path / "20x.tif", tracks(), 0.65), tracks())
    said: list[Any] = []
    finer = write_movie(tmp_path / "40x.tif", tracks(seed=1), 0.325)
    study.crop(finer, tracks(seed=1), monitor=Monitor(said.append))
    assert [one.record.pixel_size for one in study.sets] == pytest.approx([0.65, 0.65])
    assert any("0.325 µm per pixel; its cells are resampled" in getattr(one, "text", "") for one in said)
    unknown = write_movie(tmp_path / "unknown.tif", tracks(seed=2))
    with pytest.raises(InputError, match=r"state it with --pixel-size \(pixel_size=...\)"):
        study.crop(unknown, tracks(seed=2))
    study.crop(unknown, tracks(seed=2), pixel_size=0.65)
    with pytest.raises(InputError, match="so their cells differ in size"):
        study.crop(write_movie(tmp_path / "4.tif", tracks(seed=3), 0.3), tracks(seed=3), model_pixel_size=0.3)


def test_sets_are_renamed_with_their_labels_and_deleted(tmp_path, inputs):
    study = Study.create(tmp_path / "study", movie=inputs[0], tracks=inputs[1])
    study.annotations.set_label("film", 2, "metaphase")
    study.rename_set("film", "control")
    assert study.labels[2] == "metaphase"
    assert [one.name for one in study.sets] == ["control"]
    for taken, sentence in (("control", "is taken"), ("a/b", "cannot be a folder's name")):
        with pytest.raises(InputError, match=sentence):
            study.rename_set("control", taken)
    study.delete_set("control")
    assert study.sets == []
    assert len(study.annotations) == 0
    with pytest.raises(InputError, match="no crop set 'control'"):
        study.delete_set("control")


@pytest.mark.parametrize("damage", ["set.json", "images.npy", "cells.csv", "no set.json"])
def test_a_damaged_set_is_named_and_the_rest_of_the_study_works(tmp_path, inputs, damage):
    study = Study.create(tmp_path / "study", movie=inputs[0], tracks=inputs[1])
    study.crop(drawn(tracks(seed=1)), tracks(seed=1), name="second")
    file = study.path / "crops" / "film" / damage.removeprefix("no ")
    if damage.startswith("no "):
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-40])
    again = Study(study.path)
    assert [one.name for one in again.sets] == ["second"]
    assert len(again.crops) == 20
    (sentence,) = again.damaged_sets
    assert "film" in sentence
    again.delete_set("film")
    assert again.damaged_sets == []


def test_a_set_that_was_being_replaced_when_the_process_was_killed_comes_back(tmp_path, inputs):
    study = Study.create(tmp_path / "study", movie=inputs[0], tracks=inputs[1])
    place = study.path / "crops" / "film"
    place.rename(place.with_name(".film.replaced"))
    with study.writing():
        pass
    assert [one.name for one in study.sets] == ["film"]


def test_classes_are_spelt_as_in_the_study(tmp_path, inputs):
    movie, _ = inputs
    study = Study.create(tmp_path / "study")
    study.add_class("G2")
    classes = ["Metaphase", "metaphase", "g2", "?"]
    tracks().assign(phase=[classes[t] for t in tracks().t]).to_csv(tmp_path / "tracks.csv", index=False)
    said: list[Any] = []
    study.crop(movie, tmp_path / "tracks.csv", monitor=Monitor(said.append))
    assert sorted(set(study.labels)) == ["", "G2", "metaphase"]
    assert study.classes == ("interphase", "metaphase", "G2")
    assert "'Metaphase' is read as the class metaphase" in spoken(said)
    tracks()[["track_id", "t"]].assign(label="INTERPHASE").to_csv(tmp_path / "labels.csv", index=False)
    study.crop(movie, tmp_path / "tracks.csv", labels=tmp_path / "labels.csv", replace=True)
    assert set(study.labels) == {"interphase"}


def test_blank_crops_are_mentioned(tmp_path):
    pixels = drawn(tracks())
    pixels[2] = 100
    said: list[Any] = []
    Study.create(tmp_path / "study").crop(pixels, tracks(), monitor=Monitor(said.append))
    assert "5 of 20 crops of the array have the same grey value in all pixels (frame 2)" in spoken(said)
