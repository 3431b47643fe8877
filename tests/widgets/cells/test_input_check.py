"""What the Cells panel says about movie and tracks before anything is cut."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.config import CropConfig
from morpholaw.widgets.cells.input_check import MARK, InputCheck, check_inputs, thumbnail


def movie_and_tracks() -> tuple[np.ndarray, pd.DataFrame]:
    """Return six frames with three still bright cells, and their tracks."""
    movie = np.random.default_rng(0).normal(100, 3, (6, 120, 160)).clip(0).astype(np.uint16)
    places = {1: (30, 40), 2: (60, 100), 5: (90, 30)}
    for y, x in places.values():
        movie[:, y - 5 : y + 6, x - 5 : x + 6] += 400
    rows = [(track, t, float(y), float(x), -1) for track, (y, x) in places.items() for t in range(6)]
    return movie, pd.DataFrame(rows, columns=["track_id", "t", "y", "x", "parent"])


def test_inputs_that_fit_are_described():
    movie, tracks = movie_and_tracks()
    report = check_inputs(movie, tracks, CropConfig(size=32, pixel_size=0.5), "blobs")
    assert report.contradictions == ()
    assert report.facts[0].startswith("Movie: 6 frames of 120 x 160 pixels, uint16, 0.5 µm per pixel")
    assert report.facts[1].startswith("Tracks: 3 tracks with 18 positions in frames 0 to 5")


def test_tracks_of_another_scale_are_said():
    movie, tracks = movie_and_tracks()
    report = check_inputs(
        movie, tracks.assign(y=tracks["y"] * 3, x=tracks["x"] * 3), CropConfig(size=32), "blobs"
    )
    assert "outside" in report.contradictions[0]


def test_the_thumbnail_marks_the_tracked_places():
    image = thumbnail(np.zeros((400, 800)), np.array([200.0]), np.array([100.0]))
    assert image.shape[0] == image.shape[1] == 115
    assert np.argwhere((image == MARK).all(axis=2)).mean(axis=0) == pytest.approx([29, 14], abs=0.6)


def test_the_report_is_shown_and_forgotten(qtbot):
    check = InputCheck()
    qtbot.addWidget(check)
    check.show()
    movie, tracks = movie_and_tracks()
    check.check(movie, tracks, CropConfig(size=32), "blobs")
    qtbot.waitUntil(lambda: check.report is not None, timeout=30_000)
    assert "fit each other" in check.facts.text() or check.report.doubts
    assert check.picture.isVisible()
    check.clear()
    assert not check.picture.isVisible()
    assert check.report is None
