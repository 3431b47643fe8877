"""Combo boxes that shorten long texts instead of widening a panel, and sliders for fractional numbers."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QComboBox, QLineEdit, QStyle, QStyleOptionComboBox, QToolTip
from superqt import QLabeledDoubleSlider

_BESIDE = 24
"""Width in pixels of the margins and the scroll bar of a list."""


class _WholeTexts(QObject):
    """Shows the full texts of a narrow combo box: in a list that is wide enough, and in the tooltip if one is cut."""

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Widen the list before it opens, and show a choice that is cut in the tooltip."""
        if event is None or not isinstance(watched, QComboBox):
            return False
        if event.type() in (QEvent.Type.MouseButtonPress, QEvent.Type.KeyPress):
            if (view := watched.view()) is not None:
                view.setMinimumWidth(view.sizeHintForColumn(0) + _BESIDE)
        elif isinstance(event, QHelpEvent) and (whole := _cut_text(watched)):
            tip = watched.toolTip()
            QToolTip.showText(event.globalPos(), f"{whole}\n{tip}" if tip else whole, watched)
            return True
        return False


def _cut_text(box: QComboBox) -> str:
    """Return the chosen text if the box is too narrow for it, else ""."""
    option = QStyleOptionComboBox()
    option.rect = box.rect()
    style = box.style()
    assert style is not None
    field = style.subControlRect(
        QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, box
    )
    text = box.currentText()
    return text if box.fontMetrics().horizontalAdvance(text) > field.width() else ""


def narrow_combo(name: str = "") -> QComboBox:
    """Return a combo box that can shrink to the width of three letters."""
    box = QComboBox()
    box.setObjectName(name)
    make_narrow(box)
    return box


def make_narrow(box: QComboBox) -> None:
    """Let a combo box shrink to the width of three letters; its list and its tooltip show texts that are cut."""
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
    box.setMinimumContentsLength(3)
    box.installEventFilter(_WholeTexts(box))


def list_choices(box: QComboBox, choices: Sequence[str]) -> None:
    """Replace the choices of a box without emitting a signal; keep the choice if it is still listed, else the first."""
    if [box.itemText(index) for index in range(box.count())] == list(choices):
        return
    chosen = box.currentText()
    box.blockSignals(True)
    box.clear()
    box.addItems(choices)
    box.setCurrentIndex(max(0, box.findText(chosen)))
    box.blockSignals(False)


def float_slider(tip: str, step: float, decimals: int = 2) -> QLabeledDoubleSlider:
    """Return a horizontal slider with the tooltip ``tip`` that moves by ``step``; the caller sets its range."""
    slider = QLabeledDoubleSlider(Qt.Orientation.Horizontal)
    slider.setDecimals(decimals)
    slider.setSingleStep(step)  # type: ignore[arg-type]  # superqt declares the integer slider's signature
    slider.setToolTip(tip)
    for label in slider.findChildren(QLineEdit):
        label.textChanged.connect(partial(_show_plain_zero, label, decimals))
    return slider


def _show_plain_zero(label: QLineEdit, decimals: int, text: str) -> None:
    """Show "0.00" for a number that rounds to zero, where the slider would show "-0.00" or "-5e-05"."""
    zero = f"{0:.{decimals}f}"
    if not label.isModified() and text not in ("", zero) and abs(float(text)) < 0.5 * 10**-decimals:
        label.setText(zero)
