"""The Surroundings tab: whether the predicted class depends on the neighbours of a cell, or on its position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from morpholaw.display import capitalised, counted, number, percent, percent_interval, span
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.row_table import ROW_HEIGHT, RowTable
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.perturb.attack_choice import AttackChoice
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.cell_scorer import TRAIN_FIRST
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.study import Study

_NOTHING = (
    "The share of cells whose predicted class changes when their surroundings are exchanged, or when they are shifted "
    "and rotated, appears here."
)
_COLUMNS = (
    ("Held-out cells", "What was changed in the crops. The pixels of the cell itself stay as they are."),
    ("Accuracy, %", "Balanced accuracy on the changed crops, with its 95 % interval over groups of cells."),
    ("Change, %", "Share of the predicted classes that change, with its 95 % interval."),
)
_CELLS = 400
"""Default number of held-out cells that are changed."""


class SurroundingsPanel(QWidget):
    """Tab that changes the surroundings of held-out cells and counts how many predicted classes change.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study.
    error_line : ErrorLine
        Where errors are shown.
    choice : AttackChoice
        The scheme.

    Attributes
    ----------
    table : DataFrame or None
        The last result; see :meth:`morpholaw.Study.interventions`.

    Notes
    -----
    ``measured`` is emitted when the table and the sentences are shown.
    """

    measured = Signal()

    def __init__(
        self, viewer: Any, current: CurrentStudy, error_line: ErrorLine, choice: AttackChoice
    ) -> None:
        super().__init__()
        self.current, self.error_line, self.choice = current, error_line, choice
        self.table: pd.DataFrame | None = None
        self.button = QPushButton("Change surroundings")
        self.button.setToolTip(
            "Put held-out cells into the surroundings of others, remove their surroundings, and shift and rotate them; "
            "count how many predicted classes change."
        )
        self.all_schemes = QCheckBox("All classifiers")
        self.all_schemes.setToolTip("Measure every trained classifier, not only the chosen one.")
        self.cells = QSpinBox()
        self.cells.setRange(4, 100_000)
        self.cells.setValue(_CELLS)
        self.cells.setToolTip(
            "Set the largest number of held-out cells to use, equally many of each class. More cells give narrower "
            "intervals."
        )
        self.runner = JobRunner(current, "surroundings")
        self.sentences = QLabel()
        self.sentences.setWordWrap(True)
        self.sentences.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.rows = RowTable(_COLUMNS)
        self.rows.setToolTip("Effect of each change on each classifier.")
        self.rows.pick_one()
        self.rows.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        small = self.rows.font()
        small.setPointSizeF(small.pointSizeF() * 0.9)
        self.rows.setFont(small)
        self.rows.stretch(0)
        self.figure = FigurePanel(viewer, _NOTHING)
        self._build()
        self.clear()
        self.button.clicked.connect(self.start)
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(lambda _: self.button.setEnabled(True))

    def _build(self) -> None:
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.all_schemes)
        row.addStretch(1)
        form = QFormLayout()
        form.addRow("Held-out cells, at most", self.cells)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(form)
        layout.addLayout(row)
        for part in (self.runner, self.figure, self.sentences, self.rows):
            layout.addWidget(part)
        layout.addStretch(1)

    def clear(self) -> None:
        """Remove the result, which is about another study or older classifiers."""
        self.table = None
        self.sentences.hide()
        self.rows.hide()
        self.figure.say(self.current.or_no_study(_NOTHING if self.choice.classifiers else TRAIN_FIRST))

    def start(self) -> None:
        """Measure the chosen classifier, or all of them, in a child process."""
        with self.error_line.catch():
            study, chosen = self.current.required(), self.choice.required()
            names = [] if self.all_schemes.isChecked() else [chosen.name]
            if self.runner.running:
                raise InputError("A measurement is still running; wait for it or press Stop.")
            self.button.setEnabled(False)
            arguments = {"schemes": names, "cells": self.cells.value()}
            self.runner.start(
                Job("interventions", str(study.path), {}, arguments), table=True, name="change surroundings"
            )

    def _finished(self, result: dict[str, Any]) -> None:
        self.button.setEnabled(True)
        table, study = result.get("table"), self.current.study
        if table is None or study is None:
            return
        if not len(table):
            self.figure.say("The measurement was stopped before it was complete.")
            return
        from morpholaw.study.intervention_step import verdicts

        self.table = table
        labels = _labels(study, list(dict.fromkeys(table["classifier"])))
        sentences = verdicts(table)
        first = table.iloc[0]
        self.sentences.setText(
            "\n".join(f"{label}: {sentences[name]}" for name, label in labels.items())
            + f"\n{counted(first['cells'], 'held-out cell')} of {counted(first['groups'], 'group')}"
            + f"{_outlined(int(first['tracker_masks']))}."
        )
        self.sentences.show()
        self._fill(table, labels)
        self.figure.draw(lambda figsize, theme: _figure(table, labels, figsize, theme))
        self.measured.emit()

    def _fill(self, table: pd.DataFrame, labels: dict[str, str]) -> None:
        from morpholaw.interpretation.interventions import SHORT_NAMES

        self.rows.clearSpans()
        self.rows.setRowCount(len(table) + len(labels))
        row = 0
        for name, label in labels.items():
            self.rows.setItem(row, 0, QTableWidgetItem(label))
            self.rows.setSpan(row, 0, 1, len(_COLUMNS))
            for record in table[table["classifier"] == name].to_dict("records"):
                row += 1
                change = "" if record["intervention"] == "none" else _interval(record, "flips")
                shown = SHORT_NAMES[record["intervention"]]
                texts = (capitalised(shown), _interval(record, "balanced_accuracy"), change)
                for column, text in enumerate(texts):
                    item = QTableWidgetItem(text)
                    item.setToolTip(_tip(record))
                    self.rows.setItem(row, column, item)
            row += 1
        self.rows.setFixedHeight(self.rows.heading.sizeHint().height() + ROW_HEIGHT * row + 8)
        self.rows.show()


def _outlined(count: int) -> str:
    """Return how many cells were outlined by the tracker's masks, in words; "" if none were."""
    return f", {count:,} outlined by the tracker's masks" if count else ""


def _interval(row: dict[Any, Any], name: str) -> str:
    low, high = 100 * row[f"{name}_low"], 100 * row[f"{name}_high"]
    return f"{number(100 * row[name], 1)} ({span(low, high, 1)})"


def _tip(row: dict[Any, Any]) -> str:
    """Return a row of the table as a sentence."""
    accuracy = percent_interval(
        row["balanced_accuracy"], row["balanced_accuracy_low"], row["balanced_accuracy_high"]
    )
    if row["intervention"] == "none":
        return f"{capitalised(row['meaning'])}: balanced accuracy {accuracy}."
    changed = percent(row["flips"])
    return f"With {row['meaning']}, {changed} of the predicted classes change; balanced accuracy {accuracy}."


def _labels(study: Study, names: list[str]) -> dict[str, str]:
    """Return the labels of classifiers by their names: "Scheme 3", "Scheme 4, hinge"."""
    from morpholaw.store import classifiers

    records = classifiers.records(study)
    labels = {}
    for name in names:
        record = records[name]
        labels[name] = f"Scheme {record.scheme}" + (f", {record.variant}" if record.variant else "")
    return labels


def _figure(table: pd.DataFrame, labels: dict[str, str], figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.interventions import intervention_accuracies
    from morpholaw.interpretation.interventions import SHORT_NAMES

    names = list(dict.fromkeys(table["intervention"]))
    ends = ["balanced_accuracy", "balanced_accuracy_low", "balanced_accuracy_high"]
    shares = np.full((len(labels), len(names), 3), np.nan)
    for row in table.to_dict("records"):
        place = list(labels).index(row["classifier"]), names.index(row["intervention"])
        shares[place] = [row[key] for key in ends]
    return intervention_accuracies(
        shares,
        [SHORT_NAMES[name] for name in names],
        schemes=[label.lower() for label in labels.values()],
        theme=theme,
        figsize=figsize,
    )
