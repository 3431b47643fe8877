"""The base of all panels: the study bar, the strip below it, an error line, and a body that scrolls."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QResizeEvent, QShowEvent
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QFrame,
    QLineEdit,
    QMainWindow,
    QScrollArea,
    QSizePolicy,
    QTabBar,
    QVBoxLayout,
    QWidget,
)

from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.forms.focus_frame import COLOURS, FocusFrame
from morpholaw.widgets.movie.selection_in_movie import SelectionInMovie
from morpholaw.widgets.pictures.background import background_colour, is_dark
from morpholaw.widgets.study.current_study import CurrentStudy, unwrapped
from morpholaw.widgets.study.docks import SUFFIX, dock_of
from morpholaw.widgets.study.study_bar import StudyBar
from morpholaw.widgets.study.way_strip import WayStrip

if TYPE_CHECKING:
    from napari.components import ViewerModel

HINTS = {"dark": "#c3c7cc", "light": "#454545"}
"""Colour of placeholder text for each kind of napari theme."""


class Connectable(Protocol):
    """A Qt signal or a napari event."""

    def connect(self, slot: Callable[..., Any], /) -> Any:
        """Call ``slot`` whenever the signal is emitted."""


class StudyWidget(QWidget):
    """A panel that shows the viewer's current study.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    viewer : napari.Viewer
        The viewer.
    current : CurrentStudy
        The state shared by the panels of the viewer.
    in_movie : SelectionInMovie
        Shows the selected cells in the movie.
    error_line : ErrorLine
        Where errors are shown; use ``with self.error_line.catch(): ...`` around code that can fail on user input.
    body : QVBoxLayout
        Layout for the contents of the panel; it scrolls when the window is small.
    """

    def __init__(self, napari_viewer: ViewerModel) -> None:
        super().__init__()
        self.viewer = unwrapped(napari_viewer)
        self.current = CurrentStudy.of(napari_viewer)
        if self.current.in_movie is None:
            self.current.in_movie = SelectionInMovie(self.viewer, self.current)
        self.in_movie = self.current.in_movie
        self.error_line = ErrorLine()
        self.study_bar = StudyBar(self.current, self.error_line)
        inside = _Body()
        self.body = QVBoxLayout(inside)
        self.body.setContentsMargins(4, 2, 8, 2)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setWidget(inside)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(4, 4, 4, 4)
        self.way_strip = WayStrip(self.current, self.viewer)
        self._column.addWidget(self.study_bar)
        self._column.addWidget(self.way_strip)
        self._column.addWidget(self.error_line)
        self._column.addWidget(self.scroll_area, 1)
        self.setMinimumWidth(380)
        self._docked = False
        self.current.set_background(background_colour(self.viewer))
        self.listen(self.viewer.events.theme, self._show_theme)
        # This slot must be connected first; otherwise it would clear errors that other slots of the panel report.
        self.listen(self.current.changed, self._show_study)
        study, layers = self.current, self.viewer.layers.events
        for signal in (
            study.crops_changed, study.labels_changed, study.encoder_changed, study.classifiers_changed,
            study.laws_changed, layers.inserted, layers.removed,
        ):  # fmt: skip
            self.listen(signal, self._input_changed)

    def _show_theme(self, _: Any = None) -> None:
        self.current.set_background(background_colour(self.viewer))
        self._colour_hints()

    @property
    def _theme(self) -> str:
        """Kind of napari's theme, "dark" or "light"."""
        return "dark" if is_dark(self.viewer) else "light"

    def _colour_hints(self) -> None:
        """Give placeholder text a contrast of at least 4.5 : 1; Qt's half-transparent text has 3 : 1.

        A style sheet of the whole panel would make Qt compute the style of every control twice.
        """
        ink = HINTS[self._theme]
        for line in self.findChildren(QLineEdit):
            if not isinstance(line.parent(), QAbstractSpinBox):  # which has no placeholder
                line.setStyleSheet(f"placeholder-text-color: {ink};")

    def listen(self, signal: Connectable, slot: Callable[..., Any]) -> None:
        """Connect a method of this widget to a Qt signal or a napari event for as long as the widget exists."""
        # Both hold methods weakly, so the method is disconnected when the widget is deleted. A Python slot connected
        # to Qt's signal "destroyed" would run during garbage collection and crash.
        signal.connect(slot)

    def keep_in_view(self, part: QWidget) -> None:
        """Place a widget above the body, where it stays visible while the body scrolls."""
        part.setContentsMargins(4, 0, 8, 0)  # in line with the body below
        self._column.insertWidget(self._column.indexOf(self.scroll_area), part)

    def showEvent(self, event: QShowEvent | None) -> None:
        """Watch the window of the panel and update the strip."""
        super().showEvent(event)
        self.current.steps.watch(self)
        self.current.collection.watch(self)
        self.way_strip.show_overview()
        if not self._docked:
            self._docked = True
            self._colour_hints()
            # napari 0.9.0 limits what it docks to the height of its size hint
            self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
            QTimer.singleShot(0, self._join_tabs)  # napari places the dock after this event

    def _join_tabs(self) -> None:
        """Become a tab of another panel's dock; napari's menu would place this panel below that dock."""
        dock, window = dock_of(self), self.window()
        if dock is None or dock.isFloating() or not isinstance(window, QMainWindow):
            return
        # this is the text of the tab; the dock keeps its title
        dock.setWindowTitle(dock.windowTitle().removesuffix(SUFFIX))
        area = window.dockWidgetArea(dock)
        for other in window.findChildren(StudyWidget):
            place = dock_of(other)
            if place not in (None, dock) and place.isVisible() and window.dockWidgetArea(place) == area:
                window.tabifyDockWidget(place, dock)
                dock.raise_()
                for bar in window.findChildren(QTabBar, options=Qt.FindChildOption.FindDirectChildrenOnly):
                    bar.setElideMode(Qt.TextElideMode.ElideNone)
                    bar.setUsesScrollButtons(True)
                return

    def focusNextPrevChild(self, next: bool) -> bool:
        """Move the focus to the next or previous control that is on the screen, and draw a frame around it.

        Qt keeps docks behind other tabs visible, outside the window, and the Tab key would visit their controls.
        """
        window = self.window()
        assert window is not None
        start = window.focusWidget()
        moved = super().focusNextPrevChild(next)
        while moved and (focus := window.focusWidget()) is not start and _is_behind(focus):
            moved = super().focusNextPrevChild(next)
        focus = window.focusWidget()
        # Qt also moves the focus by itself, when a control is hidden or disabled
        pressed = start is None or (start.isVisible() and start.isEnabled())
        if moved and pressed and focus is not None and self.isAncestorOf(focus):
            FocusFrame(focus, COLOURS[self._theme])
        return moved

    def sizeHint(self) -> QSize:
        """Return a width that leaves room for a plot beside the canvas at 1280 x 800."""
        hint = super().sizeHint()
        hint.setWidth(max(hint.width(), 400))
        return hint

    def _show_study(self) -> None:
        for line in self.findChildren(ErrorLine):
            line.clear()
        self.study_bar.show_name()
        self.way_strip.show_overview()

    def _input_changed(self, _: Any = None) -> None:
        for line in self.findChildren(ErrorLine):
            line.clear_input_error()
        self.way_strip.show_overview()


def _is_behind(control: QWidget | None) -> bool:
    """Whether a control is in a dock that is behind another tab."""
    dock = None if control is None else dock_of(control)
    return dock is not None and dock.visibleRegion().isEmpty()


class _Body(QWidget):
    """The contents of the scroll area, at least as high as its wrapped labels need, which Qt does not ensure."""

    def minimumSizeHint(self) -> QSize:
        """Return the minimum size of the layout at the current width; a smaller size would squeeze the plots."""
        hint = super().minimumSizeHint()
        layout = self.layout()
        if layout is not None and layout.hasHeightForWidth():
            hint.setHeight(max(hint.height(), layout.minimumHeightForWidth(self.width())))
        return hint

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Update the minimum size when the width changes."""
        super().resizeEvent(event)
        if event is not None and event.oldSize().width() != event.size().width():
            self.updateGeometry()
