"""Simulation of tracks with phases but without images: cells enter metaphase and divide afterwards.

They test conclusions from classes along tracks; a movie with images takes a thousand times longer.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

SPREAD = 0.3
"""Standard deviation of the logarithm of durations."""
_FIELD = 2000.0
_APART = 8.0


def simulate_phases(
    rng: np.random.Generator,
    cells: int,
    frames: int,
    median: float,
    movie: str = "movie",
) -> pd.DataFrame:
    """Simulate cells that enter metaphase at any time, some before or after the movie, and then divide.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    cells : int
        Number of mothers; each that divides within the movie adds two daughters.
    frames : int
        Number of frames of the movie.
    median : float
        Median duration of metaphase, in frames; durations are log-normal.
    movie : str
        Name of the movie.

    Returns
    -------
    DataFrame
        One row per cell and frame: ``track_id``, ``t``, ``parent`` (-1: none), ``y``, ``x`` (pixels), ``class`` and
        ``movie``.
    """
    entry = rng.uniform(-0.2, 1.1, cells) * frames
    leave = entry + median * np.exp(rng.normal(0, SPREAD, cells))
    place = rng.uniform(0, _FIELD, (cells, 2))
    t = np.arange(frames)
    mother, time = np.nonzero(t[None] < leave[:, None])
    classes = np.where(time >= entry[mother], "metaphase", "interphase")
    parts = [_rows(mother, time, np.full(len(mother), -1), place[mother], classes)]
    for side in (-1, 1):
        born, time = np.nonzero((t[None] >= leave[:, None]) & (leave[:, None] > 0))
        track = cells + 2 * born + (side > 0)
        beside = place[born] + [0, _APART * side]
        parts.append(_rows(track, time, born, beside, np.full(len(born), "interphase")))
    return pd.concat(parts, ignore_index=True).assign(movie=movie)


def mean_duration(median: float) -> float:
    """Return the mean of log-normal durations with a given median, in the same unit."""
    return median * float(np.exp(SPREAD**2 / 2))


def _rows(
    track: np.ndarray, t: np.ndarray, parent: np.ndarray, place: np.ndarray, names: np.ndarray
) -> pd.DataFrame:
    columns = {
        "track_id": track,
        "t": t,
        "parent": parent,
        "y": place[:, 0],
        "x": place[:, 1],
        "class": names,
    }
    return pd.DataFrame(columns)
