"""A box in the viewer that shows which part of the movie the crop of the current cell covers."""

from __future__ import annotations

from typing import Any

import numpy as np

NAME = "crop box"
"""Name of the layer in the viewer."""


class CropBox:
    """A rectangle in a vectors layer; the layer is added when it is first needed.

    A vectors layer is added and drawn four times as fast as a shapes layer, for which napari renders glyphs.

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
        width = max(1.0, size / 40)
        sides = box_sides(t, crop_corners(y, x, size), width)
        if self.layer is None or self.layer not in self.viewer.layers:
            active = self.viewer.layers.selection.active
            self.layer = self.viewer.add_vectors(
                sides,
                vector_style="line",
                edge_color="#f0e442",
                edge_width=width,
                name=NAME,
                scale=movie.scale[-3:],
                translate=movie.translate[-3:],
                metadata={"morpholaw": "crop box"},
            )
            self.viewer.layers.selection.active = active
        else:
            self.layer.scale, self.layer.translate = movie.scale[-3:], movie.translate[-3:]
            self.layer.edge_width, self.layer.data = width, sides

    def remove(self) -> None:
        """Remove the layer with the box."""
        if self.layer is not None and self.layer in self.viewer.layers:
            self.viewer.layers.remove(self.layer)
        self.layer = None


def box_sides(t: int, corners: np.ndarray, width: float) -> np.ndarray:
    """Return the four sides of a box in frame t as vectors (4, 2, 3) that overlap by ``width`` at the corners."""
    sides = np.roll(corners, -1, axis=0) - corners
    overlap = width / 2 * np.sign(sides)
    starts = np.column_stack([np.full(4, t), corners - overlap])
    return np.stack([starts, np.column_stack([np.zeros(4), sides + 2 * overlap])], axis=1)


def crop_corners(y: float, x: float, size: float) -> np.ndarray:
    """Return the corners (4, 2) of the crop whose pixel [size // 2, size // 2] is nearest to (y, x)."""
    top, left = np.floor(y + 0.5) - size // 2 - 0.5, np.floor(x + 0.5) - size // 2 - 0.5
    return np.array([[top, left], [top, left + size], [top + size, left + size], [top + size, left]])
