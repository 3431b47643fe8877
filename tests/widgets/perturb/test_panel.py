"""The Perturb panel: cells under attack, live, over their place in the movie; the curve of the study."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt

from morpholaw.cells.shape_features import Feature
from morpholaw.cells.simulator import simulate_movie
from morpholaw.config import SimulateConfig
from morpholaw.figures.style import LIGHT
from morpholaw.interpretation.interventions import NAMES
from morpholaw.models.features import ModelColumns
from morpholaw.study import Study
from morpholaw.widgets.movie.movie_place import crop_at, place_of
from morpholaw.widgets.perturb.overlay_layers import KINDS
from morpholaw.widgets.perturb.panel import PerturbWidget
from morpholaw.widgets.study.current_study import NO_STUDY


@pytest.fixture
def widget(make_napari_viewer, qtbot):
    viewer = make_napari_viewer()
    widget = PerturbWidget(viewer)
    viewer.window.add_dock_widget(widget, area="right")
    yield widget
    widget.attack.runner.close_down()
    widget.surroundings.runner.close_down()
    qtbot.waitUntil(lambda: not busy(widget), timeout=60_000)


@pytest.fixture(scope="module")
def movie():
    return simulate_movie(SimulateConfig(frames=3, cells=8, height=160, width=200, seed=1))


@pytest.fixture
def movie_study(trained_study, movie):
    """The trained study with the cells of a movie besides the simulated crops."""
    study = Study.open(trained_study)
    study.crop(movie.movie, movie.tracks[["track_id", "t", "y", "x", "parent"]], name="colony")
    return study.path


def busy(widget) -> bool:
    cells = widget.cells
    return any(call.running for call in (cells.load_call, cells.flip_call, cells.perturb_call))


def select(widget, qtbot, *cells):
    widget.current.select(cells)
    settle(widget, qtbot)


def settle(widget, qtbot):
    qtbot.waitUntil(lambda: not busy(widget), timeout=60_000)


def move(widget, qtbot, eps):
    widget.cells.slider.setValue(eps)
    settle(widget, qtbot)
    return widget.cells.result


def first_of(widget, name):
    """Global index of the first crop of a set."""
    crops = widget.current.crops
    return int(crops.offsets[[crop_set.name for crop_set in crops.sets].index(name)])


@pytest.mark.parametrize("name", ["scheme2", "scheme3", "scheme4-hinge"])
def test_every_scheme_is_attacked_and_the_slider_updates_live(widget, trained_study, qtbot, name):
    widget.current.open(trained_study)
    widget.choice.scheme_box.setCurrentIndex(widget.choice.scheme_box.findData(name))
    select(widget, qtbot, 3, 200)
    still = widget.cells.result
    assert still.perturbed == pytest.approx(still.images)
    assert still.scores == pytest.approx(still.perturbed_scores)
    moved = move(widget, qtbot, 0.1)
    change = np.abs(moved.perturbed - moved.images)
    assert 0.05 < change.max() <= 0.1001
    assert moved.scores == pytest.approx(still.scores)
    away = np.where(
        moved.scores >= 0, moved.perturbed_scores <= moved.scores, moved.perturbed_scores >= moved.scores
    )
    assert away.all()
    assert widget.cells.pictures.tiles.shape[:2] == (4, 2)
    assert "→" in widget.cells.pictures.captions[0]


def test_one_cell_is_shown_large(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    widget.choice.scheme_box.setCurrentIndex(widget.choice.scheme_box.findData("scheme2"))
    select(widget, qtbot, 3)
    assert widget.cells.pictures.tiles.shape[:2] == (2, 2)
    titles = widget.cells.pictures.titles
    assert [title.split(":")[0] for title in titles] == list(KINDS)
    assert titles[0].endswith(titles[1].split(" ")[-1])  # the same score: nothing was changed yet


def test_latent_space_with_latents_held(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    select(widget, qtbot, 3)
    widget.choice.space_box.setCurrentText("latents, some held fixed")
    widget.choice.held_line.setText("z0, z2")
    widget.choice.held_line.editingFinished.emit()
    settle(widget, qtbot)
    assert widget.cells.attack.held == (0, 2)
    moved = move(widget, qtbot, 3.0)
    assert moved.difference == pytest.approx(moved.perturbed - moved.reconstruction)
    assert np.abs(moved.difference).max() > 0.01
    widget.choice.space_box.setCurrentText("latents")
    settle(widget, qtbot)
    assert widget.cells.slider.value() == 0
    free = move(widget, qtbot, 3.0)
    assert not np.allclose(free.perturbed, moved.perturbed)


def test_the_smallest_eps_flips_and_a_smaller_one_does_not(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    widget.choice.scheme_box.setCurrentIndex(widget.choice.scheme_box.findData("scheme2"))
    select(widget, qtbot, 5, 60, 130, 200, 220)
    widget.cells.flip_button.click()
    settle(widget, qtbot)
    found = np.flatnonzero(np.isfinite(widget.cells.flips))
    assert len(found), "no cell flips"
    cell, flip = widget.cells.attack.cells[found[0]], widget.cells.flips[found[0]]
    select(widget, qtbot, cell)
    widget.cells.flip_button.click()
    settle(widget, qtbot)
    assert widget.cells.flips == pytest.approx([flip])
    assert widget.cells.slider.value() == pytest.approx(flip, abs=1e-3)
    assert widget.cells.result.flipped[0]
    assert "interphase → metaphase" in widget.cells.verdict.text() or "metaphase → interphase" in (
        widget.cells.verdict.text()
    )
    assert f"#{cell} {flip:.3f}" in widget.cells.verdict.text()
    assert not move(widget, qtbot, max(0.0, flip - 0.002)).flipped[0]
    assert "stays" in widget.cells.verdict.text()


def test_many_selected_cells_are_shortened_and_said(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    select(widget, qtbot, *range(12))
    assert widget.cells.attack.cells == [0, 1, 2, 3, 4]
    assert "first 5 of 12" in widget.cells.verdict.text()


def test_an_attacked_cell_that_is_clicked_is_selected_alone(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    select(widget, qtbot, 3, 200)
    pictures = widget.cells.pictures
    qtbot.mouseClick(pictures, Qt.MouseButton.LeftButton, pos=pictures.place_of(1, 1).center())
    assert widget.current.selection == [200]


def test_the_model_that_is_loaded_serves_the_next_cell(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    select(widget, qtbot, 1)
    model, process = widget.cells.attack.model, widget.current.live.pid
    began = time.monotonic()
    select(widget, qtbot, 2)
    assert time.monotonic() - began < 2  # torch and the model are there already
    assert widget.cells.attack.model == model
    widget.choice.model_box.setCurrentIndex(1)
    settle(widget, qtbot)
    assert widget.cells.attack.model != model
    assert widget.current.live.pid == process


def visible(viewer) -> list[str]:
    """The images of a cell that are seen over the movie."""
    return [
        kind for kind in KINDS if f"{kind} cell" in viewer.layers and viewer.layers[f"{kind} cell"].visible
    ]


def test_pictures_lie_over_the_cell_in_the_movie(widget, movie_study, movie, qtbot):
    viewer = widget.viewer
    layer = viewer.add_image(movie.movie, name="colony", scale=(1, 0.5, 0.5), translate=(0, 10, 20))
    widget.current.open(movie_study)
    crops = widget.current.crops
    cell = first_of(widget, "colony") + 10
    row = crops.cells.iloc[cell]
    select(widget, qtbot, cell)
    widget.cells.overlay.show_box.setChecked(True)
    assert [layer.name for layer in viewer.layers] == ["colony", "selected cells", "perturbed cell"]
    widget.cells.overlay.seen_box.setCurrentText("original")
    assert visible(viewer) == ["original"]
    over = viewer.layers["original cell"]
    assert over.data.shape == (1, 64, 64)
    assert tuple(over.scale) == (1, 0.5, 0.5)
    middle = np.asarray(layer.world_to_data(over.data_to_world((0, 32, 32))))
    assert middle == pytest.approx([row["t"], np.floor(row["y"] + 0.5), np.floor(row["x"] + 0.5)])
    assert viewer.dims.current_step[0] == row["t"]
    assert over.data[0] == pytest.approx(crops[cell] / 255, abs=1e-6)
    move(widget, qtbot, 0.2)
    assert viewer.layers["perturbed cell"].data[0] == pytest.approx(widget.cells.result.perturbed[0])
    widget.cells.overlay.seen_box.setCurrentText("difference")
    assert visible(viewer) == ["difference"]
    low, high = viewer.layers["difference cell"].contrast_limits
    assert low == -high
    widget.cells.overlay.show_box.setChecked(False)
    assert visible(viewer) == []
    assert len(viewer.layers) == 5  # the reconstruction was never seen


def test_another_cell_uses_the_same_layers(widget, movie_study, movie, qtbot):
    viewer = widget.viewer
    viewer.add_image(movie.movie, name="colony")
    widget.current.open(movie_study)
    first = first_of(widget, "colony")
    select(widget, qtbot, first)
    widget.cells.overlay.show_box.setChecked(True)
    last = len(widget.current.crops) - 1 if first else first + 20
    select(widget, qtbot, last)
    assert len(viewer.layers) == 3
    place = place_of(viewer, widget.current.crops, last)
    assert viewer.layers["perturbed cell"].translate == pytest.approx([place.t, place.y, place.x])
    assert viewer.layers["perturbed cell"].metadata["morpholaw"]["crop"] == last
    viewer.layers.remove("perturbed cell")  # the user may delete it
    move(widget, qtbot, 0.1)
    assert viewer.layers["perturbed cell"].visible


def test_a_cell_of_no_movie_is_shown_beside_what_is_there(widget, movie_study, movie, qtbot):
    viewer = widget.viewer
    viewer.add_image(movie.movie, name="colony")
    widget.current.open(movie_study)
    select(widget, qtbot, first_of(widget, "simulated"))
    widget.cells.overlay.show_box.setChecked(True)
    corners = [viewer.layers[f"{kind} cell"].translate[-1] for kind in KINDS]
    assert corners == sorted(corners)
    assert corners[0] > 199
    assert all(viewer.layers[f"{kind} cell"].visible for kind in KINDS)


def test_a_click_in_the_movie_selects_the_cell(widget, movie_study, movie, qtbot):
    viewer = widget.viewer
    layer = viewer.add_image(movie.movie, name="colony", scale=(1, 2, 2))
    widget.current.open(movie_study)
    cell = first_of(widget, "colony") + 12
    row = widget.current.crops.cells.iloc[cell]
    position = layer.data_to_world((row["t"], row["y"] + 1, row["x"] - 1))
    assert crop_at(viewer, widget.current.crops, position) == cell
    widget.in_movie.clicked(np.asarray(position))
    settle(widget, qtbot)
    assert widget.cells.attack.cells == [cell]


def test_a_classifier_that_can_be_attacked_is_chosen_first(widget, trained_study):
    widget.current.open(trained_study)
    latents = widget.choice.classifiers
    measured = latents[0].model_copy(
        update={"name": "measured", "columns": ModelColumns((Feature("area"),), (0.0,), (1.0,))}
    )
    widget.choice.show_classifiers([])
    widget.choice.show_classifiers([measured, *latents])
    assert widget.choice.classifier == latents[0]
    widget.choice.scheme_box.setCurrentIndex(0)
    widget.choice.show_classifiers([measured, *latents])
    assert widget.choice.classifier == measured  # what was chosen stays


def test_the_curve_of_all_schemes(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    panel = widget.attack
    panel.form.editors["eps"].native.setText("0, 0.1")
    panel.all_schemes.setChecked(True)
    with qtbot.waitSignal(panel.drawn, timeout=120_000):
        panel.button.click()
    table = panel.table
    assert set(table["scheme"]) == {2, 3, 4}
    assert set(table["eps"]) == {0.0, 0.1}
    means = table[table["scheme"] == 2].groupby("eps")["accuracy"].mean()
    assert means[0.1] <= means[0.0]
    widget.tabs.setCurrentWidget(panel)
    panel.show()
    assert panel.button.isEnabled()
    drawn = panel.figure._make((4.0, None), LIGHT)  # the window is not shown, so that nothing draws it
    legend = drawn.axes[0].get_legend()
    assert "random signs" in [text.get_text() for text in legend.get_texts()]
    assert "Inside the nucleus" in panel.energy.text()


def test_the_curve_can_be_stopped(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    panel = widget.attack
    panel.form.editors["eps"].native.setText(", ".join(str(k / 1000) for k in range(400)))
    panel.button.click()
    with qtbot.waitSignal(panel.runner.finished, timeout=60_000):
        panel.runner.stop()
    assert panel.button.isEnabled()
    assert not panel.runner.running


def test_the_surroundings_of_test_cells_are_changed(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    panel = widget.surroundings
    widget.tabs.setCurrentWidget(panel)
    widget.choice.scheme_box.setCurrentIndex(widget.choice.scheme_box.findData("scheme3"))
    panel.cells.setValue(12)
    with qtbot.waitSignal(panel.measured, timeout=120_000):
        panel.button.click()
    assert panel.button.isEnabled()
    measured = Study.open(trained_study).interventions((3,), cells=12)
    pd.testing.assert_frame_equal(panel.table, measured)
    assert panel.rows.rowCount() == 1 + len(NAMES)
    assert panel.rows.item(0, 0).text() == "Scheme 3"
    other = measured[measured["intervention"] == "other class"].iloc[0]
    shown = [panel.rows.item(1 + list(NAMES).index("other class"), column).text() for column in range(3)]
    assert shown[0] == "Swapped, other class"
    assert (
        "surroundings of a cell of another class"
        in panel.rows.item(1 + list(NAMES).index("other class"), 0).toolTip()
    )
    assert shown[1].startswith(f"{100 * other['balanced_accuracy']:.1f} (")
    assert shown[2].startswith(f"{100 * other['flips']:.1f} (")
    assert "Scheme 3: " in panel.sentences.text()
    assert "surroundings of the cell" in panel.sentences.text()
    widget.current.open(trained_study)  # what was measured is gone with the study that it was measured on
    assert panel.table is None


def test_changing_surroundings_can_be_stopped(widget, trained_study, qtbot):
    panel = widget.surroundings
    panel.button.click()
    assert "No study is open" in widget.error_line.text()
    widget.current.open(trained_study)
    panel.all_schemes.setChecked(True)
    panel.button.click()
    with qtbot.waitSignal(panel.runner.finished, timeout=60_000):
        panel.runner.stop()
    assert panel.button.isEnabled()
    assert panel.table is None


def test_what_is_missing_is_said(widget, labelled_study, tmp_path, qtbot):
    assert widget.cells.pictures.sentence == NO_STUDY
    widget.attack.start()
    assert "No study is open" in widget.error_line.text()
    widget.current.open(labelled_study)
    assert "Train a classifier" in widget.cells.pictures.sentence
    widget.attack.start()
    assert "No classifier is trained" in widget.error_line.text()
    assert not widget.cells.slider.isEnabled()


def test_an_unknown_latent_to_hold_is_a_sentence(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    assert "Click a cell" in widget.cells.pictures.sentence
    select(widget, qtbot, 3)
    widget.choice.held_line.setText("z99")
    widget.choice.space_box.setCurrentText("latents, some held fixed")
    settle(widget, qtbot)
    assert "z99" in widget.error_line.text()
    assert widget.cells.result is None
    widget.choice.held_line.setText("z1")
    widget.choice.held_line.editingFinished.emit()
    settle(widget, qtbot)
    assert widget.error_line.text() == ""
    assert widget.cells.result is not None


def test_a_study_deleted_meanwhile_is_a_sentence(widget, trained_study, qtbot):
    widget.current.open(trained_study)
    select(widget, qtbot, 3)
    shutil.rmtree(trained_study)
    select(widget, qtbot, 4)
    assert "no longer exists" in widget.error_line.text()
    widget.attack.button.click()
    assert "no longer exists" in widget.error_line.text()


def test_a_damaged_classifier_is_left_out_and_said(widget, trained_study):
    (trained_study / "classifiers" / "scheme2" / "model.json").write_text("{}")
    widget.current.open(trained_study)
    assert widget.choice.scheme_box.findData("scheme2") == -1
    assert "scheme2" in widget.error_line.text()


def test_cells_of_several_classes_are_moved_towards_a_chosen_one(widget, phases_study, qtbot):
    widget.current.open(phases_study.path)
    choice = widget.choice
    choice.scheme_box.setCurrentIndex(choice.scheme_box.findData("scheme2"))
    classes = choice.classifier.classes
    assert [choice.towards_box.itemData(k) for k in range(choice.towards_box.count())] == ["", *classes]
    choice.space_box.setCurrentText("latents")
    choice.towards_box.setCurrentIndex(choice.towards_box.findData("anaphase"))
    select(widget, qtbot, 3)
    moved = move(widget, qtbot, 3.0)
    assert classes[moved.perturbed_predicted[0]] == "anaphase"
    assert classes[moved.predicted[0]] != "anaphase"
    assert "→ anaphase" in widget.cells.verdict.text()
    widget.cells.find_flips()
    settle(widget, qtbot)
    assert 0 < widget.cells.flips[0] < 3.0
    assert "makes it anaphase" in widget.cells.verdict.text()


def test_a_classifier_of_shapes_is_said_to_have_no_gradient_until_another_is_chosen(
    widget, trained_study, qtbot
):
    """A classifier that reads shapes cannot be attacked: it is said in place of the cells, and no error stays."""
    widget.current.open(trained_study)
    dense = next(one for one in widget.choice.classifiers if one.name == "scheme2")
    shapes = ModelColumns((Feature("area"),), (0.0,), (1.0,))
    widget.choice.show_classifiers(
        [
            dense.model_copy(update={"columns": shapes}),
            *[o for o in widget.choice.classifiers if o is not dense],
        ]
    )
    widget.choice.scheme_box.setCurrentIndex(widget.choice.scheme_box.findData("scheme2"))
    select(widget, qtbot, 3)
    assert "no gradient" in widget.cells.pictures.sentence
    assert "Choose another one under Scheme" in widget.cells.pictures.sentence
    assert not widget.error_line.text()
    assert not widget.cells.slider.isEnabled()
    widget.choice.scheme_box.setCurrentIndex(widget.choice.scheme_box.findData("scheme3"))
    settle(widget, qtbot)
    assert widget.cells.result is not None
