"""Tracks that a layer does not draw: its data stay whole, so that cells are still cut by all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Tracks
from napari.utils.colormaps import AVAILABLE_COLORMAPS
from napari.utils.colormaps.colormap import Colormap

if TYPE_CHECKING:
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
