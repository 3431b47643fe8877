"""The tracker's masks of cells: kept beside their crops, and the cell's own pixels where they are outlines."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from morpholaw.cells.segmentation import with_margin
from morpholaw.cells.tracker_masks import FILE, nuclei_with_masks, read_masks
from morpholaw.store.latent_sample import cell_crops
from morpholaw.study import Study


def disc(y: float, x: float, radius: float, shape: tuple[int, int] = (96, 120)) -> np.ndarray:
    return np.hypot(np.arange(shape[0])[:, None] - y, np.arange(shape[1]) - x) < radius


@pytest.fixture(scope="module")
def movie():
    """Two cells that move right, in three frames, and their masks, of which the second cell has a marker only."""
    frames = np.full((3, 96, 120), 100, np.uint16)
    labels = np.zeros((3, 96, 120), np.uint16)
    rng = np.random.default_rng(0)
    for t in range(3):
        frames[t][disc(40, 40 + 2 * t, 9)] = 900
        frames[t][disc(60, 80 + 2 * t, 9)] = 700
        labels[t][disc(40, 40 + 2 * t, 10)] = 5
        labels[t][disc(60, 80 + 2 * t, 3)] = 7
    return (frames + rng.integers(0, 20, frames.shape)).astype(np.uint16), labels


@pytest.fixture
def cut(movie, tmp_path):
    tifffile.imwrite(tmp_path / "masks.tif", movie[1])
    study = Study.create(tmp_path / "study")
    study.crop(movie[0], tmp_path / "masks.tif", name="cells", pixel_size=0.3, force=True)
    return study


def test_the_masks_are_those_of_the_cells_at_their_places(cut, movie):
    crops, cells = cut.crop_set("cells"), cut.crop_set("cells").cells
    masks = crops.masks(np.arange(len(crops)))
    assert masks.shape == (6, 64, 64)
    for row, mask in zip(cells.itertuples(), masks, strict=True):
        radius = 10 if row.mask_id == 5 else 3
        assert np.array_equal(
            mask, disc(32 + row.y - round(row.y), 32 + row.x - round(row.x), radius, (64, 64))
        )
    assert (crops.folder / FILE).stat().st_size < 4096 + 6 * 64 * 8 + 1
    both = cut.crops.masks(np.array([4, 1]))
    assert np.array_equal(both, masks[[4, 1]])


def test_outlines_are_the_cells_own_pixels_and_markers_are_not(cut):
    crops = cell_crops(cut, np.arange(6))
    outlined = cut.crops.cells["mask_id"].to_numpy() == 5
    assert np.array_equal(crops.tracked, outlined)
    masks = cut.crops.masks(np.arange(6))
    assert np.array_equal(crops.cells[outlined], with_margin(masks[outlined]))
    assert (crops.cells[~outlined].sum(axis=(1, 2)) > 3 * masks[~outlined].sum(axis=(1, 2))).all()


def test_a_movie_that_is_resampled_has_resampled_masks(movie, tmp_path):
    tifffile.imwrite(tmp_path / "masks.tif", movie[1])
    study = Study.create(tmp_path / "half")
    study.crop(
        movie[0], tmp_path / "masks.tif", name="cells", pixel_size=0.3, model_pixel_size=0.6, force=True
    )
    masks = study.crops.masks(np.arange(6))
    area = masks.sum(axis=(1, 2))[study.crops.cells["mask_id"].to_numpy() == 5]
    assert area == pytest.approx(np.full(3, (movie[1][0] == 5).sum() / 4), rel=0.15)


def test_tracks_that_are_no_masks_and_damaged_masks_leave_the_segmentation(cut, movie, tmp_path):
    table = cut.crops.cells[["track_id", "t", "y", "x"]]
    study = Study.create(tmp_path / "table")
    study.crop(movie[0], table, name="cells", pixel_size=0.3, force=True)
    assert not (study.crop_set("cells").folder / FILE).exists()
    assert not cell_crops(study, np.arange(6)).tracked.any()
    (cut.crop_set("cells").folder / FILE).write_bytes(b"\x93NUMPY no")
    assert read_masks(cut.crop_set("cells").folder, 6, 64, [0]) is None
    assert not cell_crops(cut, np.arange(6)).tracked.any()


def test_no_mask_is_none():
    segmented = np.ones((1, 8, 8), bool)
    nuclei, tracked = nuclei_with_masks(segmented, np.zeros((1, 8, 8), bool))
    assert nuclei.all()
    assert not tracked.any()
