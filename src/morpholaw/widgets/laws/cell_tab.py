"""The Cell tab: why the law predicts the class of the selected cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from morpholaw import escape
from morpholaw.display import significant
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.law_page import LawPlace, explained_cell
from morpholaw.widgets.pictures.picture_grid import PictureGrid, grey_tiles, white_of
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    from morpholaw.interpretation.cell_reasons import CellReasons

_NO_CELL = "Click a cell in the movie, or select one in the gallery of the Cells panel."


class CellTab(QWidget):
    """Tab that explains the class that the chosen law predicts for the first selected cell.

    Parameters
    ----------
    current : CurrentStudy
        The study and its selected cells.
    """

    def __init__(self, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        self.place: LawPlace | None = None
        self.reasons: CellReasons | None = None
        self._stale = False
        self.picture = PictureGrid(_NO_CELL, largest=120)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setTextFormat(Qt.TextFormat.RichText)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.call = LatestCall(self)
        self.call.returned.connect(self._take)
        self.call.failed.connect(self._failed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addWidget(self.picture)
        layout.addWidget(self.words)
        layout.addStretch(1)

    def show_law(self, place: LawPlace | None) -> None:
        """Explain the selected cell by a law; None means that there is no law."""
        self.place = place
        self.ask()

    def ask(self) -> None:
        """Explain the selected cell, once the tab is visible."""
        self._stale = True
        if not self.isVisible():
            return
        self._stale = False
        crops, selection = self.current.crops, self.current.selection
        if self.place is None or crops is None or not selection:
            self.call.forget()
            self.reasons = None
            self.picture.clear(_NO_CELL)
            self.words.clear()
            return
        crop = crops[selection[:1]]
        self.picture.show_titled(
            grey_tiles(crop / 255.0, high=white_of(crop / 255.0)), [f"#{selection[0]}"], 1
        )
        self.words.setText("Reading the law...")
        self.call.start(self.current.live.call, explained_cell, self.place, int(selection[0]))

    def showEvent(self, event: Any) -> None:
        """Explain a cell that was selected while the tab was hidden."""
        super().showEvent(event)
        if self._stale:
            self.ask()

    def _take(self, reasons: CellReasons) -> None:
        self.reasons = reasons
        self.words.setText(reasons_html(reasons))

    def _failed(self, sentence: str) -> None:
        self.reasons = None
        self.words.setText(str(escape.html(sentence)))


def reasons_html(reasons: CellReasons) -> str:
    """Return the reasons as HTML: sentences and a table of the terms."""
    rows = "".join(
        f"<tr><td>{_bold(escape.html(term.text), term is reasons.decisive)}&nbsp;&nbsp;</td>"
        f"<td align=right>{significant(term.value)}&nbsp;&nbsp;</td>"
        f"<td align=right>{significant(term.typical)}</td></tr>"
        for term in reasons.terms
    )
    table = (
        "<br><table cellspacing=2><tr><th align=left>Term</th><th align=right>this cell&nbsp;&nbsp;</th>"
        f"<th align=right>median cell</th></tr>{rows}</table>"
        if rows
        else ""
    )
    return f"<qt>{escape.html(reasons.text)}{table}</qt>"


def _bold(text: str, on: bool) -> str:
    return f"<b>{text}</b>" if on else text
