"""A figure with one point per cell: point at a cell to see its crop, click to select it, draw a line around several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QPainter, QPaintEvent, QPen, QPixmap, QPolygonF
from qtpy.QtWidgets import QLabel, QWidget

from morpholaw.figures.palette import seen_on
from morpholaw.widgets.pictures.arrow_keys import ARROWS, next_point
from morpholaw.widgets.pictures.background import background_colour
from morpholaw.widgets.pictures.drawing import Limits, Make, PlacedDrawing, draw_placed
from morpholaw.widgets.pictures.figure_panel import FigurePanel

if TYPE_CHECKING:
    from napari.components import ViewerModel

REACH = 10.0
"""Largest distance from the mouse to a point that it hits, in pixels of the window, for points as small as a map's."""
DRAG = 5.0
"""Distance in pixels of the window beyond which a press draws a line."""
MOST_MARKED = 1500
"""Largest number of selected cells that are marked."""
SIDE = 84
"""Side of the crop beside the mouse, in pixels of the window."""
MARK = "#f0e442"
ZOOM_KEYS = {"+": 1.25, "=": 1.25, "-": 0.8}
"""Zoom factor of each key."""


class CellPicture(FigurePanel):
    """Figure of cells in which the selected ones are marked.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    sentence : str
        Text shown until there is a figure.
    image_of : callable
        Returns the pixmap of a cell by its global index.
    about : callable
        Returns one or two lines about a cell.
    reach : float
        Largest distance from the mouse to a point that it hits, in pixels of the window.

    Attributes
    ----------
    cells : ndarray, int64 (n,)
        Global index of the cell of each point in the figure.
    drawing : PlacedDrawing or None
        The figure on display.
    hovered : int or None
        The cell under the mouse.
    zooms : bool
        Whether the wheel zooms the figure instead of scrolling the panel.

    Notes
    -----
    ``chosen`` is emitted with the global indices of the cells that were clicked or encircled; with Shift, they are
    added to the selection. The wheel and the keys + and - zoom, a double click or Home shows everything again, and the
    arrow keys move to the next cell.
    """

    chosen = Signal(list)

    def __init__(
        self,
        viewer: ViewerModel,
        sentence: str,
        image_of: Callable[[int], QPixmap],
        about: Callable[[int], str],
        reach: float = REACH,
    ) -> None:
        self.cells = np.empty(0, np.int64)
        self.drawing: PlacedDrawing | None = None
        self.hovered: int | None = None
        self.zooms = True
        self.selected: list[int] = []
        self._points = np.empty((0, 2))
        self._next_cells = self.cells
        self._limits: Limits | None = None
        self._lasso: list[QPointF] = []
        self._mouse = QPointF()
        self._image_of, self._about, self._reach = image_of, about, reach
        super().__init__(viewer, sentence)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def draw_cells(self, make: Make, points: np.ndarray, cells: np.ndarray, keep_zoom: bool = False) -> None:
        """Show the figure that ``make(figsize, theme)`` returns.

        Parameters
        ----------
        make : callable
            Returns the figure; it is called in a thread.
        points : ndarray, float (n, 2)
            Positions of the cells in the first axes of the figure.
        cells : ndarray, int64 (n,)
            Global indices of the cells.
        keep_zoom : bool
            Whether to keep the zoom, for example if only colours change.
        """
        self._points, self._next_cells = np.asarray(points, float), np.asarray(cells, np.int64)
        if not keep_zoom:
            self._limits = None
        self.draw(make)

    def say(self, sentence: str) -> None:
        """Show a sentence instead of a figure."""
        self.drawing, self.hovered, self._lasso = None, None, []
        super().say(sentence)

    def select(self, cells: Sequence[int]) -> None:
        """Mark the selected cells."""
        self.selected = list(cells)
        self._picture.update()

    def place_of(self, cell: int) -> tuple[float, float] | None:
        """Return the column and row of a cell in pixels of the figure; None if the cell is not shown."""
        if self.drawing is None:
            return None
        points = np.flatnonzero(self.cells == cell)
        if not len(points):
            return None
        x, y = self.drawing.places[points[0]]
        return float(x), float(y)

    @property
    def surface(self) -> QWidget:
        """The widget that shows the figure and receives mouse events."""
        return self._picture

    def _new_picture(self) -> QLabel:
        return _Surface(self)

    def _start(self, make: Make, width: int, dark: bool, ratio: float) -> None:
        cells = self._next_cells

        def drawn(*arguments: Any) -> tuple[PlacedDrawing, np.ndarray]:
            return draw_placed(*arguments), cells

        self.call.start(drawn, make, self._points, self._limits, width, dark, ratio)

    def _show(self, drawing: Any) -> None:
        placed, cells = drawing
        self.drawing, self.cells, self.hovered = placed, cells, None
        super()._show(placed)

    def cell_at(self, place: QPointF) -> int | None:
        """Return the cell whose point is nearest to a position in the figure; None if none is near."""
        if self.drawing is None or not len(self.drawing.places):
            return None
        distance = np.hypot(*(self.drawing.places - [place.x(), place.y()]).T)
        distance[~self._visible()] = np.inf
        best = int(np.argmin(distance))
        return int(self.cells[best]) if distance[best] <= self._reach else None

    def _visible(self) -> np.ndarray:
        """Return which points lie within the axes, bool (n,)."""
        assert self.drawing is not None
        (left, top), (right, bottom) = self.drawing.frame
        x, y = self.drawing.places.T
        shown: np.ndarray = (x >= left - 2) & (x <= right + 2) & (y >= top - 2) & (y <= bottom + 2)
        return shown

    def _circled(self) -> list[int]:
        """Return the cells inside the line drawn by the user."""
        assert self.drawing is not None
        from matplotlib.path import Path

        line = np.array([[point.x(), point.y()] for point in self._lasso])
        inside = Path(line).contains_points(self.drawing.places) & self._visible()
        return [int(cell) for cell in self.cells[inside]]

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move to the next cell with the arrow keys, zoom with + and -, and show everything with Home."""
        if event is None or self.drawing is None:
            super().keyPressEvent(event)
            return
        key = event.key()
        (left, top), (right, bottom) = self.drawing.frame
        middle = QPointF((left + right) / 2, (top + bottom) / 2)
        if key in ARROWS:
            self._step(key, middle)
        elif self.zooms and event.text() in ZOOM_KEYS:
            self.zoom(middle, ZOOM_KEYS[event.text()])
        elif self.zooms and key == Qt.Key.Key_Home:
            self.zoom(middle, 0)
        else:
            super().keyPressEvent(event)

    def _step(self, key: int, middle: QPointF) -> None:
        """Select the next cell from the selected one, or from the middle, in the direction of an arrow key."""
        assert self.drawing is not None
        current = self.place_of(self.selected[0]) if self.selected else None
        start = (middle.x(), middle.y()) if current is None else current
        places = np.where(self._visible()[:, None], self.drawing.places, np.nan)
        next_place = next_point(places, np.array(start), key)
        if next_place is not None:
            self.chosen.emit([int(self.cells[next_place])])

    def pressed(self, place: QPointF) -> None:
        """Begin a click or a line."""
        self.setFocus()
        self._lasso = [place]

    def moved(self, place: QPointF, drawing: bool) -> None:
        """Show the cell under the mouse, or continue a line."""
        self._mouse = place
        if drawing and self._lasso:
            self._lasso.append(place)
            self.hovered = None
        else:
            self.hovered = self.cell_at(place)
        self._picture.update()

    def released(self, place: QPointF, add: bool) -> None:
        """Select the clicked cell, or the cells inside the line."""
        if not self._lasso or self.drawing is None:
            return
        start = self._lasso[0]
        reach = max(
            abs(point.x() - start.x()) + abs(point.y() - start.y()) for point in [*self._lasso, place]
        )
        if reach > DRAG and len(self._lasso) > 2:
            cells = self._circled()
        else:
            cell = self.cell_at(place)
            cells = [] if cell is None else [cell]
        self._lasso = []
        self._picture.update()
        if add:
            cells = list(dict.fromkeys([*self.selected, *cells]))
        if cells:
            self.chosen.emit(cells)

    def zoom(self, place: QPointF, factor: float) -> None:
        """Zoom in by ``factor`` around a position in the figure; 0 shows everything."""
        if self.drawing is not None and self._make is not None:
            self._limits = None if factor == 0 else self.drawing.zoomed(place.x(), place.y(), factor)
            self._soon()

    def left(self) -> None:
        """Hide the crop beside the mouse."""
        self.hovered = None
        self._picture.update()

    def paint_over(self, painter: QPainter) -> None:
        """Paint the marks, the line, and the crop beside the mouse over the figure."""
        if self.drawing is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_marks(painter)
        if len(self._lasso) > 1:
            painter.setPen(QPen(self.ink, 1.5, Qt.PenStyle.DashLine))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolygon(QPolygonF(self._lasso))
        if self.hovered is not None:
            self._paint_hovered(painter, self.hovered)

    @property
    def ink(self) -> QColor:
        """The colour of lines over the figure, which are seen in the viewer's theme."""
        return QColor(seen_on(background_colour(self.viewer), MARK))

    def _paint_marks(self, painter: QPainter) -> None:
        assert self.drawing is not None
        marked = np.isin(self.cells, self.selected[:MOST_MARKED]) & self._visible()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        places = self.drawing.places[marked].tolist()
        radius, width = (5.5, 1.6) if len(places) < 100 else (2.8, 0.8)
        if len(places) < 100:  # a dark rim makes the mark visible on any colour
            painter.setPen(QPen(QColor("#000000"), 3.5))
            for x, y in places:
                painter.drawEllipse(QPointF(x, y), radius, radius)
        painter.setPen(QPen(QColor(MARK) if len(places) < 100 else self.ink, width))
        for x, y in places:
            painter.drawEllipse(QPointF(x, y), radius, radius)

    def _paint_hovered(self, painter: QPainter, cell: int) -> None:
        lines, image = self._about(cell).split("\n"), self._image_of(cell)
        side = 0 if image.isNull() else SIDE
        text, metrics = "\n".join(lines), painter.fontMetrics()
        width = max(side, *(metrics.horizontalAdvance(line) for line in lines)) + 12
        height = side + len(lines) * metrics.height() + 12
        x = min(self._mouse.x() + 14, self._picture.width() - width)
        y = self._mouse.y() + 14
        if y + height > self._picture.height():
            y = self._mouse.y() - height - 8
        box = QRectF(max(0.0, x), max(0.0, y), width, height)
        painter.setPen(QPen(QColor(MARK), 1))
        painter.setBrush(QColor("#16181d"))
        painter.drawRect(box)
        place = QRectF(box.x() + (width - side) / 2, box.y() + 5, side, side)
        if not image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(place, image, QRectF(image.rect()))
        painter.setPen(QColor("#f0f1f2"))
        below = QRectF(box.x(), place.bottom() + 3, width, len(lines) * metrics.height() + 2)
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, text)


class _Surface(QLabel):
    """The figure as an image that receives mouse events."""

    def __init__(self, owner: CellPicture) -> None:
        super().__init__()
        self._owner = owner
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.CrossCursor)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the figure and what lies over it."""
        super().paintEvent(event)
        painter = QPainter(self)
        self._owner.paint_over(painter)
        painter.end()

    def mousePressEvent(self, event: Any) -> None:
        """Begin a click or a line."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._owner.pressed(event.position())

    def mouseMoveEvent(self, event: Any) -> None:
        """Show the cell under the mouse, or continue a line."""
        self._owner.moved(event.position(), bool(event.buttons() & Qt.MouseButton.LeftButton))

    def mouseReleaseEvent(self, event: Any) -> None:
        """End a click or a line."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._owner.released(
                event.position(), bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            )

    def mouseDoubleClickEvent(self, event: Any) -> None:
        """Show everything again."""
        self._owner.zoom(event.position(), 0)

    def wheelEvent(self, event: Any) -> None:
        """Zoom in or out, or let the panel scroll."""
        steps = event.angleDelta().y() / 120
        if not self._owner.zooms:
            event.ignore()  # the panel scrolls
        elif steps:
            self._owner.zoom(event.position(), 1.25**steps)
            event.accept()

    def leaveEvent(self, event: QEvent | None) -> None:
        """Hide the crop beside the mouse."""
        super().leaveEvent(event)
        self._owner.left()
