"""Full garbage collections at moments when the window is idle.

A full collection visits the 400,000 objects of napari and blocks all threads for about 0.3 s. Python starts one
whenever enough objects were made, which is while a panel opens or a figure is drawn.
"""

from __future__ import annotations

import gc
from weakref import finalize

from qtpy.QtCore import QEvent, QObject
from qtpy.QtWidgets import QWidget

from morpholaw.widgets.study.window_timer import window_timer

IDLE = 20_000
"""Milliseconds without input or painting after which the window is idle."""
USUAL, PATIENT = 10, 100
"""Collections of the middle generation before a full one: by default, and while a window that collects is open."""


class IdleCollection(QObject):
    """Collects garbage when nothing has happened in a window for :data:`IDLE` milliseconds, if there is enough.

    In a window that is never idle, Python collects by itself, but ten times as late as usual.
    """

    def __init__(self) -> None:
        super().__init__()
        self._timer = window_timer(self, IDLE, self.collect)
        self._timer.setSingleShot(True)
        finalize(self, _collect_after, USUAL)

    def watch(self, widget: QWidget) -> None:
        """Watch the window of a widget that is shown."""
        top = widget.window()
        handle = None if top is None else top.windowHandle()
        if handle is not None:
            handle.installEventFilter(self)
            _collect_after(PATIENT)
            self._timer.start()

    def stop(self) -> None:
        """Leave the collections to Python, as when the window closes."""
        self._timer.stop()
        _collect_after(USUAL)

    def collect(self) -> None:
        """Run a full collection if Python would have run one by default."""
        if gc.get_count()[2] > USUAL:
            gc.collect()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Wait again: a window receives an event for input and for painting."""
        self._timer.start()
        return False


def _collect_after(middle: int) -> None:
    """Set the number of collections of the middle generation before a full one."""
    youngest, older, _ = gc.get_threshold()
    gc.set_threshold(youngest, older, middle)
