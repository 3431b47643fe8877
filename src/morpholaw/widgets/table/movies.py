"""The Movies tab: how many cells of each movie are labelled and scored, and a button that opens the movie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QTableWidgetItem, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.row_table import NumberItem, RowTable
from morpholaw.widgets.movie.movie_place import movie_layer
from morpholaw.widgets.napari_readers.readers import movie_file
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from morpholaw.cells.crop_set import CropSet

COLUMNS = (
    ("Movie", "The crop set, which is named after its movie or folder."),
    ("Cells", "Number of cells, counted once per frame."),
    ("Tracks", "Number of tracks of these cells."),
    ("Labelled", "Number of cells with a class."),
    ("Scored", "Number of cells scored by the classifier that was applied last."),
    ("Shown", "Whether a layer of the viewer shows the movie."),
)
HINT = "To apply a classifier to the cells of all movies at once, press Score cells below."


class Movies(QWidget):
    """Tab that lists the crop sets of the study and opens their movies.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in which movies are opened.
    current : CurrentStudy
        The study.

    Notes
    -----
    ``chosen`` is emitted when a set is double-clicked, with its name.
    """

    chosen = Signal(str)

    def __init__(self, viewer: ViewerModel, current: CurrentStudy) -> None:
        super().__init__()
        self.viewer, self.current = viewer, current
        self.table = RowTable(COLUMNS)
        self.table.setToolTip(
            "The movies and folders that the cells come from. Double-click one to list its cells."
        )
        self.table.pick_one()
        self.table.stretch(0)
        self.table.setMinimumHeight(160)
        self.open_button = QPushButton("Open movie")
        self.open_button.setToolTip("Open the movie of the selected row as a layer of the viewer.")
        hint = QLabel(HINT)
        hint.setWordWrap(True)
        self.error_line = ErrorLine()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        for part in (self.table, self.open_button, hint, self.error_line):
            layout.addWidget(part)
        layout.addStretch(1)
        self.open_button.clicked.connect(self.open_movie)
        self.table.cellDoubleClicked.connect(self._double_clicked)

    def refresh(self) -> None:
        """Show the current sets of the study."""
        crops, labels, scores = self.current.crops, self.current.labels, self.current.last_scores
        sets = [] if crops is None else crops.sets
        row = self.table.currentRow()
        self.table.setRowCount(len(sets))
        for place, crop_set in enumerate(sets):
            assert crops is not None
            part = slice(int(crops.offsets[place]), int(crops.offsets[place + 1]))
            tracks = crop_set.cells["track_id"].to_numpy()
            scored = 0 if scores is None else int(np.isfinite(scores.scores[part]).sum())
            counts = (
                len(crop_set),
                len(np.unique(tracks[tracks >= 0])),
                int((labels[part] != "").sum()),
                scored,
            )
            self.table.setItem(place, 0, QTableWidgetItem(crop_set.name))
            for column, count in enumerate(counts, start=1):
                self.table.setItem(place, column, NumberItem(f"{count:,}", count))
            self.table.setItem(place, 5, QTableWidgetItem(self._state(crop_set)))
        if sets:
            self.table.selectRow(row if 0 <= row < len(sets) else 0)
        self.open_button.setEnabled(bool(sets))

    def _state(self, crop_set: CropSet) -> str:
        if crop_set.record.movie is None:
            return "no movie"
        return "yes" if movie_layer(self.viewer, crop_set) is not None else "no"

    def open_movie(self) -> None:
        """Open the movie of the selected set as a layer."""
        with self.error_line.catch():
            crops, row = self.current.crops, self.table.currentRow()
            if crops is None or not 0 <= row < len(crops.sets):
                raise InputError("No movie is selected; select a row of the table first.")
            crop_set = crops.sets[row]
            if movie_layer(self.viewer, crop_set) is not None:
                raise InputError(f"The movie of {crop_set.name} is already open.")
            self.viewer.open(str(required_movie_file(crop_set)))
            self.refresh()

    def _double_clicked(self, row: int, _: int) -> None:
        self.chosen.emit(self.table.cell(row, 0).text())


def required_movie_file(crop_set: CropSet) -> Path:
    """Return the file or folder of the movie from which a set was cut.

    Raises
    ------
    InputError
        If the set was not cut from a file, or the file is gone.
    """
    sources = crop_set.record.sources
    if crop_set.record.movie is None or not sources:
        raise InputError(
            f"The crops {crop_set.name} were not cut from the file of a movie; open their movie by hand."
        )
    path = movie_file(crop_set)
    if path is None:
        missing = (crop_set.folder / sources[0].path).resolve()
        raise InputError(
            f"The movie {missing} of {crop_set.name} was moved or deleted; open it from its present place."
        )
    return path
