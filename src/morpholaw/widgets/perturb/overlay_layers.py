"""A cell before and after an attack as image layers, over its place in the movie or beside the other layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from napari.utils.colormaps.colormap import Colormap

from morpholaw.widgets.movie.movie_place import MoviePlace, free_place
from morpholaw.widgets.pictures.picture_grid import SIGNED_COLOURS

KINDS = ("original", "perturbed", "difference", "reconstruction")
"""The images of a cell; over the movie, one of them is seen at a time."""
DIFFERENCE = "difference"


class OverlayLayers:
    """The four layers of one cell, updated in place while a slider moves.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer that has the layers.

    Notes
    -----
    Layers are hidden and reused, not removed: napari may draw with the buffers of removed layers, which crashes
    some graphics drivers.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self._over: dict[str, Any] = {}
        self._beside: dict[str, Any] = {}
        self.layers = self._over

    def show(
        self,
        images: Mapping[str, np.ndarray],
        white: float,
        limit: float,
        place: MoviePlace | None,
        seen: str,
        metadata: dict[str, Any],
    ) -> None:
        """Show images of a cell.

        Parameters
        ----------
        images : mapping of str to ndarray
            Images (s, s), named as in :data:`KINDS`.
        white : float
            Level shown white.
        limit : float
            Difference shown in the strongest colours; zero is white.
        place : MoviePlace or None
            Place of the cell in the movie; None shows the images side by side where there is room.
        seen : str
            The image that is visible over the movie; side by side, all are visible.
        metadata : dict
            Stored with each layer: the cell, the scheme, eps.
        """
        self._choose(self._beside if place is None else self._over)
        corner = free_place(self.viewer) if place is None and not self._alive() else (0.0, 0.0)
        for column, (kind, image) in enumerate(images.items()):
            limits = (-limit, limit) if kind == DIFFERENCE else (0.0, white)
            data = image[None] if place is not None and place.layer.ndim == 3 else image
            options: dict[str, Any]
            if place is None:
                options = {"translate": (corner[0], corner[1] + column * (image.shape[1] + 4))}
            else:
                options = place.layer_options()
            if kind in self._alive():
                if place is None:
                    options = {}
                self._update(self.layers[kind], data, limits, options)
            else:
                self._add(kind, data, limits, options)
            self.layers[kind].metadata["morpholaw"] = {**metadata, "kind": kind}
        for kind, layer in self._alive().items():
            self._see(layer, kind in images and (place is None or kind == seen))

    def see(self, kind: str) -> None:
        """Show one of the layers over the movie and hide the others; layers side by side all stay visible."""
        if self.layers is self._over:
            for name, layer in self._alive().items():
                self._see(layer, name == kind)

    def hide(self) -> None:
        """Hide all layers."""
        for layer in self._alive().values():
            self._see(layer, False)

    def _choose(self, layers: dict[str, Any]) -> None:
        if layers is not self.layers:
            self.hide()
            self.layers = layers

    def _alive(self) -> dict[str, Any]:
        """Return the layers that were not deleted by the user."""
        return {kind: layer for kind, layer in self.layers.items() if layer in self.viewer.layers}

    @staticmethod
    def _see(layer: Any, on: bool) -> None:
        if layer.visible != on:
            layer.visible = on

    @staticmethod
    def _update(layer: Any, data: np.ndarray, limits: tuple[float, float], options: dict[str, Any]) -> None:
        layer.data = data
        if tuple(layer.contrast_limits) != limits:
            layer.contrast_limits_range = limits
            layer.contrast_limits = limits
        for name in ("scale", "translate"):
            if name in options and not np.array_equal(getattr(layer, name), options[name]):
                setattr(layer, name, options[name])

    def _add(self, kind: str, data: np.ndarray, limits: tuple[float, float], options: dict[str, Any]) -> None:
        chosen = set(self.viewer.layers.selection)
        self.layers[kind] = self.viewer.add_image(
            data,
            name=f"{kind} cell",
            contrast_limits=limits,
            colormap=signed_colormap() if kind == DIFFERENCE else "gray",
            blending="translucent_no_depth",
            **options,
        )
        if chosen:  # the layer that the user works with stays selected
            self.viewer.layers.selection = chosen


def signed_colormap() -> Colormap:
    """Return a colormap that is red below zero, white at zero and blue above, as in the figures."""
    colours = np.column_stack([SIGNED_COLOURS / 255, np.ones(len(SIGNED_COLOURS))])
    return Colormap(colours, name="RdBu", display_name="difference")
