"""Cross-validation of the chosen scheme, and the results that the study keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpinBox, QTableWidgetItem, QVBoxLayout, QWidget

from morpholaw.config.classifier import FOLDS
from morpholaw.display import capitalised, counted, listed, percent
from morpholaw.store.cross_validation import (
    KeptCrossValidation,
    accuracy_in_words,
    kept_names,
    read_kept,
    title,
    whole_title,
)
from morpholaw.widgets.classify.confusion_picture import WIDTH
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.forms.row_table import NumberItem, RowTable
from morpholaw.widgets.forms.tabs_and_sections import Section
from morpholaw.widgets.pictures.figure_panel import FigurePanel

if TYPE_CHECKING:
    from morpholaw.widgets.forms.error_line import ErrorLine
    from morpholaw.widgets.study.current_study import CurrentStudy

MEANING = (
    "The accuracies above are from one split. Cross-validation tests every labelled cell once, by models that were "
    "trained without its group, with the settings above. The study's models do not change."
)
COLUMNS = (
    ("Group", "The group of cells, which is tested as a whole: a movie, or tracks that belong together."),
    ("Cells", "Number of tested cells."),
    ("Accuracy", "Share of the tested cells that get their class."),
)
MANY = 5
"""Number of classes from which they are counted instead of named; the confusion matrix names them."""
HEIGHT = 160
"""Height in pixels of the table of groups."""


class CrossValidationPart(QWidget):
    """Button that cross-validates a scheme, and the results that the study keeps.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study.
    error_line : ErrorLine
        Where errors are shown.
    """

    def __init__(self, viewer: Any, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__()
        self.current, self.error_line = current, error_line
        self.shown: KeptCrossValidation | None = None
        self.button = QPushButton()
        self.button.setToolTip(
            "Divide the groups of labelled cells into folds; train the scheme for each fold on the others, and test it."
        )
        self.folds = QSpinBox()
        self.folds.setRange(2, 100)
        self.folds.setValue(FOLDS)
        self.folds.setSuffix(" folds")
        self.folds.setToolTip(
            "Number of folds. Each class needs cells in at least as many groups; more folds take longer."
        )
        self.choice = narrow_combo("results of a cross-validation")
        self.choice.setToolTip("Choose which of the study's cross-validations is shown.")
        self.accuracy, meaning = QLabel(), QLabel(MEANING)
        for label in (self.accuracy, meaning):
            label.setWordWrap(True)
        self.matrix = FigurePanel(viewer)
        self.groups = RowTable(COLUMNS)
        self.groups.setToolTip("Accuracy of the scheme in each group of cells, the worst group first.")
        self.groups.pick_one()
        self.groups.stretch(0)
        self.groups.setFixedHeight(HEIGHT)
        self.by_group = Section("Accuracy of each group", "Show the groups of cells, the worst first.")
        self.by_group.add_widget(self.groups)
        row = QHBoxLayout()
        row.addWidget(self.button)
        row.addWidget(self.folds)
        row.addStretch()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(meaning)
        layout.addLayout(row)
        for part in (self.choice, self.accuracy, self.matrix, self.by_group):
            layout.addWidget(part)
        self.choice.currentIndexChanged.connect(self._show)
        self.refresh()

    def refresh(self, newest: bool = False) -> None:
        """List the results of the study; show the ``newest``, or those that were shown before."""
        study = self.current.study
        before = "" if newest else self.choice.currentData()
        blocked = self.choice.blockSignals(True)
        self.choice.clear()
        if study is not None:
            for name in kept_names(study):
                self.choice.addItem(capitalised(whole_title(study, name)), name)
        self.choice.setCurrentIndex(max(0, self.choice.findData(before)) if self.choice.count() else -1)
        self.choice.blockSignals(blocked)
        self._show()

    def _show(self) -> None:
        study, name, self.shown = self.current.study, self.choice.currentData(), None
        if study is not None and name:
            with self.error_line.catch():
                self.shown = read_kept(study, name)
        self.choice.setVisible(self.choice.count() > 1)
        for part in (self.accuracy, self.matrix, self.by_group):
            part.setVisible(self.shown is not None)
        if self.shown is None:
            self.matrix.say("")
        else:
            self.accuracy.setText(_in_words(self.shown))
            self._show_matrix(self.shown)
            self._show_groups(self.shown)

    def _show_matrix(self, kept: KeptCrossValidation) -> None:
        classes, counts = kept.matrix()

        def make(figsize: Any, theme: Any) -> Any:
            from morpholaw.figures.performance import confusion

            size = (min(figsize[0], WIDTH + 0.3 * len(classes)), None)
            return confusion(counts, classes, title=title(kept.name, kept.record), theme=theme, figsize=size)

        self.matrix.draw(make)

    def _show_groups(self, kept: KeptCrossValidation) -> None:
        rows = kept.groups[kept.groups["classifier"] == kept.classifiers[0]].sort_values("accuracy")
        self.groups.setRowCount(len(rows))
        for place, (group, cells, accuracy) in enumerate(
            rows[["group", "cells", "accuracy"]].itertuples(index=False)
        ):
            self.groups.setItem(place, 0, QTableWidgetItem(group))
            self.groups.setItem(place, 1, NumberItem(f"{cells:,}", cells))
            self.groups.setItem(place, 2, NumberItem(percent(accuracy), accuracy))


def _in_words(kept: KeptCrossValidation) -> str:
    """Return what was measured, and the accuracy of the scheme and of the baselines."""
    from morpholaw.evaluation.baselines import BASELINES  # imports scikit-image

    titles = {str(name): words for name, words in BASELINES.items()}
    titles[kept.classifiers[0]] = title(kept.name, kept.record)
    total = kept.folds[kept.folds["fold"] == "all"].iloc[0]
    lines = [
        f"{capitalised(titles.get(name, name))}: {accuracy_in_words(kept.folds, name)}."
        for name in kept.classifiers
    ]
    classes, _ = kept.matrix()
    told_apart = listed(classes) if len(classes) < MANY else f"{len(classes)} classes"
    tested = f"{total['test_cells']:,.0f} cells of {total['test_groups']:,.0f} groups"
    head = (
        f"Balanced accuracy for {told_apart} on {tested}, with its 95 % interval over groups and folds, measured on "
        f"{kept.measured:%d %B %Y}."
    )
    if kept.record is None or kept.record.inputs != "shapes":
        head += " The encoder was not trained again in each fold."
    if kept.stopped_after is not None:
        head = f"{_stop_in_words(kept, kept.stopped_after)} {head}"
    if kept.record is not None:
        lines.append(f"Settings: {kept.record.design_in_words}.")
    return "\n".join([head, *lines])


def _stop_in_words(kept: KeptCrossValidation, folds: int) -> str:
    """Return after how many folds a cross-validation was stopped, and how to continue."""
    if kept.record is None:
        return f"Stopped after {counted(folds, 'fold')}; the other labelled cells are not tested."
    tests = kept.record.folds * kept.record.repeats
    return (
        f"Stopped after {folds} of {tests} folds; the other labelled cells are not tested. Cross-validate again with "
        "the settings below to continue; if cells, labels or encoder have changed, all folds are tested anew."
    )
