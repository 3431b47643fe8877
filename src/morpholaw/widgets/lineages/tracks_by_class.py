"""Draw only the tracks that pass through a ticked class.

The data of the layer do not change, so crops are still cut around the cells of all tracks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Tracks
from napari.utils.colormaps import AVAILABLE_COLORMAPS
from napari.utils.colormaps.colormap import Colormap
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QWidget

from morpholaw.widgets.forms.fitted_name import FittedName
from morpholaw.widgets.forms.tab_order import reach_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

    from morpholaw.cells.crop_set import Crops


FRAMES = 10_000_000
"""More frames than any movie has; track * FRAMES + frame is unique."""


class HidingColormap(Colormap):  # type: ignore[misc]  # napari declares no types
    """A colormap in which some vertices of a tracks layer are transparent; other colours come from ``base``."""

    base: Any
    scaled: bool
    hidden: Any

    def map(self, values: Any) -> np.ndarray:
        """Return colours, float (n, 4), of the values of all vertices (n,)."""
        values = np.asarray(values, np.float32)
        if self.scaled:  # napari scales values in the same way for its own colormaps
            values = (values - values.min()) / max(1e-10, float(np.ptp(values)))
        colours: np.ndarray = np.array(self.base.map(values), np.float32)
        if len(colours) == len(self.hidden):  # otherwise the layer has other tracks by now
            colours[self.hidden, 3] = 0
        return colours


def hide_vertices(layer: Tracks, hidden: np.ndarray) -> None:
    """Hide some vertices, bool (n,), of a tracks layer, whatever colours it; show those that were hidden before."""
    current = layer.colormaps_dict
    if not hidden.any() and not any(isinstance(colormap, HidingColormap) for colormap in current.values()):
        return
    maps = {}
    for name, colormap in current.items():
        if not isinstance(colormap, HidingColormap):
            maps[name] = colormap
        elif not colormap.scaled:
            maps[name] = colormap.base
    if hidden.any():
        for name in layer.properties_to_color_by:
            base = maps.get(name, AVAILABLE_COLORMAPS[layer.colormap])
            maps[name] = HidingColormap(
                colors=base.colors, name=name, base=base, scaled=name not in maps, hidden=hidden
            )
    layer.colormaps_dict = maps
    layer.color_by = layer.color_by  # setting this makes napari colour the layer again


def vertices_without(layer: Tracks, crops: Crops, labels: np.ndarray, hidden: set[str]) -> np.ndarray:
    """Return which vertices belong to tracks whose images all have hidden classes, bool (vertices,).

    Parameters
    ----------
    layer : napari.layers.Tracks
        The tracks.
    crops : Crops
        The crops of the study.
    labels : ndarray, object (crops,)
        Class of each crop, "" if it has none.
    hidden : set of str
        Hidden classes; "" stands for cells without a class.

    Returns
    -------
    ndarray
        All False if the tracks do not belong to a movie of the study.
    """
    if not hidden:
        return np.zeros(len(layer.data), bool)
    tracks = layer.data[:, 0].astype(np.int64)
    vertices = tracks * FRAMES + layer.data[:, 1].astype(np.int64)
    cells = crops.cells
    images = cells["track_id"].to_numpy(np.int64) * FRAMES + cells["t"].to_numpy(np.int64)
    shares = [
        np.isin(vertices, images[a:b]).mean() for a, b in zip(crops.offsets, crops.offsets[1:], strict=False)
    ]
    best = int(np.argmax(shares))
    if shares[best] < 0.5:
        return np.zeros(len(vertices), bool)
    of_movie = slice(crops.offsets[best], crops.offsets[best + 1])
    ids = cells["track_id"].to_numpy(np.int64)[of_movie]
    visible = ids[~np.isin(labels[of_movie].astype(str), sorted(hidden))]
    return np.isin(tracks, ids) & ~np.isin(tracks, visible)


NO_CLASS = "no class"
COLUMNS = 3
"""Number of checkboxes in a row."""


class TracksByClass(QWidget):
    """One checkbox per class; a track is drawn if one of its images has a ticked class.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the tracks layers.
    """

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = viewer
        self.boxes: dict[str, QCheckBox] = {}
        self._crops: Crops | None = None
        self._labels = np.empty(0, object)
        self._rows = QGridLayout(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.addWidget(QLabel("Draw the tracks in the movie that pass through:"), 0, 0, 1, COLUMNS)
        self.hide()

    def show_classes(self, crops: Crops | None, labels: np.ndarray, classes: Sequence[str]) -> None:
        """Show a checkbox for each class of the tracked cells; a class that was unticked stays unticked.

        Parameters
        ----------
        crops : Crops, optional
            The crops of the study; None if there are none.
        labels : ndarray, object (crops,)
            Class of each crop, "" if it has none.
        classes : sequence of str
            Names of the classes, in the order of the checkboxes.
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
        """Show and hide tracks as the checkboxes say."""
        hidden = {name for name, box in self.boxes.items() if not box.isChecked()}
        for layer in self.viewer.layers:
            if isinstance(layer, Tracks) and self._crops is not None and len(layer.data):
                hide_vertices(layer, vertices_without(layer, self._crops, self._labels, hidden))

    def _offer(self, names: Sequence[str]) -> None:
        unticked = {name for name, box in self.boxes.items() if not box.isChecked()}
        for box in self.boxes.values():
            self._rows.removeWidget(box)
            box.hide()  # Qt deletes it only after it has drawn the new boxes
            box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
            box.deleteLater()
        self.boxes = {}
        for place, name in enumerate(names):
            box = QCheckBox()
            FittedName(box).say(name or NO_CLASS)
            box.setToolTip(
                f"Draw the tracks with at least one image of {name}."
                if name
                else "Draw the tracks with at least one image without a class."
            )
            box.setChecked(name not in unticked)
            box.toggled.connect(self._toggled)
            self._rows.addWidget(box, 1 + place // COLUMNS, place % COLUMNS)
            self.boxes[name] = box
        reach_before(self, list(self.boxes.values()))

    def _toggled(self, _: bool) -> None:
        self.apply()
