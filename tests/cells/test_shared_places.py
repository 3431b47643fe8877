"""Tracks that share positions: a mark for no position, and one cell under two ids."""

from __future__ import annotations

import pandas as pd
import pytest

from morpholaw.cells.tracks import TracksWarning, read_tracks

TABLE = pd.DataFrame(
    [(k, t, 10.0 * k + t, 20.0 + 7 * k) for k in (1, 2, 3) for t in range(3)],
    columns=["track_id", "t", "y", "x"],
)


def read(tmp_path, table: pd.DataFrame) -> pd.DataFrame:
    table.to_csv(tmp_path / "tracks.csv", index=False)
    return read_tracks(tmp_path / "tracks.csv")


@pytest.mark.parametrize("mark", [0, -1])
def test_positions_0_0_of_several_tracks_are_no_positions(tmp_path, mark):
    lost = TABLE["t"] == 1
    with pytest.warns(TracksWarning, match=f"3 of 9 positions are exactly {mark}, {mark}"):
        found = read(tmp_path, TABLE.assign(y=TABLE.y.mask(lost, mark), x=TABLE.x.mask(lost, mark)))
    assert found["t"].tolist() == [0, 2] * 3
    one = TABLE.assign(y=TABLE.y.where(TABLE.index != 4, mark), x=TABLE.x.where(TABLE.index != 4, mark))
    assert len(read(tmp_path, one)) == 9


def test_a_cell_under_two_ids_is_in_one_family(tmp_path):
    again = TABLE[TABLE.track_id == 2].assign(track_id=9)
    with pytest.warns(TracksWarning, match="3 positions are also those of another track in the same frame"):
        found = read(tmp_path, pd.concat([TABLE, again]))
    family = found.groupby("track_id")["family"].first()
    assert family[2] == family[9]
    assert family.nunique() == 3
