"""What each latent means: its correlation with measured shapes or true factors, and a name to suggest."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from morpholaw.errors import InputError

# Columns of measured shapes and of the simulator's truth, and the name a latent that follows them deserves.
NAMES = {
    "area": "size",
    "true_size": "size",
    "aspect": "aspect",
    "true_aspect": "aspect",
    "diagonality": "diagonality",
    "true_diagonality": "diagonality",
    "axis_ratio": "elongation",
    "true_axis_ratio": "elongation",
    "offset_x": "x-position",
    "true_offset_x": "x-position",
    "offset_y": "y-position",
    "true_offset_y": "y-position",
    "brightness": "brightness",
    "true_brightness": "brightness",
    "neighbour_area": "neighbourhood",
    "true_neighbours": "neighbourhood",
    "true_neighbour_distance": "neighbourhood",
}
MORPHOLOGY = frozenset({"size", "aspect", "diagonality", "elongation"})


def correlate(latents: np.ndarray, shapes: pd.DataFrame) -> pd.DataFrame:
    """How each latent follows each measured shape or true factor.

    Parameters
    ----------
    latents
        Means of the encodings, (n, latents).
    shapes
        One row for each encoding; columns that are not numeric or do not vary are left out. Rows with a value
        that is not finite are left out of that column's numbers.

    Returns
    -------
    pd.DataFrame
        One row for each latent and shape: ``latent``, ``shape``, ``spearman`` (rank correlation, monotonic
        relations, with its sign), ``even`` (Spearman correlation with the distance of the latent from its
        median: a latent that encodes |shape|, or whose two ends look alike) and ``quadratic`` (R^2 of the
        ranks of the shape on a quadratic in the ranks of the latent: any smooth relation).
    """
    z = np.asarray(latents, dtype=np.float64)
    if z.ndim != 2 or len(z) != len(shapes):
        raise InputError(
            f"There are latents {z.shape} for {len(shapes)} rows of shapes; expected one row each."
        )
    rows = []
    for name in shapes.select_dtypes(include="number").columns:
        value = shapes[name].to_numpy(dtype=np.float64)
        finite = np.isfinite(value)
        if finite.sum() < 3 or np.ptp(value[finite]) == 0:
            continue
        ranks = _standard_ranks(value[finite][:, None])
        inside = z[finite]
        spearman = _correlation(_standard_ranks(inside), ranks)
        even = _correlation(_standard_ranks(np.abs(inside - np.median(inside, axis=0))), ranks)
        quadratic = _quadratic_fit(_standard_ranks(inside), ranks[:, 0])
        rows += [
            {"latent": k, "shape": name, "spearman": spearman[k], "even": even[k], "quadratic": quadratic[k]}
            for k in range(z.shape[1])
        ]
    return pd.DataFrame(rows, columns=["latent", "shape", "spearman", "even", "quadratic"])


def suggest_names(correlations: pd.DataFrame, least: float = 0.3) -> dict[int, str]:
    """A name for each latent that follows a shape with a correlation of at least ``least``.

    The strongest of ``|spearman|`` and ``|even|`` decides. A name that several latents deserve is numbered
    from the strongest: "size", "size 2". Latents that follow nothing are called by their number, "z5".
    """
    strength = correlations[["spearman", "even"]].abs().max(axis=1)
    ordered = correlations.assign(strength=strength).sort_values("strength", ascending=False, kind="stable")
    names: dict[int, str] = {}
    used: dict[str, int] = {}
    for row in ordered.itertuples():
        latent = int(row.latent)
        if latent in names or row.strength < least or row.shape not in NAMES:
            continue
        name = NAMES[str(row.shape)]
        used[name] = used.get(name, 0) + 1
        names[latent] = name if used[name] == 1 else f"{name} {used[name]}"
    for latent in sorted(set(correlations["latent"])):
        names.setdefault(int(latent), f"z{latent}")
    return dict(sorted(names.items()))


def is_morphology(name: str) -> bool:
    """Whether a suggested name is one of central-cell morphology: size, aspect, diagonality, elongation."""
    return name.rsplit(" ", 1)[0] in MORPHOLOGY if name[-1].isdigit() else name in MORPHOLOGY


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of each column with mean 0 and variance 1; a column that does not vary is all 0."""
    ranks = rankdata(values, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    spread = ranks.std(axis=0)
    return np.divide(ranks, spread, out=np.zeros_like(ranks), where=spread > 0)


def _correlation(latent_ranks: np.ndarray, shape_ranks: np.ndarray) -> np.ndarray:
    return (latent_ranks * shape_ranks).mean(axis=0)


def _quadratic_fit(latent_ranks: np.ndarray, shape_ranks: np.ndarray) -> np.ndarray:
    """R^2 of a quadratic for each latent."""
    fits = np.zeros(latent_ranks.shape[1])
    for k, column in enumerate(latent_ranks.T):
        design = np.stack([np.ones_like(column), column, column**2], axis=1)
        coefficients = np.linalg.lstsq(design, shape_ranks, rcond=None)[0]
        fits[k] = 1 - np.mean((shape_ranks - design @ coefficients) ** 2)
    return np.clip(fits, 0.0, 1.0)
