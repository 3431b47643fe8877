"""The part of the cells panel that shows crops and labels them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.cells.class_buttons import ClassButtons
from morpholaw.widgets.cells.gallery import Gallery
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.narrow_combo import narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.pictures.class_colours import class_colours
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.saved_classifiers import SavedClassifier, saved_classifiers

if TYPE_CHECKING:
    import pandas as pd

ALL_SETS, ALL_CLASSES, UNLABELLED = "all sets", "all classes", "unlabelled"
AS_CUT, LEAST_SURE = "as cut", "ask me: least sure first"
_PREFERRED = (3, 2, 1, 4)  # the sparse head's scores are the paper's choice for looking into


class Labelling(QWidget):
    """A gallery with filters, class buttons and live counts; every label is saved at once.

    Parameters
    ----------
    current : CurrentStudy
        Whose crops are shown.
    runner : JobRunner
        Scores the cells for "ask me".

    Attributes
    ----------
    labels : ndarray, object (crops,)
        The class of every crop of the study, "" where none.
    """

    shown = Signal()

    def __init__(self, current: CurrentStudy, runner: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.current, self.runner = current, runner
        self.labels = np.empty(0, object)
        self.cells: pd.DataFrame | None = None
        self._sureness: np.ndarray | None = None
        self._asking = self._labelling = False
        self._colours: dict[str, str] = {}
        self._build()

    def _build(self) -> None:
        self.sets, self.classes, self.order = (
            narrow_combo("set"),
            narrow_combo("class"),
            narrow_combo("order"),
        )
        self.order.addItems([AS_CUT, LEAST_SURE])
        self.order.setToolTip(
            "Ask me: the cells whose median score over the models is nearest to the boundary come first."
        )
        self.gallery = Gallery(self._colour)
        self.gallery.crop_model.label_of = lambda crop: str(self.labels[crop])
        self.gallery.crop_model.about = self._about
        self.buttons = ClassButtons()
        self.error_line = ErrorLine()
        self.hint = QLabel("Keys: 1-9 label, 0 clears, Ctrl+Z undoes, arrows move.")
        self.hint.setWordWrap(True)
        row = QHBoxLayout()
        for choice in (self.sets, self.classes, self.order):
            row.addWidget(choice, 1)
            choice.activated.connect(self._filter_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.gallery, 1)
        for part in (self.buttons, self.hint, self.error_line):
            layout.addWidget(part)
        self.buttons.pressed.connect(self.label_selected)
        self.buttons.added.connect(self.add_class)
        self.gallery.numbered.connect(self.label_selected)
        self.gallery.undo.connect(lambda: self._step("undo"))
        self.gallery.redo.connect(lambda: self._step("redo"))
        self.gallery.chosen.connect(self.current.select)
        self.runner.finished.connect(self._scored)

    # ---- what is shown

    def refresh(self) -> None:
        """Show the study's crops as they are now."""
        crops = self.current.crops
        self._sureness = None
        self.cells = None if crops is None else crops.cells
        names = [] if crops is None else [crop_set.name for crop_set in crops.sets]
        _fill(self.sets, [ALL_SETS, *names])
        self.order.setCurrentIndex(0)
        self.refresh_labels()

    def refresh_labels(self) -> None:
        """Read the labels anew: another panel or a file changed them."""
        if self._labelling:
            return
        study, crops = self.current.study, self.current.crops
        labels = [] if crops is None else [study.annotations.labels_for(one) for one in crops.sets]
        self.labels = np.concatenate(labels) if labels else np.empty(0, object)
        self._show_counts()
        _fill(self.classes, [ALL_CLASSES, UNLABELLED, *self.buttons.classes])
        self.apply_filter()

    def apply_filter(self) -> None:
        """Show the crops of the chosen set and class in the chosen order."""
        crops = self.current.crops
        if crops is None:
            self.gallery.crop_model.show_crops(None, np.empty(0))
            return
        chosen = np.ones(len(crops), bool)
        if self.sets.currentIndex() > 0:
            chosen &= (self.cells["set"] == self.sets.currentText()).to_numpy()
        name = self.classes.currentText()
        if name != ALL_CLASSES:
            chosen &= self.labels == ("" if name == UNLABELLED else name)
        order = np.flatnonzero(chosen)
        if self.order.currentText() == LEAST_SURE and self._sureness is not None:
            order = order[np.argsort(self._sureness[order], kind="stable")]
        self.gallery.crop_model.show_crops(crops, order)
        self.gallery.select(self.current.selection)
        self.shown.emit()

    def _show_counts(self) -> None:
        study = self.current.study
        names = [] if study is None else list(study.classes)
        found, counts = np.unique(self.labels.astype(str), return_counts=True)
        number = dict(zip(found.tolist(), counts.tolist(), strict=True))
        self.buttons.show_counts({name: number.get(name, 0) for name in names}, len(self.labels))
        self._colours = dict(zip(names, class_colours(names), strict=True)) if names else {}

    def _colour(self, name: str) -> str:
        return self._colours.get(name, "#aaaaaa")

    def _about(self, crop: int) -> str:
        cell = self.cells.iloc[crop]
        place = (
            f"\ntrack {cell.track_id}, frame {cell.t}, y {cell.y:.0f}, x {cell.x:.0f}" if cell.t >= 0 else ""
        )
        return (
            f"{cell['set']} {cell.crop}{place}\n{cell.file}".rstrip() + f"\n{self.labels[crop] or 'no class'}"
        )

    # ---- labelling

    def label_selected(self, number: int) -> None:
        """Give the selected cells class ``number`` (from 1), or none (0), and go on to the next cell."""
        selected = self.gallery.selected
        with self.error_line.catch():
            study = self.current.required()
            if not selected:
                raise InputError("No cell is selected; click one in the gallery or in the movie first.")
            if number > len(self.buttons.classes):
                raise InputError(f"There is no class {number}; there are {len(self.buttons.classes)}.")
            name = self.buttons.classes[number - 1] if number else ""
            study.annotations.set_labels({self._key(crop): name for crop in selected})
            self._labelled(selected)
            if len(selected) == 1:
                self.gallery.advance()

    def add_class(self, name: str) -> None:
        """Declare a class, which gets the next key."""
        with self.error_line.catch():
            self.current.required().annotations.add_class(name)
            self._show_counts()
            _fill(self.classes, [ALL_CLASSES, UNLABELLED, *self.buttons.classes])
            self._announce()

    def _step(self, way: str) -> None:
        with self.error_line.catch():
            annotations = self.current.required().annotations
            touched = annotations.undo() if way == "undo" else annotations.redo()
            offsets = {one.name: start for one, start in self._starts()}
            crops = [offsets[name] + crop for name, crop in touched if name in offsets]
            if crops:
                self._labelled(crops)
                self.current.select(crops)

    def _labelled(self, crops: list[int]) -> None:
        annotations = self.current.study.annotations
        for crop in crops:
            given = annotations.get(*self._key(crop))
            self.labels[crop] = self.cells["label"].iloc[crop] if given is None else given
        self.gallery.crop_model.changed(crops)
        self._show_counts()
        self._announce()

    def _announce(self) -> None:
        self._labelling = True
        self.current.labels_changed.emit()
        self._labelling = False

    def _key(self, crop: int) -> tuple[str, int]:
        return str(self.cells["set"].iloc[crop]), int(self.cells["crop"].iloc[crop])

    def _starts(self) -> Any:
        crops = self.current.crops
        return [] if crops is None else zip(crops.sets, crops.offsets.tolist(), strict=False)

    # ---- ask me

    def _filter_chosen(self, _: int) -> None:
        if self.order.currentText() == LEAST_SURE and self._sureness is None:
            self.ask()
        else:
            self.apply_filter()

    def ask(self) -> None:
        """Score all cells in a child process, then show those first that the current model is least sure of."""
        with self.error_line.catch():
            study = self.current.required()
            best = self._model()
            if best is None:
                self.order.setCurrentIndex(0)
                raise InputError("There is no model to be unsure yet; train one in the Classify panel first.")
            self._asking = True
            job = Job("classify", str(study.path), {}, {"scheme": best.scheme, "loss": best.loss})
            self.runner.start(job, table=True, name="ask me")

    def forget_scores(self) -> None:
        """Score anew when asked again: the models changed."""
        self._sureness = None

    def _model(self) -> SavedClassifier | None:
        found = saved_classifiers(self.current.study, self.error_line.say)
        return min(found, key=lambda one: _PREFERRED.index(one.scheme), default=None)

    def _scored(self, result: dict[str, Any]) -> None:
        asking, self._asking = self._asking, False
        table = result.get("table")
        if not asking:
            return
        if table is None or self.cells is None or len(table) != len(self.cells):
            self.order.setCurrentIndex(0)
            return
        # a cell without a score is the least sure of all
        self._sureness = np.nan_to_num(np.abs(table["score"].to_numpy(np.float64)), nan=-1.0)
        self.apply_filter()
        if len(self.gallery.crop_model.order):
            self.current.select([int(self.gallery.crop_model.order[0])])


def _fill(box: Any, items: list[str]) -> None:
    before = box.currentText()
    if [box.itemText(index) for index in range(box.count())] == items:
        return
    box.blockSignals(True)
    box.clear()
    box.addItems(items)
    box.setCurrentIndex(max(0, box.findText(before)))
    box.blockSignals(False)
