"""The laws of a study in a table."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QTableWidgetItem, QWidget

from morpholaw.display import percent
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.widgets.forms.row_table import ROW_HEIGHT, NumberItem, RowTable

COLUMNS = (
    ("Accuracy", "Accuracy on the held-out test cells."),
    ("Size", "Nodes of the expression: constants, latents and operators (eqs. 11-14)."),
    ("Complexity", "Complexity as the search counts it."),
    ("Expression", "The score f: positive for the second class, negative for the first."),
)
LEAST_ROWS, MOST_ROWS = 2, 6


class LawTable(RowTable):
    """One row per law; a click on a column's title sorts.

    Notes
    -----
    ``picked`` (the place of the law in the study's list) is emitted when a row is selected.
    """

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(COLUMNS, parent)
        self.setToolTip("Choose a law to see its formula and figures.")
        self.pick_one()
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.stretch(len(COLUMNS) - 1)
        self.itemSelectionChanged.connect(self._selected)

    def fill(self, found: ClassifierRecord | None) -> None:
        """Show laws, the most accurate on the test cells first, and select the first."""
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setRowCount(0 if found is None else len(found.laws))
        accuracies = () if found is None else found.evaluation.accuracy
        for row, (law, accuracy) in enumerate(zip(found.laws if found else (), accuracies, strict=True)):
            numbers = (
                (percent(accuracy), accuracy),
                (f"{law.size}", law.size),
                (f"{law.complexity}", law.complexity),
            )
            cells = [NumberItem(text, number) for text, number in numbers]
            expression = QTableWidgetItem(law.rounded(3).text())
            expression.setToolTip(law.text())
            for column, item in enumerate([*cells, expression]):
                item.setData(Qt.ItemDataRole.UserRole, row)
                self.setItem(row, column, item)
        self.setSortingEnabled(True)
        self.sortItems(2, Qt.SortOrder.AscendingOrder)
        self.sortItems(0, Qt.SortOrder.DescendingOrder)
        rows = min(max(self.rowCount(), LEAST_ROWS), MOST_ROWS)
        self.setFixedHeight(self.heading.sizeHint().height() + ROW_HEIGHT * rows + 4)
        self.blockSignals(False)
        if self.rowCount():
            self.selectRow(0)

    def pick(self, place: int) -> None:
        """Select the law at a place of the study's list."""
        for row in range(self.rowCount()):
            if self._place(row) == place:
                self.selectRow(row)

    def _place(self, row: int) -> int:
        return int(self.cell(row, 0).data(Qt.ItemDataRole.UserRole))

    def _selected(self) -> None:
        if self.currentRow() >= 0:
            self.picked.emit(self._place(self.currentRow()))
