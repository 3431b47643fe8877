"""A gallery of crops. It reads a crop when it is first shown, so any number of crops scrolls smoothly."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QAbstractListModel, QEvent, QItemSelectionModel, QModelIndex, QRect, QSize, Qt, Signal
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen, QPixmap
from qtpy.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QWidget

from morpholaw.widgets.forms.class_buttons import digit_of, history_of
from morpholaw.widgets.pictures.crop_pixmap import crop_pixmap

if TYPE_CHECKING:
    from morpholaw.cells.crop_set import Crops

KEPT = 2000
"""Number of shown crops that stay in memory: 8 MB at 64 x 64 pixels."""
SIDE = 76
"""Side of a crop on the screen, in pixels."""
MOST_SELECTED = 1000
"""Largest number of crops that the gallery selects after a selection in another panel."""
CAPTION = 15
"""Height in pixels of one line below a crop: its class, then its prediction."""
NOTE_ROLE = int(Qt.ItemDataRole.UserRole) + 1
"""Qt item role of the second line below a crop."""


class CropModel(QAbstractListModel):
    """Crops of a study in a chosen order.

    Attributes
    ----------
    crops : Crops or None
        The crops of the study.
    order : ndarray, int64 (rows,)
        Global index of the crop in each row.
    reads : int
        Number of crops read so far.
    label_of : callable
        Returns the class of a crop, "" if it has none.
    about : callable
        Returns the tooltip of a crop.
    note_of : callable
        Returns the second line below a crop.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.crops: Crops | None = None
        self.order = np.empty(0, np.int64)
        self.reads = 0
        self.label_of: Callable[[int], str] = lambda _: ""
        self.about: Callable[[int], str] = lambda _: ""
        self.note_of: Callable[[int], str] = lambda _: ""
        self._images: OrderedDict[int, QPixmap] = OrderedDict()

    def show_crops(self, crops: Crops | None, order: np.ndarray) -> None:
        """Show the crops at the global indices ``order``, in that order."""
        self.beginResetModel()
        if crops is not self.crops:
            self._images.clear()
        self.crops, self.order = crops, np.asarray(order, np.int64)
        self.endResetModel()

    def row_of(self, crop: int) -> int:
        """Return the row of a crop, -1 if it is filtered out."""
        rows = np.flatnonzero(self.order == crop)
        return int(rows[0]) if len(rows) else -1

    def changed(self, crops: Any) -> None:
        """Redraw the crops whose labels changed."""
        for row in np.flatnonzero(np.isin(self.order, list(crops))):
            index = self.index(int(row))
            self.dataChanged.emit(index, index)

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of crops."""
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the class (display role), image (decoration), global index (user) or tooltip of a crop."""
        if not index.isValid() or not 0 <= index.row() < len(self.order):
            return None
        crop = int(self.order[index.row()])
        if role == Qt.ItemDataRole.DisplayRole:
            return self.label_of(crop)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._image(crop)
        if role == Qt.ItemDataRole.ToolTipRole:
            return self.about(crop)
        if role == NOTE_ROLE:
            return self.note_of(crop)
        return crop if role == Qt.ItemDataRole.UserRole else None

    def _image(self, crop: int) -> QPixmap:
        if crop not in self._images:
            self._images[crop] = self._read(crop)
            while len(self._images) > KEPT:
                self._images.popitem(last=False)
        self._images.move_to_end(crop)
        return self._images[crop]

    def _read(self, crop: int) -> QPixmap:
        self.reads += 1
        return crop_pixmap(self.crops, crop)


class _CropDelegate(QStyledItemDelegate):
    """Draws a crop with a frame in the colour of its class and the name of the class below it."""

    def __init__(self, colour_of: Callable[[str], str], parent: QWidget) -> None:
        super().__init__(parent)
        self.colour_of = colour_of
        self.lines = 1

    def sizeHint(self, option: Any, index: QModelIndex) -> QSize:
        """Return the size of a crop and its caption."""
        return QSize(SIDE + 8, SIDE + self.lines * CAPTION + 8)

    def paint(self, painter: QPainter | None, option: Any, index: QModelIndex) -> None:
        """Draw one crop."""
        if painter is None:
            return
        painter.save()
        place = QRect(option.rect.x() + 4, option.rect.y() + 4, SIDE, SIDE)
        selected = option.state & QStyle.StateFlag.State_Selected
        if selected:
            painter.fillRect(option.rect.adjusted(1, 1, -1, -1), option.palette.text())
        image = index.data(Qt.ItemDataRole.DecorationRole)
        if image is None or image.isNull():
            painter.fillRect(place, QColor("#444"))
        else:
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawPixmap(place, image)
        label = index.data(Qt.ItemDataRole.DisplayRole)
        if label:
            painter.setPen(QPen(QColor(self.colour_of(label)), 3))
            painter.drawRect(place.adjusted(1, 1, -1, -1))
        painter.setPen((option.palette.base() if selected else option.palette.text()).color())
        for line, text in enumerate((label, index.data(NOTE_ROLE))[: self.lines]):
            below = QRect(place.x(), place.bottom() + 2 + line * CAPTION, SIDE, CAPTION)
            shown = QFontMetrics(painter.font()).elidedText(text or "", Qt.TextElideMode.ElideRight, SIDE)
            painter.drawText(below, Qt.AlignmentFlag.AlignCenter, shown)
        painter.restore()


class Gallery(QListView):
    """View of crops: the mouse and the arrow keys select them, the number keys label them.

    Parameters
    ----------
    colour_of : callable
        Returns the colour of a class.

    Attributes
    ----------
    sentence : str
        Text shown while there are no crops.

    Notes
    -----
    Signals: ``numbered`` (a key from 0 to 9 was pressed), ``undo``, ``redo``, ``next_wanted`` (N),
    ``stretch_wanted`` (S), ``chosen`` (the user changed the selection; global indices of the selected crops).
    """

    numbered = Signal(int)
    undo = Signal()
    redo = Signal()
    next_wanted = Signal()
    stretch_wanted = Signal()
    chosen = Signal(list)

    def __init__(self, colour_of: Callable[[str], str]) -> None:
        super().__init__()
        self.crop_model = CropModel(self)
        self.setModel(self.crop_model)
        self._delegate = _CropDelegate(colour_of, self)
        self.setItemDelegate(self._delegate)
        self.setToolTip("Select crops with the mouse or the arrow keys, and label them with the number keys.")
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setUniformItemSizes(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(2 * (SIDE + CAPTION + 8) + 8)
        self.sentence = ""
        self._silent = False
        self._selection.selectionChanged.connect(self._report_chosen)

    @property
    def _selection(self) -> QItemSelectionModel:
        model = self.selectionModel()
        assert model is not None  # it exists once a model is set
        return model

    @property
    def selected(self) -> list[int]:
        """Global indices of the selected crops, in the order of the gallery."""
        rows = sorted(index.row() for index in self._selection.selectedIndexes())
        return [int(self.crop_model.order[row]) for row in rows if row < len(self.crop_model.order)]

    def select(self, crops: list[int]) -> None:
        """Select crops without emitting ``chosen``; ignore crops that are filtered out."""
        if crops == self.selected:
            return
        self._silent = True
        self.clearSelection()
        rows = [row for row in map(self.crop_model.row_of, crops[:MOST_SELECTED]) if row >= 0]
        for row in rows:
            self._selection.select(self.crop_model.index(row), QItemSelectionModel.SelectionFlag.Select)
        if rows:
            index = self.crop_model.index(rows[0])
            self._selection.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.NoUpdate)
            self.scrollTo(index)
        self._silent = False

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the crops, or the sentence if there are none."""
        super().paintEvent(event)
        viewport = self.viewport()
        if viewport is not None and not self.crop_model.rowCount():
            painter = QPainter(viewport)
            painter.setPen(self.palette().color(self.foregroundRole()))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(viewport.rect().adjusted(16, 8, -16, -8), flags, self.sentence)
            painter.end()

    def show_notes(self, on: bool) -> None:
        """Show or hide the second line below each crop."""
        if self._delegate.lines != 1 + on:
            self._delegate.lines = 1 + on
            self.scheduleDelayedItemsLayout()

    def advance(self) -> None:
        """Select the next crop, if there is one."""
        row = self.currentIndex().row() + 1
        if row < self.crop_model.rowCount():
            self.setCurrentIndex(self.crop_model.index(row))

    def event(self, event: QEvent | None) -> bool:
        """Claim the labelling keys before the shortcuts of the window do."""
        if event is None:
            return False
        override = event.type() == QEvent.Type.ShortcutOverride
        if override and (digit_of(event) is not None or history_of(event) or _letter(event)):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: Any) -> None:
        """Label (1 to 9), clear (0), undo (Ctrl+Z), redo (Ctrl+Shift+Z or Ctrl+Y), or select (N, S, arrow keys)."""
        digit, history = digit_of(event), history_of(event)
        if digit is not None:
            self.numbered.emit(digit)
        elif letter := _letter(event):
            (self.next_wanted if letter == "n" else self.stretch_wanted).emit()
        elif history:
            (self.undo if history == "undo" else self.redo).emit()
        else:
            super().keyPressEvent(event)

    def _report_chosen(self, *_: Any) -> None:
        if not self._silent:
            self.chosen.emit(self.selected)


def _letter(event: Any) -> str:
    """Return "n" or "s" if that key is pressed without modifiers, else ""."""
    plain = event.modifiers() == Qt.KeyboardModifier.NoModifier
    return event.text().lower() if plain and event.text().lower() in ("n", "s") else ""
