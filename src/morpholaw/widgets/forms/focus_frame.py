"""A frame on the control that the Tab key has reached; napari's style shows no focus."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QWidget

COLOURS = {"dark": "#8ab4f8", "light": "#1a5fb4"}
"""Colour of the frame for each kind of napari theme."""


class FocusFrame(QWidget):
    """A frame on a control, until the control loses the focus.

    Parameters
    ----------
    control : QWidget
        The control that has the focus.
    colour : str
        Colour of the frame.
    """

    def __init__(self, control: QWidget, colour: str) -> None:
        super().__init__(control)
        self._colour = QColor(colour)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setGeometry(control.rect())
        control.installEventFilter(self)
        self.show()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Follow the size of the control, and disappear when it loses the focus."""
        parent = self.parentWidget()
        if event is not None and parent is not None:
            if event.type() == QEvent.Type.Resize:
                self.setGeometry(parent.rect())
            elif event.type() == QEvent.Type.FocusOut:
                parent.removeEventFilter(self)
                self.hide()
                self.deleteLater()
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the frame."""
        painter = QPainter(self)
        painter.setPen(QPen(self._colour, 2))
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()
