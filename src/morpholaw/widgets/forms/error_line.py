"""One plain sentence about what went wrong, beside the field it is about and as a notification."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from napari.utils.notifications import show_error
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from morpholaw.errors import InputError


class ErrorLine(QLabel):
    """A line that is there only while it has something to say.

    Examples
    --------
    >>> with self.error_line.catch():  # doctest: +SKIP
    ...     self.current.open(path)
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setStyleSheet("color: #ff8a75; padding: 2px;")
        self.clear()

    def say(self, sentence: str, notify: bool = True) -> None:
        """Show a sentence; an empty one takes the line away."""
        self.setText(sentence)
        self.setVisible(bool(sentence))
        if sentence and notify:
            show_error(sentence)

    def clear(self) -> None:
        """Take the line away."""
        self.say("")

    @contextmanager
    def catch(self) -> Iterator[None]:
        """Show the sentence of an error that a person can mend, and go on after the block."""
        self.clear()
        try:
            yield
        except InputError as error:
            self.say(str(error))
        except OSError as error:
            self.say(f"{error.filename or 'A file'} cannot be used: {error.strerror or error}.")
