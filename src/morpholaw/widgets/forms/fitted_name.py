"""Buttons and check boxes that shorten a long name instead of widening their panel."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QAbstractButton, QSizePolicy

NARROWEST = 60
"""Smallest width in pixels of such a button."""
BESIDE = 28
"""Width in pixels of the margins, or of the square of a check box."""


class FittedName(QObject):
    """Shows as much of a name as fits on a button, between texts that are always shown.

    Parameters
    ----------
    button : QAbstractButton
        The button; its tooltip should have the whole name.
    """

    def __init__(self, button: QAbstractButton) -> None:
        super().__init__(button)
        self._button = button
        self._before = self._name = self._after = ""
        button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        button.setMinimumWidth(NARROWEST)
        button.installEventFilter(self)

    def say(self, name: str, before: str = "", after: str = "") -> None:
        """Show a name."""
        self._before, self._name, self._after = before, name, after
        self._fit()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Fit the name to another width."""
        if event is not None and event.type() in (QEvent.Type.Resize, QEvent.Type.Show):
            self._fit()
        return False

    def _fit(self) -> None:
        metrics, name = self._button.fontMetrics(), self._name
        room = self._button.width() - BESIDE - metrics.horizontalAdvance(self._before + self._after)
        if self._button.isVisible() and metrics.horizontalAdvance(name) > room:
            name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, max(room, 0))
        self._button.setText(f"{self._before}{name}{self._after}".replace("&", "&&"))  # "&" alone marks a key
