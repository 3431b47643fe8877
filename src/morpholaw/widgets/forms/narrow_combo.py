"""A combo box that shortens its texts instead of widening the panel."""

from __future__ import annotations

from qtpy.QtWidgets import QComboBox


def narrow_combo(name: str = "") -> QComboBox:
    """A combo box as narrow as three letters where there is no more room."""
    box = QComboBox()
    box.setObjectName(name)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(3)
    return box
