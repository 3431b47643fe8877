"""What all panels share: the study bar on top, a line for errors, and a body that scrolls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from morpholaw.widgets.forms.error_line import ErrorLine
from morpholaw.widgets.jobs.close_guard import CloseGuard
from morpholaw.widgets.study.current_study import CurrentStudy, unwrapped
from morpholaw.widgets.study.study_bar import StudyBar


class StudyWidget(QWidget):
    """A panel that shows the viewer's current study.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer, or napari's proxy of it.

    Attributes
    ----------
    viewer : napari.Viewer
        The viewer itself.
    current : CurrentStudy
        What the viewer's panels share.
    error_line : ErrorLine
        ``with self.error_line.catch(): ...`` around whatever a person's input can break.
    body : QVBoxLayout
        Where the panel's own parts go; it scrolls when the window is small.
    """

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self.viewer = unwrapped(napari_viewer)
        self.current = CurrentStudy.of(napari_viewer)
        self.error_line = ErrorLine()
        self.study_bar = StudyBar(self.current, self.error_line)
        inside = _Body()
        self.body = QVBoxLayout(inside)
        self.body.setContentsMargins(4, 2, 8, 2)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.addWidget(self.study_bar)
        layout.addWidget(self.error_line)
        layout.addWidget(self.scroll_area, 1)
        self.setMinimumWidth(380)
        self._guard = CloseGuard(self, self._window_closes, docks=False)
        self.listen(self.current.changed, self._show_study)

    def listen(self, signal: Any, slot: Callable[..., Any]) -> None:
        """Connect a method of this widget to a psygnal or napari event, until the widget is gone."""
        # Both kinds of event hold a method weakly: it is disconnected when the widget goes. A Python slot on Qt's
        # own "destroyed" would run in the middle of a garbage collection, which crashes.
        signal.connect(slot)

    def showEvent(self, event: Any) -> None:
        """Watch the window that the panel is in."""
        super().showEvent(event)
        self._guard.watch()

    def _window_closes(self) -> bool:
        self.current.live.close()  # it starts again where another window of the viewer needs it
        return True

    def sizeHint(self) -> Any:
        """Wide enough for a plot beside the canvas at 1280 x 800."""
        hint = super().sizeHint()
        hint.setWidth(max(hint.width(), 400))
        return hint

    def _show_study(self) -> None:
        self.error_line.clear()
        self.study_bar.show_name()


class _Body(QWidget):
    """What scrolls: as high as its wrapped lines need at its width, which Qt's own minimum doesn't count."""

    def minimumSizeHint(self) -> Any:
        """The layout's minimum at the present width; less would squeeze the plots."""
        hint = super().minimumSizeHint()
        layout = self.layout()
        if layout is not None and layout.hasHeightForWidth():
            hint.setHeight(max(hint.height(), layout.minimumHeightForWidth(self.width())))
        return hint

    def resizeEvent(self, event: Any) -> None:
        """Say that the minimum is another one at another width."""
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.updateGeometry()
