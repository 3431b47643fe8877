"""Tab order for controls that are created later than the rest of the window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget


def reach_before(anchor: QWidget, controls: Sequence[QWidget]) -> None:
    """Let the Tab key visit ``controls``, in this order, just before ``anchor``.

    By default, Qt visits controls that are created later at the end of the window. If no other control in the window
    takes the focus, nothing changes.

    Parameters
    ----------
    anchor : QWidget
        A control, or the parent of the controls, whose place in the tab order they take.
    controls : sequence of QWidget
        Controls in the same window as ``anchor``.
    """
    before = anchor.previousInFocusChain()
    while before is not None and before is not anchor:
        if before not in controls and before.focusPolicy() & Qt.FocusPolicy.TabFocus:
            break
        before = before.previousInFocusChain()
    if before is not None and before is not anchor:
        for first, second in pairwise([before, *controls]):
            QWidget.setTabOrder(first, second)
