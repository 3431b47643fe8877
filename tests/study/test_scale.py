"""Cells are scored at the scale of the models, whichever way they come."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.tracks import read_tracks
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor
from morpholaw.sample import sample_folder
from morpholaw.study import Study

SAMPLE = sample_folder() / "movie"


@pytest.fixture
def study(tmp_path: Path) -> Study:
    """The shipped encoder and classifiers, and no crops."""
    made = Study.create(tmp_path / "study")
    for name in ("encoder", "classifiers"):
        shutil.copytree(sample_folder() / name, made.path / name, dirs_exist_ok=True)
    return made


@pytest.mark.slow
def test_cells_of_a_coarser_movie_have_one_class_as_crops_and_as_a_movie(study, shared_data):
    import tifffile

    hela = shared_data / "hela_ctc_02"
    movie = tifffile.imread(hela / "Fluo_Hela_02_img.tif")[:5]
    tracks = read_tracks(hela / "02_GT" / "TRA")
    tracks = tracks[tracks["t"] < 5]
    crops = study.crop(movie, tracks, pixel_size=0.645)
    assert crops.record.pixel_size == pytest.approx(0.333)
    for scheme in (2, 4):
        as_crops = study.classify(scheme)
        as_movie = study.classify(scheme, movie=movie, tracks=tracks, pixel_size=0.645)
        assert len(as_crops) == len(as_movie) == len(tracks) > 500
        assert list(as_movie["class"]) == list(as_crops["class"])
        assert np.allclose(as_movie["score"], as_crops["score"], rtol=1e-4, atol=1e-4)


def halved() -> tuple[np.ndarray, pd.DataFrame]:
    """The sample's movie at half its resolution, with its tracks."""
    import tifffile

    movie = tifffile.imread(SAMPLE / "movie.tif")[:4].astype(np.float32)
    small = movie.reshape(4, 144, 2, 144, 2).mean(axis=(2, 4)).astype(np.uint16)
    tracks = pd.read_csv(SAMPLE / "tracks.csv")
    tracks = tracks[tracks["t"] < 4]
    return small, tracks.assign(y=(tracks["y"] + 0.5) / 2 - 0.5, x=(tracks["x"] + 0.5) / 2 - 0.5)


def test_a_movie_is_resampled_to_the_scale_of_the_encoder_and_said(study):
    movie, tracks = halved()
    said: list[Any] = []
    table = study.classify(2, movie=movie, tracks=tracks, pixel_size=0.666, monitor=Monitor(said.append))
    sentences = [one.text for one in said if isinstance(one, Message)]
    assert any("resampled to the 0.333 µm per pixel of the encoder" in one for one in sentences)
    plain = study.classify(2, movie=movie, tracks=tracks, pixel_size=0.333)
    assert not np.allclose(table["score"], plain["score"], atol=0.1)


def test_a_movie_of_unknown_scale_is_refused_with_the_option_that_states_it(study):
    movie, tracks = halved()
    with pytest.raises(InputError, match=r"state it with --pixel-size \(pixel_size=...\)"):
        study.classify(2, movie=movie, tracks=tracks)


def test_settings_of_inputs_need_a_movie(study):
    with pytest.raises(InputError, match="go with a movie and its tracks"):
        study.classify(2, pixel_size=0.645)


def test_an_encoder_of_another_scale_is_not_loaded_and_said_where_training_starts_from_it(tmp_path, study):
    movie, tracks = halved()
    coarse = Study.create(tmp_path / "coarse", movie=movie, tracks=tracks, pixel_size=0.666)
    with pytest.raises(InputError, match=r"is 0\.666 µm, but that of the encoder in .* is 0\.333 µm"):
        coarse.load_encoder("sample")
    said: list[Any] = []
    record = coarse.train_encoder(
        epochs=1, epoch_crops=64, start_from="sample", threads=1, monitor=Monitor(said.append)
    )
    assert any("was trained at 0.333 µm per pixel" in getattr(one, "text", "") for one in said)
    assert record.pixel_size == pytest.approx(0.666)
    fine = study.crop(movie, tracks, pixel_size=0.666)
    assert fine.record.pixel_size == pytest.approx(0.333)
    study.load_encoder("sample")


def test_an_encoder_says_nothing_about_the_scale_of_crops_so_their_shapes_stay_in_pixels(tmp_path):
    made = Study.create(tmp_path / "unknown")
    cells = np.r_[0:40, 1500:1540]
    labelled = CropSet(sample_folder() / "labelled")
    table = labelled.cells.iloc[cells].reset_index(drop=True)
    origin = CropOrigin(kind="folder", pixel_size=None)
    CropSet.write(made.path / "crops" / "pngs", labelled.images[cells], table, origin)
    in_pixels = made.shapes()
    said: list[Any] = []
    made.load_encoder("sample", monitor=Monitor(said.append))
    assert "The pixel size of the crops of" in said[0].text
    assert "is unknown" in said[0].text
    pd.testing.assert_frame_equal(made.shapes(), in_pixels)
    assert made.test_law("area > 300").units == {"area": "px²"}
    made.discover_law(inputs="shapes", count=1, evaluations=1_000, processes=1)
    columns = made.classifier(4).columns
    assert columns is not None
    assert {one.unit for one in columns.features} == {"px", "px²", "1/px", ""}

    CropSet.write(
        made.path / "crops" / "known",
        labelled.images[:3],
        cells_table(3, label=""),
        origin.model_copy(update={"pixel_size": 0.3}),
    )
    assert made.test_law("area > 300", name="scheme4-hinge").units == {
        "area": "px²"
    }  # those of one set are unknown


def test_crops_of_another_scale_are_not_scored_and_those_of_unknown_scale_are_said(study, tmp_path):
    images = np.load(sample_folder() / "labelled" / "images.npy", mmap_mode="r")[:3]
    cells = cells_table(3, label="")
    for name, size in (("finer", 0.2), ("same", 0.333), ("unknown", None)):
        CropSet.write(tmp_path / name, images, cells, CropOrigin(kind="simulated", pixel_size=size))
    with pytest.raises(InputError, match=r"crops of finer is 0\.2 µm, but that of the encoder"):
        study.classify(2, crops=tmp_path / "finer")
    with pytest.raises(InputError, match=r"crops of finer is 0\.2 µm, but that of the encoder"):
        study.classify(2, crops=CropSet(tmp_path / "finer"))
    assert len(study.classify(2, crops=tmp_path / "same")) == 3
    said: list[Any] = []
    study.classify(2, crops=tmp_path / "unknown", monitor=Monitor(said.append))
    assert any("The pixel size of the crops of unknown is unknown" in one.text for one in of_text(said))

    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for k, image in enumerate(images):
        Image.fromarray(image).save(pictures / f"{k}.png")
    said.clear()
    study.classify(2, crops=pictures, monitor=Monitor(said.append))
    assert any(f"The pixel size of the images in {pictures} is unknown" in one.text for one in of_text(said))
    assert not any("split" in one.text for one in of_text(said))  # nothing is split here
    with pytest.raises(InputError, match=r"images in .*pictures is 0\.65 µm"):
        study.classify(2, crops=pictures, pixel_size=0.65)
    assert len(study.classify(2, crops=pictures, pixel_size=0.333)) == 3


def of_text(events: list[Any]) -> list[Message]:
    return [event for event in events if isinstance(event, Message)]
