"""Label stacks: centroids, ids per frame, and stacks that are no masks."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.measure import regionprops

from morpholaw.cells.mask_centroids import label_centroids
from morpholaw.cells.tracks import open_tracks, read_tracks
from morpholaw.errors import InputError


@settings(max_examples=100, deadline=None)
@given(mask=arrays(np.int32, (9, 7), elements=st.sampled_from([0, 0, 1, 2, 5, 2**31 - 1])))
def test_centroids_are_those_of_regionprops(mask: np.ndarray) -> None:
    ids, y, x, area = label_centroids(mask)
    expected = {
        int(label): (*np.argwhere(mask == label).mean(axis=0), int((mask == label).sum()))
        for label in np.unique(mask[mask > 0])
    }
    assert ids.tolist() == list(expected)
    np.testing.assert_allclose(np.column_stack([y, x, area]).ravel(), np.ravel(list(expected.values())))
    small = np.where(mask > 5, 0, mask)
    ids, y, x, _ = label_centroids(small)
    found = [(r.label, *r.centroid) for r in regionprops(small)]
    np.testing.assert_allclose(np.column_stack([ids, y, x]).ravel(), np.ravel(found))


def test_stack_from_file_folder_and_array(tmp_path: Path) -> None:
    masks = np.zeros((3, 12, 14), np.uint16)
    masks[:, 2:5, 3:6] = 4
    masks[1, 8:10, 8:12] = 9
    tifffile.imwrite(tmp_path / "masks.tif", masks, photometric="minisblack")
    (tmp_path / "masks").mkdir()
    for t, mask in enumerate(masks):
        tifffile.imwrite(tmp_path / "masks" / f"m{t}.tif", mask)
    for source in (tmp_path / "masks.tif", tmp_path / "masks", masks):
        tracks = read_tracks(source)
        columns = ["track_id", "t", "y", "x", "parent"]
        assert tracks[columns].to_numpy().tolist() == [[4, t, 3, 4, -1] for t in range(3)] + [
            [9, 1, 8.5, 9.5, -1]
        ]
        assert tracks["mask_id"].tolist() == [4, 4, 4, 9]
    alone = read_tracks(masks, ids_per_frame=True)
    assert alone["track_id"].tolist() == [1, 2, 3, 4]


def test_float_masks_with_whole_numbers_are_read() -> None:
    masks = np.zeros((2, 12, 12), np.float32)
    masks[:, 2:5, 2:5] = 3
    assert read_tracks(masks)["track_id"].tolist() == [3, 3]


def noise(height: int = 64, width: int = 64) -> np.ndarray:
    return np.random.default_rng(0).normal(500, 50, (3, height, width)).astype(np.uint16)


def foreground(value: int) -> np.ndarray:
    """Twelve round cells in three frames, all of one value."""
    yy, xx = np.mgrid[:90, :120]
    cells = [(yy - y) ** 2 + (xx - x) ** 2 <= 49 for y in (15, 45, 75) for x in (15, 45, 75, 105)]
    return np.repeat(np.where(np.any(cells, axis=0), value, 0)[None], 3, axis=0).astype(np.uint8)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (np.zeros((2, 8, 8), int), "The label stack has no mask in any of its 2 frames"),
        (noise() / np.float64(3), "pixels that are not whole numbers, as masks need; is it the movie?"),
        (noise(), "looks like an image and not like masks"),
        (np.where(noise() > 600, noise(), 0), "looks like an image and not like masks"),
        (
            foreground(255),
            r"marks foreground and not single cells: frame 0 has the value 255 in 12 separate places",
        ),
        (foreground(1) + 1, "has no background: 1 covers"),
    ],
    ids=["nothing", "float image", "image", "image above a threshold", "foreground", "labelled background"],
)
def test_stacks_that_are_no_masks(masks: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_tracks(masks)


def test_one_cell_in_pieces_and_a_movie_of_one_cell_are_masks() -> None:
    masks = np.zeros((3, 40, 40), np.uint8)
    masks[:, 5:15, 5:15] = 1
    masks[:, 17:25, 5:15] = 1
    assert read_tracks(masks)["track_id"].tolist() == [1, 1, 1]


def test_real_stack_is_fast_and_ids_per_frame_are_linked(shared_data: Path) -> None:
    path = shared_data / "hela_ctc_02" / "Fluo_Hela_02_ERR_SEG.tif"
    start = time.process_time()
    tracks = open_tracks(path)
    assert time.process_time() - start < 5
    assert tracks.facts.automatic
    assert any("ids start again in each frame" in note for note in tracks.facts.notes)
    assert 220 < tracks.table["track_id"].nunique() < 300
    assert read_tracks(path, ids_per_frame=True)["track_id"].is_unique
    truth = open_tracks(shared_data / "hela_ctc_02" / "02_ST" / "SEG")
    assert truth.table["track_id"].nunique() == 268
    assert not truth.facts.automatic


def test_masks_of_several_slices_are_refused_with_what_to_do(tmp_path: Path) -> None:
    masks = np.zeros((4, 2, 30, 40), np.uint16)
    masks[:, :, 5:12, 5:12] = 1
    tifffile.imwrite(tmp_path / "masks.tif", masks, imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(InputError, match=r"masks of one image per frame were expected: save one of them"):
        open_tracks(tmp_path / "masks.tif", movie_shape=(4, 30, 40))


def test_masks_with_a_channel_of_length_one_are_read_and_colour_pictures_of_masks_are_refused(
    tmp_path: Path,
) -> None:
    masks = np.zeros((3, 40, 60), np.uint16)
    masks[:, 10:20, 20:40] = 7
    np.save(tmp_path / "masks.npy", masks[..., None])  # as DeepCell writes them
    tracks = read_tracks(tmp_path / "masks.npy")
    assert tracks[["track_id", "y", "x"]].drop_duplicates().to_numpy().tolist() == [[7, 14.5, 29.5]]
    colours = np.stack([masks * 30, masks * 7, masks], axis=-1).astype(np.uint8)
    tifffile.imwrite(tmp_path / "masks.tif", colours, photometric="rgb")
    with pytest.raises(InputError, match="saved as a colour picture have lost their numbers"):
        read_tracks(tmp_path / "masks.tif")
