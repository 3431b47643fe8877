"""A confusion matrix. Clicking one of its fields shows and selects the cells in it."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from morpholaw.display import capitalised, number, percent, percent_interval
from morpholaw.errors import InputError, MorpholawError
from morpholaw.escape import html
from morpholaw.jobs import Job
from morpholaw.widgets.pictures.cell_picture import CellPicture
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, white_of
from morpholaw.widgets.study.cell_scores import CellScores

if TYPE_CHECKING:
    from morpholaw.evaluation.estimate import Estimate
    from morpholaw.store.classifier_record import ClassifierRecord
    from morpholaw.store.evaluation_record import ClassEvaluation
    from morpholaw.widgets.jobs.job_runner import JobRunner
    from morpholaw.widgets.study.current_study import CurrentStudy

SHOWN = 12
"""Largest number of crops shown for a field of the matrix."""
COLUMNS = 6
WIDTH = 2.8
"""Width of the matrix without classes, in inches; each class adds 0.3 inches, up to the width of the panel."""
NOTHING = "The confusion matrix of the selected scheme appears here once a scheme is trained."
HINT = "Held-out cells by true and predicted class. Click a field to see and select its cells."
HINT_ELSEWHERE = (
    "Held-out cells of the study that the classifier comes from, by true and predicted class. Click a field to see and "
    "select the cells of this study that belong there."
)


class ConfusionPicture(QWidget):
    """Shows how a classifier confuses the classes of held-out cells, and which cells these are.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study, its scores and the selected cells.
    runner : JobRunner
        Scores the cells if they are not scored yet.

    Notes
    -----
    ``selected`` is emitted after the cells of a field are selected.
    """

    selected = Signal()

    def __init__(self, viewer: Any, current: CurrentStudy, runner: JobRunner) -> None:
        super().__init__()
        self.current, self.runner = current, runner
        self.record: ClassifierRecord | None = None
        self._wanted: tuple[int, int] | None = None
        self.matrix = CellPicture(viewer, NOTHING, lambda _: QPixmap(), self._about, reach=60)
        self.matrix.zooms = False
        self.matrix.setToolTip(
            "Click a field of the matrix to see its cells and to select them in every panel."
        )
        self.hint = QLabel(HINT)
        self.hint.setWordWrap(True)
        self.shares = QLabel()
        self.shares.setWordWrap(True)
        self.crops = PictureGrid("", largest=58)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.matrix, self.shares, self.hint, self.crops):
            layout.addWidget(part)
        self.crops.setToolTip("Click a cell to select it alone, here and in every panel.")
        self.crops.picked.connect(self._pick)
        self._shown: list[int] = []
        self.crops.hide()
        self.matrix.chosen.connect(self._chosen)
        current.selection_changed.connect(self.mark)
        runner.finished.connect(self._scored)
        runner.failed.connect(self._not_scored)
        self.show_record(None)

    def show_record(self, record: ClassifierRecord | None) -> None:
        """Show the confusion matrix of a classifier; None shows a hint instead."""
        self.record, self._wanted = record, None
        self.hint.setText(_hint(record))
        self.hint.setVisible(record is not None)
        self.shares.setText("" if record is None else _meaning(record))
        self.shares.setVisible(bool(self.shares.text()))
        self.crops.hide()
        if record is None:
            self.matrix.say(NOTHING)
            return
        count = len(record.classes)
        fields = np.array([[column, row] for row in range(count) for column in range(count)], float)

        def make(figsize: Any, theme: Any) -> Any:
            from morpholaw.figures.performance import confusion

            counts, size = np.array(record.evaluation.confusion), (min(figsize[0], WIDTH + 0.3 * count), None)
            return confusion(counts, record.classes, title=record.label, theme=theme, figsize=size)

        self.matrix.draw_cells(make, fields, np.arange(count**2))
        self.mark(self.current.selection)

    def mark(self, cells: list[int]) -> None:
        """Mark the fields of the selected held-out cells, if the cells are scored."""
        record = self.record
        scores = None if record is None else self.current.scores.get(record.name)
        if record is None or scores is None or not cells:
            self.matrix.select([])
            return
        from morpholaw.store.labelled_cells import held_out

        try:
            tested, targets = held_out(self.current.required(), record.name)
        except MorpholawError:  # a click on a field shows this error
            return
        chosen = np.isin(tested, cells)
        numbers = {name: number for number, name in enumerate(record.classes)}
        predicted = [numbers.get(name, -1) for name in scores.by_frame[tested[chosen]]]
        fields = targets[chosen] * len(record.classes) + np.array(predicted, np.int64)
        self.matrix.select(sorted({int(field) for field in fields[np.array(predicted, int) >= 0]}))

    def show_field(self, true: int, predicted: int) -> None:
        """Select the held-out cells of class ``true`` predicted as class ``predicted``; score all cells if needed."""
        record = self.record
        if record is None:
            return
        with self.runner.error_line.catch():
            study = self.current.required()
            self._wanted = (true, predicted)
            scores = self.current.scores.get(record.name)
            if scores is not None:
                self._show(scores)
            elif self.runner.running:
                self._wanted = None
                raise InputError("A step is still running here; wait for it or press Stop.")
            else:
                job = Job("classify", str(study.path), {}, {"scheme": record.name})
                self.runner.start(job, table=True, name="find these cells")

    def _show(self, scores: CellScores) -> None:
        from morpholaw.store.labelled_cells import held_out

        record, wanted, crops = self.record, self._wanted, self.current.crops
        self._wanted = None
        if record is None or wanted is None or crops is None:
            return
        cells, targets = held_out(self.current.required(), record.name)
        true, predicted = wanted
        chosen = cells[(targets == true) & (scores.by_frame[cells] == record.classes[predicted])]
        self.crops.setVisible(bool(len(chosen)))
        what = f"{record.classes[true]} predicted as {record.classes[predicted]}"
        self.hint.setText(f"{_hint(record)} Selected: {len(chosen)} cells, {what}.")
        if len(chosen):
            self.current.select(chosen.tolist())
            self._shown = chosen[:SHOWN].tolist()
            self._show_crops(np.asarray(crops[chosen[:SHOWN]]))
        self.selected.emit()

    def _show_crops(self, images: np.ndarray) -> None:
        tiles = grey_tiles(images / 255.0, high=white_of(images / 255.0))
        rows = -(-len(tiles) // COLUMNS)
        filled = np.zeros((rows * COLUMNS, *tiles.shape[1:]), np.uint8)
        filled[: len(tiles)] = tiles
        self.crops.show_pictures(filled.reshape(rows, COLUMNS, *tiles.shape[1:]))

    def _pick(self, row: int, column: int) -> None:
        place = row * COLUMNS + column
        if place < len(self._shown):
            self.current.select([self._shown[place]])

    def _about(self, field: int) -> str:
        if self.record is None:
            return ""
        classes = self.record.classes
        true, predicted = divmod(field, len(classes))
        return f"{classes[true]} predicted as {classes[predicted]}"

    def _chosen(self, fields: list[int]) -> None:
        if self.record is not None:
            self.show_field(*divmod(fields[0], len(self.record.classes)))

    def _scored(self, result: dict[str, Any]) -> None:
        crops, table = self.current.crops, result.get("table")
        if self._wanted is None or self.record is None or crops is None or table is None:
            return
        scores = CellScores.of_table(self.record, table, crops) if "score" in table else None
        if scores is None:
            self._wanted = None
            return
        self.current.add_scores(scores)
        with self.runner.error_line.catch():
            self._show(scores)

    def _not_scored(self, _: str) -> None:
        self._wanted = None


def _hint(record: ClassifierRecord | None) -> str:
    """Return which cells the matrix counts and what a click shows, in words."""
    return HINT_ELSEWHERE if record is not None and record.trained_elsewhere else HINT


def _meaning(record: ClassifierRecord) -> str:
    """Return recall and precision of each class but the first, in words; a table for more than two classes."""
    evaluation = record.evaluation
    measured = list(zip(record.classes, evaluation.by_class, strict=True))
    if len(record.classes) > 2:
        return _table(measured, evaluation.test_cells)
    sentences = []
    for name, evaluated in measured[1:]:  # with two classes, the second one is enough
        recall = percent_interval(*astuple(evaluated.recall))
        precision = (
            "n/a" if np.isnan(evaluated.precision.value) else percent_interval(*astuple(evaluated.precision))
        )
        share = percent(evaluated.cells / max(1, evaluation.test_cells))
        sentences.append(
            f"{name}, {share} of the held-out cells: {recall} are found; {precision} of the cells predicted as "
            f"{name} are {name}."
        )
    return "\n".join(capitalised(sentence) for sentence in sentences)


def _table(measured: list[tuple[str, ClassEvaluation]], test_cells: int) -> str:
    """Return recall and precision of several classes as an HTML table with one row per class."""
    head = ("class", "of the held-out cells, %", "found (recall), %", "correct predictions (precision), %")
    rows = "".join(
        f"<tr><td>{html(name)}</td>"
        + "".join(
            f"<td align='right' style='white-space: nowrap'>{text}</td>"
            for text in (
                number(100 * evaluated.cells / max(1, test_cells), 0),
                _percents(evaluated.recall),
                _percents(evaluated.precision),
            )
        )
        + "</tr>"
        for name, evaluated in measured
    )
    return f"<table cellspacing='3'><tr>{''.join(f'<th>{title}</th>' for title in head)}</tr>{rows}</table>"


def _percents(share: Estimate) -> str:
    if np.isnan(share.value):
        return "n/a"
    return f"{number(100 * share.value, 0)} ({number(100 * share.low, 0)}–{number(100 * share.high, 0)})"
