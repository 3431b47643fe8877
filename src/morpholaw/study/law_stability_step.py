"""Stability of the laws of a study, from repeated searches on resampled groups of training cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.law_stability import ClassLawStability, LawStability, compared
from morpholaw.evaluation.metrics import balanced_accuracy
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.interpretation.class_sentence import directions_against_all, input_ranges
from morpholaw.interpretation.monotone import directions
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.law import Law
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.law_rows import TrainingViews, outputs_of_scheme_3
from morpholaw.study.training_of_laws import check_place, class_laws_over_columns, over_columns, training_of
from morpholaw.training.class_balanced_rows import class_balanced_rows
from morpholaw.training.class_laws import discover_class_laws
from morpholaw.training.laws import discover_laws

DRAWS = 1_000
"""Maximum number of draws until every class is among the drawn groups."""


def stability(
    folder: StudyFolder,
    name: str,
    k: int,
    resamples: int,
    evaluations: int,
    seed: int = 0,
    monitor: Monitor = SILENT,
) -> LawStability:
    """Repeat the search for laws of two classes on resampled groups, and compare law ``k`` with the results.

    Groups are redrawn until all classes are among them.

    Raises
    ------
    InputError
        If there is no such law, the training set no longer exists, or too few draws contain all classes.
    """
    record, config, views = training_of(folder, name)
    check_place(record, k)
    table = views.features
    expression = over_columns(record.laws[k].expression, table.names)
    outputs = outputs_of_scheme_3(folder, views, config, record.classes)
    found: list[Law] = []
    accuracies: list[float] = []
    for draw, rows, left_out in _resampled(folder, views, resamples, seed, monitor):
        of_class = [rows[views.targets[rows] == number] for number in (0, 1)]
        rows = class_balanced_rows(of_class, (0.5, 0.5), (seed, draw))
        laws = discover_laws(
            table.rows(rows),
            views.targets[rows],
            _of_one_search(config, evaluations, seed + draw),
            outputs=None if outputs is None else outputs[rows],
            cells=views.cells[rows],
            monitor=Monitor(should_stop=monitor.should_stop),
        )
        if monitor.should_stop():  # an unfinished search says nothing about the law
            break
        if laws:
            found.append(laws[0])
            accuracies += _accuracy(laws[0], views, left_out)
    ranges = input_ranges(table, table.names)
    return compared(
        expression,
        directions(expression, ranges),
        [law.expression for law in found],
        [directions(law.expression, ranges) for law in found],
        evaluations,
        tuple(accuracies),
    )


def stability_of_classes(
    folder: StudyFolder,
    name: str,
    resamples: int,
    evaluations: int,
    seed: int = 0,
    monitor: Monitor = SILENT,
) -> ClassLawStability:
    """Repeat the search for the laws of all classes on resampled groups, and compare the laws with the results.

    Groups are redrawn until all classes are among them.

    Raises
    ------
    InputError
        If the training set no longer exists, or too few draws contain all classes.
    """
    record, config, views = training_of(folder, name)
    table = views.features
    outputs = outputs_of_scheme_3(folder, views, config, record.classes)
    found: list[ClassLaws] = []
    accuracies: list[float] = []
    for draw, rows, left_out in _resampled(folder, views, resamples, seed, monitor):
        resampled = discover_class_laws(
            table.rows(rows),
            views.targets[rows],
            record.classes,
            _of_one_search(config, evaluations, seed + draw),
            outputs=None if outputs is None else outputs[rows],
            cells=views.cells[rows],
            monitor=Monitor(should_stop=monitor.should_stop),
        )
        if monitor.should_stop():
            break
        if resampled is not None:
            found.append(resampled)
            accuracies += _accuracy(resampled, views, left_out)
    laws = class_laws_over_columns(record.class_laws, table.names)
    ranges = input_ranges(table, table.names)
    by_class = {
        one: compared(
            laws.laws[one].expression,
            directions_against_all(laws, one, ranges),
            [each.laws[one].expression for each in found],
            [directions_against_all(each, one, ranges) for each in found],
            evaluations,
        )
        for one in record.classes
    }
    return ClassLawStability(len(found), by_class, tuple(accuracies))


def _resampled(
    folder: StudyFolder, views: TrainingViews, count: int, seed: int, monitor: Monitor
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield the number of each resample, its rows, and the rows of the groups that are not in it."""
    groups = folder.crops.cells["group"].to_numpy(str)[views.cells]
    random = np.random.default_rng(seed)
    for draw in range(count):
        monitor.emit(Progress(draw, count, "resample"))
        if monitor.should_stop():
            return
        yield (draw, *rows_of_drawn_groups(groups, views.targets, random))


def rows_of_drawn_groups(
    groups: np.ndarray, targets: np.ndarray, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a bootstrap resample of groups, repeatedly until it contains all classes.

    Parameters
    ----------
    groups : ndarray
        Group of each row, str (n,).
    targets : ndarray
        Class of each row, int (n,).
    random : numpy.random.Generator
        Random number generator.

    Returns
    -------
    tuple of ndarray
        Rows of the drawn groups, int (m,), and rows of the groups that were not drawn, int (k,).

    Raises
    ------
    InputError
        If none of :data:`DRAWS` draws contains all classes.
    """
    names, classes = np.unique(groups), np.unique(targets)
    for _ in range(DRAWS):
        drawn = random.choice(names, len(names))
        rows = np.concatenate([np.flatnonzero(groups == one) for one in drawn])
        if len(np.unique(targets[rows])) == len(classes):
            return rows, np.flatnonzero(~np.isin(groups, drawn))
    raise InputError(
        f"The training cells belong to {len(names)} groups (movies or tracks), too few of which have cells of each "
        f"class: none of {DRAWS} resamples contained all {len(classes)} classes. Label cells of each class in more "
        "groups."
    )


def _of_one_search(config: LawConfig, evaluations: int, seed: int) -> LawConfig:
    return config.model_copy(
        update={"count": 1, "evaluations": evaluations, "engine": "embedded", "processes": 1, "seed": seed}
    )


def _accuracy(laws: Law | ClassLaws, views: TrainingViews, left_out: np.ndarray) -> list[float]:
    """Return the balanced accuracy on the rows that are not in a resample; empty if they are of a single class."""
    targets = views.targets[left_out]
    if len(np.unique(targets)) < 2:
        return []
    return [balanced_accuracy(targets, laws.predict(views.features.rows(left_out)))]
