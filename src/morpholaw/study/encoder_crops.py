"""The crops and the labels that an encoder learns from (paper, section 8).

Crops of groups that classifiers are tested on are left out.
"""

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
"""Crops up to which training reads them from memory (600 MB) instead of from the file."""


@dataclass(frozen=True)
class ChosenCrops:
    """Some crops of a study, read as an array is.

    Attributes
    ----------
    crops : Crops
        All crops.
    kept : ndarray, int64 (n,)
        Those that are read, rising.
    """

    crops: Crops
    kept: np.ndarray

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, index: Any) -> np.ndarray:
        return self.crops[self.kept[index]]


@dataclass(frozen=True)
class LearntCrops:
    """What an encoder learns from.

    Attributes
    ----------
    kept : ndarray, int64 (n,)
        Indices into the study's crops, rising.
    test_split : str
        Fingerprint of the test groups that are left out; "" where none are.
    """

    kept: np.ndarray
    test_split: str

    def images(self, folder: StudyFolder) -> np.ndarray | Crops | ChosenCrops:
        """Return the crops, in memory where they are few."""
        crops = folder.crops
        if len(self.kept) <= IN_MEMORY:
            return crops[self.kept]
        return crops if len(self.kept) == len(crops) else ChosenCrops(crops, self.kept)


def learnt_crops(folder: StudyFolder, config: EncoderConfig, task: TaskRecord | None = None) -> LearntCrops:
    """Choose the crops that an encoder learns from.

    Left out are all crops of the groups that classifiers are tested on by the settings' split: those of the joint
    objective where there is one, else those of the classes that classifiers tell apart by default.
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
    """Return the groups that classifiers of the default classes are tested on; none without such a split."""
    try:
        classes = chosen_classes(folder)
        _, test = split_labelled(folder, classes, config.test_fraction, config.split_seed)
    except InputError:  # too few labels: there is nothing to test on yet
        return set()
    return set(groups[test].tolist())


def task_labels(
    folder: StudyFolder, config: EncoderConfig, seen: LabelsSeen | None = None
) -> tuple[EncoderLabels, TaskRecord]:
    """Return the labelled cells of the training groups, and the record of them.

    Parameters
    ----------
    seen
        Labels that the encoder which training starts from has seen; its test groups stay test groups.

    Raises
    ------
    InputError
        When fewer than two classes have cells, or a class is not on both sides of the split.
    """
    labels = all_labels(folder)
    classes = tuple(dict.fromkeys(config.task_classes)) or tuple(sorted(set(labels.tolist()) - {""}))
    if len(classes) < 2:
        raise InputError(
            "The joint objective (task above 0) tells labelled classes apart and needs two or more; the study "
            f"has {', '.join(classes) or 'no labelled cell'}."
        )
    train, test = split_labelled(folder, classes, config.test_fraction, config.split_seed, seen)
    groups = folder.crops.cells["group"].to_numpy(str)
    targets = np.array([classes.index(label) for label in labels[train]], dtype=np.int64)
    before = seen.train_groups if seen is not None else frozenset()
    record = TaskRecord(
        weight=config.task,
        classes=classes,
        training_cells={name: int(np.sum(labels[train] == name)) for name in classes},
        crops=_by_set(folder, train),
        train_groups=tuple(sorted({*groups[train].tolist(), *before})),
        test_groups=tuple(sorted(set(groups[test].tolist()))),
        split=split_fingerprint(groups[test]),
    )
    return EncoderLabels(train, targets, classes), record


def inherited(seen: LabelsSeen | None) -> TaskRecord | None:
    """Return the record of an encoder that learns without labels but starts from one that has seen some."""
    if seen is None:
        return None
    return TaskRecord(
        train_groups=tuple(sorted(seen.train_groups)),
        test_groups=tuple(sorted(seen.test_groups)),
        split=split_fingerprint(seen.test_groups),
    )


def _by_set(folder: StudyFolder, cells: np.ndarray) -> dict[str, tuple[int, ...]]:
    """Return the numbers of the crops within their sets, by the sets' names."""
    found, begin = {}, 0
    for crop_set in folder.sets:
        in_set = cells[(cells >= begin) & (cells < begin + len(crop_set))] - begin
        if len(in_set):
            found[crop_set.name] = tuple(in_set.tolist())
        begin += len(crop_set)
    return found
