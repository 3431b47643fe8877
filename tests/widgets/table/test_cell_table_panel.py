"""The Cell table: rows sort and filter, and a row that is clicked is selected everywhere."""

from __future__ import annotations

import shutil
import time

import numpy as np
import pytest
from napari.layers import Points
from qtpy.QtCore import Qt

from morpholaw.widgets.napari_versions import camera
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.table.cell_model import Column
from morpholaw.widgets.table.cell_table import CellTable
from morpholaw.widgets.table.panel import TableWidget


@pytest.fixture
def panel(tracked_study_folder, make_napari_viewer, tmp_path):
    viewer = make_napari_viewer(show=True)
    viewer.add_image(np.load(tracked_study_folder / "movie.npy"), name="movie")
    widget = TableWidget(viewer)
    viewer.window.add_dock_widget(widget)
    CurrentStudy.of(viewer).open(shutil.copytree(tracked_study_folder, tmp_path / "study"))
    return widget


def click(qtbot, panel, row: int, modifier=Qt.KeyboardModifier.NoModifier) -> int:
    """Click a row; return the global index of its cell."""
    table = panel.table
    index = table.cells.index(row, 0)
    table.scrollTo(index)
    place = table.visualRect(index).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, modifier, place)
    return int(table.cells.order[row])


def title(panel, name: str) -> int:
    return [column.title for column in panel.table.cells.columns].index(name)


def test_a_row_that_is_clicked_goes_to_its_cell_and_is_marked(panel, qtbot):
    camera(panel.viewer).zoom = 40
    movie = panel.viewer.layers["movie"]
    qtbot.waitUntil(lambda: movie.corner_pixels[0, 1] > 30, timeout=5_000)  # it is drawn
    cell = click(qtbot, panel, 9)
    assert panel.current.selection == [cell]
    place = panel.current.crops.cells.iloc[cell]
    assert panel.viewer.dims.point[0] == place.t
    assert camera(panel.viewer).center[-2:] == pytest.approx((place.y, place.x))
    (marks,) = [layer for layer in panel.viewer.layers if isinstance(layer, Points)]
    assert marks.data.tolist() == [[place.t, place.y, place.x]]
    second = click(qtbot, panel, 2, Qt.KeyboardModifier.ControlModifier)
    assert panel.current.selection == [second, cell]
    assert len(marks.data) == 2


def test_a_cell_that_is_clicked_in_the_movie_is_selected_in_the_table(panel):
    panel.in_movie.clicked(np.array([2.0, 91.0, 99.0]))
    (cell,) = panel.table.selected
    assert panel.current.crops.cells.loc[cell, ["track_id", "t"]].tolist() == [4, 2]
    assert panel.table.currentIndex().row() == panel.table.cells.rows_of([cell])[0]


def test_sorting_keeps_the_cells_selected(panel, qtbot):
    cell = click(qtbot, panel, 0)
    panel.table.sortByColumn(title(panel, "Frame"), Qt.SortOrder.DescendingOrder)
    frames = panel.current.crops.cells["t"].to_numpy()[panel.table.cells.order]
    assert (np.diff(frames) <= 0).all()
    assert panel.table.selected == [cell] == panel.current.selection


def test_number_keys_label_the_selected_rows(panel, qtbot):
    cell = click(qtbot, panel, 5)
    qtbot.keyClick(panel.table, "2")
    assert panel.current.study.annotations.get("movie", cell) == panel.labels.buttons.classes[1]
    assert panel.table.selected == [cell]


def test_filters_show_some_cells_and_say_how_many(panel, qtbot):
    panel.filters.given.setCurrentText("metaphase")
    panel.filters.given.activated.emit(panel.filters.given.currentIndex())
    assert panel.summary.text().startswith("3 of 28 cells shown")
    panel.filters.given.setCurrentIndex(0)
    panel.filters.track.setText("2, 4")
    panel.filters.track.editingFinished.emit()
    tracks = panel.current.crops.cells["track_id"].to_numpy()[panel.table.cells.order]
    assert sorted(set(tracks)) == [2, 4]
    panel.filters.track.setText("two")
    panel.filters.track.editingFinished.emit()
    assert "type a number" in panel.error_line.text()


def test_movies_are_listed_and_one_is_chosen(panel):
    assert [panel.movies.table.cell(0, column).text() for column in range(6)] == [
        "movie", "28", "5", "3", "0", "yes"
    ]  # fmt: skip
    panel.movies.table.cellDoubleClicked.emit(0, 0)
    assert panel.filters.movie.currentText() == "movie"
    panel.viewer.layers.remove("movie")
    panel.current.select([4])
    assert "The movie of movie is not open" in panel.summary.text()
    panel.movies.open_button.click()
    assert "not cut from the file of a movie" in panel.movies.error_line.text()


def test_a_hundred_thousand_rows_sort_and_select_at_once(qtbot):
    table = CellTable()
    qtbot.addWidget(table)
    rng = np.random.default_rng(0)
    columns = [
        Column("Score", "A score.", rng.normal(size=100_000)),
        Column("Class", "A class.", np.full(100_000, "a", object)),
    ]
    table.cells.show_cells(columns, {}, np.arange(100_000))
    start = time.process_time()
    table.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    table.select(list(range(0, 100_000, 100)))
    assert time.process_time() - start < 2  # 0.1 s on an idle machine
    assert len(table.selected) == 1000


def test_scores_have_as_many_decimals_as_each_other():
    scores = Column("Score", "A score.", np.array([6.7, 6.71, -0.001]), decimals=2)
    assert [scores.text(cell) for cell in range(3)] == ["6.70", "6.71", "0.00"]


def test_a_label_is_undone_and_redone_where_it_was_given(panel, qtbot):
    cell = click(qtbot, panel, 4)
    before = panel.current.labels[cell]
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(panel.table, "2")
    given = panel.current.labels[cell]
    assert given != before
    click(qtbot, panel, 7)
    for key, modifiers, label in (
        (Qt.Key.Key_Z, control, before),
        (Qt.Key.Key_Y, control, given),
        (Qt.Key.Key_Z, control, before),
        (Qt.Key.Key_Z, control | shift, given),
    ):
        qtbot.keyClick(panel.table, key, modifiers)
        assert panel.current.labels[cell] == label
        assert panel.table.selected == [cell]
