"""Scores keyed by track and frame: the table that every exported file is made from, and the CSV of it.

The rows are in the order of a napari Tracks layer (by track, then by frame), so the columns are its ``features``
as they are. TrackMate's CSV importer asks which column is x, y, frame and track; its one free number, the quality,
can be ``score``. It reads positions in the image's own unit: ``x_um`` and ``y_um`` where the pixel size is known.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.files import write_table
from morpholaw.errors import InputError


@dataclass(frozen=True)
class Scores:
    """The scores of one crop set's cells under one scheme.

    Attributes
    ----------
    table : DataFrame
        ``track_id``, ``t``, ``y``, ``x`` (pixels of the movie), ``parent``, ``score``, ``class``, and where the
        tracks' file has ids of its own, ``source_track`` and ``source_id``; by track and frame.
    classes : tuple of str
        Names of the classes; of two, f < 0 is the first and f >= 0 the second. With more than two, the table has
        ``score_NAME`` of each.
    scheme : int
        1 to 4.
    name : str
        Of the crop set.
    pixel_size : float or None
        Micrometres per pixel of the movie.
    movie_shape : tuple of int or None
        (t, y, x) of the movie.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    scheme: int
    name: str
    pixel_size: float | None = None
    movie_shape: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        """Keep the tracked cells, by track and frame."""
        tracked = self.table.dropna(subset=["track_id", "t"])
        if len(tracked) == 0:
            raise InputError(
                f"The cells of the crop set {self.name} have no tracks; scores keyed by track and frame need a set "
                "that was cut from a movie."
            )
        tracked = tracked.astype({"track_id": np.int64, "t": np.int64, "parent": np.int64})
        order = tracked.sort_values(["track_id", "t"], kind="stable", ignore_index=True)
        object.__setattr__(self, "table", order)

    @property
    def class_scores(self) -> list[str]:
        """Columns of the table with the score of each class; empty for two classes."""
        return [f"score_{name}" for name in self.classes] if len(self.classes) > 2 else []

    @property
    def code(self) -> np.ndarray:
        """Place of each cell's class among ``classes``, NaN where the score is not finite; float64 (n,)."""
        places = {name: number for number, name in enumerate(self.classes)}
        place = self.table["class"].map(places).to_numpy(np.float64)
        return np.where(np.isfinite(self.table["score"].to_numpy(np.float64)), place, np.nan)


def write_scores(path: str | os.PathLike[str], scores: Scores) -> Path:
    """Write the scores as CSV.

    The columns are ``track_id,t,y,x,parent,score,class``, ``source_track,source_id`` where the tracks' file has ids
    of its own (TrackMate's TRACK_ID and ID), and ``y_um,x_um`` where the pixel size is known.
    """
    table = scores.table
    if scores.pixel_size is not None:
        table = table.assign(y_um=table["y"] * scores.pixel_size, x_um=table["x"] * scores.pixel_size)
    return write_table(path, table)


def check_copy(path: Path, original: Path) -> None:
    """Raise InputError where ``original`` is no file, or the copy ``path`` would take its place."""
    if not original.is_file():
        raise InputError(f"There is no file {original}.")
    if path.resolve() == original.resolve():
        raise InputError(f"{path} is the file of tracks itself; give another name for the copy.")


FAR = 2.0
"""Pixels between a cell and the spot of the same track and frame beyond which they are not the same cell."""


def matched(scores: Scores, spots: pd.DataFrame, where: str) -> pd.DataFrame:
    """Match the scored cells to ``spots``, a table of tracks as its file has it.

    Spots are matched by the file's own ids (``source_id``) where the cells were cut with them, else by track and frame,
    and where the tracks have other numbers, by frame and place.

    Returns
    -------
    DataFrame
        The rows of ``spots`` that have a score, with ``score``, ``code`` and `Scores.class_scores` beside them.

    Raises
    ------
    InputError
        When most cells have no spot of their frame and place: the file is of other tracks.
    """
    cells = scores.table.assign(code=scores.code)
    named = "source_id" in cells and bool((cells["source_id"] != "").any())
    if named:
        cells = cells[cells["source_id"] != ""]
    keys = ["source_id"] if named else ["track_id", "t"]
    values = ["score", "code", *scores.class_scores]
    both = spots.merge(cells[[*keys, "y", "x", *values]], on=keys, suffixes=("", "_cell"))
    near = np.hypot(both["y"] - both["y_cell"], both["x"] - both["x_cell"]) <= FAR
    if 2 * near.sum() < len(cells) and not named:
        both = _nearest(cells, spots, values)
        near = pd.Series(True, index=both.index)
    if 2 * near.sum() < len(cells):
        raise InputError(
            f"{where} has other tracks than the crop set {scores.name}: {near.sum()} of its {len(cells)} cells have a "
            "spot of their track, frame and place in it; give the file that the set was cut with."
        )
    return both[near & np.isfinite(both["score"])]


def _nearest(cells: pd.DataFrame, spots: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    """Give the rows of ``spots`` the ``values`` of the cell at the same place of the same frame."""
    from scipy.spatial import cKDTree

    parts = [spots.iloc[:0].assign(**dict.fromkeys(values, 0.0))]
    frames = dict(list(cells.groupby("t")))
    for t, rows in spots.groupby("t"):
        if t not in frames:
            continue
        here = frames[t]
        distance, place = cKDTree(here[["y", "x"]].to_numpy()).query(rows[["y", "x"]].to_numpy())
        order = np.argsort(distance, kind="stable")
        _, first = np.unique(place[order], return_index=True)
        chosen = order[first]
        chosen = chosen[distance[chosen] <= FAR]
        scored = here.iloc[place[chosen]]
        parts.append(rows.iloc[chosen].assign(**{name: scored[name].to_numpy() for name in values}))
    return pd.concat(parts, ignore_index=True)
