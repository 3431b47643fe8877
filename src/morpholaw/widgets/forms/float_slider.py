"""A slider of fractional numbers with the number beside it."""

from __future__ import annotations

from qtpy.QtCore import Qt
from superqt import QLabeledDoubleSlider


def float_slider(tip: str, step: float, decimals: int = 2) -> QLabeledDoubleSlider:
    """Return a horizontal slider that moves by ``step``; ``tip`` explains it, its range is for the caller to set."""
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setDecimals(decimals)
    slider.setSingleStep(step)  # type: ignore[arg-type]  # superqt declares the integer slider's signature
    slider.setToolTip(tip)
    return slider
