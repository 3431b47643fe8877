"""The labelled cells of a study as arrays, split into training and test cells by group."""

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
"""Share of the labelled cells that is tested on (paper, 4.1)."""
SMALL = 2000
"""Labelled cells below which the paper's 10 % would be too few to test on."""
SMALL_TEST_FRACTION = 0.25


@dataclass(frozen=True)
class Labelled:
    """Cells of some classes, split by group.

    Attributes
    ----------
    classes : tuple of str
        Names of the classes; a target is a place in it.
    train, test : ndarray, int64
        Indices into the study's crops.
    train_targets, test_targets : ndarray, int64
        Class numbers, 0 to C - 1.
    fingerprint : str
        Identifies the split by its test groups, twelve digits.
    """

    classes: tuple[str, ...]
    train: np.ndarray
    test: np.ndarray
    train_targets: np.ndarray
    test_targets: np.ndarray
    fingerprint: str


def all_labels(folder: StudyFolder) -> np.ndarray:
    """Return the class of every crop of the study, str (n,); "" where it has none."""
    none = np.array([], object)  # what is left where the only set is damaged
    return np.concatenate([none, *(folder.annotations.labels_for(crop_set) for crop_set in folder.sets)])


def chosen_classes(folder: StudyFolder, classes: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the classes that are meant by the setting ``classes``.

    They are those that it names; every labelled class for "all"; and without a name interphase and metaphase where
    both are labelled, else every labelled class, in the order of the study's classes.

    Raises
    ------
    InputError
        When fewer than two classes are labelled and none are named.
    """
    if classes and tuple(classes) != ALL_CLASSES:
        return tuple(classes)
    present = set(all_labels(folder).tolist()) if folder.sets else set()
    labelled = tuple(name for name in folder.classes if name in present)
    if not classes and (set(DEFAULT_CLASSES) <= set(labelled) or len(labelled) < 2):
        return DEFAULT_CLASSES
    if len(labelled) < 2:
        raise InputError(
            f"The study {folder.path} has labelled cells of {listed(labelled) or 'no class'}; a classifier needs "
            "two classes or more."
        )
    return labelled


def labelled_cells(folder: StudyFolder, config: SplitConfig) -> Labelled:
    """Split the cells of the classes ``config.classes`` by group; `chosen_classes` says which those are.

    Where the study's encoder learnt from labels, its split is kept: no classifier is tested on a cell of a
    group whose labels the encoder has seen.

    Raises
    ------
    InputError
        When a class has no cells, or too few groups to be on both sides.
    """
    classes = chosen_classes(folder, config.classes)
    train, test = split_labelled(
        folder, classes, config.test_fraction, config.split_seed, labels_seen(folder)
    )
    groups = folder.crops.cells["group"].to_numpy(str)
    targets = class_numbers(all_labels(folder), classes)
    return Labelled(classes, train, test, targets[train], targets[test], split_fingerprint(groups[test]))


def class_numbers(labels: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Return the place of each label among ``classes``, int64 (n,); -1 for labels of other classes."""
    numbers = np.full(len(labels), -1, dtype=np.int64)
    for number, name in enumerate(classes):
        numbers[labels == name] = number
    return numbers


def held_out(folder: StudyFolder, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Find the cells that no model of a classifier was trained on.

    They are the test cells of its split; all labelled cells of its classes where it was trained on another study.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    name : str
        The classifier, e.g. "scheme2".

    Returns
    -------
    cells : ndarray, int64 (n,)
        Indices into the study's crops.
    targets : ndarray, int64 (n,)
        Class numbers, 0 to C - 1: places in the record's ``classes``.

    Raises
    ------
    InputError
        When there is no such classifier, or its split cannot be made any more.
    """
    found = record(folder, name)
    if found.trained_elsewhere:
        labels = all_labels(folder)
        cells = np.flatnonzero(np.isin(labels, found.classes))
        if not len(cells):
            raise InputError(
                f"{name} was trained on another study, and no cell of this one is labelled "
                f"{' or '.join(found.classes)}; label some to test it."
            )
        return cells, class_numbers(labels[cells], found.classes)
    split = labelled_cells(folder, found.config)
    if (split.fingerprint, len(split.test)) != (found.evaluation.split, found.evaluation.test_cells):
        raise InputError(
            f"The labels or the encoder's split have changed since {name} was trained, so its test cells cannot be "
            "found again; train it again to see this."
        )
    return split.test, split.test_targets


@dataclass(frozen=True)
class LabelsSeen:
    """Groups of cells whose labels an encoder learnt from, and those that were held out for testing."""

    train_groups: frozenset[str]
    test_groups: frozenset[str]

    @classmethod
    def of(cls, encoder: EncoderRecord) -> LabelsSeen | None:
        """Return the labels that an encoder has seen; None where it was trained without."""
        task = encoder.task
        return None if task is None else cls(frozenset(task.train_groups), frozenset(task.test_groups))


def labels_seen(folder: StudyFolder) -> LabelsSeen | None:
    """Return the labels that the study's encoder has seen; None where there are none, or no encoder."""
    return LabelsSeen.of(folder.encoder_record) if folder.has_encoder else None


def split_labelled(
    folder: StudyFolder,
    classes: Sequence[str],
    test_fraction: float | None,
    split_seed: int,
    seen: LabelsSeen | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return training and test cells of some classes, sorted indices int64; whole groups on one side.

    Parameters
    ----------
    test_fraction
        Share to test on; by default the paper's 10 %, or 25 % of few cells.
    seen
        Labels that the encoder has seen. Where groups of this study are among them, the groups that it held out are
        tested on, and all others are trained on.

    Raises
    ------
    InputError
        When a class has no cells, or none on one side.
    """
    labels = all_labels(folder) if folder.sets else np.array([], str)
    wanted = np.isin(labels, classes)
    for name in classes:
        if not np.any(labels == name):
            found = ", ".join(f"{np.sum(labels == label)} {label}" for label in np.unique(labels) if label)
            raise InputError(
                f"The study {folder.path} has no cell of class {name!r}; its labelled cells are {found or 'none'}."
            )
    groups = folder.crops.cells["group"].to_numpy(str)
    if seen is not None and seen.train_groups & set(groups[wanted]):
        held_out = np.isin(groups, sorted(seen.test_groups - seen.train_groups))
        train, test = np.flatnonzero(wanted & ~held_out), np.flatnonzero(wanted & held_out)
        for name in classes:
            if not (np.any(labels[train] == name) and np.any(labels[test] == name)):
                raise InputError(
                    f"The encoder learnt from labels, and the groups that it held out leave cells of class {name!r} "
                    "on one side only; train the encoder again with this class among task_classes, or with task 0."
                )
    else:
        fraction = test_fraction or (SMALL_TEST_FRACTION if wanted.sum() < SMALL else TEST_FRACTION)
        train, test = grouped_split(groups, np.where(wanted, labels, ""), fraction, split_seed)
    if set(groups[train]) & set(groups[test]):
        raise InputError("Cells of one group are in training and in test; label whole tracks or movies.")
    return train, test
