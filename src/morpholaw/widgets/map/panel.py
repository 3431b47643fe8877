"""The Map of cells panel: cells as points over two features, to look at, select and label."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QFormLayout, QLabel

from morpholaw.errors import InputError
from morpholaw.figures.palette import ByClass, ByValue, class_colours
from morpholaw.widgets.forms.narrow_inputs import list_choices, narrow_combo
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.map.features import (
    MOST_CELLS,
    NO_UMAP,
    UMAP_AXES,
    Features,
    embed,
    has_umap,
    read_latents,
    read_shapes,
    umap_source,
)
from morpholaw.widgets.pictures.cell_picture import CellPicture
from morpholaw.widgets.study.cell_facts import CellFacts
from morpholaw.widgets.study.cell_scorer import CellScorer
from morpholaw.widgets.study.label_selected import LabelSelected
from morpholaw.widgets.study.study_widget import StudyWidget

NO_CELLS = (
    "The cells of the study appear here as points. Cut crops from a tracked movie in the Cells panel first."
)
READING = "Reading the features of the cells..."
CLASS, PREDICTED, SCORE, MOVIE, FRAME = "class", "predicted class", "score", "movie", "frame"


class MapWidget(StudyWidget):
    """Panel that plots cells over two features: latents, shapes, principal components of either, or UMAP.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    features : Features or None
        The features read so far.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer)
        self.features: Features | None = None
        self.facts = CellFacts(self.current)
        self.latent_call, self.shape_call, self.umap_call = (LatestCall(self) for _ in range(3))
        self._build()
        self._connect()
        self.reload()

    def _build(self) -> None:
        self.across, self.up, self.colour = (narrow_combo(name) for name in ("x", "y", "colour"))
        self.across.setToolTip("Choose the feature on the horizontal axis.")
        self.up.setToolTip("Choose the feature on the vertical axis.")
        self.colour.setToolTip("Choose what the colour of a point means.")
        rows = QFormLayout()
        for name, box in (("x axis", self.across), ("y axis", self.up), ("Colour", self.colour)):
            rows.addRow(name, box)
        self.map = CellPicture(self.viewer, NO_CELLS, self.facts.picture, self.facts.lines)
        self.map.setToolTip(
            "Point at a cell to see its crop, click it to select it, or draw a line around several; Shift adds to the "
            "selection. The wheel and the keys + and - zoom, a double click or Home shows all cells again, and the "
            "arrow keys move from cell to cell."
        )
        self.caption = QLabel()
        self.caption.setWordWrap(True)
        self.labels = LabelSelected(self.current, self.map)
        self.scorer = CellScorer(self.current)
        self.body.addLayout(rows)
        for part in (self.map, self.caption, self.labels, self.scorer):
            self.body.addWidget(part)
        self.body.addStretch(1)

    def _connect(self) -> None:
        for box in (self.across, self.up):
            box.activated.connect(self._axis_chosen)
        self.colour.activated.connect(self._colour_chosen)
        self.map.chosen.connect(self.current.select)
        for call in (self.latent_call, self.umap_call):
            call.failed.connect(self._failed)
        self.latent_call.returned.connect(self._take_latents)
        self.shape_call.returned.connect(self._take)
        self.shape_call.failed.connect(self._failed)
        self.umap_call.returned.connect(self._take)
        current = self.current
        for signal in (
            current.changed,
            current.crops_changed,
            current.encoder_changed,
            current.names_changed,
        ):
            self.listen(signal, self.reload)
        for signal in (current.labels_changed, current.scores_changed):
            self.listen(signal, self._recolour)
        self.listen(current.selection_changed, self._selected)

    def reload(self) -> None:
        """Read the features of the study's cells."""
        for call in (self.latent_call, self.shape_call, self.umap_call):
            call.forget()
        self.features = None
        self.labels.refresh()
        for box in (self.across, self.up):
            box.clear()
        study = self.current.study
        for box in (self.across, self.up, self.colour):
            box.setEnabled(self.current.crops is not None)
        if study is None or self.current.crops is None:
            self.map.say(self.current.or_no_study(NO_CELLS))
            self.caption.clear()
            return
        self.map.say(READING)
        self.latent_call.start(self.current.live.call, read_latents, str(study.path))

    def _take_latents(self, features: Features) -> None:
        self._take(features)
        study = self.current.study
        if study is not None:
            without = not features.columns
            self.shape_call.start(self.current.live.call, read_shapes, str(study.path), without)

    def _take(self, features: Features) -> None:
        crops = self.current.crops
        if crops is None or (len(features.cells) and features.cells[-1] >= len(crops)):
            return
        before = {} if self.features is None else self.features.columns
        first = not before and bool(features.columns)
        self.features = Features(features.cells, {**before, **features.columns})
        names = [name for name in self.features.columns if name not in UMAP_AXES]
        if len(names) > 2:
            names = [*UMAP_AXES, *names]
        for place, box in enumerate((self.across, self.up)):
            chosen = box.currentText()
            box.clear()
            box.addItems(names)
            index = box.findText(chosen)
            default = next((k for k, name in enumerate(names) if name.startswith(f"PC {place + 1}")), place)
            box.setCurrentIndex(index if chosen and index >= 0 else default)
        if features.columns and (
            first or set(features.columns) & {self.across.currentText(), self.up.currentText()}
        ):
            self.draw()

    def _failed(self, sentence: str) -> None:
        self.error_line.say(sentence, notify=False)
        if self.map.drawing is None:
            self.map.say("The features of the cells could not be read.")

    def _axis_chosen(self, _: int) -> None:
        features = self.features
        wanted = {self.across.currentText(), self.up.currentText()}
        if features is None or not wanted & set(UMAP_AXES) or UMAP_AXES[0] in features.columns:
            self.draw()
        elif has_umap():
            self.map.say("Computing the UMAP... This takes about a minute for 5,000 cells.")
            self.umap_call.start(self.current.live.call, embed, umap_source(features), features.cells)
        else:
            self.map.say(NO_UMAP)

    def _colour_chosen(self, _: int) -> None:
        self.draw(keep_zoom=True)

    def _recolour(self) -> None:
        self.labels.refresh()
        if self.features is not None:
            self.draw(keep_zoom=True)

    def draw(self, keep_zoom: bool = False) -> None:
        """Draw the map of the chosen features."""
        features, names = self.features, (self.across.currentText(), self.up.currentText())
        self._list_colours()
        if features is None or not set(names) <= features.columns.keys():
            return
        points = np.column_stack([features.columns[name] for name in names])
        known = np.isfinite(points).all(axis=1)
        points, cells = points[known], features.cells[known]
        colouring = self._colouring(cells)

        def make(figsize: Any, theme: Any) -> Any:
            from morpholaw.figures.cell_map import cell_map

            return cell_map(points, names, colouring, theme=theme, figsize=figsize)

        self.map.draw_cells(make, points, cells, keep_zoom)
        self.map.select(self.current.selection)
        self._say(len(points))

    def _list_colours(self) -> None:
        scores = self.current.last_scores
        names = [CLASS, *([PREDICTED, SCORE] if scores is not None else []), MOVIE]
        crops = self.current.crops
        if crops is not None and (crops.cells["t"] >= 0).any():
            names.append(FRAME)
        list_choices(self.colour, names)

    def _colouring(self, cells: np.ndarray) -> ByClass | ByValue:
        """Return the classes or values that colour the points."""
        current, by = self.current, self.colour.currentText()
        study, crops, scores = current.study, current.crops, current.last_scores
        if study is None or crops is None:
            raise InputError(NO_CELLS)
        if by == SCORE and scores is not None:
            return ByValue(scores.scores[cells], "score", signed=scores.classifier.two_classes)
        if by == FRAME:
            frames = crops.cells["t"].to_numpy(np.float64)[cells]
            return ByValue(np.where(frames < 0, np.nan, frames), "frame")
        if by == MOVIE:
            movies = crops.cells["set"].to_numpy(object)[cells]
            return ByClass(movies, class_colours([crop_set.name for crop_set in crops.sets]))
        labels = scores.predicted[cells] if by == PREDICTED and scores is not None else current.labels[cells]
        return ByClass(labels, study.class_colours())

    def _selected(self, cells: list[int]) -> None:
        self.map.select(cells)
        if self.map.drawing is not None:
            self._say(len(self.map.cells))

    def _say(self, shown: int) -> None:
        crops = self.current.crops
        if crops is None:
            return
        lines = [
            f"Each point is a cell; cells nearby look alike. {shown:,} of {len(crops):,} cells are shown"
        ]
        if len(crops) > MOST_CELLS:
            lines.append(", evenly spaced")
        lines.append(f"; {len(self.current.selection):,} selected.")
        scores = self.current.last_scores
        if self.colour.currentText() == SCORE and scores is not None:
            lines.append(f" The score is that of {scores.classifier.label}; white is the boundary.")
        if len(self.current.selection) > 1:
            lines.append(" Press a class below, or its key, to label them.")
        self.caption.setText("".join(lines))
