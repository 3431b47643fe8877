"""Tracked places are compared with the pixels: cells seen, places elsewhere, other frames, dark cells."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.frame_pairs import frame_pairs
from morpholaw.cells.inspection import inspect_inputs
from morpholaw.cells.pixel_check import check_pixels
from morpholaw.cells.pixel_explanations import explain

FRAMES, HEIGHT, WIDTH, SIZE = 12, 240, 240, 64


def walks(n: int = 12, step: float = 5.0, seed: int = 0) -> pd.DataFrame:
    """Tracks of cells that move by ``step`` pixels a frame and stay inside."""
    rng = np.random.default_rng(seed)
    rows = []
    for track in range(n):
        place = rng.uniform(20, 220, 2)
        heading = rng.uniform(0, 2 * np.pi)
        for t in range(FRAMES):
            rows.append((track, t, *place))
            place = np.clip(place + step * np.array([np.sin(heading), np.cos(heading)]), 10, 229)
            heading += rng.uniform(-0.4, 0.4)
    return pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])


def drawn(tracks: pd.DataFrame, sign: int = 1) -> np.ndarray:
    """A noisy movie with a blob at each tracked place; ``sign`` -1 draws dark blobs on a bright background."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    movie = np.random.default_rng(1).normal(2000, 20, (FRAMES, HEIGHT, WIDTH))
    for row in tracks.itertuples():
        movie[row.t] += sign * 800 * np.exp(-((y - row.y) ** 2 + (x - row.x) ** 2) / (2 * 6**2))
    return movie.astype(np.uint16)


TRACKS = walks()
MOVIE = drawn(TRACKS)


def look(movie: np.ndarray, tracks: pd.DataFrame):
    tracks = tracks[tracks["t"].between(0, len(movie) - 1)]
    pairs = frame_pairs(sorted(tracks["t"].unique()))
    findings = check_pixels({t: movie[t] for pair in pairs for t in pair}, tracks, SIZE)
    assert findings is not None
    return findings, explain(findings, lambda t: movie[t], len(movie), tracks, SIZE, pixel_size=0.5)


def test_tracks_of_the_movie_fit_it():
    findings, _ = look(MOVIE, TRACKS)
    assert findings.fits
    assert findings.share > 0.95
    assert findings.tracks == 12
    assert "% of the points around them" in findings.sentence


def test_frames_are_not_called_blank_if_a_tracker_interpolated_every_position():
    report = inspect_inputs(MOVIE, TRACKS.assign(dummy=True))
    assert report.fits
    assert "blank" not in report.text()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.rename(columns={"x": "y", "y": "x"}), "x and y are exchanged"),
        (lambda t: t.assign(y=HEIGHT - 1 - t.y), "y is counted from the bottom"),
        (lambda t: t.assign(x=WIDTH - 1 - t.x), "x is counted from the right"),
        (lambda t: t.assign(y=t.y * 0.5, x=t.x * 0.5), "positions are in micrometres"),
        (lambda t: t.assign(y=t.y / 4, x=t.x / 4), "an image 4 times as small"),
        (lambda t: t.assign(y=t.y + 18, x=t.x - 9), "-18 pixels further in y and \\+9 in x"),
        (lambda t: t.assign(y=t.y + 7), "-[678] pixels further in y"),
        (lambda t: t.assign(y=t.y * 1.08, x=t.x * 1.08), "multiply them by about 0.9[123]"),
        (lambda t: t.assign(t=t.t + 1), "1 frame too late; give --frame-offset -1"),
        (lambda t: t.assign(t=t.t - 3), "3 frames too early; give --frame-offset 3"),
    ],
    ids=[
        "swapped",
        "upside down",
        "mirrored",
        "micrometres",
        "binned",
        "offset",
        "near",
        "scaled",
        "late",
        "early",
    ],
)
def test_what_is_wrong_with_the_positions_is_said(change, words):
    findings, explanation = look(MOVIE, change(TRACKS))
    assert not findings.fits
    assert explanation is not None
    assert pd.Series([explanation.text]).str.contains(words).all(), explanation.text


def test_a_frame_that_is_missing_in_the_middle_is_noticed():
    late = TRACKS.assign(t=np.where(TRACKS.t > 5, TRACKS.t - 1, TRACKS.t)).drop_duplicates(["track_id", "t"])
    findings, explanation = look(MOVIE, late)
    assert not findings.fits
    assert findings.shift == 1
    assert findings.shift_from is not None
    assert "frames were missing" in explanation.text


def test_frames_of_another_channel_in_between_are_noticed():
    turns = MOVIE.copy()
    turns[::2] = np.random.default_rng(5).normal(
        2000, 20, turns[::2].shape
    )  # the other channel shows no cells
    findings, explanation = look(turns, TRACKS)
    assert findings.share >= findings.limit  # half of the frames are enough for the mean over all
    assert not findings.fits
    assert "have no cells" in explanation.text
    one_bad = MOVIE.copy()
    one_bad[0] = turns[0]
    assert look(one_bad, TRACKS)[0].fits


def test_times_that_pass_for_frames_are_noticed():
    tracked = TRACKS[TRACKS.t < 4]
    findings, explanation = look(MOVIE, tracked.assign(t=3 * tracked.t))
    assert findings.step == 3
    assert not findings.fits
    assert "give --frame-interval 3" in explanation.text
    sparse, _ = look(MOVIE, TRACKS[TRACKS.t % 3 == 0])  # every third frame was tracked
    assert sparse.fits


def test_tracks_of_another_movie_do_not_fit_and_nothing_explains_them():
    findings, explanation = look(drawn(walks(seed=7)), TRACKS)
    assert not findings.fits
    assert findings.share < findings.limit
    assert explanation is None


def test_dark_cells_are_told_from_wrong_places():
    dark, explanation = look(drawn(TRACKS, -1), TRACKS)
    assert dark.dark
    assert explanation is None
    wrong, _ = look(drawn(TRACKS, -1), TRACKS.rename(columns={"x": "y", "y": "x"}))
    assert not wrong.dark
    _, explanation = look(MOVIE, TRACKS.assign(y=TRACKS.y + 20))
    assert explanation is not None  # a place beside a bright cell is dark, and no dark cell


def test_few_tracks_that_pass_by_chance_are_compared_with_other_assumptions():
    few = TRACKS[TRACKS["track_id"].isin([0, 3, 5, 7, 9, 11])]
    noticed = 0
    for change, words in (
        (lambda t: t.rename(columns={"x": "y", "y": "x"}), "exchanged"),
        (lambda t: t[t.t % 2 == 0].assign(t=lambda d: d.t // 2), "one of every 2 frames"),
    ):
        for seed in range(4):
            tracks = walks(n=6, step=14, seed=seed)
            findings, explanation = look(drawn(tracks), change(tracks))
            noticed += explanation is not None and words in explanation.text
    assert noticed >= 7
    findings, _ = look(MOVIE, few)
    assert findings.fits
    assert not findings.doubtful


def test_too_few_tracks_stop_nobody():
    two = TRACKS[TRACKS["track_id"] < 2].rename(columns={"x": "y", "y": "x"})
    findings, _ = look(MOVIE, two)
    assert findings.fits
    assert "too few to judge" in findings.sentence
    report = inspect_inputs(MOVIE, two)
    assert report.fits
    assert "The tracks may not fit the array: x and y are exchanged" in " ".join(report.doubts)


def test_tracks_of_two_movies_in_one_table_are_noticed():
    for seed in range(3):
        other = walks(n=12, seed=50 + seed)
        mixed = pd.concat([TRACKS, other.assign(track_id=other.track_id + 100)], ignore_index=True)
        findings, explanation = look(MOVIE, mixed)
        assert findings.lost
        assert min(findings.lost) >= 100
        assert findings.doubtful or (explanation is not None and "several movies" in explanation.text)
    assert look(MOVIE, TRACKS)[0].lost == ()


def test_a_few_tracks_of_another_movie_are_named():
    tracks = walks(n=60, step=1.0, seed=3)
    dark = np.argwhere(drawn(tracks).max(axis=0) < 2150)  # where no cell ever is
    dark = dark[(dark > 20).all(axis=1) & (dark < 220).all(axis=1)]
    places = dark[np.linspace(0, len(dark) - 1, 5).astype(int)]
    rows = [(100 + k, t, *place) for k, place in enumerate(places) for t in range(FRAMES)]
    mixed = pd.concat([tracks, pd.DataFrame(rows, columns=tracks.columns)], ignore_index=True)
    report = inspect_inputs(drawn(tracks), mixed)
    assert report.fits
    assert "have no visible cells at their positions (10" in " ".join(report.doubts)
    assert not inspect_inputs(drawn(tracks), tracks).doubts


def test_made_up_positions_are_not_looked_at():
    lost = TRACKS.assign(y=5.0, x=5.0, dummy=True, track_id=TRACKS.track_id + 100)
    findings, _ = look(MOVIE, pd.concat([TRACKS.assign(dummy=False), lost], ignore_index=True))
    assert findings.fits
    assert findings.tracks == 12


def test_blank_frames_say_nothing():
    assert check_pixels({0: np.zeros((50, 50), np.uint8)}, TRACKS[TRACKS.t == 0], SIZE) is None


def test_pairs_of_frames_are_spread_over_what_was_tracked():
    assert frame_pairs(range(100)) == [(0, 1), (33, 34), (65, 66), (98, 99)]
    assert frame_pairs([3]) == [(3, 3)]
    assert frame_pairs([1, 3, 6]) == [(1, 1), (3, 3), (6, 6)]
    assert frame_pairs([0, 5, 10]) == [(0, 0), (5, 1), (10, 2)]  # frames 5 and 10, or times of frames 1 and 2
