"""The score of one track over time, linked to the movie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QColor, QPainter, QPen

from morpholaw.widgets.pictures.cell_picture import MARK
from morpholaw.widgets.pictures.linked_cells import LinkedCells
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd
    from napari.components import ViewerModel

    from morpholaw.store.classifier_record import ClassifierRecord

EMPTY = "After cells are scored, click a cell in the movie to see its score over time."


@dataclass(frozen=True)
class ScoredTrack:
    """A track and what a classifier makes of it.

    Attributes
    ----------
    number : int
        The track.
    cells : DataFrame
        Its rows of the table of scores, by frame.
    divisions : list of int
        Frames at which it ends in a division or begins with one.
    indices : ndarray, int64 (rows,)
        Global index of the cell of each row; empty where the cells are not of the study.
    """

    number: int
    cells: pd.DataFrame
    divisions: list[int]
    indices: np.ndarray


class ScorePlot(LinkedCells):
    """Plots a track's score, or its probabilities of more than two classes, with the frame that the movie shows.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie.
    current : CurrentStudy
        The study and its selected cells.
    frame : callable
        Returns the movie's frame that is shown, None where there is none.
    """

    def __init__(self, viewer: ViewerModel, current: CurrentStudy, frame: Callable[[], float | None]) -> None:
        super().__init__(viewer, current, EMPTY)
        self._frame = frame
        self.setToolTip(
            "Click a frame of the track to go there in the movie; the line is the frame that is shown."
        )
        viewer.dims.events.current_step.connect(self._moved_on)

    def show_track(
        self, track: ScoredTrack, classifier: ClassifierRecord, colours: Mapping[str, str]
    ) -> None:
        """Plot a track by the classifier that scored it; ``colours`` are those of its classes."""
        cells, t = track.cells, track.cells["t"].to_numpy(np.float64)
        title, divisions, classes = f"Track {track.number}", track.divisions, classifier.classes
        if classifier.two_classes:
            pair, score = classifier.pair, cells["score"].to_numpy(np.float64)
            predicted = cells["class"].tolist() if "frame_class" in cells else None

            def make(figsize: Any, theme: Any) -> Any:
                from morpholaw.figures.tracks import score_over_time

                return score_over_time(
                    t, score, called=predicted, divisions=divisions, classes=pair, colours=colours, title=title,
                    theme=theme, figsize=figsize,
                )  # fmt: skip

        else:
            shares = cells[[f"probability_{name}" for name in classes]].to_numpy(np.float64)
            score = np.full(len(t), 0.5)

            def make(figsize: Any, theme: Any) -> Any:
                from morpholaw.figures.tracks import probabilities_over_time

                return probabilities_over_time(
                    t, shares, classes, colours=colours, divisions=divisions, title=title, theme=theme,
                    figsize=figsize,
                )  # fmt: skip

        known = np.isfinite(score) if len(track.indices) else np.zeros(len(t), bool)
        self.draw_cells(make, np.column_stack([t, score])[known], track.indices[known[: len(track.indices)]])

    def paint_over(self, painter: QPainter) -> None:
        """Paint the frame that is shown, then the selected cells."""
        frame = self._frame()
        if self.drawing is not None and frame is not None:
            (left, top), (right, bottom) = self.drawing.frame
            first, last = self.drawing.limits[:2]
            column = left + (right - left) * (frame - first) / (last - first)
            if left <= column <= right:
                painter.setPen(QPen(QColor(MARK), 1.2, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(column, top), QPointF(column, bottom))
        super().paint_over(painter)

    def _moved_on(self, _: Any = None) -> None:
        self._picture.update()


def division_frames(tracks: pd.DataFrame | None) -> dict[int, list[int]]:
    """Return the frames at which a track ends in a division or begins with one, by track."""
    from morpholaw.cells.tracks import divisions

    if tracks is None or (tracks["track_id"] < 0).all():
        return {}
    frames: dict[int, list[int]] = {}
    for parent, daughters, t in divisions(tracks).itertuples(index=False, name=None):
        for track in (parent, *daughters):
            frames.setdefault(int(track), []).append(int(t))
    return frames
