"""Columns that number the lineage of each track, in tables that do not state parents."""

from __future__ import annotations

import numpy as np
import pandas as pd


def lineage_families(column: pd.Series, track: np.ndarray) -> pd.Series | None:
    """Return the family of each row according to a column that numbers lineages.

    Parameters
    ----------
    column : Series, (n,)
        The column.
    track : ndarray of int64, shape (n,)
        Track of each row, -1 for none.

    Returns
    -------
    Series of int64 or None
        None if the column does not have one whole number for each track. Tracks without a lineage are families by
        themselves: those with a negative number, or with 0 if families have the number of their first track, or if
        most tracks have 0.
    """
    if not pd.api.types.is_integer_dtype(column) or column.isna().any():
        return None
    each = pd.DataFrame({"track": track, "family": column}).drop_duplicates()
    each = each[each["track"] >= 0]
    if each["track"].duplicated().any():
        return None
    stated = each[each["family"] > 0]
    by_first = stated["family"].isin(stated.loc[stated["family"] == stated["track"], "family"]).all()
    zero = by_first or 2 * (each["family"] == 0).sum() > len(each)
    none = column <= 0 if zero and 0 not in track else column < 0
    return column.where(~none, -2 - pd.Series(track, index=column.index)).astype(np.int64)
