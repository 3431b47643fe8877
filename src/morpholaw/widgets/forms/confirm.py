"""A dialog that asks before something is replaced, deleted or downloaded."""

from __future__ import annotations

from qtpy.QtWidgets import QMessageBox, QWidget


def confirmed(parent: QWidget | None, title: str, question: str) -> bool:
    """Ask a yes-or-no question in a dialog; return whether the answer was yes."""
    return QMessageBox.question(parent, title, question) == QMessageBox.StandardButton.Yes
