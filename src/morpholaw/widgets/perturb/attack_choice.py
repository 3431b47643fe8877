"""Form that chooses the model to attack, the space and the direction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QLineEdit, QWidget

from morpholaw.display import Loss
from morpholaw.errors import InputError
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.widgets.forms.narrow_inputs import narrow_combo
from morpholaw.widgets.study.cell_scorer import NO_CLASSIFIER

if TYPE_CHECKING:
    from morpholaw.evaluation.scoring import Space

AWAY = "away from its class"
"""The direction of an attack that has no target class."""
SPACES: dict[str, tuple[Space, bool]] = {
    "pixels of the image": ("image", False),
    "latents": ("latent", False),
    "latents, some held fixed": ("latent", True),
}
"""The space in which the perturbation is added, and whether some latents are held fixed."""


class AttackChoice(QWidget):
    """Form that chooses scheme, model, space, the latents that are held fixed, and the direction.

    Notes
    -----
    ``changed`` is emitted after every choice. If the space changed, ``space_changed`` is emitted first.
    """

    changed = Signal()
    space_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.classifiers: list[ClassifierRecord] = []
        self.scheme_box, self.model_box, self.space_box = QComboBox(), QComboBox(), QComboBox()
        self.scheme_box.setToolTip("Choose the classifier to attack.")
        self.model_box.setToolTip(
            "Choose one of the models of the scheme, which differ only in their random seed."
        )
        self.space_box.addItems(list(SPACES))
        self.space_box.setToolTip(
            "Choose whether the attack changes the pixels of the image or the latents of the encoder."
        )
        self.held_line = QLineEdit("morphology")
        self.held_line.setToolTip(
            "Type the latents that the attack leaves unchanged: 'morphology' for those that follow the cell itself, or "
            "names such as z3, z17."
        )
        self.held_label = QLabel("Latents held fixed")
        self.towards_box = narrow_combo("class")
        self.towards_box.setToolTip(
            "Choose whether the attack moves cells away from their predicted class or towards a class of your choice."
        )
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Classifier", self.scheme_box)
        form.addRow("Model", self.model_box)
        form.addRow("Perturb the", self.space_box)
        form.addRow(self.held_label, self.held_line)
        form.addRow("Direction", self.towards_box)
        self._show_held()
        self.scheme_box.currentIndexChanged.connect(self._scheme_chosen)
        self.model_box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.space_box.currentIndexChanged.connect(self._space_chosen)
        self.held_line.editingFinished.connect(self.changed.emit)
        self.towards_box.currentIndexChanged.connect(lambda _: self.changed.emit())

    @property
    def classifier(self) -> ClassifierRecord | None:
        """The chosen classifier; None if none is trained."""
        name = self.scheme_box.currentData()
        return next((entry for entry in self.classifiers if entry.name == name), None)

    def required(self) -> ClassifierRecord:
        """Return the chosen classifier; raise InputError if none is trained."""
        if self.classifier is None:
            raise InputError("No classifier is trained yet; train one in the Classify panel first.")
        return self.classifier

    @property
    def member(self) -> int:
        """Index of the chosen model among those of the scheme, from 0."""
        return max(0, self.model_box.currentIndex())

    @property
    def space(self) -> Space:
        """The space in which the perturbation is added."""
        return SPACES[self.space_box.currentText()][0]

    @property
    def loss(self) -> Loss:
        """The loss with which the chosen laws were found; "hinge" for other schemes."""
        return (self.classifier.loss if self.classifier is not None else None) or "hinge"

    @property
    def keep(self) -> str:
        """The latents that are held fixed, as ``keep`` of :class:`morpholaw.config.AttackConfig`."""
        return self.held_line.text().strip() if SPACES[self.space_box.currentText()][1] else ""

    @property
    def towards(self) -> str:
        """The class to move towards; "" to move away from the predicted class."""
        return str(self.towards_box.currentData() or "")

    @staticmethod
    def has_gradient(classifier: ClassifierRecord) -> bool:
        """Return whether a classifier can be attacked; one that reads measured shapes has no gradient."""
        return not (classifier.columns and classifier.columns.shapes)

    def show_classifiers(self, classifiers: Sequence[ClassifierRecord]) -> None:
        """List classifiers; keep the current choice if it is among them."""
        before = self.scheme_box.currentData()
        self.classifiers = list(classifiers)
        blocked = self.scheme_box.blockSignals(True)
        self.scheme_box.clear()
        for entry in self.classifiers:
            self.scheme_box.addItem(entry.label, entry.name)
        if not self.classifiers:
            self.scheme_box.addItem(NO_CLASSIFIER)
        default = next((record.name for record in self.classifiers if self.has_gradient(record)), None)
        for name in (default, before):
            if (place := self.scheme_box.findData(name)) >= 0:
                self.scheme_box.setCurrentIndex(place)
        self.scheme_box.blockSignals(blocked)
        self._scheme_chosen()

    def _scheme_chosen(self, *_: Any) -> None:
        models = self.classifier.members if self.classifier is not None else 0
        blocked = self.model_box.blockSignals(True)
        self.model_box.clear()
        self.model_box.addItems([f"{k + 1} of {models}" for k in range(models)])
        self.model_box.blockSignals(blocked)
        self.model_box.setEnabled(models > 0)
        self._show_directions()
        self.changed.emit()

    def _show_directions(self) -> None:
        classes = () if self.classifier is None else self.classifier.classes
        before = self.towards
        blocked = self.towards_box.blockSignals(True)
        self.towards_box.clear()
        self.towards_box.addItem(AWAY, "")
        for name in classes:
            self.towards_box.addItem(f"towards {name}", name)
        self.towards_box.setCurrentIndex(max(0, self.towards_box.findData(before)))
        self.towards_box.blockSignals(blocked)

    def _space_chosen(self, *_: Any) -> None:
        self._show_held()
        self.space_changed.emit()
        self.changed.emit()

    def _show_held(self) -> None:
        some_held = SPACES[self.space_box.currentText()][1]
        self.held_line.setVisible(some_held)
        self.held_label.setVisible(some_held)
