"""A map over two inputs that shows where a law changes the class, or which of several classes is predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.laws.law_page import Boundary, LawPlace, law_boundary
from morpholaw.widgets.pictures.linked_cells import LinkedCells
from morpholaw.widgets.study.current_study import CurrentStudy


class InputBoundary(QWidget):
    """A map over two inputs of a law, or of the laws of several classes, with labelled cells.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study, whose live process computes the map.

    Notes
    -----
    ``drawn`` is emitted with the map after it is computed.
    """

    drawn = Signal(object)

    def __init__(self, viewer: Any, current: CurrentStudy) -> None:
        super().__init__()
        self.current = current
        self.place: LawPlace | None = None
        self.shown: Boundary | None = None
        self._classes: tuple[str, ...] = ()
        self._colours: dict[str, str] = {}
        self._stale = False
        self.x_box, self.y_box = narrow_combo("x input"), narrow_combo("y input")
        self.x_box.setToolTip("Choose the input on the horizontal axis.")
        self.y_box.setToolTip("Choose the input on the vertical axis.")
        self.figure = LinkedCells(viewer, current)
        self.call = LatestCall(self)
        self.call.returned.connect(self._take)
        self.call.failed.connect(self.figure.say)
        axes = QHBoxLayout()
        for label, box in (("x axis", self.x_box), ("y axis", self.y_box)):
            axes.addWidget(QLabel(label))
            axes.addWidget(box, 1)
            box.activated.connect(self._chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(axes)
        layout.addWidget(self.figure)

    def show_law(self, place: LawPlace, classes: tuple[str, ...], colours: dict[str, str]) -> None:
        """Show the law of two classes, or the laws of more; keep the chosen inputs if the law is the same."""
        before, after = (
            None if law is None else (law.study, law.name, law.member, law.class_name)
            for law in (self.place, place)
        )
        same = before == after
        self.place, self._classes, self._colours = place, classes, colours
        if not same:
            self.x_box.clear()
            self.y_box.clear()
        self.ask()

    def clear(self) -> None:
        """Remove the law."""
        self.place = self.shown = None
        self.call.forget()
        self.figure.say("")

    @property
    def axes(self) -> tuple[str, ...]:
        """The chosen inputs; empty for those with the largest effect."""
        chosen = [str(box.currentData()) for box in (self.x_box, self.y_box) if box.currentData()]
        return tuple(dict.fromkeys(chosen))

    def ask(self) -> None:
        """Compute and draw the map, once it is visible."""
        self._stale = self.place is not None
        if self.place is not None and self.isVisible():
            self._stale = False
            if self.shown is None:
                self.figure.say("Drawing...")
            self.call.start(self.current.live.call, law_boundary, self.place, self.axes)

    def showEvent(self, event: Any) -> None:
        """Compute a map that was requested while this widget was hidden."""
        super().showEvent(event)
        if self._stale:
            self.ask()

    def _chosen(self, _: int) -> None:
        if self.x_box.currentData() == self.y_box.currentData():  # a map needs two different inputs
            other = self.y_box if self.sender() is self.x_box else self.x_box
            other.setCurrentIndex((other.currentIndex() + 1) % max(1, other.count()))
        self.ask()

    def _take(self, computed: Boundary) -> None:
        self.shown = computed
        names = computed.computed.names
        for box, name in zip((self.x_box, self.y_box), (*names, ""), strict=False):
            box.clear()
            for input_name, label in zip(computed.inputs, computed.input_labels, strict=True):
                if name:
                    box.addItem(label, input_name)
            box.setCurrentIndex(box.findData(name))
            box.setEnabled(len(computed.inputs) > 2 or (len(computed.inputs) == 2 and bool(name)))
        classes, colours = self._classes, self._colours
        on_map = computed.cells.shape[1] == 2
        points, indices = (computed.cells, computed.indices) if on_map else (np.empty((0, 2)), np.empty(0))

        def make(figsize: Any, theme: Any) -> Any:
            return _figure(computed, classes, colours, figsize, theme)

        self.figure.draw_cells(make, points, indices)
        self.drawn.emit(computed)


def _figure(
    shown: Boundary, classes: tuple[str, ...], colours: dict[str, str], figsize: Any, theme: Any
) -> Any:
    from morpholaw.figures.class_regions import class_regions
    from morpholaw.figures.law_boundary import cells_on_map, law_boundary
    from morpholaw.interpretation.input_slice import InputSlice

    on_map = shown.cells.shape[1] == 2
    x, y = shown.cells.T if on_map else np.empty((2, 0))
    cells = cells_on_map(x, y, shown.cell_labels, colours) if on_map else None
    if isinstance(shown.computed, InputSlice):
        return law_boundary(
            shown.computed, shown.labels, (classes[0], classes[1]), cells, held=shown.held, theme=theme,
            figsize=figsize,
        )  # fmt: skip
    return class_regions(
        shown.computed, (shown.labels[0], shown.labels[1]), classes, colours, cells,
        held=shown.held, theme=theme, figsize=figsize,
    )  # fmt: skip
