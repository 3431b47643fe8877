"""Each control of each panel explains itself in a whole sentence when the mouse rests on it."""

from __future__ import annotations

import re
from importlib import import_module

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QTableWidget,
    QWidget,
)

from morpholaw.widgets.window_latency import PANELS

CONTROLS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)


@pytest.fixture(params=PANELS)
def panel(request, qtbot) -> QWidget:
    module = import_module(f"morpholaw.widgets.{request.param.lower()}.panel")
    widget = getattr(module, f"{request.param}Widget")(ViewerModel())
    qtbot.addWidget(widget)
    return widget


def tooltip(widget: QWidget, panel: QWidget) -> str:
    """The tooltip that Qt shows: the widget's own, else that of the nearest parent that has one."""
    while widget is not panel:
        if widget.toolTip():
            return widget.toolTip()
        widget = widget.parentWidget()
    return ""


def named(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, (QAbstractButton, QLineEdit)) else ""
    return f"{type(widget).__name__} {widget.objectName() or text}"


def controls(panel: QWidget) -> list[QWidget]:
    """What a person can press, type in, move or choose from; not the parts that Qt builds into its widgets."""
    found = [w for kind in CONTROLS for w in panel.findChildren(kind) if not isinstance(w, QScrollBar)]
    return [
        w for w in found if not isinstance(w.parentWidget(), (QTabBar, QAbstractItemView)) and not in_popup(w)
    ]


def in_popup(widget: QWidget) -> bool:
    return "PrivateContainer" in widget.parentWidget().metaObject().className()


def test_every_control_has_a_tooltip(panel):
    assert [named(control) for control in controls(panel) if not tooltip(control, panel)] == []


def test_every_tooltip_is_a_whole_sentence(panel):
    tips = {tooltip(control, panel) for control in controls(panel)}
    for table in panel.findChildren(QTableWidget):
        tips |= {table.horizontalHeaderItem(column).toolTip() for column in range(table.columnCount())}
    texts = {re.sub(r"<[^>]*>", "", tip) for tip in tips} - {""}
    assert [text for text in texts if not text.rstrip(")").endswith(".") or text[0].islower()] == []


def test_every_control_is_reached_with_the_tab_key(panel):
    # the number beside a slider is the slider's own value
    mouse_only = [
        named(control)
        for control in controls(panel)
        if type(control).__name__ != "SliderLabel"
        and not control.focusPolicy() & Qt.FocusPolicy.TabFocus
        and control.focusProxy() is None
    ]
    assert mouse_only == []
