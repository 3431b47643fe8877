"""Recognition of the programs that write tables of tracks, and columns whose meaning their names do not tell."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.column_names import by_key


def program_of(keys: Iterable[str]) -> str:
    """Return the name of the program that wrote a table with these columns (keys); "tracks table" if it is unknown."""
    has = set(keys).issuperset
    if has({"trackid", "positionx", "positiony", "frame"}) and (
        has({"quality", "radius"}) or has({"positiont"})
    ):
        return "TrackMate CSV"
    if has({"positionx", "positiony", "time", "trackid", "category"}):
        return "Imaris table"
    if has({"imagenumber", "objectnumber"}):
        return "CellProfiler table"
    if has({"root", "generation", "state", "parent"}):
        return "btrack CSV"
    if has({"trackletid", "parentid"}):
        return "napari-track-edit CSV"
    if has({"trackid", "parenttrackid", "parentid", "id"}):
        return "ultrack CSV"
    if has({"labelimageid", "lineageid"}):
        return "ilastik CSV"
    return "trackpy CSV" if has({"particle", "frame"}) else "tracks table"


def cellprofiler_parents(values: pd.DataFrame) -> pd.DataFrame | None:
    """Add CellProfiler's objects and their parents as spots; return None if the table has no parents."""
    keys = by_key(values.columns)

    def last(start: str) -> str | None:
        return next((names[0] for key, names in keys.items() if key.startswith(start)), None)

    image, number = last("trackobjectsparentimagenumber"), last("trackobjectsparentobjectnumber")
    if image is None or number is None:
        return None
    images, objects = keys["imagenumber"][0], keys["objectnumber"][0]

    def ids(image: str, number: str) -> pd.Series:
        return values[image].astype("Int64").astype(str) + "/" + values[number].astype("Int64").astype(str)

    parents = ids(image, number).where(values[number].fillna(0) > 0, np.nan)
    labels = [name for key, names in keys.items() if key.startswith("trackobjectslabel") for name in names]
    return values.drop(columns=labels).assign(spot_id=ids(images, objects), parent_spot_id=parents)


def ilastik_tracks(values: pd.DataFrame) -> pd.DataFrame:
    """Return ilastik's table with -1 for track 1 if that means none; its tracks count from 2 and have no gaps."""
    if not {"frame", "trackId"} <= set(values):
        return values
    none = values["trackId"] == 1
    frames = values.loc[none, "frame"]
    if len(frames) == 0 or (frames.is_unique and frames.max() - frames.min() == len(frames) - 1):
        return values
    return values.assign(trackId=values["trackId"].mask(none, -1))
