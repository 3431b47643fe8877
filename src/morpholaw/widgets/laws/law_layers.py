"""Cells as points in three latents, with the surface f = 0 between them, as napari layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from napari.utils import Colormap

from morpholaw.events import Message, Report, ShouldStop, never, silent
from morpholaw.models.law import Law
from morpholaw.study import Study

MOST_POINTS = 50_000
COLOURS = ("#0072B2", "#E69F00")
"""Of the negative and the positive class; told apart by colour-blind people too."""
UNLABELLED = "#9a9a9a"
SURFACE_COLOUR = "#cf9bff"
POINTS_NAME, SURFACE_NAME = "cells in latent space", "law f = 0"


@dataclass(frozen=True)
class CellsAndSurface:
    """What is drawn.

    Attributes
    ----------
    points : ndarray, float32 (n, 3)
        Latents of the cells, in the order of ``axes``.
    crops : ndarray, int64 (n,)
        Global indices of the cells.
    labels : ndarray, str (n,)
        Their classes, "" where they have none.
    scores : ndarray, float64 (n,)
        f(z).
    vertices, faces : ndarray
        The surface f = 0 within -3 to 3, (k, 3) and (m, 3).
    axes : tuple of int
        The latents along napari's axes.
    """

    points: np.ndarray
    crops: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    vertices: np.ndarray
    faces: np.ndarray
    axes: tuple[int, int, int]


def cells_and_surface(
    study: Study,
    law: Law,
    axes: tuple[int, int, int],
    base: np.ndarray,
    report: Report = silent,
    should_stop: ShouldStop = never,
) -> CellsAndSurface:
    """Encode the study's cells and find the surface, the other latents at ``base`` (latents,)."""
    from morpholaw.probes.boundary import boundary_surface

    means, _ = study.latents(report, should_stop)
    labels = study.labels
    crops = np.arange(len(means))
    if len(means) > MOST_POINTS:
        crops = np.sort(np.random.default_rng(0).choice(len(means), MOST_POINTS, replace=False))
        report(Message(f"{MOST_POINTS:,} of {len(means):,} cells are shown, chosen at random."))
    columns = list(law.latents)
    surface = boundary_surface(lambda z: law.score(z[:, columns]), base, axes)
    chosen = np.asarray(means)[crops]
    scores = law.score(chosen[:, columns].astype(np.float64))
    return CellsAndSurface(
        chosen[:, list(axes)], crops, labels[crops], scores, surface.vertices, surface.faces, axes
    )


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
