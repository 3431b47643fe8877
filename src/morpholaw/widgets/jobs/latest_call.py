"""A function in a thread, of which only the newest call counts: what a panel reads when a choice changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from morpholaw.errors import InputError


class LatestCall(QObject):
    """Runs functions beside the window, one at a time; of the calls that wait meanwhile only the newest is made.

    Parameters
    ----------
    live : bool
        Whether the answer of a call that others followed is given all the same, as a picture that follows a slider
        is better late than never; otherwise it is dropped.

    Notes
    -----
    Signals: ``returned`` (what the function returned), ``failed`` (one sentence).
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
        """Whether an answer is still awaited."""
        return self._next is not None or (self._busy and not self._dropped)

    def start(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)`` in a thread, now or as soon as the call under way has ended."""
        self._next = (function, arguments)
        if not self._busy:
            self._begin()

    def forget(self) -> None:
        """Drop the answer of the call under way, and the call that waits."""
        self._next, self._dropped = None, True

    def _begin(self) -> None:
        assert self._next is not None
        (function, arguments), self._next = self._next, None
        self._busy, self._dropped = True, False
        worker = create_worker(_answer, function, arguments, _ignore_errors=True)
        worker.returned.connect(self._take)
        worker.start()

    def _take(self, answer: tuple[Any, str]) -> None:
        value, sentence = answer
        wanted = not self._dropped and (self.live or self._next is None)
        self._busy = False
        if self._next is not None:
            self._begin()
        if not wanted:
            return
        if sentence:
            self.failed.emit(sentence)
        else:
            self.returned.emit(value)


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[Any, str]:
    """What the function returned, or the sentence to show: no traceback reaches a dialog."""
    try:
        return function(*arguments), ""
    except InputError as error:
        return None, str(error)
    except OSError as error:
        return None, f"{error.filename or 'A file'} cannot be read: {error.strerror or error}."
    except Exception as error:  # a defect: say so in the panel, where the person waits
        return None, f"This could not be computed: {type(error).__name__}: {error}."
