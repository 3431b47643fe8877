"""Features for the axes of the map, computed in the live process."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

import numpy as np

MOST_CELLS = 5000
"""Largest number of cells on the map; of more cells, evenly spaced ones are shown."""

UMAP_AXES = ("UMAP 1", "UMAP 2")
NO_UMAP = (
    "UMAP needs the package umap-learn: run pip install 'napari-morpholaw[umap]' and start napari again. "
    "Principal components work without it."
)


@dataclass(frozen=True)
class Features:
    """Features of some cells.

    Attributes
    ----------
    cells : ndarray, int64 (n,)
        Global indices of the cells.
    columns : dict of str to ndarray, float64 (n,)
        Values of each feature; the name has the unit in brackets.
    """

    cells: np.ndarray
    columns: dict[str, np.ndarray] = field(default_factory=dict)


def has_umap() -> bool:
    """Return whether the package umap-learn is installed."""
    return find_spec("umap") is not None


def read_latents(study: str) -> Features:
    """Return the latents of a study's cells, by name, and their first two principal components.

    If the study has no encoder, there are no columns.
    """
    from morpholaw.store import encoders
    from morpholaw.store.study_folder import StudyFolder

    folder = StudyFolder(Path(study))
    cells = _mapped(len(folder.crops))
    if not folder.has_encoder:
        return Features(cells)
    means = np.asarray(encoders.latents(folder)[0][cells], np.float64)
    names = folder.latent_names
    latents = {f"z{k} {names.get(k, '')}".strip(): means[:, k] for k in range(means.shape[1])}
    # do not standardise: inactive latents have almost no variance and would then count as much as the others
    return Features(cells, {**principal_components(means, "latents"), **latents})


def read_shapes(study: str, with_components: bool) -> Features:
    """Measure the shapes of the nuclei of a study's cells.

    Parameters
    ----------
    study : str
        Folder of the study.
    with_components : bool
        Whether to add the first two principal components.
    """
    from morpholaw.cells.shape_features import measure_features, shape_features
    from morpholaw.store.study_folder import StudyFolder
    from morpholaw.study.scale import shape_pixel_size

    folder = StudyFolder(Path(study))
    cells = _mapped(len(folder.crops))
    pixel_size = shape_pixel_size(folder)
    table = measure_features(folder.crops[cells], pixel_size)
    units = {feature.name: feature.unit for feature in shape_features(pixel_size)}
    columns = {
        f"{name} ({units[name]})" if units.get(name) else name: table[name].to_numpy(np.float64)
        for name in table
    }
    if with_components:
        shapes = table.to_numpy(np.float64)
        spread = np.nanstd(shapes, axis=0)
        columns = {**principal_components(shapes / np.where(spread > 0, spread, 1.0), "shapes"), **columns}
    return Features(cells, columns)


def umap_source(features: Features) -> np.ndarray:
    """Return the input of UMAP, float64 (n, c): the latents or, if there are none, the standardised shapes."""
    latents = [values for name, values in features.columns.items() if name.startswith("z")]
    if latents:
        return np.column_stack(latents)  # inactive latents have almost no variance
    return _standardised(np.column_stack(list(features.columns.values())))


def embed(columns: np.ndarray, cells: np.ndarray) -> Features:
    """Return a UMAP embedding of columns, float64 (n, c)."""
    from umap import UMAP

    known = np.isfinite(columns).all(axis=1)
    places = np.full((len(columns), 2), np.nan)
    places[known] = UMAP(random_state=0).fit_transform(columns[known])
    return Features(cells, {name: places[:, axis] for axis, name in enumerate(UMAP_AXES)})


def principal_components(columns: np.ndarray, source: str) -> dict[str, np.ndarray]:
    """Return the first two principal components of columns, float64 (n, c); the names state the share of variance."""
    known = np.isfinite(columns).all(axis=1)
    if known.sum() < 3 or columns.shape[1] < 2:
        return {}
    rows = columns[known] - columns[known].mean(axis=0)
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    shares = sizes**2 / np.sum(sizes**2)
    components = {}
    for k in range(2):
        values = np.full(len(columns), np.nan)
        values[known] = left[:, k] * sizes[k]
        components[f"PC {k + 1} of {source} ({100 * shares[k]:.0f} % of the variance)"] = values
    return components


def _standardised(columns: np.ndarray) -> np.ndarray:
    spread = np.nanstd(columns, axis=0)
    return np.asarray((columns - np.nanmean(columns, axis=0)) / np.where(spread > 0, spread, 1.0))


def _mapped(count: int) -> np.ndarray:
    """Return the global indices of the cells on the map, int64 (n,)."""
    if count <= MOST_CELLS:
        return np.arange(count)
    return np.unique(np.linspace(0, count - 1, MOST_CELLS).round().astype(np.int64))
