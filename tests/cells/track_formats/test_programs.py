"""Tables of programs whose columns mean more, or something else, than their names say."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from morpholaw.cells.tracks import TracksWarning, divisions, read_tracks
from morpholaw.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")

CELLS = [(1, 0), (2, 0), (1, 1), (2, 1), (3, 2), (4, 2), (2, 2)]
"""Track and frame of seven cells; 3 and 4 are daughters of 1."""
MOTHER = {3: 1, 4: 1}


def write(tmp_path: Path, rows: list[list[object]]) -> Path:
    path = tmp_path / "tracks.csv"
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
    return path


def objects() -> list[list[object]]:
    """The cells as CellProfiler numbers them: images and objects from 1, and the object before each."""
    number: dict[tuple[int, int], tuple[int, int]] = {}
    rows: list[list[object]] = []
    for track, t in CELLS:
        place = (t + 1, 1 + sum(other == t for _, other in list(number)))
        before = number.get((track, t - 1)) or number.get((MOTHER.get(track, -1), t - 1)) or (0, 0)
        number[track, t] = place
        rows.append([*place, 10 * track, 20 * track, *before])
    return rows


@pytest.mark.parametrize("grouped", [False, True])
def test_cellprofilers_numbers_of_objects_are_no_tracks(tmp_path: Path, grouped: bool) -> None:
    names = ["ImageNumber", "ObjectNumber", "Location_Center_X", "Location_Center_Y"]
    names += ["TrackObjects_ParentImageNumber_50", "TrackObjects_ParentObjectNumber_50"]
    groups: list[list[object]] = [["Image", *["Nuclei"] * 5]] if grouped else []
    tracks = read_tracks(write(tmp_path, [*groups, [*names], *objects()]))
    assert tracks.groupby("track_id")["x"].nunique().eq(1).all()
    assert tracks["track_id"].nunique() == 4
    assert len(divisions(tracks)) == 1


@pytest.mark.parametrize("row", [["", "", "µm", "µm"], ["", "", "(micron)", "(micron)"]])
def test_a_row_of_units_below_the_names_is_understood(tmp_path: Path, row: list[object]) -> None:
    path = write(tmp_path, [["track", "frame", "x", "y"], row, [1, 0, 5, 6], [1, 1, 5, 7]])
    assert read_tracks(path, pixel_size=0.5)["y"].tolist() == [12, 14]


def test_ilastiks_track_1_is_none_if_its_objects_are_not_linked(tmp_path: Path) -> None:
    names: list[object] = ["frame", "labelimageId", "lineageId", "trackId", "parentTrackId"]
    names += ["Object_Center_0", "Object_Center_1"]
    rows: list[list[object]] = [[t, 1, 2, track + 1, 0, 9, 9 * track] for track, t in CELLS[:4]]
    linked: list[list[object]] = [[t, 9, 1, 1, 0, 40, 40] for t in (0, 1)]
    loose: list[list[object]] = [[t, 9, 1, 1, 0, x, 40] for t, x in ((0, 40), (0, 70), (1, 90))]
    assert len(read_tracks(write(tmp_path, [names, *rows, *linked]))) == 6
    with pytest.warns(TracksWarning, match="3 of 7 rows are in no track"):
        assert len(read_tracks(write(tmp_path, [names, *rows, *loose]))) == 4


def test_cell_acdcs_tree_states_the_parents(tmp_path: Path) -> None:
    names: list[object] = ["frame_i", "Cell_ID", "x_centroid", "y_centroid", "Cell_ID_tree", "parent_ID_tree"]
    rows: list[list[object]] = [[t, k, 10 * k, 20 * k, k, MOTHER.get(k, -1)] for k, t in CELLS]
    assert divisions(read_tracks(write(tmp_path, [names, *rows])))["daughters"].tolist() == [(3, 4)]


def test_a_row_per_channel_is_one_cell_and_other_repetitions_are_refused(tmp_path: Path) -> None:
    rows: list[list[object]] = [["track", "frame", "x", "y", "channel"]]
    rows += [[k, t, 10 * k, 5, channel] for k, t in CELLS for channel in ("GFP", "RFP")]
    with pytest.warns(TracksWarning, match="7 of 14 rows repeat a cell"):
        assert len(read_tracks(write(tmp_path, rows))) == len(CELLS)
    moved = [[*row[:2], i, *row[3:]] if i else row for i, row in enumerate(rows)]
    with pytest.raises(InputError, match="twice in frame 0"):
        read_tracks(write(tmp_path, moved))


@pytest.mark.parametrize("column", ["filename", "ImageName", "experiment", "replicate"])
def test_movies_that_any_column_tells_apart_are_refused(tmp_path: Path, column: str) -> None:
    rows = [[k + 10 * movie, t, 10 * k, 5, f"m{movie}"] for movie in (0, 1) for k, t in CELLS]
    with pytest.raises(InputError, match=f"2 movies or positions .its column {column} has m0, m1"):
        read_tracks(write(tmp_path, [["track", "frame", "x", "y", column], *rows]))
    per_frame = [[k, t, 10 * k, 5, f"img_{t}.tif"] for k, t in CELLS]
    assert len(read_tracks(write(tmp_path, [["track", "frame", "x", "y", column], *per_frame]))) == 7


@pytest.mark.parametrize("form", ["t{:03d}", "00:{:02d}:00", "frame {}"])
def test_frames_and_times_may_be_text(tmp_path: Path, form: str) -> None:
    rows = [[k, form.format(t), 10 * k, 5] for k, t in CELLS]
    tracks = read_tracks(write(tmp_path, [["track", "time", "x", "y"], *rows]), movie_shape=(3, 99, 99))
    assert sorted(tracks["t"]) == [t for _, t in CELLS]


def test_text_that_is_no_frame_is_shown_with_the_name_of_its_column(tmp_path: Path) -> None:
    rows = [[k, f"2026-05-0{t + 1}", 10 * k, 5] for k, t in CELLS]
    with pytest.raises(InputError, match="such as 2026-05-01 in the column timestamp"):
        read_tracks(write(tmp_path, [["track", "timestamp", "x", "y"], *rows]))


def test_a_parent_that_begins_after_its_daughter_is_left_out(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"track": [1, 1, 2], "frame": [0, 1, 1], "x": 5, "y": [5, 6, 9], "parent": [2, 2, 0]}
    )
    path = tmp_path / "t.csv"
    table.to_csv(path, index=False)
    with pytest.warns(TracksWarning, match="begin after the track itself"):
        assert (read_tracks(path)["parent"] == -1).all()
