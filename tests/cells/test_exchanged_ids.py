"""Tracks whose ids were swapped for some frames are named; cells that pass each other are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.tracks import open_tracks


def walks(step: float = 3.0) -> pd.DataFrame:
    """Eight cells that move by ``step`` pixels a frame."""
    rng = np.random.default_rng(0)
    rows = []
    for track in range(1, 9):
        place, heading = rng.uniform(20, 180, 2), rng.uniform(0, 6)
        for t in range(8):
            rows.append((track, t, *place))
            place = place + step * np.array([np.sin(heading), np.cos(heading)])
    return pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])


def exchanged(tracks: pd.DataFrame, one: int, other: int, frames: list[int]) -> pd.DataFrame:
    """Exchange two ids in some frames."""
    there = tracks["t"].isin(frames)
    return tracks.assign(
        track_id=tracks["track_id"].where(~there, tracks["track_id"].replace({one: other, other: one}))
    )


def test_two_ids_that_are_swapped_in_some_frames_are_named(tmp_path: Path) -> None:
    path = tmp_path / "tracks.csv"
    exchanged(walks(), 2, 7, [3, 4]).to_csv(path, index=False)
    notes = open_tracks(path).facts.notes
    assert [note for note in notes if "tracks 2 and 7 exchange their places between frames 2 and 3" in note]
    assert "the first of 2 such exchanges" in notes[-1]


def test_swapped_ids_of_masks_can_be_linked_again() -> None:
    y, x = np.mgrid[:200, :200]
    masks = np.zeros((8, 200, 200), np.uint8)
    for cell in exchanged(walks(), 2, 7, [3, 4]).itertuples():
        masks[cell.t][(y - cell.y) ** 2 + (x - cell.x) ** 2 < 36] = cell.track_id
    assert "have the masks linked (--ids linked)" in open_tracks(masks).facts.notes[-1]


@pytest.mark.parametrize("step", [0.0, 3.0, 30.0])
def test_cells_that_move_do_not_exchange_their_places(step: float, tmp_path: Path) -> None:
    path = tmp_path / "tracks.csv"
    walks(step).assign(y=lambda t: t["y"] + 300, x=lambda t: t["x"] + 300).to_csv(path, index=False)
    assert not open_tracks(path).facts.notes
