"""How the inputs of cutting are understood, and what is doubtful about them, before anything is cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.picture_grid import grey_tiles

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.cells.inputs import Inputs
    from morpholaw.config import CropConfig

THUMBNAIL = 130
"""Largest side of the thumbnail in pixels."""
MARK = (240, 228, 66)
"""Colour of the tracked places in the thumbnail."""


@dataclass(frozen=True)
class InputReport:
    """What is known of a movie and its tracks.

    Attributes
    ----------
    facts : tuple of str
        How they are understood, one sentence each.
    doubts : tuple of str
        What is doubtful, one sentence each.
    contradictions : tuple of str
        Facts that cannot all be true, each with a remedy; cutting refuses them unless the user insists.
    thumbnail : ndarray
        The middle frame with its tracked places, uint8 (s, s, 3).
    """

    facts: tuple[str, ...]
    doubts: tuple[str, ...]
    contradictions: tuple[str, ...]
    thumbnail: np.ndarray


def check_inputs(movie: Any, tracks: pd.DataFrame, config: CropConfig, name: str) -> InputReport:
    """Compare a movie, a path or an array (t, y, x), with its tracks; nothing is written.

    Raises
    ------
    InputError
        When one of them cannot be read.
    """
    from morpholaw.cells.crops import MovieCells
    from morpholaw.cells.inputs import compare_pixels, open_inputs

    inputs = open_inputs(movie, tracks, config, name)
    comparison = inputs.comparison
    if not comparison.contradictions:
        comparison += compare_pixels(MovieCells(inputs.movie, inputs.tracks.table, config))
    return InputReport(_facts(inputs), comparison.doubts, comparison.contradictions, _thumbnail_of(inputs))


def _facts(inputs: Inputs) -> tuple[str, ...]:
    facts, table = inputs.movie.facts, inputs.tracks.table
    size = "pixel size not known"
    if facts.pixel_size is not None:
        size = f"{facts.pixel_size:.4g} µm per pixel ({facts.pixel_size_source or 'stated by the user'})"
    movie = (
        f"Movie: {facts.frames:,} frames of {facts.height:,} x {facts.width:,} pixels, {facts.dtype}, {size}."
    )
    first = table.drop_duplicates("track_id")
    daughters = int((first["parent"] >= 0).sum())
    tracks = (
        f"Tracks: {len(first):,} tracks with {len(table):,} positions in frames {table['t'].min()} to "
        f"{table['t'].max()}; {daughters:,} tracks begin with a division."
    )
    return movie, tracks


def _thumbnail_of(inputs: Inputs) -> np.ndarray:
    table = inputs.tracks.table
    inside = table[(table["t"] >= 0) & (table["t"] < len(inputs.movie))]
    t = int(inside["t"].median()) if len(inside) else 0
    here = inside[inside["t"] == t]
    return thumbnail(inputs.movie.frame(t), here["y"].to_numpy(), here["x"].to_numpy())


def thumbnail(frame: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return a small square image, uint8 (s, s, 3), of a frame (y, x) with the places (y, x) marked."""
    step = max(1, -(-max(frame.shape) // THUMBNAIL))
    small = frame[::step, ::step].astype(np.float32)
    low, high = np.percentile(small, [1, 99.8])
    image = grey_tiles(small, float(low), float(high))
    rows, columns = np.round(np.asarray(y) / step), np.round(np.asarray(x) / step)
    for row, column in zip(rows.astype(int), columns.astype(int), strict=True):
        if 0 <= row < image.shape[0] and 0 <= column < image.shape[1]:
            image[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = MARK
    square = np.zeros((max(image.shape[:2]),) * 2 + (3,), np.uint8)
    square[: image.shape[0], : image.shape[1]] = image
    return square


class InputCheck(QWidget):
    """Shows what is known of the inputs: facts, a thumbnail, doubts.

    Attributes
    ----------
    check_button : QPushButton
        Placed by the panel around it, which calls :meth:`check` when it is pressed.
    force_box : QCheckBox
        Whether to cut although the inputs look doubtful.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.report: InputReport | None = None
        self.check_button = QPushButton("Check inputs")
        self.check_button.setToolTip(
            "Show how movie and tracks are understood, and whether they fit each other."
        )
        self.facts, self.doubts = QLabel(), QLabel()
        for label in (self.facts, self.doubts):
            label.setWordWrap(True)
            label.hide()
        self.doubts.setStyleSheet("font-weight: bold;")
        self.picture = QLabel()
        self.picture.setToolTip("The middle frame of the tracks, with the tracked places in yellow.")
        self.picture.hide()
        self.force_box = QCheckBox("Cut although the inputs look doubtful")
        self.force_box.setToolTip("Cut crops even where movie and tracks contradict each other.")
        self.call = LatestCall(self)
        self.call.returned.connect(self.show_report)
        self.call.failed.connect(self._failed)
        row = QHBoxLayout()
        row.addWidget(self.picture, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.facts, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row)
        layout.addWidget(self.doubts)
        layout.addWidget(self.force_box)

    def check(self, movie: Any, tracks: pd.DataFrame, config: CropConfig, name: str) -> None:
        """Check a movie and its tracks in a thread."""
        self.clear()
        self.facts.setText("Checking the inputs...")
        self.facts.show()
        self.call.start(check_inputs, movie, tracks, config, name)

    def clear(self, _: Any = None) -> None:
        """Forget what was found: the inputs are others now."""
        self.call.forget()
        self.report = None
        for part in (self.facts, self.picture, self.doubts):
            part.hide()

    def show_report(self, report: InputReport) -> None:
        """Show what was found."""
        self.report = report
        fits = () if report.doubts or report.contradictions else ("Movie and tracks fit each other.",)
        self.facts.setText("\n".join([*report.facts, *fits]))
        self.doubts.setText("\n".join([*report.contradictions, *report.doubts]))
        self.doubts.setVisible(bool(self.doubts.text()))
        self.facts.show()
        height, width = report.thumbnail.shape[:2]
        image = QImage(report.thumbnail.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        self.picture.setPixmap(QPixmap.fromImage(image))
        self.picture.show()

    def _failed(self, sentence: str) -> None:
        self.clear()
        self.doubts.setText(sentence)
        self.doubts.show()
