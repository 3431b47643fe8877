"""Combo boxes that shorten their texts instead of widening the panel, and keep their choice when listed anew."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QComboBox


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
