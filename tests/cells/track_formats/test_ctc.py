"""Cell Tracking Challenge folders are read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from ctc_folders import write_ctc
from morpholaw.cells.tracks import TracksWarning, divisions, open_tracks, read_tracks, validate_tracks
from morpholaw.errors import InputError


@pytest.fixture
def masks() -> np.ndarray:
    masks = np.zeros((3, 20, 30), np.uint16)
    masks[:2, 4:9, 10:15] = 1
    masks[2, 4:7, 10:15] = 2
    masks[2, 8:11, 10:15] = 3
    return masks


@pytest.fixture
def tracks() -> pd.DataFrame:
    return validate_tracks(
        pd.DataFrame(
            {
                "track_id": [1, 1, 2, 3],
                "t": [0, 1, 2, 2],
                "y": [6.0, 6, 5, 9],
                "x": 12.0,
                "parent": [-1, -1, 1, 1],
            }
        )
    )


def test_a_folder_its_parent_and_its_table_are_the_same_tracks(
    tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame
) -> None:
    folder = write_ctc(tmp_path / "TRA", masks, tracks)
    for source in (folder, tmp_path, folder / "man_track.txt"):
        pd.testing.assert_frame_equal(read_tracks(source).drop(columns="mask_id"), tracks)
    assert divisions(tracks)["daughters"].tolist() == [(2, 3)]


def test_results_folder_and_frames_that_are_not_there(
    tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame
) -> None:
    write_ctc(tmp_path, masks, tracks)
    for t in range(3):
        (tmp_path / f"man_track{t:03d}.tif").rename(tmp_path / f"mask{t:03d}.tif")
    (tmp_path / "man_track.txt").rename(tmp_path / "res_track.txt")
    (tmp_path / "mask000.tif").unlink()
    with (tmp_path / "res_track.txt").open("a") as file:
        file.write("8 40 90 0\n")
    with pytest.warns(TracksWarning, match="left out 1 track in no mask of frames 1 to 2"):
        found = read_tracks(tmp_path)
    assert found["t"].tolist() == [1, 2, 2]


def test_mask_that_the_table_does_not_list(tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame) -> None:
    masks[0, 0, 0] = 77
    write_ctc(tmp_path, masks, tracks)
    with pytest.warns(TracksWarning, match="does not list 1 of the tracks"):
        found = read_tracks(tmp_path)
    assert found.loc[found["track_id"] == 77, "parent"].tolist() == [-1]


def test_unusable_folders(tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame) -> None:
    def refused(message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_tracks(tmp_path / "man_track.txt")

    (tmp_path / "man_track.txt").write_text("1 0 1 0\n")
    refused("lists tracks without positions; expected masks")
    write_ctc(tmp_path, masks, tracks)
    (tmp_path / "man_track.txt").write_text("1 0 1 0\n2 2 2\n")
    refused("expected lines of four whole numbers")
    (tmp_path / "man_track.txt").write_text("1 0 1 0\n1 2 2 0\n")
    refused("lists track 1 twice")
    (tmp_path / "man_track.txt").write_text("1 0 1 2\n2 2 2 3\n3 2 2 1\n")
    refused("their own ancestors")
    write_ctc(tmp_path, masks, tracks)
    tifffile.imwrite(tmp_path / "man_track001.tif", np.zeros((20, 30), "f4"))
    refused(r"man_track001\.tif has float32 pixels; expected integers in masks")
    (tmp_path / "man_track001.tif").write_bytes(b"II*\0")
    refused(r"man_track001\.tif cannot be read as a TIFF file")


def test_real_folder(shared_data: Path) -> None:
    with pytest.warns(TracksWarning, match="left out 405 tracks in no mask"):
        tracks = read_tracks(shared_data / "hela_ctc_02" / "02_GT", movie_shape=(20, 700, 1100))
    assert tracks["track_id"].nunique() == 269
    assert (tracks["t"] == 0).sum() == 125
    assert (tracks["t"] == 19).sum() == 195
    assert len(divisions(tracks)) == 55
    with pytest.raises(InputError, match="lists tracks without positions"):
        read_tracks(shared_data / "trackmate_geff" / "Ecoli_growth_on_agar_pad_TMtoCTC.txt")


def numbered(folder: Path, masks: np.ndarray, tracks: pd.DataFrame, numbers: list[int]) -> Path:
    """A CTC folder whose masks have these numbers."""
    write_ctc(folder, masks, tracks)
    numbered_tracks = tracks.assign(t=np.array(numbers)[tracks["t"]])
    spans = numbered_tracks.groupby("track_id").agg(
        a=("t", "min"), b=("t", "max"), parent=("parent", "first")
    )
    lines = [f"{k} {row.a} {row.b} {max(0, row.parent)}\n" for k, row in spans.iterrows()]
    (folder / "man_track.txt").write_text("".join(lines))
    for t, number in reversed(list(enumerate(numbers))):
        (folder / f"man_track{t:03d}.tif").rename(folder / f"man_track{number:03d}.tif")
    return folder


@pytest.mark.parametrize("numbers", [[1, 2, 3], [20, 21, 22], [0, 1, 3]], ids=["from 1", "from 20", "a gap"])
@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
def test_masks_belong_to_the_movies_file_of_their_number(
    tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame, numbers: list[int]
) -> None:
    folder = numbered(tmp_path, masks, tracks, numbers)
    shape = (3, *masks.shape[1:])
    found = open_tracks(folder, movie_shape=shape, movie_frames=numbers)
    assert found.table["t"].tolist() == [0, 1, 2, 2]
    assert found.facts.frame_numbers == tuple(numbers)
    with pytest.raises(InputError, match=r"has masks numbered .*--frame-offset"):
        open_tracks(folder, movie_shape=shape)
    with pytest.raises(InputError, match="but the movie's files are numbered 7 to 9"):
        open_tracks(folder, movie_shape=shape, movie_frames=[7, 8, 9])


def test_masks_of_some_frames_only_belong_to_their_numbers(
    tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame
) -> None:
    folder = numbered(tmp_path, masks, tracks.assign(t=tracks["t"]), [0, 1, 2])
    assert open_tracks(folder, movie_shape=(9, *masks.shape[1:])).table["t"].max() == 2
    found = open_tracks(folder, movie_shape=(2, *masks.shape[1:]), movie_frames=[0, 1])
    assert found.table["t"].tolist() == [0, 1]
    assert "left out 1 mask without a frame of the same number in the movie" in found.facts.notes[0]


def test_masks_of_different_sizes_are_refused(
    tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame
) -> None:
    folder = write_ctc(tmp_path, masks, tracks)
    tifffile.imwrite(folder / "man_track001.tif", np.ones((5, 5), np.uint16))
    with pytest.raises(InputError, match="masks of different sizes"):
        read_tracks(folder)


def test_a_table_that_is_ahead_of_its_masks_is_refused(
    tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame
) -> None:
    folder = write_ctc(tmp_path, masks, tracks)
    (folder / "man_track.txt").write_text("1 1 2 0\n2 3 3 1\n3 3 3 1\n")
    tifffile.imwrite(folder / "man_track003.tif", np.zeros_like(masks[0]))
    with pytest.raises(InputError, match="are 1 frame after their masks"):
        read_tracks(folder)


def test_masks_of_foreground_only_are_refused(tmp_path: Path) -> None:
    masks = np.zeros((3, 40, 40), np.uint16)
    for y, x in ((5, 5), (5, 25), (25, 5), (25, 25)):
        masks[:, y : y + 8, x : x + 8] = 255
    cells = pd.DataFrame({"track_id": [1], "t": [0], "parent": [-1]})
    folder = write_ctc(tmp_path, masks, cells)
    with pytest.raises(InputError, match="marks foreground and not single cells"):
        read_tracks(folder)


def test_a_mask_that_is_missing_in_between_is_told(
    tmp_path: Path, masks: np.ndarray, tracks: pd.DataFrame
) -> None:
    folder = write_ctc(tmp_path, masks, tracks)
    (folder / "man_track001.tif").unlink()
    with pytest.warns(
        TracksWarning, match=r"numbered 0 to 2 without 1 \(1 missing\): no cell is tracked there"
    ):
        read_tracks(folder, movie_shape=(3, *masks.shape[1:]))


def test_masks_numbered_anew_in_each_frame_are_linked_by_the_table(tmp_path: Path) -> None:
    masks = np.zeros((3, 20, 40), np.uint16)
    rows = []
    for t, ids in enumerate([(1, 2), (3, 4), (5, 6, 7)]):
        for k, x in zip(ids, (5, 30, 10), strict=False):
            masks[t, 5:9, x : x + 4] = k
            rows.append((k, t, t, {3: 1, 4: 2, 5: 3, 7: 3, 6: 4}.get(k, 0)))
    for t, mask in enumerate(masks):
        tifffile.imwrite(tmp_path / f"man_track{t:03d}.tif", mask)
    (tmp_path / "man_track.txt").write_text("".join(f"{a} {b} {c} {d}\n" for a, b, c, d in rows))
    with pytest.warns(TracksWarning, match="the parents in the table are read as links: 4 tracks"):
        tracks = read_tracks(tmp_path)
    assert tracks.groupby("track_id")["mask_id"].apply(list).tolist() == [[1, 3], [2, 4, 6], [5], [7]]
    assert len(divisions(tracks)) == 1
