"""Combo boxes that shorten their texts instead of widening the panel."""

from __future__ import annotations

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
