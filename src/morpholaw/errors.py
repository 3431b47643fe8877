"""The one exception that bad input raises: its text is a sentence an analyst can act on."""

from __future__ import annotations


class InputError(ValueError):
    """Input that cannot be used.

    The message is one plain sentence that says what is wrong, in which file or field, and what was
    expected. The command prints it and exits with status 2; the widgets show it beside the field.
    """


def reason(error: BaseException) -> str:
    """A library's message as the tail of a sentence: its first line, or what kind of error it is."""
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
