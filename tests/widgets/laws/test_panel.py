"""The Laws panel as a person uses it: search, pick, read, copy, slice, and add to the viewer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading

import dask
import dask.array as da
import numpy as np
import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QDesktopServices, QGuiApplication
from qtpy.QtWidgets import QMessageBox, QPushButton

from morpholaw.events import Front
from morpholaw.interpretation.components import drawable_parts
from morpholaw.models.law import Law
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.study import Study
from morpholaw.training.symbolic.engine import Availability
from morpholaw.training.symbolic.pysr_engine import PySREngine
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.laws.cells_and_surface import CellsAndSurface
from morpholaw.widgets.laws.latent_view import LatentSpaceLabels, LatentView
from morpholaw.widgets.laws.law_search import LawSearch
from morpholaw.widgets.laws.panel import LawsWidget
from morpholaw.widgets.study.current_study import CurrentStudy

RICH = Law.parse("z5*(square(z0) + square(z1)) - exp(exp(z2)) + 0.5*sin(z0) - 1.5", ["z0", "z1", "z2", "z5"])


@pytest.fixture
def panel(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=False)
    panel = LawsWidget(viewer)
    # pytest-qt deletes widgets before fixtures end, and the answer of a deleted panel's call is dropped.
    qtbot.addWidget(panel, before_close_func=lambda panel: settle(panel, qtbot))
    panel.resize(400, 780)
    panel.show()
    return panel


def settle(panel, qtbot) -> None:
    """End the panel's job and wait for what its threads still compute."""
    panel.search.runner.close_down()
    qtbot.waitUntil(
        lambda: not (panel.boundary.slices._call.running or panel.vetoes.call.running), timeout=60_000
    )


def with_law(study_folder, law: Law) -> None:
    """Put a law first in a study's list."""
    place = study_folder / "classifiers" / "scheme4-hinge"
    record = ClassifierRecord.read(place)
    evaluation = record.evaluation.model_copy(update={"accuracy": (0.999, 0.9)})
    changed = record.model_copy(update={"laws": (law, *record.laws[1:]), "evaluation": evaluation})
    changed.write(place / "model.json")


def test_the_law_card_is_written_into_the_study_and_opened(panel, qtbot, trained_study, monkeypatch):
    opened = []
    monkeypatch.setattr(QDesktopServices, "openUrl", opened.append)
    panel.current.open(trained_study)
    panel.pick(1)
    qtbot.mouseClick(panel.card_button, Qt.MouseButton.LeftButton)
    assert not panel.card_button.isEnabled()
    qtbot.waitUntil(lambda: bool(opened), timeout=120_000)
    card = trained_study / "law cards" / "scheme4-hinge law 2.html"
    assert [url.toLocalFile() for url in opened] == [str(card)]
    assert "Law 2" in card.read_text()
    assert card.with_suffix(".pdf").is_file()
    assert panel.card_button.isEnabled()


def button(panel, name: str) -> QPushButton:
    return panel.findChild(QPushButton, name)


def test_the_panels_load_neither_torch_nor_matplotlib():
    code = (
        "import sys, morpholaw.widgets.laws.panel, morpholaw.widgets.network.panel;"
        "assert not {'torch', 'matplotlib', 'pysr', 'juliacall'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_study_shows_its_laws_and_the_best_is_picked(panel, qtbot, trained_study):
    with_law(trained_study, RICH)
    panel.current.open(trained_study)
    assert panel.table.rowCount() == 2
    assert panel.table.item(0, 1).text() == "99.9 %"
    assert panel.table.item(0, 2).text() == str(RICH.size)
    assert f"Complexity {RICH.complexity}" in panel.table.item(0, 2).toolTip()
    assert panel.law == RICH
    qtbot.waitUntil(lambda: bool(panel.formula.lines) and panel.front.canvas is not None, timeout=30_000)
    written = "".join(panel.formula.lines)  # with symbols of latents, or their names where these came first
    assert written.startswith("f = ")
    assert all(part in written for part in (r"\sin", "^{2}", "e^{e^{", "1.5"))
    assert panel.formula.pixmap().width() / panel.formula.devicePixelRatio() <= panel.formula.width()


def test_names_of_latents_appear_in_the_formula_as_soon_as_they_are_given(panel, qtbot, trained_study):
    with_law(trained_study, RICH)
    panel.current.open(trained_study).name_latent(0, "cell size")
    panel.current.names_changed.emit()
    qtbot.waitUntil(lambda: r"\mathrm{cell\ size}" in "".join(panel.formula.lines), timeout=30_000)
    assert "cell size (z0)" in [
        panel.boundary.slices.x_box.itemText(i) for i in range(panel.boundary.slices.x_box.count())
    ]


def test_picking_another_row_shows_another_law(panel, trained_study):
    panel.current.open(trained_study)
    panel.table.selectRow(1)
    second = panel.law
    panel.table.selectRow(0)
    assert panel.law != second
    assert panel.law in panel.record.laws


def test_a_law_has_the_number_by_which_report_and_command_call_it(panel, qtbot, trained_study):
    panel.current.open(trained_study)
    for row in range(panel.table.rowCount()):
        panel.table.selectRow(row)
        number = int(panel.table.item(row, 0).text())
        assert panel.record.laws[number - 1] == panel.law
        qtbot.waitUntil(lambda: f"Law {number}" in panel.sentence.text(), timeout=30_000)  # noqa: B023


def test_a_heading_sorts_by_number(panel, trained_study):
    with_law(trained_study, RICH)
    panel.current.open(trained_study)
    panel.table.sortItems(2, Qt.SortOrder.AscendingOrder)
    sizes = [int(panel.table.item(row, 2).text()) for row in range(panel.table.rowCount())]
    assert sizes == sorted(sizes)
    assert sizes[-1] == RICH.size


def test_the_law_is_copied_in_three_ways(panel, qtbot, trained_study):
    with_law(trained_study, RICH)
    panel.current.open(trained_study)
    qtbot.mouseClick(button(panel, "copy latex"), Qt.MouseButton.LeftButton)
    assert QGuiApplication.clipboard().text() == "f = " + RICH.latex()
    qtbot.mouseClick(button(panel, "copy text"), Qt.MouseButton.LeftButton)
    assert Law.parse(QGuiApplication.clipboard().text(), RICH.names) == RICH
    qtbot.mouseClick(button(panel, "copy python"), Qt.MouseButton.LeftButton)
    made: dict = {}
    exec(QGuiApplication.clipboard().text(), made)
    z = np.random.default_rng(0).normal(size=(50, 4))
    np.testing.assert_allclose([made["f"](*row) for row in z.tolist()], RICH.expression.evaluate(z))
    assert "metaphase" in made["f"].__doc__


def test_parts_of_one_or_two_latents_are_drawn(panel, qtbot, trained_study):
    assert [part.expression.text() for part in drawable_parts(RICH)] == [
        "square(z0) + square(z1)",
        "exp(exp(z2))",
        "0.5 * sin(z0)",
    ]
    with_law(trained_study, RICH)
    panel.current.open(trained_study)
    panel.tabs.setCurrentWidget(panel.components)
    qtbot.waitUntil(lambda: panel.components.canvas is not None, timeout=30_000)
    plots = [axes for axes in panel.components.canvas.figure.axes if axes.get_title()]
    assert len(plots) == 3


def test_sliders_move_the_slice_and_cells_are_decoded_along_both_axes(panel, qtbot, trained_study):
    with_law(trained_study, RICH)
    panel.current.open(trained_study)
    panel.tabs.setCurrentIndex(2)
    qtbot.waitUntil(lambda: panel.boundary.slices.figure.canvas is not None, timeout=60_000)
    first = panel.boundary.slices.shown
    assert (panel.boundary.slices.axes, set(panel.boundary.slices.sliders)) == ((0, 1), {2, 5})
    assert first.pictures_x.shape == first.pictures_y.shape == (5, 64, 64)
    axis = first.axis
    expected = RICH.expression.evaluate(
        np.stack([axis, np.full_like(axis, axis[3]), 0 * axis, 0 * axis], axis=1)
    )
    np.testing.assert_allclose(first.values[3], expected)
    panel.boundary.slices.sliders[5].setValue(2.0)
    qtbot.waitUntil(lambda: panel.boundary.slices.shown is not first, timeout=30_000)
    assert panel.boundary.slices.shown.values.max() > first.values.max() + 10
    qtbot.mouseClick(panel.boundary.slices.centre, Qt.MouseButton.LeftButton)
    assert panel.boundary.slices.sliders[5].value() == 0


def test_both_axes_are_never_the_same_latent(panel, trained_study):
    with_law(trained_study, RICH)
    panel.current.open(trained_study)
    panel.boundary.slices.x_box.setCurrentIndex(panel.boundary.slices.x_box.findData(1))
    assert panel.boundary.slices.axes[0] == 1
    assert panel.boundary.slices.axes[1] != 1
    assert panel.boundary.third.currentData() not in panel.boundary.slices.axes


def test_vetoes_are_sentences_with_the_latents_names(panel, qtbot, trained_study):
    with_law(trained_study, Law.parse("z0 - exp(z1)", ["z0", "z1"]))
    panel.current.open(trained_study).name_latent(0, "size")
    panel.current.names_changed.emit()
    panel.tabs.setCurrentWidget(panel.vetoes)
    qtbot.waitUntil(lambda: "excludes" in panel.vetoes.text(), timeout=120_000)
    assert "z0 (size) below" in panel.vetoes.text()
    assert "excludes metaphase, whatever the other latents are." in panel.vetoes.text()


def test_cells_and_surface_are_added_and_taken_away(panel, qtbot, trained_study):
    with_law(trained_study, Law.parse("z0 + 0.5*square(z1) - 0.2", ["z0", "z1"]))
    movie = panel.viewer.add_image(np.zeros((4, 32, 32)), name="movie")
    names = panel.viewer.dims.axis_labels
    panel.current.open(trained_study)
    panel.tabs.setCurrentIndex(2)
    qtbot.mouseClick(panel.boundary.add_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.boundary.latent_view.shown, timeout=60_000)
    points, surface = panel.boundary.latent_view.layers
    assert len(points.data) == 240
    assert set(points.features["label"]) == {"interphase", "metaphase"}
    assert tuple(points.face_color[points.features["label"] == "metaphase"][0][:3]) == pytest.approx(
        (0xE6 / 255, 0x9F / 255, 0)
    )
    _, up, across = surface.metadata["morpholaw"]["latents"]
    assert (across, up) == (0, 1)
    vertices = surface.data[0]
    np.testing.assert_allclose(panel.law.score(vertices[:, [2, 1]]), 0, atol=1e-6)
    assert panel.viewer.dims.ndisplay == 3
    assert panel.viewer.dims.axis_labels == points.axis_labels != names
    assert not movie.visible
    panel.boundary.back_button.click()
    assert [layer.name for layer in panel.viewer.layers] == ["movie"]
    assert movie.visible
    assert (panel.viewer.dims.ndisplay, panel.viewer.dims.axis_labels) == (2, names)


def test_closing_the_3d_view_reads_one_frame_of_a_movie_the_one_it_was_at(make_napari_viewer):
    viewer, read = make_napari_viewer(), []

    def frame(t):
        read.append(t)
        return np.zeros((16, 16), np.uint8)

    frames = [da.from_delayed(dask.delayed(frame)(t), shape=(16, 16), dtype=np.uint8) for t in range(20)]
    movie = viewer.add_image(da.stack(frames), contrast_limits=(0, 255))
    viewer.dims.set_point(0, 7)
    points = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    drawn = CellsAndSurface(
        points, np.arange(4), np.array(["a", "b", "a", ""]), np.ones(4), np.zeros((0, 3)), np.zeros((0, 3)),
        (0, 1, 2),
    )  # fmt: skip
    view = LatentView(viewer)
    view.show(
        drawn, LatentSpaceLabels(["z0", "z1", "z2"], ("a", "b"), {"a": "#ff0000", "b": "#00ff00"}, "z0")
    )
    (points_layer,) = view.layers
    assert points_layer.face_color[[0, 1], :3].tolist() == [[1, 0, 0], [0, 1, 0]]
    read.clear()
    view.back()
    assert viewer.dims.ndisplay == 2
    assert movie.visible
    assert viewer.dims.point[0] == 7
    assert set(read) <= {7}


def test_laws_are_not_replaced_unasked(panel, trained_study, monkeypatch):
    panel.current.open(trained_study)
    questions = []
    monkeypatch.setattr(
        QMessageBox, "question", lambda *a: questions.append(a[2]) or QMessageBox.StandardButton.No
    )
    panel.search.run_button.click()
    assert not panel.search.runner.running
    assert "found with the hinge loss will be replaced" in questions[0]


def test_the_boundary_names_its_sides_and_shows_labelled_cells(panel, qtbot, trained_study):
    with_law(trained_study, Law.parse("z0 + 0.5*square(z1) - 0.2", ["z0", "z1"]))
    panel.current.open(trained_study)
    panel.tabs.setCurrentWidget(panel.boundary)
    slices = panel.boundary.slices
    qtbot.waitUntil(lambda: slices.figure.canvas is not None, timeout=60_000)
    _, bar = slices.figure.canvas.figure.axes
    assert (bar.get_xlabel(), bar.get_title(loc="left")) == ("interphase", "metaphase")
    assert len(slices.shown.cells.labels) == 240
    assert "predicted as metaphase" in panel.boundary.legend.text()
    panel.current.study.annotations.set_labels({("simulated", 0): "anaphase"})
    panel.current.labels_changed.emit()
    qtbot.waitUntil(lambda: "anaphase" in slices.shown.cells.labels, timeout=10_000)


def test_a_dot_of_the_boundary_that_is_clicked_is_selected_and_one_selected_elsewhere_marked(
    panel, qtbot, trained_study
):
    panel.current.open(trained_study)
    panel.pick(1)  # over two latents
    panel.tabs.setCurrentWidget(panel.boundary)
    figure = panel.boundary.slices.figure
    qtbot.waitUntil(lambda: figure.drawing is not None, timeout=60_000)
    places = {int(cell): QPoint(*(round(value) for value in figure.place_of(cell))) for cell in figure.cells}
    cell = next(cell for cell, place in places.items() if figure.cell_at(QPointF(place)) == cell)
    place = places[cell]
    qtbot.mouseClick(figure.surface, Qt.MouseButton.LeftButton, pos=place)
    assert panel.current.selection == figure.selected == [cell]
    panel.current.select([int(figure.cells[0])])
    assert figure.selected == [int(figure.cells[0])]


def test_a_search_finds_laws_and_shows_them(panel, qtbot, trained_study):
    shutil.rmtree(trained_study / "classifiers" / "scheme4-hinge")
    panel.current.open(trained_study)
    assert panel.nothing.isVisible()
    assert panel.search_box.expanded
    panel.search.engine.choice.setCurrentIndex(panel.search.engine.choice.findData("embedded"))
    for name, value in (("count", 2), ("evaluations", 8_000), ("max_complexity", 7), ("processes", 1)):
        panel.search.form.editors[name].value = value
    panel.search.form.editors["latents"].native.setText("0, 1, 2")
    fronts = []
    panel.search.runner.reported.connect(lambda event: isinstance(event, Front) and fronts.append(event))
    with qtbot.waitSignal(panel.search.searched, timeout=120_000):
        qtbot.mouseClick(panel.search.run_button, Qt.MouseButton.LeftButton)
        assert not panel.search.run_button.isEnabled()
    assert panel.search.laws_so_far == fronts[-1]
    assert len(fronts) > 1  # it grew while the search went on
    assert panel.search.best.text() == f"So far: {fronts[-1].law}"
    assert "z" in fronts[-1].law
    assert "complexity" not in panel.search.runner.status.text()
    assert panel.record is not None
    assert 1 <= panel.table.rowCount() <= 2
    assert not panel.search_box.expanded
    assert panel.search.run_button.isEnabled()
    assert panel.law.complexity <= 7


def test_a_stopped_search_keeps_the_laws_it_had(panel, qtbot, trained_study):
    shutil.rmtree(trained_study / "classifiers" / "scheme4-hinge")
    panel.current.open(trained_study)
    for name, value in (("count", 1), ("evaluations", 50_000_000), ("processes", 1)):
        panel.search.form.editors[name].value = value
    panel.search.form.editors["latents"].native.setText("0, 1, 2")
    panel.search.engine.choice.setCurrentIndex(panel.search.engine.choice.findData("embedded"))
    panel.search.run_button.click()
    qtbot.waitUntil(lambda: panel.search.front.canvas is not None, timeout=60_000)
    assert panel.search.front.canvas.figure.axes[0].get_ylabel() == "loss"
    with qtbot.waitSignal(panel.search.searched, timeout=30_000):
        qtbot.mouseClick(panel.search.runner.stop_button, Qt.MouseButton.LeftButton)
    assert panel.table.rowCount() == 1


def test_a_search_that_is_stopped_before_its_first_law_promises_none(panel, qtbot, trained_study):
    panel.current.open(trained_study)
    panel.search.run_button.click()
    assert panel.search.front.sentence.text()
    with qtbot.waitSignal(panel.search.searched, timeout=60_000):
        panel.search.runner.stop_button.click()
    assert panel.search.laws_so_far is None
    assert not panel.search.front.sentence.text()


def test_a_search_without_a_study_or_scheme_3_says_what_is_missing(panel, qtbot, labelled_study):
    panel.search.run_button.click()
    assert "No study is open" in panel.error_line.text()
    panel.current.open(labelled_study)
    with qtbot.waitSignal(panel.search.runner.failed, timeout=60_000):
        panel.search.run_button.click()
    assert panel.search.runner.error_line.isVisible()
    assert panel.search.run_button.isEnabled()


def test_latents_that_make_no_sense_are_refused_beside_the_field(panel, labelled_study):
    panel.current.open(labelled_study)
    panel.search.form.editors["latents"].native.setText("size")
    panel.search.run_button.click()
    assert "Latents" in panel.search.form.error
    assert not panel.search.runner.running


def test_a_damaged_file_of_laws_is_one_sentence(panel, trained_study):
    path = trained_study / "classifiers" / "scheme4-hinge" / "model.json"
    values = json.loads(path.read_text())
    del values["evaluation"]
    path.write_text(json.dumps(values))
    panel.current.open(trained_study)
    assert "the field 'evaluation' is missing; train it again" in panel.error_line.text()
    assert not panel.table.isVisible()


def test_a_study_that_was_deleted_is_said_to_be_gone(panel, trained_study):
    panel.current.open(trained_study)
    shutil.rmtree(trained_study)
    panel.boundary.add_button.click()
    assert "moved or deleted" in panel.error_line.text()
    panel.search.run_button.click()
    assert "moved or deleted" in panel.error_line.text()


def test_why_pysr_is_not_ready_is_said_and_it_is_set_up_only_when_asked(panel, qtbot, monkeypatch):
    state = [Availability(False, "Julia has not been set up", can_set_up=True)]
    monkeypatch.setattr(PySREngine, "availability", lambda self: state[0])
    asked, ran = [], []

    def set_up(self, monitor):
        ran.append(True)
        state[0] = Availability(True, "Julia 1.11 is set up")
        return state[0]

    monkeypatch.setattr(PySREngine, "set_up", set_up)
    monkeypatch.setattr(PySREngine, "seen_to_run", True)
    engine = panel.search.engine
    engine.look()
    reason = "Searching with the built-in engine. PySR, which is optional, is not ready: Julia has not been set up."
    qtbot.waitUntil(lambda: engine.reason.text() == reason, timeout=10_000)
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *a: asked.append(a[2]) or answers.pop(0))
    engine.set_up_button.click()
    assert not ran
    assert "minutes" in asked[0]
    with qtbot.waitSignal(panel.search.runner.finished, timeout=10_000):
        engine.set_up_button.click()
    assert ran
    qtbot.waitUntil(lambda: "Julia 1.11 is set up" in engine.reason.text(), timeout=10_000)
    assert engine.set_up_button.isHidden()


def test_another_study_replaces_the_laws(panel, trained_study, labelled_study):
    panel.current.open(trained_study)
    panel.search.form.editors["classes"].value = ("anaphase", "metaphase")
    panel.search.form.editors["latents"].value = (1, 2)
    panel.current.open(labelled_study)
    assert panel.search.form.values() == {}
    assert panel.law is None
    assert panel.table.rowCount() == 0
    assert panel.nothing.isVisible()
    assert Study.open(trained_study).laws()


def test_without_labels_no_search_is_offered(panel, labelled_study):
    panel.current.open(labelled_study)
    assert "over shapes right away" in panel.nothing.text()
    study = panel.current.study
    name, crops = study.sets[0].name, len(study.crops)
    study.annotations.set_labels({(name, crop): "" for crop in range(crops)})
    panel.current.labels_changed.emit()
    assert "A search needs labelled cells of two classes" in panel.nothing.text()


def test_a_search_that_is_refused_announces_no_laws(qtbot, trained_study):
    current = CurrentStudy()
    current.open(trained_study)
    search = LawSearch(ViewerModel(), current, ErrorLine())
    qtbot.addWidget(search)
    announced, go_on = [], threading.Event()
    search.searched.connect(announced.append)
    with qtbot.waitSignal(search.runner.finished, timeout=5000):
        search.runner.run("another step", lambda monitor: go_on.wait())
        search.run_button.click()
        assert "still running here" in search.error_line.text()
        assert search.run_button.isEnabled()
        go_on.set()
    assert announced == []
