"""The track table: its rules, clipping to a movie, divisions, and which reader a file gets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.cells.files import write_table
from morpholaw.cells.tracks import (
    TracksWarning,
    clip_tracks,
    divisions,
    open_tracks,
    read_tracks,
    validate_tracks,
)
from morpholaw.errors import InputError


def table(**columns: Any) -> pd.DataFrame:
    base: dict[str, Any] = {"track_id": [1, 1, 2], "t": [0, 1, 0], "y": [1.0, 2.0, 3.0], "x": [4.0, 5.0, 6.0]}
    return pd.DataFrame({**base, **columns})


def test_validation_sorts_and_types() -> None:
    raw = table(
        track_id=[2.0, 1.0, 1.0], t=[0.0, 1.0, 0.0], label=[None, "metaphase", np.nan], area=[1, 2, 3]
    )
    tracks = validate_tracks(raw)
    assert tracks[["track_id", "t"]].to_numpy().tolist() == [[1, 0], [1, 1], [2, 0]]
    assert list(tracks.columns) == ["track_id", "t", "y", "x", "parent", "label", "area"]
    assert [tracks[c].dtype for c in ("track_id", "t", "parent")] == [np.int64] * 3
    assert tracks["parent"].tolist() == [-1, -1, -1]
    assert tracks["label"].tolist() == ["", "metaphase", ""]
    assert tracks["area"].tolist() == [3, 2, 1]
    assert raw["track_id"].tolist() == [2.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (table().drop(columns=["y", "x"]), "has no column y, x; expected"),
        (table().iloc[:0], "has no tracks"),
        (table(y=[1.0, np.nan, 3.0]), r"has a column y with 1 value that is not a finite number, .* row 1"),
        (table(x=[np.inf, np.nan, 3.0]), "has a column x with 2 values that are not"),
        (table(x=["4", "five", "6"]), r"\('five'\) in row 1"),
        (table(t=[-1, 0, 0]), "column t with 1 value that is not a whole number of 0 or more, the first -1"),
        (
            table(t=[0, 0.5, 0]),
            "column t with 1 value that is not a whole number of 0 or more, the first 0.5",
        ),
        (table(track_id=[-3, 1, 2]), "column track_id"),
        (table(track_id=[1e300, 1, 2]), "column track_id"),
        (table(t=[1, 1, 0]), r"track 1 twice in frame 1 \(1 row\)"),
        (table(parent=[-1, 2, -1]), "gives track 1 two parents"),
        (pd.concat([table(), table()["t"]], axis=1), "has more than one column t; expected each once"),
        (table(parent=[2, 2, 1]), r"their own ancestors \(1 -> 2 -> 1\)"),
    ],
)
def test_tracks_that_make_no_sense(raw: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        validate_tracks(raw, "tracks.csv")
    assert str(caught.value).startswith("tracks.csv ")


def test_long_cycle_behind_a_tail_is_found() -> None:
    ids = np.arange(5000)
    parent = np.where(ids == 10, 4999, ids - 1)
    raw = pd.DataFrame({"track_id": ids, "t": 0, "y": 0.0, "x": 0.0, "parent": parent})
    with pytest.raises(InputError, match="their own ancestors"):
        validate_tracks(raw)


def test_own_parent_means_none_and_unknown_parent_is_said() -> None:
    assert validate_tracks(table(parent=[1, 1, -1]))["parent"].tolist() == [-1, -1, -1]
    with pytest.warns(TracksWarning, match="1 track has a parent that is not in the table"):
        tracks = validate_tracks(table(parent=[7, 7, 1]))
    assert tracks["parent"].tolist() == [-1, -1, 1]


def test_track_zero_can_be_a_parent() -> None:
    tracks = validate_tracks(table(track_id=[0, 0, 1], parent=[-1, -1, 0]))
    assert tracks["parent"].tolist() == [-1, -1, 0]


def test_clipping_says_what_is_left_out() -> None:
    raw = pd.DataFrame(
        {
            "track_id": [1, 1, 2, 3, 3],
            "t": [0, 9, 0, 1, 2],
            "y": [0.0, 0.0, 30.0, 9.49, -0.5],
            "x": [0.0, 0.0, 0.0, 19.49, 0.0],
            "parent": [-1, -1, -1, 2, 2],
        }
    )
    clipped, sentences = clip_tracks(validate_tracks(raw), (5, 10, 20), "tracks.csv")
    assert clipped[["track_id", "t"]].to_numpy().tolist() == [[1, 0], [3, 1], [3, 2]]
    assert clipped["parent"].tolist() == [-1, -1, -1]
    assert sentences == [
        "tracks.csv: 1 of 5 positions are after the movie's last frame (4) and were left out.",
        "tracks.csv: 1 of 5 positions are outside the 10 x 20 image and were left out.",
    ]
    assert clip_tracks(clipped, (5, 10, 20))[1] == []


def test_tracks_of_another_movie() -> None:
    with pytest.raises(
        InputError, match=r"no position inside the movie \(5 frames of 10 x 20.*of another movie"
    ):
        clip_tracks(validate_tracks(table(y=[100.0, 100.0, 100.0])), (5, 10, 20))


def test_divisions() -> None:
    raw = pd.DataFrame(
        {
            "track_id": [1, 2, 3, 4, 5, 6, 7],
            "t": [0, 3, 4, 5, 1, 6, 6],
            "y": 0.0,
            "x": 0.0,
            "parent": [-1, 1, 1, 2, -1, 3, 3],
        }
    )
    found = divisions(validate_tracks(raw))
    assert found["parent"].tolist() == [1, 3]
    assert found["daughters"].tolist() == [(2, 3), (6, 7)]
    assert found["t"].tolist() == [3, 6]
    none = divisions(validate_tracks(table()))
    assert list(none.columns) == ["parent", "daughters", "t"]
    assert len(none) == 0


rows = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.integers(0, 9),
        st.floats(-1e3, 1e3),
        st.floats(-1e3, 1e3),
        st.sampled_from(["", "metaphase", "a, b", "x y"]),
        st.booleans(),
    ),
    min_size=1,
    unique_by=(lambda row: row[:2], lambda row: row[1:4]),  # two cells are never at the same place
)


@settings(max_examples=50, deadline=None)
@given(rows=rows)
def test_csv_round_trip_is_exact(
    rows: list[tuple[Any, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    raw = pd.DataFrame(rows, columns=["track_id", "t", "y", "x", "label", "dummy"])
    raw["parent"] = raw["track_id"] - 1
    raw.loc[~raw["parent"].isin(raw["track_id"]), "parent"] = -1
    tracks = validate_tracks(raw)
    path = write_table(tmp_path_factory.mktemp("csv") / "tracks.csv", tracks)
    pd.testing.assert_frame_equal(open_tracks(path, ids="tracks").table, tracks)


def test_reading_clips_to_the_movie(tmp_path: Path) -> None:
    path = write_table(tmp_path / "tracks.csv", table())
    with pytest.warns(TracksWarning, match="after the movie's last frame"):
        assert len(read_tracks(path, movie_shape=(1, 10, 10))) == 2


def test_files_that_are_no_tracks(tmp_path: Path) -> None:
    def refused(path: Path, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            read_tracks(path)
        assert "\n" not in str(caught.value)

    refused(tmp_path / "absent.csv", r"There is no file or folder .*absent\.csv")
    (tmp_path / "empty.csv").touch()
    refused(tmp_path / "empty.csv", "is empty")
    (tmp_path / "notes.md").write_text("hello")
    refused(
        tmp_path / "notes.md", "The format of the tracks in .* is unknown; expected a CTC folder, btrack HDF5"
    )
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "has no TIFF or PNG files")
    (tmp_path / "page.xml").write_text("<html><body/></html>")
    refused(tmp_path / "page.xml", "is a web page")
    (tmp_path / "big.xml").write_text("<SpimData><BasePath/></SpimData>")
    refused(tmp_path / "big.xml", "not a TrackMate file")
