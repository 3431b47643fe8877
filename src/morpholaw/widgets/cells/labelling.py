"""Gallery of the study's crops, with filters, orders and class buttons."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.display import number as number_text
from morpholaw.errors import InputError
from morpholaw.escape import one_line
from morpholaw.widgets.cells.gallery import Gallery
from morpholaw.widgets.cells.orders import ORDERS, SCORED, arranged, next_on_track, next_unlabelled, stretch
from morpholaw.widgets.cells.set_menu import SetMenu
from morpholaw.widgets.cells.wanted_scores import WantedScores
from morpholaw.widgets.forms.class_buttons import ClassButtons
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.narrow_inputs import list_choices, narrow_combo
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.study.cell_scores import MISLABELLED
from morpholaw.widgets.study.class_editor import ClassEditor
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd


ALL_SETS, ALL_CLASSES, UNLABELLED = "all sets", "all classes", "unlabelled"
NO_CROPS = "The cells appear here. Cut crops from a tracked movie, or import a folder of crops, above."
NONE_CHOSEN = "No crop in this set has this class; choose another set or class above."
NO_CLASS_COLOUR = "#aaaaaa"
"""Colour of a label that is not a class of the study."""


class Labelling(QWidget):
    """Gallery with filters, class buttons and counts; each label is saved at once.

    Parameters
    ----------
    current : CurrentStudy
        The study whose crops are shown.
    runner : JobRunner
        Scores the cells for the order "least sure first".

    Attributes
    ----------
    labels : ndarray, object (crops,)
        Class of each crop of the study, "" if it has none.
    cells : DataFrame or None
        Table of all crops of the study.

    Notes
    -----
    ``shown`` is emitted after the gallery shows other crops or another order.
    """

    shown = Signal()

    def __init__(self, current: CurrentStudy, runner: JobRunner) -> None:
        super().__init__()
        self.current, self.runner = current, runner
        self.labels = np.empty(0, object)
        self.cells: pd.DataFrame | None = None
        self._labelling = self._on_track = False
        self._colours: dict[str, str] = {}
        self._build()

    def _build(self) -> None:
        self.sets, self.classes = narrow_combo("set"), narrow_combo("class")
        self.sets.setToolTip("Show the crops of one set only.")
        self.classes.setToolTip(
            "Show the crops of one class only, or the labelled crops that may be mislabelled because a trained "
            "classifier predicts another class."
        )
        self.order = narrow_combo("order")
        self.order.addItems(list(ORDERS))
        self.order.setToolTip(
            "Choose the order of the crops. "
            + " ".join(f"{name[0].upper()}{name[1:]}: {meaning}." for name, meaning in ORDERS.items())
        )
        self.next_button, self.stretch_button = QPushButton("Next unlabelled"), QPushButton("Select track")
        self.next_button.setToolTip(
            "Select the next cell without a class, in the order of the gallery (key N)."
        )
        self.stretch_button.setToolTip(
            "Select the whole track of the selected cell; if two cells of a track are selected, all cells between them "
            "(key S)."
        )
        self.gallery = Gallery(self._colour)
        self.gallery.crop_model.label_of = lambda crop: str(self.labels[crop])
        self.gallery.crop_model.about = self._about
        self.gallery.crop_model.note_of = self._note
        self.buttons = ClassButtons()
        self.error_line = ErrorLine()
        self.set_menu = SetMenu(self.current, lambda: self.chosen_set, self.error_line)
        self.set_menu.renamed.connect(self._show_set)
        self.wanted_scores = WantedScores(self.current, self.runner, self.error_line)
        self.wanted_scores.scored.connect(self._select_first)
        self.wanted_scores.missing.connect(self._show_without_scores)
        self.hint = QLabel(
            "Keys: 1–9 label, 0 clear, N next unlabelled, S track, Ctrl+Z undo. After a click in the movie, each "
            "label moves on to the cell's next frame."
        )
        self.hint.setWordWrap(True)
        shown, order, selecting = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        selecting.addWidget(self.next_button)
        selecting.addWidget(self.stretch_button)
        shown.addWidget(QLabel("Show"))
        shown.addWidget(self.sets, 1)
        shown.addWidget(self.classes, 1)
        order.addWidget(QLabel("Order"))
        order.addWidget(self.order, 1)
        order.addWidget(self.set_menu)
        for choice in (self.sets, self.classes, self.order):
            choice.activated.connect(self._filter_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(shown)
        layout.addLayout(order)
        layout.addWidget(self.gallery, 1)
        layout.addLayout(selecting)
        for part in (self.buttons, self.hint, self.error_line):
            layout.addWidget(part)
        self.buttons.pressed.connect(self.label_selected)
        self.buttons.added.connect(self.add_class)
        self.editor = ClassEditor(self.current, self.error_line, self)
        self.buttons.menu_wanted.connect(self.editor.show_menu)
        self.gallery.numbered.connect(self.label_selected)
        self.gallery.undo.connect(lambda: self._step("undo"))
        self.gallery.redo.connect(lambda: self._step("redo"))
        self.gallery.chosen.connect(self._choose)
        self.gallery.next_wanted.connect(self.select_next_unlabelled)
        self.gallery.stretch_wanted.connect(self.select_stretch)
        self.next_button.clicked.connect(self.select_next_unlabelled)
        self.stretch_button.clicked.connect(self.select_stretch)

    def refresh(self) -> None:
        """Show the crops of the study, in the order in which they were cut."""
        crops = self.current.crops
        self.cells = None if crops is None else crops.cells
        names = [] if crops is None else [crop_set.name for crop_set in crops.sets]
        list_choices(self.sets, [ALL_SETS, *names])
        self.order.setCurrentIndex(0)
        self.refresh_labels()

    def refresh_labels(self) -> None:
        """Read the labels again after another panel or a file changed them."""
        if self._labelling:
            return
        study, crops = self.current.study, self.current.crops
        if study is None or crops is None:
            self.labels = np.empty(0, object)
        else:
            self.labels = np.concatenate([study.annotations.labels_for(crop_set) for crop_set in crops.sets])
        self._show_counts()
        list_choices(self.classes, [ALL_CLASSES, UNLABELLED, MISLABELLED, *self.buttons.classes])
        self.apply_filter()

    def apply_filter(self) -> None:
        """Show the crops of the chosen set and class in the chosen order."""
        crops, cells = self.current.crops, self.cells
        self.gallery.sentence = NONE_CHOSEN if crops is not None else self.current.or_no_study(NO_CROPS)
        if crops is None or cells is None:
            self.gallery.crop_model.show_crops(None, np.empty(0))
            return
        chosen = np.ones(len(crops), bool)
        if self.chosen_set:
            chosen &= (cells["set"] == self.chosen_set).to_numpy()
        name, scores = self.classes.currentText(), self.current.last_scores
        if name == MISLABELLED:
            chosen &= False if scores is None else scores.contradicts(self.labels)
        elif name != ALL_CLASSES:
            chosen &= self.labels == ("" if name == UNLABELLED else name)
        order = arranged(
            self.order.currentText(), np.flatnonzero(chosen), cells, list(self.current.scores.values())
        )
        self.gallery.show_notes(scores is not None)
        self.gallery.crop_model.show_crops(crops, order)
        self.gallery.select(self.current.selection)
        self.shown.emit()

    @property
    def chosen_set(self) -> str:
        """The set whose crops are shown; "" for all sets."""
        return self.sets.currentText() if self.sets.currentIndex() > 0 else ""

    def _show_set(self, name: str) -> None:
        self.sets.setCurrentIndex(max(0, self.sets.findText(name)))
        self.apply_filter()

    def _show_counts(self) -> None:
        study = self.current.study
        names = [] if study is None else list(study.classes)
        counts = Counter(self.labels.tolist())
        self._colours = self.current.class_colours()
        self.buttons.show_counts({name: counts[name] for name in names}, len(self.labels), self._colours)

    def _colour(self, name: str) -> str:
        return self._colours.get(name, NO_CLASS_COLOUR)

    def _about(self, crop: int) -> str:
        """Describe a crop in a tooltip: its set, its place in the movie or its file, and its class."""
        if self.cells is None:
            return ""
        cell = self.cells.iloc[crop]
        lines = [f"Crop {cell.crop} of the set {cell['set']}."]
        if cell.t >= 0:
            lines.append(f"Track {cell.track_id}, frame {cell.t}, y {cell.y:.0f} px, x {cell.x:.0f} px.")
        if cell.file:
            lines.append(f"File {cell.file}.")
        lines.append(f"Class: {self.labels[crop] or 'none'}{self._by(crop)}.")
        return "\n".join(lines)

    def _by(self, crop: int) -> str:
        """Say who labelled a crop by hand, and when; "" if nobody did."""
        study, annotation = self.current.study, None
        with suppress(InputError):  # if the study is missing or damaged, the panel says so elsewhere
            annotation = None if study is None else study.annotations.annotation(*self._key(crop))
        if annotation is None or not annotation.by:
            return ""
        return (
            f", given by {one_line(annotation.by)} on {one_line(annotation.at)[:16].replace('T', ' at ')} UTC"
        )

    def label_selected(self, number: int) -> None:
        """Label the selected cells with class ``number`` (from 1), or clear their label (0); go to the next cell."""
        selected = self.gallery.selected or self.current.selection
        with self.error_line.catch():
            study = self.current.required()
            if not selected:
                raise InputError("No cell is selected; click one in the gallery or in the movie first.")
            if number > len(self.buttons.classes):
                raise InputError(
                    f"There is no class {number}; the study has {len(self.buttons.classes)} classes."
                )
            name = self.buttons.classes[number - 1] if number else ""
            study.annotations.set_labels({self._key(crop): name for crop in selected})
            self._labelled(selected)
            if len(selected) == 1:
                self._advance(selected[0])

    def stay_on_track(self) -> None:
        """After the next label, go to the next frame of the cell's track instead of the next cell in the gallery."""
        self._on_track = True

    def _choose(self, cells: list[int]) -> None:
        self._on_track = False
        self.current.select(cells)

    def _advance(self, cell: int) -> None:
        next_cell = next_on_track(self._table(), cell) if self._on_track else None
        if next_cell is not None:
            self.current.select([next_cell])
        elif not self._on_track:
            self.gallery.advance()

    def select_next_unlabelled(self) -> None:
        """Select the next cell without a class, in the order of the gallery."""
        with self.error_line.catch():
            selected = self.gallery.selected
            order = self.gallery.crop_model.order
            cell = next_unlabelled(order, self.labels, selected[-1] if selected else None)
            if cell is None:
                raise InputError("Every cell in the gallery has a class.")
            self._choose([cell])
            self.gallery.setFocus()

    def select_stretch(self) -> None:
        """Select the whole track of the selected cell, or the part between two selected cells."""
        with self.error_line.catch():
            selected = self.current.selection
            if not selected:
                raise InputError("No cell is selected; click one in the gallery or in the movie first.")
            self._choose(stretch(self._table(), selected))
            self.gallery.setFocus()

    def add_class(self, name: str) -> None:
        """Add a class to the study; it gets the next number key."""
        with self.error_line.catch():
            self.current.required().add_class(name)
            self._show_counts()
            list_choices(self.classes, [ALL_CLASSES, UNLABELLED, MISLABELLED, *self.buttons.classes])
            self._announce()

    def _step(self, direction: Literal["undo", "redo"]) -> None:
        with self.error_line.catch():
            crops = self.current.step_labels(direction)
            if crops:
                self._labelled(crops)
                self.current.select(crops)

    def _labelled(self, crops: list[int]) -> None:
        cells = self._table()
        annotations = self.current.required().annotations
        for crop in crops:
            label = annotations.get(*self._key(crop))
            self.labels[crop] = cells["label"].iloc[crop] if label is None else label
        self.gallery.crop_model.changed(crops)
        self._show_counts()
        self._announce()

    def _announce(self) -> None:
        self._labelling = True
        self.current.labels_changed.emit()
        self._labelling = False

    def _key(self, crop: int) -> tuple[str, int]:
        """Return the set of a crop and the crop's number in that set."""
        cells = self._table()
        return str(cells["set"].iloc[crop]), int(cells["crop"].iloc[crop])

    def _table(self) -> pd.DataFrame:
        if self.cells is None:
            raise InputError("The study has no crops to label; cut or import some first.")
        return self.cells

    def _filter_chosen(self, _: int) -> None:
        wants_scores = self.order.currentText() in SCORED or self.classes.currentText() == MISLABELLED
        if wants_scores and self.current.last_scores is None:
            self.wanted_scores.ask()
        else:
            self.apply_filter()

    def _show_without_scores(self) -> None:
        """Go back to an order and a filter that need no scores."""
        self.order.setCurrentIndex(0)
        if self.classes.currentText() == MISLABELLED:
            self.classes.setCurrentIndex(0)
        self.apply_filter()

    def _note(self, crop: int) -> str:
        """Return the score and the predicted class of a crop for the line below it; "" if it was not scored."""
        scores = self.current.last_scores
        if scores is None or not np.isfinite(scores.scores[crop]):
            return ""
        return f"{number_text(float(scores.scores[crop]), 1, sign=True)} {scores.predicted[crop]}"

    def _select_first(self) -> None:
        if len(self.gallery.crop_model.order):
            self.current.select([int(self.gallery.crop_model.order[0])])
