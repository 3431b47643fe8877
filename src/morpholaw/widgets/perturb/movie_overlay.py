"""Controls that show the first attacked cell at its place in the movie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from morpholaw.widgets.movie.movie_place import place_of
from morpholaw.widgets.perturb.overlay_layers import KINDS, OverlayLayers
from morpholaw.widgets.study.current_study import CurrentStudy


class MovieOverlay(QWidget):
    """Shows one image of a cell over the movie, and lets the user choose which one.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie.
    current : CurrentStudy
        The study with the cells.
    """

    def __init__(self, viewer: Any, current: CurrentStudy) -> None:
        super().__init__()
        self.viewer, self.current = viewer, current
        self.layers = OverlayLayers(viewer)
        self._cell: int | None = None
        self.show_box = QCheckBox("Show in the movie")
        self.show_box.setToolTip("Show the first cell at its place in the movie while you move the slider.")
        self.seen_box = QComboBox()
        self.seen_box.addItems(list(KINDS))
        self.seen_box.setCurrentText("perturbed")
        self.seen_box.setToolTip("Choose which image of the cell to show over the movie.")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.show_box)
        layout.addWidget(self.seen_box, 1)
        self.seen_box.currentTextChanged.connect(self.layers.see)

    @property
    def wanted(self) -> bool:
        """Whether the user wants to see the cell in the movie."""
        return self.show_box.isChecked()

    def enable(self, on: bool) -> None:
        """Enable or disable the controls."""
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
        """Show the images (s, s) of a cell; move the view to the cell unless it was shown last."""
        crops = self.current.crops
        place = None if crops is None else place_of(self.viewer, crops, cell)
        self.layers.show(images, white, limit, place, self.seen_box.currentText(), metadata)
        if cell != self._cell and self.current.in_movie is not None:
            self.current.in_movie.go_to(cell)
        self._cell = cell

    def hide_cell(self) -> None:
        """Hide the cell."""
        self.layers.hide()
        self._cell = None
