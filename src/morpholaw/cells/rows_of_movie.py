"""Selection of the rows of one movie in a table of several."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.track_formats.column_names import (
    FRAME,
    MOVIE,
    MOVIE_FILE,
    ONE_BASED_FRAME,
    TIME,
    key_of,
    named,
)
from morpholaw.cells.track_formats.frames import is_whole
from morpholaw.cells.track_formats.identity import as_text
from morpholaw.errors import InputError

_MOVIE_COLUMNS = tuple(name for name in MOVIE if name not in ("stage", "position", "pos"))
"""Names of columns that identify movies; the omitted ones may describe cells."""


def rows_of_movie(
    values: pd.DataFrame, line: np.ndarray, set_name: str, path: Path, notes: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the rows of a set's movie, and their lines, if a column of a table identifies several movies.

    Parameters
    ----------
    values : DataFrame
        The table.
    line : ndarray of int64, shape (n,)
        Line of the file of each row.
    set_name : str
        Name of the crop set, which is that of its movie.
    path : Path
        The file, for messages.
    notes : list of str
        List to which a sentence about omitted rows is added.

    Returns
    -------
    values : DataFrame
    line : ndarray of int64

    Raises
    ------
    InputError
        If no movie has the name of the set.
    """
    for name in named(values, (*_MOVIE_COLUMNS, *MOVIE_FILE)):
        movies = as_text(values[name])
        distinct = sorted(set(movies) - {""})
        if not 1 < len(distinct) < 0.5 * len(values) or (
            key_of(name) in MOVIE_FILE and _one_per_frame(values, name)
        ):
            continue
        ours = [movie for movie in distinct if _movie_key(movie) == _movie_key(set_name)]
        if len(ours) != 1:
            raise InputError(
                f"{path} has cells of {len(distinct)} movies (its column {name} has {', '.join(distinct[:4])}), but "
                f"none of them is called {set_name}; give a table of this movie, or correct its name in the column."
            )
        inside = movies == ours[0]
        notes.append(
            f"{path}: only the {inside.sum()} of {len(values)} rows with {name} {ours[0]} are read; the others are "
            "left out."
        )
        values, line = values[inside].reset_index(drop=True), line[inside]
    return values, line


def _one_per_frame(values: pd.DataFrame, name: str) -> bool:
    """Return whether a column may name the image of each frame, as no frame has two names."""
    frames = [frame for frame in named(values, (*FRAME, *TIME, *ONE_BASED_FRAME)) if is_whole(values[frame])]
    return all(values.groupby(frame)[name].nunique().max() == 1 for frame in frames)


def _movie_key(name: str) -> str:
    """Return the part of a name that a movie, its file and its crop set share."""
    file = re.split(r"[/\\]", name.strip())[-1]
    stem = re.sub(r"(\.ome)?\.(tiff?|zarr|png|npy)$", "", file, flags=re.IGNORECASE)
    return re.sub(r"\W+", "_", stem).casefold()
