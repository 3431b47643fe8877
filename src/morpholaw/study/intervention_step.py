"""Effect of changed surroundings, shifts and orientations on the predicted classes of a study's classifiers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.splits import split_fingerprint
from morpholaw.display import classifier_title
from morpholaw.evaluation.crop_scores import scorer
from morpholaw.evaluation.estimate import Estimate
from morpholaw.events import SILENT, Monitor
from morpholaw.interpretation.interventions import NAMES, Intervention, dependence, interventions, predictor
from morpholaw.interpretation.surroundings import has_donor
from morpholaw.store import classifiers
from morpholaw.store.labelled_cells import held_out
from morpholaw.store.latent_sample import cell_crops
from morpholaw.store.study_folder import StudyFolder

COLUMNS = [
    "classifier",
    "intervention",
    "meaning",
    *(f"{name}{end}" for name in ("balanced_accuracy", "flips") for end in ("", "_low", "_high")),
    "most_changed",
    "most_changed_flips",
    "cells",
    "tracker_masks",
    "groups",
    "split",
]


def intervene(
    folder: StudyFolder, names: Sequence[str], cells: int, seed: int, monitor: Monitor = SILENT
) -> pd.DataFrame:
    """Measure the interventions for some classifiers on their held-out cells.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    names : sequence of str
        Names of the classifiers; if empty, all of them.
    cells : int
        Maximum number of held-out cells, balanced over the classes as far as possible.
    seed : int
        Seed of the choice of cells and of surroundings.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    DataFrame
        One row per classifier and intervention; see :meth:`morpholaw.Study.interventions`. Classifiers that were not
        finished before a cancellation are missing.
    """
    rows: list[dict[str, Any]] = []
    for name in names or classifiers.names(folder):
        monitor.tell(f"{classifier_title(name)}: test cells in other surroundings, shifted and rotated.")
        index, targets = held_out(folder, name)
        some = _balanced(targets, cells, seed)
        index, targets = index[some], targets[some]
        groups = folder.crops.cells["group"].to_numpy(str)[index]
        classifier = classifiers.load(folder, name)
        predict = predictor(scorer(classifier.applied))
        crops = cell_crops(folder, index)
        result = interventions(predict, crops, targets, groups, seed, monitor, classes=classifier.classes)
        if monitor.should_stop():
            break
        for one in result:
            rows.append(
                {
                    "classifier": name,
                    "intervention": one.name,
                    "meaning": NAMES[one.name],
                    **_columns("balanced_accuracy", one.balanced_accuracy),
                    **_columns("flips", one.flips),
                    "most_changed": one.most_changed,
                    "most_changed_flips": one.most_changed_flips,
                    "cells": len(index),
                    "tracker_masks": int(crops.tracked.sum()),
                    "groups": len(np.unique(groups)),
                    "split": split_fingerprint(groups),
                }
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def verdicts(table: pd.DataFrame) -> dict[str, str]:
    """Return a verdict for each classifier on whether it depends on the surroundings of a cell.

    Parameters
    ----------
    table : DataFrame
        Table of :func:`intervene`.

    Returns
    -------
    dict
        A sentence for each classifier, by its name.
    """
    sentences = {}
    for name, rows in table.groupby("classifier", sort=False):
        measured = [
            Intervention(
                row["intervention"],
                _estimate("flips", row),
                _estimate("balanced_accuracy", row),
                row["most_changed"],
                row["most_changed_flips"],
            )
            for row in rows.to_dict("records")
        ]
        sentences[str(name)] = dependence(measured).sentence
    return sentences


def _estimate(name: str, row: dict[Any, Any]) -> Estimate:
    return Estimate(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _columns(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def _balanced(targets: np.ndarray, cells: int, seed: int) -> np.ndarray:
    """Choose at most ``cells`` random rows, balanced over the classes as far as possible and sorted.

    Classes with a single cell are left out, as surroundings cannot be exchanged within them.
    """
    rng = np.random.default_rng(seed)
    classes = np.unique(targets)
    each = max(2, cells // len(classes))
    rows = np.concatenate([rng.permutation(np.flatnonzero(targets == c))[:each] for c in classes])
    return np.sort(rows[has_donor(targets[rows])])
