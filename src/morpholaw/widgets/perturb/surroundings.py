"""The test cells in other surroundings, shifted and turned: what the classifiers read of a cell and its neighbours."""

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

from morpholaw.display import capitalised, number, percent, percent_interval, span
from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.row_table import ROW_HEIGHT, RowTable
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.perturb.attack_choice import AttackChoice
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.study import Study

_NOTHING = (
    "How often a cell gets another class when its neighbours are exchanged, or when it is shifted and turned, appears "
    "here."
)
_COLUMNS = (
    ("Test cells", "What was changed in the crops; the cell's own pixels stay as they are."),
    ("Accuracy, %", "Balanced accuracy on the changed crops, with its 95 % interval over groups of cells."),
    ("Change, %", "Share of the predicted classes that change, with its 95 % interval."),
)
_CELLS = 400
"""Test cells that are changed, unless the person says otherwise."""


class SurroundingsPanel(QWidget):
    """Changes what should not matter about the test cells and counts what it does to their predicted classes.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure has.
    current : CurrentStudy
        The study.
    error_line : ErrorLine
        Where errors are shown.
    choice : AttackChoice
        The scheme.

    Attributes
    ----------
    table : DataFrame or None
        What was measured last; see :meth:`morpholaw.Study.interventions`.

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
            "Put held-out cells into the surroundings of others, remove their surroundings, shift and turn them."
        )
        self.all_schemes = QCheckBox("All classifiers")
        self.all_schemes.setToolTip("Measure every trained classifier, not only the chosen scheme.")
        self.cells = QSpinBox()
        self.cells.setRange(4, 100_000)
        self.cells.setValue(_CELLS)
        self.cells.setToolTip(
            "Held-out cells at most, as many of each class; more of them give narrower intervals."
        )
        self.runner = JobRunner(current, "surroundings")
        self.sentences = QLabel()
        self.sentences.setWordWrap(True)
        self.sentences.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.rows = RowTable(_COLUMNS)
        self.rows.setToolTip("What each change of the test cells does to each classifier.")
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
        form.addRow("Test cells, at most", self.cells)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addLayout(form)
        layout.addLayout(row)
        for part in (self.runner, self.figure, self.sentences, self.rows):
            layout.addWidget(part)
        layout.addStretch(1)

    def clear(self) -> None:
        """Remove what was measured, which is of another study or of older classifiers."""
        self.table = None
        self.sentences.hide()
        self.rows.hide()
        self.figure.say(_NOTHING)

    def start(self) -> None:
        """Measure the chosen scheme, or all classifiers, in a child process."""
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
            + f"\n{first['cells']} test cells of {first['groups']} groups{_outlined(int(first['tracker_masks']))}."
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
            for one in table[table["classifier"] == name].to_dict("records"):
                row += 1
                change = "" if one["intervention"] == "none" else _interval(one, "flips")
                shown = SHORT_NAMES[one["intervention"]]
                texts = (capitalised(shown), _interval(one, "balanced_accuracy"), change)
                for column, text in enumerate(texts):
                    item = QTableWidgetItem(text)
                    item.setToolTip(_tip(one))
                    self.rows.setItem(row, column, item)
            row += 1
        self.rows.setFixedHeight(self.rows.heading.sizeHint().height() + ROW_HEIGHT * row + 8)
        self.rows.show()


def _outlined(count: int) -> str:
    """Say how many cells have the tracker's outline."""
    return f", {count:,} with the tracker's outline" if count else ""


def _interval(row: dict[Any, Any], name: str) -> str:
    low, high = 100 * row[f"{name}_low"], 100 * row[f"{name}_high"]
    return f"{number(100 * row[name], 1)} ({span(low, high, 1)})"


def _tip(row: dict[Any, Any]) -> str:
    """Return a row as a sentence."""
    accuracy = percent_interval(
        row["balanced_accuracy"], row["balanced_accuracy_low"], row["balanced_accuracy_high"]
    )
    if row["intervention"] == "none":
        return f"{capitalised(row['meaning'])}: {accuracy} right, balanced over the classes."
    return f"With {row['meaning']} {percent(row['flips'])} of the predicted classes change; {accuracy} are right."


def _labels(study: Study, names: list[str]) -> dict[str, str]:
    """Return what classifiers are called, by their names: "Scheme 3", "Scheme 4, hinge"."""
    from morpholaw.store import classifiers

    records = classifiers.records(study)
    called = {}
    for name in names:
        one = records[name]
        called[name] = f"Scheme {one.scheme}" + (f", {one.variant}" if one.variant else "")
    return called


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
