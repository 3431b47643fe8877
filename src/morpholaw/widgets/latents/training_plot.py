"""The losses of a running training, as four small plots painted by Qt.

Drawing a matplotlib figure takes 40 to 200 ms and would stall the window twice a second. These plots take about 1 ms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from qtpy.QtCore import QPointF, QRect, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from morpholaw.widgets.pictures.picture_grid import muted

CURVES = {
    "reconstruction": "reconstruction error",
    "mutual information": "mutual information (nats)",
    "total correlation": "total correlation (nats)",
    "dimension-wise KL": "dimension-wise KL (nats)",
}
"""Reported metrics and the titles of their plots (eq. 7)."""
_COLOURS = ("#56b4e9", "#e69f00", "#2cc495", "#e08fbf")
_LEFT, _BOTTOM, _TITLE = 40, 14, 15


class TrainingPlot(QWidget):
    """One plot for each metric in :data:`CURVES`, against the training step."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[float] = []
        self.values: dict[str, list[float]] = {name: [] for name in CURVES}
        self.setMinimumSize(320, 220)

    def clear(self) -> None:
        """Remove all curves."""
        self.show_history({})

    def add(self, step: float, values: Mapping[str, float]) -> None:
        """Add a point to every curve; steps that a resumed training repeats replace the earlier ones."""
        while self.steps and self.steps[-1] >= step:
            self.steps.pop()
            for curve in self.values.values():
                curve.pop()
        self.steps.append(float(step))
        for name, curve in self.values.items():
            curve.append(float(values.get(name, np.nan)))
        self.update()

    def show_history(self, history: Mapping[str, Sequence[float]]) -> None:
        """Show recorded curves: a list of steps, "step", and one list of values per metric."""
        self.steps = [float(step) for step in history.get("step", [])]
        count = len(self.steps)
        for name in self.values:
            curve = [float(value) for value in history.get(name, [])][:count]
            self.values[name] = curve + [np.nan] * (count - len(curve))
        self.update()

    def paintEvent(self, event: object) -> None:
        """Paint the plots, two in a row."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = self.palette().color(self.foregroundRole())
        painter.setPen(colour)
        if not self.steps:
            painter.drawText(
                self.rect(), Qt.AlignmentFlag.AlignCenter, "The losses appear here during training."
            )
            return
        font = painter.font()
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.8))
        painter.setFont(font)
        rows = -(-len(CURVES) // 2)
        width, height = self.width() / 2, self.height() / rows
        for position, name in enumerate(CURVES):
            place = QRectF((position % 2) * width, (position // 2) * height, width - 6, height - 4)
            self._panel(painter, place, name, QColor(_COLOURS[position % len(_COLOURS)]), colour)

    def _panel(self, painter: QPainter, place: QRectF, name: str, curve: QColor, ink: QColor) -> None:
        inner = place.adjusted(_LEFT, _TITLE, 0, -_BOTTOM)
        painter.setPen(ink)
        title = QRectF(place.left(), place.top(), place.width(), _TITLE)
        painter.drawText(title, Qt.AlignmentFlag.AlignCenter, CURVES[name])
        steps, values = np.asarray(self.steps), np.asarray(self.values[name])
        finite = np.isfinite(values)
        if not finite.any():
            return
        low, high = _range(values[finite])
        first, last = steps[0], max(steps[-1], steps[0] + 1)
        painter.setPen(QPen(muted(ink), 1))
        painter.drawLine(inner.topLeft(), inner.bottomLeft())
        painter.drawLine(inner.bottomLeft(), inner.bottomRight())
        right = Qt.AlignmentFlag.AlignRight
        top, bottom = end_labels(high, low)
        for text, y in ((top, inner.top()), (bottom, inner.bottom() - _BOTTOM)):
            painter.drawText(QRectF(place.left(), y, _LEFT - 4, _BOTTOM), right, text)
        below = QRect(int(inner.left()), int(inner.bottom()) + 1, int(inner.width()), _BOTTOM)
        painter.drawText(below, Qt.AlignmentFlag.AlignLeft, f"{first:,.0f}")
        painter.drawText(below, right, f"step {steps[-1]:,.0f}")
        keep = np.flatnonzero(finite)
        keep = keep[:: max(1, len(keep) // max(1, int(inner.width())))]
        x = inner.left() + (steps[keep] - first) / (last - first) * inner.width()
        y = inner.bottom() - (np.clip(values[keep], low, high) - low) / (high - low) * inner.height()
        painter.setPen(QPen(curve, 1.6))
        points = [QPointF(a, b) for a, b in zip(x, y, strict=True)]
        if len(points) == 1:
            painter.drawEllipse(points[0], 2, 2)
        painter.drawPolyline(QPolygonF(points))


def _range(values: np.ndarray) -> tuple[float, float]:
    """Return the limits of the axis; they ignore the first 5 % of the steps, which are far above the rest."""
    late = values[len(values) // 20 :]
    low, high = float(late.min()), float(late.max())
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - margin, high + margin


def end_labels(high: float, low: float) -> tuple[str, str]:
    """Format both ends of an axis with at least three digits, and more if they would otherwise read the same."""
    for digits in range(3, 8):
        top, bottom = f"{high:.{digits}g}", f"{low:.{digits}g}"
        if top != bottom:
            break
    return top, bottom
