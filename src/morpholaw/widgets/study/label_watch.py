"""Watch the labels of the open study for changes made in another window or by another person."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, QTimer

if TYPE_CHECKING:
    from morpholaw.widgets.study.current_study import CurrentStudy

INTERVAL = 2000
"""Milliseconds between two checks of the file of labels."""


class LabelWatch(QObject):
    """Emits ``labels_changed`` after the file of labels changes outside this window.

    Parameters
    ----------
    current : CurrentStudy
        The study; referenced weakly.
    """

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self._current = weakref.ref(current)
        self._seen: tuple[int, int] | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(INTERVAL)
        self._timer.timeout.connect(self.look)
        current.changed.connect(self._begin)
        current.labels_changed.connect(self._remember)

    def look(self) -> None:
        """Emit ``labels_changed`` if the file has changed since this window last read it."""
        current, state = self._current(), self._state()
        if current is not None and state != self._seen:
            self._seen = state
            current.labels_changed.emit()

    def stop(self) -> None:
        """Stop watching, because the window is closed."""
        self._timer.stop()

    def _begin(self) -> None:
        self._remember()
        current = self._current()
        if current is not None and current.study is not None:
            self._timer.start()
        else:
            self._timer.stop()

    def _remember(self) -> None:
        self._seen = self._state()

    def _state(self) -> tuple[int, int] | None:
        """Return the size and the time of change of the file; None if there is none."""
        current = self._current()
        if current is None or current.study is None:
            return None
        try:
            stat = current.study.annotations.path.stat()
        except OSError:
            return None
        return stat.st_size, stat.st_mtime_ns
