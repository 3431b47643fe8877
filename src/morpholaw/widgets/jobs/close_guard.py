"""Told when the window or the dock that a panel is in closes, which may be others than before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QDockWidget, QWidget


class CloseGuard(QObject):
    """Asks before the place that a widget is in closes.

    Parameters
    ----------
    widget : QWidget
        Whose place is watched; it calls :meth:`watch` when it is shown.
    may_close : callable
        Whether to close; what has to end with the place is ended in it.
    docks : bool
        Whether the dock counts too, or the window alone.
    """

    def __init__(self, widget: QWidget, may_close: Callable[[], bool], docks: bool = True) -> None:
        super().__init__(widget)
        self._widget, self._may_close, self._docks = widget, may_close, docks
        self._watched: list[QObject] = []

    def watch(self) -> None:
        """Watch the place that the widget is in now."""
        for watched in self._watched:
            watched.removeEventFilter(self)
        dock: Any = self._widget.parent() if self._docks else None
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        self._watched = [place for place in (self._widget.window(), dock) if place is not None]
        for place in self._watched:
            place.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep a place open that may not close."""
        if event.type() == QEvent.Type.Close and not self._may_close():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
