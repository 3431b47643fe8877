"""How often the classifiers of a study assign a cell to the same class."""

from __future__ import annotations

import numpy as np
import pandas as pd

from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.performance import applied_score
from morpholaw.events import SILENT, Message, Monitor, Progress
from morpholaw.models.classes import classes_of_scores
from morpholaw.store import classifiers
from morpholaw.store.changes import tell_changes
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.labelled_cells import held_out
from morpholaw.store.study_folder import StudyFolder


def compare(folder: StudyFolder, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Return the share of cells that each two classifiers assign to the same class.

    Each pair is compared on the cells that were held out from both. Classifiers of other classes, or without a cell
    in common, have NaN; a cell without a finite score agrees with none.

    Returns
    -------
    DataFrame
        One row per classifier: ``classifier``, its name, then one column per classifier. Empty after a stop.
    """
    records = classifiers.records(folder)
    tell_changes(folder, records, monitor)
    predicted: dict[str, pd.Series] = {}
    for number, (name, record) in enumerate(records.items()):
        monitor.emit(Progress(number, len(records), "comparing classifiers"))
        try:
            cells, _ = held_out(folder, name)
        except InputError as error:
            monitor.emit(Message(str(error), level="warning"))
            continue
        scores = score_crops(
            classifiers.load(folder, name),
            folder.crops[cells],
            monitor=Monitor(should_stop=monitor.should_stop),
        )
        if monitor.should_stop():
            return pd.DataFrame({"classifier": []})
        numbers = classes_of_scores(applied_score(scores, record.scheme), len(record.classes))
        classes = np.array([*record.classes, None], dtype=object)  # the last is that of no finite score
        predicted[name] = pd.Series(classes[numbers], index=cells)
    table = pd.DataFrame({"classifier": list(records)})
    for name in records:
        table[name] = [_agreement(records, predicted, name, other) for other in records]
    return table


def _agreement(
    records: dict[str, ClassifierRecord], predicted: dict[str, pd.Series], one: str, other: str
) -> float:
    if not {one, other} <= predicted.keys() or set(records[one].classes) != set(records[other].classes):
        return float("nan")
    first, second = predicted[one].align(predicted[other], join="inner")
    return float(np.mean(first.notna() & (first == second))) if len(first) else float("nan")
