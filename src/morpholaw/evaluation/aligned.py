"""Values along tracks that are aligned at an event: their mean with bands, and which of them moves first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.errors import InputError
from morpholaw.evaluation.estimate import LEVEL, Estimate
from morpholaw.evaluation.lineages import Lineages

FEWEST = 3
"""Tracks in a frame from which a mean is computed."""
ONSET = 0.25
"""Part of the way to its largest change from which a curve counts as moving."""


@dataclass(frozen=True)
class Aligned:
    """A value along tracks, in frames from an event.

    Attributes
    ----------
    name : str
        Of the value.
    frame : ndarray, int64 (window,)
        Frames from the event; 0 is the first frame after it.
    values : ndarray, float64 (tracks, window)
        NaN where a track has no image.
    mean, low, high : ndarray, float64 (window,)
        The mean over tracks with its 95 % band, from resampled families; NaN in frames with fewer than three tracks.
    onset : Estimate
        When the mean has gone a quarter of the way from its start to its largest change, in frames from the event,
        with the 95 % interval; NaN where it does not change.
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
    """Align columns of the images at one event per cell.

    Parameters
    ----------
    lineages : Lineages
        The images of every cell, with the columns.
    cells : ndarray, int64 (events,)
        The cell of each event.
    frames : ndarray, float64 (events,)
        The first frame after each event; a half frame is rounded up.
    columns : sequence of str
        Numeric columns of the images.
    before, after : int
        Frames on either side of the event.
    resamples, seed : int
        Of families, for bands and intervals; the same resamples for all columns.

    Returns
    -------
    list of Aligned
        One per column, the earliest onset first.

    Raises
    ------
    InputError
        When there is no event, or no such column.
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
    aligned = [
        _summarise(name, images[name].to_numpy(np.float64, na_value=np.nan), rows, window, weights)
        for name in columns
    ]
    return sorted(aligned, key=lambda one: (not np.isfinite(one.onset.value), one.onset.value))


def _rows(images: pd.DataFrame, cells: np.ndarray, event: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return the row of each event's cell in each frame of the window, -1 for none; int64 (events, window)."""
    cell, t = images["cell"].to_numpy(), images["t"].to_numpy()
    frames = int(t.max()) + 1
    key = cell * frames + t  # rising, because images are sorted by cell and frame
    wanted_t = event[:, None] + window
    wanted = cells[:, None] * frames + wanted_t
    place = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    inside = (wanted_t >= 0) & (wanted_t < frames) & (key[place] == wanted)
    return np.where(inside, place, -1)


def _family_weights(family: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Return how often each event is drawn in each resample of whole families, float64 (resamples, events)."""
    _, place = np.unique(family, return_inverse=True)
    count = int(place.max()) + 1
    return rng.multinomial(count, np.full(count, 1 / count), resamples)[:, place].astype(np.float64)


def _summarise(
    name: str, column: np.ndarray, rows: np.ndarray, window: np.ndarray, weights: np.ndarray
) -> Aligned:
    values = np.where(rows >= 0, column[rows], np.nan)
    known = np.isfinite(values)
    enough = known.sum(axis=0) >= FEWEST
    filled = np.where(known, values, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(enough, filled.sum(0) / known.sum(0), np.nan)
        drawn = np.where(enough, (weights @ filled) / (weights @ known), np.nan)
    low, high = np.full(len(window), np.nan), np.full(len(window), np.nan)
    if enough.any():
        ends = np.nanquantile(drawn[:, enough], [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        low[enough], high[enough] = ends
    onset = _onset(mean[None], window)[0]
    onsets = _onset(drawn, window)
    onsets = onsets[np.isfinite(onsets)]
    interval = Estimate(np.nan, np.nan, np.nan)
    if np.isfinite(onset) and len(onsets):
        ends = np.quantile(onsets, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        interval = Estimate(float(onset), float(ends[0]), float(ends[1]))
    return Aligned(name, window, values, mean, low, high, interval)


def _onset(curves: np.ndarray, window: np.ndarray) -> np.ndarray:
    """Return when each curve (n, window) has gone `ONSET` of its way to its largest change; NaN where it is flat.

    The way begins at the mean of the first quarter of the window, and the onset is where the curve was last nearer to
    it than `ONSET` before its largest change, between frames by interpolation.
    """
    found = np.full(len(curves), np.nan)
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
            found[k] = time[i] + (ONSET - way[i]) / (way[i + 1] - way[i]) * (time[i + 1] - time[i])
    return found
