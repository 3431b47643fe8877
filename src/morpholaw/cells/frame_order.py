"""Whether the frames of a stack without names of its axes follow each other in time, or alternate between channels.

A frame of a movie resembles the next one most. Where every second or third frame resembles it more, the stack holds
channels or slices in turn.
"""

from __future__ import annotations

import numpy as np

from morpholaw.cells.movies import Movie

_LAGS = range(1, 6)
_STARTS = 3
"""Consecutive frames that are compared with those after them."""
_STEP = 4
"""One pixel of so many is looked at, in rows and in columns."""
_CLEARLY = 0.1
"""By how much the resemblance at a lag exceeds that of neighbours, at least, in each comparison."""


def alternation(movie: Movie) -> int:
    """Return after how many frames a movie of unnamed axes comes back to the same kind of picture.

    Parameters
    ----------
    movie : Movie
        Only its first frames are read, and those only where its source does not name its axes.

    Returns
    -------
    int
        1 for frames that follow each other; 2 and more for channels or slices in turn.
    """
    if "?" not in movie.facts.axes or len(movie) < _STARTS + 2:
        return 1
    lags = [lag for lag in _LAGS if _STARTS - 1 + lag < len(movie)]
    frames = [_standardised(movie.frame(t)) for t in range(_STARTS + lags[-1])]
    likeness = np.array([[(frames[t] * frames[t + lag]).mean() for lag in lags] for t in range(_STARTS)])
    gain = (likeness - likeness[:, :1]).min(axis=0)  # over neighbours, in the least clear comparison
    clear = np.flatnonzero(gain > _CLEARLY)
    return lags[int(clear[0])] if len(clear) else 1


def _standardised(frame: np.ndarray) -> np.ndarray:
    """Return every few pixels with mean 0 and standard deviation 1; all zero for a flat picture."""
    pixels = frame[::_STEP, ::_STEP].astype(np.float64)
    pixels -= pixels.mean()
    spread = pixels.std()
    return pixels / spread if spread > 0 else pixels
