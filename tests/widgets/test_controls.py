"""Each control of each panel explains itself in a whole sentence when the mouse rests on it."""

from __future__ import annotations

import html
import re
from importlib import import_module
from itertools import pairwise

import pytest
from napari.components import ViewerModel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QScrollBar,
    QTabBar,
    QTableWidget,
    QTabWidget,
    QToolButton,
    QWidget,
)

from morpholaw.widgets.forms.focus_frame import FocusFrame
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.window_latency import PANELS

CONTROLS = (QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)


def made(name: str, qtbot, viewer: ViewerModel) -> QWidget:
    module = import_module(f"morpholaw.widgets.{name.lower()}.panel")
    widget = getattr(module, f"{name}Widget")(viewer)
    qtbot.addWidget(widget)
    return widget


@pytest.fixture(params=PANELS)
def panel(request, qtbot) -> QWidget:
    return made(request.param, qtbot, ViewerModel())


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


def test_every_tab_has_a_tooltip(panel):
    tabs = [(one, place) for one in panel.findChildren(QTabWidget) for place in range(one.count())]
    assert [one.tabText(place) for one, place in tabs if not one.tabToolTip(place)] == []


def tips(panel: QWidget) -> set[str]:
    """All tooltips of a panel: of its controls, labels, tabs and columns."""
    found = {tooltip(control, panel) for control in controls(panel)}
    found |= {label.toolTip() for label in panel.findChildren(QLabel)}
    for tabs in panel.findChildren(QTabWidget):
        found |= {tabs.tabToolTip(place) for place in range(tabs.count())}
    for table in panel.findChildren(QTableWidget):
        found |= {table.horizontalHeaderItem(column).toolTip() for column in range(table.columnCount())}
    return {html.unescape(re.sub(r"<[^>]*>", "", tip)) for tip in found} - {""}


@pytest.mark.parametrize("name", PANELS)
def test_every_tooltip_is_a_whole_sentence(name, qtbot, trained_study_folder):
    """Of an empty panel, and of the same panel once a study with classifiers is open."""
    panel = made(name, qtbot, ViewerModel())
    empty = tips(panel)
    panel.current.open(trained_study_folder)
    paths = {str(trained_study_folder)}  # of the study, below its name
    texts = (empty | tips(panel)) - paths
    whole = [
        text
        for text in texts
        if text.rstrip(")").endswith(".") and not text[0].islower() and len(text.split()) > 2
    ]
    assert sorted(texts - set(whole)) == []
    assert [control for control in controls(panel) if not tooltip(control, panel)] == []


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


def shown_controls(panel: QWidget) -> list[QWidget]:
    """What the Tab key reaches in a panel, in its order."""
    found, control = [], panel.nextInFocusChain()
    while control is not None and control is not panel:
        takes_keys = bool(control.focusPolicy() & Qt.FocusPolicy.TabFocus) and control.focusProxy() is None
        if takes_keys and panel.isAncestorOf(control) and control.isVisible() and control.isEnabled():
            found.append(control)
        control = control.nextInFocusChain()
    return found


@pytest.mark.parametrize("first", ["study", "panel"])
@pytest.mark.parametrize("name", PANELS)
def test_the_tab_key_goes_through_a_panel_as_it_is_read(name, first, qtbot, tracked_study_folder):
    """Never back up, nor back to the left in one row: also to what is made when a study opens."""
    viewer = ViewerModel()
    if first == "study":
        CurrentStudy.of(viewer).open(tracked_study_folder)
    panel = made(name, qtbot, viewer)
    panel.resize(400, 1400)
    panel.show()
    if first == "panel":
        panel.current.open(tracked_study_folder)
    qtbot.wait(100)
    for tabs in panel.findChildren(QTabWidget) or [None]:
        for place in range(tabs.count() if tabs is not None else 1):
            if tabs is not None:
                tabs.setCurrentIndex(place)
            qtbot.wait(20)
            reached = shown_controls(panel)
            places = [control.mapTo(panel, QPoint()) for control in reached]
            back = [
                (named(reached[k]), named(reached[k + 1]))
                for k, (one, after) in enumerate(pairwise(places))
                if after.y() + reached[k + 1].height() <= one.y() + 2
                or (abs(after.y() - one.y()) < 6 and after.x() < one.x())
            ]
            assert back == []


@pytest.mark.parametrize("name", PANELS)
def test_the_tab_key_leaves_every_control_again_and_draws_a_frame_on_the_next(
    name, qtbot, trained_study_folder
):
    viewer = ViewerModel()
    CurrentStudy.of(viewer).open(trained_study_folder)
    panel = made(name, qtbot, viewer)
    panel.resize(400, 1400)
    panel.show()
    qtbot.wait(100)
    reached = shown_controls(panel)
    reached[0].setFocus()
    for control in [*reached[1:], reached[0]]:
        qtbot.keyClick(panel.focusWidget(), Qt.Key.Key_Tab)
        assert named(panel.focusWidget()) == named(control)
        assert panel.focusWidget().findChild(FocusFrame, options=Qt.FindChildOption.FindDirectChildrenOnly)


def test_the_tab_key_skips_panels_behind_other_tabs(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    for name in ("Table", "Lineages", "Map"):
        panel = made(name, qtbot, viewer)
        viewer.window.add_dock_widget(panel, name=name)
    qtbot.waitUntil(lambda: not panel.visibleRegion().isEmpty())
    qtbot.wait(100)
    panel.study_bar.findChild(QAbstractButton).setFocus()
    window = panel.window()
    for _ in range(40):
        if not panel.isAncestorOf(window.focusWidget()):
            break
        qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
    assert not panel.isAncestorOf(window.focusWidget())
    assert not window.focusWidget().visibleRegion().isEmpty()


def test_what_is_pressed_with_the_mouse_is_pressed_with_the_space_bar(panel, qtbot):
    panel.show()
    for button in [one for one in shown_controls(panel) if isinstance(one, QAbstractButton)]:
        if isinstance(button, QToolButton) and button.menu() is not None:
            continue  # its menu waits for an answer; Qt opens it with the space bar as well
        checked = button.isChecked()
        button.blockSignals(True)  # what it does is tested elsewhere
        qtbot.keyPress(button, Qt.Key.Key_Space)
        down = button.isDown()
        qtbot.keyRelease(button, Qt.Key.Key_Space)
        button.blockSignals(False)
        assert down, named(button)
        if button.isCheckable() and not button.autoExclusive():
            assert button.isChecked() is not checked, named(button)
