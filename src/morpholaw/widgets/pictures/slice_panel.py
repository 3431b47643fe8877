"""A slice of a function over two of a model's inputs, with sliders for the others and decoded cells along the axes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QFormLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget
from superqt import QLabeledDoubleSlider

from morpholaw.errors import MorpholawError
from morpholaw.widgets.forms.narrow_inputs import float_slider, narrow_combo
from morpholaw.widgets.jobs.latest_call import LatestCall
from morpholaw.widgets.pictures.linked_cells import LinkedCells
from morpholaw.widgets.pictures.slice import (
    LIMIT,
    CellsWanted,
    DecodedInputs,
    Response,
    Slice,
    slice_figure,
    slice_of,
)
from morpholaw.widgets.study.current_study import CurrentStudy
from morpholaw.widgets.study.encoder_state import EncoderFile

if TYPE_CHECKING:
    from napari.components import ViewerModel


class SlicePanel(QWidget):
    """Shows a :class:`Response`. The live process computes it; of several requests, the latest one counts.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer, whose theme the figure follows.
    current : CurrentStudy
        The study, whose encoder decodes the cells along the axes.
    sentence : str
        Text shown while there is no function.

    Attributes
    ----------
    x_box, y_box : QComboBox
        The inputs on the x and y axes.
    names : dict of int to str
        Names of the inputs, by number of the input.
    base : ndarray, float64 (inputs,)
        Values of the other inputs, in standard deviations from the mean.
    """

    def __init__(self, viewer: ViewerModel, current: CurrentStudy, sentence: str) -> None:
        super().__init__()
        self.current, self.empty_sentence = current, sentence
        self.response: Response | None = None
        self.names: dict[int, str] = {}
        self.base = np.zeros(0)
        self.shown: Slice | None = None
        self.sliders: dict[int, QLabeledDoubleSlider] = {}
        self._call = LatestCall(self, live=True)
        self._call.returned.connect(self._take)
        self._call.failed.connect(self._failed)
        self._stale = False
        self._build(viewer)

    def _build(self, viewer: ViewerModel) -> None:
        self.x_box, self.y_box = narrow_combo("x axis"), narrow_combo("y axis")
        self.x_box.setToolTip("Choose the input on the horizontal axis.")
        self.y_box.setToolTip("Choose the input on the vertical axis.")
        self.centre = QPushButton("Reset others")
        self.centre.setToolTip(
            "Set the inputs on the sliders back to their means: latents to 0, shapes to the mean of the training cells."
        )
        axes = QHBoxLayout()
        for label, box in (("x axis", self.x_box), ("y axis", self.y_box)):
            axes.addWidget(QLabel(label))
            axes.addWidget(box, 1)
        self._controls = QWidget()
        self._rows = QFormLayout()
        self._rows.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        controls = QVBoxLayout(self._controls)
        controls.setContentsMargins(0, 0, 0, 0)
        controls.addLayout(axes)
        controls.addLayout(self._rows)
        controls.addWidget(self.centre, 0, Qt.AlignmentFlag.AlignRight)
        self.figure = LinkedCells(viewer, self.current, self.empty_sentence)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._controls)
        layout.addWidget(self.figure)
        layout.addStretch(1)
        self._controls.hide()
        self.x_box.currentIndexChanged.connect(self._axes_changed)
        self.y_box.currentIndexChanged.connect(self._axes_changed)
        self.centre.clicked.connect(self._to_centre)

    def clear(self, sentence: str = "") -> None:
        """Show a sentence instead of a function."""
        self.response = self.shown = None
        self._stale = False
        self._call.forget()
        self._controls.hide()
        self.figure.say(sentence or self.empty_sentence)

    def show_response(self, response: Response, names: dict[int, str]) -> None:
        """Show a response; keep the chosen inputs if it depends on them."""
        before: tuple[int | None, int | None] = (self.x_box.currentData(), self.y_box.currentData())
        if len(self.base) != response.total:
            self.base = np.zeros(response.total)
        self.response, self.names = response, names
        others = [place for place in range(response.total) if place not in response.inputs]
        ordered: list[int | None] = [*response.inputs, *others]
        chosen = ordered[:2]
        if set(before) <= set(response.inputs) and before[0] != before[1]:
            chosen = [*before]
        elif len(response.inputs) == 1:
            chosen[1] = None
        for box, latent in zip((self.x_box, self.y_box), chosen, strict=False):
            blocked = box.blockSignals(True)
            box.clear()
            if box is self.y_box and len(response.inputs) < 2:
                box.addItem("(curve)", None)
            for choice in (*response.inputs, *others):
                box.addItem(self.called(choice), choice)
            box.setCurrentIndex(max(0, box.findData(latent)))
            box.blockSignals(blocked)
        self._controls.show()
        self._make_sliders()
        self.ask()

    @property
    def axes(self) -> tuple[int, int | None]:
        """The inputs on the x and y axes; y is None for a curve."""
        return self.x_box.currentData(), self.y_box.currentData()

    def ask(self) -> None:
        """Compute and draw the slice, once the panel is visible."""
        self._stale = self.response is not None
        if self._stale and self.isVisible():
            self._compute()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Compute a slice that was requested while the panel was hidden."""
        super().showEvent(event)
        if self._stale:
            self.ask()

    def called(self, place: int) -> str:
        """Return the name and the label of an input, or only its label if it has no name."""
        label = self.response.label(place) if self.response else f"input {place + 1}"
        word = self.names.get(place)
        return f"{word} ({label})" if word else label

    def _axes_changed(self) -> None:
        x, y = self.axes
        if x == y:  # a plot needs two different inputs, so change the other axis
            box = self.y_box if self.sender() is self.x_box else self.x_box
            _choose_another(box, x)
        self._make_sliders()
        self.ask()

    def _make_sliders(self) -> None:
        while self._rows.rowCount():
            self._rows.removeRow(0)
        self.sliders = {}
        for place in self.response.inputs if self.response else ():
            if place in self.axes:
                continue
            low, value, high = self._in_units(place, np.array([-LIMIT, self.base[place], LIMIT]))
            slider = float_slider(f"Set the value of {self.called(place)}.", step=(high - low) / (20 * LIMIT))
            slider.setRange(low, high)
            slider.setValue(value)
            slider.valueChanged.connect(partial(self._moved, place))
            self._rows.addRow(self.called(place), slider)
            self.sliders[place] = slider
        self.centre.setVisible(bool(self.sliders))

    def _moved(self, place: int, value: float) -> None:
        if self.response is not None:
            columns = self.response.columns
            self.base[place] = (value - columns.centre[place]) / columns.scale[place]
        self.ask()

    def _in_units(self, place: int, values: np.ndarray) -> np.ndarray:
        return values if self.response is None else self.response.columns.in_units(place, values)

    def _to_centre(self) -> None:
        self.base[:] = 0
        for place, slider in self.sliders.items():
            slider.setValue(float(self._in_units(place, np.zeros(1))[0]))
        self.ask()

    def _compute(self) -> None:
        response, study = self.response, self.current.study
        if response is None:
            return
        self._stale = False
        x, y = self.axes
        base = self.base.copy()
        base[[place for place in (x, y) if place is not None]] = 0
        if self.shown is None:
            self.figure.say("Drawing...")
        try:
            decoded = None
            if study is not None and study.has_encoder and response.columns.latents:
                decoded = DecodedInputs(EncoderFile.of(study), response.columns.latent_places)
        except MorpholawError as error:
            self.figure.say(str(error))
            return
        wanted, crops = None, self.current.crops
        if response.sides is not None and study is not None and crops is not None:
            wanted = CellsWanted.of(study, len(crops), response.colours)
        self._call.start(self.current.live.call, slice_of, response.function, x, y, base, decoded, wanted)

    def _take(self, computed: Slice) -> None:
        response, names, held = self.response, self.names, self._held()
        if response is None:
            return
        self.shown = computed

        def make(figsize: Any, theme: Any) -> Any:
            return slice_figure(response, computed, names, held, figsize, theme)

        self.figure.draw_cells(make, *computed.dots())

    def _failed(self, sentence: str) -> None:
        self.figure.say(sentence)

    def _held(self) -> str:
        held = {place: self._in_units(place, self.base[[place]])[0] for place in self.sliders}
        return ", ".join(f"{self.called(place)} = {value:.3g}" for place, value in held.items())


def _choose_another(box: QComboBox, place: int) -> None:
    """Choose the first input of a box that is not ``place``."""
    blocked = box.blockSignals(True)
    box.setCurrentIndex(next(i for i in range(box.count()) if box.itemData(i) not in (place, None)))
    box.blockSignals(blocked)
