"""The table of cells that belongs to crops: its columns, their types and the values for missing data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

INTEGERS = ("crop", "track_id", "t", "parent")
SOURCE_IDS = ("source_track", "source_id")
"""Columns with the ids of tracks and spots in the original tracks file, as text; "" if it has none."""
TEXTS = ("file", "group", "label", *SOURCE_IDS)
COLUMNS = ("crop", "file", "track_id", "t", "y", "x", "parent", "group", "label")


def cells_table(n: int, **columns: Any) -> pd.DataFrame:
    """Return a table of ``n`` cells with every standard column; missing columns contain -1, NaN or "".

    Parameters
    ----------
    n : int
        Number of crops; ``crop`` is 0 to n-1.
    **columns
        Columns to set, standard or not (such as ``true_phase``), of length n or scalar.

    Returns
    -------
    DataFrame
    """
    defaults: dict[str, Any] = {"crop": np.arange(n, dtype=np.int64), "file": "", "group": "", "label": ""}
    defaults |= dict.fromkeys(("track_id", "t", "parent"), -1) | dict.fromkeys(("y", "x"), np.nan)
    values = {name: defaults[name] for name in COLUMNS} | columns
    return with_types(pd.DataFrame(values, index=pd.RangeIndex(n)))


def with_types(cells: pd.DataFrame) -> pd.DataFrame:
    """Convert columns to their types: int64 and float64 for standard columns, str for text with "" where missing."""
    types: dict[str, Any] = dict.fromkeys((c for c in INTEGERS if c in cells), np.int64)
    types |= dict.fromkeys((c for c in ("y", "x") if c in cells), np.float64)
    for name in cells.columns:
        # bool counts as numeric
        if name in TEXTS or (name not in types and not pd.api.types.is_numeric_dtype(cells[name])):
            cells[name] = cells[name].fillna("")
            types[name] = str
    return cells.astype(types)
