"""A box in the viewer that shows which part of the movie the crop of the current cell covers."""

from __future__ import annotations

from typing import Any

import numpy as np

NAME = "crop box"
"""Name of the layer in the viewer."""


class CropBox:
    """A rectangle in a shapes layer; the layer is added when it is first needed.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.layer: Any = None

    def show(self, movie: Any, t: int, y: float, x: float, size: float) -> None:
        """Draw a box of ``size`` pixels of the layer ``movie`` around (y, x) in frame t."""
        corners = crop_corners(y, x, size)
        box = np.column_stack([np.full(4, t), corners])
        if self.layer is None or self.layer not in self.viewer.layers:
            active = self.viewer.layers.selection.active
            self.layer = self.viewer.add_shapes(
                [box],
                shape_type="rectangle",
                edge_color="#f0e442",
                face_color="transparent",
                edge_width=max(1.0, size / 40),
                name=NAME,
                scale=movie.scale[-3:],
                translate=movie.translate[-3:],
                metadata={"morpholaw": "crop box"},
            )
            self.layer.editable = False
            self.viewer.layers.selection.active = active
        else:
            self.layer.scale, self.layer.translate = movie.scale[-3:], movie.translate[-3:]
            self.layer.data = [box]

    def remove(self) -> None:
        """Remove the layer with the box."""
        if self.layer is not None and self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)
        self.layer = None


def crop_corners(y: float, x: float, size: float) -> np.ndarray:
    """Return the corners (4, 2) of the crop whose pixel [size // 2, size // 2] is nearest to (y, x)."""
    top, left = np.floor(y + 0.5) - size // 2 - 0.5, np.floor(x + 0.5) - size // 2 - 0.5
    return np.array([[top, left], [top, left + size], [top + size, left + size], [top + size, left]])
