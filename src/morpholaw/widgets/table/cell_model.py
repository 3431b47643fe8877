"""The cells of a study as a Qt model, sorted and filtered with NumPy, which is fast for any number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, Qt
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from morpholaw.display import number, significant


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    title : str
        Title of the column.
    tip : str
        Tooltip of the title, a sentence.
    values : ndarray, (cells,)
        Numbers, or strings (dtype object).
    decimals : int or None
        Number of decimals shown; None for three significant digits.
    """

    title: str
    tip: str
    values: np.ndarray
    decimals: int | None = None

    @property
    def is_text(self) -> bool:
        """Whether the values are strings."""
        return self.values.dtype == object

    def text(self, cell: int) -> str:
        """Return the value of a cell as text; "" if there is none."""
        value = self.values[cell]
        if self.is_text:
            return str(value)
        if not np.isfinite(value):
            return ""
        if self.values.dtype.kind == "i":
            return f"{int(value)}"
        return significant(float(value), 3) if self.decimals is None else number(float(value), self.decimals)


class CellModel(QAbstractTableModel):
    """Cells in rows, in a chosen order.

    Attributes
    ----------
    columns : list of Column
        The columns.
    order : ndarray, int64 (rows,)
        Global index of the cell in each row.
    colours : dict of str to str
        Colour of each class.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns: list[Column] = []
        self.order = np.empty(0, np.int64)
        self.colours: dict[str, str] = {}
        self._chosen = np.empty(0, np.int64)
        self._sorted_by, self._descending = -1, False
        self._rows = np.empty(0, np.int64)

    def show_cells(self, columns: Sequence[Column], colours: dict[str, str], chosen: np.ndarray) -> None:
        """Show the cells with the global indices ``chosen``, int64 (rows,); ``columns`` hold all cells."""
        self.beginResetModel()
        self.columns, self.colours, self._chosen = list(columns), colours, np.asarray(chosen, np.int64)
        self._arrange()
        self.endResetModel()

    def rows_of(self, cells: Sequence[int]) -> np.ndarray:
        """Return the rows of cells, int64, sorted; cells that are filtered out have none."""
        wanted = np.asarray(cells, np.int64)
        wanted = wanted[(wanted >= 0) & (wanted < len(self._rows))]
        rows = self._rows[wanted]
        return np.sort(rows[rows >= 0])

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of cells."""
        return 0 if parent is not None and parent.isValid() else len(self.order)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return the text, alignment, class colour or global index (user role) of a cell."""
        if not index.isValid():
            return None
        cell, column = int(self.order[index.row()]), self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return column.text(cell)
        if role == Qt.ItemDataRole.TextAlignmentRole and not column.is_text:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DecorationRole and column.is_text:
            colour = self.colours.get(str(column.values[cell]))
            return None if colour is None else QColor(colour)
        return cell if role == Qt.ItemDataRole.UserRole else None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Return the title or the tooltip of a column."""
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        return self.columns[section].tip if role == Qt.ItemDataRole.ToolTipRole else None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort the rows by a column; cells without a value come last."""
        self._sorted_by, self._descending = column, order == Qt.SortOrder.DescendingOrder
        self.layoutAboutToBeChanged.emit()
        self._arrange()
        self.layoutChanged.emit()

    def _arrange(self) -> None:
        self.order = self._chosen
        if 0 <= self._sorted_by < len(self.columns) and len(self._chosen):
            self.order = self._chosen[_order(self.columns[self._sorted_by], self._chosen, self._descending)]
        cells = len(self.columns[0].values) if self.columns else 0
        self._rows = np.full(cells, -1, np.int64)
        self._rows[self.order] = np.arange(len(self.order))


def _order(column: Column, cells: np.ndarray, descending: bool) -> np.ndarray:
    """Return the stable order of some cells by a column; cells without a value come last."""
    values = column.values[cells]
    if column.is_text:
        _, values = np.unique(values.astype(str), return_inverse=True)
        values = np.where(column.values[cells] == "", np.nan, values.astype(np.float64))
    values = values.astype(np.float64)
    return np.argsort(-values if descending else values, kind="stable")  # NumPy sorts NaN to the end
