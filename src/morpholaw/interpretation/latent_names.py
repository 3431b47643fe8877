"""Suggestion of names for latents, with signs, from their correlations with measured shapes or true factors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.display import MINUS
from morpholaw.errors import InputError

LEAST_SHARE = 0.5
"""Smallest squared rank correlation with a shape for which a latent is named after it.

The name replaces the latent in sentences and formulas, so "more size" has to mean that nuclei are larger.
"""
LEAST_AGREEMENT = 2 / 3
"""Smallest share of decoded cells in which a latent alone must change the shape that it is named after."""
Confirm = Callable[[int, str, int, bool], float]
"""Function of a latent, a shape, the sign of their correlation, and whether it is with both ends of the latent."""
BOTH_ENDS = "both ends"
NEIGHBOURHOOD = "neighbourhood"
"""The name of latents that follow what is around the cell."""

# The name that a latent gets from a measured shape or a true factor of the simulator, and whether more of the shape is
# more of what the name says.
_NAMES = {
    "area": ("size", 1),
    "true_size": ("size", 1),
    "aspect": ("aspect", 1),
    "true_aspect": ("aspect", 1),
    "diagonality": ("diagonality", 1),
    "true_diagonality": ("diagonality", 1),
    "axis_ratio": ("elongation", 1),
    "true_axis_ratio": ("elongation", 1),
    "offset_x": ("x-position", 1),
    "true_offset_x": ("x-position", 1),
    "offset_y": ("y-position", 1),
    "true_offset_y": ("y-position", 1),
    "brightness": ("brightness", 1),
    "true_brightness": ("brightness", 1),
    "neighbour_area": (NEIGHBOURHOOD, 1),
    "true_neighbours": (NEIGHBOURHOOD, 1),
    "true_neighbour_distance": (NEIGHBOURHOOD, -1),
}


COMPARATIVES = {
    "size": ("larger", "smaller"),
    "elongation": ("more elongated", "rounder"),
    "brightness": ("brighter on the grey scale of the crop", "dimmer on the grey scale of the crop"),
    NEIGHBOURHOOD: ("more crowded", "less crowded"),
}
"""Descriptions of cells with more and with less of what a name says."""


@dataclass(frozen=True)
class SuggestedName:
    """A suggested name for a latent.

    Attributes
    ----------
    name : str
        Name that is unique in an encoder, such as "size", or "size 2" for the next latent with the same shape. "size,
        both ends" if the shape correlates with the distance of the latent from its median, so that there is no
        direction.
    sign : int
        +1 or -1: ``sign`` times the latent increases with what the name says.
    shape : str
        The measured shape or true factor that correlates most with the latent.
    correlation : float
        Correlation of ``sign`` times the latent (or its distance from the median) with the shape.
    """

    name: str
    sign: int
    shape: str
    correlation: float

    @property
    def signed(self) -> str:
        """The name of the latent itself: "size", or "−size" for a latent that decreases with size."""
        return signed_name(self.name, self.sign)


def correlate(latents: np.ndarray, shapes: pd.DataFrame) -> pd.DataFrame:
    """Correlate each latent with each measured shape or true factor.

    Parameters
    ----------
    latents : ndarray, (n, latents)
        Means of the encodings.
    shapes : DataFrame
        Shapes, one row per encoding. Columns that are not numeric or do not vary are ignored, as are values that are
        not finite.

    Returns
    -------
    DataFrame
        One row per latent and shape, with the columns ``latent``, ``shape``, ``spearman`` (Spearman correlation, for
        monotonic relations), ``even`` (Spearman correlation with the distance of the latent from its median, for
        latents whose two ends look alike) and ``quadratic`` (R^2 of a quadratic regression of the ranks of the shape on
        the ranks of the latent, for any smooth relation).

    Raises
    ------
    InputError
        If the number of rows of shapes differs from that of encodings.
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
        z_finite = z[finite]
        spearman = (_standard_ranks(z_finite) * ranks).mean(axis=0)
        distance = np.abs(z_finite - np.median(z_finite, axis=0))
        even = (_standard_ranks(distance) * ranks).mean(axis=0)
        quadratic = _quadratic_fit(_standard_ranks(z_finite), ranks[:, 0])
        rows += [
            {"latent": k, "shape": name, "spearman": spearman[k], "even": even[k], "quadratic": quadratic[k]}
            for k in range(z.shape[1])
        ]
    return pd.DataFrame(rows, columns=["latent", "shape", "spearman", "even", "quadratic"])


def suggest_names(correlations: pd.DataFrame, confirm: Confirm | None = None) -> dict[int, SuggestedName]:
    """Suggest a name for each latent whose squared correlation with a shape is at least `LEAST_SHARE`.

    The largest of ``|spearman|`` and ``|even|`` over all shapes that ``confirm`` accepts is used. If several latents
    get the same name, they are numbered in the order of their correlations: "size", "size 2".

    Parameters
    ----------
    correlations : DataFrame
        Table of `correlate`.
    confirm : callable, optional
        Returns the share of cells in which the latent alone changes the shape in the direction of the correlation, as
        :func:`morpholaw.interpretation.decoded_shapes.agreement` does. A name needs at least `LEAST_AGREEMENT`.

    Returns
    -------
    dict
        `SuggestedName` by latent, for latents that have one.
    """
    named = correlations[correlations["shape"].isin(list(_NAMES))]
    strength = named[["spearman", "even"]].abs().max(axis=1)
    named = named.assign(strength=strength)[strength**2 >= LEAST_SHARE]
    ordered = named.sort_values(["strength", "latent"], ascending=[False, True], kind="stable")
    suggestions: dict[int, SuggestedName] = {}
    used: dict[str, int] = {}
    for row in ordered.to_dict("records"):
        latent = int(row["latent"])
        if latent in suggestions:
            continue
        name, direction = _NAMES[str(row["shape"])]
        spearman, even = float(row["spearman"]), float(row["even"])
        at_ends = abs(spearman) < abs(even)
        expected = int(np.sign(even if at_ends else spearman))
        if confirm and confirm(latent, str(row["shape"]), expected, at_ends) < LEAST_AGREEMENT:
            continue
        if not at_ends:
            sign, value = (1 if spearman * direction > 0 else -1), abs(spearman) * direction
        else:
            name, sign, value = f"{name}, {BOTH_ENDS}", 1, even
        used[name] = used.get(name, 0) + 1
        unique = name if used[name] == 1 else f"{name} {used[name]}"
        suggestions[latent] = SuggestedName(unique, sign, str(row["shape"]), value)
    return dict(sorted(suggestions.items()))


def signed_name(name: str, sign: int) -> str:
    """Return a name with its sign, e.g. "−size" for a latent that decreases with size."""
    return f"{MINUS}{name}" if sign < 0 else name


def split_sign(word: str) -> tuple[str, int]:
    """Return a latent's name without a leading minus sign, and the sign: "−size" gives ("size", -1)."""
    stripped = word.strip()
    if stripped[:1] in (MINUS, "-"):
        return stripped[1:].strip(), -1
    return stripped, 1


def _standard_ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of each column with mean 0 and variance 1; 0 for a column that does not vary."""
    from scipy.stats import rankdata  # slow to import, and not needed for cutting crops

    ranks: np.ndarray = rankdata(values, axis=0)
    ranks = ranks - ranks.mean(axis=0)
    spread = ranks.std(axis=0)
    standard: np.ndarray = np.divide(ranks, spread, out=np.zeros_like(ranks), where=spread > 0)
    return standard


def _quadratic_fit(latent_ranks: np.ndarray, shape_ranks: np.ndarray) -> np.ndarray:
    """Return R^2 of a quadratic for each latent."""
    fits = np.zeros(latent_ranks.shape[1])
    for k, column in enumerate(latent_ranks.T):
        design = np.stack([np.ones_like(column), column, column**2], axis=1)
        coefficients = np.linalg.lstsq(design, shape_ranks, rcond=None)[0]
        fits[k] = 1 - np.mean((shape_ranks - design @ coefficients) ** 2)
    return np.clip(fits, 0.0, 1.0)
