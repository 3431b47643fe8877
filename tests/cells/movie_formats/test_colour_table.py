"""Images with indexed colours: false colours of grey values, colours in any order, and colours of masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from morpholaw.cells.inputs import compare
from morpholaw.cells.movies import open_movie
from morpholaw.cells.track_formats.facts import TrackFacts, Tracks
from morpholaw.cells.tracks import open_tracks
from morpholaw.config import CropConfig

FRAMES = np.random.default_rng(0).integers(0, 256, (3, 64, 64)).astype(np.uint8)
GREEN = np.stack([0 * np.arange(256), np.arange(256), 0 * np.arange(256)])
ANY = np.random.default_rng(1).permutation(256) * np.ones((3, 1), int)


def contradictions(path: Path) -> tuple[str, ...]:
    movie = open_movie(path)
    tracks = open_tracks(np.pad(np.ones((3, 5, 5), np.uint8), ((0, 0), (9, 50), (9, 50)))).table
    return compare(movie, Tracks(tracks, TrackFacts("table")), CropConfig()).contradictions


def tiff(path: Path, frames: np.ndarray, colours: np.ndarray, **options: Any) -> Path:
    tifffile.imwrite(path, frames, photometric="palette", colormap=(colours * 257).astype("u2"), **options)
    return path


def pngs(folder: Path, frames: np.ndarray, colours: np.ndarray) -> Path:
    folder.mkdir()
    for t, frame in enumerate(frames):
        image = Image.fromarray(frame)
        image.putpalette([int(value) for value in colours.T.ravel()])
        image.save(folder / f"t{t}.png")
    return folder


def test_a_movie_of_colours_in_any_order_is_refused_and_one_in_false_colours_is_read(tmp_path: Path) -> None:
    for path in (tiff(tmp_path / "a.tif", FRAMES, ANY), pngs(tmp_path / "a", FRAMES, ANY)):
        assert "indexed colours" in contradictions(path)[0]
    for path in (tiff(tmp_path / "g.tif", FRAMES, GREEN), pngs(tmp_path / "g", FRAMES, GREEN)):
        assert contradictions(path) == ()
        np.testing.assert_array_equal(open_movie(path).frame(1), FRAMES[1])


def test_imagej_colours_grey_values(tmp_path: Path) -> None:
    text = "ImageJ=1.53t\nimages=3\nframes=3\n"
    path = tiff(tmp_path / "j.tif", FRAMES, ANY, description=text, metadata=None)
    assert contradictions(path) == ()


@pytest.mark.parametrize("write", [tiff, pngs])
def test_colours_of_masks_are_their_numbers(tmp_path: Path, write: Any) -> None:
    masks = np.zeros((3, 64, 64), np.uint8)
    masks[:, 5:15, 5:15], masks[:, 30:40, 30:40] = 1, 2
    tracks = open_tracks(write(tmp_path / "masks.tif", masks, ANY)).table
    assert tracks.groupby("track_id")["y"].first().to_dict() == {1: 9.5, 2: 34.5}
