"""The view of the table of cells. A row that is selected here is selected in every panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from morpholaw.widgets.forms.row_table import ROW_HEIGHT
from morpholaw.widgets.table.cell_model import CellModel


class CellTable(QTableView):
    """Table with one row per cell. Clicking the title of a column sorts by it.

    Notes
    -----
    ``chosen`` is emitted when the user changes the selection, with the global indices of the selected cells; the cell
    of the current row comes first.
    """

    chosen = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.cells = CellModel(self)
        self.setModel(self.cells)
        self.setToolTip(
            "Click a title to sort. Select a row to go to its cell in the movie; Shift and Ctrl select more rows."
        )
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        self.setMinimumHeight(10 * ROW_HEIGHT)
        rows, titles = self.verticalHeader(), self.horizontalHeader()
        assert rows is not None
        assert titles is not None
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        titles.setHighlightSections(False)
        titles.setStretchLastSection(True)
        titles.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        titles.setDefaultSectionSize(72)
        titles.setMinimumSectionSize(44)
        self.setSortingEnabled(True)
        self._silent = False
        self._kept: list[int] = []
        self.cells.layoutAboutToBeChanged.connect(self._keep)
        self.cells.layoutChanged.connect(self._select_kept)
        self._selection.selectionChanged.connect(self._report_chosen)

    @property
    def _selection(self) -> QItemSelectionModel:
        model = self.selectionModel()
        assert model is not None  # it exists once a model is set
        return model

    @property
    def selected(self) -> list[int]:
        """Global indices of the selected cells, in the order of the rows."""
        rows = sorted(index.row() for index in self._selection.selectedRows())
        return [int(self.cells.order[row]) for row in rows]

    def select(self, cells: Sequence[int]) -> None:
        """Select cells without emitting ``chosen`` and scroll to the first one; ignore cells that are filtered out."""
        if set(cells) == set(self.selected):
            return
        self._silent = True
        rows = self.cells.rows_of(cells)
        self._selection.select(self._blocks(rows), QItemSelectionModel.SelectionFlag.ClearAndSelect)
        if len(rows):
            first = self.cells.rows_of(cells[:1])
            index = self.cells.index(int(first[0] if len(first) else rows[0]), 0)
            self._selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.scrollTo(index)
        self._silent = False

    def _keep(self) -> None:
        self._kept = self.selected

    def _select_kept(self) -> None:
        """Select the same cells, not the same rows, after sorting."""
        self.select(self._kept)

    def _blocks(self, rows: np.ndarray) -> QItemSelection:
        """Return sorted rows as blocks of adjacent rows, which Qt selects quickly."""
        selection = QItemSelection()
        last = self.cells.columnCount() - 1
        for block in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
            if len(block):
                selection.select(self.cells.index(int(block[0]), 0), self.cells.index(int(block[-1]), last))
        return selection

    def _report_chosen(self, *_: Any) -> None:
        if self._silent:
            return
        cells, row = self.selected, self.currentIndex().row()
        current = int(self.cells.order[row]) if 0 <= row < len(self.cells.order) else -1
        if current in cells:  # the camera goes to the first cell
            cells = [current, *(cell for cell in cells if cell != current)]
        self.chosen.emit(cells)
