"""The Laws panel with laws over measured shapes, and with laws of more than two classes."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from qtpy.QtCore import QPointF
from qtpy.QtGui import QGuiApplication

from morpholaw.cells.shape_features import choose_features
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import ModelColumns
from morpholaw.models.law import Law
from morpholaw.study import Study
from morpholaw.widgets.laws.panel import LawsWidget

NAMES = ("width", "contrast", "area")


def shape_laws(study: Study, texts, classes, name="scheme4-hinge") -> None:
    """Keep laws over three shapes, standardised, as a search would."""
    features = choose_features(NAMES)
    columns = ModelColumns.fitted(features, study.shapes())
    laws = [Law.parse(text, NAMES) for text in texts]
    study.add_classifier(Classifier.with_laws(None, laws, classes, columns), name)


@pytest.fixture(scope="module")
def shape_study(labelled_study_folder, made_once):
    def make(folder):
        study = Study.open(shutil.copytree(labelled_study_folder, folder))
        labels = np.where(study.labels == "metaphase", "metaphase", "interphase")
        third = np.flatnonzero(labels == "interphase")[::2]
        study.annotations.set_labels({("simulated", int(cell)): "anaphase" for cell in third})
        shape_laws(study, ["0.2 - width", "contrast - width + 0.1*area"], ("interphase", "metaphase"))
        shape_laws(
            study,
            ["width", "-width", "0.5 - contrast"],
            ("interphase", "metaphase", "anaphase"),
            "three-phases",
        )

    return made_once("shape-laws", make)


@pytest.fixture
def panel(make_napari_viewer, qtbot, shape_study, tmp_path):
    panel = LawsWidget(make_napari_viewer(show=False))
    qtbot.addWidget(panel, before_close_func=lambda panel: panel.search.runner.close_down())
    panel.resize(420, 900)
    panel.show()
    panel.current.open(shutil.copytree(shape_study, tmp_path / "shapes"))
    qtbot.waitUntil(lambda: panel.page is not None, timeout=120_000)
    return panel


def test_a_law_over_shapes_is_read_in_words_and_units(panel, qtbot):
    panel.table.pick(0)
    qtbot.waitUntil(lambda: "Law 1, which is applied" in panel.sentence.text(), timeout=60_000)
    assert "narrower" in panel.sentence.text()
    assert "px" in panel.sentence.text()
    panel.copy("text")
    assert "width" in QGuiApplication.clipboard().text()
    panel.copy("spreadsheet")
    assert QGuiApplication.clipboard().text().startswith("=IFERROR(IF(")
    panel.tabs.setCurrentWidget(panel.boundary)
    qtbot.waitUntil(lambda: panel.boundary.inputs.shown is not None, timeout=60_000)
    assert panel.boundary.inputs.shown.computed.names == ("width",)
    panel.table.pick(1)
    qtbot.waitUntil(lambda: len(panel.boundary.inputs.shown.computed.names) == 2, timeout=60_000)
    assert panel.boundary.inputs.x_box.count() == 3
    figure = panel.boundary.inputs.figure
    qtbot.waitUntil(lambda: figure.drawing is not None and len(figure.cells) > 0, timeout=60_000)
    dots = {int(cell): QPointF(*figure.place_of(cell)) for cell in figure.cells}
    cell = next(cell for cell, dot in dots.items() if figure.cell_at(dot) == cell)
    figure.pressed(dots[cell])
    figure.released(dots[cell], False)
    assert panel.current.selection == [cell]
    panel.tabs.setCurrentWidget(panel.vetoes)
    qtbot.waitUntil(lambda: "xcludes" in panel.vetoes.text(), timeout=60_000)


def test_the_selected_cell_is_explained(panel, qtbot):
    panel.table.pick(1)
    panel.tabs.setCurrentWidget(panel.cell)
    assert panel.cell.picture.empty
    panel.current.select([7])
    qtbot.waitUntil(lambda: panel.cell.reasons is not None, timeout=60_000)
    expected = panel.current.study.explain_cell(7, law=1)
    assert panel.cell.reasons.text == expected.text
    assert "median cell" in panel.cell.words.text()
    panel.tabs.setCurrentWidget(panel.sheet)
    qtbot.waitUntil(lambda: panel.sheet.shown is not None, timeout=60_000)
    assert sum(map(len, panel.sheet.shown.cells)) == 20
    assert panel.sheet.caption.isVisible()  # what the numbers below each cell are


def test_another_law_is_applied(panel, qtbot):
    panel.table.pick(1)
    second = panel.law
    assert panel.steps.apply_button.isEnabled()
    panel.steps.apply_button.click()
    assert panel.current.study.laws()[0] == second
    panel.table.pick(0)
    assert panel.law == second
    assert not panel.steps.apply_button.isEnabled()


def test_laws_of_three_classes_have_a_row_each(panel, qtbot):
    box = panel.loss
    assert [box.itemText(k) for k in range(box.count())] == [
        "from the labels (hinge), over shapes",
        "three-phases, over shapes, 3 classes",
    ]
    box.setCurrentIndex(1)
    assert "three-phases, over shapes, 3 classes" in box.toolTip()
    assert panel.table.rowCount() == 3
    assert panel.table.item(1, 3).text().startswith("metaphase: ")
    panel.table.pick(1)
    words = "More likely metaphase, whatever the other inputs are: nuclei that are narrower"
    qtbot.waitUntil(lambda: words in panel.sentence.text(), timeout=60_000)
    assert not panel.steps.apply_button.isVisible()
    assert "no front" in panel.front.sentence.text()
    panel.tabs.setCurrentWidget(panel.boundary)
    qtbot.waitUntil(lambda: panel.boundary.inputs.shown is not None, timeout=60_000)
    assert panel.boundary.inputs.shown.computed.called.min() >= 0
    assert (
        "the median of metaphase" in panel.boundary.inputs.shown.held or not panel.boundary.inputs.shown.held
    )
    panel.tabs.setCurrentWidget(panel.cell)
    panel.current.select([3])
    qtbot.waitUntil(lambda: panel.cell.reasons is not None, timeout=60_000)
    assert panel.cell.reasons.other in ("interphase", "metaphase", "anaphase")


def test_the_law_of_a_class_is_read_against_one_other_class(panel, qtbot):
    panel.loss.setCurrentIndex(1)
    panel.table.pick(1)
    panel.tabs.setCurrentWidget(panel.boundary)
    regions = panel.boundary.inputs
    qtbot.waitUntil(lambda: regions.shown is not None, timeout=60_000)
    assert set(np.unique(regions.shown.cell_labels)) == {"interphase", "metaphase", "anaphase"}
    assert "whose law is the largest" in panel.boundary.legend.text()
    panel.against.box.setCurrentIndex(panel.against.box.findData("anaphase"))
    panel.against.chosen.emit()
    words = "Called metaphase rather than anaphase"
    qtbot.waitUntil(lambda: words in panel.sentence.text(), timeout=60_000)
    expected = panel.current.study.law_sentence(class_name=("metaphase", "anaphase"), name="three-phases")
    assert expected.text in panel.sentence.text()
    assert "held-out cells of the two" in panel.sentence.text()
    qtbot.waitUntil(
        lambda: set(np.unique(regions.shown.cell_labels)) == {"metaphase", "anaphase"}, timeout=60_000
    )
    assert "anaphase rather than metaphase" in panel.boundary.legend.text()
    assert "interphase" not in panel.boundary.legend.text()
    panel.table.pick(2)  # anaphase cannot be told from itself
    assert panel.against.other == ""
    panel.table.pick(0)
    assert [panel.against.box.itemText(k) for k in range(3)] == ["all other classes", "metaphase", "anaphase"]


def test_the_table_shows_laws_in_units(panel):
    panel.loss.setCurrentIndex(1)
    columns, law = panel.record.columns, panel.entries[1].law
    shown = Law.parse(panel.table.item(1, 3).text().removeprefix("metaphase: "), columns.names)
    cells = panel.current.study.shapes()[list(columns.names)].to_numpy()[:5]
    standardised = (cells - columns.centre) / columns.scale
    there = shown.expression.evaluate(cells)
    np.testing.assert_allclose(there, law.expression.evaluate(standardised), atol=0.05)


def test_the_panel_and_the_report_name_the_same_limits(shape_study):
    """A limit depends on how finely ranges are cut: 25 µm² in one place and 26 in the other cannot both be read."""
    from morpholaw.store import classifiers
    from morpholaw.store.law_reading import read_law
    from morpholaw.widgets.laws.law_page import LawPlace, law_vetoes

    study = Study.open(shape_study)
    reading = read_law(study, classifiers.load(study, "scheme4-hinge"))
    found = law_vetoes(LawPlace(str(study.path), "scheme4-hinge", 0, None, ()))
    assert found
    assert found == reading.vetoes()
