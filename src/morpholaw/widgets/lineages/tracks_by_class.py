"""Which tracks of the movie are drawn: those with an image of a class that is ticked.

A layer's data stay whole, so that cells are still cut by all of its tracks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Tracks
from napari.utils.colormaps import AVAILABLE_COLORMAPS
from napari.utils.colormaps.colormap import Colormap
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QWidget

from morpholaw.widgets.forms.tab_order import reach_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari.components import ViewerModel

    from morpholaw.cells.crop_set import Crops


FRAMES = 10_000_000
"""More than a movie has, so that track and frame make one number."""


class HidingColormap(Colormap):  # type: ignore[misc]  # napari declares no types
    """Another colour map in which some vertices of a tracks layer are transparent."""

    base: Any
    scaled: bool
    hidden: Any

    def map(self, values: Any) -> np.ndarray:
        """Return colours, float (n, 4), of the values of all vertices (n,)."""
        values = np.asarray(values, np.float32)
        if self.scaled:  # as napari does with maps of its own
            values = (values - values.min()) / max(1e-10, float(np.ptp(values)))
        colours: np.ndarray = np.array(self.base.map(values), np.float32)
        if len(colours) == len(self.hidden):  # else the layer has other tracks now
            colours[self.hidden, 3] = 0
        return colours


def hide_vertices(layer: Tracks, hidden: np.ndarray) -> None:
    """Draw a tracks layer without some of its vertices, bool (n,), whatever it is coloured by.

    What was hidden before is shown again first.
    """
    known = layer.colormaps_dict
    if not hidden.any() and not any(isinstance(one, HidingColormap) for one in known.values()):
        return
    maps = {}
    for name, one in known.items():
        if not isinstance(one, HidingColormap):
            maps[name] = one
        elif not one.scaled:
            maps[name] = one.base
    if hidden.any():
        for name in layer.properties_to_color_by:
            base = maps.get(name, AVAILABLE_COLORMAPS[layer.colormap])
            maps[name] = HidingColormap(
                colors=base.colors, name=name, base=base, scaled=name not in maps, hidden=hidden
            )
    layer.colormaps_dict = maps
    layer.color_by = layer.color_by  # napari colours a layer when this is set


def vertices_without(layer: Tracks, crops: Crops, labels: np.ndarray, hidden: set[str]) -> np.ndarray:
    """Return the vertices of the tracks whose images are all of hidden classes, bool (vertices,).

    Parameters
    ----------
    layer : napari.layers.Tracks
        Tracks of any movie.
    crops : Crops
        The crops of the study.
    labels : ndarray, object (crops,)
        The class of each; "" for none.
    hidden : set of str
        Classes, "" for cells without one.

    Returns
    -------
    ndarray
        All False where the tracks are not of a movie of the study.
    """
    if not hidden:
        return np.zeros(len(layer.data), bool)
    tracks = layer.data[:, 0].astype(np.int64)
    vertices = tracks * FRAMES + layer.data[:, 1].astype(np.int64)
    cells = crops.cells
    own = cells["track_id"].to_numpy(np.int64) * FRAMES + cells["t"].to_numpy(np.int64)
    shares = [
        np.isin(vertices, own[a:b]).mean() for a, b in zip(crops.offsets, crops.offsets[1:], strict=False)
    ]
    best = int(np.argmax(shares))
    if shares[best] < 0.5:
        return np.zeros(len(vertices), bool)
    mine = slice(crops.offsets[best], crops.offsets[best + 1])
    ids = cells["track_id"].to_numpy(np.int64)[mine]
    visible = ids[~np.isin(labels[mine].astype(str), sorted(hidden))]
    return np.isin(tracks, ids) & ~np.isin(tracks, visible)


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
            box.setFocusPolicy(Qt.FocusPolicy.NoFocus)
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
        reach_before(self, list(self.boxes.values()))

    def _toggled(self, _: bool) -> None:
        self.apply()
