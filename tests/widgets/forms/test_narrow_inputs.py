"""Sliders of fractional numbers show zero without a sign."""

import pytest
from qtpy.QtWidgets import QLineEdit

from morpholaw.widgets.forms.narrow_inputs import float_slider


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
