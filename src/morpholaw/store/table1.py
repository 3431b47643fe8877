"""Table 1 of the paper for a study, with the numbers of the paper (6.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from morpholaw.display import span, spread
from morpholaw.evaluation.estimate import Estimate
from morpholaw.models.expressions.spreadsheet import column_letters
from morpholaw.store.baseline_record import MeasuredBaseline, baselines
from morpholaw.store.classifier_record import ClassifierRecord
from morpholaw.store.classifiers import records

if TYPE_CHECKING:
    from morpholaw.store.study_folder import StudyFolder

PAPER = {
    1: ("1040", "9697", "99.7 ± 0.1"),
    2: ("1040", "8641", "99.0 ± 0.1"),
    3: ("23 ± 2", "180 ± 20", "97.0 ± 0.2"),
    4: ("n/a", "17 ± 7", "97.4 ± 0.2"),
}
"""Table 1 of the paper, for two classes: head weights, head expression size, test accuracy in per cent."""


def table1(folder: StudyFolder) -> pd.DataFrame:
    """Return Table 1 for a study.

    Errors are standard deviations over the models, as in the paper. Confidence intervals are those of the median score
    over groups of cells. The accuracies are the last columns, because pandas omits columns in the middle of wide tables
    when it prints them.

    Returns
    -------
    DataFrame
        One row per classifier, with scheme, models, weights, size, classes, split, accuracies in per cent and the
        numbers of the paper, followed by the baselines for the same split and classes, as scheme 0. Only rows with the
        same letter in the column ``test set``, that is with the same split and classes, can be compared.
    """
    classifier_records = records(folder)
    splits = {(record.evaluation.split, record.classes) for record in classifier_records.values()}
    simple = [one for one in baselines(folder) if (one.split, one.classes) in splits]
    table = pd.DataFrame(
        [*(_row(record) for record in classifier_records.values()), *(_baseline_row(one) for one in simple)]
    )
    if len(table):
        table.insert(table.columns.get_loc("split"), "test set", _letters(table))
    return table


def _letters(table: pd.DataFrame) -> list[str]:
    """Return a letter for each test set, which is a split and its classes, in the order of the table."""
    pairs = [*zip(table["split"], table["classes"], strict=True)]
    letters = {pair: column_letters(place) for place, pair in enumerate(dict.fromkeys(pairs))}
    return [letters[pair] for pair in pairs]


def _row(found: ClassifierRecord) -> dict[str, object]:
    evaluation = found.evaluation
    weights, size, accuracy = PAPER[found.scheme] if found.two_classes else ("n/a",) * 3
    return {
        "scheme": found.scheme,
        "name": found.name,
        "models": found.members,
        "model": found.model,
        "head weights": "n/a" if found.head_weights is None else spread(found.head_weights),
        "paper's weights": weights,
        "head expression size": spread(found.expression_sizes),
        "paper's size": size,
        "paper's accuracy %": accuracy,
        "test cells": evaluation.test_cells,
        "split": evaluation.split,
        "classes": ", ".join(found.classes),
        "95 % interval": _interval(evaluation.ensemble_accuracy),
        "balanced 95 % interval": _interval(evaluation.balanced_interval),
        "balanced accuracy %": spread(100 * np.array(evaluation.balanced_accuracy), 1),
        "accuracy %": spread(100 * np.array(evaluation.accuracy), 1),
    }


def _baseline_row(found: MeasuredBaseline) -> dict[str, object]:
    return {
        "scheme": 0,
        "name": found.name,
        "models": 1,
        "model": found.title,
        "head weights": "n/a",
        "paper's weights": "n/a",
        "head expression size": "n/a",
        "paper's size": "n/a",
        "paper's accuracy %": "n/a",
        "test cells": found.test_cells,
        "split": found.split,
        "classes": ", ".join(found.classes),
        "95 % interval": _interval(found.accuracy),
        "balanced 95 % interval": _interval(found.balanced_accuracy),
        "balanced accuracy %": f"{100 * found.balanced_accuracy.value:.1f}",
        "accuracy %": f"{100 * found.accuracy.value:.1f}",
    }


def _interval(estimate: Estimate) -> str:
    return span(100 * estimate.low, 100 * estimate.high, 1)
