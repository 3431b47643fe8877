"""Which model is attacked, and in which space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QWidget

from morpholaw.widgets.study.saved_classifiers import SavedClassifier

SPACES = {
    "image": ("image", False),
    "latent": ("latent", False),
    "latent, some held": ("latent", True),
}
"""Where the perturbation is added, and whether latents are held."""


class AttackChoice(QWidget):
    """Scheme, model, space and the latents that are held.

    Notes
    -----
    ``changed`` is emitted after every choice, ``space_changed`` before it where the space is another one.
    """

    changed = Signal()
    space_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.classifiers: list[SavedClassifier] = []
        self.scheme_box, self.model_box, self.space_box = QComboBox(), QComboBox(), QComboBox()
        self.model_box.setToolTip("Every scheme is an ensemble of models that were trained alike.")
        self.space_box.addItems(list(SPACES))
        self.space_box.setToolTip("Add eps times the gradient's sign to the image, or to its latents.")
        self.held_line = QLineEdit("morphology")
        self.held_line.setToolTip(
            "Latents that stay as they are: morphology (those any model of scheme 3 kept), or z3, z17."
        )
        self.held_label = QLabel("held")
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("scheme", self.scheme_box)
        form.addRow("model", self.model_box)
        form.addRow("space", self.space_box)
        form.addRow(self.held_label, self.held_line)
        self._show_held()
        self.scheme_box.currentIndexChanged.connect(self._scheme_chosen)
        self.model_box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.space_box.currentIndexChanged.connect(self._space_chosen)
        self.held_line.editingFinished.connect(self.changed.emit)

    @property
    def classifier(self) -> SavedClassifier | None:
        """The chosen scheme; None where none is trained."""
        name = self.scheme_box.currentData()
        return next((entry for entry in self.classifiers if entry.name == name), None)

    @property
    def member(self) -> int:
        """The chosen model of the scheme."""
        return max(0, self.model_box.currentIndex())

    @property
    def space(self) -> str:
        """ "image" or "latent"."""
        return SPACES[self.space_box.currentText()][0]

    @property
    def keep(self) -> str:
        """The latents held, as :class:`morpholaw.config.AttackConfig` has them."""
        return self.held_line.text().strip() if SPACES[self.space_box.currentText()][1] else ""

    def show_classifiers(self, classifiers: Sequence[SavedClassifier]) -> None:
        """Offer these; the one that was chosen stays so where it is among them."""
        before = self.scheme_box.currentData()
        self.classifiers = list(classifiers)
        blocked = self.scheme_box.blockSignals(True)
        self.scheme_box.clear()
        for entry in self.classifiers:
            self.scheme_box.addItem(entry.title, entry.name)
        self.scheme_box.setCurrentIndex(max(0, self.scheme_box.findData(before)))
        self.scheme_box.blockSignals(blocked)
        self._scheme_chosen()

    def _scheme_chosen(self, *_: Any) -> None:
        models = self.classifier.models if self.classifier is not None else 0
        blocked = self.model_box.blockSignals(True)
        self.model_box.clear()
        self.model_box.addItems([f"{k + 1} of {models}" for k in range(models)])
        self.model_box.blockSignals(blocked)
        self.changed.emit()

    def _space_chosen(self, *_: Any) -> None:
        self._show_held()
        self.space_changed.emit()
        self.changed.emit()

    def _show_held(self) -> None:
        holds = SPACES[self.space_box.currentText()][1]
        self.held_line.setVisible(holds)
        self.held_label.setVisible(holds)
