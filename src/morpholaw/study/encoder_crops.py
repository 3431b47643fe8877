"""The training set of an encoder: crops, without those of the test groups of classifiers, and labels (section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from morpholaw.cells.crop_set import Crops
from morpholaw.cells.splits import split_fingerprint
from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.store.encoder_record import TaskRecord
from morpholaw.store.labelled_cells import LabelsSeen, all_labels, chosen_classes, split_labelled
from morpholaw.store.study_folder import StudyFolder
from morpholaw.training.joint_objective import EncoderLabels

IN_MEMORY = 150_000
"""Largest number of crops that are loaded into memory (600 MB) for training; more are read from the file."""


@dataclass(frozen=True)
class ChosenCrops:
    """A selection of a study's crops, which is indexed like an array.

    Attributes
    ----------
    crops : Crops
        All crops.
    kept : ndarray, int64 (n,)
        Indices of the selected crops, in ascending order.
    """

    crops: Crops
    kept: np.ndarray

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.crops[self.kept[index]]


@dataclass(frozen=True)
class LearntCrops:
    """The training set of an encoder.

    Attributes
    ----------
    kept : ndarray, int64 (n,)
        Indices into the study's crops, in ascending order.
    test_split : str
        Fingerprint of the test groups that are left out; "" if there are none.
    """

    kept: np.ndarray
    test_split: str

    def images(self, folder: StudyFolder) -> np.ndarray | Crops | ChosenCrops:
        """Return the crops, loaded into memory if there are not too many."""
        crops = folder.crops
        if len(self.kept) <= IN_MEMORY:
            return crops[self.kept]
        return crops if len(self.kept) == len(crops) else ChosenCrops(crops, self.kept)


def learnt_crops(folder: StudyFolder, config: EncoderConfig, task: TaskRecord | None = None) -> LearntCrops:
    """Select the training set of an encoder.

    All crops of the test groups are left out. These are the test groups of the joint objective if there is one,
    otherwise those on which classifiers of the default classes are tested with the same settings.
    """
    crops = folder.crops
    groups = crops.cells["group"].to_numpy(str)
    left_out: set[str] = set()
    if config.leave_out_test and task is not None and task.classes:
        left_out = set(task.test_groups)
    elif config.leave_out_test:
        left_out = _test_groups(folder, config, groups)
    kept = np.flatnonzero(~np.isin(groups, sorted(left_out)))
    if not left_out or len(kept) < 2:
        return LearntCrops(np.arange(len(crops)), "")
    return LearntCrops(kept, split_fingerprint(sorted(left_out)))


def _test_groups(folder: StudyFolder, config: EncoderConfig, groups: np.ndarray) -> set[str]:
    """Return the test groups of classifiers of the default classes; empty if there is no such split."""
    try:
        classes = chosen_classes(folder)
        _, test = split_labelled(folder, classes, config.test_fraction, config.split_seed)
    except InputError:  # there are too few labels for a test set
        return set()
    return set(groups[test].tolist())


def task_labels(
    folder: StudyFolder, config: EncoderConfig, seen: LabelsSeen | None = None
) -> tuple[EncoderLabels, TaskRecord]:
    """Return the labelled cells of the training groups, and a record of them.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    config : EncoderConfig
        Settings of the training.
    seen : LabelsSeen, optional
        Labels that were used to train the initial encoder. Its test groups remain test groups.

    Raises
    ------
    InputError
        If fewer than two classes have labelled cells, or a class is missing in the training set or the test set.
    """
    labels = all_labels(folder)
    classes = tuple(dict.fromkeys(config.task_classes)) or tuple(sorted(set(labels.tolist()) - {""}))
    if len(classes) < 2:
        raise InputError(
            "The joint objective (task above 0) needs at least two labelled classes; the study has "
            f"{', '.join(classes) or 'no labelled cells'}."
        )
    train, test = split_labelled(folder, classes, config.test_fraction, config.split_seed, seen)
    groups = folder.crops.cells["group"].to_numpy(str)
    targets = np.array([classes.index(label) for label in labels[train]], dtype=np.int64)
    earlier = seen.train_groups if seen is not None else frozenset()
    record = TaskRecord(
        weight=config.task,
        classes=classes,
        training_cells={name: int(np.sum(labels[train] == name)) for name in classes},
        crops=_by_set(folder, train),
        train_groups=tuple(sorted({*groups[train].tolist(), *earlier})),
        test_groups=tuple(sorted(set(groups[test].tolist()))),
        split=split_fingerprint(groups[test]),
    )
    return EncoderLabels(train, targets, classes), record


def inherited(seen: LabelsSeen | None) -> TaskRecord | None:
    """Return the task record of an encoder that is trained without labels but initialised with one that was not."""
    if seen is None:
        return None
    return TaskRecord(
        train_groups=tuple(sorted(seen.train_groups)),
        test_groups=tuple(sorted(seen.test_groups)),
        split=split_fingerprint(seen.test_groups),
    )


def _by_set(folder: StudyFolder, cells: np.ndarray) -> dict[str, tuple[int, ...]]:
    """Return the numbers of crops within their sets, by the names of the sets."""
    by_set, start = {}, 0
    for crop_set in folder.sets:
        in_set = cells[(cells >= start) & (cells < start + len(crop_set))] - start
        if len(in_set):
            by_set[crop_set.name] = tuple(in_set.tolist())
        start += len(crop_set)
    return by_set
