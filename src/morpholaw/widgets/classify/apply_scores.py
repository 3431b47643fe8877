"""Form that scores the cells of a movie with the chosen classifier and shows the scores in the viewer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Points, Tracks
from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from morpholaw.errors import InputError, MorpholawError
from morpholaw.figures.palette import class_colours
from morpholaw.jobs import Job
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.widgets.classify.score_layers import score_labels, score_points, score_tracks
from morpholaw.widgets.classify.score_plot import EMPTY, ScoredTrack, ScorePlot, division_frames
from morpholaw.widgets.classify.score_words import cell_counts, changed_by_tracks, scheme_name, unusual_share
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.layer_choice import LayerChoice
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.jobs.step_events import Files
from morpholaw.widgets.movie.layer_sources import (
    layers_code,
    movie_array,
    movie_path,
    tracks_table,
    write_sources,
)
from morpholaw.widgets.movie.movie_clicks import MovieClicks, nearest_cell
from morpholaw.widgets.movie.movie_place import is_cut_from
from morpholaw.widgets.study.cell_scores import CellScores
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd

LAYERS = "the layers below"
"""The choice that cuts cells from the chosen layers instead of using a crop set."""
_TO_EXPORT = "Press Export scores... to save the scores as a table."


class ApplyScores(QWidget):
    """Form that scores cells, shows the scores on layers and over time, and saves them as CSV.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie.
    current : CurrentStudy
        The study whose crops and classifiers are used.
    runner : JobRunner
        Runs the scoring.

    Attributes
    ----------
    classifier : ClassifierRecord or None
        The classifier to apply.
    table : DataFrame or None
        The scores of the last run: track_id, t, y, x, score, class, ...

    Notes
    -----
    ``scored`` is emitted after a run.
    """

    scored = Signal()

    def __init__(self, viewer: Any, current: CurrentStudy, runner: JobRunner) -> None:
        super().__init__()
        self.viewer, self.current, self.runner = viewer, current, runner
        self.classifier: ClassifierRecord | None = None
        self.table: pd.DataFrame | None = None
        self.divisions: dict[int, list[int]] = {}
        self._running: ClassifierRecord | None = None
        self._shown: ClassifierRecord | None = None
        self._tracks: pd.DataFrame | None = None
        self._why_not = self._set = ""
        self._points: Points | None = None
        self._build()
        self.choose(None)
        self.clicks = MovieClicks(viewer, self.clicked)
        runner.finished.connect(self._finished)
        runner.failed.connect(self._failed)

    def _build(self) -> None:
        self.cells = QComboBox()
        self.cells.setToolTip(
            "Choose which cells to score: those of a crop set, or cells that are cut from the layers below."
        )
        self.image = LayerChoice(self.viewer, Image)
        self.tracks = LayerChoice(self.viewer, Tracks)
        self.labels = LayerChoice(self.viewer, Labels)
        self.image.setToolTip("Choose the image layer with the movie.")
        self.tracks.setToolTip(
            "Choose the tracks layer that gets score and class as features and is coloured by them. Cells are matched "
            "by track and frame."
        )
        self.labels.setToolTip(
            "Choose the labels layer that gets score and class as features; its values must be track ids."
        )
        self.along = QCheckBox("Use whole tracks")
        self.along.setToolTip(
            "Predict classes along whole tracks: metaphase ends in a division, and a newborn daughter is not in "
            "metaphase. With more than two classes, stages follow each other in the order set by the command "
            "'morpholaw classes' or learnt from labelled tracks. Without a tick, each frame is classified by its own "
            "score."
        )
        self.along.setChecked(True)
        self.share = QDoubleSpinBox()
        self.share.setRange(0.0, 99.9)
        self.share.setDecimals(1)
        self.share.setSuffix(" %")
        self.share.setSpecialValueText("50 % (assumed)")
        self.share.setToolTip(
            "Set which share of the cells is in this class, if you know it; probabilities are computed for it. If it "
            "is not known, both classes are assumed to be equally frequent. Along whole tracks, the shares are learnt "
            "from the movie instead."
        )
        self.share_label = QLabel()
        self.points = QCheckBox("Add points coloured by class")
        self.points.setToolTip("Add a points layer with one point per cell, coloured by predicted class.")
        self.points.setChecked(True)
        self.paint = QCheckBox("Colour labels by class")
        self.paint.setToolTip("Colour each label by the predicted class of its track.")
        self.apply_button = QPushButton()
        self.apply_button.setToolTip("Score the cells with the classifier selected in the table above.")
        self.export_button = QPushButton("Export scores...")
        self.export_button.setToolTip("Save the scores of the last run as a CSV file.")
        self.export_button.setEnabled(False)
        self.error_line = ErrorLine()
        self.unusual = QLabel()
        self.unusual.setWordWrap(True)
        self.unusual.setToolTip("The column unusual of the exported table marks these cells.")
        self.unusual.hide()
        self.plot = ScorePlot(self.viewer, self.current, self._frame)
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field in (
            ("Cells of", self.cells), ("Image", self.image), ("Tracks", self.tracks), ("Labels", self.labels)
        ):  # fmt: skip
            rows.addRow(name, field)
        rows.addRow(self.share_label, self.share)
        buttons = QHBoxLayout()
        buttons.addWidget(self.apply_button)
        buttons.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        for part in (self.along, self.points, self.paint):
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.unusual)
        layout.addWidget(self.error_line)
        layout.addWidget(self.plot)
        self.apply_button.clicked.connect(self.apply)
        self.export_button.clicked.connect(self._ask_export)

    def choose(self, classifier: ClassifierRecord | None) -> None:
        """Choose the classifier to apply."""
        self.classifier = classifier
        self.apply_button.setText("Apply" if classifier is None else f"Apply {scheme_name(classifier)}")
        pair = classifier is not None and classifier.two_classes
        self.share.setVisible(pair)
        self.share_label.setVisible(pair)
        if classifier is not None and pair:
            self.share_label.setText(f"Share of {classifier.positive}")

    def refresh_layers(self, *_: Any) -> None:
        """List the layers of the viewer."""
        for choice in (self.image, self.tracks, self.labels):
            choice.refresh()

    def refresh_cells(self) -> None:
        """List the crop sets of the study, those cut from movies first."""
        # if the layers were the only choice, the user did not choose them
        before = self.cells.currentText() if self.cells.count() > 1 else ""
        self.cells.clear()
        if self.current.study is not None:
            # sets cut from movies come first, because scores of others cannot be shown in the viewer
            sets = sorted(self.current.study.sets, key=lambda crop_set: crop_set.record.kind != "movie")
            self.cells.addItems([crop_set.name for crop_set in sets])
        self.cells.addItem(LAYERS)
        self.cells.setCurrentIndex(max(0, self.cells.findText(before)))

    def forget(self) -> None:
        """Forget the last scores, because another study is open or its crops have changed."""
        self.table = self._shown = self._tracks = self._points = None
        self.divisions, self._why_not, self._set = {}, "", ""
        self.export_button.setEnabled(False)
        self.unusual.hide()
        self.plot.say(EMPTY)

    def apply(self) -> None:
        """Score the cells with the chosen classifier, in a child process."""
        with self.error_line.catch():
            study = self.current.required()
            chosen = self.classifier
            if chosen is None:
                raise InputError(
                    "There is no classifier to apply; train one first and select it in the table."
                )
            along: bool | None = self.along.isChecked()
            if along and not chosen.two_classes:
                along = None  # along tracks if the order of the stages is known
            arguments: dict[str, Any] = {"scheme": chosen.name, "along_tracks": along}
            if chosen.two_classes and self.share.value():
                arguments["prevalence"] = round(self.share.value() / 100, 4)
            files, code = None, ""
            if self.cells.currentText() == LAYERS:
                files, self._why_not, self._set = self._from_layers(), "", ""
                tracks = self.tracks.layer or self.labels.layer
                code = layers_code(study.path, "classify", self.image.layer, tracks, arguments)
            else:
                crops = study.crop_set(self.cells.currentText())
                arguments["crops"], self._tracks = str(crops.folder), crops.cells
                self._set = crops.name
                self._why_not = self._not_of_movie(crops)
            self._running = chosen
            job = Job("classify", str(study.path), {}, arguments)
            self.runner.start(job, table=True, files=files, python=code, name=f"apply {scheme_name(chosen)}")

    def _not_of_movie(self, crops: Any) -> str:
        """Say why the scores of a set cannot be shown on the chosen layers; "" if they can.

        Track numbers of another movie would match by chance.
        """
        if crops.record.movie is None:
            return f"The crops {crops.name!r} were not cut from a movie, so no layer shows their scores. {_TO_EXPORT}"
        if self.image.layer is not None and not is_cut_from(crops, self.image.layer):
            return (
                f"The crops {crops.name!r} were cut from the movie {crops.record.movie.name!r}, not from "
                f"{self.image.layer.name!r}, so no layer shows their scores. {_TO_EXPORT}"
            )
        return ""

    def _from_layers(self) -> Files:
        image = self.image.layer
        movie = movie_array(image)
        tracks = self.tracks.layer or self.labels.layer
        self._tracks = tracks_table(tracks, image)
        return partial(write_sources, movie_path(image) or movie, self._tracks)

    def _failed(self, _: str) -> None:
        self._running = None

    def _finished(self, result: dict[str, Any]) -> None:
        classifier, self._running = self._running, None
        if classifier is None or result.get("table") is None or result.get("complete") is False:
            return
        self.table = result["table"]
        self.divisions = division_frames(self._tracks)
        self.export_button.setEnabled(True)
        self.show_scores(classifier)
        self._share(classifier)
        self.scored.emit()

    def _share(self, classifier: ClassifierRecord) -> None:
        """Share the scores with all panels if they are of crops of the study."""
        crops = self.current.crops
        if self._set and crops is not None and self.table is not None:
            scores = CellScores.of_table(classifier, self.table, crops, self._set)
            if scores is not None:
                self.current.add_scores(scores)

    def show_cell(self, cell: int) -> None:
        """Plot the score over time of a cell selected in any panel, if its set was scored."""
        crops = self.current.crops
        if crops is None or self.table is None or not self._set or cell >= len(crops):
            return
        row = crops.cells.iloc[cell]
        if row["set"] == self._set and row["track_id"] >= 0:
            self.show_track(int(row["track_id"]))

    def show_scores(self, classifier: ClassifierRecord) -> None:
        """Write the last scores to the chosen layers; report layers that do not fit below the buttons."""
        table = self.table
        if table is None:
            return
        self._shown = classifier
        complaints, written = [], []
        if self._why_not:
            complaints.append(self._why_not)
        else:
            for write in self._writers(classifier, table):
                try:
                    written.append(write())
                except MorpholawError as error:
                    complaints.append(str(error))
        self.error_line.say(" ".join(complaints))
        self.unusual.setText(unusual_share(table))
        self.unusual.setVisible(bool(self.unusual.text()))
        sentence = f"{classifier.label}: {cell_counts(table, classifier.classes)}{changed_by_tracks(table)}"
        show_info(sentence + (f"; wrote {', '.join(written)}." if written else "."))

    def _writers(self, classifier: ClassifierRecord, table: pd.DataFrame) -> list[Callable[[], str]]:
        """Return functions that each write the scores to one layer and return what they wrote, in words."""
        classes = classifier.classes
        colours = self._colours(classes)
        tracks, labels = self.tracks.layer, self.labels.layer
        writers: list[Callable[[], str]] = []
        if tracks is not None:
            writers.append(lambda: f"{score_tracks(tracks, table, classes, colours):,} vertices")
        if labels is not None:
            painted = colours if self.paint.isChecked() else None
            writers.append(lambda: f"{score_labels(labels, table, classes, painted):,} labels")
        if self.points.isChecked() and self.viewer.layers:
            like, name = self.image.layer or tracks or labels, f"{classifier.label} scores"
            writers.append(lambda: self._add_points(table, classes, name, like, colours))
        return writers

    def _add_points(
        self, table: pd.DataFrame, classes: Sequence[str], name: str, like: Any, colours: dict[str, str]
    ) -> str:
        """Add the scored cells as points; points selected with napari's tool are selected in every panel."""
        points = score_points(self.viewer, table, classes, name, like, colours)
        start = self._start_of_set()
        if start is not None:
            placed = np.isfinite(table[["t", "y", "x"]].astype(np.float64).to_numpy()).all(axis=1)
            points.metadata["cells"] = start + np.flatnonzero(placed)
            points.selected_data.events.items_changed.connect(self._points_selected)
        self._points = points
        return f"{len(points.data):,} points"

    def _points_selected(self, *_: Any) -> None:
        points = self._points
        if points is not None and points.selected_data and len(points.data) == len(points.metadata["cells"]):
            self.current.select(points.metadata["cells"][sorted(points.selected_data)].tolist())

    def _colours(self, classes: Sequence[str]) -> dict[str, str]:
        study = self.current.study
        return class_colours(classes) if study is None else study.class_colours(classes)

    def clicked(self, position: np.ndarray) -> None:
        """Plot the score over time of the track at a clicked position."""
        if self.table is None or self._why_not:
            return
        layer = self.image.layer or self.tracks.layer or self.labels.layer
        row = nearest_cell(self.table, layer, position)
        if row is not None and self.table["track_id"].notna().iloc[row]:
            self.show_track(int(self.table["track_id"].iloc[row]))

    def show_track(self, track: int) -> None:
        """Plot the score of a track over time, with its divisions."""
        table, classifier = self.table, self._shown
        if table is None or classifier is None:
            return
        cells = table[table["track_id"] == track].sort_values("t")
        start = self._start_of_set()
        indices = np.empty(0, np.int64) if start is None else start + cells.index.to_numpy(np.int64)
        shown = ScoredTrack(track, cells, self.divisions.get(track, []), indices)
        self.plot.show_track(shown, classifier, self._colours(classifier.classes))

    def _start_of_set(self) -> int | None:
        """Return the global index of the first scored crop; None if the cells are not in the study."""
        crops = self.current.crops
        places = (
            []
            if crops is None
            else [k for k, crop_set in enumerate(crops.sets) if crop_set.name == self._set]
        )
        return int(crops.offsets[places[0]]) if crops is not None and places else None

    def _frame(self) -> float | None:
        """Return the frame of the chosen movie on display."""
        layer = self.image.layer
        if layer is None or layer.ndim < 3:
            return None
        return float(layer.world_to_data(self.viewer.dims.point)[-3])

    def export(self, path: Path | str) -> None:
        """Save the last scores as CSV."""
        from morpholaw.cells.files import write_table

        if self.table is None:
            return
        with self.error_line.catch():
            write_table(path, self.table)
            show_info(f"Wrote the scores of {len(self.table):,} cells to {path}.")

    def _ask_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export scores", "scores.csv", "CSV (*.csv)")
        if path:
            self.export(path)
