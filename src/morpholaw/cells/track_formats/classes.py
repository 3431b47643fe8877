"""Detection of the column of a table that contains classes, as opposed to numbers of masks or spots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.column_names import CLASS, by_key, key_of, named
from morpholaw.display import first_few

BTRACK_STATES = ("interphase", "prometaphase", "metaphase", "anaphase", "apoptosis")
"""btrack's states in the order of their numbers."""
_NO_STATE = (5, 99)
"""btrack's numbers for "not classified" and for interpolated positions."""
_MANY = 30
"""Number of different values above which a column identifies cells rather than classes."""
_FEW = 5
"""Number of different values up to which a column contains classes even if each occurs once."""
_NUMBERS = "numbers the masks"
_TRACKER_STATES = {
    *(
        "tracked",
        "untracked",
        "lost",
        "dummy",
        "tentative",
        "confirmed",
        "matched",
        "unmatched",
        "interpolated",
    ),
    *("occluded", "terminated"),
}
"""States of a track or position that only trackers name, in columns such as ``state``."""
_STATES = {
    *_TRACKER_STATES,
    *("active", "inactive", "new", "deleted", "removed", "predicted", "detected", "missing", "start", "end"),
}
"""The same with words that may also be classes."""
_PHASES = {
    *("interphase", "prophase", "prometaphase", "metaphase", "anaphase", "telophase", "cytokinesis"),
    *("mitosis", "mitotic", "apoptosis", "apoptotic"),
}
"""Classes of cells that are recognised in a column of any name."""


def class_column(values: pd.DataFrame, track: str | None, notes: list[str], where: str) -> str | None:
    """Return the name of the column that contains classes, or None.

    ``label`` is a class in some tables and the number of the mask in others (scikit-image, napari). Any other name has
    priority, and a column of numbers that identify cells is not used.

    Parameters
    ----------
    values : DataFrame
        The table.
    track : str or None
        Column that numbers tracks.
    notes : list of str
        List to which sentences about the choice are added.
    where : str
        Name of the file in messages.

    Returns
    -------
    str or None
    """
    column: str | None = None
    for name in named(values, CLASS):
        if name == track:
            continue
        why = _event(values, name) or _no_class(values[name], None if track is None else values[track])
        if why is None and column is None:
            column = name
        elif why is None:
            if not values[name].astype(str).equals(values[column].astype(str)):
                notes.append(f"{where}: classes are read from the column {column}, not from {name}.")
        elif column is None and why != _NUMBERS:  # the usual meaning of "label" needs no note
            notes.append(f"{where}: the column {name} {why}; it is not used as a class.")
    if column is None and (column := next(filter(lambda name: names_phases(values[name]), values), None)):
        notes.append(f"{where}: classes are read from the column {column}, because it names phases.")
    return column


def names_phases(column: pd.Series) -> bool:
    """Return whether most of the values in a column are names of phases, such as metaphase."""
    if pd.api.types.is_numeric_dtype(column):
        return False
    names = column.dropna().astype(str).str.strip().str.lower().unique()
    return bool(2 <= len(names) <= _MANY and 2 * sum(name in _PHASES for name in names) >= len(names))


def class_names(column: pd.Series, states: bool = False) -> np.ndarray:
    """Return the classes in a column as text, "" for none; object (n,).

    Parameters
    ----------
    column : Series
        The column.
    states : bool
        Whether the numbers are btrack's states.

    Returns
    -------
    ndarray
    """
    known = dict(enumerate(BTRACK_STATES)) | dict.fromkeys(_NO_STATE, "")

    def text(value: Any) -> str:
        if value is None or (isinstance(value, float) and not np.isfinite(value)):
            return ""
        if isinstance(value, (float, np.floating)) and float(value).is_integer():
            value = int(value)
        if states and isinstance(value, (int, np.integer)):
            return known.get(int(value), str(value))
        return str(value).strip()

    return np.array([text(value) for value in column], dtype=object)


def has_btrack_states(values: pd.DataFrame, name: str) -> bool:
    """Return whether the column ``name`` of a table contains btrack's states by number."""
    keys = by_key(values.columns)
    return (
        key_of(name) == "state"
        and {"root", "generation", "parent"} <= keys.keys()
        and pd.api.types.is_numeric_dtype(values[name])
    )


def _event(values: pd.DataFrame, name: str) -> str | None:
    """Return why celldetective's column ``class`` is none: it states whether an event occurs in the whole track."""
    keys = by_key(values.columns)
    if key_of(name) != "class" or not {"t0", "status"} <= keys.keys():
        return None
    status = keys["status"][0]
    return f"states whether a track has an event, as in celldetective, whose classes by frame are in {status}"


def _no_class(column: pd.Series, tracks: pd.Series | None) -> str | None:
    """Return why a column cannot contain classes, or None."""
    present = column.dropna()
    present = present[present.astype(str).str.strip() != ""]
    if len(present) == 0:
        return "is empty"
    distinct = present.nunique()
    if pd.api.types.is_bool_dtype(present):
        return None
    if not pd.api.types.is_numeric_dtype(present):
        words = set(present.astype(str).str.strip().str.lower())
        if key_of(column.name) in ("state", "cellstate") and words <= _STATES and words & _TRACKER_STATES:
            return f"contains states of a tracker ({first_few(sorted(map(str, present.unique())), 3)})"
        names_cells = distinct > 0.5 * len(present) or distinct > _MANY or _one_each(present, tracks)
        return (
            f"has {distinct} different values that identify cells"
            if distinct > _FEW and names_cells
            else None
        )
    if not np.array_equal(present, np.floor(present)):
        return "contains numbers that are not whole, and no classes"
    if key_of(column.name) not in ("label", "labels"):
        return None if distinct <= _MANY else f"has {distinct} different numbers, and no classes"
    if distinct == 1:
        return "has only one number"
    if _one_each(present, tracks):
        return _NUMBERS
    return None if distinct <= 10 and len(present) >= 3 * distinct else _NUMBERS


def _one_each(present: pd.Series, tracks: pd.Series | None) -> bool:
    """Return whether no two tracks share a value."""
    if tracks is None:
        return False
    each = pd.DataFrame({"track": tracks[present.index], "value": present}).drop_duplicates()
    return not each["value"].duplicated().any()
