"""Scores by track and frame, from which all exported files are made, and their export to CSV.

The rows are in the order of a napari Tracks layer (by track, then by frame), so the columns can be its ``features``.
TrackMate's CSV importer asks for the columns of x, y, frame and track. Its one free column, the quality, can be
``score``. It expects positions in the unit of the image: ``x_um`` and ``y_um`` if the pixel size is known.
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
    """Scores of the cells of one crop set under one scheme.

    Attributes
    ----------
    table : DataFrame
        Columns ``track_id``, ``t``, ``y``, ``x`` (pixels of the movie), ``parent``, ``score``, ``class``, and
        ``source_track`` and ``source_id`` if the tracks file has its own ids; sorted by track and frame.
    classes : tuple of str
        Names of the classes. With two, f < 0 is the first and f >= 0 the second. With more, the table has a column
        ``score_NAME`` per class.
    scheme : int
        1 to 4.
    name : str
        Name of the crop set.
    pixel_size : float or None
        Pixel size of the movie, in micrometres.
    movie_shape : tuple of int or None
        Shape (t, y, x) of the movie.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    scheme: int
    name: str
    pixel_size: float | None = None
    movie_shape: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
        """Keep only tracked cells, sorted by track and frame."""
        tracked = self.table.dropna(subset=["track_id", "t"])
        if len(tracked) == 0:
            raise InputError(
                f"The cells of the crop set {self.name} have no tracks; this export needs a crop set that was cut "
                "from a tracked movie."
            )
        tracked = tracked.astype({"track_id": np.int64, "t": np.int64, "parent": np.int64})
        order = tracked.sort_values(["track_id", "t"], kind="stable", ignore_index=True)
        object.__setattr__(self, "table", order)

    @property
    def class_scores(self) -> list[str]:
        """Columns with the score of each class; empty for two classes."""
        return [f"score_{name}" for name in self.classes] if len(self.classes) > 2 else []

    @property
    def code(self) -> np.ndarray:
        """Position of each cell's class in ``classes``, float64 (n,); NaN where the score is not finite."""
        places = {name: number for number, name in enumerate(self.classes)}
        place = self.table["class"].map(places).to_numpy(np.float64)
        return np.where(np.isfinite(self.table["score"].to_numpy(np.float64)), place, np.nan)


def write_scores(path: str | os.PathLike[str], scores: Scores) -> Path:
    """Write scores to a CSV file.

    The columns are ``track_id,t,y,x,parent,score,class``, then ``source_track,source_id`` if the tracks file has its
    own ids (TrackMate's TRACK_ID and ID), and ``y_um,x_um`` if the pixel size is known.

    Parameters
    ----------
    path : path
        File to write.
    scores : Scores
        Scores to write.

    Returns
    -------
    Path
    """
    table = scores.table
    if scores.pixel_size is not None:
        table = table.assign(y_um=table["y"] * scores.pixel_size, x_um=table["x"] * scores.pixel_size)
    return write_table(path, table)


def check_copy(path: Path, original: Path) -> None:
    """Raise an InputError if ``original`` does not exist or would be overwritten by its copy ``path``."""
    if not original.is_file():
        raise InputError(f"There is no file {original}.")
    if path.resolve() == original.resolve():
        raise InputError(f"{path} is the original tracks file; choose another name for the copy.")


FAR = 2.0
"""Distance in pixels beyond which a cell and a spot of the same track and frame are not the same cell."""


def matched(scores: Scores, spots: pd.DataFrame, where: str) -> pd.DataFrame:
    """Match scored cells to the spots of a tracks file.

    Cells are matched by the file's own ids (``source_id``) if the crop set has them, else by track and frame. If the
    track numbers differ, cells are matched by frame and position.

    Parameters
    ----------
    scores : Scores
        Scored cells.
    spots : DataFrame
        Tracks, as read from the file.
    where : str
        Name of the file, for error messages.

    Returns
    -------
    DataFrame
        Rows of ``spots`` that have a score, with the columns ``score``, ``code`` and `Scores.class_scores` added.

    Raises
    ------
    InputError
        If most cells have no spot at their frame and position, because the file has other tracks.
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
            f"{where} does not have the tracks of the crop set {scores.name}: it has spots for {near.sum()} of "
            f"{len(cells)} cells at their track, frame and position; choose the file that the set was cut with."
        )
    return both[near & np.isfinite(both["score"])]


def _nearest(cells: pd.DataFrame, spots: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    """Add the ``values`` of the cell at the same position and frame to the rows of ``spots``."""
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
