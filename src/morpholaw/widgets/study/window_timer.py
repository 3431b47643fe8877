"""Timers of objects that no widget owns."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakMethod, finalize

from qtpy.QtCore import QCoreApplication, QObject, QTimer


def window_timer(owner: QObject, interval: int, method: Callable[[], None]) -> QTimer:
    """Return a timer that calls a method of ``owner``, and is deleted after it in the thread of the window.

    Python may collect ``owner`` in another thread, and Qt crashes if a running timer is deleted there. PyQt leaves the
    deletion to the right thread, PySide does not.

    Parameters
    ----------
    owner : QObject
        The object whose method is called; referenced weakly.
    interval : int
        Milliseconds.
    method : callable
        The bound method.
    """
    timer = QTimer(QCoreApplication.instance())
    timer.setInterval(interval)
    reference = WeakMethod(method)

    def call() -> None:
        bound = reference()
        if bound is not None:
            bound()

    timer.timeout.connect(call)
    finalize(owner, timer.deleteLater).atexit = False  # the application deletes it with itself
    return timer
