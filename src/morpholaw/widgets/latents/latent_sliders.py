"""Sliders that move the ticked latents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget
from superqt import QLabeledDoubleSlider

from morpholaw.widgets.forms.narrow_inputs import float_slider

REACH = 3.5
"""Smallest range of a slider to either side of zero, in standard deviations of the prior."""


class LatentSliders(QWidget):
    """One slider per ticked latent; together they move a point in latent space.

    Notes
    -----
    ``moved`` is emitted whenever the user moves a slider.
    """

    moved = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.base = np.zeros(0, np.float32)
        self.sliders: dict[int, QLabeledDoubleSlider] = {}
        self.labels: dict[int, QLabel] = {}
        self._units: dict[int, QLabel] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)

    def show_latents(self, latents: Sequence[int], names: Mapping[int, str]) -> None:
        """Show one slider for each of ``latents``; a latent that already has one keeps its value."""
        before = {latent: slider.value() for latent, slider in self.sliders.items()}
        self._empty()
        for row, latent in enumerate(latents):
            tip = f"Move latent z{latent}; its value is in standard deviations (SD) of the prior."
            label, slider = QLabel(), float_slider(tip, 0.05)
            label.setToolTip(tip)
            start = float(self.base[latent])
            reach = max(REACH, float(np.ceil(abs(start) + 1)))
            slider.setRange(-reach, reach)
            slider.setValue(before.get(latent, start))
            slider.valueChanged.connect(lambda *_: self.moved.emit())
            unit = QLabel("SD")
            unit.setToolTip(tip)
            for column, part in enumerate((label, slider, unit)):
                self._grid.addWidget(part, row, column)
            self.labels[latent], self.sliders[latent], self._units[latent] = label, slider, unit
        self.show_names(names)

    def show_names(self, names: Mapping[int, str]) -> None:
        """Label each slider with the name of its latent, or with its number if it has no name."""
        for latent, label in self.labels.items():
            label.setText(names.get(latent) or f"z{latent}")

    def start_from(self, base: np.ndarray) -> None:
        """Set the sliders to the point ``base``, float (latents,)."""
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
        """The point that the sliders are set to, float32 (latents,)."""
        point = self.base.copy()
        for latent, slider in self.sliders.items():
            point[latent] = slider.value()
        return point

    def _empty(self) -> None:
        for widget in (*self.labels.values(), *self.sliders.values(), *self._units.values()):
            self._grid.removeWidget(widget)
            widget.hide()
            widget.deleteLater()
        self.labels, self.sliders, self._units = {}, {}, {}
