"""A list of the viewer's layers of some kinds, which follows the viewer."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QComboBox, QWidget


class LayerChoice(QComboBox):
    """Chooses one layer, or none.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose layers.
    kinds : layer class or tuple of them
        Which layers.
    none : str
        The words for no layer.

    Notes
    -----
    The panel that holds it calls :meth:`refresh` when layers come, go or are renamed. ``layer_changed`` is
    emitted when another layer is chosen, by the person or because the layer is gone.
    """

    layer_changed = Signal()

    def __init__(self, viewer: Any, kinds: Any, none: str = "none", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer, self.kinds, self.none = viewer, kinds, none
        self._shown: list[Any] = []
        self._touched = False
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(self._touch)
        self.currentIndexChanged.connect(lambda _: self.layer_changed.emit())
        self.refresh()

    @property
    def layer(self) -> Any:
        """The chosen layer or None."""
        index = self.currentIndex()
        return self._shown[index - 1] if 0 < index <= len(self._shown) else None

    def choose(self, layer: Any) -> None:
        """Choose a layer; None, or one that is not in the list, chooses none."""
        self._touched = True
        self.setCurrentIndex(self._shown.index(layer) + 1 if layer in self._shown else 0)

    def refresh(self, *_: Any) -> None:
        """List the viewer's layers as they are now and keep the choice; the first is chosen at the start."""
        before = self.layer
        shown = [layer for layer in self.viewer.layers if isinstance(layer, self.kinds)]
        names = [layer.name for layer in shown]
        if shown == self._shown and names == [self.itemText(i) for i in range(1, self.count())]:
            return
        self.blockSignals(True)
        self.clear()
        self._shown = shown
        self.addItem(self.none)
        self.addItems(names)
        if before in shown:
            self.setCurrentIndex(shown.index(before) + 1)
        elif shown and not self._touched:
            self.setCurrentIndex(len(shown))
        self.blockSignals(False)
        if self.layer is not before:
            self.layer_changed.emit()

    def showPopup(self) -> None:
        """List the names as they are now before showing them."""
        self.refresh()
        super().showPopup()

    def wheelEvent(self, event: Any) -> None:
        """Let the wheel scroll the panel."""
        event.ignore()

    def _touch(self, _: int) -> None:
        self._touched = True
