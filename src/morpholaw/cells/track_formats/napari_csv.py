"""Tables of napari tracks: a CSV file, or a Tracks layer's own arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.warning import warn_tracks
from morpholaw.errors import InputError, reason

_NAMES = {
    "track_id": ("track_id", "id", "trackid", "track", "track id", "label_id"),
    "t": ("t", "frame", "time", "timepoint"),
    "y": ("y", "pos_y", "position_y", "centroid_y"),
    "x": ("x", "pos_x", "position_x", "centroid_x"),
    "z": ("z",),
    "parent": ("parent", "parent_id", "parent_track_id", "parenttrackid"),
    "label": ("label", "class", "state", "phase"),
    "dummy": ("dummy",),
}


def read_napari_csv(path: Path) -> pd.DataFrame:
    """Read a table with columns ID, t, y, x and optionally z (not used), parent, label and dummy.

    Names are matched without regard to case; columns with other names are kept.

    Raises
    ------
    InputError
        The file is not a table, or a column is missing.
    """
    try:
        with path.open(encoding="utf-8-sig") as handle:
            header = handle.readline()
        separator = max(",;\t", key=header.count) if any(c in header for c in ",;\t") else r"\s+"
        table = pd.read_csv(path, sep=separator, encoding="utf-8-sig", skipinitialspace=True)
    except (ValueError, OSError) as error:
        raise InputError(f"{path} is not a table that can be read: {reason(error)}.") from error
    lower = {str(name).strip().lower(): name for name in table.columns}
    found = {
        name: lower[alias]
        for name, aliases in _NAMES.items()
        if (alias := next(filter(lower.get, aliases), None))
    }
    if missing := [name for name in ("track_id", "t", "y", "x") if name not in found]:
        raise InputError(
            f"{path} has no column {', '.join(missing)}: a napari tracks table has ID, t, y and x, but this "
            f"one has {', '.join(map(str, table.columns[:8]))}."
        )
    table = table.rename(columns={old: new for new, old in found.items()})
    if "parent" in table:
        table["parent"] = table["parent"].fillna(-1)
    if "label" in table:
        table["label"] = table["label"].map(_label_text)
    return _without_z(table, str(path))


def napari_tracks(
    data: Any,
    graph: Mapping[int, int | Sequence[int]] | None = None,
    properties: Mapping[str, Any] | None = None,
) -> pd.DataFrame:
    """Turn a napari Tracks layer into a raw track table (see :func:`morpholaw.cells.tracks.validate_tracks`).

    Parameters
    ----------
    data : array
        (n, 4): track id, t, y, x; or (n, 5) with z before y.
    graph : mapping, optional
        Track id to parent's id, or to a list of parents' ids, as in ``layer.graph``.
    properties : mapping, optional
        Columns of n values; "label", "class" or "state" gives the labels.

    Raises
    ------
    InputError
        ``data`` has another shape, or a track has more than one parent.
    """
    rows = np.asarray(data, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] not in (4, 5):
        raise InputError(
            f"The tracks have the shape {rows.shape}, but rows of track id, t, y, x were expected."
        )
    names = ["track_id", "t", "y", "x"] if rows.shape[1] == 4 else ["track_id", "t", "z", "y", "x"]
    table = pd.DataFrame(rows, columns=names)
    parents: dict[int, int] = {}
    for track, parent in (graph or {}).items():
        found = [int(p) for p in np.atleast_1d(np.asarray(parent))]
        if len(found) > 1:
            raise InputError(f"Track {track} has {len(found)} parents, but merging tracks cannot be used.")
        parents[int(track)] = found[0] if found else -1
    table["parent"] = table["track_id"].map(parents).fillna(-1)
    for name in ("label", "class", "state"):
        if properties is not None and name in properties:
            table["label"] = pd.Series(list(properties[name])).map(_label_text)
            break
    return _without_z(table, "The tracks")


def _without_z(table: pd.DataFrame, where: str) -> pd.DataFrame:
    if "z" not in table:
        return table
    if table["z"].nunique() > 1:
        warn_tracks(f"{where}: positions are 3D; z is not used.")
    return table.drop(columns="z")


def _label_text(value: Any) -> str:
    """ "" for a missing label; "3" for 3.0, which pandas makes of a column with gaps."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
