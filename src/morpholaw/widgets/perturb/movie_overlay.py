"""Picks cells in the movie and shows the first attacked cell over its place there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QCheckBox, QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.movie.movie_clicks import MovieClicks
from morpholaw.widgets.movie.movie_place import crop_at, place_of
from morpholaw.widgets.perturb.overlay_layers import KINDS, OverlayLayers
from morpholaw.widgets.study.current_study import CurrentStudy

_NO_CELL = "There is no cell of the study here; the movie that it was cut from must be open as a layer."


class MovieOverlay(QWidget):
    """Picks cells in the movie, and shows images of one of them over it.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie.
    current : CurrentStudy
        The study whose cells are picked.
    error_line : ErrorLine
        Where errors are shown.
    """

    def __init__(self, viewer: Any, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__()
        self.viewer, self.current, self.error_line = viewer, current, error_line
        self.layers = OverlayLayers(viewer)
        self._clicks: MovieClicks | None = None
        self._cell: int | None = None
        self._picked: int | None = None
        self.pick_button = QPushButton("Pick cells in the movie")
        self.pick_button.setCheckable(True)
        self.pick_button.setToolTip("Click a cell in the movie to select it, or click with Shift to add it.")
        self.show_box = QCheckBox("Show in the movie")
        self.show_box.setToolTip("Show the first cell over its place in the movie while the slider moves.")
        self.seen_box = QComboBox()
        self.seen_box.addItems(list(KINDS))
        self.seen_box.setCurrentText("perturbed")
        self.seen_box.setToolTip("Choose the image that is shown over the movie.")
        shown = QHBoxLayout()
        shown.addWidget(self.show_box)
        shown.addWidget(self.seen_box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.pick_button)
        layout.addLayout(shown)
        self.pick_button.toggled.connect(self._toggle_picking)
        self.seen_box.currentTextChanged.connect(self.layers.see)

    @property
    def wanted(self) -> bool:
        """Whether the cell is to be shown in the movie."""
        return self.show_box.isChecked()

    def enable(self, on: bool) -> None:
        """Enable or disable the controls that show the cell."""
        self.show_box.setEnabled(on)
        self.seen_box.setEnabled(on)

    def show_cell(
        self,
        cell: int,
        images: Mapping[str, np.ndarray],
        white: float,
        limit: float,
        metadata: dict[str, Any],
    ) -> None:
        """Show the images (s, s) of a cell; move the view to a cell that was not shown before."""
        crops = self.current.crops
        place = None if crops is None else place_of(self.viewer, crops, cell)
        self.layers.show(images, white, limit, place, self.seen_box.currentText(), metadata)
        if place is not None and cell not in (self._cell, self._picked):
            side = next(iter(images.values())).shape[-1]
            self._go_to(place, side)
        self._cell = cell

    def hide_cell(self) -> None:
        """Hide the cell."""
        self.layers.hide()
        self._cell = None

    def pick(self, position: np.ndarray) -> None:
        """Select the cell of the study at a place in world coordinates; with Shift, add it to the selection."""
        crops = self.current.crops
        index = None if crops is None else crop_at(self.viewer, crops, position.tolist())
        if index is None:
            self.error_line.say(_NO_CELL, notify=False)
            return
        self.error_line.clear()
        self._picked = index
        adds = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        kept = [cell for cell in self.current.selection if cell != index] if adds else []
        self.current.select([*kept, index])

    def hideEvent(self, event: Any) -> None:
        """Stop picking when the panel is hidden."""
        self.pick_button.setChecked(False)
        super().hideEvent(event)

    def _toggle_picking(self, on: bool) -> None:
        if self._clicks is not None:
            self._clicks.disconnect()
        self._clicks = MovieClicks(self.viewer, self.pick) if on else None

    def _go_to(self, place: Any, side: int) -> None:
        layer = place.layer
        middle = np.array([place.t, place.y, place.x])[-layer.ndim :]
        middle[-2:] += side / 2 * place.step
        point = layer.data_to_world(tuple(middle))
        if layer.ndim == 3:
            self.viewer.dims.set_point(self.viewer.dims.ndim - 3, point[0])
        self.viewer.scene.camera.center = (0.0, *point[-2:])
