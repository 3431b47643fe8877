"""Annotations: kept at every change, undone step by step, laid over imported labels, never lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.cells.annotations import Annotations
from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_set import CropSet
from morpholaw.errors import InputError


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    cells = cells_table(
        5,
        file=[f"{i}.png" for i in range(5)],
        track_id=[7, 7, 8, 8, 8],
        t=[0, 1, 0, 1, 2],
        label=["interphase", "interphase", "", "metaphase", ""],
    )
    return CropSet.write(tmp_path / "movie", np.zeros((5, 16, 16), np.uint8), cells)


def test_annotations_lie_over_imported_labels(tmp_path, crops):
    notes = Annotations(tmp_path / "labels.json")
    notes.set_labels({("movie", 0): "metaphase", ("movie", 3): None, ("movie", 4): "anaphase"})
    notes.set_label("other", 2, "x")
    assert list(notes.labels_for(crops)) == ["metaphase", "interphase", "", "", "anaphase"]
    assert notes.counts(crops) == {"metaphase": 1, "anaphase": 1, "x": 0, "interphase": 1}
    assert notes.counts() == {"metaphase": 1, "anaphase": 1, "x": 1}
    assert list(crops.cells.label) == ["interphase", "interphase", "", "metaphase", ""]
    assert len(notes) == 3


def test_every_change_is_on_disk_at_once(tmp_path):
    (tmp_path / "study").mkdir()
    notes = Annotations(tmp_path / "study" / "labels.json")
    notes.set_label("movie", 3, "metaphase")
    again = Annotations(tmp_path / "study" / "labels.json")
    assert again.get("movie", 3) == "metaphase"
    notes.undo()
    assert Annotations(tmp_path / "study" / "labels.json").get("movie", 3) is None
    names = {path.name for path in (tmp_path / "study").iterdir()}
    assert names <= {"labels.jsonl", ".labels.jsonl.lock", "labels.json"}


def test_two_processes_that_label_one_study_lose_nothing(tmp_path):
    mine, theirs = Annotations(tmp_path / "labels.json"), Annotations(tmp_path / "labels.json")
    mine.set_label("movie", 0, "metaphase")
    theirs.set_label("movie", 1, "interphase")
    mine.add_class("anaphase")
    theirs.undo()
    again = Annotations(tmp_path / "labels.json")
    assert again.get("movie", 0) == "metaphase"
    assert again.get("movie", 1) is None
    assert again.classes == ["metaphase", "interphase", "anaphase"]


def test_a_change_that_cannot_be_saved_is_not_made(tmp_path, monkeypatch):
    notes = Annotations(tmp_path / "labels.json")
    notes.set_label("movie", 0, "metaphase")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"No space left on device.*last change was not saved"):
        notes.set_label("movie", 0, "anaphase")
    with pytest.raises(InputError, match="No space left"):
        notes.undo()
    monkeypatch.undo()
    assert notes.get("movie", 0) == "metaphase"
    assert notes.classes == ["metaphase"]
    assert notes.undo() == [("movie", 0)]
    assert Annotations(tmp_path / "labels.json").get("movie", 0) is None


def test_a_failed_save_takes_nothing_from_what_others_saved(tmp_path, monkeypatch):
    mine, theirs = Annotations(tmp_path / "labels.json"), Annotations(tmp_path / "labels.json")
    mine.set_label("movie", 0, "metaphase")
    for crop in range(10, 20):
        theirs.set_label("movie", crop, "metaphase")
    monkeypatch.setattr("os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(InputError, match="No space left"):
        mine.set_label("movie", 1, "metaphase")
    monkeypatch.undo()
    mine.set_label("movie", 2, "metaphase")
    assert len(Annotations(tmp_path / "labels.json")) == len(mine) == 12


def test_a_label_that_cannot_be_saved_is_refused_and_the_next_is_not(tmp_path):
    notes = Annotations(tmp_path / "labels.json")
    for label in ("\udcff", "a\0b"):
        with pytest.raises(InputError, match="characters that cannot be saved"):
            notes.set_label("movie", 0, label)
    notes.set_label("movie", 1, "metaphase")
    assert Annotations(tmp_path / "labels.json").get("movie", 1) == "metaphase"
    assert len(notes) == 1


def test_undo_leaves_what_somebody_else_has_labelled_since(tmp_path):
    mine, theirs = Annotations(tmp_path / "labels.json"), Annotations(tmp_path / "labels.json")
    mine.set_labels({("movie", 0): "interphase", ("movie", 1): "interphase"})
    theirs.set_label("movie", 0, "metaphase")
    assert mine.undo() == [("movie", 1)]
    assert Annotations(tmp_path / "labels.json").get("movie", 0) == "metaphase"
    assert mine.redo() == [("movie", 1)]
    theirs.undo()
    assert mine.get("movie", 0) == "metaphase"  # it is shown when this window next looks
    mine.refresh()
    assert mine.get("movie", 0) == "interphase"


def test_two_undone_steps_put_back_what_others_gave_before_them(tmp_path):
    mine, theirs = Annotations(tmp_path / "labels.json"), Annotations(tmp_path / "labels.json")
    mine.set_label("movie", 0, "a")
    theirs.set_label("movie", 0, "b")
    mine.set_label("movie", 0, "c")
    assert mine.undo() == [("movie", 0)]
    assert mine.get("movie", 0) == "b"
    assert mine.undo() == []
    assert mine.get("movie", 0) == "b"
    assert [one.label for one in mine.history("movie", 0)] == ["a", "b", "c", "b"]
    assert all("@" in one.by and one.at for one in mine.history("movie", 0))


def test_a_line_that_a_crash_cut_off_costs_that_line_only(tmp_path):
    path = tmp_path / "labels.jsonl"
    notes = Annotations(path)
    notes.set_label("movie", 0, "a")
    notes.set_label("movie", 1, "b")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    again = Annotations(path)
    assert (again.get("movie", 0), again.get("movie", 1)) == ("a", None)
    again.set_label("movie", 2, "c")
    last = Annotations(path)
    assert [last.get("movie", crop) for crop in range(3)] == ["a", None, "c"]
    assert "1 unreadable line(s)" in last.problems[0]


def test_a_file_that_is_no_log_is_kept_aside(tmp_path):
    path = tmp_path / "labels.jsonl"
    path.write_bytes(b"\x00\xff\n" * 3)
    with pytest.raises(InputError, match=r"damaged. They were renamed to labels\.jsonl\.broken"):
        Annotations(path)
    assert len(Annotations(path)) == 0


def test_a_pipe_in_place_of_the_log_is_refused(tmp_path):
    import os

    os.mkfifo(tmp_path / "labels.jsonl")
    with pytest.raises(InputError, match="not a file"):
        Annotations(tmp_path / "labels.jsonl")


def test_annotations_of_layout_1_are_taken_over_once(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text('{"schema": 1, "classes": ["x", "a"], "labels": {"movie": {"0": "a", "1": ""}}}')
    mine, theirs = Annotations(path), Annotations(path)
    assert (mine.get("movie", 0), mine.get("movie", 1), mine.classes) == ("a", "", ["x", "a"])
    mine.set_label("movie", 0, "b")
    theirs.set_label("movie", 5, "c")
    again = Annotations(path)
    assert [again.get("movie", crop) for crop in (0, 1, 5)] == ["b", "", "c"]
    assert len(again.path.read_text().splitlines()) == 4
    mine.undo()
    assert Annotations(path).get("movie", 0) == "a"


def test_a_script_reads_the_last_class_of_each_crop_as_one_json_object(tmp_path):
    notes = Annotations(tmp_path / "labels.jsonl")
    notes.add_class("anaphase")
    notes.set_labels({("movie", 3): "metaphase", ("movie", 4): "interphase", ("other", 0): None})
    notes.set_label("movie", 3, "interphase")
    notes.set_label("movie", 5, "metaphase")
    notes.undo()
    assert json.loads((tmp_path / "labels.json").read_text()) == {
        "schema": 2,
        "classes": ["anaphase", "metaphase", "interphase"],
        "labels": {"movie": {"3": "interphase", "4": "interphase"}, "other": {"0": ""}},
    }


def test_a_lost_log_is_made_again_from_its_summary(tmp_path):
    notes = Annotations(tmp_path / "labels.jsonl")
    notes.set_labels({("movie", 3): "metaphase", ("movie", 4): "interphase"})
    notes.path.unlink()
    again = Annotations(tmp_path / "labels.jsonl")
    assert (again.get("movie", 3), again.get("movie", 4)) == ("metaphase", "interphase")
    again.set_label("movie", 3, "interphase")
    assert Annotations(tmp_path / "labels.jsonl").get("movie", 4) == "interphase"


def test_a_summary_never_counts_against_its_log(tmp_path):
    notes = Annotations(tmp_path / "labels.jsonl")
    notes.set_label("movie", 3, "metaphase")
    for text in ('{"schema": 2, "classes": [], "labels": {"movie": {"3": "wrong", "9": "wrong"}}}', "{"):
        (tmp_path / "labels.json").write_text(text)
        again = Annotations(tmp_path / "labels.jsonl")
        assert (again.get("movie", 3), again.get("movie", 9)) == ("metaphase", None)
    (tmp_path / "labels.json").unlink()
    (tmp_path / "labels.json").mkdir()  # it cannot be written
    notes.set_label("movie", 4, "interphase")
    assert Annotations(tmp_path / "labels.jsonl").get("movie", 4) == "interphase"


def test_many_processes_that_label_at_once_lose_nothing(tmp_path):
    script = (
        "import sys; from morpholaw.cells.annotations import Annotations\n"
        "notes = Annotations(sys.argv[1])\n"
        "for crop in range(20): notes.set_label(sys.argv[2], crop, 'a')\n"
    )
    import subprocess
    import sys

    path = tmp_path / "labels.jsonl"
    workers = [subprocess.Popen([sys.executable, "-c", script, path, f"set{k}"]) for k in range(4)]
    assert [worker.wait(timeout=120) for worker in workers] == [0, 0, 0, 0]
    notes = Annotations(path)
    assert len(notes) == 80
    assert notes.problems == []


def tied(tmp_path: Path, *crop_sets: CropSet) -> Annotations:
    sets = {one.name: one for one in crop_sets}
    return Annotations(tmp_path / "labels.jsonl", sets.get)


def pictures(tmp_path: Path, name: str, first: int) -> CropSet:
    images = np.arange(first, first + 5, dtype=np.uint8)[:, None, None] * np.ones((5, 16, 16), np.uint8)
    return CropSet.write(tmp_path / name, images, cells_table(5), overwrite=True)


def test_a_label_stays_with_its_picture_and_not_with_its_place(tmp_path):
    movie = pictures(tmp_path, "movie", 0)
    notes = tied(tmp_path, movie)
    notes.set_labels({("movie", 0): "a", ("movie", 1): "b"})
    others = pictures(tmp_path, "movie", 100)
    notes = tied(tmp_path, others)
    assert list(notes.labels_for(others)) == [""] * 5
    assert notes.get("movie", 0) is None
    assert notes.strays(others) == 2
    notes.set_label("movie", 0, "z")
    back = pictures(tmp_path, "movie", 0)
    notes = tied(tmp_path, back)
    assert list(notes.labels_for(back)) == ["a", "b", "", "", ""]


def test_labels_are_refused_for_crops_that_are_not_there(tmp_path):
    notes = tied(tmp_path, pictures(tmp_path, "movie", 0))
    with pytest.raises(InputError, match="no crop 9 in movie, which has 5"):
        notes.set_label("movie", 9, "a")
    with pytest.raises(InputError, match="no crop set 'film'"):
        notes.set_label("film", 0, "a")


def test_old_labels_of_a_set_that_is_gone_do_not_land_on_a_new_one(tmp_path):
    (tmp_path / "labels.json").write_text(
        '{"schema": 1, "classes": [], "labels": {"movie": {"0": "a"}, "film": {"0": "b"}}}'
    )
    film = pictures(tmp_path, "film", 0)
    tied(tmp_path, film).tie_to_crops()
    movie = pictures(tmp_path, "movie", 50)
    notes = tied(tmp_path, film, movie)
    assert (notes.get("film", 0), notes.get("movie", 0)) == ("b", None)
    assert list(notes.labels_for(movie)) == [""] * 5


def test_labels_of_a_deleted_study_are_refused_in_a_sentence(tmp_path):
    import shutil

    (tmp_path / "study").mkdir()
    notes = Annotations(tmp_path / "study" / "labels.json")
    shutil.rmtree(tmp_path / "study")
    with pytest.raises(InputError, match="moved or deleted"):
        notes.set_label("movie", 0, "metaphase")
    assert not (tmp_path / "study").exists()


steps = st.lists(
    st.dictionaries(
        st.tuples(st.sampled_from("ab"), st.integers(0, 4)), st.sampled_from(["x", "y", None]), min_size=1
    ),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(steps)
def test_undo_takes_back_every_step_and_redo_brings_it_back(tmp_path_factory, changes):
    notes = Annotations(tmp_path_factory.mktemp("n") / "labels.json")
    everything = [(s, c) for s in "ab" for c in range(5)]
    states = [[notes.get(*key) for key in everything]]
    for change in changes:
        notes.set_labels(change)
        states.append([notes.get(*key) for key in everything])
    for change, state in zip(changes[::-1], states[-2::-1], strict=True):
        assert set(notes.undo()) == set(change)
        assert [notes.get(*key) for key in everything] == state
    assert notes.undo() == []
    for state in states[1:]:
        assert notes.redo()
        assert [notes.get(*key) for key in everything] == state
    assert notes.redo() == []


def test_a_new_step_ends_what_could_be_redone(tmp_path):
    notes = Annotations(tmp_path / "labels.json")
    notes.set_label("movie", 0, "a")
    notes.undo()
    notes.set_label("movie", 1, "b")
    assert notes.redo() == []
    assert notes.get("movie", 0) is None


def test_classes_keep_the_order_of_their_first_use(tmp_path):
    notes = Annotations(tmp_path / "labels.json")
    notes.add_class("prometaphase")
    notes.set_label("movie", 0, " metaphase ")
    notes.set_label("movie", 1, "prometaphase")
    assert Annotations(tmp_path / "labels.json").classes == ["prometaphase", "metaphase"]
    with pytest.raises(InputError, match="needs a name"):
        notes.add_class("  ")
    with pytest.raises(InputError, match="no crop -1"):
        notes.set_label("movie", -1, "a")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"schema": Infinity, "classes": [], "labels": {}}',
        '{"schema": 1, "classes": "abc", "labels": {}}',
        '{"schema": 1, "classes": [], "labels": {"m": ["a"]}}',
    ],
)
def test_a_damaged_file_of_layout_1_is_kept_aside(tmp_path, text):
    path = tmp_path / "labels.json"
    for name in ("labels.json.broken", "labels.json.broken2"):
        path.write_text(text)
        with pytest.raises(InputError, match=f"damaged. They were renamed to {name};"):
            Annotations(path)
        assert (tmp_path / name).read_text() == text
    assert len(Annotations(path)) == 0


@pytest.mark.parametrize(
    "entry", ['"-1": "a"', '"one": "a"', '"1e3": "a"', '"7": 5', '"7": "\\udcff"', '"7": null']
)
def test_an_entry_that_names_no_crop_or_class_costs_that_entry_only(tmp_path, entry):
    path = tmp_path / "labels.json"
    path.write_text(f'{{"schema": 1, "classes": ["a"], "labels": {{"m": {{{entry}, "3": "b"}}}}}}')
    notes = Annotations(path)
    assert len(notes) == 1
    assert notes.get("m", 3) == "b"
    (sentence,) = notes.problems
    assert "1 invalid labels of 'm', with no crop number or no class" in sentence


def test_a_file_of_a_newer_version_is_left_alone(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text(json.dumps({"schema": 3, "classes": 5}))
    with pytest.raises(InputError, match="newer version"):
        Annotations(path)
    assert path.exists()
    log = tmp_path / "others.jsonl"
    log.write_text('{"annotations": 3}\n{"id": 5}\n')
    with pytest.raises(InputError, match="newer version"):
        Annotations(log)
    assert log.exists()


@pytest.mark.parametrize(
    "table",
    ["crop,label\n1,anaphase\n4,metaphase\n2,\n", "track_id,t,class\n7,1,anaphase\n8,2,metaphase\n",
     "set,file,label\nmovie,1.png,anaphase\nmovie,4.png,metaphase\nelsewhere,9.png,debris\n"],
    ids=["by crop", "by track and frame", "by file"],
)  # fmt: skip
def test_labels_come_from_a_table_in_one_step(tmp_path, crops, table):
    (tmp_path / "labels.csv").write_text(table)
    notes = Annotations(tmp_path / "labels.json")
    assert notes.import_csv(tmp_path / "labels.csv", crops) == 2
    assert list(notes.labels_for(crops)) == ["interphase", "anaphase", "", "metaphase", "metaphase"]
    notes.undo()
    assert len(notes) == 0


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("crop,label\n1,a\n9,a\n", "Line 3 of .* refers to crop 9, which movie does not have"),
        ("track_id,t,label\n7,5,a\n", "refers to track_id 7, t 5"),
        ("crop,remark\n1,a\n", "has the columns crop, remark; expected a class"),
        ("t,label\n1,a\n", r"expected a class \(label\) and one of crop"),
        ("", "is empty"),
    ],
)
def test_a_table_that_does_not_fit_changes_nothing(tmp_path, crops, table, sentence):
    (tmp_path / "labels.csv").write_text(table)
    notes = Annotations(tmp_path / "labels.json")
    with pytest.raises(InputError, match=sentence):
        notes.import_csv(tmp_path / "labels.csv", crops)
    assert len(notes) == 0
    with pytest.raises(InputError, match="There is no file"):
        notes.import_csv(tmp_path / "nowhere.csv", crops)


def test_an_exported_table_can_be_imported(tmp_path, crops):
    notes = Annotations(tmp_path / "labels.json")
    notes.set_label("movie", 4, "anaphase")
    notes.export_csv(tmp_path / "out.csv", crops)
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table.columns) == ["set", "crop", "file", "track_id", "t", "y", "x", "label"]
    other = Annotations(tmp_path / "other.json")
    assert other.import_csv(tmp_path / "out.csv", crops) == len(table) == 4
    assert list(other.labels_for(crops)) == list(notes.labels_for(crops))


def test_a_table_about_two_sets_is_one_step_and_read_wholly_or_not_at_all(crops, tmp_path):
    other = CropSet.write(tmp_path / "other", crops.images[:2], crops.cells[:2].drop(columns=["crop"]))
    notes = Annotations(tmp_path / "annotations")
    table = tmp_path / "labels.csv"
    table.write_text(f"set,crop,label\n{crops.name},0,late\nother,1,early\n")
    assert notes.import_csv(table, crops, other) == 2
    assert (notes.get(crops.name, 0), notes.get("other", 1)) == ("late", "early")
    assert len(notes.undo()) == 2
    table.write_text(f"set,crop,label\n{crops.name},0,late\nother,9,early\n")
    with pytest.raises(InputError):
        notes.import_csv(table, crops, other)
    assert notes.get(crops.name, 0) is None
