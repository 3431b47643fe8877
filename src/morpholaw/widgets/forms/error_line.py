"""One plain sentence about what went wrong, beside the field it is about and as a notification."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from morpholaw.errors import MorpholawError

INK, GROUND = "#ffffff", "#a3201c"
"""Colours of a sentence about an error: 7.9 : 1, whatever napari's theme is (WCAG AA asks for 4.5 : 1)."""


class FieldError(QLabel):
    """A sentence that takes room only while there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setStyleSheet(f"color: {INK}; background: {GROUND}; padding: 3px; border-radius: 2px;")
        self.hide()

    def say(self, sentence: str) -> None:
        """Show a sentence; an empty one takes the line away."""
        self.setText(sentence)
        self.setVisible(bool(sentence))


class ErrorLine(FieldError):
    """The line of a panel or of one of its parts that says what went wrong.

    Examples
    --------
    >>> with self.error_line.catch():  # doctest: +SKIP
    ...     self.current.open(path)
    """

    def __init__(self) -> None:
        super().__init__()
        self._of_input = False

    def say(self, sentence: str, notify: bool = True) -> None:
        """Show a sentence, also as a notification; an empty one takes the line away."""
        super().say(sentence)
        self._of_input = False
        if sentence and notify:
            show_error(sentence)

    def clear(self) -> None:
        """Take the line away."""
        self.say("")

    def clear_input_error(self) -> None:
        """Take the line away if it is about input that may have changed: the study, its cells, layers or settings.

        The sentence of a step that failed stays until the next step begins.
        """
        if self._of_input:
            self.clear()

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Show the sentence of an error that a person can fix, and go on after the block."""
        self.clear()
        try:
            yield
        except MorpholawError as error:
            self.say(str(error))
            self._of_input = True
        except OSError as error:
            self.say(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.")
            self._of_input = True
