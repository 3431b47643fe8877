"""Orders of cells that make labelling quick."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.widgets.cells.orders import (
    BRIGHTEST,
    BY_TRACK,
    DIVIDING,
    arranged,
    frames_to_division,
    next_on_track,
    next_unlabelled,
    stretch,
)


@pytest.fixture
def cells() -> pd.DataFrame:
    """Track 1 divides into 2 and 3 after frame 2; track 4 stays; frame by frame, as cells are cut."""
    rows = [
        (1, 0, -1),
        (4, 0, -1),
        (1, 1, -1),
        (4, 1, -1),
        (1, 2, -1),
        (4, 2, -1),
        (2, 3, 1),
        (3, 3, 1),
        (4, 3, -1),
    ]
    table = pd.DataFrame(rows, columns=["track_id", "t", "parent"])
    return table.assign(set="movie", brightness=[1.0, 9, 2, 3, 8, 3, 5, 5, 4])


def test_cells_about_to_divide_come_first(cells):
    assert frames_to_division(cells)[[4, 2, 0]].tolist() == [0, 1, 2]
    assert arranged(DIVIDING, np.arange(9), cells, []).tolist() == [4, 2, 0, 1, 3, 5, 6, 7, 8]


def test_cells_are_followed_along_their_tracks_or_by_brightness(cells):
    assert arranged(BY_TRACK, np.arange(9), cells, []).tolist() == [0, 2, 4, 6, 7, 1, 3, 5, 8]
    assert arranged(BRIGHTEST, np.array([0, 1, 4]), cells, []).tolist() == [1, 4, 0]


def test_the_next_frame_and_a_stretch_stay_on_the_track(cells):
    assert next_on_track(cells, 0) == 2
    assert next_on_track(cells, 4) is None
    assert stretch(cells, [3]) == [1, 3, 5, 8]
    assert stretch(cells, [5, 1]) == [1, 3, 5]


def test_the_next_cell_without_a_class_is_found_from_the_start_after_the_end():
    labels = np.array(["a", "", "b", "", "a"], object)
    order = np.arange(5)
    assert next_unlabelled(order, labels, 1) == 3
    assert next_unlabelled(order, labels, 3) == 1
    assert next_unlabelled(order, np.full(5, "a", object), 0) is None
