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
        ``track_id``, ``t``, ``y``, ``x`` (pixels of the movie), ``parent``, ``score``, ``class``; by track and frame.
    negative, positive : str
        The classes: f < 0 and f >= 0.
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
    negative: str
    positive: str
    scheme: int
    name: str
    pixel_size: float | None = None
    movie_shape: tuple[int, int, int] | None = None

    def __post_init__(self) -> None:
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
    def code(self) -> np.ndarray:
        """0 for the negative class, 1 for the positive, NaN where the score is not finite; float64 (n,)."""
        score = self.table["score"].to_numpy(np.float64)
        return np.where(np.isfinite(score), (score >= 0).astype(np.float64), np.nan)


def write_scores(path: str | os.PathLike[str], scores: Scores) -> Path:
    """Write ``track_id,t,y,x,parent,score,class``, and ``y_um,x_um`` where the pixel size is known, as CSV."""
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
    """The scored rows of ``spots``, a table of tracks as its file has it, with ``score`` and ``code`` beside them.

    Raises
    ------
    InputError
        When most cells have no spot of their track, frame and place: the file is of other tracks.
    """
    own = scores.table[["track_id", "t", "y", "x", "score"]].assign(code=scores.code)
    both = spots.merge(own, on=["track_id", "t"], suffixes=("", "_cell"))
    near = np.hypot(both["y"] - both["y_cell"], both["x"] - both["x_cell"]) <= FAR
    if 2 * near.sum() < len(own):
        raise InputError(
            f"{where} has other tracks than the crop set {scores.name}: {near.sum()} of its {len(own)} cells have a "
            "spot of their track, frame and place in it; give the file that the set was cut with."
        )
    return both[near & np.isfinite(both["score"])]
