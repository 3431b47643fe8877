"""Cells and families from tracks: bridged gaps, divisions with and without a link."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.simulator import without_links
from morpholaw.errors import InputError
from morpholaw.evaluation.lineages import INFERRED, LINKED, follow_cells
from simulated_phases import simulate_phases


def tracks(*rows: tuple[int, range, int, str], **columns: object) -> pd.DataFrame:
    """Images of tracks given as (track_id, frames, parent, class)."""
    images = [
        {"track_id": track, "t": t, "parent": parent, "class": name}
        for track, frames, parent, name in rows
        for t in frames
    ]
    return pd.DataFrame(images).assign(**columns)


def test_a_parent_with_one_child_is_one_cell_and_with_two_a_division():
    table = tracks(
        (1, range(3), -1, "a"), (2, range(5, 8), 1, "a"), (3, range(8, 10), 2, "a"), (4, range(8, 10), 2, "a")
    )
    cells = follow_cells(table).cells
    assert cells["first"].tolist() == [0, 8, 8]
    assert cells["last"].tolist() == [7, 9, 9]
    assert cells["mother"].tolist() == [-1, 0, 0]
    assert cells["division"].tolist() == [LINKED, "", ""]
    assert cells["lineage"].tolist() == [0, 0, 0]


def test_tracks_of_the_same_number_in_two_movies_are_two_cells():
    table = pd.concat([tracks((1, range(3), -1, "a"), movie=name) for name in ("m1", "m2")])
    assert follow_cells(table).cells["movie"].tolist() == ["m1", "m2"]


def test_rows_without_a_track_are_left_out_and_none_at_all_is_an_error():
    table = tracks((1, range(3), -1, "a"))
    untracked = pd.DataFrame({"track_id": [None], "t": [None], "parent": [-1], "class": ["a"]})
    assert len(follow_cells(pd.concat([table, untracked])).images) == 3
    with pytest.raises(InputError, match="No cell has a track"):
        follow_cells(untracked)


def test_a_track_twice_in_a_frame_is_refused_by_name():
    table = pd.concat([tracks((7, range(3), -1, "a"))] * 2).assign(movie="m1")
    with pytest.raises(InputError, match="Track 7 of m1 occurs twice in frame 0"):
        follow_cells(table)


def test_divisions_whose_links_are_lost_are_found_by_position():
    rng = np.random.default_rng(0)
    table = simulate_phases(rng, 150, 80, median=6.0)
    whole = follow_cells(table).cells
    cut = follow_cells(without_links(table, 0.5, rng)).cells
    divided = (whole["division"] == LINKED).to_numpy()
    found = (cut["division"] == INFERRED).sum()
    assert abs((cut["division"] != "").sum() - divided.sum()) <= 0.03 * divided.sum()
    assert found > 0.4 * divided.sum()


def test_two_tracks_that_begin_far_away_are_no_daughters():
    linked = [
        row
        for k in range(6)
        for row in (
            (3 * k, range(3), -1, "m"),
            (3 * k + 1, range(3, 6), 3 * k, "i"),
            (3 * k + 2, range(3, 6), 3 * k, "i"),
        )
    ]
    table = tracks(*linked, (90, range(3), -1, "m"), (91, range(3, 6), -1, "i"), (92, range(3, 6), -1, "i"))
    table["y"] = 100.0 * (table["track_id"] // 3)
    table["x"] = np.select([table["track_id"] % 3 == 1, table["track_id"] % 3 == 2], [5.0, -5.0], 0.0)
    assert (follow_cells(table).cells["division"] == INFERRED).sum() == 1
    far = table.assign(x=np.where(table["track_id"] > 90, table["x"] * 8, table["x"]))
    assert (follow_cells(far).cells["division"] == INFERRED).sum() == 0
