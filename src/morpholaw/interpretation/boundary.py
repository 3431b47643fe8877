"""Decision boundaries of classifiers: slices, surfaces in three latents, and cells on the boundary (figure 12)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from morpholaw.errors import InputError
from morpholaw.evaluation.scoring import LATENT_BATCH, Scorer, batches, device_of

Score = Callable[[np.ndarray], np.ndarray]
"""Function from latents (n, latents) to scores f(z), (n,)."""
LIMIT = 3.0
"""Surfaces are computed for latents from -LIMIT to LIMIT, which is their typical range."""
HALVINGS = 30
"""Number of steps of a bisection."""


@dataclass(frozen=True)
class Surface:
    """A triangulated surface f = 0 in three latents.

    Attributes
    ----------
    vertices : ndarray, float64 (vertices, 3)
        Coordinates in latent units. Column k is ``latents[k]``.
    faces : ndarray, int64 (faces, 3)
        Rows of ``vertices``. Both are empty if the score does not change its sign.
    latents : tuple of int
        The three latents.
    """

    vertices: np.ndarray
    faces: np.ndarray
    latents: tuple[int, int, int]


def member_score(classifier: Scorer, member: int, batch: int = LATENT_BATCH // 8) -> Score:
    """Return the score of one model of an ensemble as a function of NumPy latents.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    member : int
        Index of the model.
    batch : int
        Number of latent vectors that are scored at once.

    Returns
    -------
    callable
        Function from latents (n, latents) to scores (n,).
    """
    if not 0 <= member < classifier.members:
        raise InputError(f"There is no model {member}; there are models 0 to {classifier.members - 1}.")
    device = device_of(classifier.encoder, classifier)

    def score(z: np.ndarray) -> np.ndarray:
        points = torch.as_tensor(np.asarray(z), dtype=torch.float32, device=device)
        with torch.no_grad():
            parts = [classifier.score_latents(part)[member].cpu() for part in batches(points, batch)]
        return torch.cat(parts).double().numpy() if parts else np.empty(0)

    return score


def slice_scores(
    score: Score, base: np.ndarray, axes: Sequence[int], values: Sequence[np.ndarray] | np.ndarray
) -> np.ndarray:
    """Compute scores on a grid over some latents, with the others held at ``base``.

    Parameters
    ----------
    score : callable
        Function from latents (n, latents) to scores (n,).
    base : ndarray
        Values of all latents, (latents,).
    axes : sequence of int
        One to three latents to vary. For the slices of figure 12, the first is that of the slices.
    values : ndarray or sequence of ndarray
        Values of each varied latent, or one array for all of them.

    Returns
    -------
    ndarray, float64
        Scores, with one axis per varied latent in the order of ``axes``.
    """
    start = np.asarray(base, dtype=np.float64).reshape(-1)
    invalid = [k for k in axes if not 0 <= k < len(start)]
    if invalid or len(set(axes)) != len(axes):
        raise InputError(f"The latents {tuple(axes)} must be different and among 0 to {len(start) - 1}.")
    one = isinstance(values, np.ndarray) and values.ndim == 1
    columns = [values] * len(axes) if one else list(values)
    grid = np.stack(np.meshgrid(*columns, indexing="ij"), axis=-1)
    points = np.tile(start, (grid[..., 0].size, 1))
    points[:, list(axes)] = grid.reshape(-1, len(axes))
    return np.asarray(score(points), dtype=np.float64).reshape(grid.shape[:-1])


def boundary_surface(
    score: Score,
    base: np.ndarray,
    latents: tuple[int, int, int],
    steps: int = 41,
) -> Surface:
    """Compute the surface f = 0 in three latents by marching cubes, with vertices refined by bisection.

    Parameters
    ----------
    score : callable
        Function from latents (n, latents) to scores (n,).
    base : ndarray
        Values of all latents, (latents,), of which those of ``latents`` are ignored.
    latents : tuple of int
        The three latents to vary.
    steps : int
        Number of grid points along each side.

    Returns
    -------
    Surface
        The surface, which is empty if the score does not change its sign.
    """
    from skimage.measure import marching_cubes

    axis = np.linspace(-LIMIT, LIMIT, steps)
    field = slice_scores(score, base, latents, axis)
    defined = np.isfinite(field)
    # Monotonic compression does not move f = 0, and limits values where a law overflows.
    with np.errstate(invalid="ignore", over="ignore"):
        squeezed = np.where(defined, field / (1 + np.abs(field)), np.sign(np.nan_to_num(field)))
    empty = Surface(np.empty((0, 3)), np.empty((0, 3), dtype=np.int64), latents)
    if not (squeezed.min() < 0 <= squeezed.max()):
        return empty
    try:
        corners, faces, _, _ = marching_cubes(squeezed, 0.0, mask=~np.isnan(field))
    except RuntimeError:  # the whole boundary is where f is undefined
        return empty
    below, above = np.floor(corners), np.ceil(corners)  # marching cubes puts vertices on edges of the grid
    step = axis[1] - axis[0]
    points = np.tile(np.asarray(base, dtype=np.float64).reshape(-1), (len(corners), 1))
    ends = []
    for corner in (below, above):
        moved = points.copy()
        moved[:, list(latents)] = step * corner - LIMIT
        ends.append(moved)
    on_edge = (below != above).sum(axis=1) == 1
    vertices = step * corners.astype(np.float64) - LIMIT
    vertices[on_edge] = crossings(score, ends[0][on_edge], ends[1][on_edge])[:, list(latents)]
    return Surface(vertices, faces.astype(np.int64), latents)


def crossings(score: Score, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Find the point at which each straight line from ``starts`` to ``ends`` crosses f = 0, by bisection.

    Parameters
    ----------
    score : callable
        Function from latents (n, latents) to scores (n,).
    starts, ends : ndarray
        Latents (n, latents) with scores of opposite signs.

    Returns
    -------
    ndarray, float64 (n, latents)
        Points on the boundary. For lines whose ends have the same sign, the end.
    """
    a, b = np.array(starts, dtype=np.float64), np.array(ends, dtype=np.float64)
    positive = score(a) >= 0
    for _ in range(HALVINGS if len(a) else 0):
        middle = (a + b) / 2
        same = ((score(middle) >= 0) == positive)[:, None]
        a, b = np.where(same, middle, a), np.where(same, b, middle)
    return b


def undecided_cells(score: Score, latents: np.ndarray, count: int = 16) -> np.ndarray:
    """Find latents on the decision boundary, between real cells of the two predicted classes.

    Each is on the line from a random cell to the nearest cell of the other class. Use
    `morpholaw.interpretation.traversal.decode` to obtain images.

    Parameters
    ----------
    score : callable
        Function from latents (n, latents) to scores (n,).
    latents : ndarray, float (n, latents)
        Latents of real cells.
    count : int
        Maximum number of points.

    Returns
    -------
    ndarray, float64 (k, latents)
        Points on the boundary, k <= ``count``.

    Raises
    ------
    InputError
        If all cells have the same predicted class.
    """
    z = np.asarray(latents, dtype=np.float64)
    positive = score(z) >= 0
    if positive.all() or not positive.any():
        raise InputError("All cells have the same predicted class, so there is no boundary between them.")
    chosen = np.random.default_rng(0).choice(len(z), size=min(count, len(z)), replace=False)
    nearest = [_nearest(z[k], z[positive != positive[k]]) for k in chosen]
    return crossings(score, z[chosen], np.stack(nearest))


def _nearest(point: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.asarray(others[np.square(others - point).sum(axis=1).argmin()])
