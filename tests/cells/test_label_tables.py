"""Tables of classes: which crop a row means, by every key that it has, and tables that are of other cells."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.label_tables import read_label_table
from morpholaw.errors import InputError


def cells(**columns: object) -> pd.DataFrame:
    """Two tracks in three frames; track 7 of the tracker is track 1 here."""
    base = {
        "track_id": [1, 2, 1, 2, 1, 2],
        "t": [0, 0, 1, 1, 2, 2],
        "y": [10.0, 90, 11, 91, 12, 92],
        "x": [20.0, 50, 22, 52, 24, 54],
    }
    return cells_table(6, **base, **columns)


def read(
    tmp_path: Path, text: str, table: pd.DataFrame | None = None, encoding: str = "utf-8"
) -> dict[int, str]:
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding=encoding)
    found = read_label_table(path, cells() if table is None else table, "movie")
    return dict(zip(found.crops.tolist(), found.classes, strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "track_id,t,label\n1,1,metaphase\n2,2,interphase\n",
        "track_id;t;label\n1;1;metaphase\n2;2;interphase\n",
        "Track_ID , T , Label\n1 , 1 , metaphase\n2 , 2 , interphase\n",
        "track_id,frame,class\n1.0,1.0,metaphase\n2.0,2.0,interphase\n1.0,2.0,\n",
        "\ufeffID\tt\tphase\n1\t1\tmetaphase\n2\t2\tinterphase\n",
        "track_id,t,label,class\n1,1,77,metaphase\n2,2,78,interphase\n",
        "crop,label\n2,metaphase\n5,interphase\n",
        "track_id,frame,t,label\n1,1,300,metaphase\n2,2,600,interphase\n",
    ],
    ids=[
        "plain",
        "semicolons",
        "spaces and capitals",
        "floats",
        "tabs",
        "scikit-image",
        "crop",
        "seconds beside frames",
    ],
)
def test_tables_of_many_hands(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text) == {2: "metaphase", 5: "interphase"}


OWN_IDS = {
    "source_track": ["7", "3"] * 3,
    "source_id": ["501", "502", "511", "512", "521", "522"],
    "mask_id": [4, 9, 5, 8, 6, 7],
}


@pytest.mark.parametrize(
    "text",
    [
        "TRACK_ID,FRAME,class\n7,1,metaphase\n3,2,interphase\n",
        "ID,class\n511,metaphase\n522,interphase\n",
        "ID,TRACK_ID,FRAME,class\n511,7,1,metaphase\n522,3,2,interphase\n",
        "source_track,t,class\n7,1,metaphase\n3,2,interphase\n",
        "frame,label,class\n1,5,metaphase\n2,7,interphase\n",
        "track_id,t,class\n1,1,metaphase\n2,2,interphase\n",
    ],
    ids=["tracker's track", "tracker's spot", "both", "source_track", "mask", "our track"],
)
def test_cells_are_named_by_the_ids_of_the_tracks_file(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text, cells(**OWN_IDS)) == {2: "metaphase", 5: "interphase"}


def test_a_key_that_may_mean_two_crops_is_refused(tmp_path: Path) -> None:
    exchanged = cells(source_track=["2", "1"] * 3)
    with pytest.raises(
        InputError, match=r"refers to crop 2 of movie by track_id and t as track_id and t or as source_tr"
    ):
        read(tmp_path, "track_id,t,label\n1,1,metaphase\n", exchanged)
    assert read(tmp_path, "source_track,t,label\n1,1,metaphase\n", exchanged) == {3: "metaphase"}
    daughters = cells(source_track=["9"] * 6)
    with pytest.raises(InputError, match=r"movie has several with the same track_id and t \(9, 1\)"):
        read(tmp_path, "track_id,t,label\n9,1,metaphase\n", daughters)


def test_frames_of_the_file_and_of_the_movie_are_told_apart_or_asked_for(tmp_path: Path) -> None:
    shifted = cells(source_t=[1, 1, 2, 2, 3, 3])
    everything = "track_id,frame,label\n" + "".join(f"1,{t},metaphase\n" for t in (1, 2, 3))
    assert sorted(read(tmp_path, everything, shifted)) == [0, 2, 4]
    with pytest.raises(InputError, match="name the columns track_id, t or track_id, source_t"):
        read(tmp_path, "track_id,frame,label\n1,1,metaphase\n", shifted)
    assert read(tmp_path, "track_id,source_t,label\n1,1,metaphase\n", shifted) == {0: "metaphase"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "crop,track_id,t,label\n2,2,1,metaphase\n",
            "refers to crop 2 of movie by crop but to crop 3 by track_id and t",
        ),
        ("crop,track_id,t,label\n2,8,8,metaphase\n", "refers to track_id 8, t 8, which movie does not have"),
        (
            "track_id,t,y,x,label\n1,0,90,50,a\n1,1,91,52,a\n1,2,92,54,b\n",
            "pixels away from the cells of movie with the same ids",
        ),
        ("track_id,t,label\n1,1,a\n1,1,b\n", "Line 3 of .* gives crop 2 the class 'b', but another line"),
        (
            "track_id,t,label\n1,0,a\n1,9,b\n",
            "Line 3 of .* refers to track_id 1, t 9, which movie does not have",
        ),
        ("set,crop,label\nother,1,a\n", "has no rows for the crop set movie; its column set contains other"),
        ("track_id,t,remark\n1,1,a\n", r"expected a class \(label\) and one of crop, file"),
    ],
)
def test_tables_of_other_cells_are_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(tmp_path, text)


def test_positions_in_micrometres_are_those_of_the_cells(tmp_path: Path) -> None:
    table = cells()
    rows = table.assign(y=table["y"] * 0.5, x=table["x"] * 0.5, label="a")[
        ["track_id", "t", "y", "x", "label"]
    ]
    assert len(read(tmp_path, rows.to_csv(index=False))) == 6


def test_a_column_of_names_is_no_class(tmp_path: Path) -> None:
    names = "".join(f"{k},ID{k}\n" for k in range(6))
    with pytest.raises(
        InputError, match="label has 6 different values that identify cells; it is not used as a class"
    ):
        read(tmp_path, f"crop,label\n{names}")


def test_a_table_without_a_class_in_any_row_labels_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "track_id,t,label\n1,1,\n") == {}
    assert read(tmp_path, "track_id,t,class\n1,1,\n1,2,metaphase\n") == {4: "metaphase"}


def test_large_tables_are_read_at_once(tmp_path: Path) -> None:
    count = 20_000
    table = cells_table(
        count, track_id=np.arange(count) // 100, t=np.arange(count) % 100, y=1.0, x=np.arange(count) * 1.0
    )
    text = table.assign(label=np.where(table["t"] == 5, "metaphase", "interphase")).to_csv(index=False)
    assert len(read(tmp_path, text, table)) == count


def test_spellings_of_a_class_become_one(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "crop,label\n0,METAPHASE\n1,me\u0301ta phase\n2,Metaphase \n3,m\u00e9ta_phase\n4,me\u0301ta phase\n5,?\n",
        encoding="utf-8",
    )
    found = read_label_table(path, cells(), "movie", ("interphase", "metaphase"))
    assert found.classes.tolist() == ["metaphase", "m\u00e9ta phase"] * 2 + ["m\u00e9ta phase"]
    assert found.crops.tolist() == [0, 1, 2, 3, 4]
    notes = " ".join(found.notes)
    assert "'METAPHASE' and 'Metaphase' are read as the class metaphase" in notes
    assert "'m\u00e9ta_phase' is read as the class m\u00e9ta phase" in notes
    assert "'?' is read as no class (1 row)" in notes


def test_invisible_differences_and_letters_that_look_alike_are_one_class(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        "crop,label\n0,met\u0430phase\n1,metaphase\u200b\n2,meta\u00adphase\n3,'metaphase'\n4,meta-phase\n5,\n",
        encoding="utf-8",
    )
    found = read_label_table(path, cells(), "movie", ("metaphase",))
    assert found.classes.tolist() == ["metaphase"] * 5
    assert "met\\u0430phase" in " ".join(found.notes)


@pytest.mark.parametrize("name", ["metapahse", "metphase", "metaphases", "metaphase?", "netaphase"])
def test_names_that_differ_by_one_letter_are_mentioned(tmp_path: Path, name: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(
        f"crop,label\n0,metaphase\n1,metaphase\n2,{name}\n3,anaphase\n4,prophase\n5,prometaphase\n"
    )
    found = read_label_table(path, cells(), "movie", ("metaphase",))
    assert found.classes[2] == name
    about = [note for note in found.notes if "differ by one letter" in note]
    assert len(about) == 1
    assert f"the classes metaphase and {name} (1 row) differ" in about[0]


def test_names_with_numbers_do_not_resemble_each_other(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("crop,label\n0,stage 1\n1,stage 2\n2,stage 12\n3,stage 1\n4,S1\n5,\n")
    assert read_label_table(path, cells(), "movie").notes == []


def test_merged_cells_of_a_spreadsheet(tmp_path: Path) -> None:
    header = "Cell,,Annotation\ntrack_id,t,label\n1,1,metaphase\n2,2,interphase\n1,2,interphase\n"
    assert read(tmp_path, header) == {2: "metaphase", 5: "interphase", 4: "interphase"}
    with pytest.raises(
        InputError, match=r"Line 3 of .* has no track_id, as where cells of a spreadsheet were merged"
    ):
        read(tmp_path, "track_id,t,label\n1,0,metaphase\n,1,metaphase\n2,0,interphase\n,1,interphase\n")


def test_two_labellers_who_disagree(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("crop,class,class\n0,a,b\n1,a,a\n2,b,b\n", encoding="utf-8")
    notes = " ".join(read_label_table(path, cells(), "movie").notes)
    assert "classes are read from the column class, not from class.1" in notes
    with pytest.raises(InputError, match="another line gives it another class"):
        read(tmp_path, "annotator,crop,class\nA,0,a\nA,1,a\nB,0,b\nB,1,a\n")


def test_json_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not a table \(it seems to be JSON\)"):
        read(tmp_path, '[{"track_id": 1, "t": 0, "label": "metaphase"}]')


def test_a_class_of_the_study_is_a_class_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("crop,label\n0,unknown\n1,unknown\n2,metaphase\n", encoding="utf-8")
    assert read_label_table(path, cells(), "movie", ("unknown",)).classes.tolist() == [
        "unknown",
        "unknown",
        "metaphase",
    ]


def test_a_second_column_of_classes_is_mentioned(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("crop,class,label\n0,a,b\n1,a,a\n2,b,b\n", encoding="utf-8")
    found = read_label_table(path, cells(), "movie")
    assert found.classes.tolist() == ["a", "a", "b"]
    assert "classes are read from the column class, not from label" in " ".join(found.notes)


@pytest.mark.parametrize(
    ("name", "start", "message"),
    [
        ("labels.xlsx", b"PK\x03\x04", "is a workbook or an archive; save the table as CSV"),
        ("labels.xls", b"\xd0\xcf\x11\xe0", "is a workbook or an archive; save the table as CSV"),
        ("labels.csv.gz", b"\x1f\x8b\x08", "is compressed"),
        ("labels.parquet", b"PAR1", "is a Parquet file; save the table as CSV"),
    ],
)
def test_packed_tables_are_named(tmp_path: Path, name: str, start: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(start + bytes(600))
    with pytest.raises(InputError, match=message):
        read_label_table(tmp_path / name, cells(), "movie")


def test_a_table_of_column_names_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has column names but no rows"):
        read(tmp_path, "track_id,t,label\n")


def test_of_a_table_of_several_movies_the_rows_of_one_are_read(tmp_path: Path) -> None:
    text = "movie,track_id,t,label\n" + "".join(
        f"{movie},{track},{t},{label}\n"
        for movie, label in ((r"C:\data\Movie.tif", "metaphase"), ("other.tif", "interphase"))
        for track in (1, 2)
        for t in (0, 1)
    )
    assert read(tmp_path, text) == dict.fromkeys(range(4), "metaphase")
    with pytest.raises(
        InputError, match=r"cells of 2 movies \(its column movie has .*none of them is called movie"
    ):
        read(tmp_path, text.replace("Movie.tif", "third.tif"))


def test_frames_that_count_from_one_show_by_their_places(tmp_path: Path) -> None:
    table = cells()
    text = "track_id,t,y,x,label\n" + "".join(
        f"{row.track_id},{row.t + 1},{row.y},{row.x},metaphase\n" for row in table[table.t < 2].itertuples()
    )
    with pytest.raises(InputError, match="in the frame before the stated one in movie"):
        read(tmp_path, text)


@pytest.mark.parametrize("names", ["ImageNumber,ObjectNumber", "Slice,Track"])
def test_images_and_slices_count_from_one(tmp_path: Path, names: str) -> None:
    text = f"{names},class\n2,1,metaphase\n2,2,interphase\n3,1,interphase\n"
    found = read(tmp_path, text, cells(mask_id=[1, 2] * 3))
    assert found == {2: "metaphase", 3: "interphase", 4: "interphase"}


def test_frames_that_would_fit_from_one_are_said_to(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"track 1, frame 3, which .* seems to count from 1"):
        read(tmp_path, "track,frame,class\n1,1,a\n1,3,b\n")


def test_of_a_table_of_several_files_the_rows_of_one_are_read(tmp_path: Path) -> None:
    rows = "".join(
        f"{k},{t},{name},{c}\n"
        for name, c in (("movie.tif", "a"), ("b.tif", "b"))
        for k, t in ((1, 0), (2, 0), (1, 1))
    )
    assert read(tmp_path, f"track,frame,filename,class\n{rows}") == {0: "a", 1: "a", 2: "a"}
    images = (
        "track,frame,filename,class\n1,0,t0.tif,a\n2,0,t0.tif,b\n1,1,t1.tif,a\n2,1,t1.tif,b\n2,2,t2.tif,b\n"
    )
    assert len(read(tmp_path, images)) == 5
