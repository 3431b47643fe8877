"""Cut, look at and label cells as a person does in the panel."""

from __future__ import annotations

import os
import shutil
import time

import numpy as np
import pandas as pd
import pytest
import tifffile
from napari.layers import Vectors
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QDockWidget, QMessageBox

from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.simulator import simulate_crops
from morpholaw.study import Study
from morpholaw.widgets.cells.crop_box import crop_corners
from morpholaw.widgets.cells.labelling import UNLABELLED
from morpholaw.widgets.cells.orders import LEAST_SURE
from morpholaw.widgets.cells.panel import CellsWidget
from morpholaw.widgets.movie.movie_place import is_cut_from, movie_layer

pytestmark = pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")


def blobs() -> tuple[np.ndarray, np.ndarray]:
    """A movie of 6 frames with three still bright cells, and their tracks (id, t, y, x)."""
    movie = np.random.default_rng(0).normal(100, 3, (6, 120, 160)).clip(0).astype(np.uint16)
    places = {1: (30, 40), 2: (60, 100), 5: (90, 30)}
    tracks = [(track, t, y, x) for track, (y, x) in places.items() for t in range(6)]
    for y, x in places.values():
        movie[:, y - 5 : y + 6, x - 5 : x + 6] += 400
    return movie, np.array(tracks, float)


def press(qtbot, gallery, keys: str) -> None:
    for key in keys:
        qtbot.keyClicks(gallery, key)


def boxes(viewer) -> list[Vectors]:
    return [layer for layer in viewer.layers if isinstance(layer, Vectors)]


def corners(box: Vectors) -> np.ndarray:
    """The corners of a box; its sides are longer by the width of the line."""
    starts, sides = box.data[:, 0, 1:], box.data[:, 1, 1:]
    return starts + box.edge_width / 2 * np.sign(sides)


def counts(widget) -> list[str]:
    return [button.text() for button in widget.labelling.buttons.buttons[1:]]


def test_cells_of_layers_are_cut_shown_and_found_by_a_click(panel, qtbot, tmp_path):
    widget = panel(CellsWidget)
    movie, tracks = blobs()
    widget.viewer.add_image(movie, name="blobs")
    widget.viewer.add_tracks(tracks)
    widget.current.create(tmp_path / "study")
    widget.cutting.form.editors["size"].value = 32
    assert len(boxes(widget.viewer)) == 1  # before anything is cut, around a tracked cell
    with qtbot.waitSignal(widget.runner.finished, timeout=60_000):
        widget.cutting.cut_button.click()
    assert widget.gallery.crop_model.rowCount() == 18
    assert widget.current.study.sets[0].name == "blobs"
    widget.in_movie.clicked(np.array([2.0, 88.0, 32.0]))
    cell = widget.labelling.cells.iloc[widget.current.selection[0]]
    assert (cell.track_id, cell.t) == (5, 2)
    assert widget.gallery.selected == widget.current.selection
    np.testing.assert_allclose(corners(boxes(widget.viewer)[0]), crop_corners(90, 30, 32))
    widget.in_movie.clicked(np.array([2.0, 5.0, 155.0]))  # nothing is there
    assert widget.labelling.cells.iloc[widget.current.selection[0]].track_id == 5


def test_contradictions_stop_the_cutting_unless_the_user_insists(panel, qtbot, tmp_path):
    widget = panel(CellsWidget)
    movie, tracks = blobs()
    widget.viewer.add_image(movie, name="blobs")
    widget.viewer.add_tracks(tracks * [1, 1, 1, 3])
    widget.current.create(tmp_path / "study")
    widget.cutting.cut_button.click()
    qtbot.waitUntil(lambda: "outside" in widget.cutting.error_line.text(), timeout=30_000)
    assert "Nothing was cut" in widget.cutting.error_line.text()
    assert "--" not in widget.cutting.error_line.text()  # fields of the form, not options of the command
    assert widget.current.study.sets == []
    widget.cutting.inputs.force_box.setChecked(True)
    with qtbot.waitSignal(widget.runner.finished, timeout=60_000):
        widget.cutting.cut_button.click()
    assert len(widget.current.study.sets) == 1


def test_a_movie_that_was_cut_before_replaces_its_crops_after_a_question(panel, qtbot, tmp_path, monkeypatch):
    widget = panel(CellsWidget)
    movie, tracks = blobs()
    widget.viewer.add_image(movie, name="blobs")
    widget.viewer.add_tracks(tracks)
    widget.current.create(tmp_path / "study")
    with qtbot.waitSignal(widget.runner.finished, timeout=60_000):
        widget.cutting.cut_button.click()
    widget.current.study.annotations.set_label("blobs", 3, "metaphase")
    questions = []
    answers = [QMessageBox.StandardButton.No, QMessageBox.StandardButton.Yes]
    monkeypatch.setattr(QMessageBox, "question", lambda *a: questions.append(a[2]) or answers.pop(0))
    widget.cutting.cut_button.click()
    qtbot.waitUntil(lambda: bool(questions), timeout=30_000)
    assert "the set blobs with 18 crops" in questions[0]
    assert not widget.runner.running
    with qtbot.waitSignal(widget.runner.finished, timeout=60_000):
        widget.cutting.cut_button.click()
    assert [one.name for one in widget.current.study.sets] == ["blobs"]
    assert widget.current.study.annotations.get("blobs", 3) == "metaphase"


def test_a_set_is_renamed_and_deleted(panel, labelled_study):
    widget = panel(CellsWidget)
    widget.current.open(labelled_study)
    labelling = widget.labelling
    labelling.set_menu.delete()
    assert "Choose a set" in labelling.error_line.text()
    labelling.sets.setCurrentText("simulated")
    labelling.set_menu.rename("plate 1")
    assert "plate 1" in labelling.error_line.text()  # no space in the name of a folder
    labelling.set_menu.rename("plate_1")
    assert labelling.chosen_set == "plate_1"
    assert widget.gallery.crop_model.rowCount() == 240
    labelling.set_menu.delete()
    assert widget.current.study.sets == []
    assert widget.gallery.crop_model.rowCount() == 0


def test_a_channel_of_a_layer_is_cut_at_the_scale_of_the_layer(panel, qtbot, tmp_path):
    widget = panel(CellsWidget)
    movie, tracks = blobs()
    both = np.stack([np.full_like(movie, 7), movie], axis=1)
    widget.viewer.add_image(both, name="blobs", scale=(1, 1, 0.5, 0.5), units=("pixel", "pixel", "um", "um"))
    widget.viewer.add_tracks(tracks, scale=(1, 0.5, 0.5))
    widget.current.create(tmp_path / "study")
    widget.cutting.form.editors["size"].value = 32
    assert [widget.cutting.channel.itemText(k) for k in range(2)] == ["channel 0", "channel 1"]
    assert "0.5 µm per pixel" in widget.cutting.scale.text()
    widget.cutting.channel.setCurrentIndex(1)
    with qtbot.waitSignal(widget.runner.finished, timeout=60_000):
        widget.cutting.cut_button.click()
    (crop_set,) = widget.current.study.sets
    assert crop_set.name == "blobs_channel_1"
    assert crop_set.record.movie_pixel_size == 0.5
    assert len(crop_set) == 18


def test_the_box_follows_the_size_and_the_selection(panel, tmp_path):
    widget = panel(CellsWidget)
    movie, tracks = blobs()
    widget.viewer.add_image(movie, scale=(1, 0.5, 0.5))
    widget.viewer.add_tracks(tracks, scale=(1, 0.5, 0.5))
    (box,) = boxes(widget.viewer)
    for size in (48, 32):
        widget.cutting.form.editors["size"].value = size
        np.testing.assert_allclose(np.ptp(corners(box), axis=0), size, rtol=1e-5)
    np.testing.assert_array_equal(box.scale, [1, 0.5, 0.5])


def test_the_box_goes_with_the_panel_and_comes_back(panel, qtbot):
    widget = panel(CellsWidget, show=True)
    qtbot.waitUntil(widget.isVisible, timeout=5_000)
    movie, tracks = blobs()
    widget.viewer.add_image(movie)
    widget.viewer.add_tracks(tracks)
    assert len(boxes(widget.viewer)) == 1
    dock = widget.parent()
    while not isinstance(dock, QDockWidget):
        dock = dock.parent()
    dock.hide()
    assert not boxes(widget.viewer)
    dock.show()
    assert len(boxes(widget.viewer)) == 1
    widget.viewer.window.remove_dock_widget(dock)
    assert not boxes(widget.viewer)


def test_the_panel_is_painted_before_the_box(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    movie, tracks = blobs()
    viewer.add_image(movie)
    viewer.add_tracks(tracks)
    widget = CellsWidget(viewer)
    dock = viewer.window.add_dock_widget(widget)
    qtbot.waitUntil(widget.isVisible, timeout=5_000)
    assert not boxes(viewer)
    qtbot.waitUntil(lambda: len(boxes(viewer)) == 1, timeout=5_000)
    viewer.window.remove_dock_widget(dock)  # closed before the box comes, it has none
    viewer.window.add_dock_widget(CellsWidget(viewer)).hide()
    qtbot.wait(300)
    assert not boxes(viewer)


def test_the_box_is_what_is_cut(tmp_path):
    from morpholaw.cells.crops import cut_crops
    from morpholaw.cells.movies import open_movie
    from morpholaw.config import CropConfig

    movie = np.zeros((1, 80, 80), np.uint16)
    movie[0, 20:60, 25:65] = 1000  # a square whose crop of 48 shows its edges at known pixels
    cells = pd.DataFrame({"track_id": [1], "t": [0], "y": [39.4], "x": [44.6], "parent": [-1]})
    crop = cut_crops(open_movie(movie), cells, tmp_path / "set", CropConfig(size=48)).images[0]
    top, left = crop_corners(39.4, 44.6, 48)[0] + 0.5
    bright = np.argwhere(crop > crop.max() / 2)
    assert np.add(bright.min(0), (top, left)).tolist() == [20, 25]


def test_a_movie_that_is_a_file_is_cut_in_a_child_process(panel, qtbot, tmp_path):
    widget = panel(CellsWidget)
    movie, tracks = blobs()
    tifffile.imwrite(tmp_path / "blobs.tif", movie, photometric="minisblack")
    table = pd.DataFrame(tracks, columns=["track_id", "t", "y", "x"])
    table.to_csv(tmp_path / "tracks.csv", index=False)
    widget.current.create(tmp_path / "study")
    widget.cutting.open_movie(tmp_path / "blobs.tif")
    widget.cutting.open_tracks(tmp_path / "tracks.csv")
    children = set()  # a short step may begin and end between two looks from outside
    widget.runner.reported.connect(lambda _: children.add(widget.runner.pid))
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        widget.cutting.cut_button.click()
    assert children - {None, os.getpid()}
    assert widget.gallery.crop_model.rowCount() == 18
    assert widget.current.study.sets[0].record.sources[0].path.endswith("blobs.tif")


def test_keys_label_go_on_undo_and_are_saved(panel, qtbot, labelled_study):
    widget = panel(CellsWidget)
    widget.current.open(labelled_study)
    gallery = widget.gallery
    assert counts(widget) == ["1  interphase (120)", "2  metaphase (120)"]
    gallery.setCurrentIndex(gallery.crop_model.index(0))
    press(qtbot, gallery, "22")
    assert counts(widget) == ["1  interphase (118)", "2  metaphase (122)"]
    assert gallery.selected == [2]
    qtbot.keyClick(gallery, Qt.Key.Key_Right)
    assert gallery.selected == [3]
    press(qtbot, gallery, "0")
    assert counts(widget)[0] == "1  interphase (117)"
    saved = Study.open(labelled_study).annotations
    assert [saved.get("simulated", crop) for crop in range(4)] == ["metaphase", "metaphase", None, ""]
    qtbot.keyClick(gallery, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(gallery, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert counts(widget) == ["1  interphase (119)", "2  metaphase (121)"]
    shifted = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(gallery, Qt.Key.Key_Z, shifted)
    assert counts(widget) == ["1  interphase (118)", "2  metaphase (122)"]
    assert Study.open(labelled_study).annotations.get("simulated", 1) == "metaphase"


def test_a_new_class_gets_the_next_key_and_many_cells_are_labelled_at_once(panel, qtbot, labelled_study):
    widget = panel(CellsWidget)
    widget.current.open(labelled_study)
    qtbot.keyClicks(widget.labelling.buttons.new_class, "anaphase")
    qtbot.keyClick(widget.labelling.buttons.new_class, Qt.Key.Key_Return)
    assert counts(widget)[2] == "3  anaphase (0)"
    widget.current.select([5, 6, 7])
    press(qtbot, widget.gallery, "3")
    assert counts(widget)[2] == "3  anaphase (3)"
    press(qtbot, widget.gallery, "9")
    assert "no class 9" in widget.labelling.error_line.text()


def test_filters_show_what_they_say(panel, labelled_study):
    widget = panel(CellsWidget)
    study = Study.open(labelled_study)
    images, cells = simulate_crops(30, seed=8)
    cells["label"] = ""
    CropSet.write(study.new_set_folder("fresh"), images, cells, CropOrigin(kind="simulated"))
    widget.current.open(labelled_study)
    model, labelling = widget.gallery.crop_model, widget.labelling
    assert model.rowCount() == 270
    choose(labelling.classes, UNLABELLED)
    assert model.order.tolist() == list(range(240, 270))
    choose(labelling.classes, "metaphase")
    assert model.rowCount() == 120
    choose(labelling.sets, "fresh")
    assert model.rowCount() == 0


def choose(box, text: str) -> None:
    box.setCurrentIndex(box.findText(text))
    box.activated.emit(box.currentIndex())


def test_ask_me_shows_the_least_sure_first(panel, qtbot, trained_study):
    widget = panel(CellsWidget)
    study = widget.current.open(trained_study)
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        choose(widget.labelling.order, LEAST_SURE)
    order = widget.gallery.crop_model.order
    sureness = np.abs(study.classify(3)["score"].to_numpy())
    np.testing.assert_allclose(sureness[order], np.sort(sureness), atol=1e-5)
    assert widget.current.selection == [int(order[0])]


def test_ask_me_without_a_model_says_so(panel, labelled_study):
    widget = panel(CellsWidget)
    widget.current.open(labelled_study)
    choose(widget.labelling.order, LEAST_SURE)
    assert "No classifier is trained yet" in widget.labelling.error_line.text()
    assert not widget.runner.running


def test_twenty_thousand_cells_open_without_reading_them(panel, qtbot, tmp_path):
    study = Study.create(tmp_path / "large")
    images = np.random.default_rng(0).integers(0, 255, (20_000, 16, 16), dtype=np.uint8)
    CropSet.write(study.new_set_folder("large"), images, pd.DataFrame(index=range(20_000)))
    widget = panel(CellsWidget, show=True)
    began = time.process_time()
    widget.current.open(tmp_path / "large")
    qtbot.wait(100)
    opened = time.process_time() - began
    model = widget.gallery.crop_model
    assert model.rowCount() == 20_000
    assert 0 < model.reads < 200
    bar = widget.gallery.verticalScrollBar()
    began = time.process_time()
    for step in range(10):
        bar.setValue(bar.maximum() * step // 10)
        widget.gallery.viewport().repaint()
    assert time.process_time() - began < 1.5  # 0.15 s a jump to crops never shown, on a slow machine
    assert model.reads < 1000
    assert opened < 3


def test_labels_come_from_folders_and_tables(panel, qtbot, tmp_path):
    images, _ = simulate_crops(8, seed=1)
    for number, image in enumerate(images):
        name = "Aligned" if number % 2 else "Interphase"
        (tmp_path / "crops" / name).mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(tmp_path / "crops" / name / f"{number}.tif", image)
    widget = panel(CellsWidget)
    widget.current.create(tmp_path / "study")
    widget.folder.folder.setText(str(tmp_path / "crops"))
    widget.folder.form.editors["classes"].native.setText("metaphase=Aligned; interphase=Interphase")
    with qtbot.waitSignal(widget.runner.finished, timeout=120_000):
        widget.folder.import_button.click()
    assert counts(widget) == ["1  interphase (4)", "2  metaphase (4)"]
    (tmp_path / "labels.csv").write_text("crop,label\n0,apoptosis\n")
    widget.import_labels.take(tmp_path / "labels.csv")
    assert "3  apoptosis (1)" in counts(widget)
    widget.import_labels.write(tmp_path / "out.csv")
    assert len(pd.read_csv(tmp_path / "out.csv")) == 8
    (tmp_path / "bad.csv").write_text("cell,kind\n0,apoptosis\n")
    widget.import_labels.take(tmp_path / "bad.csv")
    assert "has the columns cell, kind" in widget.import_labels.error_line.text()


def test_classes_of_a_tracks_layer_become_labels(panel, qtbot, tmp_path):
    widget = panel(CellsWidget)
    movie, tracks = blobs()
    widget.viewer.add_image(movie)
    widget.viewer.add_tracks(
        tracks, features={"label": ["metaphase" if t == 3 else "" for t in tracks[:, 1]]}
    )
    widget.current.create(tmp_path / "study")
    with qtbot.waitSignal(widget.runner.finished, timeout=60_000):
        widget.cutting.cut_button.click()
    assert counts(widget)[1] == "2  metaphase (3)"


def test_bad_input_is_said_beside_the_button(panel, tmp_path):
    widget = panel(CellsWidget)
    cut, line = widget.cutting.cut_button, widget.cutting.error_line
    cut.click()
    assert "No study is open" in line.text()
    widget.current.create(tmp_path / "study")
    cut.click()
    assert "no image layer" in line.text()
    movie, tracks = blobs()
    image = widget.viewer.add_image(movie)
    cut.click()
    assert "There are no tracks" in line.text()
    widget.viewer.add_tracks(np.insert(tracks, 2, 0, axis=1), name="deep")
    cut.click()
    assert "is in 3D" in line.text()
    widget.viewer.layers.remove(image)
    widget.viewer.add_image(np.zeros((12, 9, 20, 20)), name="volume")
    cut.click()
    assert "'volume' has the shape (12, 9, 20, 20)" in line.text()
    widget.folder.import_button.click()
    assert "There is no folder ''" in widget.folder.error_line.text()
    widget.cutting.open_tracks(tmp_path / "nothing.csv")
    assert "nothing.csv" in line.text()


def test_a_key_without_a_selected_cell_says_so(panel, qtbot, labelled_study):
    widget = panel(CellsWidget)
    widget.current.open(labelled_study)
    before = counts(widget)
    press(qtbot, widget.gallery, "1")
    assert "No cell is selected" in widget.labelling.error_line.text()
    assert counts(widget) == before


def test_a_deleted_study_is_said_when_labelling(panel, qtbot, labelled_study):
    widget = panel(CellsWidget)
    widget.current.open(labelled_study)
    widget.current.select([0])
    shutil.rmtree(labelled_study)
    press(qtbot, widget.gallery, "1")
    assert "was moved or deleted" in widget.labelling.error_line.text()


def test_another_movie_of_the_same_name_and_shape_is_not_taken_for_the_studys(panel, tmp_path):
    movie, tracks = blobs()
    files = {name: tmp_path / name / "movie.tif" for name in ("control", "drug", "backup")}
    for name, file in files.items():
        file.parent.mkdir()
        tifffile.imwrite(file, movie[:, ::-1] if name == "drug" else movie)
    table = pd.DataFrame(tracks, columns=["track_id", "t", "y", "x"]).astype({"track_id": int, "t": int})
    study = Study.create(tmp_path / "study")
    study.crop(files["control"], table.assign(parent=-1), size=32)
    widget = panel(CellsWidget)
    widget.current.open(study.path)
    widget.cutting.open_movie(files["drug"])
    widget.current.select([7])
    assert not boxes(widget.viewer)
    assert "selected cells" not in widget.viewer.layers
    assert not is_cut_from(study.sets[0], widget.viewer.layers[0])  # nor are scores shown on it
    widget.cutting.open_movie(files["backup"])
    widget.cutting.image.choose(widget.viewer.layers[0])
    widget.current.select([8])
    assert len(boxes(widget.viewer)) == 1  # around a cell of the copy, whichever layer is chosen
    assert movie_layer(widget.viewer, study.sets[0]).metadata["path"] == str(files["backup"])
    files["control"].unlink()  # moved: any movie that looks like it may be it
    assert is_cut_from(study.sets[0], widget.viewer.layers[0])


def test_labels_after_a_click_in_the_movie_move_along_the_track(panel, qtbot, tracked_study_folder, tmp_path):
    widget = panel(CellsWidget)
    widget.viewer.add_image(np.load(tracked_study_folder / "movie.npy"), name="movie")
    study = widget.current.open(shutil.copytree(tracked_study_folder, tmp_path / "study"))
    cells = widget.labelling.cells
    widget.in_movie.clicked(np.array([0.0, 91.0, 99.0]))
    press(qtbot, widget.gallery, "11")
    track = np.flatnonzero(cells["track_id"] == 4).tolist()
    given = [study.annotations.get("movie", cell) for cell in track]
    assert given[:2] == [study.classes[0]] * 2
    assert widget.current.selection == [track[2]]
    press(qtbot, widget.gallery, "s")
    assert widget.current.selection == track
    press(qtbot, widget.gallery, "2n")  # the whole track at once, then the next cell without a class
    assert [study.annotations.get("movie", cell) for cell in track] == [study.classes[1]] * 8
    (unlabelled,) = widget.current.selection
    assert widget.labelling.labels[unlabelled] == ""


def test_of_two_movies_over_one_another_the_active_one_is_clicked(
    panel, qtbot, tracked_study_folder, tmp_path
):
    widget = panel(CellsWidget)
    folder = shutil.copytree(tracked_study_folder, tmp_path / "study")
    movie = np.load(folder / "movie.npy")
    tracks = pd.DataFrame(
        [(9, t, 92, 98, -1) for t in range(8)], columns=["track_id", "t", "y", "x", "parent"]
    )
    Study.open(folder).crop(movie[:, ::-1], tracks, name="other", size=32)
    first, second = widget.viewer.add_image(movie, name="movie"), widget.viewer.add_image(movie, name="other")
    widget.current.open(folder)
    for layer, name in ((first, "movie"), (second, "other")):
        widget.viewer.layers.selection.active = layer
        widget.in_movie.clicked(np.array([2.0, 91.0, 99.0]))
        assert widget.current.crops.cells["set"].iloc[widget.current.selection[0]] == name
