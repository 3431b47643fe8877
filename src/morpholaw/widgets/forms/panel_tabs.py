"""Tabs as high as the page that is shown, which is shown from its top."""

from __future__ import annotations

from qtpy.QtWidgets import QScrollArea, QSizePolicy, QTabWidget, QWidget


class PanelTabs(QTabWidget):
    """Tabs inside a scroll area; the pages that are hidden take no room.

    Parameters
    ----------
    scroll_area : QScrollArea
        What scrolls them.
    """

    def __init__(self, scroll_area: QScrollArea) -> None:
        super().__init__()
        self._scroll_area = scroll_area
        self.currentChanged.connect(self._fit)

    def addTab(self, page: QWidget, title: str) -> int:
        """Add a page."""
        index = super().addTab(page, title)
        self._fit()
        return index

    def _fit(self, _: int = -1) -> None:
        for index in range(self.count()):
            shown = index == self.currentIndex()
            policy = QSizePolicy.Policy.Preferred if shown else QSizePolicy.Policy.Ignored
            self.widget(index).setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self.updateGeometry()
        self._scroll_area.verticalScrollBar().setValue(0)
