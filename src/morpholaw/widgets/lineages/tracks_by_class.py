"""Which tracks of the movie are drawn: those with an image of a class that is ticked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Tracks
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QWidget

from morpholaw.widgets.lineages.hidden_tracks import hide_vertices, vertices_without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

    from morpholaw.cells.crop_set import Crops

NO_CLASS = "no class"
COLUMNS = 3
"""Boxes side by side."""


class TracksByClass(QWidget):
    """A box per class; a track of the viewer is drawn where one of its images has a class that is ticked.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that has the layers of tracks.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = viewer
        self.boxes: dict[str, QCheckBox] = {}
        self._crops: Crops | None = None
        self._labels = np.empty(0, object)
        self._rows = QGridLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.addWidget(QLabel("Tracks drawn in the movie: those with an image of"), 0, 0, 1, COLUMNS)
        self.hide()

    def show_classes(self, crops: Crops | None, labels: np.ndarray, classes: Sequence[str]) -> None:
        """Offer the classes that tracked cells have; what was unticked stays so.

        Parameters
        ----------
        crops : Crops, optional
            The crops of the study; None for none.
        labels : ndarray, object (crops,)
            The class of each, "" for none.
        classes : sequence of str
            Names in the order in which they are offered.
        """
        self._crops, self._labels = crops, labels
        tracked = np.zeros(0, bool) if crops is None else crops.cells["track_id"].to_numpy() >= 0
        present = set(labels[tracked].astype(str).tolist()) if len(labels) == len(tracked) else set()
        names = [name for name in (*classes, "") if name in present]
        if names != list(self.boxes):
            self._offer(names)
        self.setVisible(len(names) > 1)
        self.apply()

    def apply(self) -> None:
        """Draw the layers of tracks as the boxes say."""
        hidden = {name for name, box in self.boxes.items() if not box.isChecked()}
        for layer in self.viewer.layers:
            if isinstance(layer, Tracks) and self._crops is not None and len(layer.data):
                hide_vertices(layer, vertices_without(layer, self._crops, self._labels, hidden))

    def _offer(self, names: Sequence[str]) -> None:
        unticked = {name for name, box in self.boxes.items() if not box.isChecked()}
        for box in self.boxes.values():
            self._rows.removeWidget(box)
            box.hide()  # it is deleted later than the new boxes are drawn
            box.deleteLater()
        self.boxes = {}
        for place, name in enumerate(names):
            box = QCheckBox(name or NO_CLASS)
            box.setToolTip(
                f"Draw the tracks that have an image of {name}." if name else "Draw tracks without a class."
            )
            box.setChecked(name not in unticked)
            box.toggled.connect(self._toggled)
            self._rows.addWidget(box, 1 + place // COLUMNS, place % COLUMNS)
            self.boxes[name] = box

    def _toggled(self, _: bool) -> None:
        self.apply()
