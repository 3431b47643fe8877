"""The crop and the description of a cell under the mouse."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from qtpy.QtGui import QPixmap

from morpholaw.display import number
from morpholaw.widgets.pictures.crop_pixmap import crop_pixmap
from morpholaw.widgets.study.current_study import CurrentStudy

KEPT = 200
"""Number of crops kept as pixmaps."""


class CellFacts:
    """Crops and descriptions of the cells of the current study.

    Parameters
    ----------
    current : CurrentStudy
        The study, its labels and scores.
    """

    def __init__(self, current: CurrentStudy) -> None:
        self._current = current
        self._crops: object = None
        self._pictures: OrderedDict[int, QPixmap] = OrderedDict()

    def picture(self, cell: int) -> QPixmap:
        """Return the crop of a cell."""
        crops = self._current.crops
        if crops is not self._crops:
            self._pictures.clear()
            self._crops = crops
        if cell not in self._pictures:
            self._pictures[cell] = crop_pixmap(crops, cell)
            if len(self._pictures) > KEPT:
                self._pictures.popitem(last=False)
        return self._pictures[cell]

    def lines(self, cell: int) -> str:
        """Return track, frame and class of a cell, and on a second line its prediction and score if it is scored."""
        crops = self._current.crops
        if crops is None or cell >= len(crops):
            return ""
        row = crops.cells.iloc[cell]
        parts = [f"track {row['track_id']}, frame {row['t']}" if row["t"] >= 0 else f"crop {row['crop']}"]
        if label := self._current.labels[cell]:
            parts.append(str(label))
        text, scores = ", ".join(parts), self._current.last_scores
        if scores is not None and np.isfinite(scores.scores[cell]):
            text += f"\npredicted {scores.predicted[cell]}, f = {number(scores.scores[cell], 2, sign=True)}"
        return text
