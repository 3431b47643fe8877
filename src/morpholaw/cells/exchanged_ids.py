"""Pairs of tracks that exchange their places from one frame to the next, as where two ids were swapped."""

from __future__ import annotations

import numpy as np
import pandas as pd

_LONG = 4.0
"""Multiple of the median step that both tracks must jump."""
_SHORTER = 5.0
"""Factor by which their steps would be shorter if the ids were exchanged; up to 2.4 where cells merely move."""
_MOST = 500
"""Maximum number of jumping tracks in a frame; more are not exceptions."""


def exchanged_ids(table: pd.DataFrame) -> list[tuple[int, int, int]]:
    """Return pairs of tracks that take each other's place.

    Parameters
    ----------
    table : DataFrame
        A valid track table, sorted by track and time.

    Returns
    -------
    list of (int, int, int)
        The frame before the exchange and the two tracks, in the order of frames.
    """
    track, t = table["track_id"].to_numpy(), table["t"].to_numpy()
    place = table[["y", "x"]].to_numpy(np.float64)
    rows = np.flatnonzero((track[1:] == track[:-1]) & (t[1:] == t[:-1] + 1))
    step = np.hypot(*(place[rows + 1] - place[rows]).T)
    if len(step) == 0:
        return []
    long = step > _LONG * max(float(np.median(step)), 0.5)
    rows, step = rows[long], step[long]
    pairs = []
    for frame in np.unique(t[rows]).tolist():
        here = t[rows] == frame
        now, own = rows[here], step[here]
        if not 2 <= len(now) <= _MOST:
            continue
        others = np.hypot(*np.moveaxis(place[now + 1][None] - place[now][:, None], -1, 0))
        partner = others.argmin(axis=1)
        for one, other in enumerate(partner.tolist()):
            mutual = one < other and partner[other] == one
            if mutual and _SHORTER * (others[one, other] + others[other, one]) < own[one] + own[other]:
                pairs.append((frame, int(track[now[one]]), int(track[now[other]])))
    return pairs


def exchange_note(table: pd.DataFrame, where: str, masks: bool) -> str | None:
    """Return a sentence on the tracks of ``where`` that exchange their places, or None.

    Parameters
    ----------
    table : DataFrame
        A valid track table, sorted by track and time.
    where : str
        Name of the file.
    masks : bool
        Whether the tracks are the numbers in masks, which Morpholaw can link itself.

    Returns
    -------
    str or None
    """
    pairs = exchanged_ids(table)
    if not pairs:
        return None
    frame, one, other = pairs[0]
    often = "" if len(pairs) == 1 else f", the first of {len(pairs)} such exchanges"
    remedy = "Correct the ids" + (", or have the masks linked (--ids linked)" if masks else "") + "."
    return (
        f"{where}: tracks {one} and {other} exchange their places between frames {frame} and {frame + 1}{often}, as if "
        f"their ids had been swapped. {remedy}"
    )
