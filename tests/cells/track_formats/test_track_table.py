"""Tables of tracks as many programs write them: which column is what, told by the values."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.families import families
from morpholaw.cells.tracks import TracksWarning, divisions, open_tracks, read_tracks
from morpholaw.errors import InputError

SHAPE = (6, 200, 300)


def write(tmp_path: Path, text: str, name: str = "tracks.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding=encoding)
    return path


def lineage() -> pd.DataFrame:
    """Five tracks over six frames; 4 and 5 are daughters of 1. Spots are numbered, and name their parents."""
    spans = {1: (0, 3, 50, 70), 2: (0, 6, 110, 180), 3: (0, 6, 160, 40), 4: (3, 6, 46, 60), 5: (3, 6, 54, 84)}
    rows = [(k, t, y + 0.5 * t, x + 2.0 * t) for k, (a, b, y, x) in spans.items() for t in range(a, b)]
    table = pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])
    table["spot"] = np.arange(len(table)) + 1
    last = table.groupby("track_id")["spot"].last()
    mother = table["track_id"].map({4: 1, 5: 1})
    table["parent_track"] = mother.fillna(-1).astype(int)
    table["parent_spot"] = table.groupby("track_id")["spot"].shift().fillna(mother.map(last)).astype("Int64")
    return table


def same_tracks(found: pd.DataFrame, expected: pd.DataFrame) -> bool:
    """The same cells in the same tracks, whatever the tracks' numbers, and the same divisions."""
    both = expected.merge(found, on=["t", "y", "x"], suffixes=("", "_found"))
    pairs = both[["track_id", "track_id_found"]].drop_duplicates()
    one_to_one = len(pairs) == both["track_id"].nunique() == both["track_id_found"].nunique()
    return len(both) == len(expected) == len(found) and one_to_one and len(divisions(found)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "ID,t,y,x\n1,0,2.5,3\n1,1,2.5,4\n",
        "\ufefftrack_id;frame;x;y\n1;0;3;2.5\n1;1;4;2.5\n",
        "track_id;frame;x;y\n1;0;3,0;2,5\n1;1;4,0;2,5\n",
        'track_id,frame,x,y\n1,0,"3,0","2,5"\n1,1,"4,0","2,5"\n',
        "Track ID\tTime\tPosition_Y\tPosition_X\n1.0\t0.0\t2.5\t3\n1.0\t1.0\t2.5\t4\n",
        "ID t x y z\n1 0 3 2.5 0\n1 1 4 2.5 0\n",
        "sep=;\r\nTrackID;Frame;X;Y;\r\n1;0;3;2.5;\r\n1;1;4;2.5;\r\n",
        "# made by hand\n\nparticle|frame|y|x\n1|0|2.5|3\n1|1|2.5|4\n",
        '"track_id","t","y","x"\n"1",1,0,2.5,3\n"2",1,1,2.5,4\n',
        "Position\n====\n\ncell_id,frame_i,y_centroid,x_centroid\n1,0,2.5,3\n1,1,2.5,4\n",
        "label,frame,centroid-0,centroid-1,area\n1,0,2.5,3,90\n1,1,2.5,4,91\n",
        " ,Track n°,Slice n°,X,Y\n1,1,1,3,2.5\n2,1,2,4,2.5\n",
        "trackId , frame , Object_Center_0 , Object_Center_1\n1 , 0 , 3 , 2.5\n1 , 1 , 4 , 2.5\n",
    ],
    ids=[
        *("napari", "semicolons and BOM", "decimal commas", "quoted decimal commas", "tabs", "btrack"),
        *("Excel", "trackpy", "R", "title and Cell-ACDC", "scikit-image", "Manual Tracking", "ilastik"),
    ],
)
@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
def test_tables_of_many_hands(tmp_path: Path, text: str) -> None:
    tracks = read_tracks(write(tmp_path, text))
    assert tracks[["track_id", "t", "y", "x"]].to_numpy().tolist() == [[1, 0, 2.5, 3], [1, 1, 2.5, 4]]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("utf-16", "Métaphase"),
        ("utf-16-le", "Métaphase"),
        ("cp1252", "Métaphase"),
        ("mac_roman", "Mçtaphase"),  # its byte for ç is no character of cp1252
    ],
)
def test_encodings(tmp_path: Path, encoding: str, name: str) -> None:
    text = f"track_id,t,y,x,class\n1,0,2.5,3,{name}\n1,1,2.5,4,\n"
    tracks = read_tracks(write(tmp_path, text, encoding=encoding))
    assert tracks["label"].tolist() == [name, ""]


LINEAGES: dict[str, dict[str, Any]] = {
    "parent": {"track_id": "track_id", "parent_track": "parent"},
    "ultrack": {
        "track_id": "track_id", "spot": "id", "parent_track": "parent_track_id", "parent_spot": "parent_id",
    },
    "napari-track-edit": {"spot": "ID", "parent_spot": "Parent ID", "track_id": "Tracklet ID"},
    "motile tracker": {"spot": "id", "parent_spot": "parent_id", "track_id": "track_id"},
    "spots only": {"spot": "node_id", "parent_spot": "parent_node_id"},
    "spots called ID": {"spot": "ID", "parent_spot": "Parent"},
    "TrackID beside ID": {"track_id": "TrackID", "spot": "ID", "parent_track": "parentTrackId"},
}  # fmt: skip


@pytest.mark.parametrize("names", LINEAGES.values(), ids=LINEAGES)
@pytest.mark.parametrize("none", ["", "-1", "0"])
def test_lineage_is_kept_whichever_ids_a_table_has(tmp_path: Path, names: dict[str, str], none: str) -> None:
    table = lineage()
    columns = {**names, "t": "t", "y": "y", "x": "x"}
    wide = table[list(columns)].rename(columns=columns)
    for name in wide.columns.intersection(["parent", "parent_track_id", "parentTrackId"]):
        wide[name] = wide[name].astype(str).where(wide[name] > 0, none)
    for name in wide.columns.intersection(["parent_id", "Parent ID", "parent_node_id", "Parent"]):
        wide[name] = wide[name].astype(str).where(wide[name].notna(), none)
    text = wide.sample(frac=1, random_state=0).to_csv(index=False)
    assert same_tracks(read_tracks(write(tmp_path, text)), table)


def test_ids_of_the_file_are_kept(tmp_path: Path) -> None:
    table = lineage().rename(columns={"spot": "ID", "parent_spot": "Parent ID"})
    table["Tracklet ID"] = table["track_id"].map(lambda k: f"T{k}a" if k < 3 else f"extra {k}")
    text = table[["ID", "Parent ID", "Tracklet ID", "t", "y", "x"]].to_csv(index=False)
    tracks = read_tracks(write(tmp_path, text))
    assert set(tracks["source_track"]) == {"T1a", "T2a", "extra 3", "extra 4", "extra 5"}
    first = tracks.iloc[0]
    stated = table[(table["t"] == first["t"]) & (table["y"] == first["y"])].iloc[0]
    assert (first["source_track"], first["source_id"]) == (stated["Tracklet ID"], str(stated["ID"]))


def test_parents_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    table = lineage().rename(
        columns={"spot": "id", "parent_spot": "parent_id", "parent_track": "parent_track_id"}
    )
    table.loc[table["track_id"] == 5, "parent_track_id"] = 2
    with pytest.raises(
        InputError, match="names two parents of track 5: 2 in the column parent_track_id, 1 by parent"
    ):
        read_tracks(write(tmp_path, table.to_csv(index=False)))
    table = lineage().rename(columns={"parent_track": "parent"}).drop(columns=["spot", "parent_spot"])
    table.loc[0, "parent"] = 3
    with pytest.raises(InputError, match="gives track 1 two parents in the column parent"):
        read_tracks(write(tmp_path, table.to_csv(index=False)))


def test_cells_that_are_not_linked_are_refused(tmp_path: Path) -> None:
    table = lineage()
    text = table.assign(track_id=table["spot"])[["track_id", "t", "y", "x"]].to_csv(index=False)
    path = write(tmp_path, text)
    with pytest.raises(InputError, match=r"has 21 tracks, of which 21 have only one frame.*--ids per-frame"):
        open_tracks(path)
    tracks = open_tracks(path, ids="per-frame")
    assert len(tracks.table) == 21
    assert not tracks.facts.linked


def test_ids_that_start_again_in_each_frame_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 500, (40, 2))
    frames = []
    for t in range(4):
        now = pd.DataFrame(places + rng.normal(0, 1, places.shape), columns=["y", "x"]).assign(frame=t)
        frames.append(now.sample(frac=1, random_state=t).assign(label=range(1, 41)))
    path = write(tmp_path, pd.concat(frames).to_csv(index=False))
    with pytest.raises(InputError, match="ids that do not follow cells"):
        open_tracks(path)
    assert len(open_tracks(path, ids="tracks").table) == 160


def test_rows_in_no_track_are_left_out(tmp_path: Path) -> None:
    text = "TRACK_ID,t,y,x\n3,0,1,1\n3,1,1,2\nNone,1,5,5\n,0,9,9\n-1,1,7,7\n"
    with pytest.warns(TracksWarning, match="3 of 5 rows are in no track"):
        assert read_tracks(write(tmp_path, text))["track_id"].tolist() == [3, 3]


# Times and frames.


def timed(**columns: Any) -> pd.DataFrame:
    table = lineage()[["track_id", "t", "y", "x"]]
    return table.assign(**{name.replace("_", " "): value(table["t"]) for name, value in columns.items()})


@pytest.mark.parametrize(
    ("columns", "t"),
    [
        ({"frame": lambda t: t, "t": lambda t: t * 300}, "seconds beside frames"),
        ({"frame": lambda t: t, "time": lambda t: t * 0.5}, "hours beside frames"),
        ({"frame": lambda t: t + 1, "t": lambda t: t}, "frames from 1 beside t from 0"),
        ({"time": lambda t: t * 5}, "minutes"),
        ({"time": lambda t: t * 0.25}, "hours"),
        ({"t": lambda t: t * 300.0}, "seconds called t"),
        ({"t": lambda t: t * 300.0 + np.random.default_rng(0).normal(0, 3, 6)[t] * (t > 0)}, "jitter"),
        ({"ImageNumber": lambda t: t + 1}, "CellProfiler"),
        ({"Slice": lambda t: t + 1}, "ImageJ"),
    ],
)
def test_frames_are_told_by_the_values(tmp_path: Path, columns: dict[str, Any], t: str) -> None:
    table = timed(**columns)
    if "t" not in columns:
        table = table.drop(columns="t")
    tracks = open_tracks(write(tmp_path, table.to_csv(index=False)), movie_shape=SHAPE).table
    expected = lineage().sort_values(["track_id", "t"])["t"]
    assert tracks["t"].tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (
            {"t": lambda t: t + 1},
            r"has frames 1 to 6, but the movie has 6 frames.*count from 1.*--frame-offset -1",
        ),
        ({"t": lambda t: t + 3}, r"has frames 3 to 8.*part of the one that was tracked.*--frame-offset -3"),
        ({"frame": lambda t: t * 2}, "has frames 0 to 10 in steps of 2, but the movie has 6 frames"),
        ({"frame": lambda t: t, "t": lambda t: t[::-1].to_numpy()}, "which contradict each other"),
    ],
)
def test_frames_that_do_not_fit_are_refused(tmp_path: Path, columns: dict[str, Any], message: str) -> None:
    path = write(tmp_path, timed(**columns).to_csv(index=False))
    with pytest.raises(InputError, match=message):
        open_tracks(path, movie_shape=SHAPE)


def test_an_offset_puts_frames_where_they_belong(tmp_path: Path) -> None:
    path = write(tmp_path, timed(t=lambda t: t + 1).to_csv(index=False))
    table = open_tracks(path, movie_shape=SHAPE, frame_offset=-1).table
    assert (table["t"].min(), table["t"].max()) == (0, 5)
    assert (table["source_t"] == table["t"] + 1).all()
    with pytest.raises(InputError, match="no cell in a frame of the movie"):
        open_tracks(path, movie_shape=SHAPE, frame_offset=-100)


def test_every_second_frame_in_seconds_needs_the_interval(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    table = table[table["t"] % 2 == 0].assign(time=lambda rows: rows["t"] * 300.0).drop(columns="t")
    path = write(tmp_path, table.to_csv(index=False))
    with pytest.raises(InputError, match=r"has times in steps of 600 .*frame_interval"):
        open_tracks(path, movie_shape=SHAPE)
    found = open_tracks(path, movie_shape=SHAPE, frame_interval=300).table
    assert sorted(found["t"].unique()) == [0, 2, 4]
    with pytest.raises(InputError, match="not multiples of the movie's frame interval, 250"):
        open_tracks(path, movie_shape=SHAPE, frame_interval=250)


def test_every_second_frame_in_seconds_becomes_frames_by_the_movies_own_interval(tmp_path: Path) -> None:
    sparse = timed()
    sparse = sparse[sparse["t"] % 2 == 0]
    text = sparse.assign(t=sparse["t"] * 5).rename(columns={"t": "time_min"}).to_csv(index=False)
    found = open_tracks(write(tmp_path, text), movie_shape=SHAPE, movie_interval=300)
    assert sorted(found.table["t"].unique()) == [0, 2, 4]
    assert any("interval in the movie's header, 300 s" in note for note in found.facts.notes)
    with pytest.raises(InputError, match="unknown how many"):
        open_tracks(write(tmp_path, text), movie_shape=SHAPE, movie_interval=130)


def test_frames_are_those_of_the_files_where_one_is_missing(tmp_path: Path) -> None:
    numbers = (0, 1, 3, 4, 5)
    whole = timed()
    path = write(tmp_path, whole[whole["t"] != 2].to_csv(index=False))
    found = open_tracks(path, movie_shape=(5, *SHAPE[1:]), movie_frames=numbers)
    assert sorted(found.table["t"].unique()) == [0, 1, 2, 3, 4]
    assert sorted(found.table["source_t"].unique()) == list(numbers)


def test_rows_without_a_position_are_left_out_and_said(tmp_path: Path) -> None:
    with pytest.warns(TracksWarning, match="1 of 3 rows have no position and were left out"):
        tracks = read_tracks(write(tmp_path, "ID,t,y,x\n1,0,5,3\n1,1,,\n1,2,5,4\n"))
    assert tracks["t"].tolist() == [0, 2]
    with pytest.raises(InputError, match=r"the first \(nothing\) in row 1"):
        read_tracks(write(tmp_path, "ID,t,y,x\n1,0,5,3\n1,1,5,\n1,2,5,4\n"))


def test_a_parent_may_stand_in_the_first_row_of_a_track_only(tmp_path: Path) -> None:
    text = "ID,t,y,x,parent\n1,0,5,3,\n1,1,5,3,\n2,2,6,3,1\n2,3,6,3,\n3,2,4,3,1\n3,3,4,3,\n"
    assert read_tracks(write(tmp_path, text))["parent"].tolist() == [-1, -1, 1, 1, 1, 1]


def test_a_second_column_of_parents_may_stand_in_first_rows_too(tmp_path: Path) -> None:
    text = "ID,t,y,x,parent_track_id,parent\n1,0,5,3,,\n1,1,5,3,,\n2,2,6,3,1,1\n2,3,6,3,1,\n3,2,4,3,1,1\n3,3,4,3,1,\n"
    assert read_tracks(write(tmp_path, text))["parent"].tolist() == [-1, -1, 1, 1, 1, 1]


def test_a_parent_in_any_row_is_compared_with_that_of_the_spots(tmp_path: Path) -> None:
    rows = "1,0,5,3,10,,\n1,1,5,3,11,10,\n4,0,9,9,12,,\n4,1,9,9,13,12,\n2,2,6,3,20,11,\n2,3,6,3,21,20,4\n"
    with pytest.raises(InputError, match="names two parents of track 2"):
        read_tracks(write(tmp_path, "track_id,t,y,x,id,parent_id,parent_track_id\n" + rows))


def test_ilastiks_time_steps_are_frames_where_nothing_else_counts(tmp_path: Path) -> None:
    text = "track_id,timestep,y,x\n1,0,5,3\n1,1,5,3\n"
    assert read_tracks(write(tmp_path, text))["t"].tolist() == [0, 1]
    text = "track_id,frame,timestep,y,x\n1,0,300,5,3\n1,1,300,5,3\n"
    assert read_tracks(write(tmp_path, text))["t"].tolist() == [0, 1]


def test_frames_may_be_the_numbers_of_the_movies_files(tmp_path: Path) -> None:
    numbers = (1, 2, 3, 4, 5, 6)
    whole = write(tmp_path, timed(t=lambda t: t + 1).to_csv(index=False))
    assert open_tracks(whole, movie_shape=SHAPE, movie_frames=numbers).table["t"].max() == 5
    part = timed(t=lambda t: t + 1)
    path = write(tmp_path, part[part["t"] < 6].to_csv(index=False), "part.csv")
    with pytest.raises(
        InputError, match=r"it may count either way; give --frame-offset 0 .*--frame-offset -1"
    ):
        open_tracks(path, movie_shape=SHAPE, movie_frames=numbers)


# Positions and units.


@pytest.mark.parametrize(
    "names",
    [
        ("y (um)", "x (um)"),
        ("Y [micron]", "X [micron]"),
        ("y_um", "x_um"),
        ("Position Y (µm)", "Position X (µm)"),
    ],
)
def test_micrometres_become_pixels(tmp_path: Path, names: tuple[str, str]) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    text = table.assign(y=table["y"] / 2, x=table["x"] / 2).rename(
        columns=dict(zip("yx", names, strict=True))
    )
    path = write(tmp_path, text.to_csv(index=False))
    with pytest.raises(InputError, match="positions in micrometres: give the movie's pixel size"):
        open_tracks(path)
    tracks = open_tracks(path, pixel_size=0.5)
    assert tracks.facts.unit == "um"
    np.testing.assert_allclose(tracks.table["x"], table.sort_values(["track_id", "t"])["x"])


def test_pixels_go_before_micrometres(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    text = table.assign(y_um=table["y"] / 3, x_um=table["x"] / 3).to_csv(index=False)
    assert open_tracks(write(tmp_path, text), pixel_size=0.5).table["y"].equals(table["y"])
    doubled = table.assign(POSITION_Y=table["y"] / 3, POSITION_X=table["x"] / 3).to_csv(index=False)
    with pytest.raises(InputError, match="two pairs of positions that differ"):
        open_tracks(write(tmp_path, doubled))
    assert open_tracks(write(tmp_path, doubled), pixel_size=1 / 3).table["y"].equals(table["y"])


def trackmate(rows: pd.DataFrame, size: float, header: int = 4) -> str:
    keys = "LABEL,ID,TRACK_ID,QUALITY,POSITION_X,POSITION_Y,POSITION_Z,POSITION_T,FRAME,RADIUS,VISIBILITY"
    names = "Label,Spot ID,Track ID,Quality,X,Y,Z,T,Frame,Radius,Visibility"
    units = ",,,(quality),(micron),(micron),(micron),(sec),,(micron),"
    lines = [keys, names, names, units][:header]
    for row in rows.itertuples():
        place = f"{row.x * size},{row.y * size},0,{row.t * 300.0},{row.t}"
        lines.append(f"ID{row.spot},{row.spot},{row.track_id},7.5,{place},3.0,1")
    return "\n".join(lines) + "\n"


def test_a_trimmed_trackmate_table_is_in_the_unit_of_the_image(tmp_path: Path) -> None:
    table = lineage().query("track_id in (2, 3)")
    text = trackmate(table, 0.5, 1).replace("QUALITY", "A").replace("RADIUS", "B")
    path = write(tmp_path, text)
    np.testing.assert_allclose(open_tracks(path, movie_shape=SHAPE, pixel_size=0.5).table["y"], table["y"])
    pixels = open_tracks(write(tmp_path, trackmate(table, 1.0, 1)), movie_shape=SHAPE, pixel_size=0.5)
    assert "read as pixels, because as micrometres they would leave the image" in pixels.facts.notes[0]


@pytest.mark.parametrize("second", ["Spot position", ""], ids=["repeated", "merged"])
def test_a_name_over_several_columns_is_told_apart_below_it(tmp_path: Path, second: str) -> None:
    head = f"Label,ID,Spot frame,Spot position,{second},Spot track ID\n,,,X,Y,\n,,,(µm),(µm),\n"
    rows = "".join(
        f"{r.spot},{r.spot},{r.t},{r.x / 2},{r.y / 2},{r.track_id}\n" for r in lineage().itertuples()
    )
    found = open_tracks(write(tmp_path, head + rows), pixel_size=0.5).table
    np.testing.assert_allclose(found[["track_id", "t", "y", "x"]], lineage()[["track_id", "t", "y", "x"]])


@pytest.mark.parametrize("column", ["well", "Metadata_Well", "FOV name"])
@pytest.mark.parametrize("same_ids", [True, False])
def test_tracks_of_several_movies_are_refused(tmp_path: Path, same_ids: bool, column: str) -> None:
    one = lineage()[["track_id", "t", "y", "x"]]
    other = one.assign(y=one["y"] + 3, track_id=one["track_id"] + (0 if same_ids else 100))
    both = pd.concat([one.assign(**{column: "A1"}), other.assign(**{column: "B2"})])
    with pytest.raises(
        InputError, match=rf"has cells of 2 movies or positions \(its column {column} has A1, B2"
    ):
        open_tracks(write(tmp_path, both.to_csv(index=False)))
    alone = write(tmp_path, one.assign(**{column: "A1"}).to_csv(index=False))
    assert len(open_tracks(alone).table) == len(one)


@pytest.mark.parametrize("header", [1, 4])
def test_trackmates_table_of_spots(tmp_path: Path, header: int) -> None:
    table = lineage().query("track_id in (2, 3)")
    tracks = open_tracks(write(tmp_path, trackmate(table, 0.5, header)), movie_shape=SHAPE, pixel_size=0.5)
    assert tracks.facts.format == "TrackMate CSV"
    np.testing.assert_allclose(tracks.table[["y", "x"]], table[["y", "x"]])
    assert "label" not in tracks.table
    assert tracks.table["source_id"].tolist() == table["spot"].astype(str).tolist()
    assert set(tracks.table["source_track"]) == {"2", "3"}


def test_trackmates_table_cannot_tell_daughters_apart(tmp_path: Path) -> None:
    table = lineage()
    table["track_id"] = table["track_id"].replace({4: 1, 5: 1})
    with pytest.raises(InputError, match="save the session as XML"):
        open_tracks(write(tmp_path, trackmate(table, 0.5)), pixel_size=0.5)


def test_imaris_counts_from_one_and_in_micrometres(tmp_path: Path) -> None:
    table = lineage().query("track_id in (2, 3)")
    head = "\nPosition\n====\n\nPosition X,Position Y,Position Z,Unit,Category,Collection,Time,TrackID,ID,\n"
    rows = "".join(
        f"{r.x / 2},{r.y / 2},0,um,Spot,Position,{r.t + 1},{1_000_000_000 + r.track_id},{r.spot},\n"
        for r in table.itertuples()
    )
    tracks = open_tracks(write(tmp_path, head + rows), movie_shape=SHAPE, pixel_size=0.5)
    np.testing.assert_allclose(tracks.table[["track_id", "t", "y", "x"]], table[["track_id", "t", "y", "x"]])
    assert tracks.table["source_track"].iloc[0] == "1000000002"
    assert len(tracks.facts.notes) == 2


def test_cellprofilers_objects_name_their_parents(tmp_path: Path) -> None:
    table = lineage()
    image = {spot: t + 1 for spot, t in zip(table["spot"], table["t"], strict=True)}
    parent = table["parent_spot"]
    wide = pd.DataFrame(
        {
            "ImageNumber": table["t"] + 1,
            "ObjectNumber": table["spot"],
            "Location_Center_X": table["x"],
            "Location_Center_Y": table["y"],
            "TrackObjects_Label_50": table["track_id"].replace({4: 1, 5: 1}),
            "TrackObjects_ParentImageNumber_50": parent.map(image).fillna(0).astype(int),
            "TrackObjects_ParentObjectNumber_50": parent.fillna(0).astype(int),
        }
    )
    tracks = open_tracks(write(tmp_path, wide.to_csv(index=False)), movie_shape=SHAPE)
    assert same_tracks(tracks.table, table)


def test_positions_with_x_and_y_exchanged_are_noticed(tmp_path: Path) -> None:
    table = lineage().assign(x=lambda rows: rows["x"] + 100)
    path = write(
        tmp_path, table.rename(columns={"x": "y", "y": "x"})[["track_id", "t", "y", "x"]].to_csv(index=False)
    )
    with pytest.raises(InputError, match="outside the 200 x 300 image, but not with x and y exchanged"):
        read_tracks(path, movie_shape=SHAPE)
    assert open_tracks(path, movie_shape=SHAPE, swap_xy=True).table["x"].equals(table["x"])


# Classes.


@pytest.mark.parametrize(
    ("columns", "labels"),
    [
        ({"class": ["interphase", "", "metaphase"]}, ["interphase", "", "metaphase"]),
        ({"label": [7, 14, 21], "class": ["a", "a", "b"]}, ["a", "a", "b"]),
        ({"label": ["a", "a", "b"]}, ["a", "a", "b"]),
        ({"label": [7, 14, 21]}, None),
        ({"label": [1, 1, 1]}, None),
        ({"phase": ["G1", "NA", "M"]}, ["G1", "", "M"]),
        ({"state": [5, 5, 5], "root": 1, "generation": 0, "parent": 0}, ["", "", ""]),
        ({"state": [0, 2, 5], "root": 1, "generation": 0, "parent": 0}, ["interphase", "metaphase", ""]),
    ],
)
def test_classes_are_not_numbers_of_masks(
    tmp_path: Path, columns: dict[str, Any], labels: list[str] | None
) -> None:
    table = pd.DataFrame({"track_id": [1, 2, 3], "t": 0, "y": 1.0, "x": [1.0, 2.0, 3.0], **columns})
    tracks = read_tracks(write(tmp_path, table.to_csv(index=False)))
    assert (tracks["label"].tolist() if "label" in tracks else None) == labels


def test_names_of_spots_are_no_classes(tmp_path: Path) -> None:
    table = lineage().assign(LABEL=lambda rows: "ID" + rows["spot"].astype(str))
    with pytest.warns(TracksWarning, match="the column LABEL has 21 different values that identify cells"):
        tracks = read_tracks(write(tmp_path, table[["track_id", "t", "y", "x", "LABEL"]].to_csv(index=False)))
    assert "label" not in tracks


def test_columns_with_a_meaning_of_their_own_are_renamed(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]].assign(set="A", index=3, group="g", area=1.5)
    tracks = read_tracks(write(tmp_path, table.to_csv(index=False)))
    assert list(tracks.columns[5:]) == ["tracks_set", "tracks_index", "tracks_group", "area"]


def test_3d_positions_are_said(tmp_path: Path) -> None:
    with pytest.warns(TracksWarning, match="z is not used"):
        tracks = read_tracks(write(tmp_path, "ID,t,z,y,x\n1,0,1,2,3\n1,1,2,2,3\n"))
    assert "z" not in tracks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column track_id, t, y, x: a table of tracks has track_id, t"),
        ("1,0,2.5,3\n1,1,2.5,4\n", "has no row of column names"),
        ("1.0e+00,0.0e+00,2.5e+01,3.0e+01\n1.0e+00,1.0e+00,2.5e+01,3.0e+01\n", "has no row of column names"),
        ("ID,t,y,x\n1,0,2\n1,1,2,3,4,5\n", "cannot be read as a table"),
        ("ID,t,y,x\n" + "1,0,2,3\n" * 20 + "1,0,2,5,3,5\n", "cannot be read as a table: .* line 22"),
        ("ID,t,y,x\n1,0,2,5,3,5\n1,1,2,5,4,5\n", "cannot be read as a table"),
        ("ID,t,y,x\n", "has no tracks"),
        ("ID,t,y,x\n1,0,oops,3\n", "column y with 1 value that is not a finite number"),
        ("ID,t,y,x\n1,0,1,3\n1,0,2,3\n", "track 1 twice in frame 0"),
        ("ID,t,y,x," + ",".join(map(str, range(6000))) + "\n", "has 6,004 columns"),
        ("ID,t,y,x," + "a" * 2_000_000 + "\n1,0,5,5,1\n", "begins with a line of more than 1,048,576 bytes"),
        ("ID\0t\0y\0x\n\0\0\0", "is not a text file"),
    ],
)
def test_unusable_tables(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_tracks(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_workbook_is_named(tmp_path: Path) -> None:
    (tmp_path / "tracks.csv").write_bytes(b"PK\x03\x04" + b"x" * 600)
    with pytest.raises(InputError, match="is a workbook or an archive; save the table of tracks as CSV"):
        read_tracks(tmp_path / "tracks.csv")


def test_a_table_in_memory_is_understood_like_a_file() -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    plain = open_tracks(table)
    assert plain.table[["track_id", "t"]].equals(table[["track_id", "t"]])
    foreign = open_tracks(table.rename(columns={"track_id": "particle", "t": "frame"}))
    assert foreign.table.equals(plain.table)
    text = io.StringIO()
    foreign.table.to_csv(text)
    assert text.getvalue()


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("tracks.csv.gz", b"\x1f\x8b\x08", "is compressed"),
        ("tracks.parquet", b"PAR1", "is a Parquet file"),
        ("masks.npz", b"PK\x03\x04", "is an archive of NumPy arrays"),
    ],
)
def test_packed_files_are_named(tmp_path: Path, name: str, start: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(start + bytes(600))
    with pytest.raises(InputError, match=message):
        read_tracks(tmp_path / name)


def test_arrays_of_masks_and_of_napari_tracks_are_read(tmp_path: Path) -> None:
    masks = np.zeros((2, 20, 20), np.uint8)
    masks[:, 4:9, 6:11] = 3
    np.save(tmp_path / "masks.npy", masks)
    assert read_tracks(tmp_path / "masks.npy")[["track_id", "t", "y", "x"]].to_numpy().tolist() == [
        [3, 0, 6, 8],
        [3, 1, 6, 8],
    ]
    np.save(tmp_path / "tracks.npy", np.array([[7, 0, 5.5, 3], [7, 1, 6, 3]]))
    assert read_tracks(tmp_path / "tracks.npy")["y"].tolist() == [5.5, 6]
    np.save(tmp_path / "a_seg.npy", np.array({"masks": masks}, dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match="Python objects, which are not opened"):
        read_tracks(tmp_path / "a_seg.npy")


def test_a_text_table_that_ends_as_a_workbook_is_read(tmp_path: Path) -> None:
    text = " \tTrack n°\tSlice n°\tX\tY\n1\t1\t1\t3\t2.5\n2\t1\t2\t4\t2.5\n"
    with pytest.warns(TracksWarning, match="counts from 1"):
        found = read_tracks(write(tmp_path, text, "Results.xls", "latin-1"), SHAPE)
    assert found[["t", "y", "x"]].to_numpy().tolist() == [[0, 2.5, 3], [1, 2.5, 4]]
    (tmp_path / "real.xls").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    with pytest.raises(InputError, match="is a workbook or an archive; save the table of tracks as CSV"):
        read_tracks(tmp_path / "real.xls", SHAPE)


def test_parents_that_are_no_track_are_told(tmp_path: Path) -> None:
    text = "track_id,t,y,x,parent\n1,0,2,3,\n2,0,9,9,\n3,1,5,5,1;8\n3,2,5,6,1;8\n1,1,2,4,\n2,1,9,8,\n"
    with pytest.warns(TracksWarning, match="the parents '1;8' are not tracks of the table"):
        found = read_tracks(write(tmp_path, text), SHAPE)
    assert (found["parent"] == -1).all()


def test_tracks_that_merge_are_one_family_also_when_the_table_is_written_and_read_again(
    tmp_path: Path,
) -> None:
    text = "track_id,t,y,x,parent\n1,0,2,3,\n2,0,9,9,\n4,0,5,1,\n4,1,5,1,\n3,1,5,5,1;2\n3,2,5,6,1;2\n"
    with pytest.warns(TracksWarning, match="has 1 merge: "):
        found = read_tracks(write(tmp_path, text), SHAPE)
    assert (found["parent"] == -1).all()
    family = found.groupby("track_id")["family"].first()
    assert family[1] == family[2] == family[3] != family[4]
    again = read_tracks(write(tmp_path, found.to_csv(index=False)), SHAPE)
    assert again.groupby("track_id")["family"].first().to_dict() == family.to_dict()


@pytest.mark.parametrize(
    "text", ["\n<html><p>Sign in</p></html>", "version https://git-lfs.github.com/spec/v1\noid sha256:1\n"]
)
def test_what_only_stands_in_for_the_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="and not the file itself"):
        read_tracks(write(tmp_path, text))


@pytest.mark.parametrize(
    "names",
    [
        ("Spur", "Bild", "Y-Position", "X-Position"),
        ("Zelle", "Zeitpunkt", "Y [px]", "X [px]"),
        ("N° de piste", "Numéro d'image", "coordonnée y", "coordonnée x"),
        ("Piste", "Temps", "y", "x"),
        ("Traccia", "Fotogramma", "y", "x"),
    ],
)
def test_names_in_other_languages_are_understood(tmp_path: Path, names: tuple[str, ...]) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    found = read_tracks(write(tmp_path, table.set_axis(list(names), axis=1).to_csv(index=False)), SHAPE)
    assert found[["track_id", "t", "y", "x"]].equals(table.astype(found[["track_id", "t", "y", "x"]].dtypes))


@pytest.mark.parametrize(
    ("names", "advice"),
    [
        (
            ("轨迹", "帧", "y", "x"),
            "If 轨迹 numbers the tracks and 帧 counts the frames, rename them track_id and t.",
        ),
        (("track_id", "time_-1", "y", "x"), "If time_-1 counts the frames, rename it t."),
        (("Ding", "frame", "y", "x"), "If Ding numbers the tracks, rename it track_id."),
    ],
)
def test_columns_to_rename_are_named(tmp_path: Path, names: tuple[str, ...], advice: str) -> None:
    table = lineage()[["track_id", "t", "y", "x"]].set_axis(list(names), axis=1).assign(area=90)
    with pytest.raises(InputError, match=re.escape(advice)):
        read_tracks(write(tmp_path, table.to_csv(index=False)), SHAPE)


@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S.250", "%d.%m.%Y %H:%M:%S"])
def test_dates_that_fill_the_movie_are_frames(tmp_path: Path, form: str) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    dates = pd.Timestamp("2024-03-01 23:50") + pd.to_timedelta(5 * table["t"], unit="min")
    with pytest.warns(TracksWarning, match="fill the movie's 6 frames, so the first is that of frame 0"):
        found = read_tracks(
            write(tmp_path, table.assign(t=dates.dt.strftime(form)).to_csv(index=False)), SHAPE
        )
    assert found["t"].tolist() == table["t"].tolist()
    late = table.assign(t=dates.dt.strftime(form))[table["t"] > 1]
    with pytest.raises(InputError, match="the frame of the first is unknown; give a column frame"):
        read_tracks(write(tmp_path, late.to_csv(index=False)), SHAPE)


def test_large_ids_are_exact(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    found = read_tracks(
        write(tmp_path, table.assign(track_id=10**18 + table["track_id"]).to_csv(index=False))
    )
    assert found["track_id"].tolist() == (10**18 + table["track_id"]).tolist()
    drawn = write(
        tmp_path, table.assign(track_id=[str(2**63 + k) for k in table["track_id"]]).to_csv(index=False)
    )
    found = read_tracks(drawn)
    assert found["track_id"].tolist() == table["track_id"].tolist()
    assert found["source_track"].iloc[0] == str(2**63 + 1)


def test_the_event_of_a_track_is_no_class_of_its_frames(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]].rename(columns={"track_id": "TRACK_ID", "t": "FRAME"})
    table = table.assign(
        **{"class": table["TRACK_ID"] % 3, "t0": -1.0, "status": (table["FRAME"] > 2).astype(int)}
    )
    with pytest.warns(
        TracksWarning, match="column class states whether a track has an event, as in celldetective"
    ):
        assert "label" not in read_tracks(write(tmp_path, table.to_csv(index=False)))


def test_a_second_column_of_a_name_is_another_of_its_kind(tmp_path: Path) -> None:
    text = "track_id,frame,frame,y,x\n1,0,1,2.5,3\n1,1,1,2.5,4\n2,0,0,9,9\n2,1,1,9,8\n"
    with pytest.raises(InputError, match=r"has the columns frame and frame\.1, which contradict each other"):
        read_tracks(write(tmp_path, text))


def test_a_column_of_lineages_makes_families_as_parents_do(tmp_path: Path) -> None:
    table = lineage()
    stated = table[["track_id", "t", "y", "x"]].assign(lineage_id=table["track_id"].replace({4: 1, 5: 1}))
    for none in (0, 5):  # every cell that did not divide may have its own number, or 0
        without = stated.assign(
            lineage_id=stated["lineage_id"].where(stated["lineage_id"] == 1, none * stated["track_id"])
        )
        tracks = read_tracks(write(tmp_path, without.to_csv(index=False)))
        assert families(tracks).to_dict() == {1: 1, 2: 2, 3: 3, 4: 1, 5: 1}


def test_ids_that_are_no_whole_numbers_are_shown(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]].assign(track_id=lambda t: t["track_id"] + 0.1)
    with pytest.raises(InputError, match=r"not whole numbers in the column track_id \(such as 1.1\)"):
        read_tracks(write(tmp_path, table.to_csv(index=False)))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "# " + text,
        lambda text: "% exported by hand\n" + text,
        lambda text: text.replace("\n2,", "\ntrack_id,t,y,x\n2,", 1),
        lambda text: text.replace("\n2,", "\n# second cell\n2,", 1),
        lambda text: text + "Mean,2.5,90,80\nSD,1,40,60\n",
    ],
    ids=["names in a comment", "comment of MATLAB", "names again", "comment inside", "statistics of ImageJ"],
)
def test_rows_that_are_no_cells_are_left_out(tmp_path: Path, change: Callable[[str], str]) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    tracks = read_tracks(write(tmp_path, change(table.to_csv(index=False))))
    assert tracks[["track_id", "t", "y", "x"]].to_numpy().tolist() == table.to_numpy().tolist()


def test_btracks_table_has_one_value_more_than_names(tmp_path: Path) -> None:
    table = lineage()
    rows = "".join(f"{r.track_id} {r.t} {r.x} {r.y} 0.0 {r.track_id} 90.5\n" for r in table.itertuples())
    tracks = read_tracks(write(tmp_path, "ID t x y z parent\n" + rows))
    assert (
        tracks[["track_id", "t", "y", "x"]].to_numpy().tolist()
        == table[["track_id", "t", "y", "x"]].to_numpy().tolist()
    )


def test_states_of_a_tracker_are_no_classes_and_phases_are_in_any_column(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]]
    states = table.assign(state=np.where(table["t"] == 2, "DUMMY", "TRACKED"))
    found = open_tracks(write(tmp_path, states.to_csv(index=False)))
    assert "label" not in found.table
    assert "contains states of a tracker (DUMMY, TRACKED)" in found.facts.notes[0]
    phases = table.assign(stage=np.where(table["t"] == 2, "metaphase", "interphase"))
    found = open_tracks(write(tmp_path, phases.to_csv(index=False)))
    assert found.table.groupby("label")["t"].unique().loc["metaphase"].tolist() == [2]
    assert "classes are read from the column stage" in found.facts.notes[0]


def test_two_centres_of_the_same_cells_are_no_contradiction(tmp_path: Path) -> None:
    table = lineage()[["track_id", "t", "y", "x"]].rename(columns={"y": "Y", "x": "X"})
    both = table.assign(XM=table["X"] + 0.6, YM=table["Y"] - 0.4)  # ImageJ's centroid and centre of mass
    tracks = read_tracks(write(tmp_path, both.to_csv(index=False)))
    assert tracks[["y", "x"]].to_numpy().tolist() == table[["Y", "X"]].to_numpy().tolist()
