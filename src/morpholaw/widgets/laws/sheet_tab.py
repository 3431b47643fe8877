"""The Sheet tab: example cells for the chosen law."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.law_page import LawPlace, sheet
from morpholaw.widgets.pictures.figure_panel import FigurePanel
from morpholaw.widgets.study.current_study import CurrentStudy

if TYPE_CHECKING:
    from morpholaw.interpretation.sheet import LawSheet

CAPTION = "Below each cell: its number in the study, its score by this law, and its label."


class SheetTab(QWidget):
    """Tab with cells that are typical of each side of a law, and cells nearest to its boundary.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study, whose live process chooses the cells.
    """

    def __init__(self, viewer: Any, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        self.shown: LawSheet | None = None
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
        """Choose the cells for a law that was set while the tab was hidden."""
        super().showEvent(event)
        self._choose()

    def _choose(self) -> None:
        if self._wanted is not None and self.isVisible():
            self.caption.hide()
            self.figure.say("Choosing cells...")
            self.call.start(self.current.live.call, sheet, self._wanted)
            self._wanted = None

    def _take(self, cells: LawSheet) -> None:
        self.shown = cells
        self.caption.show()
        self.figure.draw(lambda figsize, theme: _figure(cells, figsize, theme))


def _figure(cells: LawSheet, figsize: Any, theme: Any) -> Any:
    from morpholaw.figures.law_sheet import law_sheet

    return law_sheet(cells.rows, cells.titles, cells.captions, theme=theme, figsize=figsize)
