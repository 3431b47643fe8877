"""Classes are renamed and merged from the menu on their button."""

from __future__ import annotations

import pytest

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator.crops import simulate_crops
from morpholaw.study import Study
from morpholaw.widgets.cells.panel import CellsWidget
from morpholaw.widgets.study import class_editor
from morpholaw.widgets.study.current_study import CurrentStudy


@pytest.fixture
def study(tmp_path) -> Study:
    study = Study.create(tmp_path / "study")
    images, cells = simulate_crops(phases={"interphase": 6, "metaphase": 5, "anaphase": 4}, seed=1)
    CropSet.write(study.path / "crops" / "simulated", images, cells, CropOrigin(kind="simulated"))
    return study


@pytest.mark.parametrize("answer", [True, False])
def test_a_name_that_another_class_has_merges_only_when_asked(make_napari_viewer, monkeypatch, study, answer):
    viewer = make_napari_viewer()
    CurrentStudy.of(viewer).open(study.path)
    widget = CellsWidget(viewer)
    viewer.window.add_dock_widget(widget)
    editor = widget.labelling.editor
    questions = []

    def confirmed(parent, title, question):
        questions.append(question)
        return answer

    monkeypatch.setattr(class_editor, "confirmed", confirmed)
    monkeypatch.setattr(class_editor.QInputDialog, "getText", lambda *_, **__: ("anaphase ", True))
    editor.menu("metaphase").actions()[0].trigger()
    assert questions == [
        "Label all cells of metaphase as anaphase? Classifiers that distinguish the two must then be trained again."
    ]
    counts = study.annotations.counts(*study.sets)
    assert counts["anaphase"] == (9 if answer else 4)
    monkeypatch.setattr(class_editor.QInputDialog, "getText", lambda *_, **__: ("late", True))
    editor.menu("anaphase").actions()[0].trigger()
    assert len(questions) == 1
    assert "late" in study.annotations.counts(*study.sets)
