"""A label that shows the first sentence of a text, and the others when asked."""

from __future__ import annotations

import re
from html import escape

from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QLabel


class FoldedText(QLabel):
    """Wrapped label that shows the first sentence of a text and a link that unfolds it."""

    def __init__(self) -> None:
        super().__init__()
        self._sentences, self._more, self._unfolded = "", "", False
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.LinksAccessibleByMouse | Qt.TextInteractionFlag.LinksAccessibleByKeyboard
        )
        self.linkActivated.connect(self._toggle)

    def say(self, sentences: str, more: str = "More") -> None:
        """Show a text; ``more`` is the text of the link that unfolds it. Another text is folded again."""
        if sentences != self._sentences:
            self._unfolded = False
        self._sentences, self._more = sentences, more
        self._show()

    def changeEvent(self, event: QEvent | None) -> None:
        """Colour the link for another theme."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._show()

    def _toggle(self, _: str) -> None:
        self._unfolded = not self._unfolded
        self._show()

    def _show(self) -> None:
        first, *rest = re.split(r"(?<=\.)\s", self._sentences, maxsplit=1)
        shown = escape(self._sentences if self._unfolded else first).replace("\n", "<br>")
        # Qt's blue of links is too dark on dark themes
        ink = self.palette().color(self.foregroundRole()).name()
        link = f' <a href="fold" style="color: {ink}">{"Less" if self._unfolded else self._more}</a>'
        self.setText(shown + link * bool(rest))
