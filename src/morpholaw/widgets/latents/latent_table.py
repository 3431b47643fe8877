"""Table of latents: how active each one is, which measured shape it follows, and its name."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QFont
from qtpy.QtWidgets import QTableWidgetItem

from morpholaw.display import correlation, number
from morpholaw.widgets.forms.row_table import NumberItem, RowTable

if TYPE_CHECKING:
    from morpholaw.interpretation.latent_summary import LatentSummary
    from morpholaw.widgets.latents.latent_space import LatentSpace

SHAPES = {
    "area": ("area", "area of the central nucleus"),
    "aspect": ("along x/y", "elongation along x (positive) or y (negative)"),
    "diagonality": ("diagonal", "elongation along one diagonal (positive) or the other (negative)"),
    "axis_ratio": ("axis ratio", "ratio of the major to the minor axis of the nucleus"),
    "offset_x": ("x", "position of the nucleus in the crop along x"),
    "offset_y": ("y", "position of the nucleus in the crop along y"),
    "neighbour_area": ("neighbours", "area of the other nuclei in the crop"),
    "brightness": ("brightness", "mean brightness of the nucleus"),
}
"""Measured shapes: title of the column and meaning."""
KINDS = {
    "invariant": "stays the same when the cell is rotated or mirrored",
    "axes": "changes sign under a quarter turn but not under a flip along x or y, like elongation along x or y",
    "diagonal": "changes sign under a quarter turn and under a flip along x or y, like elongation along a diagonal",
    "handed": "changes sign under mirroring but not under rotation, like a twist",
    "direction": "rotates with the cell, as one of a pair along x and y, like a position",
}
"""How a latent of each kind transforms when the image is rotated or mirrored (``models.symmetry``)."""
LATENT, NAME, KL, AROUND = range(4)
_BLUE, _ORANGE = (0, 114, 178), (213, 94, 0)


class LatentTable(RowTable):
    """Table with one row per latent. Clicking the title of a column sorts by it, signed columns by absolute value.

    Notes
    -----
    Signals: ``named`` (latent, name) after a name is edited, ``picked`` (list of latents) when a box is ticked.
    """

    named = Signal(int, str)
    picked = Signal(list)

    def __init__(self) -> None:
        columns = [
            ("latent", "Tick latents to move them with the sliders below."),
            ("name", "Double-click to name a latent."),
            (
                "KL (nats)",
                "Information that the latent carries about the cells: its mean KL divergence from the prior (eq. 6).",
            ),
            (
                "surr. (%)",
                "Share of the latent's variance that comes from the surroundings, measured by putting cells into the "
                "surroundings of others. A bold value marks a latent of morphology, which follows the cell itself.",
            ),
            *((title, _correlation_tip(meaning)) for title, meaning in SHAPES.values()),
        ]
        super().__init__(columns)
        self.setToolTip("Tick latents to move them; double-click a name to edit it.")
        self.setMinimumHeight(190)
        self._summary: LatentSummary | None = None
        self._names: dict[int, str] = {}
        self.itemChanged.connect(self._edited)

    def show_latents(self, space: LatentSpace, names: Mapping[int, str], picks: Iterable[int]) -> None:
        """Fill the table with the latents of an encoder and their names, and tick ``picks``."""
        summary = space.summary
        self._summary, self._names = summary, dict(names)
        rows = {(row.latent, row.shape): row for row in summary.correlations.itertuples()}
        chosen = set(picks)
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setRowCount(len(summary.ranking))
        for row, entry in enumerate(summary.ranking.itertuples()):
            latent = int(entry.latent)
            self.setItem(row, LATENT, _latent_item(latent, latent in chosen))
            if space.kinds:
                self.cell(row, LATENT).setToolTip(f"Latent z{latent} {KINDS[space.kinds[latent]]}.")
            self.setItem(row, NAME, QTableWidgetItem())
            self.setItem(row, KL, NumberItem(number(entry.kl), float(entry.kl)))
            self.setItem(row, AROUND, _share_item(summary, latent))
            for column, shape in enumerate(SHAPES, AROUND + 1):
                self.setItem(row, column, _correlation_item(rows.get((latent, shape))))
        self.show_names(names)
        self.setSortingEnabled(True)
        self.sortByColumn(KL, Qt.SortOrder.DescendingOrder)
        self.resizeColumnsToContents()
        self.setColumnWidth(NAME, 96)
        self.blockSignals(False)

    @property
    def suggestions(self) -> dict[int, str]:
        """Suggested names of the latents without a name; "−size" is a latent that decreases with size."""
        words = {} if self._summary is None else self._summary.words(self._names)
        return {latent: word for latent, word in words.items() if latent not in self._names}

    def show_names(self, names: Mapping[int, str]) -> None:
        """Show the names in the study and, in italics, suggestions for latents without a name."""
        self._names = dict(names)
        suggestions = self.suggestions
        blocked = self.blockSignals(True)
        for row in range(self.rowCount()):
            self._write_name(row, suggestions)
        self.blockSignals(blocked)

    def clear_latents(self) -> None:
        """Remove all rows."""
        self.setRowCount(0)

    @property
    def picks(self) -> list[int]:
        """Ticked latents, in the order of the table."""
        ticked = Qt.CheckState.Checked
        return [
            self.latent(row)
            for row in range(self.rowCount())
            if self.cell(row, LATENT).checkState() == ticked
        ]

    def pick(self, latents: Iterable[int]) -> None:
        """Tick ``latents`` and untick all others."""
        chosen = set(latents)
        self.blockSignals(True)
        for row in range(self.rowCount()):
            self.cell(row, LATENT).setCheckState(_tick(self.latent(row) in chosen))
        self.blockSignals(False)
        self.picked.emit(self.picks)

    def latent(self, row: int) -> int:
        """Return the latent of a row."""
        return int(self.cell(row, LATENT).data(Qt.ItemDataRole.UserRole))

    def row_of(self, latent: int) -> int:
        """Return the row of a latent in the current order of the table."""
        return next(row for row in range(self.rowCount()) if self.latent(row) == latent)

    def _write_name(self, row: int, suggestions: Mapping[int, str]) -> None:
        item, latent = self.cell(row, NAME), self.latent(row)
        name = self._names.get(latent, "")
        item.setText(name or suggestions.get(latent, ""))
        font = QFont(self.font())
        font.setItalic(not name)
        item.setFont(font)
        if name:
            item.setToolTip("Double-click to edit the name. All panels and the report use it.")
        elif latent not in suggestions:
            item.setToolTip(
                "No name is suggested. The columns on the right show which shapes this latent follows in part. "
                "Double-click to type a name."
            )
        else:
            item.setToolTip(
                "This name is a suggestion. Double-click to type another one, or accept it with the button below. A "
                "minus sign means that the latent decreases with the shape."
            )

    def _edited(self, item: QTableWidgetItem) -> None:
        latent = self.latent(item.row())
        if item.column() == NAME:
            self.named.emit(latent, item.text().strip())
        elif item.column() == LATENT:
            self.picked.emit(self.picks)


def _correlation_tip(meaning: str) -> str:
    return (
        f"Rank correlation of the latent with the {meaning}. U marks a latent whose two ends look alike; the "
        "correlation is then that of its distance from the middle."
    )


def _latent_item(latent: int, ticked: bool) -> QTableWidgetItem:
    item = NumberItem(f"z{latent}", latent)
    item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
    item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    item.setData(Qt.ItemDataRole.UserRole, latent)
    item.setCheckState(_tick(ticked))
    return item


def _share_item(summary: LatentSummary, latent: int) -> QTableWidgetItem:
    """Return a cell with the share of a latent's variance that is due to the surroundings, bold for morphology."""
    share = float("nan") if summary.surroundings is None else float(summary.surroundings[latent])
    if not math.isfinite(share):
        return NumberItem("", -1.0)
    item = NumberItem(number(100 * share, 0), share)
    font = QFont()
    font.setBold(latent in summary.morphology)
    item.setFont(font)
    return item


def _correlation_item(row: Any) -> QTableWidgetItem:
    if row is None:
        return NumberItem("", -1.0)
    spearman, even = float(row.spearman), float(row.even)
    folded = abs(even) > abs(spearman)
    value = even if folded else spearman
    item = NumberItem(f"{'U ' if folded else ''}{correlation(value, sign=True)}", abs(value))
    item.setBackground(QColor(*(_BLUE if value > 0 else _ORANGE), round(200 * min(1.0, abs(value)) ** 1.5)))
    return item


def _tick(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
