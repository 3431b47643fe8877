"""Tracks that stand still to the last digit, as where a tracker repeats the last position of a cell that it lost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.display import counted, first_few

_FEWEST = 3
"""Minimum number of consecutive frames with exactly the same position."""
_USUAL = 0.5
"""Share of steps above which standing still is usual, as in masks that were copied, and is not reported."""


def frozen_tracks(table: pd.DataFrame) -> dict[int, int]:
    """Return the tracks that stand still, and the frame in which each begins to.

    Whole numbers are not considered, because rounded positions repeat by chance, nor are the outermost positions, where
    cells may be held back by a wall.

    Parameters
    ----------
    table : DataFrame
        A valid track table, sorted by track and time.

    Returns
    -------
    dict of int to int
    """
    track, t = table["track_id"].to_numpy(), table["t"].to_numpy()
    place = table[["y", "x"]].to_numpy(np.float64)
    if len(table) < _FEWEST:
        return {}
    judged = ((place % 1 != 0) & (place > place.min(axis=0)) & (place < place.max(axis=0))).all(axis=1)
    steps = (track[1:] == track[:-1]) & (t[1:] == t[:-1] + 1)
    same = steps & (place[1:] == place[:-1]).all(axis=1)
    if same.sum() > _USUAL * steps.sum():
        return {}
    same &= judged[1:]
    if "dummy" in table:
        same &= ~table["dummy"].to_numpy(bool)[1:]
    runs = np.ones(len(same) - _FEWEST + 2, bool)
    for step in range(_FEWEST - 1):
        runs &= same[step : len(same) - _FEWEST + 2 + step]
    first: dict[int, int] = {}
    for row in np.flatnonzero(runs).tolist():
        first.setdefault(int(track[row]), int(t[row]))
    return first


def frozen_note(table: pd.DataFrame, where: str) -> str | None:
    """Return a sentence on the tracks of ``where`` that stand still, or None."""
    frozen = frozen_tracks(table)
    if not frozen:
        return None
    track, frame = next(iter(frozen.items()))
    return (
        f"{where}: the position of {counted(len(frozen), 'track')} ({first_few(map(str, frozen), 5)}) is exactly the "
        f"same in {_FEWEST} or more frames, such as that of track {track} from frame {frame} on, as if the tracker had "
        "lost the cell and repeated its last position. Remove the rows without a cell."
    )
