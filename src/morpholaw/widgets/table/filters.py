"""Filters of the table: movie, class, predicted class, track and score."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QLineEdit, QWidget

from morpholaw.errors import InputError
from morpholaw.widgets.forms.narrow_inputs import list_choices, narrow_combo
from morpholaw.widgets.study.cell_scores import MISLABELLED, CellScores

if TYPE_CHECKING:
    from collections.abc import Sequence

    from morpholaw.cells.crop_set import Crops

ALL_MOVIES, ALL_CLASSES, UNLABELLED, ALL_PREDICTED = (
    "all movies",
    "all classes",
    "unlabelled",
    "any prediction",
)


class Filters(QWidget):
    """Controls that choose which cells the table shows.

    Notes
    -----
    ``changed`` is emitted when the user changes a filter.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.movie, self.given, self.predicted = (narrow_combo(n) for n in ("movie", "class", "predicted"))
        self.movie.setToolTip("Show the cells of one movie only.")
        self.given.setToolTip("Show the cells that are labelled as one class, or the unlabelled cells.")
        self.predicted.setToolTip(
            "Show the cells that are predicted as one class, or the labelled cells that may be mislabelled because "
            "another class is predicted."
        )
        self.track, self.low, self.high = QLineEdit(), QLineEdit(), QLineEdit()
        self.track.setPlaceholderText("all tracks")
        self.track.setToolTip("Show the cells of these tracks; type track numbers separated by commas.")
        self.low.setPlaceholderText("score from")
        self.low.setToolTip("Show the cells with at least this score.")
        self.high.setPlaceholderText("to")
        self.high.setToolTip("Show the cells with at most this score.")
        self.selected = QCheckBox("Selected only")
        self.selected.setToolTip("Show only the cells that are selected, here or in another panel.")
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.addWidget(QLabel("Show"), 0, 0)
        grid.addWidget(self.movie, 0, 1)
        grid.addWidget(self.given, 0, 2, 1, 2)
        grid.addWidget(self.track, 1, 1)
        grid.addWidget(self.predicted, 1, 2, 1, 2)
        grid.addWidget(self.selected, 2, 1)
        grid.addWidget(self.low, 2, 2)
        grid.addWidget(self.high, 2, 3)
        for column, share in ((1, 2), (2, 1), (3, 1)):
            grid.setColumnStretch(column, share)
        for part in (self.movie, self.given, self.predicted):
            part.activated.connect(self._report)
        for line in (self.track, self.low, self.high):
            line.editingFinished.connect(self._report)
        self.selected.toggled.connect(self._report)

    def refresh(self, movies: Sequence[str], classes: Sequence[str], scores: CellScores | None) -> None:
        """List the movies and classes; keep the choices that still exist."""
        list_choices(self.movie, [ALL_MOVIES, *movies])
        list_choices(self.given, [ALL_CLASSES, UNLABELLED, *classes])
        predicted = [] if scores is None else [MISLABELLED, *scores.classifier.classes]
        list_choices(self.predicted, [ALL_PREDICTED, *predicted])
        for part in (self.predicted, self.low, self.high):
            part.setEnabled(scores is not None)

    def chosen(
        self, crops: Crops, labels: np.ndarray, scores: CellScores | None, selection: Sequence[int]
    ) -> np.ndarray:
        """Return the global indices of the cells to show, int64 (rows,).

        Raises
        ------
        InputError
            If a field for a number contains something else.
        """
        cells = crops.cells
        keep = np.ones(len(crops), bool)
        if self.movie.currentIndex() > 0:
            keep &= (cells["set"] == self.movie.currentText()).to_numpy()
        if self.given.currentIndex() > 0:
            name = self.given.currentText()
            keep &= labels == ("" if name == UNLABELLED else name)
        if scores is not None:
            if self.predicted.currentIndex() > 0:
                name = self.predicted.currentText()
                keep &= scores.contradicts(labels) if name == MISLABELLED else scores.predicted == name
            for line, sign in ((self.low, 1), (self.high, -1)):
                if line.text().strip():
                    keep &= sign * scores.scores >= sign * _number(line.text(), "a score")
        if self.track.text().strip():
            tracks = [_number(text, "the number of a track") for text in self.track.text().split(",")]
            keep &= np.isin(cells["track_id"].to_numpy(), tracks)
        if self.selected.isChecked():
            keep &= np.isin(np.arange(len(crops)), selection)
        return np.flatnonzero(keep)

    def _report(self, *_: object) -> None:
        self.changed.emit()


def _number(text: str, what: str) -> float:
    try:
        return float(text.strip().replace("\N{MINUS SIGN}", "-"))
    except ValueError:
        raise InputError(f"{text.strip()!r} is not {what}; type a number.") from None
