"""The classifiers of a study side by side, and how often two of them predict the same class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTableWidgetItem, QWidget

from morpholaw.display import number, percent, spread
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.widgets.forms.row_table import RowTable

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    ("Scheme", "The scheme and, in brackets, how many models of it were trained."),
    (
        "Accuracy, %",
        "Accuracy of the models' median score on the held-out test cells (95 % interval over groups of cells).",
    ),
    ("Weights", "Active weights of the head, mean over the models (paper, table 1)."),
    ("Size", "Nodes of the written-out expression, mean over the models (eqs. 11-14)."),
    ("Agree", "Share of test cells for which the other schemes predict the same class, on average."),
)


class ComparisonTable(RowTable):
    """One row per classifier, as in table 1 of the paper."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(COLUMNS, parent)
        self.classifiers: list[ClassifierRecord] = []
        self.setToolTip("Choose a classifier to see its confusion matrix and to apply it.")
        self.pick_one()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.9)
        self.setFont(small)
        self.stretch(len(COLUMNS) - 1)
        self.show_classifiers([])

    @property
    def chosen(self) -> ClassifierRecord | None:
        """The classifier of the selected row."""
        row = self.currentRow()
        return self.classifiers[row] if 0 <= row < len(self.classifiers) else None

    def show_classifiers(self, classifiers: list[ClassifierRecord], choose: str = "") -> None:
        """Fill the table and select the classifier named ``choose``, or keep the selection."""
        wanted = choose or (self.chosen.name if self.chosen else "")
        self.classifiers = classifiers
        self.blockSignals(True)
        self.setRowCount(len(classifiers))
        for row, one in enumerate(classifiers):
            share = one.evaluation.ensemble_accuracy
            measured = f"{percent(share.value)} of {one.evaluation.test_cells:,} test cells, "
            measured += " against ".join(one.classes)
            texts = (
                (f"{one.short_label} ({one.members})", f"{one.label}, {one.members} models"),
                (
                    f"{number(100 * share.value, 1)} ({number(100 * share.low, 1)}–{number(100 * share.high, 1)})",
                    measured,
                ),
                ("n/a" if one.head_weights is None else spread(one.head_weights), ""),
                (spread(one.expression_sizes), ""),
                ("", 'Press "Compare predictions" to fill this column.'),
            )
            for column, (text, tip) in enumerate(texts):
                item = QTableWidgetItem(text)
                item.setToolTip(tip or text)
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
        """Fit the height to the rows, which depends on the viewer's style."""
        super().showEvent(event)
        self.resizeRowsToContents()
        self._fit_height()

    def _fit_height(self) -> None:
        rows = sum(map(self.rowHeight, range(self.rowCount())))
        self.setFixedHeight(self.heading.sizeHint().height() + max(rows, 24) + 8)

    def mixed(self) -> str:
        """Say where the rows cannot be compared: other test cells, or other classes; "" where they can."""
        if len({one.classes for one in self.classifiers}) > 1:
            return "The classifiers tell different classes apart, so that their rows are not to be compared."
        if len({one.evaluation.split for one in self.classifiers}) > 1:
            return "The schemes were tested on different cells, so that their rows are not to be compared."
        return ""

    def show_agreement(self, shares: pd.DataFrame) -> None:
        """Show how often the others predict the same class.

        Parameters
        ----------
        shares : DataFrame
            One row and one column per classifier; NaN where two classifiers cannot be compared.
        """
        names = [one.name for one in self.classifiers]
        if set(names) != set(shares.index):
            return
        agreement = shares.loc[names, names].to_numpy(np.float64)
        for row, one in enumerate(self.classifiers):
            others = {
                other.label: agreement[row, column]
                for column, other in enumerate(self.classifiers)
                if other is not one and np.isfinite(agreement[row, column])
            }
            item = self.cell(row, len(COLUMNS) - 1)
            item.setText(percent(float(np.mean(list(others.values()))), 0) if others else "n/a")
            tips = [f"{percent(share)} with {label}" for label, share in others.items()]
            item.setToolTip("\n".join(tips) or "No other scheme tells the same classes apart.")
