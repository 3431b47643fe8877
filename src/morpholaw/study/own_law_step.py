"""A formula that a person wrote, tested on the held-out cells beside the laws that were found."""

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
from morpholaw.store.labelled_cells import held_out, labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.scale import model_scale
from morpholaw.training.encoder import encode


@dataclass(frozen=True)
class TestedLaw:
    """How a law does on held-out cells.

    Attributes
    ----------
    text : str
        The formula, constants with three digits.
    nodes : int
        Its size.
    accuracy : Estimate
        With its 95 % interval over groups of cells; a cell without a finite score is wrong.
    balanced_accuracy : Estimate
        Mean over the two classes, or over the class and the rest, with its interval.
    differs : int
        Cells that it puts into another class than the formula tested.
    """

    text: str
    nodes: int
    accuracy: Estimate
    balanced_accuracy: Estimate
    differs: int = 0


@dataclass(frozen=True)
class LawTest:
    """The result of a formula of your own on the held-out cells.

    Attributes
    ----------
    law : Law
        The formula; f >= 0 where it holds. It reads latents, and shapes in units.
    classes : (str, str)
        The classes of f < 0 and of f >= 0; of more than two classes the first stands for all others.
    tested : TestedLaw
        How it does.
    found : tuple of TestedLaw
        The laws of the study for the same classes, on the same cells. Of more than two classes each is the law of the
        class, which is right where it is the largest of all in cells of the class, and in no others.
    cells : int
        Held-out cells.
    undefined : int
        Cells without a finite value.
    wrong : ndarray, int64
        Indices of the cells that it gets wrong, into the study's crops.
    units : dict
        Unit of each shape that it reads.
    """

    law: Law
    classes: tuple[str, str]
    tested: TestedLaw
    found: tuple[TestedLaw, ...]
    cells: int
    undefined: int
    wrong: np.ndarray
    units: dict[str, str]


def measure_own_law(
    folder: StudyFolder, expression: str, name: str = "scheme4-hinge", class_name: str | None = None
) -> LawTest:
    """Test a formula on the cells that no law of the study was trained on.

    Where there are no laws, the cells are the test cells of the default split. With more than two classes the formula
    tells ``class_name`` from all others, and stands beside what the laws that were found do with that class.

    Raises
    ------
    InputError
        If the text is not a formula of latents and shapes, there is no such class, or it is not named among several.
    """
    latents = folder.encoder_record.settings.latents if folder.has_encoder else 0
    law = Law(*_read(expression, (*latent_names(latents), *SHAPE_NAMES, *NEIGHBOURHOOD_NAMES)))
    known = name in classifiers.names(folder)
    if known:
        record = classifiers.record(folder, name)
        if record.scheme != 4:
            raise InputError(f"{name} holds no laws to stand beside the formula; name some that do.")
        (cells, targets), names = held_out(folder, name), record.classes
    else:
        split = labelled_cells(folder, ClassifierConfig())
        cells, targets, names = split.test, split.test_targets, split.classes
    place = _place(names, class_name)
    classes = (ANOTHER if len(names) > 2 else names[1 - place], names[place])
    targets = (targets == place).astype(np.int64)
    crops, groups = folder.crops[cells], folder.crops.cells["group"].to_numpy(str)[cells]
    predicted = predicted_classes(law.score(_table(folder, law, crops)))
    found = []
    if known:
        classifier = classifiers.load(folder, name)
        each = classes_of_scores(score_crops(classifier, crops), len(names))
        each = np.where(each == NO_CLASS, NO_CLASS, each == place)
        for k, calls in enumerate(each):
            one = classifier.laws_of(k)[place if len(names) > 2 else 0]
            text = law_in_units(one, classifier.columns).rounded().text()
            differs = int(np.count_nonzero(calls != predicted))
            found.append(TestedLaw(text, one.size, *_shares(calls == targets, groups, targets), differs))
    scale = model_scale(folder)
    units = _units(law, None if scale is None else scale.pixel_size)
    return LawTest(
        law,
        classes,
        TestedLaw(law.rounded().text(), law.size, *_shares(predicted == targets, groups, targets)),
        tuple(found),
        len(cells),
        int(np.count_nonzero(predicted == NO_CLASS)),
        cells[predicted != targets],
        units,
    )


def _place(classes: Sequence[str], class_name: str | None) -> int:
    """Return the place of the class that the formula is of: the one that is named, of two the second by default."""
    if class_name is None:
        if len(classes) > 2:
            raise InputError(
                f"A formula tells one of {len(classes)} classes from all others; name the class: {', '.join(classes)}."
            )
        return 1
    if class_name not in classes:
        raise InputError(f"There is no class {class_name!r} here; the classes are {listed(classes)}.")
    return classes.index(class_name)


def _read(text: str, names: Sequence[str]) -> tuple[Expression, tuple[str, ...]]:
    """Return the expression over the names that it reads, and these names."""
    whole = parse_rule(text, names)
    used = whole.variables()
    if not used:
        raise InputError(
            f"The formula {text!r} reads nothing of a cell, so every cell would be of one class."
        )
    return parse_rule(text, used), used


def _table(folder: StudyFolder, law: Law, crops: np.ndarray) -> FeatureTable:
    """Return what the law reads of some crops: latents, and shapes in units."""
    columns: dict[str, np.ndarray] = {}
    if any(latent_number(name) is not None for name in law.names):
        means = encode(encoders.of_study(folder), crops)[0]
        columns |= {name: means[:, k] for k, name in enumerate(latent_names(means.shape[1]))}
    if set(law.names) & {*SHAPE_NAMES, *NEIGHBOURHOOD_NAMES}:
        scale = model_scale(folder)
        measured = measure_features(crops, None if scale is None else scale.pixel_size, neighbourhood=True)
        columns |= {name: measured[name].to_numpy(float) for name in measured}
    return FeatureTable(np.stack([columns[name] for name in law.names], axis=1), law.names)


def _shares(right: np.ndarray, groups: np.ndarray, targets: np.ndarray) -> tuple[Estimate, Estimate]:
    """Return accuracy and balanced accuracy."""
    return accuracy_interval(right, groups), accuracy_interval(right, groups, targets)


def _units(law: Law, pixel_size: float | None) -> dict[str, str]:
    """Return the unit of each shape that the law reads and that has one."""
    known = {feature.name: feature.unit for feature in shape_features(pixel_size, neighbourhood=True)}
    return {name: known[name] for name in law.names if known.get(name)}
