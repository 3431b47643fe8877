"""Error messages: one plain sentence below a field or in a panel, and as a notification."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from morpholaw.errors import MorpholawError

INK, BACKGROUND = "#ffffff", "#a3201c"
"""Colours of an error message: a contrast of 7.9 : 1 in every theme of napari (WCAG AA requires 4.5 : 1)."""


class FieldError(QLabel):
    """A label for an error message, hidden while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setStyleSheet(f"color: {INK}; background: {BACKGROUND}; padding: 3px; border-radius: 2px;")
        self.hide()

    def say(self, sentence: str) -> None:
        """Show a sentence; "" hides the label."""
        self.setText(sentence)
        self.setVisible(bool(sentence))


class ErrorLine(FieldError):
    """The error line of a panel or of one of its parts.

    Examples
    --------
    >>> with self.error_line.catch():  # doctest: +SKIP
    ...     self.current.open(path)
    """

    def __init__(self) -> None:
        super().__init__()
        self._of_input = False

    def say(self, sentence: str, notify: bool = True) -> None:
        """Show a sentence in the line and, with ``notify``, as a notification; "" hides the line."""
        super().say(sentence)
        self._of_input = False
        if sentence and notify:
            show_error(sentence)

    def clear(self) -> None:
        """Hide the line."""
        self.say("")

    def clear_input_error(self) -> None:
        """Hide the line if it is about input that may have changed: the study, its cells, layers or settings.

        The message of a failed step stays until the next step begins.
        """
        if self._of_input:
            self.clear()

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Show the message of an error that the user can fix, and continue after the block."""
        self.clear()
        try:
            yield
        except MorpholawError as error:
            self.say(str(error))
            self._of_input = True
        except OSError as error:
            self.say(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.")
            self._of_input = True
