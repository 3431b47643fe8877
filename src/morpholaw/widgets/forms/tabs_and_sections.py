"""Parts of a panel that are shown one at a time (tabs) or after a click on their title (sections)."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QScrollArea, QSizePolicy, QTabWidget, QToolButton, QVBoxLayout, QWidget


def add_tab(tabs: QTabWidget, page: QWidget, title: str, tooltip: str) -> None:
    """Add a page to tabs; the tooltip of its title, a sentence, says what the page shows."""
    tabs.setTabToolTip(tabs.addTab(page, title), tooltip)


class PanelTabs(QTabWidget):
    """Tabs inside a scroll area; hidden pages take no room.

    Parameters
    ----------
    scroll_area : QScrollArea
        The scroll area that contains the tabs.
    """

    def __init__(self, scroll_area: QScrollArea) -> None:
        super().__init__()
        self._scroll_area = scroll_area
        self.currentChanged.connect(self._fit)

    def tabInserted(self, index: int) -> None:
        """Adjust the height to the new page."""
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


class Section(QWidget):
    """A title with a triangle that shows or hides the body below it.

    The triangle is part of the text of the title, so it has the colour of the text in every theme.

    Parameters
    ----------
    title : str
        Title of the section.
    tooltip : str
        Tooltip of the title, a sentence.
    """

    def __init__(self, title: str, tooltip: str = "") -> None:
        super().__init__()
        self._title = title
        self.button = QToolButton()
        self.button.setCheckable(True)
        self.button.setToolTip(tooltip)
        self.button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.body = QWidget()
        self._body_layout = QVBoxLayout(self.body)
        self._body_layout.setContentsMargins(0, 2, 0, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self.button)
        layout.addWidget(self.body)
        self.button.toggled.connect(self._show_body)
        self._show_body(False)

    def add_widget(self, widget: QWidget) -> None:
        """Add a widget to the body."""
        self._body_layout.addWidget(widget)

    @property
    def expanded(self) -> bool:
        """Whether the body is shown."""
        return self.button.isChecked()

    def expand(self, on: bool = True) -> None:
        """Show or hide the body."""
        self.button.setChecked(on)

    def _show_body(self, on: bool) -> None:
        self.button.setText(f"{'▾' if on else '▸'} {self._title}")
        self.body.setVisible(on)
