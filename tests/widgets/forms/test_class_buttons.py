"""Class buttons with the names that biologists give."""

from __future__ import annotations

from morpholaw.widgets.forms.class_buttons import ClassButtons

LONG = "mitotic catastrophe with a multipolar spindle and lagging chromosomes"


def test_a_long_name_is_shortened_and_does_not_widen_the_panel(qtbot):
    buttons = ClassButtons()
    qtbot.addWidget(buttons)
    counts = {"interphase": 1200, LONG: 7, "wild type & S phase": 0}
    buttons.show_counts(counts, 2000, dict.fromkeys(counts, "#888888"))
    buttons.resize(380, 200)
    buttons.show()
    assert buttons.minimumSizeHint().width() <= 380
    clear, interphase, long, ampersand = buttons.buttons
    assert clear.text() == "0  Clear label"
    assert interphase.text() == "1  interphase (1,200)"
    assert long.text().startswith("2  mitotic")
    assert long.text().endswith("… (7)")
    assert LONG in long.toolTip()
    assert ampersand.text() == "3  wild type && S phase (0)"  # Qt shows "&&" as "&"
    buttons.resize(1400, 200)
    qtbot.waitUntil(lambda: long.text() == f"2  {LONG} (7)")
