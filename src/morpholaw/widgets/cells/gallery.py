"""A gallery of crops that reads a crop when it is shown, not before: any number of them scroll smoothly."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractListModel, QEvent, QItemSelectionModel, QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetrics, QImage, QKeySequence, QPainter, QPen, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QWidget

from morpholaw.errors import InputError

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops

KEPT = 2000
"""Pictures that are kept after they were shown: 8 MB of 64 x 64 crops."""
SIDE = 76
"""Pixels of the screen that a crop is shown at."""
CAPTION = 15
BRIGHTER = np.round(255 * (np.arange(256) / 255) ** 0.6).astype(np.uint8)
"""How grey levels are shown: interphase nuclei are far darker than mitotic ones, on purpose."""


class CropModel(QAbstractListModel):
    """Crops in some order, by their global index.

    Attributes
    ----------
    crops : Crops or None
        Where pictures are read from.
    order : ndarray, int64 (rows,)
        The crop of each row.
    reads : int
        How many crops were read so far.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.crops: Crops | None = None
        self.order = np.empty(0, np.int64)
        self.reads = 0
        self.label_of: Callable[[int], str] = lambda _: ""
        self.about: Callable[[int], str] = lambda _: ""
        self._pictures: OrderedDict[int, QPixmap] = OrderedDict()

    def show_crops(self, crops: Crops | None, order: np.ndarray) -> None:
        """Show crops in an order of global indices."""
        self.beginResetModel()
        if crops is not self.crops:
            self._pictures.clear()
        self.crops, self.order = crops, np.asarray(order, np.int64)
        self.endResetModel()

    def row_of(self, crop: int) -> int:
        """The row of a crop, -1 where it is filtered out."""
        rows = np.flatnonzero(self.order == crop)
        return int(rows[0]) if len(rows) else -1

    def changed(self, crops: Any) -> None:
        """Say that the labels of some crops changed."""
        for row in np.flatnonzero(np.isin(self.order, list(crops))):
            index = self.index(int(row))
            self.dataChanged.emit(index, index)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """How many crops there are."""
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The class (display), the picture (decoration), the global index (user) or words about a crop."""
        if not index.isValid() or not 0 <= index.row() < len(self.order):
            return None
        crop = int(self.order[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return self.label_of(crop)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._picture(crop)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.about(crop)
        return crop if role == Qt.ItemDataRole.UserRole else None

    def _picture(self, crop: int) -> QPixmap:
        if crop not in self._pictures:
            self._pictures[crop] = self._read(crop)
            while len(self._pictures) > KEPT:
                self._pictures.popitem(last=False)
        self._pictures.move_to_end(crop)
        return self._pictures[crop]

    def _read(self, crop: int) -> QPixmap:
        self.reads += 1
        try:
            pixels = BRIGHTER[self.crops[crop]]
        except (InputError, OSError, IndexError):
            return QPixmap()  # the study's folder is gone: an empty frame says so without a dialog
        height, width = pixels.shape
        image = QImage(pixels.data, width, height, width, QImage.Format.Format_Grayscale8)
        return QPixmap.fromImage(image.copy())


class _CropDelegate(QStyledItemDelegate):
    """Draws a crop, framed in its class's colour, the class's name below."""

    def __init__(self, colour_of: Callable[[str], str], parent: QWidget) -> None:
        super().__init__(parent)
        self.colour_of = colour_of

    def sizeHint(self, option: Any, index: QModelIndex) -> QSize:
        """The same for every crop."""
        return QSize(SIDE + 8, SIDE + CAPTION + 8)

    def paint(self, painter: QPainter, option: Any, index: QModelIndex) -> None:
        """Draw one crop."""
        painter.save()
        place = QRect(option.rect.x() + 4, option.rect.y() + 4, SIDE, SIDE)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect.adjusted(1, 1, -1, -1), option.palette.highlight())
        picture = index.data(Qt.ItemDataRole.DecorationRole)
        if picture is None or picture.isNull():
            painter.fillRect(place, QColor("#444"))
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(place, picture)
        label = index.data(Qt.ItemDataRole.DisplayRole)
        if label:
            painter.setPen(QPen(QColor(self.colour_of(label)), 3))
            painter.drawRect(place.adjusted(1, 1, -1, -1))
            painter.setPen(option.palette.text().color())
            below = QRect(place.x(), place.bottom() + 2, SIDE, CAPTION)
            text = QFontMetrics(painter.font()).elidedText(label, Qt.TextElideMode.ElideRight, SIDE)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, text)
        painter.restore()


class Gallery(QListView):
    """Shows crops; keys label them.

    Parameters
    ----------
    colour_of : callable
        The colour of a class.

    Notes
    -----
    Signals: ``numbered`` (a key from 0 to 9 was pressed), ``undo``, ``redo``, ``chosen`` (the global indices of
    the selected crops, after the person changed them).
    """

    numbered = Signal(int)
    undo = Signal()
    redo = Signal()
    chosen = Signal(list)

    def __init__(self, colour_of: Callable[[str], str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.crop_model = CropModel(self)
        self.setModel(self.crop_model)
        self.setItemDelegate(_CropDelegate(colour_of, self))
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(2 * (SIDE + CAPTION + 8) + 8)
        self._silent = False
        self.selectionModel().selectionChanged.connect(self._say_chosen)

    @property
    def selected(self) -> list[int]:
        """Global indices of the selected crops, in the gallery's order."""
        rows = sorted(index.row() for index in self.selectionModel().selectedIndexes())
        return [int(self.crop_model.order[row]) for row in rows if row < len(self.crop_model.order)]

    def select(self, crops: list[int]) -> None:
        """Select crops without saying so; those that are filtered out stay as they are."""
        if crops == self.selected:
            return
        self._silent = True
        self.clearSelection()
        rows = [row for row in map(self.crop_model.row_of, crops[:1000]) if row >= 0]
        for row in rows:
            self.selectionModel().select(self.crop_model.index(row), QItemSelectionModel.SelectionFlag.Select)
        if rows:
            index = self.crop_model.index(rows[0])
            self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.scrollTo(index)
        self._silent = False

    def advance(self) -> None:
        """Go to the next crop, where there is one."""
        row = self.currentIndex().row() + 1
        if row < self.crop_model.rowCount():
            self.setCurrentIndex(self.crop_model.index(row))

    def event(self, event: QEvent) -> bool:
        """Keep the labelling keys for the gallery: the window has shortcuts on some of them."""
        if event.type() == QEvent.Type.ShortcutOverride and (_digit(event) is not None or _history(event)):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: Any) -> None:
        """1 to 9 label, 0 clears, Ctrl+Z takes back, Ctrl+Shift+Z does again, arrows move."""
        digit, history = _digit(event), _history(event)
        if digit is not None:
            self.numbered.emit(digit)
        elif history:
            (self.undo if history == "undo" else self.redo).emit()
        else:
            super().keyPressEvent(event)

    def _say_chosen(self, *_: Any) -> None:
        if not self._silent:
            self.chosen.emit(self.selected)


def _digit(event: Any) -> int | None:
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    text = event.text()
    return int(text) if modifiers == Qt.KeyboardModifier.NoModifier and text in list("0123456789") else None


def _history(event: Any) -> str:
    if event.matches(QKeySequence.StandardKey.Redo):
        return "redo"
    shifted = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    if event.key() == Qt.Key.Key_Z and event.modifiers() == shifted:
        return "redo"
    return "undo" if event.matches(QKeySequence.StandardKey.Undo) else ""
