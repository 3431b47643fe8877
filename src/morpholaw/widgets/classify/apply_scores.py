"""The part of the classify panel that scores a movie's cells and shows the scores in the viewer."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Tracks
from napari.utils.notifications import show_info
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from morpholaw.errors import InputError
from morpholaw.jobs import Job
from morpholaw.widgets.classify.score_layers import score_labels, score_points, score_tracks
from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.layer_choice import LayerChoice
from morpholaw.widgets.jobs.job_runner import JobRunner
from morpholaw.widgets.jobs.step_events import Files
from morpholaw.widgets.movie.layer_sources import (
    is_cut_from,
    movie_array,
    movie_path,
    tracks_table,
    write_sources,
)
from morpholaw.widgets.movie.movie_clicks import MovieClicks, nearest_cell
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.saved_classifiers import SavedClassifier

if TYPE_CHECKING:
    import pandas as pd

LAYERS = "the layers below"


class ApplyScores(QWidget):
    """Scores cells with the chosen classifier; shows them on layers, over time, and as CSV.

    Parameters
    ----------
    viewer : napari.Viewer
        Where the movie is.
    current : CurrentStudy
        Whose crops and classifiers are used.
    runner : JobRunner
        Runs the scoring.

    Attributes
    ----------
    table : DataFrame or None
        The scores of the last run: track_id, t, y, x, score, class, ...
    """

    scored = Signal()

    def __init__(
        self, viewer: Any, current: CurrentStudy, runner: JobRunner, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.viewer, self.current, self.runner = viewer, current, runner
        self.classifier: SavedClassifier | None = None
        self.table: pd.DataFrame | None = None
        self.divisions: dict[int, list[int]] = {}
        self._asked: SavedClassifier | None = None
        self._tracks: pd.DataFrame | None = None
        self._why_not = ""
        self._build()
        self.clicks = MovieClicks(viewer, self.clicked)
        runner.finished.connect(self._finished)

    def _build(self) -> None:
        self.cells = QComboBox()
        self.cells.setToolTip("Crops of the study, or cells that are cut from the layers on the way.")
        self.image = LayerChoice(self.viewer, Image)
        self.tracks = LayerChoice(self.viewer, Tracks)
        self.labels = LayerChoice(self.viewer, Labels)
        self.image.setToolTip("The movie that the cells are in.")
        self.tracks.setToolTip(
            "Gets score and class as features, matched by track and frame, and their colours."
        )
        self.labels.setToolTip("Gets one row a label; labels must be track ids.")
        self.points = QCheckBox("add a points layer coloured by class")
        self.points.setChecked(True)
        self.paint = QCheckBox("colour the labels by class")
        self.along = QCheckBox("call along whole tracks")
        self.along.setToolTip(
            "The order of the cell cycle has its say: a metaphase ends in a division and a newborn daughter is none. "
            "Unticked: each frame by the sign of its score alone."
        )
        self.along.setChecked(True)
        self.apply_button = QPushButton("Apply")
        self.export_button = QPushButton("Export CSV...")
        self.export_button.setEnabled(False)
        self.error_line = ErrorLine()
        self.plot = FigurePanel(
            self.viewer, "After Apply, click a cell in the movie to see its score over time."
        )
        rows = QFormLayout()
        rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for name, field in (
            ("cells of", self.cells), ("image", self.image), ("tracks", self.tracks), ("labels", self.labels)
        ):  # fmt: skip
            rows.addRow(name, field)
        buttons = QHBoxLayout()
        buttons.addWidget(self.apply_button)
        buttons.addWidget(self.export_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(rows)
        for part in (self.along, self.points, self.paint):
            layout.addWidget(part)
        layout.addLayout(buttons)
        layout.addWidget(self.error_line)
        layout.addWidget(self.plot)
        self.apply_button.clicked.connect(self.apply)
        self.export_button.clicked.connect(self._ask_export)

    def refresh_layers(self, *_: Any) -> None:
        """List the viewer's layers as they are now."""
        for choice in (self.image, self.tracks, self.labels):
            choice.refresh()

    def refresh_cells(self) -> None:
        """List the study's crop sets as they are now."""
        # with nothing but the layers to choose from, nobody has chosen them
        before = self.cells.currentText() if self.cells.count() > 1 else ""
        self.cells.clear()
        if self.current.study is not None:
            # those of a movie first: the scores of others have no place in the viewer
            sets = sorted(self.current.study.sets, key=lambda one: one.record.kind != "movie")
            self.cells.addItems([crop_set.name for crop_set in sets])
        self.cells.addItem(LAYERS)
        self.cells.setCurrentIndex(max(0, self.cells.findText(before)))

    # ---- apply

    def apply(self) -> None:
        """Score the cells with the chosen classifier, in a child process."""
        with self.error_line.catch():
            study = self.current.required()
            chosen = self.classifier
            if chosen is None:
                raise InputError(
                    "There is no classifier to apply; train one first and choose it in the table."
                )
            along = self.along.isChecked()
            arguments: dict[str, Any] = {"scheme": chosen.scheme, "loss": chosen.loss, "along_tracks": along}
            files = None
            if self.cells.currentText() == LAYERS:
                files, self._why_not = self._from_layers(), ""
                line = f"ml.Study({str(study.path)!r}).classify({chosen.scheme}, movie=..., tracks=..., "
                line += f"loss={chosen.loss!r}, along_tracks={along})"
            else:
                crops = study.crop_set(self.cells.currentText())
                arguments["crops"], self._tracks = str(crops.folder), crops.cells
                self._why_not = self._not_of_movie(crops)
                line = f"study = ml.Study({str(study.path)!r})\nstudy.classify({chosen.scheme}, "
                line += f"crops=study.crop_set({self.cells.currentText()!r}), loss={chosen.loss!r}, "
                line += f"along_tracks={along})"
            self._asked = chosen
            job = Job("classify", str(study.path), {}, arguments)
            self.runner.start(job, table=True, files=files, python=line, name="apply to the movie")

    def _not_of_movie(self, crops: Any) -> str:
        """Why the scores of a set can't go on the chosen layers: their numbers would match by chance."""
        if crops.record.movie is None:
            return f"The crops {crops.name!r} were not cut from a movie: their scores are in the CSV, not on layers."
        if self.image.layer is not None and not is_cut_from(crops, self.image.layer):
            return (
                f"The crops {crops.name!r} were cut from the movie {crops.record.movie.name!r}, not from "
                f"{self.image.layer.name!r}: their scores are in the CSV, not on layers."
            )
        return ""

    def _from_layers(self) -> Files:
        image = self.image.layer
        movie = movie_array(image)
        tracks = self.tracks.layer or self.labels.layer
        self._tracks = tracks_table(tracks, image)
        return partial(write_sources, movie_path(image) or movie, self._tracks)

    def _finished(self, result: dict[str, Any]) -> None:
        asked, self._asked = self._asked, None
        if asked is None or result.get("table") is None or result.get("complete") is False:
            return
        self.table = result["table"]
        self.divisions = _division_frames(self._tracks)
        self.export_button.setEnabled(True)
        self.show_scores(asked)
        self.scored.emit()

    def show_scores(self, classifier: SavedClassifier) -> None:
        """Write the last scores to the chosen layers; a layer that doesn't fit is said beside the button."""
        complaints, said = [], []
        table, classes = self.table, classifier.classes
        with_place = not self._why_not
        if self._why_not:
            complaints.append(self._why_not)
        wishes = []
        if self.tracks.layer is not None and with_place:
            wishes.append(lambda: f"{score_tracks(self.tracks.layer, table, classes):,} vertices")
        if self.labels.layer is not None and with_place:
            paint = self.paint.isChecked()
            wishes.append(lambda: f"{score_labels(self.labels.layer, table, classes, paint):,} labels")
        if self.points.isChecked() and with_place and self.viewer.layers:
            like = self.image.layer or self.tracks.layer or self.labels.layer
            name = f"{classifier.title} scores"
            wishes.append(
                lambda: f"{len(score_points(self.viewer, table, classes, name, like).data):,} points"
            )
        for wish in wishes:
            try:
                said.append(wish())
            except InputError as error:
                complaints.append(str(error))
        self.error_line.say(" ".join(complaints))
        positive = int((table["class"] == classes[1]).sum())
        show_info(
            f"{classifier.title}: {positive:,} of {len(table):,} cells are {classes[1]}"
            + _changed(table)
            + (f"; wrote {', '.join(said)}." if said else ".")
        )

    # ---- one cell over time

    def clicked(self, position: np.ndarray) -> None:
        """Show the score over time of the track that was clicked."""
        if self.table is None or self.classifier is None or self._why_not:
            return
        layer = self.image.layer or self.tracks.layer or self.labels.layer
        row = nearest_cell(self.table, layer, position)
        if row is not None and self.table["track_id"].notna().iloc[row]:
            self.show_track(int(self.table["track_id"].iloc[row]))

    def show_track(self, track: int) -> None:
        """Plot the score of a track over time, its divisions marked."""
        cells = self.table[self.table["track_id"] == track].sort_values("t")
        t, score = cells["t"].to_numpy(np.float64), cells["score"].to_numpy(np.float64)
        called = cells["class"].tolist() if "frame_class" in cells else None
        classes, divisions = self.classifier.classes, self.divisions.get(track, [])

        def make(figsize: Any, theme: Any) -> Any:
            from morpholaw.figures.tracks import score_over_time

            return score_over_time(
                t,
                score,
                called=called,
                divisions=divisions,
                classes=classes,
                title=f"track {track}",
                theme=theme,
                figsize=figsize,
            )

        self.plot.draw(make)

    # ---- export

    def export(self, path: Path | str) -> None:
        """Write the last scores as CSV."""
        from morpholaw.cells.files import write_table

        with self.error_line.catch():
            write_table(path, self.table)
            show_info(f"Wrote the scores of {len(self.table):,} cells to {path}.")

    def _ask_export(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Export scores", "scores.csv", "CSV (*.csv)")
        if path:
            self.export(path)


def _changed(table: pd.DataFrame) -> str:
    """How many calls the tracks changed, in words; "" where they had no say."""
    if "frame_class" not in table:
        return ""
    changed = int((table["class"] != table["frame_class"]).sum())
    return f" ({changed:,} calls changed by their track)" if changed else ""


def _division_frames(tracks: pd.DataFrame | None) -> dict[int, list[int]]:
    """Frames at which a track ends in a division or begins with one, by track."""
    from morpholaw.cells.tracks import divisions

    if tracks is None or (tracks["track_id"] < 0).all():
        return {}
    frames: dict[int, list[int]] = {}
    for parent, daughters, t in divisions(tracks).itertuples(index=False, name=None):
        for track in (parent, *daughters):
            frames.setdefault(int(track), []).append(int(t))
    return frames
