"""A cell before and after an attack as image layers, at its place in the movie or beside the other layers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.utils.colormaps.colormap import Colormap

from morpholaw.widgets.movie.movie_place import MoviePlace, free_place
from morpholaw.widgets.pictures.picture_grid import SIGNED_COLOURS

KINDS = ("original", "perturbed", "difference", "reconstruction")
"""The images of a cell. Over the movie, one of them is visible at a time."""
DIFFERENCE = "difference"


class OverlayLayers:
    """The layers of one cell, updated in place while a slider moves.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer to which the layers are added.

    Notes
    -----
    A layer is added only when its image is first visible, because adding a layer takes napari about 0.5 s. Layers are
    hidden and reused instead of removed: napari may draw with the buffers of removed layers, which crashes some
    graphics drivers.
    """

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self._over: dict[str, Any] = {}
        self._beside: dict[str, Any] = {}
        self.layers = self._over
        self._shown: dict[str, _Overlay] = {}

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
            Grey level that is shown as white.
        limit : float
            Difference that is shown in the strongest colours; zero is white.
        place : MoviePlace or None
            Place of the cell in the movie; None shows the images side by side, beside the other layers.
        seen : str
            The image that is visible over the movie. Side by side, all images are visible.
        metadata : dict
            Metadata stored with each layer: the cell, the scheme, eps.
        """
        self._choose(self._beside if place is None else self._over)
        corner = free_place(self.viewer) if place is None and not self._alive() else (0.0, 0.0)
        self._shown = {}
        for column, (kind, image) in enumerate(images.items()):
            options: dict[str, Any]
            if place is None:
                options = {"translate": (corner[0], corner[1] + column * (image.shape[1] + 4))}
            else:
                options = place.layer_options()
            limits = (-limit, limit) if kind == DIFFERENCE else (0.0, white)
            data = image[None] if place is not None and place.layer.ndim == 3 else image
            self._shown[kind] = _Overlay(data, limits, options, {**metadata, "kind": kind})
            if kind in self._alive():
                self._update(kind, moves=place is not None)
            elif place is None or kind == seen:
                self._add(kind)
        for kind, layer in self._alive().items():
            self._see(layer, kind in images and (place is None or kind == seen))

    def see(self, kind: str) -> None:
        """Show one of the images over the movie and hide the others; side by side, all images stay visible."""
        if self.layers is not self._over:
            return
        shows = any(layer.visible for layer in self._alive().values())
        if shows and kind in self._shown and kind not in self._alive():
            self._add(kind)
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
        """Return the layers that the user has not deleted."""
        return {kind: layer for kind, layer in self.layers.items() if layer in self.viewer.layers}

    @staticmethod
    def _see(layer: Any, on: bool) -> None:
        if layer.visible != on:
            layer.visible = on

    def _update(self, kind: str, moves: bool) -> None:
        layer, overlay = self.layers[kind], self._shown[kind]
        layer.data = overlay.data
        if tuple(layer.contrast_limits) != overlay.limits:
            layer.contrast_limits_range = overlay.limits
            layer.contrast_limits = overlay.limits
        for name in ("scale", "translate"):
            if moves and not np.array_equal(getattr(layer, name), overlay.options[name]):
                setattr(layer, name, overlay.options[name])
        layer.metadata["morpholaw"] = overlay.metadata

    def _add(self, kind: str) -> None:
        overlay = self._shown[kind]
        selected = set(self.viewer.layers.selection)
        self.layers[kind] = self.viewer.add_image(
            overlay.data,
            name=f"{kind} cell",
            contrast_limits=overlay.limits,
            colormap=signed_colormap() if kind == DIFFERENCE else "gray",
            blending="translucent_no_depth",
            metadata={"morpholaw": overlay.metadata},
            **overlay.options,
        )
        if selected:  # keep the user's layer selected
            self.viewer.layers.selection = selected


@dataclass(frozen=True)
class _Overlay:
    """Data, contrast limits and options of one layer."""

    data: np.ndarray
    limits: tuple[float, float]
    options: dict[str, Any]
    metadata: dict[str, Any]


def signed_colormap() -> Colormap:
    """Return a colormap that is red below zero, white at zero and blue above, as in the figures."""
    colours = np.column_stack([SIGNED_COLOURS / 255, np.ones(len(SIGNED_COLOURS))])
    return Colormap(colours, name="RdBu", display_name="difference")
