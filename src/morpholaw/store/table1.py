"""Table 1 of the paper for a study, beside the paper's own (6.2)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.files import described, read_json
from morpholaw.display import scheme_models, spread
from morpholaw.store import classifiers
from morpholaw.store.study_folder import StudyFolder

PAPER = {
    1: ("1040", "9697", "99.7 ± 0.1"),
    2: ("1040", "8641", "99.0 ± 0.1"),
    3: ("23 ± 2", "180 ± 20", "97.0 ± 0.2"),
    4: ("n/a", "17 ± 7", "97.4 ± 0.2"),
}
"""The paper's table 1: head weights, head expression size, test accuracy in per cent."""


def descriptions(folder: StudyFolder) -> dict[str, dict[str, Any]]:
    """What is recorded of each of the study's classifiers, by name."""
    return {
        name: read_json(folder.path / "classifiers" / name / "model.json")
        for name in classifiers.names(folder)
    }


def table1(folder: StudyFolder) -> pd.DataFrame:
    """One row a classifier: scheme, models, weights, size, accuracies in per cent, split, the paper's.

    Errors are standard deviations over the models, as in the paper.
    """
    rows = []
    for name, made in descriptions(folder).items():
        with described(folder.path / "classifiers" / name):
            rows.append(_row(name, made))
    return pd.DataFrame(rows)


def _row(name: str, made: dict[str, Any]) -> dict[str, Any]:
    scheme, evaluation = int(made["scheme"]), made["evaluation"]
    weights, size, accuracy = PAPER[scheme]
    return {
        "scheme": scheme,
        "name": name,
        "models": int(made["members"]),
        "model": scheme_models(scheme, name.partition("-")[2]),
        "head weights": "n/a" if made["head_weights"] is None else spread(made["head_weights"]),
        "head expression size": spread(made["expression_sizes"]),
        "accuracy %": spread(100 * np.asarray(evaluation["accuracy"], float), 1),
        "balanced accuracy %": spread(100 * np.asarray(evaluation["balanced_accuracy"], float), 1),
        "test cells": int(evaluation["test_cells"]),
        "split": str(evaluation["split"]),
        "paper's weights": weights,
        "paper's size": size,
        "paper's accuracy %": accuracy,
    }
