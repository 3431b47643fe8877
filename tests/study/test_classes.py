"""Classes of a study: renamed, merged, coloured, arranged and removed in one place, for everything that shows them."""

from __future__ import annotations

import errno
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator.crops import simulate_crops
from morpholaw.cli import main
from morpholaw.errors import InputError, NoSpaceError
from morpholaw.events import Message, Monitor
from morpholaw.store import classifiers
from morpholaw.store.class_record import ClassRecord
from morpholaw.store.labelled_cells import held_out
from morpholaw.study import Study


@pytest.fixture
def study(tmp_path) -> Study:
    study = Study.create(tmp_path / "study")
    images, cells = simulate_crops(phases={"interphase": 6, "metaphase": 5, "anaphase": 4}, seed=1)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    return study


def counts(study: Study) -> dict[str, int]:
    return {name: count for name, count in study.annotations.counts(*study.sets).items() if count}


def test_a_renamed_class_keeps_its_cells_its_colour_and_its_place(study):
    study.colour_classes({"metaphase": "#112233"})
    study.arrange_classes(["anaphase", "metaphase"])
    assert study.rename_classes({"metaphase": "mitosis"}) == 5
    assert counts(study) == {"interphase": 6, "mitosis": 5, "anaphase": 4}
    again = Study.open(study.path)
    assert again.classes == ("anaphase", "mitosis", "interphase")
    assert again.class_colours(["mitosis"]) == {"mitosis": "#112233"}


def test_merged_classes_are_one_and_the_merge_can_be_undone(study):
    study.set_stages(["interphase", "metaphase", "anaphase"])
    study.rename_classes({"metaphase": "mitosis", "anaphase": "mitosis"}, merge=True)
    assert counts(study) == {"interphase": 6, "mitosis": 9}
    assert set(study.classes) == {"interphase", "mitosis"}
    assert study.class_record.stages == ("interphase", "mitosis")
    study.annotations.undo()
    assert counts(study)["anaphase"] == 4
    assert "anaphase" in study.classes  # a name that cells have is shown


def test_no_two_classes_become_one_unasked(study):
    before = counts(study)
    for names in ({"metaphase": "anaphase"}, {"metaphase": "mitosis", "anaphase": "mitosis"}):
        with pytest.raises(InputError, match="would become one class; to merge them, use --merge"):
            study.rename_classes(names)
    words = ["classes", "--study", str(study.path)]
    refused = CliRunner().invoke(main, [*words, "--rename", "metaphase", "anaphase"])
    assert refused.exit_code == 2
    assert counts(Study.open(study.path)) == before
    study.rename_classes({"metaphase": "anaphase", "anaphase": "metaphase"})  # each takes the other's name
    assert counts(study) == {"interphase": 6, "metaphase": 4, "anaphase": 5}
    study.add_class("late")
    assert study.rename_classes({"anaphase": "late"}) == 5  # a name that no cell has is free
    merged = CliRunner().invoke(main, [*words, "--merge", "late=metaphase"])
    assert merged.exit_code == 0, merged.output
    assert counts(Study.open(study.path)) == {"interphase": 6, "metaphase": 9}


def test_a_classifier_follows_a_new_name_and_stays_where_classes_are_merged(trained_study, tmp_path):
    copy = Study(shutil.copytree(trained_study.path, tmp_path / "copy"))
    before = held_out(copy, "scheme2")[1]
    copy.rename_classes({"metaphase": "mitotic"})
    for name in classifiers.names(copy):
        assert classifiers.record(copy, name).classes == ("interphase", "mitotic")
    np.testing.assert_array_equal(held_out(copy, "scheme2")[1], before)
    assert set(copy.classify("scheme2")["class"]) <= {"interphase", "mitotic"}
    said = []
    copy.rename_classes({"mitotic": "interphase"}, Monitor(emit=said.append), merge=True)
    assert classifiers.record(copy, "scheme2").classes == ("interphase", "mitotic")
    texts = [one.text for one in said if isinstance(one, Message)]
    assert "scheme2 still tells the old classes apart; train it again." in texts


def test_colours_are_the_usual_ones_unless_set_and_all_differ(study):
    for k in range(13):
        study.add_class(f"class {k}")
    colours = study.class_colours()
    assert len(set(colours.values())) == len(study.classes) == 16
    assert study.class_colours(["anaphase", "interphase"]) == {"anaphase": "#cc79a7", "interphase": "#009e73"}
    study.colour_classes({"anaphase": "#ABCDEF"})
    assert study.class_colours(["anaphase"]) == {"anaphase": "#abcdef"}
    study.colour_classes({"anaphase": ""})
    assert study.class_colours() == colours


def test_a_class_is_removed_when_no_cell_has_it_and_may_come_back(study):
    study.add_class("telophase")
    study.remove_class("telophase")
    assert "telophase" not in Study.open(study.path).classes
    study.add_class("telophase")
    assert "telophase" in study.classes
    with pytest.raises(InputError, match="4 cells are labelled anaphase; merge it"):
        study.remove_class("anaphase")


def test_what_is_wrong_is_said_in_a_sentence(study):
    with pytest.raises(InputError, match="no class 'telophase' to rename; its classes are"):
        study.rename_classes({"telophase": "late"})
    with pytest.raises(InputError, match="'red' is not a colour such as"):
        study.colour_classes({"anaphase": "red"})
    with pytest.raises(InputError, match="no class 'telophase'"):
        study.arrange_classes(["telophase"])
    (study.path / "classes.json").write_text('{"schema": 1, "colours": {"anaphase": "url(x)"}}')
    with pytest.raises(InputError, match="is damaged"):
        study.class_colours()


def test_the_command_lists_and_changes_classes(study):
    words = ["classes", "--study", str(study.path), "--merge", "metaphase,anaphase=mitosis"]
    words += [
        "--colour",
        "mitosis",
        "#010203",
        "--order",
        "mitosis,interphase",
        "--stages",
        "interphase,mitosis",
    ]
    result = CliRunner().invoke(main, words)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "The label of 9 cells changed."
    assert lines[1].split() == ["mitosis", "#010203", "9", "cells"]
    assert lines[-1] == "Stages along tracks: interphase → mitosis → interphase."


def test_classes_keep_the_order_in_which_they_were_imported(tmp_path):
    study = Study.create(tmp_path / "study")
    order = ("interphase", "prometaphase", "metaphase", "anaphase")
    images, cells = simulate_crops(phases=dict.fromkeys(order, 3), seed=1)
    origin = CropOrigin(kind="folder", classes={name: [name] for name in (*order, "none of these")})
    CropSet.write(study.path / "crops" / "imported", images, cells, origin)
    assert study.classes == order
    study.rename_classes({"prometaphase": "early"})
    assert study.classes == ("interphase", "early", "metaphase", "anaphase")


def test_labels_from_before_a_class_was_renamed_do_not_come_back_under_its_old_name(study):
    study.annotations.set_labels({("simulated", 0): "anaphase"})
    study.rename_classes({"anaphase": "late"})
    assert study.annotations.undo() == []
    assert "anaphase" not in study.classes
    assert counts(study)["late"] == 5


def test_a_renamed_class_keeps_who_labelled_its_cells_and_so_does_an_undone_label(study, monkeypatch):
    name, crop = study.sets[0].name, 0
    monkeypatch.setattr("morpholaw.cells.annotation_log.author", lambda: "ada@lab")
    study.annotations.set_label(name, crop, "anaphase")
    monkeypatch.setattr("morpholaw.cells.annotation_log.author", lambda: "ben@lab")
    study.annotations.set_label(name, crop, "metaphase")
    study.annotations.undo()
    study.rename_classes({"anaphase": "late"})
    again = Study(study.path).annotations.annotation(name, crop)
    assert (again.label, again.by) == ("late", "ada@lab")


def test_a_class_that_cannot_be_renamed_keeps_its_cells(study, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before, classes = counts(study), study.classes
    with monkeypatch.context() as patch:
        patch.setattr(ClassRecord, "write", full)
        with pytest.raises(NoSpaceError):
            study.rename_classes({"anaphase": "late"})
    assert counts(Study.open(study.path)) == before
    assert Study.open(study.path).classes == classes
