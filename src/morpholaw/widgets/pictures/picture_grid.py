"""Small images in rows and columns, painted by Qt, which is fast enough to follow a slider, unlike a figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qtpy.QtCore import QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

SIGNED_COLOURS = np.array([[178, 24, 43], [244, 165, 130], [247, 247, 247], [146, 197, 222], [33, 102, 172]])
"""Red below zero, white at zero, blue above zero (RdBu), as in the figures."""
_GAP = 2
_LINE = 14


class PictureGrid(QWidget):
    """Grid of images with names, scaled to the width of the widget.

    Parameters
    ----------
    sentence : str
        Text shown while there is no image.
    largest : int
        Largest side of an image on the screen, in pixels.

    Notes
    -----
    ``picked`` is emitted with the row and the column of a clicked image.
    """

    picked = Signal(int, int)

    def __init__(self, sentence: str = "", largest: int = 128) -> None:
        super().__init__()
        self.sentence, self.largest = sentence, largest
        self.tiles = np.zeros((0, 0, 1, 1, 3), np.uint8)
        self.row_names: list[str] = []
        self.column_names: list[str] = []
        self.captions: list[str] = []
        self.titles: list[str] = []
        self.setMinimumWidth(320)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._fit()

    def show_pictures(
        self,
        tiles: np.ndarray,
        row_names: Sequence[str] = (),
        column_names: Sequence[str] = (),
        captions: Sequence[str] = (),
    ) -> None:
        """Show RGB images, uint8 (rows, columns, h, w, 3), with captions of one or more lines below the columns."""
        self.tiles = np.ascontiguousarray(tiles)
        self.row_names, self.column_names = list(row_names), list(column_names)
        self.captions, self.titles = list(captions), []
        self._fit()
        self.update()

    def show_titled(self, tiles: np.ndarray, titles: Sequence[str], columns: int) -> None:
        """Show RGB images, uint8 (n, h, w, 3), in rows of ``columns`` images, each with a title above it."""
        rows = -(-len(tiles) // columns)
        filled = np.zeros((rows * columns, *tiles.shape[1:]), np.uint8)
        filled[: len(tiles)] = tiles
        self.show_pictures(filled.reshape(rows, columns, *tiles.shape[1:]))
        self.titles = list(titles)
        self._fit()

    def clear(self, sentence: str | None = None) -> None:
        """Remove the images and show a sentence instead."""
        if sentence is not None:
            self.sentence = sentence
        self.show_pictures(np.zeros((0, 0, 1, 1, 3), np.uint8))

    @property
    def empty(self) -> bool:
        """Whether there is no image."""
        return self.tiles.size == 0

    def sizeHint(self) -> QSize:
        """Return the default width and the height of the images."""
        return QSize(360, self._height())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Scale the images with the width."""
        super().resizeEvent(event)
        self._fit()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Emit ``picked`` for the clicked image."""
        if event is None:
            return
        place = event.position().toPoint()
        for row, column in np.ndindex(*self.tiles.shape[:2]):
            if self.place_of(row, column).contains(place):
                self.picked.emit(row, column)

    def place_of(self, row: int, column: int) -> QRect:
        """Return the rectangle of an image."""
        side, top = self._side(), _LINE if self.column_names else 0
        corner = QPoint(self._left() + column * (side + _GAP), top + row * self._pitch() + self._title())
        return QRect(corner, QSize(side, side))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint names, images and captions."""
        painter = QPainter(self)
        painter.setPen(self.palette().color(self.foregroundRole()))
        if self.empty:
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.sentence
            )
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        font = painter.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85))
        painter.setFont(font)
        rows, columns = self.tiles.shape[:2]
        side, left, top = self._side(), self._left(), _LINE if self.column_names else 0
        for column, name in enumerate(self.column_names[:columns]):
            place = QRect(left + column * (side + _GAP), 0, side, _LINE)
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, name)
        for row in range(rows):
            y = top + row * self._pitch() + self._title()
            if row < len(self.row_names):
                place = QRect(0, y, left - 4, side)
                flags = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight | Qt.TextFlag.TextWordWrap
                painter.drawText(place, flags, self.row_names[row])
            for column in range(columns):
                place = self.place_of(row, column)
                if self.titles:
                    number = row * columns + column
                    if number >= len(self.titles):
                        continue
                    above = QRect(place.left(), y - _LINE, side, _LINE)
                    painter.drawText(above, Qt.AlignmentFlag.AlignCenter, self.titles[number])
                painter.drawImage(place, _image(self.tiles[row, column]))
        y = top + rows * self._pitch()
        for column, text in enumerate(self.captions[:columns]):
            place = QRect(left + column * (side + _GAP), y, side, _LINE * self._caption_lines())
            painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, text)

    def _fit(self) -> None:
        height = self._height()
        if height != self.height() or height != self.minimumHeight():
            self.setFixedHeight(height)

    def _left(self) -> int:
        width = max((self.fontMetrics().horizontalAdvance(name) for name in self.row_names), default=0)
        return width + 6 if width else 0

    def _side(self) -> int:
        columns = max(1, self.tiles.shape[1])
        room = (max(self.width(), 320) - self._left()) // columns - _GAP
        return int(np.clip(room, 16, self.largest))

    def _title(self) -> int:
        """Height of the titles above each row."""
        return _LINE if self.titles else 0

    def _pitch(self) -> int:
        """Height of a row."""
        return self._side() + _GAP + self._title()

    def _caption_lines(self) -> int:
        return max((text.count("\n") + 1 for text in self.captions), default=0)

    def _height(self) -> int:
        if self.empty:
            return 60
        lines = self._caption_lines() + bool(self.column_names)
        return int(self.tiles.shape[0]) * self._pitch() + lines * _LINE + 2


def grey_tiles(pictures: np.ndarray, high: float = 1.0) -> np.ndarray:
    """Return grey images (..., h, w) as RGB images, uint8 (..., h, w, 3), with 0 black and ``high`` white."""
    level = np.clip(np.asarray(pictures, np.float32) / max(high, 1e-9), 0, 1)
    return np.repeat(np.rint(np.nan_to_num(level) * 255).astype(np.uint8)[..., None], 3, axis=-1)


def signed_tiles(pictures: np.ndarray, limit: float) -> np.ndarray:
    """Return differences (..., h, w) as RGB images, uint8 (..., h, w, 3): red at -limit, white at 0, blue at limit."""
    level = np.clip(np.nan_to_num(np.asarray(pictures, np.float32)) / max(limit, 1e-9), -1, 1)
    stops = np.linspace(-1, 1, len(SIGNED_COLOURS))
    channels = [np.interp(level, stops, SIGNED_COLOURS[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def white_of(pictures: np.ndarray) -> float:
    """Return the grey level to show as white, at least 0.1: the 99.9th percentile, so that dim cells are visible."""
    return max(float(np.percentile(pictures, 99.9)), 0.1) if pictures.size else 1.0


def _image(tile: np.ndarray) -> QImage:
    height, width = tile.shape[:2]
    return QImage(tile.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)


def muted(colour: QColor) -> QColor:
    """Return a half-transparent colour, for less important lines."""
    pale = QColor(colour)
    pale.setAlpha(130)
    return pale
