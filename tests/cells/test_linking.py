"""The embedded linker: tracks, gaps and divisions of planted cells, and of real ones against their true tracks."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.laptrack_linking import link_masks_by_laptrack
from morpholaw.cells.linking import agreement, link_masks
from morpholaw.cells.movies import open_movie
from morpholaw.cells.tracks import divisions, open_tracks, read_tracks
from morpholaw.errors import InputError

SIZE = 120


def discs(places: list[tuple[float, float, float]], rng: np.random.Generator) -> np.ndarray:
    """Masks of discs (y, x, radius), numbered at random."""
    yy, xx = np.mgrid[:SIZE, :SIZE]
    mask = np.zeros((SIZE, SIZE), np.uint16)
    for number, (y, x, radius) in zip(rng.permutation(len(places)) + 1, places, strict=True):
        mask[(yy - y) ** 2 + (xx - x) ** 2 <= radius**2] = number
    return mask


@pytest.mark.parametrize("link_masks", [link_masks, link_masks_by_laptrack])
def test_cells_are_followed_whatever_their_ids(link_masks) -> None:
    rng = np.random.default_rng(0)
    cells = [(20 + 25 * i, 20 + 25 * j, 7.0) for i in range(4) for j in range(4)]
    frames = [discs([(y + 2 * t, x + t, r) for y, x, r in cells], rng) for t in range(5)]
    table = link_masks(enumerate(frames))
    assert table["track_id"].nunique() == 16
    start = table[table["t"] == 0].set_index("track_id")[["y", "x"]]
    end = table[table["t"] == 4].set_index("track_id")[["y", "x"]]
    np.testing.assert_allclose(end - start, [[8, 4]] * 16, atol=0.3)
    for row in table.itertuples():
        assert frames[row.t][round(row.y), round(row.x)] == row.mask_id


def test_a_cell_that_is_missed_in_one_frame_goes_on_and_in_two_does_not() -> None:
    rng = np.random.default_rng(1)
    two = [(30.0, 30.0, 7.0), (80.0, 80.0, 7.0)]
    frames = [discs(two if t != 2 else two[:1], rng) for t in range(5)]
    assert link_masks(enumerate(frames))["track_id"].nunique() == 2
    frames = [discs(two if t not in (2, 3) else two[:1], rng) for t in range(6)]
    assert link_masks(enumerate(frames))["track_id"].nunique() == 3


@pytest.mark.parametrize("link_masks", [link_masks, link_masks_by_laptrack])
def test_a_division_has_one_mother_and_two_daughters(link_masks) -> None:
    rng = np.random.default_rng(2)
    before = [(60.0, 60.0, 10.0), (20.0, 20.0, 7.0)]
    after = [[(60.0 - 5 - t, 60.0, 6.0), (60.0 + 5 + t, 60.0, 6.0), (20.0, 20.0, 7.0)] for t in range(3)]
    frames = [discs(before, rng), discs(before, rng), *(discs(cells, rng) for cells in after)]
    table = link_masks(enumerate(frames)).sort_values(["track_id", "t"], ignore_index=True)
    assert table["track_id"].nunique() == 4
    found = divisions(table)
    assert found["t"].tolist() == [2]
    assert len(found["daughters"][0]) == 2


def test_a_cell_that_comes_in_beside_another_is_no_daughter() -> None:
    rng = np.random.default_rng(3)
    frames = [discs([(60.0, 60.0, 8.0)], rng), discs([(60.0, 60.0, 8.0), (60.0, 78.0, 8.0)], rng)]
    assert (link_masks(enumerate(frames))["parent"] == -1).all()


def test_frames_without_masks_and_stacks_without_frames() -> None:
    empty = np.zeros((20, 20), int)
    for link in (link_masks, link_masks_by_laptrack):
        assert len(link([])) == len(link([(0, empty), (1, empty)])) == 0


def test_without_laptrack_one_sentence_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "laptrack", None)
    masks = np.stack([discs([(60.0, 60.0, 8.0)], np.random.default_rng(0))] * 2)
    with pytest.raises(InputError, match=r'pip install "napari-morpholaw\[laptrack\]"'):
        open_tracks(masks, ids="laptrack")


def test_agreement_counts_ids_that_stay_with_their_cell() -> None:
    rng = np.random.default_rng(4)
    cells = [(20 + 25 * i, 20 + 25 * j, 7.0) for i in range(4) for j in range(4)]
    then = discs(cells, rng)
    assert agreement(then, then) == (16, 16, 16)
    shared, judged, alike = agreement(then, discs(cells, rng))
    assert (shared, judged) == (16, 16)
    assert alike < 6


def steps(table: pd.DataFrame) -> set[tuple[int, int, int]]:
    """Links of one cell to itself in the next frame: frame, mask, mask."""
    table = table.sort_values(["track_id", "t"])
    after = table.groupby("track_id").shift(-1)
    linked = after["t"] == table["t"] + 1
    rows = zip(
        table["t"][linked], table["mask_id"][linked], after["mask_id"][linked].astype(int), strict=True
    )
    return set(rows)


def daughters(table: pd.DataFrame) -> set[tuple[int, frozenset[int]]]:
    """The divisions: frame, and the masks of the daughters."""
    first = table.sort_values("t").groupby("track_id")["mask_id"].first()
    return {(row.t, frozenset(first[list(row.daughters)])) for row in divisions(table).itertuples()}


@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
@pytest.mark.parametrize("ids", ["linked", "laptrack"])
def test_real_cells_are_linked_like_their_true_tracks(shared_data: Path, ids: str) -> None:
    masks = shared_data / "hela_ctc_02" / "02_ST" / "SEG"
    truth = steps(open_tracks(masks).table)
    linking = open_tracks(masks, ids=ids)
    assert linking.facts.automatic
    linked = steps(linking.table)
    right = len(truth & linked)
    assert right / len(truth) > 0.98
    assert right / len(linked) > 0.97
    known = daughters(open_tracks(shared_data / "hela_ctc_02" / "02_GT" / "TRA").table)
    found = daughters(linking.table)
    assert len(found & known) > 0.7 * len(known)
    assert len(found & known) > 0.75 * len(found)


@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
def test_masks_without_tracks_are_a_normal_beginning(shared_data: Path) -> None:
    path = shared_data / "cancer_migration" / "cancer_cell_migration_voronoi_otsu_labeling_crop.tif"
    table = read_tracks(path)
    assert len(table) == 650
    assert table["track_id"].nunique() < 60
    frame = open_movie(path).frame(10)
    rows = table[table["t"] == 10]
    assert set(rows["mask_id"]) == set(np.unique(frame).tolist()) - {0}
