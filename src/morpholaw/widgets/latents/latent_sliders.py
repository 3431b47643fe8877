"""One slider per ticked latent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget
from superqt import QLabeledDoubleSlider

from morpholaw.widgets.forms.narrow_inputs import float_slider

REACH = 3.5
"""Least range of a slider on both sides, in standard deviations of the prior."""


class LatentSliders(QWidget):
    """Moves a point in latent space.

    Notes
    -----
    ``moved`` is emitted at every movement of a slider by hand.
    """

    moved = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.base = np.zeros(0, np.float32)
        self.sliders: dict[int, QLabeledDoubleSlider] = {}
        self.labels: dict[int, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)

    def show_latents(self, latents: Sequence[int], names: Mapping[int, str]) -> None:
        """Replace the sliders by those of ``latents``; a slider that stays keeps its value."""
        before = {latent: slider.value() for latent, slider in self.sliders.items()}
        self._empty()
        for row, latent in enumerate(latents):
            tip = f"Value of latent z{latent}, in standard deviations of the prior."
            label, slider = QLabel(), float_slider(tip, 0.05)
            label.setToolTip(tip)
            start = float(self.base[latent])
            reach = max(REACH, float(np.ceil(abs(start) + 1)))
            slider.setRange(-reach, reach)
            slider.setValue(before.get(latent, start))
            slider.valueChanged.connect(lambda *_: self.moved.emit())
            self._grid.addWidget(label, row, 0)
            self._grid.addWidget(slider, row, 1)
            self.labels[latent], self.sliders[latent] = label, slider
        self.show_names(names)

    def show_names(self, names: Mapping[int, str]) -> None:
        """Label each slider with the latent's name, or its number where it has none."""
        for latent, label in self.labels.items():
            label.setText(names.get(latent) or f"z{latent}")

    def start_from(self, base: np.ndarray) -> None:
        """Set every slider to its value in ``base``, float (latents,)."""
        self.base = np.asarray(base, np.float32)
        for latent, slider in self.sliders.items():
            blocked = slider.blockSignals(True)
            value = float(self.base[latent])
            reach = max(slider.maximum(), float(np.ceil(abs(value) + 1)))
            slider.setRange(-reach, reach)
            slider.setValue(value)
            slider.blockSignals(blocked)
        self.moved.emit()

    @property
    def point(self) -> np.ndarray:
        """The point that the sliders stand for, float32 (latents,)."""
        point = self.base.copy()
        for latent, slider in self.sliders.items():
            point[latent] = slider.value()
        return point

    def _empty(self) -> None:
        for widget in (*self.labels.values(), *self.sliders.values()):
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self.labels, self.sliders = {}, {}
