"""Sampling of training rows for the search of laws, with fixed class proportions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

MAX_ROWS = 4_000
"""Maximum number of sampled rows; more rows do not change a law of 20 nodes."""


def class_balanced_rows(
    groups: Sequence[np.ndarray], shares: Sequence[float], seed: int | Sequence[int]
) -> np.ndarray:
    """Sample rows at random so that each group has its share.

    The sample is large enough to use every row of the group that is largest relative to its share, up to `MAX_ROWS`;
    rows of the other groups are repeated. Real training sets are unbalanced (215 to 127, for example), and both classes
    should have the same influence on the decision boundary.

    Parameters
    ----------
    groups : sequence of ndarray
        Row numbers of each group; no group is empty.
    shares : sequence of float
        Share of each group in the sample; the shares add up to 1.
    seed : int or sequence of int
        Random seed.

    Returns
    -------
    ndarray
        int64, sorted row numbers; rows that are repeated occur several times.
    """
    total = min(MAX_ROWS, max(len(rows) / share for rows, share in zip(groups, shares, strict=True)))
    random = np.random.default_rng(seed)
    drawn = [
        np.resize(random.permutation(rows), round(total * share))
        for rows, share in zip(groups, shares, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def training_rows(
    groups: Sequence[np.ndarray],
    shares: Sequence[float],
    seed: int | Sequence[int],
    rows: Literal["balanced", "all"],
) -> np.ndarray:
    """Return the training rows of a search: all rows, or those of `class_balanced_rows`; sorted.

    Parameters
    ----------
    groups, shares, seed
        As for `class_balanced_rows`.
    rows : {"balanced", "all"}
        Whether to sample rows or to return all.

    Returns
    -------
    ndarray
        int64, sorted row numbers.
    """
    return np.sort(np.concatenate(groups)) if rows == "all" else class_balanced_rows(groups, shares, seed)
