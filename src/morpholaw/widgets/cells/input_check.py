"""Check of a movie and its tracks before crops are cut: how they are understood and what is doubtful."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from morpholaw.widgets.jobs.latest_call import LatestCall

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from morpholaw.cells.inspection import InputReport
    from morpholaw.config import CropConfig

THUMBNAIL = 150
"""Longest side of the thumbnail in pixels."""
CUT_ANYWAY = "Cut even if the inputs look doubtful"


def inspect(movie: Any, tracks: pd.DataFrame, config: CropConfig) -> InputReport:
    """Describe a movie, given as a path or an array (t, y, x), and its tracks, and compare them; write nothing."""
    from morpholaw.cells.inspection import inspect_inputs

    return inspect_inputs(movie, tracks, config=config)


class InputCheck(QWidget):
    """Shows what is known about the inputs: facts, a thumbnail, and doubts.

    Parameters
    ----------
    in_words : callable, optional
        Returns a sentence with the labels of the form's fields in place of the command's options.

    Attributes
    ----------
    check_button : QPushButton
        Button that starts the check. The surrounding form places it and calls :meth:`check` when it is pressed.
    force_box : QCheckBox
        Whether to cut even if the inputs look doubtful.
    report : InputReport or None
        Result of the last check; None before the inputs are checked.
    """

    def __init__(self, in_words: Callable[[str], str] = str) -> None:
        super().__init__()
        self._in_words = in_words
        self.report: InputReport | None = None
        self.check_button = QPushButton("Check inputs")
        self.check_button.setToolTip(
            "Show how the movie and the tracks are understood, and whether they fit each other. Nothing is cut."
        )
        self.facts, self.doubts = QLabel(), QLabel()
        for label in (self.facts, self.doubts):
            label.setWordWrap(True)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.hide()
        self.doubts.setStyleSheet("font-weight: bold;")
        self.picture = QLabel()
        self.picture.setToolTip("A frame of the movie with a ring around each tracked cell.")
        self.picture.hide()
        self.force_box = QCheckBox(CUT_ANYWAY)
        self.force_box.setToolTip("Cut crops even if the movie and the tracks contradict each other.")
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

    def check(self, movie: Any, tracks: pd.DataFrame, config: CropConfig) -> None:
        """Check a movie and its tracks in a thread."""
        self.clear()
        self.facts.setText("Checking the inputs...")
        self.facts.show()
        self.call.start(inspect, movie, tracks, config)

    def clear(self, _: Any = None) -> None:
        """Discard the report, which was about other inputs."""
        self.call.forget()
        self.report = None
        for part in (self.facts, self.picture, self.doubts):
            part.hide()

    def show_report(self, report: InputReport) -> None:
        """Show the result of a check."""
        self.report = report
        fits = () if report.doubts or report.contradictions else ("The movie and the tracks fit each other.",)
        self.facts.setText("\n".join([*report.lines, *fits]))
        self.doubts.setText(self._in_words("\n".join([*report.contradictions, *report.doubts])))
        self.doubts.setVisible(bool(self.doubts.text()))
        self.facts.setVisible(bool(self.facts.text()))
        self.picture.setVisible(report.thumbnail is not None)
        if report.thumbnail is not None:
            self.picture.setPixmap(_small(report.thumbnail))

    def _failed(self, sentence: str) -> None:
        self.clear()
        self.doubts.setText(self._in_words(sentence))
        self.doubts.show()


def _small(image: np.ndarray) -> QPixmap:
    """Return an RGB image, uint8 (h, w, 3), as a pixmap whose longest side has THUMBNAIL pixels."""
    height, width = image.shape[:2]
    full = QImage(image.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    keep, smooth = Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    return QPixmap.fromImage(full.scaled(THUMBNAIL, THUMBNAIL, keep, smooth))
