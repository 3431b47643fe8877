"""Tracks that share a position in a frame: one cell under two ids, or a mark for cells without a position."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.cells.families import families, joined
from morpholaw.display import counted


def without_shared_places(table: pd.DataFrame, where: str, notes: list[str]) -> pd.DataFrame:
    """Drop positions such as 0, 0 or -1, -1 of several tracks; make one family of tracks that share others.

    Parameters
    ----------
    table : DataFrame
        A valid track table.
    where : str
        Name of the file in messages.
    notes : list of str
        List to which a sentence about each kind is added.

    Returns
    -------
    DataFrame
        The table, with the column ``family`` if it changed.
    """
    twice = table.duplicated(["t", "y", "x"], keep=False).to_numpy()
    if "dummy" in table:
        twice = twice & ~table["dummy"].to_numpy(bool)
    if not twice.any():
        return table
    related = families(table)
    marks = ((table["y"] == table["x"]) & (table["y"] <= 0)).to_numpy()
    if (twice & marks).any() and not marks.all():
        mark = f"{table.loc[twice & marks, 'y'].iloc[0]:g}"
        notes.append(
            f"{where}: {marks.sum()} of {len(table)} positions are exactly {mark}, {mark}, several of them in one "
            "frame; they are taken for a mark of cells without a position and left out."
        )
        table = table[~marks].reset_index(drop=True)
        twice = twice[~marks]
        table.loc[~table["parent"].isin(table["track_id"]), "parent"] = -1
    family = related.reindex(table["track_id"]).to_numpy(np.int64)
    shared = table[twice].assign(family=family[twice])
    first = shared.groupby(["t", "y", "x"])["family"].transform("first")
    apart = (shared["family"] != first).to_numpy()
    if apart.any():
        one = shared[apart].iloc[0]
        notes.append(
            f"{where}: {counted(apart.sum(), 'position is also that', 'positions are also those')} of another track in "
            f"the same frame, the first in frame "
            f"{one.t:.0f} (y {one.y:.6g}, x {one.x:.6g}): one cell seems to have two ids. Both tracks are in one "
            "group; remove one of them."
        )
        family = joined(
            family, np.column_stack([shared["family"].to_numpy()[apart], first.to_numpy()[apart]])
        )
    elif not marks.any():
        return table
    return table.assign(family=family)
