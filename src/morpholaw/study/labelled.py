"""The labelled cells of a study as arrays: who is in training, who is in test, and what they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.cells.splits import grouped_split, split_fingerprint
from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.study.folder import StudyFolder

TEST_FRACTION = 0.1
"""Share of the labelled cells that is tested on (paper, 4.1)."""
SMALL = 2000
"""Labelled cells below which the paper's 10 % would be too few to test on."""
SMALL_TEST_FRACTION = 0.25


@dataclass(frozen=True)
class Labelled:
    """Cells of the two classes, split by group.

    Attributes
    ----------
    train, test : ndarray, int64
        Indices into the study's crops.
    train_targets, test_targets : ndarray, int8
        -1 for the negative class, +1 for the positive.
    fingerprint : str
        Names the split: the same groups in test give the same twelve digits.
    """

    train: np.ndarray
    test: np.ndarray
    train_targets: np.ndarray
    test_targets: np.ndarray
    fingerprint: str


def all_labels(folder: StudyFolder) -> np.ndarray:
    """The class of every crop of the study, str (n,), "" where it has none."""
    return np.concatenate([folder.annotations.labels_for(crop_set) for crop_set in folder.sets])


def labelled_cells(folder: StudyFolder, config: ClassifierConfig) -> Labelled:
    """Split the cells of ``config.negative`` and ``config.positive`` by group.

    Raises
    ------
    InputError
        When a class has no cells, or too few groups to be on both sides.
    """
    labels = all_labels(folder) if folder.sets else np.array([], str)
    wanted = np.isin(labels, [config.negative, config.positive])
    for name in (config.negative, config.positive):
        if not np.any(labels == name):
            found = ", ".join(f"{np.sum(labels == label)} {label}" for label in np.unique(labels) if label)
            raise InputError(
                f"The study {folder.path} has no cell of class {name!r}; its labelled cells are {found or 'none'}."
            )
    groups = folder.crops.cells["group"].to_numpy(str)
    fraction = config.test_fraction or (SMALL_TEST_FRACTION if wanted.sum() < SMALL else TEST_FRACTION)
    train, test = grouped_split(groups, np.where(wanted, labels, ""), fraction, config.split_seed)
    if set(groups[train]) & set(groups[test]):
        raise InputError("Cells of one group are in training and in test; label whole tracks or movies.")
    targets = np.where(labels == config.positive, 1, -1).astype(np.int8)
    return Labelled(train, test, targets[train], targets[test], split_fingerprint(groups[test]))
