"""Combo boxes that shorten their texts instead of widening a panel, and sliders of fractional numbers."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QComboBox
from superqt import QLabeledDoubleSlider


def narrow_combo(name: str = "") -> QComboBox:
    """Return a combo box that shrinks to the width of three letters where there is no more room."""
    box = QComboBox()
    box.setObjectName(name)
    make_narrow(box)
    return box


def make_narrow(box: QComboBox) -> None:
    """Let a combo box shrink to the width of three letters."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(3)


def list_choices(box: QComboBox, choices: Sequence[str]) -> None:
    """List choices in a box; the chosen one stays where it is among them, else the first is chosen. Sends no signal."""
    if [box.itemText(index) for index in range(box.count())] == list(choices):
        return
    chosen = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(choices)
    box.setCurrentIndex(max(0, box.findText(chosen)))
    box.blockSignals(False)


def float_slider(tip: str, step: float, decimals: int = 2) -> QLabeledDoubleSlider:
    """Return a horizontal slider that moves by ``step``; ``tip`` explains it, its range is for the caller to set."""
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setDecimals(decimals)
    slider.setSingleStep(step)  # type: ignore[arg-type]  # superqt declares the integer slider's signature
    slider.setToolTip(tip)
    return slider
