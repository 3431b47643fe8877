"""Agreement and differences of the classifiers of a study and the baselines."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, fields
from itertools import combinations

import numpy as np
import pandas as pd

from morpholaw.errors import InputError
from morpholaw.evaluation.baselines import BASELINES, baseline_features, predict_baseline
from morpholaw.evaluation.conditions import holm
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.paired import PairedDifference, paired_difference
from morpholaw.evaluation.performance import applied_score
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.models.classes import classes_of_scores
from morpholaw.store import classifiers
from morpholaw.store.changes import tell_changes
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.labelled_cells import all_labels, held_out, labelled_cells
from morpholaw.store.study_folder import StudyFolder


@dataclass(frozen=True)
class _Predicted:
    """Predictions of one classifier for the cells that it was not trained on.

    Attributes
    ----------
    classes : tuple of str
        The classes that it distinguishes.
    names : Series
        Predicted class, by the index of the cell; None without a finite score.
    """

    classes: tuple[str, ...]
    names: pd.Series

    @classmethod
    def of(cls, classes: tuple[str, ...], numbers: np.ndarray, cells: np.ndarray) -> _Predicted:
        """Return the predictions from class numbers, int (n,), where -1 stands for no finite score."""
        return cls(classes, pd.Series(np.array([*classes, None], dtype=object)[numbers], index=cells))


def compare(folder: StudyFolder, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Return the share of cells that each pair of classifiers assigns to the same class.

    Each pair is compared on the cells that were held out from both. The share is NaN if the classes differ or there are
    no such cells. A cell without a finite score never agrees. See :meth:`morpholaw.Study.compare`.

    Returns
    -------
    DataFrame
        One row per classifier: its name (``classifier``), then one column per classifier. Empty if cancelled.
    """
    predicted = _predictions(folder, monitor)
    table = pd.DataFrame({"classifier": list(predicted)})
    for name, one in predicted.items():
        table[name] = [_agreement(one, other) for other in predicted.values()]
    return table


def compare_pairs(folder: StudyFolder, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Return how much the accuracies of each pair of classifiers differ on the same cells.

    See :meth:`morpholaw.Study.compare_pairs`.
    """
    predicted = _predictions(folder, monitor)
    labels, groups = all_labels(folder), folder.crops.cells["group"].to_numpy(str)
    rows = []
    for first, second in combinations(predicted, 2):
        one, other = predicted[first], predicted[second]
        if one is None or other is None or set(one.classes) != set(other.classes):
            continue
        of_first, of_second = one.names.align(other.names, join="inner")
        cells = of_first.index.to_numpy()
        if len(cells):
            truth = labels[cells]
            right, right_too = (of_first == truth).to_numpy(), (of_second == truth).to_numpy()
            found = paired_difference(right, right_too, truth, groups[cells])
            rows.append({"first": first, "second": second} | asdict(found))
    names = ["first", "second", *(entry.name for entry in fields(PairedDifference))]
    table = pd.DataFrame(rows, columns=names)
    return table.assign(p=holm(table["p"].to_numpy(float)))


def _predictions(folder: StudyFolder, monitor: Monitor) -> dict[str, _Predicted | None]:
    """Return the predictions of all classifiers and baselines by name; empty if cancelled.

    A classifier whose test cells are not known has None.
    """
    records = classifiers.records(folder)
    tell_changes(folder, records, monitor)
    predicted: dict[str, _Predicted | None] = {}
    for number, (name, record) in enumerate(records.items()):
        monitor.emit(Progress(number, len(records), "comparing classifiers"))
        predicted[name] = None
        try:
            cells, _ = held_out(folder, name)
        except InputError as error:
            monitor.warn(str(error))
            continue
        scores = score_crops(
            classifiers.load(folder, name),
            folder.crops[cells],
            monitor=Monitor(should_stop=monitor.should_stop),
        )
        if monitor.should_stop():
            return {}
        numbers = classes_of_scores(applied_score(scores, record.scheme), len(record.classes))
        predicted[name] = _Predicted.of(record.classes, numbers, cells)
    return predicted | _baselines(folder, records)


def _baselines(folder: StudyFolder, records: dict[str, ClassifierRecord]) -> dict[str, _Predicted]:
    """Return the predictions of the baselines for the test set that most classifiers share; empty without a split."""
    trained_here = {name: one for name, one in records.items() if not one.trained_elsewhere}
    counted = Counter((one.evaluation.split, one.classes) for one in trained_here.values())
    for split, _ in counted.most_common():
        name, record = next(
            (name, one) for name, one in trained_here.items() if (one.evaluation.split, one.classes) == split
        )
        try:
            held_out(folder, name)
        except InputError:  # it has been reported before
            continue
        cells = labelled_cells(folder, record.config)
        training, testing = (baseline_features(folder.crops[part]) for part in (cells.train, cells.test))
        return {
            baseline: _Predicted.of(
                cells.classes, predict_baseline(baseline, training, cells.train_targets, testing), cells.test
            )
            for baseline in BASELINES
        }
    return {}


def _agreement(one: _Predicted | None, other: _Predicted | None) -> float:
    if one is None or other is None or set(one.classes) != set(other.classes):
        return float("nan")
    first, second = one.names.align(other.names, join="inner")
    return float(np.mean(first.notna() & (first == second))) if len(first) else float("nan")
