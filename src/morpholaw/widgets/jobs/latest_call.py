"""A function in a thread, of which only the newest call counts: what a panel reads when a choice changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QObject, Signal

from morpholaw.errors import InputError


class LatestCall(QObject):
    """Runs functions beside the window; the answer of a call that another one followed is dropped.

    Notes
    -----
    Signals: ``returned`` (what the function returned), ``failed`` (one sentence).
    """

    returned = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._number = 0
        self._waiting = False

    @property
    def running(self) -> bool:
        """Whether an answer is still awaited."""
        return self._waiting

    def start(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Call ``function(*arguments)`` in a thread."""
        self._number += 1
        self._waiting = True
        worker = create_worker(_answer, self._number, function, arguments, _ignore_errors=True)
        worker.returned.connect(self._take)
        worker.start()

    def forget(self) -> None:
        """Drop the answer of the call under way."""
        self._number += 1
        self._waiting = False

    def _take(self, answer: tuple[int, Any, str]) -> None:
        number, value, sentence = answer
        if number != self._number:
            return
        self._waiting = False
        if sentence:
            self.failed.emit(sentence)
        else:
            self.returned.emit(value)


def _answer(number: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[int, Any, str]:
    """The call's number with its value, or with the sentence to show: no traceback reaches a dialog."""
    try:
        return number, function(*arguments), ""
    except InputError as error:
        return number, None, str(error)
    except OSError as error:
        return number, None, f"{error.filename or 'A file'} cannot be read: {error.strerror or error}."
    except Exception as error:  # a defect: say so in the panel, where the person waits
        return number, None, f"This could not be computed: {type(error).__name__}: {error}."
