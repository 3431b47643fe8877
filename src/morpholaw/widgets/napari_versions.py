"""What differs between the supported versions of napari: the camera, the axes, and fitting the view to some layers."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

MARGIN = 0.05
"""Share of the canvas that stays free around layers that fill it, as in napari."""


def camera(viewer: ViewerModel) -> Any:
    """Return the camera of a viewer, which is part of its scene since napari 0.9.0."""
    return viewer.scene.camera if hasattr(viewer, "scene") else viewer.camera


def axes_overlay(viewer: ViewerModel) -> Any:
    """Return the overlay that shows the axes of a viewer, which is part of its scene since napari 0.9.0."""
    return viewer.scene.overlays.axes if hasattr(viewer, "scene") else viewer.axes


def fit_3d_view(viewer: ViewerModel, layers: Sequence[Layer]) -> None:
    """Move the camera of a 3D view so that some layers fill the canvas.

    Before napari 0.9.2, ``fit_to_view`` always included every layer, hidden ones too. For those versions, this is
    what it does, with the extent of the given layers.
    """
    if "layers" in inspect.signature(viewer.fit_to_view).parameters:
        viewer.fit_to_view(layers=layers, margin=MARGIN)
        return
    extent = viewer.layers.get_extent(layers).world[:, list(viewer.dims.displayed)]
    camera(viewer).center = tuple(extent.mean(axis=0))
    camera(viewer).zoom = viewer._get_3d_camera_zoom(extent, 1 - MARGIN)
