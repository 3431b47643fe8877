"""Advice which columns to rename, for tables whose names are unknown: their values show tracks and frames."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.frames import is_whole, step_of

_ROWS = 20_000
"""Number of rows that are examined."""


def renaming_advice(values: pd.DataFrame, known: dict[str, np.ndarray], place: np.ndarray | None) -> str:
    """Return a sentence that names the columns to rename, or "" if the values do not show them.

    Parameters
    ----------
    values : DataFrame
        Columns whose meaning is unknown.
    known : dict of ndarray (n,)
        Values of ``track_id`` or ``t``, if the table has them.
    place : ndarray or None
        Positions, float64 (n, 2), if the table has them.

    Returns
    -------
    str
    """
    values, known = values.head(_ROWS), {name: column[:_ROWS] for name, column in known.items()}
    whole = {str(name): values[name].to_numpy() for name in values if is_whole(values[name])}
    tracks = {"": known["track_id"]} if "track_id" in known else whole
    frames = {"": known["t"]} if "t" in known else whole
    pairs = [
        (track, frame)
        for track, frame in product(tracks, frames)
        if track != frame and _follow(tracks[track], frames[frame])
    ]
    if not pairs:
        return ""
    if place is not None:
        pairs.sort(key=lambda pair: _step(tracks[pair[0]], frames[pair[1]], place[:_ROWS]))
    names = zip(pairs[0], ("track_id", "t"), ("numbers the tracks", "counts the frames"), strict=True)
    stated = [(name, ours, does) for name, ours, does in names if name]
    does = " and ".join(f"{name} {does}" for name, _, does in stated)
    return f" If {does}, rename {'it' if len(stated) == 1 else 'them'} {' and '.join(s[1] for s in stated)}."


def _follow(track: np.ndarray, frame: np.ndarray) -> bool:
    """Return whether tracks have one row per frame, and most go on from each frame to the next."""
    rows = pd.DataFrame({"track": track, "t": frame}).sort_values(["track", "t"], ignore_index=True)
    if rows.duplicated().any() or rows["track"].nunique() in (1, len(rows)):
        return False
    gaps = rows.groupby("track")["t"].diff().dropna()
    return bool((gaps == step_of(rows["t"].to_numpy())).mean() > 0.5 and len(gaps) >= 0.5 * len(rows))


def _step(track: np.ndarray, frame: np.ndarray, place: np.ndarray) -> float:
    """Return the median distance between a track's positions in consecutive frames."""
    order = np.lexsort((frame, track))
    same = np.diff(pd.factorize(track[order])[0]) == 0
    return float(np.nanmedian(np.hypot(*np.diff(place[order], axis=0)[same].T)))
