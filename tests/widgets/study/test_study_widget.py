"""What all panels have in common."""

from __future__ import annotations

import gc
import weakref
from importlib import import_module

import pytest

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
