"""A figure of :mod:`morpholaw.figures` in a panel: made when it is seen, at most twice a second."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from morpholaw.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from morpholaw.figures.style import FigSize, Theme

Make = Callable[["FigSize", "Theme"], "Figure"]

INTERVAL = 0.5
"""Seconds between two drawings, at the least."""


class FigurePanel(QWidget):
    """Shows a figure, or one sentence in its place.

    Parameters
    ----------
    viewer : napari.Viewer
        Its theme is the figure's.
    sentence : str
        What stands here until there is a figure.
    """

    def __init__(self, viewer: Any, sentence: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.canvas: Any = None
        self._make: Make | None = None
        self._drawn_width = 0
        self._drawn_at = 0.0
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._draw)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.sentence)
        self.setMinimumSize(320, 60)
        self.say(sentence)

    def draw(self, make: Make) -> None:
        """Show the figure that ``make(figsize, theme)`` returns, soon; figsize is (inches, None)."""
        self._make = make
        self._soon()

    def say(self, sentence: str) -> None:
        """Show a sentence and no figure."""
        self._make = None
        self._timer.stop()
        self._remove()
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))

    @property
    def pending(self) -> bool:
        """Whether a figure waits to be drawn."""
        return self._timer.isActive()

    def showEvent(self, event: Any) -> None:
        """Draw what was asked for while the panel was hidden."""
        super().showEvent(event)
        if self._make is not None:
            self._soon()

    def resizeEvent(self, event: Any) -> None:
        """Draw anew for another width, for the figure's layout depends on it."""
        super().resizeEvent(event)
        if self._make is not None and abs(self.width() - self._drawn_width) > 8:
            self._soon()

    def _soon(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            waited = time.monotonic() - self._drawn_at
            self._timer.start(max(1, round(1000 * (INTERVAL - waited))))

    def _draw(self) -> None:
        if self._make is None or not self.isVisible():
            return
        from matplotlib.backends.backend_qtagg import FigureCanvasQTAgg

        from morpholaw.figures.style import DARK, LIGHT

        theme = LIGHT if "light" in str(self.viewer.theme) else DARK
        self._drawn_width, self._drawn_at = self.width(), time.monotonic()
        try:
            figure = self._make((max(self.width(), 320) / 100, None), theme)
        except InputError as error:
            self.say(str(error))
            return
        figure.set_dpi(100)
        width, height = (round(100 * inches) for inches in figure.get_size_inches())
        canvas = FigureCanvasQTAgg(figure)
        canvas.setFixedSize(width, height)
        canvas.resize(width, height)
        if (layout := figure.get_layout_engine()) is not None:
            layout.execute(figure)  # labels that stand at a fixed distance find their place in a second pass
        self._remove()
        self.sentence.hide()
        self.canvas = canvas
        self._layout.addWidget(canvas, 0, Qt.AlignmentFlag.AlignHCenter)
        self.setMinimumHeight(height)
        self._drawn_at = time.monotonic()

    def _remove(self) -> None:
        if self.canvas is not None:
            self._layout.removeWidget(self.canvas)
            self.canvas.hide()
            self.canvas.deleteLater()
            self.canvas = None
        self.setMinimumHeight(60)
