"""A sample of the rows that a law is searched on, with the classes in fixed shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

MAX_ROWS = 4_000
"""Rows drawn at most: more do not change a law of 20 nodes."""


def class_balanced_rows(
    groups: Sequence[np.ndarray], shares: Sequence[float], seed: int | Sequence[int]
) -> np.ndarray:
    """Draw rows at random so that each group has its share.

    As many rows are drawn as it takes to use every row of the group that is largest for its share, at most
    `MAX_ROWS`; rows of the other groups are repeated. Real sets are uneven (215 to 127), and both classes should
    count the same for where the boundary lies.

    Parameters
    ----------
    groups : sequence of ndarray
        Row numbers of each group, none empty.
    shares : sequence of float
        Share of the drawn rows that each group has; they add up to 1.
    seed : int or sequence of int
        Seed of the draw.

    Returns
    -------
    ndarray
        int64, sorted row numbers; repeated rows occur several times.
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
    """Return the rows that a search learns from: those of `class_balanced_rows`, or all, sorted."""
    return np.sort(np.concatenate(groups)) if rows == "all" else class_balanced_rows(groups, shares, seed)
