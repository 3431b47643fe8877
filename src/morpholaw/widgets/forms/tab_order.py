"""The Tab key reaches controls that are made later where they are seen, not after all others of the window."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget


def reach_before(anchor: QWidget, controls: Sequence[QWidget]) -> None:
    """Let the Tab key go through controls, in this order, just before it comes to ``anchor``.

    Qt puts what is made later at the end of its window. Where nothing else takes keys there, nothing changes.

    Parameters
    ----------
    anchor : QWidget
        A control, or the parent of the controls at whose place they are to be.
    controls : sequence of QWidget
        In the window of ``anchor``.
    """
    before = anchor.previousInFocusChain()
    while before is not None and before is not anchor:
        if before not in controls and before.focusPolicy() & Qt.FocusPolicy.TabFocus:
            break
        before = before.previousInFocusChain()
    if before is not None and before is not anchor:
        for first, second in pairwise([before, *controls]):
            QWidget.setTabOrder(first, second)
