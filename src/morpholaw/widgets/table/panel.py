"""The Cell table panel: the cells of the study in rows, sorted, filtered, and linked to every other panel."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QLabel

from morpholaw.widgets.study.cell_scorer import CellScorer
from morpholaw.widgets.study.label_selected import LabelSelected
from morpholaw.widgets.study.study_widget import StudyWidget
from morpholaw.widgets.table.cell_table import CellTable
from morpholaw.widgets.table.columns import cell_columns
from morpholaw.widgets.table.filters import Filters

NO_CELLS = "The cells of the study appear here. Cut some from a tracked movie, or import a folder, in the Cells panel."


class TableWidget(StudyWidget):
    """Lists the cells of the study; a row that is selected here is selected everywhere.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.filters = Filters()
        self.table = CellTable()
        self.summary = QLabel()
        self.summary.setWordWrap(True)
        self.scorer = CellScorer(self.current)
        self.labels = LabelSelected(self.current, self.table)
        for part in (self.filters, self.summary, self.table, self.labels, self.scorer):
            self.body.addWidget(part)
        self.body.setStretchFactor(self.table, 1)
        self.table.chosen.connect(self._choose)
        self.filters.changed.connect(self.refresh)
        current = self.current
        for signal in (
            current.changed,
            current.crops_changed,
            current.labels_changed,
            current.scores_changed,
        ):
            self.listen(signal, self.refresh)
        self.listen(current.selection_changed, self._selected)
        self.in_movie.mark()
        self.refresh()

    def refresh(self) -> None:
        """Show the cells of the study that pass the filters."""
        crops, study = self.current.crops, self.current.study
        self.labels.refresh()
        if crops is None or study is None:
            self.table.cells.show_cells([], {}, np.empty(0))
            self.summary.setText(NO_CELLS)
            return
        labels, scores = self.current.labels, self.current.last_scores
        self.filters.refresh([one.name for one in crops.sets], self.labels.buttons.classes, scores)
        with self.error_line.catch():
            chosen = self.filters.chosen(crops, labels, scores, self.current.selection)
            columns = cell_columns(crops, labels, list(self.current.scores.values()))
            self._show(columns, chosen)

    def _show(self, columns: Any, chosen: np.ndarray) -> None:
        titles = [column.title for column in self.table.cells.columns]
        self.table.cells.show_cells(columns, self.labels.colours, chosen)
        if titles != [column.title for column in columns]:
            for place, column in enumerate(columns):
                self.table.setColumnWidth(place, 92 if column.is_text else 52)
        self.table.select(self.current.selection)
        self._say()

    def _choose(self, cells: list[int]) -> None:
        self.current.select(cells)

    def _selected(self, cells: list[int]) -> None:
        if self.filters.selected.isChecked() and set(cells) != set(self.table.selected):
            self.refresh()
        self.table.select(cells)
        self._say()

    def _say(self) -> None:
        crops = self.current.crops
        if crops is not None:
            rows, selected = self.table.cells.rowCount(), len(self.current.selection)
            self.summary.setText(f"{rows:,} of {len(crops):,} cells shown, {selected:,} selected.")
