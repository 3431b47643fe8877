"""A table of rows with cells that sort by number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
)

ROW_HEIGHT = 22
"""Height of a row in pixels."""


class RowTable(QTableWidget):
    """A table without row numbers, with a tooltip on the title of each column and a hint as long as it is empty.

    Parameters
    ----------
    columns : sequence of (str, str)
        Title and tooltip of each column.
    """

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        super().__init__(0, len(columns))
        for column, (title, tip) in enumerate(columns):
            item = QTableWidgetItem(title)
            item.setToolTip(tip)
            self.setHorizontalHeaderItem(column, item)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)  # Tab leaves the table
        rows = self.verticalHeader()
        assert rows is not None
        rows.hide()
        rows.setDefaultSectionSize(ROW_HEIGHT)
        self.heading.setHighlightSections(False)
        self.hint = QLabel()
        self.hint.setWordWrap(True)
        self.hint.hide()
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        QVBoxLayout(self.viewport()).addWidget(self.hint)
        changed = self.model()
        assert changed is not None
        for signal in (changed.rowsInserted, changed.rowsRemoved):
            signal.connect(self._show_hint)

    def say(self, sentence: str) -> None:
        """Show a sentence as long as the table has no rows."""
        self.hint.setText(sentence)
        self._show_hint()

    def _show_hint(self, *_: object) -> None:
        self.hint.setVisible(bool(self.hint.text()) and not self.rowCount())

    def pick_one(self) -> None:
        """Make the table read-only and let the user select at most one row."""
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)

    @property
    def heading(self) -> QHeaderView:
        """The horizontal header."""
        header = self.horizontalHeader()
        assert header is not None
        return header

    def stretch(self, column: int) -> None:
        """Make the other columns as wide as their contents and let ``column`` take the remaining width."""
        self.heading.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        self.heading.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)

    def cell(self, row: int, column: int) -> QTableWidgetItem:
        """Return the item of a cell; raise IndexError if the cell is empty."""
        item = self.item(row, column)
        if item is None:
            raise IndexError(f"There is no cell in row {row}, column {column}.")
        return item


class NumberItem(QTableWidgetItem):
    """A read-only, right-aligned cell that sorts by a number instead of its text.

    Parameters
    ----------
    text : str
        The text of the cell.
    number : float
        The sort key.
    """

    def __init__(self, text: str, number: float) -> None:
        super().__init__(text)
        self.number = number
        self.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: Any) -> bool:
        """Compare by number if the other cell has one, else by text."""
        return self.number < other.number if isinstance(other, NumberItem) else bool(super().__lt__(other))
