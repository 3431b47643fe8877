"""The number keys, which label cells in every view of them."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt


def digit_of(event: Any) -> int | None:
    """Return the digit that a key event is about, also of the keypad; None for other keys and with modifiers."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    text = event.text()
    return int(text) if modifiers == Qt.KeyboardModifier.NoModifier and text in list("0123456789") else None
