"""Single tracks or frames that do not fit a movie are named, once every crop has been seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.crops import cut_crops
from morpholaw.cells.movies import open_movie
from morpholaw.events import Message, Monitor

FRAMES = 10


def cells_in_a_grid() -> pd.DataFrame:
    """Twelve cells, far from each other, that move by 4 pixels a frame in directions of their own."""
    start = [(50 + 80 * row, 50 + 80 * column) for row in range(3) for column in range(4)]
    rows = [
        (track, t, y + 4 * t * np.sin(track), x + 4 * t * np.cos(track))
        for track, (y, x) in enumerate(start, 1)
        for t in range(FRAMES)
    ]
    return pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])


TRACKS = cells_in_a_grid()


def movie_of(tracks: pd.DataFrame) -> np.ndarray:
    y, x = np.mgrid[:260, :340]
    frames = np.random.default_rng(0).normal(300, 5, (FRAMES, 260, 340))
    for cell in tracks.itertuples():
        frames[cell.t] += 900 * np.exp(-((y - cell.y) ** 2 + (x - cell.x) ** 2) / 50)
    return frames.astype(np.uint16)


MOVIE = movie_of(TRACKS)


def warnings_of(movie: np.ndarray, tracks: pd.DataFrame, folder: Path) -> str:
    messages: list[str] = []

    def keep(event: object) -> None:
        if isinstance(event, Message) and event.level == "warning":
            messages.append(event.text)

    inside = tracks[tracks["t"].between(0, FRAMES - 1)]
    cut_crops(open_movie(movie, "film"), inside, folder / "crops", monitor=Monitor(emit=keep))
    return " ".join(messages)


def test_tracks_that_fit_are_not_doubted(tmp_path: Path) -> None:
    assert warnings_of(MOVIE, TRACKS, tmp_path) == ""


@pytest.mark.parametrize(("shift", "words"), [(1, "1 too high"), (-1, "1 too low")])
def test_two_tracks_of_another_frame_are_named(tmp_path: Path, shift: int, words: str) -> None:
    moved = TRACKS["track_id"].isin([5, 9])
    text = warnings_of(MOVIE, TRACKS.assign(t=TRACKS["t"] + shift * moved), tmp_path)
    assert f"frame numbers of 2 tracks of film (5, 9) seem to be {words}" in text


def test_exchanged_frames_are_named(tmp_path: Path) -> None:
    order = [0, 1, 2, 4, 3, 5, 6, 7, 8, 9]
    text = warnings_of(MOVIE[order], TRACKS, tmp_path)
    assert "In 1 frame of film (3), the cells are where the tracks are in the frame after" in text
    assert "In 1 frame of film (4), the cells are where the tracks are in the frame before" in text


def test_a_movie_that_drifts_under_registered_tracks_is_noticed(tmp_path: Path) -> None:
    drifting = np.stack([np.roll(frame, 2 * t, axis=1) for t, frame in enumerate(MOVIE)])
    assert "corrected for drift" in warnings_of(drifting, TRACKS, tmp_path)
