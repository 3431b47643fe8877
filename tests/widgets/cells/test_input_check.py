"""What the Cells panel says about movie and tracks before anything is cut."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.config import CropConfig
from morpholaw.widgets.cells.input_check import THUMBNAIL, InputCheck


def movie_and_tracks() -> tuple[np.ndarray, pd.DataFrame]:
    """Return six frames with three still bright cells, and their tracks."""
    movie = np.random.default_rng(0).normal(100, 3, (6, 120, 160)).clip(0).astype(np.uint16)
    places = {1: (30, 40), 2: (60, 100), 5: (90, 30)}
    for y, x in places.values():
        movie[:, y - 5 : y + 6, x - 5 : x + 6] += 400
    rows = [(track, t, float(y), float(x), -1) for track, (y, x) in places.items() for t in range(6)]
    return movie, pd.DataFrame(rows, columns=["track_id", "t", "y", "x", "parent"])


def test_the_report_is_shown_and_forgotten(qtbot):
    check = InputCheck()
    qtbot.addWidget(check)
    check.show()
    movie, tracks = movie_and_tracks()
    check.check(movie, tracks, CropConfig(size=32, pixel_size=0.5))
    qtbot.waitUntil(lambda: check.report is not None, timeout=30_000)
    assert "6 frames of 120 x 160 pixels" in check.facts.text()
    assert "0.5 µm" in check.facts.text()
    assert check.picture.isVisible()
    assert check.picture.pixmap().width() == THUMBNAIL
    check.clear()
    assert not check.picture.isVisible()
    assert check.report is None


def test_a_contradiction_is_shown(qtbot):
    check = InputCheck()
    qtbot.addWidget(check)
    check.show()
    movie, tracks = movie_and_tracks()
    check.check(movie, tracks.assign(y=tracks["y"] * 3, x=tracks["x"] * 3), CropConfig(size=32))
    qtbot.waitUntil(lambda: check.report is not None, timeout=30_000)
    assert "outside" in check.doubts.text()
