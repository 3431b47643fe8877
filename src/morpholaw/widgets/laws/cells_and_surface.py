"""The cells of a study over three latents, with the surface f = 0 of a law; computed in the live process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from morpholaw.events import SILENT, Message, Monitor
from morpholaw.models.law import Law

MOST_POINTS = 50_000
"""Largest number of cells shown."""


@dataclass(frozen=True)
class CellsAndSurface:
    """Cells as points, and the surface f = 0 as triangles.

    Attributes
    ----------
    points : ndarray, float32 (n, 3)
        Latents of the cells, in the order of ``axes``.
    crops : ndarray, int64 (n,)
        Global indices of the cells.
    labels : ndarray, str (n,)
        Classes of the cells, "" for unlabelled cells.
    scores : ndarray, float64 (n,)
        Values of f.
    vertices, faces : ndarray, (k, 3) and (m, 3)
        The surface f = 0 between -3 and 3.
    axes : tuple of int
        The latents along the three axes of the viewer.
    """

    points: np.ndarray
    crops: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    vertices: np.ndarray
    faces: np.ndarray
    axes: tuple[int, int, int]


def cells_and_surface(
    study: str,
    law: Law,
    axes: tuple[int, int, int],
    base: np.ndarray,
    monitor: Monitor = SILENT,
) -> CellsAndSurface:
    """Encode the cells of a study and find the surface, with the other latents at ``base`` (latents,)."""
    from morpholaw.interpretation.boundary import boundary_surface
    from morpholaw.study import Study

    opened = Study(Path(study))
    means, _ = opened.latents(monitor)
    labels = opened.labels
    crops = np.arange(len(means))
    if len(means) > MOST_POINTS:
        crops = np.sort(np.random.default_rng(0).choice(len(means), MOST_POINTS, replace=False))
        monitor.emit(Message(f"{MOST_POINTS:,} of {len(means):,} cells are shown, chosen at random."))
    surface = boundary_surface(law.score, base, axes)
    chosen = np.asarray(means)[crops]
    scores = law.score(chosen)
    return CellsAndSurface(
        chosen[:, list(axes)], crops, labels[crops], scores, surface.vertices, surface.faces, axes
    )
