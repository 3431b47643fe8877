"""The one exception that bad input raises: its text is a sentence an analyst can act on."""

from __future__ import annotations


class InputError(ValueError):
    """Input that cannot be used.

    The message is one plain sentence that says what is wrong, in which file or field, and what was
    expected. The command prints it and exits with status 2; the widgets show it beside the field.
    """
