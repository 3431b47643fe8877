"""A combo box of the viewer's layers of some kinds, which follows changes in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, create_widget
from napari.layers import Layer, Tracks
from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from morpholaw.widgets.forms.narrow_inputs import make_narrow

if TYPE_CHECKING:
    from napari.components import ViewerModel


class _LayerCombo(ComboBox):
    null_string = "(none)"


class LayerChoice(QWidget):
    """Combo box (magicgui) for one layer, or none.

    magicgui's choices for napari layers come from the window in which a widget is docked. A panel knows its viewer
    before it is docked, so it passes the viewer to this class.

    Parameters
    ----------
    viewer : napari.components.ViewerModel
        The viewer with the layers.
    *kinds : type of Layer
        The kinds of layers to list. Until the user chooses one, a layer of the first kind is preferred to one of the
        second kind, and tracks with divisions are preferred to tracks without.

    Notes
    -----
    ``layer_changed`` is emitted when the choice changes, because the user chose another layer or the layer is gone.
    """

    layer_changed = Signal()

    def __init__(self, viewer: ViewerModel, *kinds: type[Layer]) -> None:
        super().__init__()
        self.viewer, self.kinds = viewer, kinds
        self._chosen_by_user = False
        combo = create_widget(
            annotation=Layer | None, options={"widget_type": _LayerCombo, "choices": self._choices}
        )
        assert isinstance(combo, ComboBox)
        self.combo = combo
        native = combo.native
        make_narrow(native)
        native.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        native.installEventFilter(self)
        native.activated.connect(self._choose)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(native)
        self.setFocusProxy(native)
        self._last: Layer | None = None
        combo.changed.connect(self._combo_changed)
        for event in ("inserted", "removed", "reordered", "renamed"):
            getattr(viewer.layers.events, event).connect(self.refresh)
        self.refresh()

    @property
    def layer(self) -> Any:
        """The chosen layer; None if there is none."""
        return self.combo.value

    def choose(self, layer: Layer | None) -> None:
        """Choose a layer; None, or a layer that is not listed, chooses none."""
        self._chosen_by_user = True
        self.combo.value = layer if layer in self._layers() else None

    def refresh(self, _: Any = None) -> None:
        """List the current layers of the viewer and keep the choice."""
        before, layers = self._last, self._layers()
        chosen = before if before in layers else None
        if layers and not self._chosen_by_user:
            best = min(reversed(layers), key=self._rank)
            if chosen is None or self._rank(best) < self._rank(chosen):
                chosen = best
        with self.combo.changed.blocked():
            self.combo.native.clear()  # otherwise the names would not be in the viewer's order
            self.combo.reset_choices()
            self.combo.value = chosen
        self._combo_changed(chosen)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the wheel scroll the panel instead of changing the choice."""
        if event is not None and event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _layers(self) -> list[Layer]:
        return [layer for layer in self.viewer.layers if isinstance(layer, self.kinds)]

    def _choices(self, _: ComboBox) -> list[tuple[str, Layer]]:
        return [(layer.name, layer) for layer in self._layers()]

    def _rank(self, layer: Layer) -> tuple[int, bool]:
        kind = next(place for place, kind in enumerate(self.kinds) if isinstance(layer, kind))
        return kind, isinstance(layer, Tracks) and not layer.graph

    def _choose(self, _: int) -> None:
        self._chosen_by_user = True

    def _combo_changed(self, layer: Layer | None) -> None:
        if layer is not self._last:
            self._last = layer
            self.layer_changed.emit()
