"""The crops that an encoder learns from: those of groups that classifiers are tested on are left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from morpholaw.cells.crop_set import Crops
from morpholaw.cells.splits import split_fingerprint
from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.store.encoder_record import TaskRecord
from morpholaw.store.labelled_cells import chosen_classes, split_labelled
from morpholaw.store.study_folder import StudyFolder

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
