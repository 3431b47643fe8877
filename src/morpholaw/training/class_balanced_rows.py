"""Which pictures a law search looks at: a few thousand, with the classes in fixed shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LAW_ROWS = 4_000
"""Rows that a search looks at, at the most: more change a law of 20 nodes no further."""


def class_balanced_rows(
    groups: Sequence[np.ndarray], shares: Sequence[float], seed: int | Sequence[int]
) -> np.ndarray:
    """Draw rows at random such that each group has its share; sorted indices int64.

    As many rows are drawn as show every row of the group that is largest for its share, `LAW_ROWS` at the most;
    those of the other groups come more than once. Real sets are uneven (215 to 127), and a metaphase is as good a
    vote on the boundary as an interphase.

    Parameters
    ----------
    groups
        Indices of the rows of each group, none empty.
    shares
        Share of the drawn rows that each group has; they add up to 1.
    """
    total = min(LAW_ROWS, max(len(rows) / share for rows, share in zip(groups, shares, strict=True)))
    random = np.random.default_rng(seed)
    drawn = [
        np.resize(random.permutation(rows), round(total * share))
        for rows, share in zip(groups, shares, strict=True)
    ]
    return np.sort(np.concatenate(drawn))
