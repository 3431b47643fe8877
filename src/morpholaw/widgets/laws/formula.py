"""A typeset formula in a label, with line breaks between the terms of a sum."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QLabel, QSizePolicy

from morpholaw.models.expressions import to_latex
from morpholaw.models.law import Law
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.drawing import in_turn, painted
from morpholaw.widgets.pictures.figure_panel import pixmap

POINTS = 15.0
"""Font size in points, where the formula fits."""
SMALLEST = 9.0
"""Smallest font size, for long formulas."""


class FormulaLabel(QLabel):
    """Label with the formula of a law, typeset by matplotlib in a thread once the label is visible.

    Attributes
    ----------
    lines : list of str
        The LaTeX of each line.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setMinimumHeight(44)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self.lines: list[str] = []
        self._law: Law | None = None
        self._names: dict[str, str] = {}
        self._width = 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._typeset)
        self.call = LatestCall(self)
        self.call.returned.connect(self._show)

    def show_law(self, law: Law, names: dict[str, str]) -> None:
        """Typeset a law; ``names`` maps latents to their names, e.g. ``{"z3": "size"}``."""
        self._law, self._names = law, names
        self._soon()

    def clear(self) -> None:
        """Remove the formula."""
        self._law, self.lines = None, []
        self._timer.stop()
        self.call.forget()
        self.setMinimumHeight(44)
        super().clear()

    def showEvent(self, event: Any) -> None:
        """Typeset a formula that was set while the label was hidden."""
        super().showEvent(event)
        self._soon()

    def resizeEvent(self, event: Any) -> None:
        """Break the formula into lines again if the width changes."""
        super().resizeEvent(event)
        if abs(self.width() - self._width) > 8:
            self._soon()

    def _soon(self) -> None:
        if self._law is not None and self.isVisible():
            self._timer.start(10)

    def _typeset(self) -> None:
        if self._law is None:
            return
        self._width = self.width()
        colour = self.palette().color(self.foregroundRole()).name()
        room = max(self.width() - 12, 180)
        self.call.start(in_turn, typeset, self._law, self._names, room, colour, self.devicePixelRatioF())

    def _show(self, formula: Formula) -> None:
        picture = pixmap(formula.pixels, self.devicePixelRatioF())
        self.lines = formula.lines
        self.setMinimumHeight(round(picture.height() / picture.devicePixelRatio()) + 6)
        self.setPixmap(picture)


@dataclass(frozen=True)
class Formula:
    """A typeset formula.

    Attributes
    ----------
    lines : list of str
        The LaTeX of each line.
    pixels : ndarray, uint8 (height, width, 4)
        The formula as an RGBA image.
    """

    lines: list[str]
    pixels: np.ndarray


def typeset(law: Law, names: dict[str, str], width: int, colour: str, ratio: float) -> Formula:
    """Typeset a law in lines of at most ``width`` pixels, with ``ratio`` screen pixels per pixel."""
    size, lines = _fitted(terms(law, names), width)
    return Formula(lines, _pixels(lines, size, colour, ratio))


def terms(law: Law, names: dict[str, str]) -> list[str]:
    """Return the LaTeX of each additive term with its sign; the first begins with "f ="."""
    from morpholaw.interpretation.components import additive_terms

    texts = []
    for position, part in enumerate(additive_terms(law)):
        text = to_latex(part.expression, names, law.digits)
        sign = part.sign
        if text.startswith("-"):  # a term is not a sum, so this minus sign belongs to the whole term
            sign, text = -sign, text[1:].strip()
        lead = ("-" if sign < 0 else "") if position == 0 else (" - " if sign < 0 else " + ")
        texts.append(lead + text)
    texts[0] = "f = " + texts[0]
    return texts


def _fitted(parts: Sequence[str], width: int) -> tuple[float, list[str]]:
    """Return the largest font size at which each line fits in ``width`` pixels, and the lines."""
    size = POINTS
    while True:
        lines = _broken(parts, size, width)
        if size <= SMALLEST or max(_extent(line, size)[0] for line in lines) <= width:
            return size, lines
        size -= 1


def _broken(parts: Sequence[str], size: float, width: int) -> list[str]:
    lines = [parts[0]]
    for part in parts[1:]:
        joined = lines[-1] + part
        if _extent(joined, size)[0] <= width:
            lines[-1] = joined
        else:
            lines.append(r"\quad" + part)
    return lines


def _extent(latex: str, size: float) -> tuple[float, float, float]:
    """Return width, height and depth in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.mathtext import MathTextParser

    box = MathTextParser("path").parse(f"${latex}$", dpi=72, prop=FontProperties(size=size))
    return box.width, box.height, box.depth


def _pixels(lines: Sequence[str], size: float, colour: str, ratio: float) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    extents = [_extent(line, size) for line in lines]
    gap = 0.45 * size
    width = max(extent[0] for extent in extents) + 6
    height = sum(extent[1] for extent in extents) + gap * (len(lines) - 1) + 6
    figure = Figure(figsize=(width / 72, height / 72), dpi=72 * ratio)
    figure.patch.set_alpha(0)
    below = height - 3
    for line, (_, line_height, depth) in zip(lines, extents, strict=True):
        baseline = below - line_height + depth
        figure.text(3 / width, baseline / height, f"${line}$", fontsize=size, color=colour, va="baseline")
        below -= line_height + gap
    return painted(FigureCanvasAgg(figure))
