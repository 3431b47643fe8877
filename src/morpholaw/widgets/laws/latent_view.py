"""The 3D view: napari layers with cells as points over three latents, and the surface f = 0 between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.utils.colormaps.colormap import Colormap

from morpholaw.models.classes import UNDEFINED
from morpholaw.widgets.laws.cells_and_surface import CellsAndSurface
from morpholaw.widgets.napari_versions import axes_overlay, camera, fit_3d_view

UNLABELLED = "#9a9a9a"
SURFACE_COLOUR = "#cf9bff"
POINTS_NAME, SURFACE_NAME = "cells in latent space", "law f = 0"


@dataclass(frozen=True)
class LatentSpaceLabels:
    """Names of the axes and the classes in the 3D view, and the colours of the classes.

    Attributes
    ----------
    axes : list of str
        Names of the three latents.
    classes : tuple of str
        The classes predicted for f < 0 and for f >= 0.
    colours : dict of str to str
        Colour of each class of the study.
    formula : str
        The law as text.
    """

    axes: list[str]
    classes: tuple[str, str]
    colours: dict[str, str]
    formula: str


def add_layers(viewer: Any, drawn: CellsAndSurface, labels: LatentSpaceLabels) -> list[Any]:
    """Add the points, and the surface if there is one, to a viewer or ViewerModel; return the layers."""
    negative, positive = labels.classes
    predicted = np.where(drawn.scores >= 0, positive, negative)
    predicted = np.where(np.isfinite(drawn.scores), predicted, UNDEFINED)
    colours = [labels.colours.get(str(name), UNLABELLED) for name in drawn.labels]
    about = {"law": labels.formula, "latents": list(drawn.axes), "classes": list(labels.classes)}
    metadata = {"morpholaw": about}
    added = [
        viewer.add_points(
            drawn.points,
            name=POINTS_NAME,
            size=0.09,
            face_color=colours or "white",
            border_width=0,
            features={"crop": drawn.crops, "label": drawn.labels, "score": drawn.scores, "class": predicted},
            axis_labels=labels.axes,
            metadata=metadata,
        )
    ]
    if len(drawn.faces):
        added.append(
            viewer.add_surface(
                (drawn.vertices, drawn.faces, np.ones(len(drawn.vertices))),
                name=SURFACE_NAME,
                colormap=Colormap(["black", SURFACE_COLOUR], name="law"),
                contrast_limits=(0, 1),
                opacity=0.6,
                shading="smooth",
                axis_labels=labels.axes,
                metadata=metadata,
            )
        )
    return added


class LatentView:
    """The layers of the 3D view, and the state of the viewer before they were added."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.layers: list[Any] = []
        self._hidden: list[Any] = []
        self._displayed = 2
        self._axes_shown = False
        self._axis_names: tuple[str, ...] = ()
        self._place: tuple[float, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether any layer of the 3D view is still in the viewer."""
        return any(layer in self.viewer.layers for layer in self.layers)

    @property
    def hides(self) -> bool:
        """Whether the 3D view hides other layers."""
        return any(layer in self.viewer.layers for layer in self._hidden)

    def show(self, drawn: CellsAndSurface, labels: LatentSpaceLabels) -> None:
        """Show cells and surface alone: hide other layers and replace an earlier 3D view."""
        again = self.shown
        self._take_away()
        if not again:
            self._displayed = self.viewer.dims.ndisplay
            self._axes_shown = axes_overlay(self.viewer).visible
            self._axis_names = self.viewer.dims.axis_labels
            self._place = self.viewer.dims.point
            self._hidden = [layer for layer in self.viewer.layers if layer.visible]
            for layer in self._hidden:
                layer.visible = False
        self.layers = add_layers(self.viewer, drawn, labels)
        self.viewer.dims.ndisplay = 3
        self.viewer.dims.axis_labels = labels.axes
        axes_overlay(self.viewer).visible = True
        camera(self.viewer).angles = (15, -30, 20)  # all three axes are visible from here
        fit_3d_view(self.viewer, self.layers)

    def back(self) -> None:
        """Remove the layers and restore the viewer.

        The viewer returns to 2D first, because a movie that becomes visible in 3D would be read as a whole.
        """
        self.viewer.dims.ndisplay = self._displayed
        axes_overlay(self.viewer).visible = self._axes_shown
        self._take_away()
        self.viewer.dims.axis_labels = self._axis_names
        self.viewer.dims.point = self._place  # napari moves to the frame at the depth of the 3D camera
        hidden, self._hidden = self._hidden, []
        for layer in hidden:
            layer.visible = True
        self.viewer.reset_view()

    def _take_away(self) -> None:
        layers, self.layers = self.layers, []
        for layer in layers:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
