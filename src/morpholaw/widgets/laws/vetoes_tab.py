"""Sentences about latents that exclude a class, alone or in pairs (paper, 6.4)."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QWidget

from morpholaw.models.law import Law
from morpholaw.widgets.jobs.latest_call import LatestCall


class VetoesTab(QLabel):
    """Finds the vetoes of a law when the tab is shown."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wanted: tuple[Law, tuple[str, str], dict[str, str]] | None = None
        self.call = LatestCall(self)
        self.call.returned.connect(self._take)
        self.call.failed.connect(self.setText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setMargin(6)

    def show_law(self, law: Law, classes: tuple[str, str], words: dict[str, str]) -> None:
        """Show the vetoes of a law once the tab is visible; ``words`` are names of latents."""
        self._wanted = (law, classes, words)
        self._search()

    def showEvent(self, event: Any) -> None:
        """Find the vetoes of a law that was shown while the tab was hidden."""
        super().showEvent(event)
        self._search()

    def _search(self) -> None:
        if self._wanted is not None and self.isVisible():
            self.setText("Searching for vetoes...")
            self.call.start(_sentences, *self._wanted)
            self._wanted = None

    def _take(self, sentences: list[str]) -> None:
        nothing = "No latent and no pair of latents excludes a class whatever the values of the others."
        self.setText("\n\n".join(f"•  {sentence}" for sentence in sentences) or nothing)


def _sentences(law: Law, classes: tuple[str, str], words: dict[str, str]) -> list[str]:
    from morpholaw.interpretation.vetoes import find_vetoes, in_words

    with np.errstate(all="ignore"):
        vetoes = find_vetoes(law)
    return [in_words(veto, *classes, names=words) for veto in vetoes]
