"""Frames and times that are written as text: "t003", "00:15:00", "2024-03-01T22:10:00Z"."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d(?:\.\d+)?)")
_DATE = re.compile(
    r"(\d{4}[-/]\d\d?[-/]\d\d?|\d\d?\.\d\d?\.\d{4})[T ]+\d\d?:\d\d(:\d\d([.,]\d+)?)?( ?(Z|[+-]\d\d:?\d\d))?"
)
"""A date with a time of day; dates with the month first are not distinguished from those with the day first."""
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
        Units of columns, to which seconds are added for elapsed times such as 0:15:00, and for dates.

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
        elif all(_DATE.fullmatch(text) for text in texts):
            values = values.assign(**{name: _seconds_of_dates(texts)})
            units[name] = "s"
        elif all(tags := [_TAGGED.fullmatch(text) for text in texts]) and len({m[1] for m in tags if m}) == 1:
            values = values.assign(**{name: [int(match[2]) for match in tags if match]})
    return values


def _seconds_of_dates(texts: list[str]) -> np.ndarray:
    """Return dates as seconds since 1970, float64; NaN for days that do not exist."""
    each, texts_of_each = pd.factorize(pd.Series(texts).str.replace(",", "."))
    dates = [
        pd.to_datetime(text, utc=True, errors="coerce", dayfirst=re.match(r"\d+\.", text) is not None)
        for text in texts_of_each
    ]
    seconds: np.ndarray = np.array([date.timestamp() if date is not pd.NaT else np.nan for date in dates])
    each_row: np.ndarray = seconds[each]
    return each_row
