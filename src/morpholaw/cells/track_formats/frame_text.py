"""Frames and times that are written as text: "t003", "00:15:00"."""

from __future__ import annotations

import re

import pandas as pd

_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d(?:\.\d+)?)")
_TAGGED = re.compile(r"([A-Za-z][A-Za-z _\-=.]*)(\d+)")


def readable_times(values: pd.DataFrame, names: list[str], units: dict[str, str]) -> pd.DataFrame:
    """Return a table in which columns of frames or times as text are numbers.

    Parameters
    ----------
    values : DataFrame
        The table.
    names : list of str
        Columns that may contain frames or times.
    units : dict of str
        Units of columns, to which seconds are added for elapsed times such as 0:15:00.

    Returns
    -------
    DataFrame
    """
    for name in names:
        column = values[name]
        if pd.api.types.is_numeric_dtype(column) or column.isna().any():
            continue
        texts = [str(text).strip() for text in column]
        if all(clocks := [_CLOCK.fullmatch(text) for text in texts]):
            hours, minutes, seconds = zip(*(match.groups() for match in clocks if match), strict=True)
            parts = (pd.Series(part, column.index).astype(float) for part in (hours, minutes, seconds))
            values = values.assign(**{name: sum(n * s for n, s in zip(parts, (3600, 60, 1), strict=True))})
            units[name] = "s"
        elif all(tags := [_TAGGED.fullmatch(text) for text in texts]) and len({m[1] for m in tags if m}) == 1:
            values = values.assign(**{name: [int(match[2]) for match in tags if match]})
    return values
