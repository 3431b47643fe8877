"""A figure of :mod:`morpholaw.figures` in a panel, drawn in a thread once it is visible, at most twice a second."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QImage, QPixmap, QResizeEvent, QShowEvent
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.background import is_dark
from morpholaw.widgets.pictures.drawing import Drawing, Make, draw_figure

if TYPE_CHECKING:
    from napari.components import ViewerModel

INTERVAL = 0.5
"""Smallest number of seconds between two drawings."""
DRAWING = "Drawing..."
"""Text shown until the first figure is drawn."""
LEAST_WIDTH = 320
"""Smallest width of a figure in pixels."""


class FigurePanel(QWidget):
    """Shows a figure, or a sentence in its place.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    sentence : str
        Text shown until there is a figure.

    Attributes
    ----------
    canvas : FigureCanvasAgg or None
        Canvas of the figure on display.
    """

    def __init__(self, viewer: ViewerModel, sentence: str = "") -> None:
        super().__init__()
        self.viewer = viewer
        self.canvas: Any = None
        self._make: Make | None = None
        self._drawn_width = 0
        self._drawn_at = 0.0
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture = self._new_picture()
        self._picture.hide()
        self.call = LatestCall(self)
        self.call.returned.connect(self._show)
        self.call.failed.connect(self.say)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._draw)
        viewer.events.theme.connect(self._rethemed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.sentence)
        layout.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(1)  # keeps the figure at the top of a taller tab
        self.setMinimumSize(LEAST_WIDTH, 60)
        self.say(sentence)

    def draw(self, make: Make) -> None:
        """Show the figure that ``make(figsize, theme)`` returns; figsize is (width in inches, None).

        ``make`` is called in a thread, so it must not use widgets or layers.
        """
        self._make = make
        if self.canvas is None:
            self.sentence.setText(DRAWING)
            self.sentence.show()
        self._soon()

    def say(self, sentence: str) -> None:
        """Show a sentence instead of a figure."""
        self._make = None
        self._timer.stop()
        self.call.forget()
        self._remove()
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))

    @property
    def pending(self) -> bool:
        """Whether a figure still has to be drawn."""
        return self._timer.isActive() or self.call.running

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw a figure that was requested while the panel was hidden."""
        super().showEvent(event)
        if self._make is not None:
            self._soon()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Draw the figure again if the width changes, because its layout depends on it."""
        super().resizeEvent(event)
        if self._make is not None and abs(self.width() - self._drawn_width) > 8:
            self._soon()

    def _rethemed(self, _: Any = None) -> None:
        """Draw the figure again in the colours of another theme."""
        if self._make is not None:
            self._soon()

    def _soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            waited = time.monotonic() - self._drawn_at
            self._timer.start(max(1, round(1000 * (INTERVAL - waited))))

    def _draw(self) -> None:
        if self._make is None or not self.isVisible():
            return
        self._drawn_width, self._drawn_at = self.width(), time.monotonic()
        dark = is_dark(self.viewer)
        width = max(self.width(), LEAST_WIDTH)
        self._start(self._make, width, dark, self.devicePixelRatioF())

    def _new_picture(self) -> QLabel:
        return QLabel()

    def _start(self, make: Make, width: int, dark: bool, ratio: float) -> None:
        self.call.start(draw_figure, make, width, dark, ratio)

    def _show(self, drawing: Drawing) -> None:
        if self._make is None:
            return
        picture = pixmap(drawing.pixels, self.devicePixelRatioF())
        self._picture.setPixmap(picture)
        self.sentence.hide()
        self._picture.show()
        self.canvas = drawing.canvas
        self.setMinimumHeight(round(picture.height() / picture.devicePixelRatio()))
        self._drawn_at = time.monotonic()

    def _remove(self) -> None:
        self.canvas = None
        self._picture.clear()
        self._picture.hide()
        self.setMinimumHeight(60)


def pixmap(pixels: np.ndarray, ratio: float) -> QPixmap:
    """Return an RGBA image, uint8 (height, width, 4), as a pixmap with ``ratio`` screen pixels per pixel."""
    height, width = pixels.shape[:2]
    image = QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888)
    picture = QPixmap.fromImage(image)
    picture.setDevicePixelRatio(ratio)
    return picture
