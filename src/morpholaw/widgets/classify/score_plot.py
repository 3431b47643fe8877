"""The score of one track over time, linked to the movie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QPointF, Qt
from qtpy.QtGui import QPainter, QPen

from morpholaw.widgets.pictures.linked_cells import LinkedCells
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    import pandas as pd
    from napari.components import ViewerModel

    from morpholaw.store.classifier_record import ClassifierRecord

EMPTY = "Once cells are scored, click a cell in the movie to see its score over time."


@dataclass(frozen=True)
class ScoredTrack:
    """A track with the scores of its cells.

    Attributes
    ----------
    number : int
        The track id.
    cells : DataFrame
        Rows of the table of scores, in order of frames.
    divisions : list of int
        Frames at which the track ends or begins with a division.
    indices : ndarray, int64 (rows,)
        Global index of the cell in each row; empty if the cells are not in the study.
    """

    number: int
    cells: pd.DataFrame
    divisions: list[int]
    indices: np.ndarray


class ScorePlot(LinkedCells):
    """Plot of a track's score over time (of its probabilities, with more than two classes) and of the current frame.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the movie.
    current : CurrentStudy
        The study and its selected cells.
    frame : callable
        Returns the frame of the movie on display; None if there is no movie.
    """

    def __init__(self, viewer: ViewerModel, current: CurrentStudy, frame: Callable[[], float | None]) -> None:
        super().__init__(viewer, current, EMPTY)
        self._frame = frame
        self.setToolTip(
            "Click a frame of the track to go there in the movie. The dotted line is the frame on display."
        )
        viewer.dims.events.current_step.connect(self._moved_on)

    def show_track(
        self, track: ScoredTrack, classifier: ClassifierRecord, colours: Mapping[str, str]
    ) -> None:
        """Plot a track scored by ``classifier``; ``colours`` are those of its classes."""
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
        """Paint a line at the frame on display, then the selected cells."""
        frame = self._frame()
        if self.drawing is not None and frame is not None:
            (left, top), (right, bottom) = self.drawing.frame
            first, last = self.drawing.limits[:2]
            column = left + (right - left) * (frame - first) / (last - first)
            if left <= column <= right:
                painter.setPen(QPen(self.ink, 1.2, Qt.PenStyle.DotLine))
                painter.drawLine(QPointF(column, top), QPointF(column, bottom))
        super().paint_over(painter)

    def _moved_on(self, _: Any = None) -> None:
        self._picture.update()


def division_frames(tracks: pd.DataFrame | None) -> dict[int, list[int]]:
    """Return the frames at which each track ends or begins with a division, by track id."""
    from morpholaw.cells.tracks import divisions

    if tracks is None or (tracks["track_id"] < 0).all():
        return {}
    frames: dict[int, list[int]] = {}
    for parent, daughters, t in divisions(tracks).itertuples(index=False, name=None):
        for track in (parent, *daughters):
            frames.setdefault(int(track), []).append(int(t))
    return frames
