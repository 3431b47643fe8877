"""Evaluation of a user's formula on held-out cells, in comparison with the laws of the study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.shape_features import NEIGHBOURHOOD_NAMES, SHAPE_NAMES, measure_features, shape_features
from morpholaw.config import ClassifierConfig
from morpholaw.display import ANOTHER, listed
from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import accuracy_interval
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.estimate import Estimate
from morpholaw.models.classes import NO_CLASS, classes_of_scores, predicted_classes
from morpholaw.models.expressions import Expression, parse_rule
from morpholaw.models.features import FeatureTable, latent_names, latent_number
from morpholaw.models.law import Law
from morpholaw.models.law_units import law_in_units
from morpholaw.store import classifiers, encoders
from morpholaw.store.guessing import GUESSING
from morpholaw.store.labelled_cells import held_out, labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.scale import shape_pixel_size
from morpholaw.training.encoder import encode

GUESS = 0.5
"""Balanced accuracy of guessing."""


@dataclass(frozen=True)
class TestedLaw:
    """Accuracy of a formula or law on held-out cells.

    Attributes
    ----------
    text : str
        The formula as written, or a law with as many digits as its classes need.
    nodes : int
        Its number of nodes.
    accuracy : Estimate
        Accuracy with its 95 % confidence interval over groups of cells. Cells without a finite score are errors.
    balanced_accuracy : Estimate
        Mean accuracy of the two classes, or of the class and the rest, with its confidence interval.
    differs : int
        Number of cells that a law assigns to another class than the tested formula.
    """

    text: str
    nodes: int
    accuracy: Estimate
    balanced_accuracy: Estimate
    differs: int = 0


@dataclass(frozen=True)
class LawTest:
    """Result of the evaluation of a user's formula on held-out cells.

    Attributes
    ----------
    law : Law
        The formula, over latents and shapes in units; f >= 0 if it is true.
    classes : (str, str)
        The classes of f < 0 and of f >= 0. With more than two classes, the first stands for all others.
    tested : TestedLaw
        Accuracy of the formula.
    found : tuple of TestedLaw
        Accuracy of the laws of the study for the same classes, on the same cells. With more than two classes, these are
        laws of the class; a cell is classified correctly if this law is the largest exactly for cells of the class.
    cells : int
        Number of held-out cells.
    undefined : int
        Number of cells for which the formula has no finite value.
    wrong : ndarray, int64
        Indices of misclassified cells into the study's crops.
    units : dict
        Unit of each shape in the formula.
    """

    law: Law
    classes: tuple[str, str]
    tested: TestedLaw
    found: tuple[TestedLaw, ...]
    cells: int
    undefined: int
    wrong: np.ndarray
    units: dict[str, str]

    @property
    def doubt(self) -> str:
        """A sentence on a formula that cannot be told from guessing or is worse; "" for a better one."""
        balanced = self.tested.balanced_accuracy
        if balanced.high < GUESS:
            return "The formula is significantly worse than guessing; it may be that of the other class."
        return "" if balanced.low > GUESS else f"The formula is {GUESSING}."


def measure_own_law(
    folder: StudyFolder, expression: str, name: str = "scheme4-hinge", class_name: str | None = None
) -> LawTest:
    """Evaluate a formula on the test set of the laws, or of the default split if there are no laws.

    With more than two classes, the formula distinguishes ``class_name`` from all others.

    Raises
    ------
    InputError
        If the text is not a formula of latents and shapes, or the class does not exist or is missing.
    """
    latents = folder.encoder_record.settings.latents if folder.has_encoder else 0
    law = Law(*_read(expression, (*latent_names(latents), *SHAPE_NAMES, *NEIGHBOURHOOD_NAMES)))
    known = name in classifiers.names(folder)
    if known:
        record = classifiers.record(folder, name)
        if record.scheme != 4:
            raise InputError(
                f"{name} holds no laws to compare the formula with; name a classifier that does."
            )
        (cells, targets), names = held_out(folder, name), record.classes
    else:
        split = labelled_cells(folder, ClassifierConfig())
        cells, targets, names = split.test, split.test_targets, split.classes
    place = _place(names, class_name)
    classes = (ANOTHER if len(names) > 2 else names[1 - place], names[place])
    targets = (targets == place).astype(np.int64)
    crops, groups = folder.crops[cells], folder.crops.cells["group"].to_numpy(str)[cells]
    classifier = classifiers.load(folder, name) if known else None
    pixel_size = shape_pixel_size(folder)
    if classifier is not None and classifier.columns is not None and classifier.columns.shapes:
        pixel_size = classifier.columns.pixel_size  # so that shapes have the units of the laws beside them
    predicted = predicted_classes(law.score(_table(folder, law, crops, pixel_size)))
    measured = []
    if classifier is not None:
        each = classes_of_scores(score_crops(classifier, crops), len(names))
        each = np.where(each == NO_CLASS, NO_CLASS, each == place)
        for k, calls in enumerate(each):
            one = classifier.laws_of(k)[place if len(names) > 2 else 0]
            text = law_in_units(one, classifier.columns).rounded().text()
            differs = int(np.count_nonzero(calls != predicted))
            measured.append(TestedLaw(text, one.size, *_shares(calls == targets, groups, targets), differs))
    units = _units(law, pixel_size)
    return LawTest(
        law,
        classes,
        TestedLaw(law.text(), law.size, *_shares(predicted == targets, groups, targets)),
        tuple(measured),
        len(cells),
        int(np.count_nonzero(predicted == NO_CLASS)),
        cells[predicted != targets],
        units,
    )


def _place(classes: Sequence[str], class_name: str | None) -> int:
    """Return the index of the class of the formula, which defaults to the second of two."""
    if class_name is None:
        if len(classes) > 2:
            raise InputError(
                f"A formula distinguishes one of {len(classes)} classes from all others; name the class: "
                f"{', '.join(classes)}."
            )
        return 1
    if class_name not in classes:
        raise InputError(f"There is no class {class_name!r} here; the classes are {listed(classes)}.")
    return classes.index(class_name)


def _read(text: str, names: Sequence[str]) -> tuple[Expression, tuple[str, ...]]:
    """Return the parsed expression and the names of its variables."""
    whole = parse_rule(text, names)
    used = whole.variables()
    if not used:
        raise InputError(f"The formula {text!r} has no variable, so all cells would be of the same class.")
    return parse_rule(text, used), used


def _table(folder: StudyFolder, law: Law, crops: np.ndarray, pixel_size: float | None) -> FeatureTable:
    """Return the inputs of the law for some crops: latents, and shapes in units."""
    columns: dict[str, np.ndarray] = {}
    if any(latent_number(name) is not None for name in law.names):
        means = encode(encoders.of_study(folder), crops)[0]
        columns |= {name: means[:, k] for k, name in enumerate(latent_names(means.shape[1]))}
    if set(law.names) & {*SHAPE_NAMES, *NEIGHBOURHOOD_NAMES}:
        measured = measure_features(crops, pixel_size, neighbourhood=True)
        columns |= {name: measured[name].to_numpy(float) for name in measured}
    return FeatureTable(np.stack([columns[name] for name in law.names], axis=1), law.names)


def _shares(right: np.ndarray, groups: np.ndarray, targets: np.ndarray) -> tuple[Estimate, Estimate]:
    """Return accuracy and balanced accuracy."""
    return accuracy_interval(right, groups), accuracy_interval(right, groups, targets)


def _units(law: Law, pixel_size: float | None) -> dict[str, str]:
    """Return the unit of each shape in the law that has one."""
    units = {feature.name: feature.unit for feature in shape_features(pixel_size, neighbourhood=True)}
    return {name: units[name] for name in law.names if units.get(name)}
