"""Detection of stacks with unnamed axes whose frames alternate between channels or slices instead of following in time.

A frame of a movie is most similar to the next one. If it is more similar to every second or third frame, the stack
alternates between channels or slices.
"""

from __future__ import annotations

import numpy as np

from morpholaw.cells.movies import Movie

_LAGS = range(1, 6)
_STARTS = 3
"""Number of consecutive frames that are compared with later ones."""
_STEP = 4
"""Only every n-th pixel is compared, in rows and columns."""
_CLEARLY = 0.1
"""Minimum excess of the similarity at a lag over that of neighbours, in every comparison."""


def alternation(movie: Movie) -> int:
    """Return the period after which a movie with unnamed axes returns to the same kind of image.

    Parameters
    ----------
    movie : Movie
        Only its first frames are read, and only if its source does not name its axes.

    Returns
    -------
    int
        1 for frames that follow each other; 2 or more for alternating channels or slices.
    """
    if "?" not in movie.facts.axes or len(movie) < _STARTS + 2:
        return 1
    lags = [lag for lag in _LAGS if _STARTS - 1 + lag < len(movie)]
    frames = [_standardised(movie.frame(t)) for t in range(_STARTS + lags[-1])]
    likeness = np.array([[(frames[t] * frames[t + lag]).mean() for lag in lags] for t in range(_STARTS)])
    gain = (likeness - likeness[:, :1]).min(axis=0)  # relative to neighbours, in the least clear comparison
    clear = np.flatnonzero(gain > _CLEARLY)
    return lags[int(clear[0])] if len(clear) else 1


def _standardised(frame: np.ndarray) -> np.ndarray:
    """Return a subsample of pixels with mean 0 and standard deviation 1; all zero for a constant image."""
    pixels = frame[::_STEP, ::_STEP].astype(np.float64)
    pixels -= pixels.mean()
    spread = pixels.std()
    return pixels / spread if spread > 0 else pixels
