"""Calls in a thread of which only the newest counts, for values that a panel computes when a choice changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from morpholaw.errors import MorpholawError


class LatestCall(QObject):
    """Calls functions in a thread, one at a time; of the calls that are waiting, only the newest is made.

    Parameters
    ----------
    live : bool
        Whether to deliver the result of a call although a newer call is waiting. An image that follows a slider should
        appear even if it is late; otherwise the result is dropped.

    Notes
    -----
    Signals: ``returned`` (return value of the function), ``failed`` (one sentence).
    """

    returned = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None, live: bool = False) -> None:
        super().__init__(parent)
        self.live = live
        self._next: tuple[Callable[..., Any], tuple[Any, ...]] | None = None
        self._busy = self._dropped = False

    @property
    def running(self) -> bool:
        """Whether a result is still to come."""
        return self._next is not None or (self._busy and not self._dropped)

    def start(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)`` in a thread, now or as soon as the current call ends."""
        self._next = (function, arguments)
        if not self._busy:
            self._begin()

    def forget(self) -> None:
        """Drop the result of the current call, and the waiting call."""
        self._next, self._dropped = None, True

    def _begin(self) -> None:
        assert self._next is not None
        (function, arguments), self._next = self._next, None
        self._busy, self._dropped = True, False
        worker = create_worker(_answer, function, arguments, _ignore_errors=True)
        worker.returned.connect(self._deliver)
        worker.start()

    def _deliver(self, answer: tuple[Any, str]) -> None:
        value, sentence = answer
        delivers = not self._dropped and (self.live or self._next is None)
        self._busy = False
        if self._next is not None:
            self._begin()
        if not delivers:
            return
        if sentence:
            self.failed.emit(sentence)
        else:
            self.returned.emit(value)


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, str]:
    """Return the function's return value, or the sentence to show, so that no traceback reaches a dialog."""
    try:
        return function(*arguments), ""
    except MorpholawError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{error.filename or 'A file'} cannot be read: {error.strerror or error}."
    except Exception as error:  # a defect in the program, reported in the panel, where the user is waiting
        return None, f"This could not be computed: {type(error).__name__}: {error}."
