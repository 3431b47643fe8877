"""The classifiers of a study side by side, and how often they call a cell alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from morpholaw.display import interval, number, percent, spread
from morpholaw.widgets.study.saved_classifiers import SavedClassifier

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("Scheme", "Accuracy %", "Weights", "Size", "Agree %")
_TIPS = (
    "The scheme and how many models were trained; hover for its name.",
    "Of the models' median score on the held-out test cells, with its 95 % Wilson interval.",
    "Active weights of the head, mean over the models (paper, table 1).",
    "Expression size (eqs. 11-14), mean over the models.",
    'Share of the test cells that the other schemes call alike, on average; press "Compare calls".',
)


class ComparisonTable(QTableWidget):
    """One row a classifier, as the paper's table 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, len(COLUMNS), parent)
        self.classifiers: list[SavedClassifier] = []
        self.setHorizontalHeaderLabels(COLUMNS)
        for column, tip in enumerate(_TIPS):
            self.horizontalHeaderItem(column).setToolTip(tip)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.9)
        self.setFont(small)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        self.show_classifiers([])

    @property
    def chosen(self) -> SavedClassifier | None:
        """The classifier of the selected row."""
        row = self.currentRow()
        return self.classifiers[row] if 0 <= row < len(self.classifiers) else None

    def show_classifiers(self, classifiers: list[SavedClassifier], choose: str = "") -> None:
        """Fill the table; ``choose`` names the classifier to select, else the one selected before."""
        wanted = choose or (self.chosen.name if self.chosen else "")
        self.classifiers = classifiers
        self.blockSignals(True)
        self.setRowCount(len(classifiers))
        for row, one in enumerate(classifiers):
            accuracy = (100 * value for value in one.accuracy)
            texts = (
                f"{one.short} × {one.models}",
                interval(*accuracy, digits=1),
                "n/a" if one.weights is None else spread(one.weights),
                spread(one.sizes),
                "",
            )
            for column, text in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(
                    (one.title, f"{text}\n{one.test_cells:,} test cells", text, text, text)[column]
                )
                if column:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self.setItem(row, column, item)
        self.resizeRowsToContents()
        self._fit_height()
        names = [one.name for one in classifiers]
        self.clearSelection()
        self.setCurrentCell(-1, -1)
        self.blockSignals(False)
        if names:
            self.selectRow(names.index(wanted) if wanted in names else len(names) - 1)
        else:
            self.itemSelectionChanged.emit()

    def showEvent(self, event: Any) -> None:
        """Take the height that all rows need, which the viewer's style decides when it is shown."""
        super().showEvent(event)
        self.resizeRowsToContents()
        self._fit_height()

    def _fit_height(self) -> None:
        rows = sum(map(self.rowHeight, range(self.rowCount())))
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + max(rows, 24) + 8)

    def show_agreement(self, shares: pd.DataFrame) -> None:
        """Show how often each is called alike by the others: a row and a column of shares a classifier."""
        names = [one.name for one in self.classifiers]
        if set(names) != set(shares.index):
            return
        count, agreement = len(names), shares.loc[names, names].to_numpy()
        for row in range(count):
            others = np.delete(agreement[row], row)
            pairs = [
                f"{percent(agreement[row, other])} with {self.classifiers[other].title}"
                for other in range(count)
                if other != row
            ]
            item = self.item(row, len(COLUMNS) - 1)
            item.setText(number(100 * others.mean(), 1) if count > 1 else "n/a")
            item.setToolTip("\n".join(pairs))
