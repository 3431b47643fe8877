"""The labelled cells of a study, split into training set and test set by group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from morpholaw.cells.splits import grouped_split, split_fingerprint
from morpholaw.config import ALL_CLASSES, SplitConfig
from morpholaw.display import listed
from morpholaw.errors import InputError
from morpholaw.store.classifiers import record
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.study_folder import StudyFolder
from morpholaw.store.study_record import DEFAULT_CLASSES

TEST_FRACTION = 0.1
"""Share of the labelled cells in the test set (paper, 4.1)."""
SMALL = 2000
"""Number of labelled cells below which 10 % would be too few for a test set."""
SMALL_TEST_FRACTION = 0.25


@dataclass(frozen=True)
class Labelled:
    """Labelled cells of some classes, split into training set and test set by group.

    Attributes
    ----------
    classes : tuple of str
        Names of the classes.
    train, test : ndarray, int64
        Indices into the study's crops.
    train_targets, test_targets : ndarray, int64
        Class numbers, indices into ``classes``.
    fingerprint : str
        Identifier of the split, a fingerprint of its test groups with twelve digits.
    """

    classes: tuple[str, ...]
    train: np.ndarray
    test: np.ndarray
    train_targets: np.ndarray
    test_targets: np.ndarray
    fingerprint: str


def all_labels(folder: StudyFolder) -> np.ndarray:
    """Return the class of every crop of the study, str (n,); "" for crops without a label."""
    none = np.array([], object)  # the result if the only set is damaged
    return np.concatenate([none, *(folder.annotations.labels_for(crop_set) for crop_set in folder.sets)])


def chosen_classes(folder: StudyFolder, classes: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the classes that the setting ``classes`` stands for.

    These are the named classes, or every labelled class for "all". If empty, they are interphase and metaphase if both
    are labelled, otherwise every labelled class, in the order of the study's classes.

    Raises
    ------
    InputError
        If fewer than two classes are labelled and none are named.
    """
    if classes and tuple(classes) != ALL_CLASSES:
        return tuple(classes)
    present = set(all_labels(folder).tolist()) if folder.sets else set()
    labelled = tuple(name for name in folder.classes if name in present)
    if not classes:
        return usual_classes(labelled)
    if len(labelled) < 2:
        raise InputError(
            f"The study {folder.path} has labelled cells of {listed(labelled) or 'no class'}; a classifier needs "
            "two classes or more."
        )
    return labelled


def usual_classes(labelled: tuple[str, ...]) -> tuple[str, ...]:
    """Return the classes that are distinguished by default, given those that are labelled."""
    return DEFAULT_CLASSES if set(DEFAULT_CLASSES) <= set(labelled) or len(labelled) < 2 else labelled


def labelled_cells(folder: StudyFolder, config: SplitConfig) -> Labelled:
    """Split the labelled cells of the classes ``config.classes`` (see `chosen_classes`) by group.

    If the study's encoder was trained with labels, its split is used, so that classifiers are not tested on groups
    whose labels the encoder has seen.

    Raises
    ------
    InputError
        If a class has no cells, or too few groups to be in both sets.
    """
    classes = chosen_classes(folder, config.classes)
    train, test = split_labelled(
        folder, classes, config.test_fraction, config.split_seed, labels_seen(folder)
    )
    groups = folder.crops.cells["group"].to_numpy(str)
    targets = class_numbers(all_labels(folder), classes)
    return Labelled(classes, train, test, targets[train], targets[test], split_fingerprint(groups[test]))


def class_numbers(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the index of each label in ``classes``, int64 (n,); -1 for other labels."""
    numbers = np.full(len(labels), -1, dtype=np.int64)
    for number, name in enumerate(classes):
        numbers[labels == name] = number
    return numbers


def held_out(folder: StudyFolder, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the labelled cells that a classifier was not trained on.

    These are the test cells of its split, or all labelled cells of its classes if it was trained on another study.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    name : str
        Name of the classifier, e.g. "scheme2".

    Returns
    -------
    cells : ndarray, int64 (n,)
        Indices into the study's crops.
    targets : ndarray, int64 (n,)
        Class numbers, 0 to C - 1, indices into the ``classes`` of its record.

    Raises
    ------
    InputError
        If there is no such classifier, or its split can no longer be reproduced.
    """
    classifier = record(folder, name)
    if classifier.trained_elsewhere:
        labels = all_labels(folder)
        cells = np.flatnonzero(np.isin(labels, classifier.classes))
        if not len(cells):
            raise InputError(
                f"{name} was trained on another study, and this study has no labelled cells of "
                f"{' or '.join(classifier.classes)}; label some to test it."
            )
        return cells, class_numbers(labels[cells], classifier.classes)
    split = labelled_cells(folder, classifier.config)
    if (split.fingerprint, len(split.test)) != (
        classifier.evaluation.split,
        classifier.evaluation.test_cells,
    ):
        raise InputError(
            f"The labels or the encoder's split have changed since {name} was trained, so its test set can no longer "
            "be determined; train it again."
        )
    return split.test, split.test_targets


@dataclass(frozen=True)
class LabelsSeen:
    """Groups of cells whose labels were used to train an encoder, and groups that were held out."""

    train_groups: frozenset[str]
    test_groups: frozenset[str]

    @classmethod
    def of(cls, encoder: EncoderRecord) -> LabelsSeen | None:
        """Return the groups of an encoder; None if it was trained without labels."""
        task = encoder.task
        return None if task is None else cls(frozenset(task.train_groups), frozenset(task.test_groups))


def labels_seen(folder: StudyFolder) -> LabelsSeen | None:
    """Return the groups of the study's encoder; None if it was trained without labels or does not exist."""
    return LabelsSeen.of(folder.encoder_record) if folder.has_encoder else None


def split_labelled(
    folder: StudyFolder,
    classes: Sequence[str],
    test_fraction: float | None,
    split_seed: int,
    seen: LabelsSeen | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return training cells and test cells of some classes, sorted indices, int64, without dividing groups.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    classes : sequence of str
        The classes.
    test_fraction : float or None
        Share of cells in the test set. The default is 10 % as in the paper, or 25 % if there are few cells.
    split_seed : int
        Seed of the split.
    seen : LabelsSeen, optional
        Groups whose labels the encoder has seen. If some of them are in this study, the groups that the encoder held
        out are the test set, and all others the training set.

    Raises
    ------
    InputError
        If a class has no cells, or is missing in one of the sets.
    """
    labels = all_labels(folder) if folder.sets else np.array([], str)
    included = np.isin(labels, classes)
    for name in classes:
        if not np.any(labels == name):
            counts = ", ".join(f"{np.sum(labels == label)} {label}" for label in np.unique(labels) if label)
            raise InputError(
                f"The study {folder.path} has no cell of class {name!r}; its labelled cells are {counts or 'none'}."
            )
    groups = folder.crops.cells["group"].to_numpy(str)
    if seen is not None and seen.train_groups & set(groups[included]):
        held_out = np.isin(groups, sorted(seen.test_groups - seen.train_groups))
        train, test = np.flatnonzero(included & ~held_out), np.flatnonzero(included & held_out)
        for name in classes:
            if not (np.any(labels[train] == name) and np.any(labels[test] == name)):
                raise InputError(
                    f"The encoder was trained with labels, and its split has cells of class {name!r} in only one of "
                    "the two sets; train the encoder again with this class in task_classes, or with task 0."
                )
    else:
        fraction = test_fraction or (SMALL_TEST_FRACTION if included.sum() < SMALL else TEST_FRACTION)
        train, test = grouped_split(groups, np.where(included, labels, ""), fraction, split_seed)
    if set(groups[train]) & set(groups[test]):
        raise InputError("A group has cells in both training set and test set; label whole tracks or movies.")
    return train, test
