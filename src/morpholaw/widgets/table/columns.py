"""The columns of the table of cells: place, class, scores and predictions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from morpholaw.widgets.study.cell_scores import disagreement
from morpholaw.widgets.table.cell_model import Column

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops
    from morpholaw.widgets.study.cell_scores import CellScores


def cell_columns(
    crops: Crops, labels: np.ndarray, scores: list[CellScores], several_movies: bool
) -> list[Column]:
    """Return the columns of all crops of a study.

    Parameters
    ----------
    crops : Crops
        The crops.
    labels : ndarray, object (crops,)
        Class of each crop, "" if it has none.
    scores : list of CellScores
        Scores of the crops, one per classifier; the classifier that was applied last comes last.
    several_movies : bool
        Whether cells of several movies are shown; if so, a column names the movie.
    """
    cells = crops.cells
    columns = [Column("Cell", "Number of the crop in its crop set.", cells["crop"].to_numpy(np.int64))]
    if several_movies:
        movie = np.asarray(cells["set"], dtype=object)
        columns.insert(0, Column("Movie", "The crop set, which is named after its movie or folder.", movie))
    track, frame = cells["track_id"].to_numpy(np.int64), cells["t"].to_numpy(np.int64)
    if (frame >= 0).any():
        columns += [
            Column("Track", "Number of the track of the cell.", _known(track)),
            Column("Frame", "Frame of the movie, counted from 0.", _known(frame)),
        ]
    columns.append(Column("Class", "Label of the cell, given by a person or read from a file.", labels))
    if scores:
        last = scores[-1]
        label = last.classifier.label
        columns += [
            Column(
                "Score", f"Score of {label}: 0 is the boundary between the classes.", last.scores, decimals=2
            ),
            Column("Predicted", f"Class that {label} predicts.", last.predicted),
        ]
    if len(scores) > 1:
        columns.append(
            Column(
                "Disagree",
                "Number of pairs of applied classifiers that predict different classes.",
                disagreement(scores),
            )
        )
    if "brightness" in cells:
        brightness = cells["brightness"].to_numpy(np.float64)
        if np.isfinite(brightness).any():
            columns.append(
                Column(
                    "Brightness",
                    "Brightness of the cell's chromatin in the movie.",
                    brightness,
                    decimals=2,
                )
            )
    return columns


def _known(numbers: np.ndarray) -> np.ndarray:
    """Return the numbers unchanged if all are known, else as floats with NaN in place of -1."""
    return numbers if (numbers >= 0).all() else np.where(numbers < 0, np.nan, numbers.astype(np.float64))
