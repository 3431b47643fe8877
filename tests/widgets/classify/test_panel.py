"""Train, compare and apply classifiers as a person does in the panel."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QMessageBox

from morpholaw.cells.crop_record import CropOrigin, MovieSource
from morpholaw.cells.crop_set import CropSet
from morpholaw.evaluation.cross_validation import CrossValidation, Fold
from morpholaw.figures.palette import class_colours
from morpholaw.store import classifiers
from morpholaw.store.baseline_record import baselines
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.cross_validation import keep
from morpholaw.store.cross_validation_record import CrossValidationRecord
from morpholaw.study import Study
from morpholaw.widgets.classify.panel import ClassifyWidget
from morpholaw.widgets.study.cell_scores import CellScores
from morpholaw.widgets.study.current_study import NO_STUDY, CurrentStudy

MOVIE = CropOrigin(kind="movie", movie=MovieSource(name="movie", shape=(40, 100, 100), dtype="uint8"))
pytestmark = pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")


@pytest.fixture
def tracked_study(trained_study):
    """The trained study whose crops are 12 tracks of 20 frames in a movie of 100 x 100 pixels; 0 divides."""
    study = Study.open(trained_study)
    cells = study.crops.cells.drop(columns=["set", "index"])
    cells["track_id"], cells["t"] = np.repeat(np.arange(12), 20), np.tile(np.arange(20), 12)
    cells["y"], cells["x"] = 8.0 * cells["track_id"], 4.0 * cells["t"]
    cells["t"] += np.where(np.isin(cells["track_id"], [1, 2]), 20, 0)
    cells["parent"] = np.where(np.isin(cells["track_id"], [1, 2]), 0, -1)
    images = np.array(study.crops[:])
    shutil.rmtree(trained_study / "crops")
    shutil.rmtree(trained_study / "latents")
    CropSet.write(study.new_set_folder("movie"), images, cells, MOVIE)
    return trained_study


def test_the_table_shows_the_trained_schemes(panel, trained_study):
    widget = panel(ClassifyWidget)
    assert widget.labelled.text() == NO_STUDY
    widget.current.open(trained_study)
    table = widget.table
    rows = [[table.item(row, column).text() for column in range(4)] for row in range(table.rowCount())]
    assert [row[0] for row in rows[:3]] == ["2 dense (2)", "3 sparse (2)", "4 hinge (2)"]
    assert all(re.fullmatch(r"[\d.]+ \([\d.]+–[\d.]+\)", row[1]) for row in rows)
    weights = ClassifierRecord.read(trained_study / "classifiers" / "scheme2").head_weights
    assert rows[0][2] == str(weights[0])
    assert rows[2][2] == "n/a"
    assert "120 interphase, 120 metaphase" in widget.labelled.text()


def test_baselines_stand_below_the_schemes_and_are_not_chosen(panel, trained_study, qtbot):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    table, measured = widget.table, baselines(Study.open(trained_study))
    assert [table.item(row, 0).text() for row in (3, 4)] == ["regression", "small tree"]
    for row, one in zip((3, 4), measured, strict=True):
        accuracy = f"{100 * one.accuracy.value:.1f}".replace("100.0", "100")
        assert table.item(row, 1).text().startswith(f"{accuracy} (")
    table.setCurrentCell(0, 0)
    before = table.chosen
    qtbot.mouseClick(
        table.viewport(), Qt.MouseButton.LeftButton, pos=table.visualItemRect(table.item(3, 1)).center()
    )
    assert table.chosen in (before, None)
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        widget.compare_button.click()
    assert re.fullmatch(r"\d+ %", table.item(4, 4).text())
    assert "regression" in table.item(0, 4).toolTip()


def test_training_a_scheme_adds_its_row(panel, labelled_study, qtbot):
    widget = panel(ClassifyWidget, show=True)  # figures are drawn when they are seen
    widget.current.open(labelled_study)
    widget.scheme.setCurrentIndex(0)
    assert widget.form.editors["epochs"].value == 16
    assert not widget.form.editors["sparsity"].native.isVisibleTo(widget.form.advanced)
    widget.form.editors["models"].value = 1
    widget.form.editors["epochs"].value = 1
    widget.form.editors["epoch_cells"].value = 0  # each cell once, not 7200
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        widget.train_button.click()
    assert widget.table.rowCount() == 3  # the scheme and two baselines
    assert widget.table.chosen.scheme == 1
    assert widget.table.chosen.members == 1
    qtbot.waitUntil(lambda: widget.confusion.matrix.canvas is not None, timeout=10_000)


def test_trained_models_are_not_replaced_unasked(panel, trained_study, monkeypatch):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    questions = []

    def refuse(parent, title, question):
        questions.append(question)
        return QMessageBox.StandardButton.No

    monkeypatch.setattr(QMessageBox, "question", refuse)
    widget.train_button.click()  # scheme 3 is chosen at the start
    assert not widget.runner.running
    assert "The 2 trained models of scheme 3: sparse head" in questions[0]


def test_a_scheme_is_cross_validated_and_the_study_keeps_the_result(panel, trained_study, qtbot):
    widget = panel(ClassifyWidget, show=True)
    widget.current.open(trained_study)
    part = widget.validation
    assert not part.accuracy.isVisible()
    widget.scheme.setCurrentIndex(1)
    for name, value in {"models": 1, "epochs": 2, "epoch_cells": 0}.items():
        widget.form.editors[name].value = value
    part.folds.setValue(2)
    before = [path.stat().st_mtime_ns for path in (trained_study / "classifiers").rglob("model.json")]
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        part.button.click()
    assert "2 of 2 folds are tested" in widget.runner.status.text()
    assert "on 240 cells of" in part.accuracy.text()
    assert "Scheme 2: dense head: " in part.accuracy.text()
    assert "Measured shapes + small tree: " in part.accuracy.text()
    assert part.groups.rowCount() == Study.open(trained_study).crops.cells["group"].nunique()
    shares = [part.groups.cell(row, 2).number for row in range(part.groups.rowCount())]
    assert shares == sorted(shares)
    assert part.shown.matrix()[1].sum() == 240
    assert [path.stat().st_mtime_ns for path in (trained_study / "classifiers").rglob("model.json")] == before
    shown = part.accuracy.text()
    again = panel(ClassifyWidget, show=True)
    again.current.open(trained_study)
    assert again.validation.accuracy.text() == shown
    (trained_study / "cross_validation" / "scheme2-confusion.csv").write_text("classifier,class\n")
    again.validation.refresh()
    assert "cross-validate again" in again.error_line.text()
    assert not again.validation.accuracy.isVisible()


def test_results_with_other_settings_are_listed_and_a_stopped_one_says_how_to_continue(panel, trained_study):
    cells = np.arange(4)
    result = CrossValidation(np.array(list("abcd")), np.array([0, 1, 0, 1]), classes=("x", "y"))
    result.add("scheme2", Fold(1, 1, cells, cells[:2]), np.array([[0, 1]]))
    study = Study.open(trained_study)
    of = {"scheme": 2, "classes": ("x", "y"), "prevalence": 0.02}
    keep(study, result, CrossValidationRecord(**of, folds=1, settings={"epochs": 7}))
    keep(study, result, CrossValidationRecord(**of, folds=2))
    widget = panel(ClassifyWidget, show=True)
    widget.current.open(trained_study)
    part = widget.validation
    assert [part.choice.itemText(place) for place in range(part.choice.count())] == [
        "Scheme 2: dense head, stopped, 2 folds, x and y",
        "Scheme 2: dense head, 1 fold, epochs 7, x and y",
    ]
    assert "Stopped after 1 of 2 folds" in part.accuracy.text()
    assert "again with the settings below to continue" in part.accuracy.text()
    part.choice.setCurrentIndex(1)
    assert "Stopped" not in part.accuracy.text()
    assert "Settings: 1 fold, epochs 7." in part.accuracy.text()
    assert "The encoder was not trained again" in part.accuracy.text()
    keep(study, result, CrossValidationRecord(**of, folds=1, inputs="shapes"))  # which reads no encoder
    part.refresh(newest=True)
    assert "encoder" not in part.accuracy.text()


def test_rows_that_cannot_be_compared_are_said(panel, trained_study):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    assert widget.doubts.text() == ""
    place = trained_study / "classifiers" / "scheme2"
    record = ClassifierRecord.read(place)
    record.model_copy(update={"classes": ("interphase", "anaphase")}).write(place / "model.json")
    widget.show_classifiers()
    assert "tell different classes apart" in widget.doubts.text()
    evaluation = record.evaluation.model_copy(update={"split": "0123456789ab"})
    record.model_copy(update={"evaluation": evaluation}).write(place / "model.json")
    widget.show_classifiers()
    assert "tested on different cells" in widget.doubts.text()


def test_a_classifier_that_does_not_beat_guessing_is_marked_below_the_table(panel, trained_study):
    place = trained_study / "classifiers" / "scheme2"
    record = ClassifierRecord.read(place)
    guess = replace(record.evaluation.balanced_interval, value=0.55, low=0.4, high=0.7)
    evaluation = record.evaluation.model_copy(update={"balanced_interval": guess})
    record.model_copy(update={"evaluation": evaluation}).write(place / "model.json")
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    assert "The classifier scheme2 is not significantly better than guessing." in widget.doubts.text()
    assert not widget.doubts.isHidden()


def test_a_run_that_failed_leaves_no_scores_to_the_next_one(panel, trained_study, qtbot):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    widget.table.selectRow(0)
    weights = next((trained_study / "classifiers" / "scheme2").glob("weights-*"))
    kept = weights.read_bytes()
    weights.write_bytes(b"")
    with qtbot.waitSignal(widget.runner.failed, timeout=120_000):
        widget.apply_scores.apply_button.click()
    weights.write_bytes(kept)
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        widget.compare_button.click()
    assert widget.apply_scores.table is None


def test_a_class_has_the_same_colour_in_all_panels():
    every = ["healthy", "dying", "dead"]
    colours = class_colours(every)
    assert class_colours(["dead", "dying"], among=every) == {
        name: colours[name] for name in ("dead", "dying")
    }


def test_what_is_missing_is_said(panel, labelled_study, tmp_path):
    widget = panel(ClassifyWidget)
    widget.train_button.click()
    assert "No study is open" in widget.train_error.text()
    widget.current.create(tmp_path / "empty")
    widget.train_button.click()
    assert "no crops" in widget.train_error.text()
    widget.current.open(labelled_study)
    widget.train_button.click()  # scheme 3 is chosen at the start
    assert "needs an encoder" in widget.train_error.text()
    widget.form.editors["learning_rate"].native.setText("quick")
    widget.scheme.setCurrentIndex(0)
    widget.train_button.click()
    assert "Learning rate" in widget.form.error
    widget.apply_scores.apply_button.click()
    assert "no classifier to apply" in widget.apply_scores.error_line.text()
    shutil.rmtree(labelled_study)
    widget.train_button.click()
    assert "moved or deleted" in widget.train_error.text()


def test_a_head_over_shapes_needs_no_encoder(panel, labelled_study, monkeypatch):
    widget, started = panel(ClassifyWidget), []
    monkeypatch.setattr(widget.runner, "start", lambda job, **_: started.append(job))
    widget.current.open(labelled_study)
    widget.form.editors["inputs"].value = "shapes"
    widget.train_button.click()  # scheme 3 is chosen at the start
    assert widget.train_error.text() == ""
    assert [job.step for job in started] == ["train_classifier"]


def test_applying_scores_colours_the_layers_and_exports(panel, tracked_study, qtbot, tmp_path):
    widget = panel(ClassifyWidget, show=True)  # figures are drawn when they are seen
    viewer = widget.viewer
    study = widget.current.open(tracked_study)
    image = viewer.add_image(np.zeros((40, 100, 100), np.uint8))
    cells = study.crops.cells
    tracks = viewer.add_tracks(cells[["track_id", "t", "y", "x"]].to_numpy(float), graph={1: [0], 2: [0]})
    apply = widget.apply_scores
    assert (apply.image.layer, apply.tracks.layer) == (image, tracks)
    widget.table.selectRow(1)
    apply.along.setChecked(False)  # these tracks are labels in any order, and no cell's life
    with qtbot.waitSignal(apply.scored, timeout=120_000):
        apply.apply_button.click()
    assert "frame_class" not in apply.table
    assert tracks.color_by == "score"
    assert set(tracks.features["class"]) == {0, 1}
    points = viewer.layers["scheme 3: sparse head scores"]
    points.selected_data = {5, 7}  # as with napari's tool for points
    assert widget.current.selection == [5, 7]
    assert len(points.data) == 240
    truth = np.where(cells["label"] == "metaphase", 1, 0)
    assert np.mean((points.features["class"] == "metaphase") == truth) > 0.7
    assert apply.divisions == {0: [20], 1: [20], 2: [20]}
    apply.clicked(np.array([3.0, 0.0, 12.0]))  # track 0 in frame 3
    qtbot.waitUntil(lambda: apply.plot.canvas is not None, timeout=10_000)
    axes = apply.plot.canvas.figure.axes[0]
    assert axes.get_title() == "Track 0"
    assert any(list(line.get_xdata()) == [20, 20] for line in axes.lines)
    cell = int(np.flatnonzero((cells["track_id"] == 0) & (cells["t"] == 7))[0])
    column, row = apply.plot.place_of(cell)
    place = QPoint(round(column), round(row))
    qtbot.mouseClick(apply.plot.surface, Qt.MouseButton.LeftButton, pos=place)
    assert widget.current.selection == apply.plot.selected == [cell]
    assert viewer.dims.point[0] == 7
    apply.export(tmp_path / "scores.csv")
    saved = pd.read_csv(tmp_path / "scores.csv")
    np.testing.assert_allclose(saved["score"], apply.table["score"], rtol=1e-6)


def test_the_track_has_its_say_unless_it_is_unticked(panel, tracked_study, qtbot, tmp_path):
    widget = panel(ClassifyWidget, show=True)
    widget.current.open(tracked_study)
    apply = widget.apply_scores
    widget.table.selectRow(1)
    assert apply.along.isChecked()
    with qtbot.waitSignal(apply.scored, timeout=120_000):
        apply.apply_button.click()
    signs = np.where(apply.table["score"] >= 0, "metaphase", "interphase")
    assert apply.table["frame_class"].tolist() == signs.tolist()
    assert 0 < (apply.table["class"] != apply.table["frame_class"]).sum() < 240
    apply.show_track(1)
    qtbot.waitUntil(lambda: apply.plot.canvas is not None, timeout=10_000)
    assert len(apply.plot.canvas.figure.axes[0].collections[-1].get_offsets()) == 20
    assert apply.export_button.isEnabled()
    widget.current.create(tmp_path / "other")  # the scores say nothing about this study
    assert apply.plot.canvas is None
    assert not apply.export_button.isEnabled()
    assert widget.runner.status.isHidden()


def test_blank_cells_are_said_to_be_unlike_the_training_cells(panel, trained_study, qtbot):
    study = Study.open(trained_study)
    blank = np.zeros((5, 64, 64), np.uint8)
    CropSet.write(
        study.new_set_folder("odd"), blank, pd.DataFrame(index=range(5)), CropOrigin(kind="simulated")
    )
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    apply = widget.apply_scores
    apply.cells.setCurrentText("odd")
    apply.share.setValue(2.0)
    with qtbot.waitSignal(apply.scored, timeout=120_000):
        apply.apply_button.click()
    assert "5 of 5 cells (100.0 %) are unlike the training cells" in apply.unusual.text()
    assert "check the pixel size, channel, focus and exposure" in apply.unusual.text()
    assert apply.table["unusual"].all()
    equal = study.classify(widget.table.chosen.name, crops=study.crop_set("odd"), along_tracks=True)
    assert (apply.table["class"] == equal["class"]).all()
    assert not np.allclose(
        apply.table["probability"], equal["probability"]
    )  # at the stated share of metaphases


def test_tracks_of_another_movie_are_said_and_the_rest_is_shown(panel, tracked_study, qtbot):
    widget = panel(ClassifyWidget)
    widget.current.open(tracked_study)
    widget.viewer.add_tracks(np.array([[500, 0, 1, 1], [500, 1, 1, 1]], float), name="another")
    with qtbot.waitSignal(widget.apply_scores.scored, timeout=120_000):
        widget.apply_scores.apply_button.click()
    assert "another movie" in widget.apply_scores.error_line.text()
    assert widget.apply_scores.table is not None


def test_scores_of_crops_from_elsewhere_never_reach_the_movie(panel, trained_study, qtbot):
    widget = panel(ClassifyWidget)
    study = widget.current.open(trained_study)
    cells = study.crops.cells.drop_duplicates(["track_id", "t"])  # the same numbers, by chance
    tracks = widget.viewer.add_tracks(cells[["track_id", "t", "y", "x"]].to_numpy(float))
    with qtbot.waitSignal(widget.apply_scores.scored, timeout=120_000):
        widget.apply_scores.apply_button.click()
    assert "were not cut from a movie" in widget.apply_scores.error_line.text()
    assert "score" not in tracks.features
    assert len(widget.viewer.layers) == 1


def test_scores_of_layers_need_a_movie_and_its_tracks(panel, trained_study):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    apply = widget.apply_scores
    apply.cells.setCurrentIndex(apply.cells.count() - 1)
    apply.apply_button.click()
    assert "There is no image layer" in apply.error_line.text()
    widget.viewer.add_image(np.zeros((3, 50, 50), np.uint8))
    apply.apply_button.click()
    assert "There are no tracks" in apply.error_line.text()
    assert not widget.runner.running


def test_a_movie_that_is_no_file_is_scored_too(panel, trained_study, qtbot):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    movie = np.random.default_rng(0).normal(100, 3, (3, 120, 160)).clip(0).astype(np.uint16)
    movie[:, 40:60, 70:90] += 400
    widget.viewer.add_image(movie)
    widget.viewer.add_tracks(np.array([[4, t, 50, 80] for t in range(3)], float))
    apply = widget.apply_scores
    apply.cells.setCurrentIndex(apply.cells.count() - 1)
    with qtbot.waitSignal(apply.scored, timeout=120_000):
        apply.apply_button.click()
    assert apply.table[["track_id", "t"]].to_numpy().tolist() == [[4, 0], [4, 1], [4, 2]]
    assert set(widget.viewer.layers[1].features["class"]) <= {0, 1}


@pytest.mark.parametrize(("shape", "sentence"), [((100, 100), "a movie"), ((4, 3, 50, 50), "a movie")])
def test_an_image_that_is_no_movie_is_refused(panel, trained_study, shape, sentence):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    widget.viewer.add_image(np.zeros(shape, np.uint8), name="other")
    widget.apply_scores.cells.setCurrentIndex(widget.apply_scores.cells.count() - 1)
    widget.apply_scores.apply_button.click()
    assert sentence in widget.apply_scores.error_line.text()
    assert not widget.runner.running


def test_schemes_are_compared_by_their_predictions(panel, trained_study, qtbot):
    widget = panel(ClassifyWidget)
    widget.current.open(trained_study)
    assert widget.table.isColumnHidden(4)  # an empty column would cut the names of the schemes
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        widget.compare_button.click()
    assert not widget.table.isColumnHidden(4)
    shares = [widget.table.item(row, 4).text() for row in range(3)]
    assert all(0 < float(share.split()[0]) <= 100 for share in shares)
    assert "with scheme 3" in widget.table.item(0, 4).toolTip()


def test_every_panel_of_a_viewer_follows(panel, trained_study, qtbot):
    widget = panel(ClassifyWidget)
    other = ClassifyWidget(widget.viewer)
    qtbot.addWidget(other)
    CurrentStudy.of(widget.viewer).open(trained_study)
    assert other.table.rowCount() == widget.table.rowCount() == 5  # three schemes and two baselines


def test_opening_the_panel_loads_no_torch():
    import subprocess
    import sys

    code = (
        "import sys, morpholaw.widgets.classify.panel, morpholaw.widgets.study.current_study;"
        "assert not {'torch', 'matplotlib.pyplot'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_field_of_the_confusions_shows_and_selects_its_cells(panel, tracked_study, qtbot):
    widget = panel(ClassifyWidget, show=True)
    widget.current.open(tracked_study)
    record, crops = widget.table.chosen, widget.current.crops
    # here rather than in a process of its own, which takes seconds
    table = widget.current.study.classify(record.name)
    widget.current.add_scores(CellScores.of_table(record, table, crops))
    matrix = widget.confusion.matrix
    qtbot.waitUntil(lambda: matrix.drawing is not None, timeout=30_000)
    column, row = matrix.place_of(3)  # metaphase predicted as metaphase
    with qtbot.waitSignal(widget.confusion.selected, timeout=10_000):
        qtbot.mouseClick(matrix.surface, Qt.MouseButton.LeftButton, pos=QPoint(round(column), round(row)))
    selected = widget.current.selection
    assert len(selected) == record.evaluation.confusion[1][1] > 0
    assert set(widget.current.labels[selected]) == {"metaphase"}
    assert matrix.selected == [3]
    pictures = widget.confusion.crops
    qtbot.mouseClick(pictures, Qt.MouseButton.LeftButton, pos=pictures.place_of(0, 1).center())
    assert widget.current.selection == [selected[1]]
    widget.current.select([])
    assert matrix.selected == []
    widget.current.select(selected[:2])  # as in another panel
    assert matrix.selected == [3]


def test_of_several_classes_what_is_found_of_each_is_a_table(panel, phases_study):
    widget = panel(ClassifyWidget)
    record = classifiers.record(phases_study, "scheme2")
    widget.confusion.show_record(record)
    texts = re.findall(r"<t[hd].*?>(.*?)</t", widget.confusion.shares.text())
    assert texts[4::4] == list(record.classes)
    recall = record.evaluation.by_class[1].recall.value
    assert texts[10].startswith(f"{100 * recall:.0f} (")


def test_the_confusions_say_whose_cells_they_count_and_forget_what_was_selected(panel, tracked_study):
    widget = panel(ClassifyWidget)
    widget.current.open(tracked_study)
    confusion, record = widget.confusion, widget.confusion.record
    assert confusion.hint.text().startswith("Held-out cells by")
    confusion.hint.setText("Selected: 12 cells.")
    confusion.show_record(record.model_copy(update={"trained_elsewhere": True}))
    assert "of the study that the classifier comes from" in confusion.hint.text()
    assert "Selected" not in confusion.hint.text()


def test_the_empty_line_of_classes_says_which_are_told_apart(panel, phases_study):
    widget = panel(ClassifyWidget)
    widget.current.open(phases_study.path)
    line = widget.form.editors["classes"].native
    assert line.placeholderText() == "interphase, metaphase (all: 4 classes)"
    widget.form.editors["classes"].value = ("anaphase", "metaphase")
    widget.current.close()  # another study may not have these classes
    assert widget.form.values() == {}
