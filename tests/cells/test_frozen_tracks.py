"""Tracks that repeat their last position are named; cells that rest, and rounded positions, are not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.tracks import open_tracks


def walks() -> pd.DataFrame:
    """Six cells that move slowly, with positions that a program measured."""
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 0.8, (6, 9, 2))
    steps[:, 0] = [(40, 40), (40, 160), (160, 40), (160, 160), (100, 100), (90, 120)]
    places = steps.cumsum(axis=1).reshape(-1, 2)
    rows = {"track_id": np.repeat(np.arange(1, 7), 9), "t": np.tile(np.arange(9), 6)}
    return pd.DataFrame(rows).assign(y=places[:, 0], x=places[:, 1])


def notes_of(tracks: pd.DataFrame, folder: Path) -> list[str]:
    tracks.to_csv(folder / "tracks.csv", index=False)
    return open_tracks(folder / "tracks.csv").facts.notes


def test_a_track_that_repeats_its_last_position_is_named(tmp_path: Path) -> None:
    tracks = walks()
    lost = (tracks["track_id"] == 5) & (tracks["t"] >= 4)
    tracks.loc[lost, ["y", "x"]] = tracks.loc[lost, ["y", "x"]].iloc[0].to_numpy()
    (note,) = notes_of(tracks, tmp_path)
    assert "the position of 1 track (5) is exactly the same in 3 or more frames" in note
    assert "track 5 from frame 4 on" in note


@pytest.mark.parametrize(
    "change",
    [
        lambda tracks: tracks,
        lambda tracks: tracks.round(),
        lambda tracks: tracks.assign(y=tracks.groupby("track_id")["y"].transform("first")),
        lambda tracks: tracks.assign(
            **{name: tracks.groupby("track_id")[name].transform("first") for name in "yx"}
        ),
    ],
    ids=["slow", "rounded", "along a line", "no cell moves"],
)
def test_cells_that_rest_are_not_doubted(change, tmp_path: Path) -> None:
    assert notes_of(change(walks()), tmp_path) == []
