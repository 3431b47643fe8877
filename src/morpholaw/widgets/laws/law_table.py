"""Table of the laws of a study."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QTableWidgetItem

from morpholaw.display import percent
from morpholaw.models.features import ModelColumns
from morpholaw.models.law_units import law_in_units
from morpholaw.widgets.forms.row_table import ROW_HEIGHT, NumberItem, RowTable
from morpholaw.widgets.laws.law_entries import LawEntry

COLUMNS = (
    ("Law", "Number of the law, as in the report, in law cards and after --law."),
    ("Accuracy", "Accuracy on the held-out cells."),
    ("Size", "Number of nodes of the expression: constants, inputs and operators (eqs. 11-14)."),
    ("Expression", "The score f: negative for the first class, positive for the second one."),
)
ACCURACY, SIZE = 1, 2
"""Columns by which laws are sorted at first."""
CLASS_COLUMN = (
    "Found",
    "Share of the held-out cells of this class that are predicted as this class (recall).",
)
LEAST_ROWS, MOST_ROWS = 2, 6


class LawTable(RowTable):
    """Table with one row per law. Clicking the title of a column sorts by it.

    Notes
    -----
    ``picked`` is emitted when a row is selected, with the index of the law in the study's list.
    """

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.setToolTip("Select a law to see its formula and figures.")
        self.pick_one()
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.stretch(len(COLUMNS) - 1)
        self.itemSelectionChanged.connect(self._selected)

    def fill(self, entries: Sequence[LawEntry], columns: ModelColumns | None = None) -> None:
        """Show laws, the most accurate on the held-out cells first, and select the one that is applied.

        Laws over standardised ``columns`` are shown over inputs in units. Laws of more than two classes are shown with
        the names of their classes, in the order of the classes.
        """
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setRowCount(0)  # otherwise the first row might stay selected and emit no signal
        self.setRowCount(len(entries))
        of_classes = any(entry.class_name is not None for entry in entries)
        for row, entry in enumerate(entries):
            law = entry.law
            numbers = (
                (f"{entry.place + 1}", entry.place),
                (percent(entry.accuracy), entry.accuracy),
                (f"{law.size}", law.size),
            )
            cells = [NumberItem(text, number) for text, number in numbers]
            cells[SIZE].setToolTip(f"Complexity {law.complexity}, as the search counts it.")
            in_units = law_in_units(law, columns)
            text = in_units.rounded().text()
            expression = QTableWidgetItem(f"{entry.class_name}: {text}" if entry.class_name else text)
            expression.setToolTip(in_units.text())
            for column, item in enumerate([*cells, expression]):
                item.setData(Qt.ItemDataRole.UserRole, entry.place)
                self.setItem(row, column, item)
        title, tip = CLASS_COLUMN if of_classes else COLUMNS[ACCURACY]
        heading = self.horizontalHeaderItem(ACCURACY)
        if heading is not None:
            heading.setText(title)
            heading.setToolTip(tip)
        self.setColumnHidden(0, of_classes)  # each of these laws is part of the only model
        if of_classes:
            self.heading.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self.setSortingEnabled(True)
        if not of_classes:
            self.sortItems(SIZE, Qt.SortOrder.AscendingOrder)
            self.sortItems(ACCURACY, Qt.SortOrder.DescendingOrder)
        rows = min(max(self.rowCount(), LEAST_ROWS), MOST_ROWS)
        self.setFixedHeight(self.heading.sizeHint().height() + ROW_HEIGHT * rows + 4)
        self.blockSignals(False)
        if self.rowCount():
            self.pick(0)

    def pick(self, place: int) -> None:
        """Select the law at an index of the study's list."""
        for row in range(self.rowCount()):
            if self._place(row) == place:
                self.selectRow(row)

    def _place(self, row: int) -> int:
        return int(self.cell(row, 0).data(Qt.ItemDataRole.UserRole))

    def _selected(self) -> None:
        if self.currentRow() >= 0:
            self.picked.emit(self._place(self.currentRow()))
