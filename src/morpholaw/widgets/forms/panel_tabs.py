"""Tabs as high as the page that is shown, which is shown from its top."""

from __future__ import annotations

from qtpy.QtWidgets import QScrollArea, QSizePolicy, QTabWidget


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

    def tabInserted(self, index: int) -> None:
        """Take the height of a page into account that was added."""
        super().tabInserted(index)
        self._fit()

    def _fit(self, _: int = -1) -> None:
        for index in range(self.count()):
            page = self.widget(index)
            if page is not None:
                shown = index == self.currentIndex()
                policy = QSizePolicy.Policy.Preferred if shown else QSizePolicy.Policy.Ignored
                page.setSizePolicy(QSizePolicy.Policy.Preferred, policy)
        self.updateGeometry()
        bar = self._scroll_area.verticalScrollBar()
        if bar is not None:
            bar.setValue(0)
