"""The time between frames, from the times at which they were taken."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_EVEN = 0.5
"""Largest deviation of an even time step from the median, as a share of it."""
_ODD = 0.1
"""Share of time steps that may be odd, or one of at least four, so that the median stands for all of them."""


def interval_between(times: Sequence[float], source: str) -> tuple[float | None, str | None]:
    """Return the interval between frames, and a note if they are not evenly spaced.

    Parameters
    ----------
    times : sequence of float
        Times of successive frames, in seconds.
    source : str
        Where the times are stated, for the note.

    Returns
    -------
    interval : float or None
        The median of the time steps; None if they do not increase, or differ so much that no interval stands for all.
    note : str or None
    """
    steps = np.diff(np.asarray(times, np.float64))
    if len(steps) == 0 or not (steps > 0).all():
        return None, None
    median = float(np.median(steps))
    even = np.abs(steps - median) <= _EVEN * median
    if even.all():
        return float(steps.mean()), None
    frame = int(np.flatnonzero(~even)[0])
    varies = (
        f"according to its {source}, the frames are not evenly spaced: {steps.min():.4g} to {steps.max():.4g} s apart, "
        f"and {steps[frame]:.4g} s between frames {frame} and {frame + 1}."
    )
    if (~even).sum() > max(_ODD * len(steps), len(steps) >= 4):
        return (
            None,
            f"{varies} No interval stands for all of them, so durations have no unit of time; cut the movie there.",
        )
    return (
        median,
        f"{varies} Most are {median:.4g} s apart, which is used; durations across the others are wrong.",
    )
