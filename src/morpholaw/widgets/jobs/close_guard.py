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

    def watch(self) -> None:
        """Watch the place that the widget is in now."""
        for place in self._places():
            place.installEventFilter(self)

    def _places(self) -> list[QObject]:
        """The window and the dock; looked up and not kept, so that the guard does not hold a window in memory."""
        dock: Any = self._widget.parent() if self._docks else None
        while dock is not None and not isinstance(dock, QDockWidget):
            dock = dock.parent()
        return [place for place in (self._widget.window(), dock) if place is not None]

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep a place open that may not close; one that the widget has left may."""
        if event.type() == QEvent.Type.Close and watched in self._places() and not self._may_close():
            event.ignore()
            return True
        return super().eventFilter(watched, event)
