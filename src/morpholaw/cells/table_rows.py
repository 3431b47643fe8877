"""Rows of a text table that are no records: repeated column names, comments, and statistics below the last record."""

from __future__ import annotations

import pandas as pd

from morpholaw.cells.number_text import NUMBER

COMMENTS = ("#", "%", "//")
"""Beginnings of comments."""
_STATISTICS = {
    *(
        "mean",
        "average",
        "median",
        "sd",
        "std",
        "stdev",
        "stddev",
        "sem",
        "var",
        "min",
        "max",
        "sum",
        "total",
    ),
    *("count", "n", "mittelwert", "summe", "moyenne", "media", "suma"),
}
"""Words with which ImageJ, spreadsheets and others begin rows of statistics."""


def records_only(values: pd.DataFrame) -> pd.DataFrame:
    """Return a table of text without rows that are no records.

    Parameters
    ----------
    values : DataFrame
        Columns of text where a value is no number. The first column tells which rows are records: the others repeat its
        name, as where tables were joined, begin a comment, or, at the end of a column of numbers, name a statistic.

    Returns
    -------
    DataFrame
        Its index contains the numbers of the rows.
    """
    if values.shape[1] == 0 or pd.api.types.is_numeric_dtype(values.iloc[:, 0]):
        return values
    first = values.iloc[:, 0].fillna("").astype(str).str.strip()
    name = str(values.columns[0])
    others = values.iloc[:, 1:]
    left_out = first.str.startswith(COMMENTS) & others.isna().all(axis=1)
    for row in first.index[first == name]:
        cells = others.loc[row].astype(str).str.strip()
        left_out[row] = bool((cells == others.columns.astype(str)).all())
    statistics = first.str.lower().isin(_STATISTICS) & ~left_out
    records = first[~statistics & ~left_out]
    below = statistics.any() and statistics[statistics].index.min() > records.index.max()
    if below and records.map(lambda cell: bool(NUMBER.fullmatch(cell))).all():
        left_out |= statistics
    return values[~left_out] if left_out.any() else values
