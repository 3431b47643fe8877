"""The latents in a table: how active each is, which measured shape it follows, and the name it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QBrush, QColor, QFont
from qtpy.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem, QWidget

from morpholaw.display import correlation, number

if TYPE_CHECKING:
    import pandas as pd

SHAPES = {
    "area": ("area", "area of the central nucleus"),
    "aspect": ("along x/y", "elongation along x (positive) or y (negative)"),
    "diagonality": ("diagonal", "elongation along one diagonal (positive) or the other (negative)"),
    "axis_ratio": ("axis ratio", "major over minor axis of the nucleus"),
    "offset_x": ("x", "position of the nucleus in the crop, along x"),
    "offset_y": ("y", "position of the nucleus in the crop, along y"),
    "neighbour_area": ("neighbours", "area of the other nuclei in the crop"),
    "brightness": ("brightness", "mean brightness of the nucleus"),
}
"""Measured shapes in the table: column title and what it is."""
KINDS = {
    "invariant": "stays what it is however the cell is turned or flipped",
    "axes": "changes its sign with a quarter turn and not with a flip along x or y, as elongation along x or y",
    "diagonal": "changes its sign with a quarter turn and with a flip along x or y, as elongation along a diagonal",
    "handed": "changes its sign in any mirror and not when the cell is turned, as a twist does",
    "direction": "turns with the cell, one of a pair along x and y, as a position does",
}
"""What becomes of a latent of each kind of symmetry (``models.symmetry``)."""
LATENT, NAME, KL = range(3)
_BLUE, _ORANGE = (0, 114, 178), (213, 94, 0)


class LatentTable(QTableWidget):
    """A row a latent; sorted by a click on any column, by strength where a column has signs.

    Notes
    -----
    Signals: ``named`` (latent, name) after an edit of a name, ``picked`` (list of latents) when a box is ticked.
    """

    named = Signal(int, str)
    picked = Signal(list)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, KL + 1 + len(SHAPES), parent)
        titles = ["latent", "name", "KL", *(title for title, _ in SHAPES.values())]
        self.setHorizontalHeaderLabels(titles)
        self._explain()
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(22)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setAlternatingRowColors(False)
        self.setMinimumHeight(190)
        self.suggestions: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self.itemChanged.connect(self._edited)

    def show_latents(
        self,
        ranking: pd.DataFrame,
        correlations: pd.DataFrame,
        suggestions: Mapping[int, str],
        names: Mapping[int, str],
        picks: Iterable[int],
        kinds: Sequence[str] = (),
    ) -> None:
        """Fill the table: tables and kinds of :class:`LatentSpace`, names given by the user, and the ticked latents."""
        self.suggestions, self._names = dict(suggestions), dict(names)
        strongest = {(row.latent, row.shape): row for row in correlations.itertuples()}
        chosen = set(picks)
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setRowCount(len(ranking))
        for row, entry in enumerate(ranking.itertuples()):
            latent = int(entry.latent)
            self.setItem(row, LATENT, _latent_item(latent, latent in chosen))
            if kinds:
                self.item(row, LATENT).setToolTip(f"z{latent} {KINDS[kinds[latent]]}.")
            self.setItem(row, NAME, QTableWidgetItem())
            self.setItem(row, KL, _Number(number(entry.kl), float(entry.kl)))
            for column, shape in enumerate(SHAPES, KL + 1):
                self.setItem(row, column, _correlation_item(strongest.get((latent, shape))))
        self.show_names(names)
        self.setSortingEnabled(True)
        self.sortByColumn(KL, Qt.SortOrder.DescendingOrder)
        self.resizeColumnsToContents()
        self.setColumnWidth(NAME, 96)
        self.blockSignals(False)

    def show_names(self, names: Mapping[int, str]) -> None:
        """Show the names given, and in grey those suggested where there is none."""
        self._names = dict(names)
        blocked = self.blockSignals(True)
        for row in range(self.rowCount()):
            self._write_name(row)
        self.blockSignals(blocked)

    def clear_latents(self) -> None:
        """Show no latent."""
        self.setRowCount(0)

    @property
    def picks(self) -> list[int]:
        """Ticked latents, in the order of the table."""
        ticked = Qt.CheckState.Checked
        return [
            self.latent(row) for row in range(self.rowCount()) if self.item(row, 0).checkState() == ticked
        ]

    def pick(self, latents: Iterable[int]) -> None:
        """Tick these latents and no others."""
        chosen = set(latents)
        self.blockSignals(True)
        for row in range(self.rowCount()):
            self.item(row, LATENT).setCheckState(_tick(self.latent(row) in chosen))
        self.blockSignals(False)
        self.picked.emit(self.picks)

    def latent(self, row: int) -> int:
        """The latent of a row."""
        return int(self.item(row, LATENT).data(Qt.ItemDataRole.UserRole))

    def row_of(self, latent: int) -> int:
        """The row of a latent as the table is sorted now."""
        return next(row for row in range(self.rowCount()) if self.latent(row) == latent)

    def _write_name(self, row: int) -> None:
        item, latent = self.item(row, NAME), self.latent(row)
        given = self._names.get(latent, "")
        item.setText(given or self.suggestions.get(latent, ""))
        font = QFont(self.font())
        font.setItalic(not given)
        item.setFont(font)
        item.setForeground(QBrush() if given else QBrush(QColor(150, 150, 150)))
        item.setToolTip(
            "Type a name; it is used everywhere after."
            if given
            else "A suggestion: type a name, or take it over with the button below."
        )

    def _edited(self, item: QTableWidgetItem) -> None:
        latent = int(self.item(item.row(), LATENT).data(Qt.ItemDataRole.UserRole))
        if item.column() == NAME:
            self.named.emit(latent, item.text().strip())
        elif item.column() == LATENT:
            self.picked.emit(self.picks)

    def _explain(self) -> None:
        tips = {
            LATENT: "Tick latents to move them with sliders below.",
            NAME: "Double-click to name a latent.",
            KL: "What the latent carries about the cells: mean KL divergence from the prior, in nats (eq. 6).",
        }
        for column, (_, meaning) in enumerate(SHAPES.values(), KL + 1):
            tips[column] = (
                f"Rank correlation with the {meaning}. With U: both ends of the latent look alike, so this is the "
                "correlation of its distance from the middle."
            )
        for column, tip in tips.items():
            self.horizontalHeaderItem(column).setToolTip(tip)


class _Number(QTableWidgetItem):
    """A cell sorted by a number instead of by its text."""

    def __init__(self, text: str, key: float) -> None:
        super().__init__(text)
        self.key = key
        self.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
        self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return self.key < other.key if isinstance(other, _Number) else super().__lt__(other)


def _latent_item(latent: int, ticked: bool) -> QTableWidgetItem:
    item = _Number(f"z{latent}", latent)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    item.setData(Qt.ItemDataRole.UserRole, latent)
    item.setCheckState(_tick(ticked))
    return item


def _correlation_item(row: object) -> QTableWidgetItem:
    if row is None:
        return _Number("", -1.0)
    spearman, even = float(row.spearman), float(row.even)  # type: ignore[attr-defined]
    folded = abs(even) > abs(spearman)
    value = even if folded else spearman
    item = _Number(f"{'U ' if folded else ''}{correlation(value, sign=True)}", abs(value))
    item.setBackground(QColor(*(_BLUE if value > 0 else _ORANGE), round(200 * min(1.0, abs(value)) ** 1.5)))
    return item


def _tick(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
