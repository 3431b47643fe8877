"""The view of the table of cells: rows are selected here and in every other panel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from qtpy.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from morpholaw.widgets.forms.row_table import ROW_HEIGHT
from morpholaw.widgets.table.cell_model import CellModel


class CellTable(QTableView):
    """Shows cells in rows that are sorted by a click on a title.

    Notes
    -----
    ``chosen`` carries the global indices of the selected cells, the current row's first, after the user changed the
    selection.
    """

    chosen = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self.cells = CellModel(self)
        self.setModel(self.cells)
        self.setToolTip(
            "Click a title to sort. The row that is current moves the camera to its cell; Shift and Ctrl select more."
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
        assert model is not None  # there is one as soon as a model is set
        return model

    @property
    def selected(self) -> list[int]:
        """Global indices of the selected cells, in the order of the rows."""
        rows = sorted(index.row() for index in self._selection.selectedRows())
        return [int(self.cells.order[row]) for row in rows]

    def select(self, cells: Sequence[int]) -> None:
        """Select cells without emitting ``chosen``, and scroll to the first; ignore those that are filtered out."""
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
        """Keep the cells selected, not the rows, after these were sorted."""
        self.select(self._kept)

    def _blocks(self, rows: np.ndarray) -> QItemSelection:
        """Return rows, sorted, as blocks of neighbours, which Qt selects quickly."""
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
        if current in cells:  # the camera goes to the first one
            cells = [current, *(cell for cell in cells if cell != current)]
        self.chosen.emit(cells)
