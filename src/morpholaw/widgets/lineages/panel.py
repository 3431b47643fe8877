"""The Lineages panel: families of tracked cells as trees, coloured by class or score and linked to the movie."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import QFormLayout, QLabel

from morpholaw.display import number
from morpholaw.figures.palette import ByClass, ByValue
from morpholaw.widgets.forms.narrow_inputs import list_choices, narrow_combo
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.lineages.families import MOST_CELLS, Families, families
from morpholaw.widgets.lineages.tracks_by_class import TracksByClass
from morpholaw.widgets.pictures.cell_picture import CellPicture
from morpholaw.widgets.study.cell_facts import CellFacts
from morpholaw.widgets.study.cell_scorer import CellScorer
from morpholaw.widgets.study.study_widget import StudyWidget

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops
    from morpholaw.evaluation.lineages import Lineages
    from morpholaw.figures.lineage_tree import Tree

NO_TRACKS = (
    "Families of cells appear here as trees. They need crops that were cut from a movie with tracks; cut them in the "
    "Cells panel."
)
NOT_TRACKED = "The selected cell has no track. Select another one, or show the largest families."
SELECT = "Select a cell, in the movie or in any panel, to see its family."
LARGEST, SELECTED = "largest families", "family of the selected cell"
CLASS, PREDICTED, SCORE = "class", "predicted class", "score"


class LineagesWidget(StudyWidget):
    """Panel that draws families of tracked cells; clicking a cell in a frame selects it in every panel.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    shown : Families or None
        The families on display.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.shown: Families | None = None
        self.lineages: Lineages | None = None
        self.facts = CellFacts(self.current)
        self.call = LatestCall(self)
        self.show_box, self.colour = narrow_combo("families"), narrow_combo("colour")
        self.show_box.addItems([LARGEST, SELECTED])
        self.show_box.setToolTip("Choose which families to draw.")
        self.colour.setToolTip("Choose what the colour of a cell in a frame means.")
        rows = QFormLayout()
        rows.addRow("Show", self.show_box)
        rows.addRow("Colour", self.colour)
        self.tree = CellPicture(self.viewer, NO_TRACKS, self.facts.picture, self.facts.lines)
        self.tree.setToolTip(
            "Point at a line to see the cell in that frame, and click it to go there in the movie. The wheel zooms, "
            "and a double click shows everything again. The arrow keys move from cell to cell."
        )
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.tracks = TracksByClass(self.viewer)
        self.scorer = CellScorer(self.current)
        self.body.addLayout(rows)
        for part in (self.tree, self.caption, self.tracks, self.scorer):
            self.body.addWidget(part)
        self.body.addStretch(1)
        self.show_box.activated.connect(self._families_chosen)
        self.colour.activated.connect(self._colour_chosen)
        self.tree.chosen.connect(self.current.select)
        self.call.returned.connect(self._take)
        self.call.failed.connect(self._failed)
        current = self.current
        for signal in (current.changed, current.crops_changed):
            self.listen(signal, self.reload)
        for signal in (current.labels_changed, current.scores_changed):
            self.listen(signal, self._recolour)
        self.listen(current.selection_changed, self._selected)
        self.listen(self.viewer.layers.events.inserted, self._show_tracks)
        self.reload()

    def reload(self) -> None:
        """Find the families of the study's cells, in a thread."""
        self.call.forget()
        self.lineages = self.shown = None
        self.caption.clear()
        self.tree.say(self.current.or_no_study(NO_TRACKS))
        self._list_colours()
        self._show_tracks()
        crops = self.current.crops
        if crops is None or not (crops.cells["track_id"] >= 0).any():
            return
        self.tree.say("Following the tracks...")
        self.call.start(_follow, crops)

    def _take(self, lineages: Lineages) -> None:
        self.lineages = lineages
        self.draw()

    def _failed(self, sentence: str) -> None:
        self.tree.say(sentence)

    def _families_chosen(self, _: int) -> None:
        self.draw()

    def _colour_chosen(self, _: int) -> None:
        self._recolour()

    def _recolour(self) -> None:
        self.draw(keep_zoom=True)
        self._show_tracks()

    def _show_tracks(self, _: Any = None) -> None:
        study = self.current.study
        classes = () if study is None else study.classes
        self.tracks.show_classes(self.current.crops, self._classes_of_cells(), classes)

    def _classes_of_cells(self) -> np.ndarray:
        """Return the class of each crop: the predicted one if the colours are those of a classifier, else its label."""
        scores = self.current.last_scores
        if scores is not None and self.colour.currentText() in (PREDICTED, SCORE):
            return scores.predicted
        return self.current.labels

    def draw(self, keep_zoom: bool = False) -> None:
        """Draw the chosen families."""
        self._list_colours()
        if self.lineages is None:
            return
        selected, of_selected = self.current.selection, self.show_box.currentText() == SELECTED
        if of_selected and not selected:
            self.shown = None
            self.tree.say(SELECT)
            self.caption.clear()
            return
        shown = families(self.lineages, selected[0] if of_selected else None)
        if shown is None:
            self.shown = None
            self.tree.say(NOT_TRACKED)
            self.caption.clear()
            return
        self.shown = shown
        colouring, tree = self._colouring(shown.images), shown.tree
        if isinstance(colouring, ByValue):
            tree = replace(tree, names=_with_scores(tree, colouring.values))

        def make(figsize: Any, theme: Any) -> Any:
            from morpholaw.figures.lineage_tree import lineage_tree

            return lineage_tree(tree, colouring, theme=theme, figsize=figsize)

        self.tree.draw_cells(make, shown.points, shown.images, keep_zoom)
        self.tree.select(selected)
        self._say(shown, of_selected)

    def _list_colours(self) -> None:
        scored = self.current.last_scores is not None
        list_choices(self.colour, [CLASS, *([PREDICTED, SCORE] if scored else [])])

    def _colouring(self, images: np.ndarray) -> ByClass | ByValue:
        """Return the classes or scores that colour the images."""
        study, scores, by = self.current.study, self.current.last_scores, self.colour.currentText()
        colours = {} if study is None else study.class_colours()
        if by == SCORE and scores is not None:
            return ByValue(scores.scores[images], "score", signed=True)
        return ByClass(self._classes_of_cells()[images], colours)

    def _selected(self, cells: list[int]) -> None:
        shown = self.shown
        outside = bool(cells) and (shown is None or cells[0] not in shown.images)
        if self.lineages is not None and self.show_box.currentText() == SELECTED and outside:
            self.draw()
        else:
            self.tree.select(cells)

    def _say(self, shown: Families, of_selected: bool) -> None:
        cells = len(shown.tree.names)
        divided = int((np.bincount(shown.tree.mother[shown.tree.mother >= 0], minlength=cells) > 1).sum())
        counts = f"{cells} cell{'s' * (cells != 1)}, {divided} division{'s' * (divided != 1)}"
        lines = [f"Each line is a cell over time; where it forks, the cell divides. {counts}."]
        if not of_selected:
            have = "family has" if shown.count == 1 else "families have"
            lines.append(f" {shown.count:,} {have} a division; at most {MOST_CELLS} cells are drawn.")
        scores = self.current.last_scores
        if self.colour.currentText() == SCORE and scores is not None:
            lines.append(
                f" Each line has its track number and the median score of {scores.classifier.label}."
            )
        self.caption.setText("".join(lines))


def _follow(crops: Crops) -> Lineages:
    """Return the families of the tracked crops; call it in a thread."""
    import_module("morpholaw.figures.lineage_tree")  # matplotlib would block the window for 0.4 s
    from morpholaw.evaluation.lineages import follow_cells

    return follow_cells(crops.cells.rename(columns={"set": "movie"}).assign(**{"class": ""}))


def _with_scores(tree: Tree, scores: np.ndarray) -> list[str]:
    """Return the names of the cells, each followed by its median score."""
    names = []
    for cell, name in enumerate(tree.names):
        some = scores[tree.cell == cell]
        some = some[np.isfinite(some)]
        names.append(f"{name}: {number(float(np.median(some)), 1, sign=True)}" if len(some) else name)
    return names
