"""The laws of a study in a table, one to pick."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from morpholaw.display import number
from morpholaw.widgets.laws.saved_laws import SavedLaws

COLUMNS = ("test acc. %", "size", "complexity", "expression")


class LawTable(QTableWidget):
    """A row for each law; a click on a heading sorts. ``picked`` carries the law's place in SavedLaws."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self.setHorizontalHeaderLabels(COLUMNS)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(22)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(len(COLUMNS) - 1, QHeaderView.ResizeMode.Stretch)
        header.setHighlightSections(False)
        self.itemSelectionChanged.connect(self._selected)

    def fill(self, found: SavedLaws | None) -> None:
        """Show these laws, the most accurate on the test cells first, and pick the first."""
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setRowCount(0 if found is None else len(found.laws))
        for row, law in enumerate(found.laws if found else ()):
            accuracy = 100 * float(found.accuracy[row])  # type: ignore[union-attr]
            texts = (number(accuracy, 1), f"{law.size}", f"{law.complexity}", law.rounded(3).text())
            orders = (accuracy, law.size, law.complexity, texts[3])
            for column, (text, order) in enumerate(zip(texts, orders, strict=True)):
                self.setItem(row, column, _Cell(text, order, row, law.text() if column == 3 else ""))
        self.setSortingEnabled(True)
        self.sortItems(2, Qt.SortOrder.AscendingOrder)
        self.sortItems(0, Qt.SortOrder.DescendingOrder)
        rows = min(max(self.rowCount(), 2), 6)
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + 22 * rows + 4)
        self.blockSignals(False)
        if self.rowCount():
            self.selectRow(0)

    def pick(self, place: int) -> None:
        """Pick the law at a place in SavedLaws."""
        for row in range(self.rowCount()):
            if self.item(row, 0).data(Qt.ItemDataRole.UserRole) == place:
                self.selectRow(row)

    def _selected(self, *_: Any) -> None:
        rows = self.selectionModel().selectedRows()
        if rows:
            self.picked.emit(self.item(rows[0].row(), 0).data(Qt.ItemDataRole.UserRole))


class _Cell(QTableWidgetItem):
    """A text that sorts by a number, and the place of its law."""

    def __init__(self, text: str, order: Any, place: int, tip: str) -> None:
        super().__init__(text)
        self.order = order
        self.setData(Qt.ItemDataRole.UserRole, place)
        self.setToolTip(tip)
        if not isinstance(order, str):
            self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: Any) -> bool:
        return bool(self.order < other.order)
