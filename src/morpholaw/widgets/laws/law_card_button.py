"""A button that writes the law card of the chosen law and opens it in the browser."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QPushButton

from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.law_page import LawPlace, write_card
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.open_page import open_page

FOLDER = "law cards"
"""Subfolder of the study to which the cards are written."""

TITLE = "Write the law card and open it"


class LawCardButton(QPushButton):
    """Button that writes the card of the law on display and opens it in the browser.

    Parameters
    ----------
    current : CurrentStudy
        The study, whose live process writes the card.
    error_line : ErrorLine
        Where errors are shown.
    """

    def __init__(self, current: CurrentStudy, error_line: ErrorLine) -> None:
        super().__init__(TITLE)
        self.setToolTip(
            "Write a page with everything that is known about this law, and the same as PDF, into the study's folder. "
            "The page opens in the browser."
        )
        self.current, self._error_line = current, error_line
        self.place: LawPlace | None = None
        self.call = LatestCall(self, live=True)
        self.call.returned.connect(self._written)
        self.call.failed.connect(self._not_written)
        self.clicked.connect(self._write)

    def _write(self) -> None:
        place = self.place
        with self._error_line.catch():
            study = self.current.required()
            if place is None:
                return
            self._wait(True)
            card = study.path / FOLDER / f"{place.name} law {place.member + 1}.html"
            self.call.start(self.current.live.call, write_card, place, str(card))

    def _written(self, card: str) -> None:
        self._wait(False)
        open_page(Path(card))

    def _not_written(self, sentence: str) -> None:
        self._wait(False)
        self._error_line.say(sentence)

    def _wait(self, on: bool) -> None:
        self.setEnabled(not on)
        self.setText("Writing the law card..." if on else TITLE)
