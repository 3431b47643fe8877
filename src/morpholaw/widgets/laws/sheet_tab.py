"""Cells that show what the chosen law does."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.law_page import LawPlace, sheet
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy

CAPTION = "Below each cell: its number in the study, its score by this law, and its label."


class SheetTab(QWidget):
    """Shows cells that are typical of each side of a law, and nearest to its boundary.

    Parameters
    ----------
    viewer : napari.Viewer
        Its theme is the figure's.
    current : CurrentStudy
        The study, whose live process chooses the cells.
    """

    def __init__(self, viewer: Any, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        self.shown: Any = None
        self._wanted: LawPlace | None = None
        self.figure = FigurePanel(viewer)
        self.caption = QLabel(CAPTION)
        self.caption.setWordWrap(True)
        self.caption.hide()
        self.call = LatestCall(self)
        self.call.returned.connect(self._take)
        self.call.failed.connect(self.figure.say)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.figure)
        layout.addWidget(self.caption)
        layout.addStretch(1)

    def show_law(self, place: LawPlace | None) -> None:
        """Show the cells of a law once the tab is visible."""
        self._wanted = place
        self._choose()

    def showEvent(self, event: Any) -> None:
        """Choose cells of a law that was shown while the tab was hidden."""
        super().showEvent(event)
        self._choose()

    def _choose(self) -> None:
        if self._wanted is not None and self.isVisible():
            self.caption.hide()
            self.figure.say("Choosing cells...")
            self.call.start(self.current.live.call, sheet, self._wanted)
            self._wanted = None

    def _take(self, found: Any) -> None:
        self.shown = found
        self.caption.show()
        self.figure.draw(lambda figsize, theme: _figure(found, figsize, theme))


def _figure(found: Any, figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.law_sheet import law_sheet

    return law_sheet(found.rows, found.titles, found.captions, theme=theme, figsize=figsize)
