"""Choice of the frames in which tracks are compared with pixels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from morpholaw.cells.even_spacing import spread

PAIRS = 4
"""Number of pairs of consecutive frames that are examined, spread over the movie."""


def frame_pairs(tracked: Sequence[int]) -> list[tuple[int, int]]:
    """Choose pairs of consecutive frames with tracked cells, spread evenly.

    If no two frames are consecutive, each is paired with itself, or, if all numbers are multiples of a step, with the
    frame that it would be if they were times (see :func:`common_step`).
    """
    known = set(tracked)
    starts = [t for t in tracked if t + 1 in known]
    if not starts:
        step = common_step(tracked)
        return [(t, t // step) for t in spread(list(tracked), 2 * PAIRS)]
    chosen: list[int] = []
    for t in spread(starts, PAIRS):
        if not chosen or t > chosen[-1] + 1:
            chosen.append(t)
    return [(t, t + 1) for t in chosen]


def common_step(tracked: Sequence[int]) -> int:
    """Return the largest number that divides all frame numbers, which may then be times; 1 for a single frame."""
    numbers = np.unique(np.asarray(tracked, np.int64))
    return int(np.gcd.reduce(numbers)) if len(numbers) > 1 else 1
