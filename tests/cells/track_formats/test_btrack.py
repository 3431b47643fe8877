"""btrack HDF5: the Lowe lab's real file, both orders of coordinates, and damaged files."""

from __future__ import annotations

import warnings
from pathlib import Path

import h5py
import numpy as np
import pytest

from morpholaw.cells.tracks import divisions, open_tracks, read_tracks
from morpholaw.errors import InputError


def write(path: Path, *, swapped: bool = False, dummies: bool = True, filtered: bool = False) -> Path:
    """Two tracks (y = 10 t, x = 200 + t, class metaphase), the second a child of the first."""
    t = np.arange(6)
    y, x = 10.0 * t, 200.0 + t
    coords = np.column_stack([t, *((y, x) if swapped else (x, y)), 0 * t, 0 * t]).astype("f4")
    refs = [0, 1, -1, 3, 4, 5] if dummies else [0, 1, 2, 3, 4, 5]
    if filtered:  # an object that did not pass stands before the others
        coords = np.vstack([[0, 1, 1, 0, 0], coords]).astype("f4")
    with h5py.File(path, "w") as file:
        objects = file.create_group("objects/obj_type_1")
        objects["coords"] = coords
        objects["labels"] = np.full((len(coords), 1), 2, "f4")
        tracks = file.create_group("tracks/obj_type_1")
        tracks["tracks"] = np.array(refs, "i4")
        tracks["map"] = np.array([[0, 4], [4, 6]], "u4")
        tracks["LBEPR"] = np.array([[7, 0, 3, 7, 7, 0], [9, 4, 5, 7, 7, 1]], "i4")
        if dummies:
            tracks["dummies"] = np.array([[2, 202.5, 20.5, 0, 1]], "f4")
        if filtered:
            objects["properties/area"] = np.array([1] + [50] * 6, "f4")
            tracks.attrs["f_expr"] = "area>10"
    return path


@pytest.mark.parametrize("swapped", [False, True])
def test_dummies_show_which_coordinate_is_y(tmp_path: Path, swapped: bool) -> None:
    tracks = read_tracks(write(tmp_path / "tracks.h5", swapped=swapped))
    assert tracks["track_id"].tolist() == [7, 7, 7, 7, 9, 9]
    assert tracks["parent"].tolist() == [-1] * 4 + [7, 7]
    assert tracks["y"].tolist() == [0, 10, 20.5, 30, 40, 50]
    assert tracks["x"].tolist() == [200, 201, 202.5, 203, 204, 205]
    assert tracks["dummy"].tolist() == [False, False, True, False, False, False]
    assert tracks["label"].tolist() == ["metaphase", "metaphase", "", "metaphase", "metaphase", "metaphase"]


def test_without_dummies_the_movie_shows_which_coordinate_is_y(tmp_path: Path) -> None:
    path = write(tmp_path / "tracks.h5", swapped=True, dummies=False)
    assert read_tracks(path, movie_shape=(6, 100, 300))["x"].tolist() == [200, 201, 202, 203, 204, 205]
    documented = write(tmp_path / "documented.h5", dummies=False)
    assert read_tracks(documented)["x"].tolist() == [200, 201, 202, 203, 204, 205]


def test_an_order_that_nothing_shows_is_said(tmp_path: Path) -> None:
    facts = open_tracks(write(tmp_path / "tracks.h5", dummies=False), movie_shape=(6, 300, 300)).facts
    assert "does not show the order of its coordinates" in facts.notes[0]
    swapped = open_tracks(write(tmp_path / "old.h5", dummies=False, swapped=True), swap_xy=True).table
    assert swapped["x"].tolist() == [200, 201, 202, 203, 204, 205]


@pytest.mark.parametrize("swapped", [False, True])
def test_masks_in_the_file_show_which_coordinate_is_y(tmp_path: Path, swapped: bool) -> None:
    path = write(tmp_path / "tracks.h5", dummies=False, swapped=swapped)
    masks = np.zeros((6, 300, 300), np.uint16)
    for t in range(6):
        masks[t, max(0, 10 * t - 3) : 10 * t + 4, 197 + t : 204 + t] = 1
    with h5py.File(path, "r+") as file:
        file["segmentation/images"] = masks
    tracks = open_tracks(path)
    assert tracks.table["x"].tolist() == [200, 201, 202, 203, 204, 205]
    assert tracks.facts.image_size == (300, 300)
    assert not tracks.facts.notes


def test_objects_that_nobody_classified_have_no_class(tmp_path: Path) -> None:
    path = write(tmp_path / "tracks.h5")
    with h5py.File(path, "r+") as file:
        file["objects/obj_type_1/labels"][...] = 5
    assert set(read_tracks(path)["label"]) == {""}


def test_a_root_whose_parent_is_0_has_none(tmp_path: Path) -> None:
    path = write(tmp_path / "tracks.h5")
    with h5py.File(path, "r+") as file:
        lineage = file["tracks/obj_type_1/LBEPR"][...]
        lineage[:, 3] = [0, 7]
        file["tracks/obj_type_1/LBEPR"][...] = lineage
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_tracks(path)["parent"].tolist() == [-1] * 4 + [7, 7]


def test_references_count_only_objects_that_passed_the_filter(tmp_path: Path) -> None:
    tracks = read_tracks(write(tmp_path / "tracks.h5", filtered=True))
    assert tracks["y"].tolist() == [0, 10, 20.5, 30, 40, 50]


def test_real_file_agrees_with_the_csv_of_the_same_tracks(shared_data: Path) -> None:
    folder = shared_data / "btrack_tracks"
    tracks = read_tracks(folder / "tracks.h5")
    table = read_tracks(folder / "tracks.csv")
    assert len(tracks) == 52_678
    assert tracks[["track_id", "t"]].equals(table[["track_id", "t"]])
    np.testing.assert_allclose(tracks[["y", "x"]], table[["y", "x"]], atol=1e-3)
    assert tracks["dummy"].sum() == 97
    assert len(divisions(tracks)) == 110
    counts = tracks["label"].value_counts()
    assert counts.index[0] == "interphase"
    assert set(counts.index) == {"interphase", "prometaphase", "metaphase", "anaphase", "apoptosis", ""}
    assert (tracks.loc[tracks["dummy"], "label"] == "").all()


def test_damaged_files(tmp_path: Path) -> None:
    def refused(path: Path, message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_tracks(path)

    path = write(tmp_path / "tracks.h5")
    cut = tmp_path / "cut.h5"
    cut.write_bytes(path.read_bytes()[:3000])
    refused(cut, r"cut\.h5 cannot be read as a btrack file")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["images"] = np.zeros(3)
    refused(tmp_path / "other.h5", "contains images; expected objects and tracks")
    with h5py.File(path, "r+") as file:
        file["tracks/obj_type_1/tracks"][0] = 1000
    refused(path, "refer to missing objects")
    with h5py.File(path, "r+") as file:
        del file["tracks/obj_type_1/LBEPR"]
    refused(path, "cannot be read as a btrack file")
    shared = write(tmp_path / "shared.h5")
    with h5py.File(shared, "r+") as file:
        file["tracks/obj_type_1/map"][...] = [[0, 6], [0, 6]]
    refused(shared, "has tracks that share objects")
    huge = write(tmp_path / "huge.h5")
    with h5py.File(huge, "r+") as file:
        del file["objects/obj_type_1/coords"]
        file["objects/obj_type_1"].create_dataset("coords", (2**40, 5), "f4", chunks=(1024, 5))
    refused(huge, "more than the file contains")
