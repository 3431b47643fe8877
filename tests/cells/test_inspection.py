"""Inputs are described before they are used, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from click.testing import CliRunner

import morpholaw as ml
from morpholaw.cli import main
from morpholaw.sample import sample_folder

MOVIE = sample_folder() / "movie" / "movie.tif"
TRACKS = sample_folder() / "movie" / "tracks.csv"


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """The sample's tracks with frames that count from one."""
    table = pd.read_csv(TRACKS)
    table.assign(t=table["t"] + 1).to_csv(tmp_path / "late.csv", index=False)
    return tmp_path / "late.csv"


def test_inputs_that_fit_are_described_with_where_each_fact_comes_from():
    report = ml.inspect_inputs(MOVIE, TRACKS)
    text = report.text()
    assert report.fits
    assert report.contradictions == ()
    for words in (
        "36 frames of 288 x 288",
        "Pixel size: 0.333 µm (",
        "1,178 positions of 46 tracks",
        "% of the points",
    ):
        assert words in text
    assert text.endswith("The inputs fit each other.")


def test_the_thumbnail_has_a_ring_around_each_tracked_place():
    report = ml.inspect_inputs(MOVIE, TRACKS)
    picture = report.thumbnail
    assert picture.dtype == np.uint8
    assert picture.shape == (288, 288, 3)
    coloured = (picture[:, :, 0] != picture[:, :, 2]).sum()
    assert coloured > 46 * 10
    alone = ml.inspect_inputs(MOVIE).thumbnail
    assert (alone[:, :, 0] == alone[:, :, 2]).all()


def test_what_cannot_be_read_is_a_contradiction_and_the_rest_is_described(tmp_path):
    report = ml.inspect_inputs(MOVIE, tmp_path / "nowhere.csv")
    assert not report.fits
    assert "nowhere.csv" in report.contradictions[0]
    assert "36 frames" in report.text()
    assert "nowhere.tif" in ml.inspect_inputs(tmp_path / "nowhere.tif").contradictions[0]


def test_labels_are_matched_without_a_study(tmp_path):
    table = pd.read_csv(TRACKS)[["track_id", "t"]]
    table.assign(label="metaphase").to_csv(tmp_path / "labels.csv", index=False)
    report = ml.inspect_inputs(MOVIE, TRACKS, labels=tmp_path / "labels.csv")
    assert "1178 of 1178 cells have a class (1178 metaphase)" in report.text()
    table.assign(track_id=table["track_id"] + 1000, label="a").to_csv(tmp_path / "other.csv", index=False)
    assert "other.csv" in ml.inspect_inputs(MOVIE, TRACKS, labels=tmp_path / "other.csv").contradictions[0]


def test_the_command_ends_with_0_where_inputs_fit_and_2_where_they_do_not(tmp_path, late):
    before = sorted(path.name for path in tmp_path.iterdir())
    fine = CliRunner().invoke(main, ["inspect", str(MOVIE), str(TRACKS)])
    assert (fine.exit_code, "fit each other" in fine.output) == (0, True)
    wrong = CliRunner().invoke(main, ["inspect", str(MOVIE), str(late)])
    assert wrong.exit_code == 2
    assert "--frame-offset -1" in wrong.output
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    right = CliRunner().invoke(main, ["inspect", str(MOVIE), str(late), "--frame-offset", "-1"])
    assert right.exit_code == 0, right.output


def test_the_picture_is_written_on_demand(tmp_path):
    done = CliRunner().invoke(
        main, ["inspect", str(MOVIE), str(TRACKS), "--picture", str(tmp_path / "p.png")]
    )
    assert done.exit_code == 0, done.output
    from PIL import Image

    with Image.open(tmp_path / "p.png") as image:
        assert image.size == (288, 288)


def test_a_movie_is_not_its_own_masks(tmp_path):
    tifffile.imwrite(tmp_path / "film.tif", tifffile.imread(MOVIE)[:4], photometric="minisblack")
    report = ml.inspect_inputs(tmp_path / "film.tif", tmp_path / "film.tif")
    assert not report.fits
