"""Share of each class in every frame, with confidence bands from resampled families of cells or movies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from morpholaw.evaluation.estimate import LEVEL
from morpholaw.evaluation.lineages import Lineages
from morpholaw.evaluation.phases import UNDEFINED

MITOTIC_INDEX = "mitotic index"
"""Name of the share of cells in any of the mitotic classes."""


def class_shares(
    lineages: Lineages,
    classes: Sequence[str],
    mitotic: Sequence[str] = (),
    resamples: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Compute the share of each class in every frame of every movie.

    Parameters
    ----------
    lineages : Lineages
        Images of every cell with their predicted classes.
    classes : sequence of str
        The classes to count. Images without a class are ignored.
    mitotic : sequence of str
        Classes whose total share is the mitotic index.
    resamples : int
        Number of resamples of families (a cell with all its descendants) for the confidence band.
    seed : int
        Seed of the resampling.

    Returns
    -------
    DataFrame
        One row per movie, frame and class, with the columns ``movie``, ``t``, ``class``, ``count``, ``cells`` (of any
        class), ``share``, ``low`` and ``high`` (95 % confidence band). The mitotic index is an additional class.
    """
    counts, movies, frames, names = count_classes(lineages, classes, mitotic)
    rng = np.random.default_rng(seed)
    parts = []
    for movie in pd.unique(movies):
        mine = counts[movies == movie]
        occupied = np.flatnonzero(mine.sum(axis=(0, 2)) > 0)
        low, high = _band(mine[:, occupied], len(classes), resamples, rng)
        parts.append(
            _rows(mine[:, occupied].sum(axis=0), frames[occupied], names, len(classes), low, high).assign(
                movie=movie
            )
        )
    table = pd.concat(parts, ignore_index=True)
    return table[["movie", "t", "class", "count", "cells", "share", "low", "high"]]


def condition_shares(
    shares: pd.DataFrame, condition_of: dict[str, str], resamples: int = 500, seed: int = 0
) -> pd.DataFrame:
    """Average the shares over the movies of each condition, with confidence bands from resampled movies.

    Parameters
    ----------
    shares : DataFrame
        Shares of :func:`class_shares`.
    condition_of : dict of str to str
        Condition of each movie.
    resamples, seed : int
        Number and seed of the resamples of movies.

    Returns
    -------
    DataFrame
        One row per condition, frame and class, with the columns ``condition``, ``t``, ``class``, ``movies``, ``share``,
        ``low`` and ``high``. The band is NaN for a single movie.
    """
    rng = np.random.default_rng(seed)
    table = shares.assign(condition=shares["movie"].map(condition_of)).dropna(subset=["condition"])
    parts = []
    for (condition, name), rows in table.groupby(["condition", "class"], sort=False):
        wide = rows.pivot(index="movie", columns="t", values="share")
        values = wide.to_numpy(np.float64)
        low = high = np.full(values.shape[1], np.nan)
        if len(values) > 1:
            drawn = values[rng.integers(0, len(values), (resamples, len(values)))]
            known = np.isfinite(drawn)
            with np.errstate(invalid="ignore", divide="ignore"):
                means = np.where(known, drawn, 0).sum(1) / known.sum(1)
            low, high = np.nanquantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        parts.append(
            pd.DataFrame(
                {
                    "condition": condition,
                    "t": wide.columns.to_numpy(),
                    "class": name,
                    "movies": np.isfinite(values).sum(0),
                    "share": np.nanmean(values, axis=0),
                    "low": low,
                    "high": high,
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def count_classes(
    lineages: Lineages, classes: Sequence[str], mitotic: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """Count the images of each class for every family and frame.

    Parameters
    ----------
    lineages : Lineages
        Tracked cells.
    classes : sequence of str
        All classes, in the order of their numbers.
    mitotic : sequence of str
        Classes that are stages of mitosis.

    Returns
    -------
    counts : ndarray, float32 (families, frames, classes)
        Numbers of images. If there are mitotic classes, their sum is an additional class.
    movies : ndarray, object (families,)
        Movie of each family.
    frames : ndarray, int64 (frames,)
        Frame numbers.
    names : list of str
        Names along the last axis of ``counts``.
    """
    images, cells = lineages.images, lineages.cells
    code = pd.Index(classes).get_indexer(images["class"])
    known = (code >= 0) & ~images["class"].isin(UNDEFINED).to_numpy()
    family, place = np.unique(cells["lineage"].to_numpy(), return_inverse=True)
    frames, t = np.unique(images["t"].to_numpy(), return_inverse=True)
    shape = (len(family), len(frames), len(classes))
    flat = (place[images["cell"].to_numpy()] * shape[1] + t) * shape[2] + code
    counts = np.bincount(flat[known], minlength=int(np.prod(shape))).reshape(shape).astype(np.float32)
    names = list(classes)
    chosen = [names.index(name) for name in mitotic if name in names]
    if chosen:
        counts = np.concatenate([counts, counts[..., chosen].sum(-1, keepdims=True)], axis=-1)
        names.append(MITOTIC_INDEX)
    return counts, cells["movie"].to_numpy(object)[family], frames, names


def _band(
    counts: np.ndarray, classes: int, resamples: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % confidence band of the shares (frames, names), from resampled families."""
    families, frames, names = counts.shape
    weights = rng.multinomial(families, np.full(families, 1 / families), resamples).astype(np.float32)
    drawn = (weights @ counts.reshape(families, -1)).reshape(resamples, frames, names)
    total = drawn[..., :classes].sum(-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(total > 0, drawn / total, np.nan)
    shares.sort(axis=0)  # NaN last
    known = np.isfinite(shares).sum(axis=0)
    ends = []
    for level in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        row = np.clip(np.rint(level * (known - 1)), 0, None).astype(int)
        ends.append(np.take_along_axis(shares, row[None], axis=0)[0])
    return ends[0], ends[1]


def _rows(
    counts: np.ndarray, frames: np.ndarray, names: list[str], classes: int, low: np.ndarray, high: np.ndarray
) -> pd.DataFrame:
    counts = counts.astype(np.float64)
    total = counts[:, :classes].sum(axis=1)
    shape = counts.shape
    return pd.DataFrame(
        {
            "t": np.repeat(frames, shape[1]),
            "class": np.tile(np.array(names, dtype=object), shape[0]),
            "count": counts.ravel().astype(np.int64),
            "cells": np.repeat(total, shape[1]).astype(np.int64),
            "share": (counts / total[:, None]).ravel().astype(np.float64),
            "low": low.ravel().astype(np.float64),
            "high": high.ravel().astype(np.float64),
        }
    )
