"""The Latents panel: an encoder is trained, stopped, resumed and loaded; its latents are moved and named."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

from morpholaw.events import Metrics
from morpholaw.models.symmetry import kinds
from morpholaw.study import Study
from morpholaw.widgets.jobs.step_run import StepRun
from morpholaw.widgets.jobs.window_steps import WindowSteps
from morpholaw.widgets.latents.latent_space import decode, grid_of, read_latent_space, start_of
from morpholaw.widgets.latents.latent_table import KINDS, NAME
from morpholaw.widgets.latents.panel import LatentsWidget
from morpholaw.widgets.latents.training_plot import TrainingPlot, end_labels
from morpholaw.widgets.pictures.picture_grid import grey_tiles, white_of
from morpholaw.widgets.study.current_study import NO_STUDY
from morpholaw.widgets.study.encoder_state import EncoderFile
from morpholaw.widgets.study.presets import PRESETS
from morpholaw.widgets.study.way_to_law import PLACE

TINY = {
    "latents": 4, "filters": (2, 2, 4, 4), "hidden": 8, "batch_size": 32, "device": "cpu", "threads": 1,
}  # fmt: skip


@pytest.fixture
def widget(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    widget = LatentsWidget(viewer)
    viewer.window.add_dock_widget(widget, area="right")
    yield widget
    widget.encoder.runner.close_down()
    settle(widget.traversals, qtbot)


def settle(panel, qtbot):
    calls = (panel.call, panel.start_call, panel.image_call, panel.draw_call, panel.layer_call)
    qtbot.waitUntil(lambda: not any(call.running for call in calls), timeout=60_000)


@pytest.fixture
def traversals(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    return show_traversals(widget, qtbot)


def show_traversals(widget, qtbot):
    widget.tabs.setCurrentWidget(widget.traversals)
    qtbot.waitUntil(lambda: not widget.traversals.pictures.empty, timeout=60_000)
    settle(widget.traversals, qtbot)
    return widget.traversals


def losses_seen(qtbot, runner):
    seen = []
    runner.reported.connect(seen.append)
    qtbot.waitUntil(lambda: any(isinstance(event, Metrics) for event in seen), timeout=60_000)


# ---- the encoder


def test_train_shows_losses_and_pictures_and_keeps_the_encoder(widget, labelled_study, qtbot):
    panel = widget.encoder
    widget.current.open(labelled_study)
    assert "no encoder yet" in panel.state.text()
    panel.form.set_values({**TINY, "epochs": 1, "epoch_crops": 640})
    with qtbot.waitSignal(panel.runner.finished, timeout=60_000):
        panel.train_button.click()
        assert not panel.train_button.isEnabled()
        assert panel.state.text() == "The encoder is being trained; its losses are shown below."
    assert widget.current.study.has_encoder
    assert (
        panel.state.text() == "Encoder of 4 latents, trained on 178 crops."
    )  # those of test groups are left out
    assert panel.plot.steps[-1] == 20
    assert all(np.isfinite(values).all() for values in panel.plot.values.values())
    assert panel.strip.tiles.shape == (2, 8, 64, 64, 3)
    assert panel.strip.tiles[0].std() > 0
    assert not panel.resume_button.isEnabled()
    assert panel.train_button.isEnabled()


def test_an_encoder_that_started_from_a_missing_folder_can_be_trained_again(widget, labelled_study):
    study = Study.open(labelled_study)
    study.load_encoder("sample")  # trained on another computer, from an encoder in a folder there
    start = study.encoder_record.config.start_from
    assert start not in ("auto", "none", "sample")
    widget.current.open(labelled_study)
    form = widget.encoder.form
    assert form.editors["start_from"].value == "auto"
    assert form.editors["beta"].value == study.encoder_record.config.beta


def test_stop_keeps_the_model_and_resume_goes_on_from_it(widget, labelled_study, qtbot):
    panel = widget.encoder
    widget.current.open(labelled_study)
    panel.form.set_values({**TINY, "epochs": 30, "epoch_crops": 3200})
    panel.train_button.click()
    losses_seen(qtbot, panel.runner)
    with qtbot.waitSignal(panel.runner.finished, timeout=20_000):
        panel.runner.stop_button.click()
    assert widget.current.study.has_encoder
    assert "can be resumed" in panel.state.text()
    stopped = panel.plot.steps[-1]
    panel.form.set_values({"epochs": 1})  # what the form says now is not what was trained
    panel.resume_button.click()
    assert panel.form.values()["epochs"] == 30
    losses_seen(qtbot, panel.runner)
    assert stopped in panel.plot.steps  # the curves of before stay
    assert panel.plot.steps[-1] > stopped
    with qtbot.waitSignal(panel.runner.finished, timeout=20_000):
        panel.runner.stop_button.click()


def test_a_training_on_the_way_to_a_law_is_shown_and_cannot_be_started_twice(
    widget, labelled_study, trained_study, monkeypatch
):
    def start(steps, place, job, name, python, **_):
        run = steps._new(place, StepRun(name, job, python, steps, study=job.study))
        steps.begun.emit(place)
        return run

    monkeypatch.setattr(WindowSteps, "start", start)
    panel, current = widget.encoder, widget.current
    current.open(labelled_study)
    current.way.start(PRESETS[1])
    assert "is being trained" in panel.state.text()
    assert not panel.train_button.isEnabled()
    assert not panel.form.isVisible()
    run = current.steps.at(PLACE)
    run.reported.emit(Metrics(7, {"reconstruction": 2.0}))
    assert panel.plot.steps == [7]
    again = LatentsWidget(widget.viewer)  # opened while it trains
    assert again.encoder.state.text() == panel.state.text()
    current.open(trained_study)
    kept = list(panel.plot.steps)
    run.reported.emit(Metrics(8, {"reconstruction": 1.0}))  # of the other study
    assert panel.plot.steps == kept
    assert panel.train_button.isEnabled()
    current.open(labelled_study)
    assert "is being trained" in panel.state.text()
    run.state = "stopped"
    run.ended.emit(run)
    assert "no encoder yet" in panel.state.text()
    assert panel.train_button.isEnabled()
    again.deleteLater()


def test_a_trained_encoder_shows_its_losses_without_torch(trained_study):
    script = (
        "import sys, napari\n"
        "from morpholaw.widgets.latents.panel import LatentsWidget\n"
        "from morpholaw.widgets.perturb.panel import PerturbWidget\n"
        "from napari.components import ViewerModel\n"
        "from qtpy.QtWidgets import QApplication\n"
        "app = QApplication([])\n"
        "viewer = ViewerModel()\n"
        "latents, perturb = LatentsWidget(viewer), PerturbWidget(viewer)\n"
        f"latents.current.open({str(trained_study)!r})\n"
        "assert latents.encoder.plot.steps and perturb.choice.classifier is not None\n"
        "print('torch' in sys.modules, 'matplotlib' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert told.stdout.split() == ["False", "False"], told.stderr


def test_load_takes_over_another_studys_encoder(widget, labelled_study, trained_study, qtbot):
    panel = widget.encoder
    widget.current.open(labelled_study)
    told = []
    widget.current.encoder_changed.connect(lambda: told.append(True))
    with qtbot.waitSignal(panel.runner.finished, timeout=60_000):
        panel.load(trained_study)
    assert widget.current.study.encoder.latents == 6
    assert told
    assert panel.plot.steps


def test_loading_what_is_no_encoder_says_so(widget, labelled_study, tmp_path, qtbot):
    widget.current.open(labelled_study)
    with qtbot.waitSignal(widget.encoder.runner.failed, timeout=60_000):
        widget.encoder.load(tmp_path)
    assert str(tmp_path) in widget.encoder.runner.error_line.text()
    assert widget.encoder.train_button.isEnabled()


def test_replacing_an_encoder_asks_first(widget, trained_study, monkeypatch):
    monkeypatch.setattr(QMessageBox, "question", lambda *_: QMessageBox.StandardButton.No)
    widget.current.open(trained_study)
    widget.encoder.train_button.click()
    widget.encoder.sample_button.click()
    assert not widget.encoder.runner.running


def test_bad_input_is_a_sentence(widget, labelled_study, tmp_path):
    panel = widget.encoder
    assert not panel.train_button.isEnabled()
    assert panel.state.text() == NO_STUDY
    panel.train()
    assert "No study is open" in widget.error_line.text()
    widget.current.create(tmp_path / "empty")
    panel.train_button.click()
    assert "no crops yet" in widget.error_line.text()
    widget.current.open(labelled_study)
    panel.form.editors["beta"].native.setText("six")
    panel.train_button.click()
    assert "Total correlation (β)" in widget.error_line.text()
    assert "Total correlation (β)" in panel.form.error
    panel.form.set_values({})
    shutil.rmtree(labelled_study)
    panel.train_button.click()
    assert "no longer exists" in widget.error_line.text()
    assert not panel.runner.running


def test_a_resumed_training_replaces_the_steps_it_does_again(qtbot):
    plot = TrainingPlot()
    qtbot.addWidget(plot)
    for step in (10, 20, 30, 25, 35):
        plot.add(step, {"reconstruction": step})
    assert plot.steps == [10, 20, 25, 35]
    assert plot.values["reconstruction"] == plot.steps
    assert np.isnan(plot.values["total correlation"]).all()
    plot.show()
    assert plot.grab().toImage().allGray() is False


@pytest.mark.parametrize(("high", "low"), [(10.08, 10.06), (1234.5, 1234.4), (0.5, 0.1)])
def test_both_ends_of_a_loss_curve_are_labelled_with_different_numbers(high, low):
    top, bottom = end_labels(high, low)
    assert float(top) > float(bottom)


# ---- the latents


def test_latents_are_ranked_by_activity_and_any_column_sorts(traversals):
    table = traversals.table
    assert table.rowCount() == 6
    order = [table.latent(row) for row in range(6)]
    assert order == list(traversals.space.summary.ranking["latent"])
    assert table.picks == order
    column = 3  # area
    table.sortByColumn(column, Qt.SortOrder.DescendingOrder)
    strengths = [
        abs(float(table.item(row, column).text().strip("U ").replace("\u2212", "-"))) for row in range(6)
    ]
    assert strengths == sorted(strengths, reverse=True)


def test_a_latent_says_how_it_turns_with_the_cell_where_its_encoder_was_asked_to(traversals, trained_study):
    table = traversals.table
    tips = {latent: table.item(table.row_of(latent), 0).toolTip() for latent in range(6)}
    assert tips[0].startswith("Latent z0 stays the same")
    assert tips[5] == f"Latent z5 {KINDS[kinds(6)[5]]}."
    record = Study(trained_study).encoder_record
    config = record.config.model_copy(update={"symmetry": False})
    record.model_copy(update={"config": config}).write(trained_study / "encoder" / "model.json")
    assert read_latent_space(EncoderFile.of(Study(trained_study))).kinds == ()


def test_a_slider_decodes_at_once(traversals, qtbot):
    latent, slider = next(iter(traversals.sliders.sliders.items()))
    before = traversals.pictures.tiles.copy()
    assert (before[0, 0] == before[0, 1]).all()  # nothing has moved yet
    began = time.perf_counter()
    slider.setValue(2.5)
    assert time.perf_counter() - began < 0.05  # the window does not wait for the picture
    settle(traversals, qtbot)
    assert time.perf_counter() - began < 0.5  # some 10 ms on a quiet machine
    after = traversals.pictures.tiles
    assert (after[0, 0] == before[0, 0]).all()
    assert (after[0, 1] != before[0, 1]).any()
    expected = decode(traversals.space.file, traversals.sliders.point)
    assert traversals.sliders.point[latent] == pytest.approx(2.5)
    assert (after[0, 1] == grey_tiles(expected[None], high=white_of(traversals._start.decoded))[0]).all()
    traversals.reset_button.click()
    settle(traversals, qtbot)
    assert slider.value() == pytest.approx(traversals.space.summary.median[latent], abs=0.01)
    assert (traversals.pictures.tiles == before).all()


def test_ticking_a_latent_gives_it_a_slider(traversals):
    traversals.table.pick([2])
    assert list(traversals.sliders.sliders) == [2]
    traversals.table.item(traversals.table.row_of(4), 0).setCheckState(Qt.CheckState.Checked)
    assert set(traversals.sliders.sliders) == {2, 4}


def test_traversals_start_from_the_selected_cell(traversals, qtbot):
    traversals.start_box.setCurrentIndex(1)
    assert "No cell is selected" in traversals.error_line.text()
    traversals.current.select([7])
    settle(traversals, qtbot)
    crop = np.asarray(traversals.current.crops[7])
    expected = start_of(traversals.space.file, crop, traversals.space.summary.median).base
    assert traversals.sliders.point == pytest.approx(expected, abs=0.01)
    assert traversals.sliders.base == pytest.approx(expected)


def test_a_reconstruction_is_shown_beside_the_crop_it_comes_from(traversals, qtbot):
    assert traversals.pictures.column_names == ["median cell", "moved", "difference"]
    traversals.current.select([7])
    traversals.start_box.setCurrentText("selected cell")
    settle(traversals, qtbot)
    assert traversals.pictures.column_names == ["crop", "reconstruction", "moved", "difference"]
    crop = np.asarray(traversals.current.crops[7]) / np.float32(255)
    shown = grey_tiles(crop, high=white_of(traversals._start.decoded))
    assert (traversals.pictures.tiles[0, 0] == shown).all()


def test_a_name_typed_in_the_table_is_used_everywhere(widget, traversals):
    told = []
    widget.current.names_changed.connect(lambda: told.append(True))
    row = traversals.table.row_of(3)
    traversals.table.item(row, NAME).setText("elongation")
    assert widget.current.study.latent_names == {3: "elongation"}
    assert traversals.sliders.labels[3].text() == "elongation"
    assert told
    traversals.table.item(traversals.table.row_of(3), NAME).setText("")
    assert widget.current.study.latent_names == {}
    assert traversals.sliders.labels[3].text() == "z3"


def test_suggested_names_leave_given_ones_alone(widget, traversals):
    suggested = traversals.table.suggestions
    assert suggested
    kept = next(iter(suggested))
    traversals.name(kept, "mine")
    traversals.names_button.click()
    assert widget.current.study.latent_names == {**suggested, kept: "mine"}


def test_a_latent_without_a_suggestion_says_so(traversals):
    table = traversals.table
    table._summary = replace(table._summary, suggestions={})
    table.show_names({1: "mine"})
    tips = {table.latent(row): table.item(row, NAME).toolTip() for row in range(table.rowCount())}
    assert tips[0].startswith("No name is suggested")
    assert tips[1].startswith("Double-click to edit")


def test_the_grid_is_drawn_and_added_beside_the_other_layers(widget, traversals, qtbot):
    viewer = widget.viewer
    viewer.add_image(np.zeros((3, 40, 50)), name="movie")
    traversals.table.pick([0, 1, 2])
    traversals.figure.show()
    traversals.grid_button.click()
    traversals.layer_button.click()
    settle(traversals, qtbot)
    layer = viewer.layers["traversals"]
    assert layer.data.shape == (3 * 64, 7 * 64)
    assert layer.translate[-1] > 49
    assert layer.metadata["morpholaw"]["latents"] == traversals.table.picks
    median = traversals.space.summary.median
    row = grid_of(traversals.space.file, median, traversals.table.picks[:1], (-3.0,)).pictures[0, 0]
    assert layer.data[:64, :64] == pytest.approx(row, abs=1e-6)
    traversals.table.pick([])
    traversals.layer_button.click()
    assert "No latent is ticked" in traversals.error_line.text()


def test_without_an_encoder_the_tab_says_so(widget, labelled_study):
    widget.tabs.setCurrentWidget(widget.traversals)
    assert "No study is open" in widget.traversals.state.text()
    widget.current.open(labelled_study)
    assert "Train or load an encoder" in widget.traversals.state.text()
    assert not widget.traversals.grid_button.isEnabled()


def test_a_damaged_encoder_is_a_sentence(widget, trained_study, qtbot):
    next((trained_study / "encoder").glob("weights-*.safetensors")).write_bytes(b"nothing")
    widget.current.open(trained_study)
    widget.tabs.setCurrentWidget(widget.traversals)
    qtbot.waitUntil(lambda: "damaged" in widget.error_line.text(), timeout=60_000)
    assert widget.traversals.space is None
