"""Cells as points in three latents, with the surface f = 0 between them, as napari layers."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.utils import Colormap

from morpholaw.widgets.laws.cells_and_surface import CellsAndSurface

COLOURS = ("#0072B2", "#E69F00")
"""Of the negative and the positive class; told apart by colour-blind people too."""
UNLABELLED = "#9a9a9a"
SURFACE_COLOUR = "#cf9bff"
POINTS_NAME, SURFACE_NAME = "cells in latent space", "law f = 0"


def add_layers(
    viewer: Any, drawn: CellsAndSurface, names: list[str], classes: tuple[str, str], formula: str
) -> list[Any]:
    """Add points and, where there is one, the surface to a viewer or ViewerModel; returns the layers."""
    calls = np.where(
        np.isfinite(drawn.scores), np.where(drawn.scores >= 0, classes[1], classes[0]), "undefined"
    )
    colours = np.full(len(drawn.points), UNLABELLED, dtype=object)
    for name, colour in zip(classes, COLOURS, strict=True):
        colours[drawn.labels == name] = colour
    metadata = {"morpholaw": {"law": formula, "latents": list(drawn.axes), "classes": list(classes)}}
    added = [
        viewer.add_points(
            drawn.points,
            name=POINTS_NAME,
            size=0.09,
            face_color=list(colours) or "white",
            border_width=0,
            features={"crop": drawn.crops, "label": drawn.labels, "score": drawn.scores, "class": calls},
            axis_labels=names,
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
                axis_labels=names,
                metadata=metadata,
            )
        )
    return added


class LatentView:
    """The layers of one latent space in a viewer, and how the viewer was before."""

    def __init__(self, viewer: Any) -> None:
        self.viewer = viewer
        self.layers: list[Any] = []
        self._hidden: list[Any] = []
        self._displayed = 2
        self._axes_shown = False

    @property
    def shown(self) -> bool:
        """Whether any of the layers is still there."""
        return any(layer in self.viewer.layers for layer in self.layers)

    @property
    def hides(self) -> bool:
        """Whether layers are hidden that were shown before."""
        return any(layer in self.viewer.layers for layer in self._hidden)

    def show(self, drawn: CellsAndSurface, names: list[str], classes: tuple[str, str], formula: str) -> None:
        """Show a latent space alone: other layers are hidden, the one from before is replaced."""
        again = self.shown
        self._take_away()
        if not again:
            self._displayed = self.viewer.dims.ndisplay
            self._axes_shown = self.viewer.scene.overlays.axes.visible
            self._hidden = [layer for layer in self.viewer.layers if layer.visible]
            for layer in self._hidden:
                layer.visible = False
        self.layers = add_layers(self.viewer, drawn, names, classes, formula)
        self.viewer.dims.ndisplay = 3
        self.viewer.scene.overlays.axes.visible = True
        self.viewer.scene.camera.angles = (15, -30, 20)  # so that all three axes are seen
        self.viewer.fit_to_view(layers=self.layers)

    def back(self) -> None:
        """Take the layers away and show what was shown before."""
        self._take_away()
        for layer in self._hidden:
            layer.visible = True
        self._hidden = []
        self.viewer.scene.overlays.axes.visible = self._axes_shown
        self.viewer.dims.ndisplay = self._displayed
        self.viewer.reset_view()

    def _take_away(self) -> None:
        layers, self.layers = self.layers, []
        for layer in layers:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)
