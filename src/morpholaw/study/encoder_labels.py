"""The labels that an encoder may learn from under the joint objective, and the record of them (paper, section 8)."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.splits import split_fingerprint
from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.store.encoder_record import TaskRecord
from morpholaw.store.labelled_cells import LabelsSeen, all_labels, split_labelled
from morpholaw.store.study_folder import StudyFolder
from morpholaw.training.joint_objective import EncoderLabels


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
