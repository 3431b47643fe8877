"""Stacks without names of their axes: frames in the order of time, or channels and slices in turn."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from morpholaw.cells.frame_order import alternation
from morpholaw.cells.inputs import open_inputs
from morpholaw.cells.movies import open_movie
from morpholaw.config import CropConfig

SIZE, FRAMES = 128, 6


def channel(seed: int, radius: float, step: float) -> np.ndarray:
    """A movie of blobs that move a little in each frame, (t, y, x)."""
    rng = np.random.default_rng(seed)
    places, ways = rng.uniform(0, SIZE, (14, 2)), rng.normal(0, step, (14, 2))
    yy, xx = np.mgrid[:SIZE, :SIZE]
    movie = np.zeros((FRAMES, SIZE, SIZE))
    for t in range(FRAMES):
        for y, x in places + t * ways:
            movie[t] += np.exp(-((yy - y) ** 2 + (xx - x) ** 2) / (2 * radius**2))
    return (100 + 3000 * movie + rng.normal(0, 60, movie.shape)).clip(0, 65535).astype(np.uint16)


def interleaved(count: int) -> np.ndarray:
    return np.stack([channel(seed, 4 + seed, 1.0) for seed in range(count)], axis=1).reshape(-1, SIZE, SIZE)


def plain_tiff(path, frames: np.ndarray):
    with tifffile.TiffWriter(path) as writer:
        for frame in frames:
            writer.write(frame, contiguous=False, metadata=None)
    return path


@pytest.mark.parametrize("count", [2, 3])
def test_channels_in_turn_are_noticed(tmp_path, count):
    assert alternation(open_movie(plain_tiff(tmp_path / "movie.tif", interleaved(count)))) == count


@pytest.mark.parametrize("step", [0.0, 1.0, 8.0])
@pytest.mark.parametrize("flicker", [1, 3])
def test_a_movie_is_in_order_however_fast_its_cells_and_whatever_its_lamp_does(tmp_path, step, flicker):
    frames = channel(0, 5, step)
    frames[::2] //= flicker
    assert alternation(open_movie(plain_tiff(tmp_path / "movie.tif", frames))) == 1


def test_noise_and_blank_frames_say_nothing(tmp_path):
    noise = np.random.default_rng(0).integers(0, 200, (FRAMES, SIZE, SIZE)).astype(np.uint8)
    noise[2] = 0
    assert alternation(open_movie(plain_tiff(tmp_path / "movie.tif", noise))) == 1


def test_channels_in_turn_are_refused_unless_the_axes_are_named(tmp_path):
    movie = plain_tiff(tmp_path / "movie.tif", interleaved(2))
    masks = np.zeros((2 * FRAMES, SIZE, SIZE), np.uint16)
    masks[:, 40:60, 40:60] = 1
    (sentence,) = open_inputs(movie, masks, CropConfig()).comparison.contradictions
    assert "2 channels or slices alternated" in sentence
    assert "--axes tyx" in sentence
    named = open_inputs(movie, masks, CropConfig(axes="tyx")).comparison
    assert not any("alternated" in sentence for sentence in named.contradictions)


def test_real_movies_are_in_order(shared_data):
    for path in ("hela_ctc_02/Fluo_Hela_02_img.tif", "cancer_migration/cancer_cell_migration_crop.tif"):
        assert alternation(open_movie(shared_data / path)) == 1
