"""Sliders of fractional numbers show zero without a sign, and narrow boxes show their texts whole."""

import pytest
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QLineEdit, QToolTip

from morpholaw.widgets.forms.narrow_inputs import float_slider, narrow_combo


@pytest.mark.parametrize(
    ("value", "shown"), [(-0.001, "0.00"), (-3e-5, "0.00"), (0.0, "0.00"), (-0.4, "-0.40"), (1.234, "1.23")]
)
def test_a_number_that_rounds_to_zero_has_no_sign(qtbot, value, shown):
    slider = float_slider("Value.", 0.05)
    qtbot.addWidget(slider)
    slider.setRange(-3, 3)
    slider.setValue(value)
    assert slider.findChild(QLineEdit).text() == shown
    assert slider.value() == pytest.approx(value)


def test_what_a_narrow_box_cuts_is_read_in_its_list_and_its_tooltip(qtbot, monkeypatch):
    said = []
    monkeypatch.setattr(QToolTip, "showText", lambda _, text, *__: said.append(text))
    box = narrow_combo("laws found")
    qtbot.addWidget(box)
    long = "from the labels (hinge), over latents and shapes, 5 classes"
    box.addItems(["short", long])
    box.setToolTip("Choose laws.")
    box.resize(150, 26)
    box.show()
    hover(box)
    box.setCurrentText(long)
    hover(box)
    assert said == [f"{long}\nChoose laws."]  # a short one is seen, and Qt shows the box's own tooltip
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton)
    view = box.view()
    qtbot.waitUntil(view.isVisible)
    assert view.viewport().width() >= view.fontMetrics().horizontalAdvance(long)
    box.hidePopup()


def hover(box) -> None:
    QApplication.sendEvent(box, QHelpEvent(QEvent.Type.ToolTip, QPoint(5, 5), box.mapToGlobal(QPoint(5, 5))))
