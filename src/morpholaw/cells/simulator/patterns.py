"""Banks of chromatin patterns, drawn once, from which nuclei of any size and shape are rendered.

A pattern is an image of one nucleus with its mask. Its centroid, area and second moments are measured on the mask, so
that a nucleus rendered from it (see ``render``) has exactly the requested area, axis ratio and orientation, whatever
its outline.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

import numpy as np

from morpholaw.cells.simulator.chromatin import KINDS
from morpholaw.cells.simulator.drawing import GRID

_BATCH = 48  # patterns drawn together, so that temporary arrays fit in the CPU's cache


@dataclass(frozen=True)
class PatternBank:
    """Patterns of one kind.

    Attributes
    ----------
    intensity : ndarray of float32, shape (n, GRID, GRID)
        Chromatin density, with mean 1 over the mask.
    mask : ndarray of float32, shape (n, GRID, GRID)
        1 inside the nucleus, 0 outside.
    centre : ndarray of float32, shape (n, 2)
        Centroid (y, x) of the mask, in pattern pixels.
    axes : ndarray of float32, shape (n, 2, 2)
        Unit vectors (y, x) of the mask's major and minor axis.
    area, axis_ratio : ndarray of float32, shape (n,)
        Area in pattern pixels, and ratio of the standard deviations along the two axes.
    extent : ndarray of float32, shape (n, 2)
        Largest extent of the visible chromatin along the two axes, in pattern pixels.
    """

    intensity: np.ndarray
    mask: np.ndarray
    centre: np.ndarray
    axes: np.ndarray
    area: np.ndarray
    axis_ratio: np.ndarray
    extent: np.ndarray

    def __len__(self) -> int:
        """Return the number of patterns."""
        return len(self.intensity)


@cache
def pattern_bank(kind: str) -> PatternBank:
    """Draw the bank of patterns of a kind (a key of `KINDS`); always the same."""
    rng = np.random.default_rng([20241, sorted(KINDS).index(kind)])
    batches = 8 if kind in ("interphase", "prometaphase", "metaphase", "anaphase") else 4
    drawn = [_measured(*KINDS[kind](rng, _BATCH)) for _ in range(batches)]
    return PatternBank(
        **{f.name: np.concatenate([getattr(d, f.name) for d in drawn]) for f in fields(PatternBank)}
    )


def _measured(intensity: np.ndarray, mask: np.ndarray) -> PatternBank:
    for image in (intensity, mask):  # a dark border, which is repeated when sampling beyond the grid
        image[:, [0, -1]] = 0
        image[:, :, [0, -1]] = 0
    y, x = np.mgrid[:GRID, :GRID].astype(np.float32)
    area = mask.sum((1, 2))
    cy, cx = (mask * y).sum((1, 2)) / area, (mask * x).sum((1, 2)) / area
    dy, dx = y - cy[:, None, None], x - cx[:, None, None]
    covariance = np.empty((len(mask), 2, 2))
    covariance[:, 0, 0] = (mask * dy**2).sum((1, 2)) / area
    covariance[:, 1, 1] = (mask * dx**2).sum((1, 2)) / area
    covariance[:, 0, 1] = covariance[:, 1, 0] = (mask * dy * dx).sum((1, 2)) / area
    variance, vectors = np.linalg.eigh(covariance)
    axes = np.swapaxes(vectors[:, :, ::-1], 1, 2)  # rows: major, minor
    intensity = intensity / ((intensity * mask).sum((1, 2)) / area)[:, None, None]
    seen = intensity > 0.04
    extent = np.stack(
        [
            np.where(seen, np.abs(dy * a[:, :1, None] + dx * a[:, 1:, None]), 0).max((1, 2))
            for a in (axes[:, 0], axes[:, 1])
        ],
        axis=1,
    )
    return PatternBank(
        intensity.astype(np.float32),
        mask.astype(np.float32),
        np.stack([cy, cx], 1).astype(np.float32),
        axes.astype(np.float32),
        area.astype(np.float32),
        np.sqrt(variance[:, 1] / variance[:, 0]).astype(np.float32),
        extent.astype(np.float32),
    )
