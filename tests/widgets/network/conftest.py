from __future__ import annotations

import pytest

from morpholaw.widgets.network.panel import NetworkWidget


@pytest.fixture
def panel(make_napari_viewer, qtbot, settle):
    panel = NetworkWidget(make_napari_viewer(show=False))
    # pytest-qt deletes widgets before fixtures end, and the answer of a deleted panel's call is dropped.
    qtbot.addWidget(panel, before_close_func=settle)
    panel.resize(400, 780)
    panel.show()
    return panel


@pytest.fixture
def settle(qtbot):
    """Waits for what a panel's thread still computes."""
    return lambda panel: qtbot.waitUntil(lambda: not panel.response._call.running, timeout=60_000)


@pytest.fixture
def connect():
    """Leaves each model of a head its own connections, {(layer, row, column): weight}, and no others."""

    def keep(head, *connections):
        import torch

        with torch.no_grad():
            for mask, weight in zip(head.masks, head.weights, strict=True):
                mask[:] = False
                weight[:] = 0
            for member, edges in enumerate(connections):
                for (layer, row, column), value in edges.items():
                    head.masks[layer][member, row, column] = True
                    head.weights[layer][member, row, column] = value

    return keep
