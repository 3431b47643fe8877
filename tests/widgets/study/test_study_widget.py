"""What all panels have in common."""

from __future__ import annotations

import gc
import weakref
from importlib import import_module

import pytest
from qtpy.QtWidgets import QSizePolicy

from morpholaw.widgets.lineages.panel import LineagesWidget
from morpholaw.widgets.table.panel import TableWidget
from morpholaw.widgets.window_latency import PANELS


@pytest.mark.parametrize("name", PANELS)
def test_a_closed_panel_is_freed_and_an_open_one_with_its_window(make_napari_viewer, qtbot, name):
    kind = getattr(import_module(f"morpholaw.widgets.{name.lower()}.panel"), f"{name}Widget")
    viewer = make_napari_viewer(show=True)
    closed = kind(viewer)
    viewer.window.remove_dock_widget(viewer.window.add_dock_widget(closed))
    closed = weakref.ref(closed)
    qtbot.wait(50)
    gc.collect()
    assert closed() is None
    viewer.window.add_dock_widget(kind(viewer))  # and make_napari_viewer sees whether the window is freed
    qtbot.wait(50)


def test_panels_become_tabs_of_one_dock(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    window = viewer.window._qt_window
    first = viewer.window.add_dock_widget(TableWidget(viewer), area="right")
    qtbot.wait(50)
    second = viewer.window.add_dock_widget(LineagesWidget(viewer), area="right")  # as napari's menu does
    qtbot.waitUntil(lambda: window.tabifiedDockWidgets(second) == [first], timeout=5_000)
    elsewhere = viewer.window.add_dock_widget(TableWidget(viewer), area="left")
    qtbot.wait(50)
    assert first not in window.tabifiedDockWidgets(elsewhere)


def test_a_panel_is_as_high_as_its_window_although_a_napari_limits_it(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    window = viewer.window._qt_window
    window.resize(1280, 1000)
    panel = LineagesWidget(viewer)
    panel.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)  # as napari 0.9.0 does
    viewer.window.add_dock_widget(panel, area="right")
    qtbot.waitUntil(lambda: panel.height() > 0.8 * window.height(), timeout=5_000)
