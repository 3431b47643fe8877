"""Alignment of values along tracks at an event, with their mean, its confidence band and its onset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import drawn_with_replacement, widening
from morpholaw.evaluation.estimate import TAILS, Estimate
from morpholaw.evaluation.lineages import Lineages

FEWEST = 3
"""Minimum number of tracks in a frame for a mean."""
ONSET = 0.25
"""Fraction of its largest change at which a curve is said to have its onset."""


@dataclass(frozen=True)
class Aligned:
    """Values along tracks around an event.

    Attributes
    ----------
    name : str
        Name of the value.
    frame : ndarray, int64 (window,)
        Frames relative to the event; 0 is the first frame after it.
    values : ndarray, float64 (tracks, window)
        Values of each track; NaN for missing frames.
    mean, low, high : ndarray, float64 (window,)
        Mean over tracks with its 95 % confidence band, from resampled families and widened for few of them; NaN in
        frames with fewer than three tracks. The band is NaN if all tracks are of one family.
    onset : Estimate
        Frame, relative to the event, at which the mean reaches a quarter of its largest change, with its 95 %
        confidence interval, which is NaN for one family; NaN if it does not change.
    """

    name: str
    frame: np.ndarray
    values: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    onset: Estimate


def align(
    lineages: Lineages,
    cells: np.ndarray,
    frames: np.ndarray,
    columns: Sequence[str],
    before: int = 10,
    after: int = 10,
    resamples: int = 500,
    seed: int = 0,
) -> list[Aligned]:
    """Align values at one event per cell.

    Parameters
    ----------
    lineages : Lineages
        The images of every cell, with the columns to align.
    cells : ndarray, int64 (events,)
        Cell of each event.
    frames : ndarray, float64 (events,)
        First frame after each event. Half frames are rounded up.
    columns : sequence of str
        Numeric columns of the images.
    before, after : int
        Number of frames before and after the event.
    resamples, seed : int
        Number and seed of the resamples of families for confidence bands and intervals.

    Returns
    -------
    list of Aligned
        One per column, earliest onset first.

    Raises
    ------
    InputError
        If there are no events, or no such column.
    """
    if not len(cells):
        raise InputError("There is no such event to align the tracks at.")
    images = lineages.images
    if missing := [name for name in columns if name not in images]:
        raise InputError(f"The cells have no value {missing[0]} to align.")
    cells, event = np.asarray(cells, np.int64), np.ceil(np.asarray(frames, np.float64)).astype(np.int64)
    window = np.arange(-before, after)
    rows = _rows(images, cells, event, window)
    family = lineages.cells["lineage"].to_numpy()[cells]
    weights = _family_weights(family, resamples, np.random.default_rng(seed))
    families = len(np.unique(family))
    factor = widening(families) if families > 1 else np.nan
    aligned = [
        _summarise(name, images[name].to_numpy(np.float64, na_value=np.nan), rows, window, weights, factor)
        for name in columns
    ]
    return sorted(aligned, key=lambda one: (not np.isfinite(one.onset.value), one.onset.value))


def _rows(images: pd.DataFrame, cells: np.ndarray, event: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return the row of each event's cell in each frame of the window, int64 (events, window); -1 if missing."""
    cell, t = images["cell"].to_numpy(), images["t"].to_numpy()
    frames = int(t.max()) + 1
    key = cell * frames + t  # rising, because images are sorted by cell and frame
    wanted_t = event[:, None] + window
    row_number = cells[:, None] * frames + wanted_t
    place = np.minimum(np.searchsorted(key, row_number), len(key) - 1)
    inside = (wanted_t >= 0) & (wanted_t < frames) & (key[place] == row_number)
    return np.where(inside, place, -1)


def _family_weights(family: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each event is drawn in each resample of whole families, float64 (resamples, events)."""
    _, place = np.unique(family, return_inverse=True)
    count = int(place.max()) + 1
    return drawn_with_replacement(count, resamples, rng)[:, place].astype(np.float64)


def _summarise(
    name: str,
    column: np.ndarray,
    rows: np.ndarray,
    window: np.ndarray,
    weights: np.ndarray,
    factor: float,
) -> Aligned:
    """Return the values of one column; intervals of resampled families are widened by ``factor``."""
    values = np.where(rows >= 0, column[rows], np.nan)
    known = np.isfinite(values)
    enough = known.sum(axis=0) >= FEWEST
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(enough, filled.sum(0) / known.sum(0), np.nan)
        drawn = np.where(enough, (weights @ filled) / (weights @ known), np.nan)
    low, high = np.full(len(window), np.nan), np.full(len(window), np.nan)
    if enough.any():
        ends = np.nanquantile(drawn[:, enough], TAILS, axis=0)
        low[enough], high[enough] = mean[enough] + factor * (ends - mean[enough])
    onset = _onset(mean[None], window)[0]
    onsets = _onset(drawn, window)
    onsets = onsets[np.isfinite(onsets)]
    interval = Estimate(np.nan, np.nan, np.nan)
    if np.isfinite(onset) and len(onsets):
        ends = np.quantile(onsets, TAILS)
        interval = Estimate(float(onset), *(onset + factor * (ends - onset)).tolist())
    return Aligned(name, window, values, mean, low, high, interval)


def _onset(curves: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return the frame at which each curve (n, window) reaches `ONSET` of its largest change; NaN if it is flat.

    Changes refer to the mean over the first quarter of the window. The onset is the last crossing of the threshold
    before the largest change, interpolated between frames.
    """
    onset = np.full(len(curves), np.nan)
    for k, curve in enumerate(curves):
        known = np.flatnonzero(np.isfinite(curve))
        if len(known) < 4:
            continue
        values, time = curve[known], window[known]
        start = values[: max(len(values) // 4, 2)].mean()
        change = values - start
        peak = int(np.argmax(np.abs(change)))
        if change[peak] == 0:
            continue
        way = change / change[peak]
        near = np.flatnonzero(way[: peak + 1] < ONSET)
        if len(near) and near[-1] + 1 < len(way):
            i = int(near[-1])
            onset[k] = time[i] + (ONSET - way[i]) / (way[i + 1] - way[i]) * (time[i + 1] - time[i])
    return onset
