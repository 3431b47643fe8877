"""Full garbage collections wait until the window is idle."""

from __future__ import annotations

import gc
from types import SimpleNamespace

import pytest

from morpholaw.widgets.study import idle_collection
from morpholaw.widgets.table.panel import TableWidget


@pytest.fixture
def full_collections(monkeypatch):
    """List of full collections that the window starts; each is due."""
    started = []
    seen = SimpleNamespace(
        collect=lambda: started.append("full"),
        get_count=lambda: (0, 0, 11),
        get_threshold=gc.get_threshold,
        set_threshold=gc.set_threshold,
    )
    monkeypatch.setattr(idle_collection, "gc", seen)
    return started


def test_garbage_is_collected_once_the_window_is_idle(panel, qtbot, monkeypatch, full_collections):
    usual = gc.get_threshold()
    monkeypatch.setattr(idle_collection, "IDLE", 300)
    widget = panel(TableWidget, show=True)
    qtbot.waitUntil(lambda: gc.get_threshold()[2] > usual[2], timeout=5_000)  # else while a panel is drawn
    full_collections.clear()
    for _ in range(8):  # 0.8 s of typing
        qtbot.wait(100)
        qtbot.keyClick(widget.window().windowHandle(), "a")
    assert not full_collections
    qtbot.waitUntil(lambda: bool(full_collections), timeout=5_000)
    widget.current.steps.closed.emit()  # as when the window closes
    assert gc.get_threshold() == usual
