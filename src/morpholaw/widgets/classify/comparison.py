"""Table that compares the classifiers of a study, and how often two of them predict the same class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTableWidgetItem

from morpholaw.display import number, percent, spread
from morpholaw.evaluation.estimate import Estimate
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.guessing import guessing_mark
from morpholaw.widgets.forms.row_table import RowTable

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.store.baseline_record import MeasuredBaseline

COLUMNS = (
    ("Scheme", "The scheme and, in brackets, how many models of it were trained."),
    (
        "Accuracy, %",
        "Accuracy of the models' median score on the held-out cells, with its 95 % interval over groups of cells.",
    ),
    ("Weights", "Number of active weights of the head: mean ± SD over the models (paper, table 1)."),
    ("Size", "Number of nodes of the written-out expression: mean ± SD over the models (eqs. 11-14)."),
    ("Agree", "Share of the held-out cells for which another scheme predicts the same class, on average."),
)


AGREE = len(COLUMNS) - 1
"""The column of agreements."""
_SHORT = {"shapes-logistic": "regression", "shapes-tree": "small tree"}
"""Short names of the baselines."""


class ComparisonTable(RowTable):
    """Table with one row per classifier, as table 1 of the paper, followed by baselines, which cannot be selected."""

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.classifiers: list[ClassifierRecord] = []
        self.baselines: list[MeasuredBaseline] = []
        self.setToolTip("Select a classifier to see its confusion matrix and to apply it.")
        self.pick_one()
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * 0.9)
        self.setFont(small)
        self.stretch(0)
        self.show_classifiers([])

    @property
    def chosen(self) -> ClassifierRecord | None:
        """The classifier of the selected row."""
        row = self.currentRow()
        return self.classifiers[row] if 0 <= row < len(self.classifiers) else None

    def show_classifiers(
        self,
        classifiers: list[ClassifierRecord],
        baselines: Sequence[MeasuredBaseline] = (),
        choose: str = "",
    ) -> None:
        """Fill the table and select the classifier named ``choose``, or keep the selection.

        A baseline is shown if it was measured on the same split and classes as one of the classifiers.
        """
        wanted = choose or (self.chosen.name if self.chosen else "")
        splits = {(record.evaluation.split, record.classes) for record in classifiers}
        self.classifiers = classifiers
        self.baselines = [baseline for baseline in baselines if (baseline.split, baseline.classes) in splits]
        self.blockSignals(True)
        self.setRowCount(len(classifiers) + len(self.baselines))
        for row, record in enumerate(classifiers):
            weights = "n/a" if record.head_weights is None else spread(record.head_weights)
            texts = (
                (f"{record.short_label} ({record.members})", f"{record.label}, {record.members} models"),
                _accuracy(record.evaluation.ensemble_accuracy, record.evaluation.test_cells, record.classes),
                (weights, ""),
                (spread(record.expression_sizes), ""),
                ("", ""),
            )
            self._fill(row, texts)
        several = len({simple.classes for simple in self.baselines}) > 1
        for row, simple in enumerate(self.baselines, len(classifiers)):
            of_classes = f", {len(simple.classes)} classes" if several else ""
            texts = (
                (
                    f"{_SHORT[simple.name]}{of_classes}",
                    f"Baseline: {simple.title}, {' against '.join(simple.classes)}",
                ),
                _accuracy(simple.accuracy, simple.test_cells, simple.classes),
                ("n/a", ""),
                ("n/a", ""),
                ("", ""),
            )
            self._fill(row, texts, Qt.ItemFlag.ItemIsEnabled)
        self.resizeRowsToContents()
        self._fit_height()
        names = [record.name for record in classifiers]
        self.setColumnHidden(AGREE, True)  # until the predictions are compared, the names need its room
        self.clearSelection()
        self.setCurrentCell(-1, -1)
        self.blockSignals(False)
        if names:
            self.selectRow(names.index(wanted) if wanted in names else len(names) - 1)
        else:
            self.itemSelectionChanged.emit()

    def _fill(self, row: int, texts: Sequence[tuple[str, str]], flags: Qt.ItemFlag | None = None) -> None:
        """Fill a row with texts and tooltips."""
        for column, (text, tip) in enumerate(texts):
            item = QTableWidgetItem(text)
            item.setToolTip(tip or text)
            if flags is not None:
                item.setFlags(flags)
            if column:
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self.setItem(row, column, item)

    def showEvent(self, event: Any) -> None:
        """Fit the height to the rows, whose height depends on the style of the viewer."""
        super().showEvent(event)
        self.resizeRowsToContents()
        self._fit_height()

    def _fit_height(self) -> None:
        rows = sum(map(self.rowHeight, range(self.rowCount())))
        self.setFixedHeight(self.heading.sizeHint().height() + max(rows, 24) + 8)

    def doubts(self) -> str:
        """Say which classifiers do not beat guessing, and why rows cannot be compared; "" if there is no doubt."""
        marks = [guessing_mark(record) for record in self.classifiers]
        sentences = [f"\N{WARNING SIGN} {mark}" for mark in marks if mark]
        if len({record.classes for record in self.classifiers}) > 1:
            sentences.append("Do not compare the rows: the classifiers tell different classes apart.")
        elif len({record.evaluation.split for record in self.classifiers}) > 1:
            sentences.append("Do not compare the rows: the schemes were tested on different cells.")
        return "\n".join(sentences)

    def show_agreement(self, shares: pd.DataFrame) -> None:
        """Show how often the other classifiers predict the same class.

        Parameters
        ----------
        shares : DataFrame
            Share of agreement, one row and one column per classifier; NaN if two classifiers cannot be compared.
        """
        labels = {record.name: record.label for record in self.classifiers}
        labels |= {
            baseline.name: baseline.title for baseline in self.baselines if baseline.name in shares.index
        }
        if not {record.name for record in self.classifiers} <= set(shares.index):
            return
        self.setColumnHidden(AGREE, False)
        names = list(labels)
        agreement = shares.loc[names, names].to_numpy(np.float64)
        for row, name in enumerate(names):
            others = {
                labels[other]: agreement[row, column]
                for column, other in enumerate(names)
                if other != name and np.isfinite(agreement[row, column])
            }
            item = self.cell(row, AGREE)
            item.setText(percent(float(np.mean(list(others.values()))), 0) if others else "n/a")
            tips = [f"{percent(share)} with {label}" for label, share in others.items()]
            item.setToolTip("\n".join(tips) or "No other scheme tells the same classes apart.")


def _accuracy(share: Estimate, cells: int, classes: tuple[str, ...]) -> tuple[str, str]:
    """Return an accuracy with its interval as text for the table, and as text for its tooltip."""
    value, low, high = (
        number(100 * bound, 1).replace("100.0", "100") for bound in (share.value, share.low, share.high)
    )
    shown = f"{value} ({low}–{high})"
    return shown, f"{percent(share.value)} of {cells:,} held-out cells, {' against '.join(classes)}"
