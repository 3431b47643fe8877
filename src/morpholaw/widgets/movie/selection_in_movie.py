"""The selected cells in the movie: a click selects a cell, the view goes to it, and rings mark all selected cells."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QApplication

from morpholaw.widgets.movie.movie_clicks import MovieClicks
from morpholaw.widgets.movie.movie_place import crop_at, is_in_view, movie_layer
from morpholaw.widgets.napari_versions import camera

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image, Points

    from morpholaw.cells.crop_set import Crops, CropSet
    from morpholaw.widgets.study.current_study import CurrentStudy

NAME = "selected cells"
"""Name of the layer with the rings."""
MOST_MARKED = 2000
"""Largest number of selected cells that are marked."""
COLOUR = "#f0e442"


class SelectionInMovie(QObject):
    """Shows the selected cells of the study in the movie, and selects cells by clicks on the movie.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie; referenced weakly.
    current : CurrentStudy
        The study and its selected cells; referenced weakly.

    Notes
    -----
    ``picked`` is emitted with the global index of a cell that is clicked in the movie.
    """

    picked = Signal(int)

    def __init__(self, viewer: ViewerModel, current: CurrentStudy) -> None:
        super().__init__()
        self._viewer, self._current = weakref.ref(viewer), weakref.ref(current)
        self._picking = False
        current.selection_changed.connect(self._selected)
        MovieClicks(viewer, self.clicked)  # the viewer holds a reference to it

    def clicked(self, position: np.ndarray) -> None:
        """Select the cell at a world position; with Shift, add it to the selection or remove it."""
        viewer, current = self._viewer(), self._current()
        if viewer is None or current is None or current.crops is None or not _is_panning(viewer):
            return
        cell = crop_at(viewer, current.crops, position.tolist())
        if cell is None:
            return
        cells = [cell]
        if QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier:
            others = [other for other in current.selection if other != cell]
            cells = others if cell in current.selection else [*others, cell]
        self._picking = True
        try:
            current.select(cells)
        finally:
            self._picking = False
        self.picked.emit(cell)

    def _selected(self, cells: list[int]) -> None:
        if cells and not self._picking:
            self.go_to(cells[0])
        self._show_marks(cells)

    def go_to(self, cell: int) -> None:
        """Go to the frame of a cell, and move the camera if the cell is out of view."""
        viewer, current = self._viewer(), self._current()
        crops = None if current is None else current.crops
        if viewer is None or crops is None or cell >= len(crops):
            return
        crop_set, row = set_of(crops, cell)
        layer = movie_layer(viewer, crop_set)
        t, y, x = (float(crop_set.cells[name].iloc[row]) for name in ("t", "y", "x"))
        if layer is None or t < 0 or not np.isfinite([y, x]).all():
            return
        layer.visible = True
        point = layer.data_to_world((t, y, x)[-layer.ndim :])
        if layer.ndim == 3:
            viewer.dims.set_point(viewer.dims.ndim - 3, point[0])
        if not is_in_view(layer, y, x):
            camera(viewer).center = (0.0, *point[-2:])

    def _show_marks(self, cells: Sequence[int]) -> None:
        """Mark the cells that are in the same movie as the first one."""
        viewer, current = self._viewer(), self._current()
        if viewer is None or current is None:
            return
        marks: Points | None = next((layer for layer in viewer.layers if layer.name == NAME), None)
        rings = None if current.crops is None or not cells else _places(viewer, current.crops, cells)
        if rings is None:
            if marks is not None:
                marks.data = np.empty((0, marks.ndim))
            return
        layer, places, side = rings
        if marks is not None and marks.ndim == places.shape[1]:
            marks.data = places
            marks.size = side
            marks.scale, marks.translate = layer.scale[-layer.ndim :], layer.translate[-layer.ndim :]
            return
        active = viewer.layers.selection.active
        if marks is not None:
            viewer.layers.remove(marks)
        viewer.add_points(
            places,
            name=NAME,
            size=side,
            face_color="transparent",
            border_color=COLOUR,
            border_width=0.06,
            scale=layer.scale[-layer.ndim :],
            translate=layer.translate[-layer.ndim :],
            metadata={"morpholaw": NAME},
        ).editable = False
        viewer.layers.selection.active = active


def set_of(crops: Crops, cell: int) -> tuple[CropSet, int]:
    """Return the crop set of a cell and the cell's row in that set."""
    place = int(np.searchsorted(crops.offsets, cell, side="right")) - 1
    return crops.sets[place], int(cell - crops.offsets[place])


def _places(
    viewer: ViewerModel, crops: Crops, cells: Sequence[int]
) -> tuple[Image, np.ndarray, float] | None:
    """Return the movie of the first cell, the positions (n, ndim) of all cells in it, and the diameter of a ring."""
    marked = np.asarray(cells[:MOST_MARKED])
    marked = marked[marked < len(crops)]
    if not len(marked):
        return None
    crop_set, _ = set_of(crops, int(marked[0]))
    layer = movie_layer(viewer, crop_set)
    if layer is None:
        return None
    start = int(crops.offsets[crops.sets.index(crop_set)])
    rows = marked[(marked >= start) & (marked < start + len(crop_set))] - start
    places = crop_set.cells[["t", "y", "x"]].to_numpy(np.float64)[rows]
    places = places[(places[:, 0] >= 0) & np.isfinite(places).all(axis=1)]
    return (layer, places[:, -layer.ndim :], 0.5 * crop_set.size) if len(places) else None


def _is_panning(viewer: ViewerModel) -> bool:
    """Return whether no tool of the active layer, such as a brush, uses the mouse."""
    active: Any = viewer.layers.selection.active
    return str(getattr(active, "mode", "pan_zoom")) == "pan_zoom"
