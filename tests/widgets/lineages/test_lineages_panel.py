"""The lineage trees: an image that is clicked is selected, and a selected cell's family is drawn."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgba
from qtpy.QtCore import QPoint, Qt

from morpholaw.figures.lineage_tree import tree_levels
from morpholaw.figures.palette import colours_on
from morpholaw.figures.style import DARK, LIGHT
from morpholaw.widgets.lineages.panel import NO_TRACKS, SELECT, SELECTED, LineagesWidget
from morpholaw.widgets.pictures.background import background_colour
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.table.panel import TableWidget


@pytest.fixture
def panel(tracked_study_folder, make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=False)
    viewer.add_image(np.load(tracked_study_folder / "movie.npy"), name="movie")
    widget = LineagesWidget(viewer)
    qtbot.addWidget(widget, before_close_func=lambda widget: settle(widget, qtbot))
    widget.resize(420, 780)
    widget.show()
    CurrentStudy.of(viewer).open(tracked_study_folder)
    qtbot.waitUntil(lambda: widget.tree.drawing is not None, timeout=60_000)
    return widget


def settle(widget, qtbot) -> None:
    qtbot.waitUntil(lambda: not widget.call.running and not widget.tree.pending, timeout=60_000)


def of_track(panel, track: int, t: int) -> int:
    cells = panel.current.crops.cells
    return int(np.flatnonzero((cells["track_id"] == track) & (cells["t"] == t))[0])


def test_an_image_that_is_clicked_is_selected_and_shown_in_the_movie(panel, qtbot):
    cell = of_track(panel, 3, 6)
    place = QPoint(*(round(value) for value in panel.tree.place_of(cell)))
    qtbot.mouseClick(panel.tree.surface, Qt.MouseButton.LeftButton, pos=place)
    assert panel.current.selection == [cell]
    assert panel.viewer.dims.point[0] == 6


def test_scored_cells_that_another_program_deletes_are_no_longer_shown(panel, tmp_path, qtbot):
    current = panel.current
    current.open(shutil.copytree(current.study.path, tmp_path / "study"))
    qtbot.waitUntil(lambda: panel.tree.drawing is not None, timeout=60_000)
    count = len(current.crops)
    current.scores["any"] = SimpleNamespace(predicted=np.full(count, ""), scores=np.zeros(count))
    shutil.rmtree(current.study.path)
    current.announce_change("crops")
    assert panel.tree.sentence.text() == NO_TRACKS
    assert current.last_scores is None


def test_a_selected_cells_family_is_its_mother_and_sister_too(panel, qtbot):
    panel.show_box.setCurrentText(SELECTED)
    panel.show_box.activated.emit(1)
    assert panel.tree.sentence.text() == SELECT
    panel.current.select([of_track(panel, 2, 5)])
    qtbot.waitUntil(lambda: panel.tree.drawing is not None, timeout=60_000)
    assert sorted(panel.shown.tree.names) == ["1", "2", "3"]
    assert "3 cells, 1 division." in panel.caption.text()
    assert panel.tree.selected == [of_track(panel, 2, 5)]


def test_daughters_lie_on_either_side_of_their_mother():
    levels = tree_levels(np.array([-1, 0, 0, 2, 2, -1]))
    assert levels[0] == (levels[1] + levels[2]) / 2
    assert levels[2] == (levels[3] + levels[4]) / 2
    assert sorted(levels[[1, 3, 4, 5]]) == [0, 1, 2, 3]


def test_tracks_are_hidden_by_class_and_stay_in_the_layer(panel, tmp_path, qtbot):
    panel.current.open(shutil.copytree(panel.current.study.path, tmp_path / "study"))
    cells = panel.current.crops.cells
    layer = panel.viewer.add_tracks(cells[["track_id", "t", "y", "x"]].to_numpy(float), name="tracks")
    mother = [of_track(panel, 1, t) for t in cells.loc[cells["track_id"] == 1, "t"]]
    panel.current.set_label(mother, "metaphase")
    box = panel.tracks.boxes["metaphase"]
    assert box.isVisible()
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert not box.isChecked()
    of_mother = layer.data[:, 0] == 1
    assert (layer.track_colors[of_mother, 3] == 0).all()
    assert (layer.track_colors[~of_mother, 3] == 1).all()
    assert len(layer.data) == len(cells)
    layer.color_by = "track_id"
    assert (layer.track_colors[of_mother, 3] == 0).all()
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton, pos=QPoint(8, box.height() // 2))
    assert (layer.track_colors[:, 3] == 1).all()


def test_in_another_theme_classes_are_drawn_as_they_are_seen_on_it(panel, qtbot):
    table = TableWidget(panel.viewer)
    qtbot.addWidget(table)
    for name in ("light", "dark"):
        panel.viewer.theme = name
        background = {"light": LIGHT, "dark": DARK}[name].background
        qtbot.waitUntil(lambda: drawn_on(panel.tree) == to_rgba(background), timeout=60_000)  # noqa: B023
        colours = panel.current.study.class_colours()
        bars = panel.tree.canvas.figure.axes[0].collections[-1].get_colors()
        drawn = colours_on(background, tuple(colours), colours)["metaphase"]
        assert to_hex(bars[0]) == drawn
        stripe = colours_on(background_colour(panel.viewer), tuple(colours), colours)["metaphase"]
        place = table.labels.buttons.classes.index("metaphase") + 1
        assert stripe in table.labels.buttons.buttons[place].styleSheet()


def drawn_on(picture) -> tuple[float, ...]:
    return picture.canvas.figure.get_facecolor()
