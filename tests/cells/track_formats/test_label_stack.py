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

from morpholaw.cells.track_formats.label_stack import label_centroids
from morpholaw.cells.tracks import TracksWarning, read_tracks
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
        assert tracks.to_numpy().tolist() == [[4, t, 3, 4, -1] for t in range(3)] + [[9, 1, 8.5, 9.5, -1]]
    alone = read_tracks(masks, ids_per_frame=True)
    assert alone["track_id"].tolist() == [1, 2, 3, 4]


def test_stacks_that_are_no_masks() -> None:
    with pytest.raises(InputError, match="The label stack has float64 pixels, but masks are integers"):
        read_tracks(np.zeros((2, 8, 8)))
    with pytest.raises(InputError, match="The label stack has no mask in any of its 2 frames"):
        read_tracks(np.zeros((2, 8, 8), int))


def test_real_stack_is_fast_and_ids_per_frame_are_noticed(shared_data: Path) -> None:
    path = shared_data / "hela_ctc_02" / "Fluo_Hela_02_ERR_SEG.tif"
    start = time.perf_counter()
    with pytest.warns(TracksWarning, match="numbered afresh in every frame"):
        read_tracks(path)
    assert time.perf_counter() - start < 3
    assert read_tracks(path, ids_per_frame=True)["track_id"].is_unique
    tracks = read_tracks(shared_data / "hela_ctc_02" / "02_ST" / "SEG")
    assert tracks["track_id"].nunique() == 268
