"""What the table shows of each cell: its place, its class, and what classifiers make of it."""

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
        Class given to each crop, "" for none.
    scores : list of CellScores
        What classifiers make of them, the one that was applied last at the end.
    several_movies : bool
        Whether cells of several movies are shown, so that each cell's is named.
    """
    cells = crops.cells
    columns = [Column("Cell", "Number of the crop in its set.", cells["crop"].to_numpy(np.int64))]
    if several_movies:
        movie = np.asarray(cells["set"], dtype=object)
        columns.insert(0, Column("Movie", "The crop set, which is named after its movie or folder.", movie))
    track, frame = cells["track_id"].to_numpy(np.int64), cells["t"].to_numpy(np.int64)
    if (frame >= 0).any():
        columns += [
            Column("Track", "Number of the cell's track.", _known(track)),
            Column("Frame", "Frame of the movie.", _known(frame)),
        ]
    columns.append(Column("Class", "The class that a person or a file gave to the cell.", labels))
    if scores:
        last = scores[-1]
        label = last.classifier.label
        columns += [
            Column(
                "Score", f"Score of {label}: 0 is the boundary between the classes.", last.scores, decimals=2
            ),
            Column("Predicted", f"The class that {label} predicts.", last.predicted),
        ]
    if len(scores) > 1:
        columns.append(
            Column(
                "Disagree",
                "How many pairs of the classifiers that were applied predict different classes.",
                disagreement(scores),
            )
        )
    if "brightness" in cells:
        brightness = cells["brightness"].to_numpy(np.float64)
        if np.isfinite(brightness).any():
            columns.append(
                Column("Brightness", "Brightness of the cell's chromatin in the movie.", brightness)
            )
    return columns


def _known(numbers: np.ndarray) -> np.ndarray:
    """Return numbers, NaN in place of -1, as integers where all are known."""
    return numbers if (numbers >= 0).all() else np.where(numbers < 0, np.nan, numbers.astype(np.float64))
