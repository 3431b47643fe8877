"""The Vetoes tab: inputs that exclude a class, alone or in pairs (paper, 6.4)."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.law_page import LawPlace, law_vetoes
from morpholaw.widgets.study.current_study import CurrentStudy

_NOTHING = "No input, and no pair of inputs, excludes a class whatever the values of the other inputs are."


class VetoesTab(QLabel):
    """Tab with the vetoes of a law, which are found when the tab is shown.

    Parameters
    ----------
    current : CurrentStudy
        The study, whose live process finds the vetoes.
    """

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        self._wanted: LawPlace | None = None
        self.call = LatestCall(self)
        self.call.returned.connect(self._take)
        self.call.failed.connect(self.setText)
        self.setWordWrap(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.setMargin(6)

    def show_law(self, place: LawPlace) -> None:
        """Show the vetoes of a law once the tab is visible."""
        self._wanted = place
        self._search()

    def showEvent(self, event: Any) -> None:
        """Find the vetoes of a law that was set while the tab was hidden."""
        super().showEvent(event)
        self._search()

    def _search(self) -> None:
        if self._wanted is not None and self.isVisible():
            self.setText("Searching for vetoes...")
            self.call.start(self.current.live.call, law_vetoes, self._wanted)
            self._wanted = None

    def _take(self, sentences: list[str]) -> None:
        self.setText("\n\n".join(f"•  {sentence}" for sentence in sentences) or _NOTHING)
