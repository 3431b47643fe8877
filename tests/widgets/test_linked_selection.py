"""A cell that is chosen in the movie or in one panel is shown in the movie and in all panels."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from morpholaw.widgets.cells.panel import CellsWidget
from morpholaw.widgets.lineages.panel import LineagesWidget
from morpholaw.widgets.map.panel import MapWidget
from morpholaw.widgets.movie.selection_in_movie import NAME
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.table.panel import TableWidget

KINDS = {"cells": CellsWidget, "table": TableWidget, "map": MapWidget, "lineages": LineagesWidget}


@pytest.fixture
def window(make_napari_viewer, tracked_study_folder, tmp_path, qtbot):
    """A viewer with its movie and study, and its panels by name; each is at its usual size."""
    viewer = make_napari_viewer(show=False)
    viewer.add_image(np.load(tracked_study_folder / "movie.npy"), name="movie")
    current = CurrentStudy.of(viewer)
    # here rather than in the live process, which takes seconds to start
    current.live.call = lambda function, *arguments, monitor=None: function(*arguments)
    panels = {}
    for name, kind in KINDS.items():
        panels[name] = kind(viewer)
        qtbot.addWidget(panels[name], before_close_func=lambda _, panels=panels: settle(panels, qtbot))
        panels[name].resize(420, 900)
        panels[name].show()
    current.open(shutil.copytree(tracked_study_folder, tmp_path / "study"))
    qtbot.waitUntil(lambda: drawn(panels), timeout=60_000)
    return viewer, current, panels


def drawn(panels) -> bool:
    return panels["map"].map.drawing is not None and panels["lineages"].tree.drawing is not None


def settle(panels, qtbot) -> None:
    pictures = (panels["map"].map, panels["lineages"].tree)
    calls = (panels["map"].latent_call, panels["map"].shape_call, panels["lineages"].call)
    qtbot.waitUntil(
        lambda: not any(one.running for one in calls) and not any(one.pending for one in pictures),
        timeout=60_000,
    )


def click(qtbot, widget, place: QPoint, modifier=Qt.KeyboardModifier.NoModifier) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton, modifier, place)


def in_movie(viewer, current, panels, qtbot, cell: int) -> None:
    place = current.crops.cells.iloc[cell]
    panels["cells"].in_movie.clicked(np.array([place.t, place.y, place.x], float))


def in_gallery(viewer, current, panels, qtbot, cell: int) -> None:
    gallery = panels["cells"].gallery
    index = gallery.crop_model.index(gallery.crop_model.row_of(cell))
    gallery.scrollTo(index)
    click(qtbot, gallery.viewport(), gallery.visualRect(index).center())


def in_table(viewer, current, panels, qtbot, cell: int) -> None:
    table = panels["table"].table
    index = table.cells.index(int(table.cells.rows_of([cell])[0]), 0)
    table.scrollTo(index)
    click(qtbot, table.viewport(), table.visualRect(index).center())


def in_map(viewer, current, panels, qtbot, cell: int) -> None:
    cells = panels["map"].map
    click(qtbot, cells.surface, QPoint(*(round(value) for value in cells.place_of(cell))))


def in_lineage(viewer, current, panels, qtbot, cell: int) -> None:
    tree = panels["lineages"].tree
    click(qtbot, tree.surface, QPoint(*(round(value) for value in tree.place_of(cell))))


@pytest.mark.parametrize("choose", [in_movie, in_gallery, in_table, in_map, in_lineage])
def test_a_cell_that_is_clicked_in_one_place_is_seen_in_all(window, qtbot, choose):
    viewer, current, panels = window
    track, t = current.crops.cells[["track_id", "t"]].to_numpy().T
    cell = int(np.flatnonzero((track == 2) & (t == 6))[0])  # a daughter
    choose(viewer, current, panels, qtbot, cell)
    (chosen,) = current.selection
    # on the map the nearest dot may be another cell with nearly the same features
    assert chosen == cell or choose is in_map
    place = current.crops.cells.iloc[chosen]
    assert viewer.layers[NAME].data.tolist() == [[place.t, place.y, place.x]]
    assert choose is in_movie or viewer.dims.point[0] == place.t
    assert panels["cells"].gallery.selected == [chosen]
    assert panels["table"].table.selected == [chosen]
    assert panels["map"].map.selected == panels["lineages"].tree.selected == [chosen]


def test_cells_that_are_circled_on_the_map_are_seen_in_all(window, qtbot):
    _, current, panels = window
    cells = panels["map"].map
    (left, top), (right, bottom) = cells.drawing.frame
    corners = [(left - 2, top - 2), (right + 2, top - 2), (right + 2, bottom + 2), (left - 2, bottom + 2)]
    start = QPoint(*(round(value) for value in corners[0]))
    qtbot.mousePress(cells.surface, Qt.MouseButton.LeftButton, pos=start)
    for corner in corners[1:]:
        cells.moved(QPoint(*(round(value) for value in corner)).toPointF(), True)
    qtbot.mouseRelease(cells.surface, Qt.MouseButton.LeftButton, pos=start)
    everything = list(range(len(current.crops)))
    assert sorted(current.selection) == sorted(panels["table"].table.selected) == everything
    assert sorted(panels["cells"].gallery.selected) == sorted(panels["lineages"].tree.selected) == everything
