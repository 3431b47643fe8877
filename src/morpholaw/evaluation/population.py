"""Share of each class in every frame, with confidence bands over families of cells or over replicates.

A band of resampled families says nothing about a class that is missing in a frame, and too little about a rare one. No
band is therefore narrower than Wilson's interval for as many independent cells.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from morpholaw.evaluation.bootstrap import drawn_with_replacement, widening
from morpholaw.evaluation.estimate import TAILS
from morpholaw.evaluation.lineages import Lineages
from morpholaw.evaluation.metrics import wilson_limits
from morpholaw.evaluation.phases import UNCLASSIFIED

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
        class), ``share``, ``low`` and ``high`` (95 % confidence band over families). The mitotic index is an
        additional class.
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
    shares: pd.DataFrame,
    condition_of: Mapping[str, str],
    replicate_of: Mapping[str, str],
    per_frame: Mapping[str, float],
) -> pd.DataFrame:
    """Average the shares over the replicates of each condition, with confidence bands.

    Movies of a replicate are averaged first. If movies have different times between frames, those with the longest one
    determine the points in time, and the others contribute their nearest frames.

    Parameters
    ----------
    shares : DataFrame
        Shares of :func:`class_shares`.
    condition_of, replicate_of : mapping of str to str
        Condition and replicate of each movie.
    per_frame : mapping of str to float
        Time between frames of each movie, in any unit.

    Returns
    -------
    DataFrame
        One row per condition, frame and class, with the columns ``condition``, ``t`` (in frames of the movies with the
        longest time between frames), ``class``, ``movies``, ``share``, ``low`` and ``high`` (95 % confidence band from
        Student's t distribution over replicates; NaN for a single one).
    """
    table = shares.assign(
        condition=shares["movie"].map(condition_of), replicate=shares["movie"].map(replicate_of)
    ).dropna(subset=["condition"])
    table = _at_common_times(table, per_frame)
    keys = ["condition", "class", "t"]
    of_replicate = table.groupby([*keys, "replicate"], sort=False).agg(
        share=("share", "mean"), cells=("cells", "sum"), movies=("movie", "size")
    )
    rows = of_replicate.groupby(level=keys, sort=False).agg(
        movies=("movies", "sum"),
        share=("share", "mean"),
        spread=("share", "std"),
        replicates=("share", "size"),
        cells=("cells", "sum"),
    )
    low, high = _limits_over_replicates(rows)
    rows = rows.assign(low=low, high=high).reset_index()
    return rows[["condition", "t", "class", "movies", "share", "low", "high"]]


def _at_common_times(shares: pd.DataFrame, per_frame: Mapping[str, float]) -> pd.DataFrame:
    """Return the frames of each movie nearest to those of the movies with the longest time between frames."""
    step = max(per_frame.values())
    faster = shares["movie"].map(per_frame) / step
    nearest = np.rint(shares["t"] * faster)
    off = (shares["t"] * faster - nearest).abs()
    return shares.assign(t=nearest.astype(np.int64))[off <= faster / 2 + 1e-9].drop_duplicates(
        ["movie", "class", "t"]
    )


def _limits_over_replicates(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the limits of the mean shares of replicates; NaN for a single replicate."""
    share, replicates = rows["share"].to_numpy(np.float64), rows["replicates"].to_numpy(np.float64)
    known = replicates > 1
    t = stdtrit(np.maximum(replicates - 1, 1), TAILS[1])
    half = t * rows["spread"].fillna(0.0).to_numpy(np.float64) / np.sqrt(replicates)
    low, high = wilson_limits(share, rows["cells"].to_numpy(np.float64))
    low, high = np.minimum(low, share - half), np.maximum(high, share + half)
    return np.where(known, np.maximum(low, 0.0), np.nan), np.where(known, np.minimum(high, 1.0), np.nan)


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
    known = (code >= 0) & ~images["class"].isin(UNCLASSIFIED).to_numpy()
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
    """Return the 95 % confidence band of the shares (frames, names), over families."""
    families, frames, names = counts.shape
    weights = drawn_with_replacement(families, resamples, rng).astype(np.float32)
    drawn = (weights @ counts.reshape(families, -1)).reshape(resamples, frames, names)
    total = drawn[..., :classes].sum(-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = np.where(total > 0, drawn / total, np.nan)
    shares.sort(axis=0)  # NaN last
    known = np.isfinite(shares).sum(axis=0)
    cells = counts[..., :classes].sum(axis=(0, 2))[:, None].astype(np.float64)
    value = counts.sum(axis=0) / cells
    ends = []
    for level in TAILS:
        row = np.clip(np.rint(level * (known - 1)), 0, None).astype(int)
        end = np.take_along_axis(shares, row[None], axis=0)[0]
        ends.append(np.clip(value + widening(families) * (end - value), 0, 1))
    low, high = wilson_limits(value, np.broadcast_to(cells, value.shape))
    return np.minimum(low, ends[0]), np.maximum(high, ends[1])


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
