"""One law for each of several classes, each against the rest (paper, section 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.models.class_laws import ClassLaws
from morpholaw.models.classes import largest_classes
from morpholaw.models.features import FeatureTable
from morpholaw.models.law import Law
from morpholaw.training.class_balanced_rows import class_balanced_rows
from morpholaw.training.laws import discover_laws

if TYPE_CHECKING:
    import pandas as pd

COMBINED = 4
"""Laws of each class that are tried in combination, at most."""


def discover_class_laws(
    features: FeatureTable | pd.DataFrame | np.ndarray,
    targets: np.ndarray,
    classes: Sequence[str],
    config: LawConfig,
    *,
    outputs: np.ndarray | None = None,
    cells: np.ndarray | None = None,
    monitor: Monitor = SILENT,
) -> ClassLaws | None:
    """Find a law for each class: the combination of laws that is right on most training rows.

    Parameters
    ----------
    features : FeatureTable, DataFrame or ndarray
        (n, features), every column of which the laws may read; a plain array holds latents z0, z1, ...
    targets : ndarray
        Class of each row, int (n,), numbers into ``classes``.
    classes : sequence of str
        Names of the classes, two or more, each with a row.
    config : LawConfig
        As for `discover_laws`; ``count`` laws are searched for each class.
    outputs : ndarray, optional
        For the MSE loss: a network's logits, (n, classes); each law learns the log odds of its class.
    cells : ndarray, optional
        Which cell each row is a view of, as for `discover_laws`.
    monitor : Monitor
        Where progress is reported, and whether to stop.

    Returns
    -------
    ClassLaws or None
        None if the search was stopped before every class had a law.

    Raises
    ------
    InputError
        If there are fewer than two classes or a class has no rows, or for what `discover_laws` refuses.
    """
    table, truth = FeatureTable.of(features), np.asarray(targets)
    missing = [name for number, name in enumerate(classes) if not np.any(truth == number)]
    if len(classes) < 2 or missing:
        raise InputError(
            f"Laws of classes need rows of two classes or more; {missing or list(classes)} are not enough."
        )
    candidates: list[list[Law]] = []
    rows_of_class = [np.flatnonzero(truth == number) for number in range(len(classes))]
    for number, name in enumerate(classes):
        monitor.emit(Message(f"Searching for the law of {name} against the rest."))
        shares = [0.5 if other == number else 0.5 / (len(classes) - 1) for other in range(len(classes))]
        rows = class_balanced_rows(rows_of_class, shares, (config.seed, number))
        laws = discover_laws(
            table.rows(rows),
            (truth[rows] == number).astype(np.int64),
            config,
            outputs=None if outputs is None else log_odds(outputs[rows], number),
            cells=rows if cells is None else cells[rows],
            monitor=monitor,
        )
        if not laws:
            return None
        candidates.append(laws)
    return ClassLaws(dict(zip(classes, _best_combination(candidates, table, truth), strict=True)))


def log_odds(logits: np.ndarray, number: int) -> np.ndarray:
    """Return the log odds (n,) of one class against all others, from the logits (n, classes) of a softmax."""
    odds: np.ndarray = logits[:, number] - logsumexp(np.delete(logits, number, axis=1), axis=1)
    return odds


def _best_combination(
    candidates: Sequence[Sequence[Law]], table: FeatureTable, truth: np.ndarray
) -> tuple[Law, ...]:
    """Return one law per class, chosen for the best balanced accuracy on the rows."""
    tried = [laws[:COMBINED] for laws in candidates]
    scores = [np.stack([law.score(table) for law in laws]) for laws in tried]
    numbers = np.unique(truth)

    def balanced_accuracy(choice: tuple[int, ...]) -> float:
        predicted = largest_classes(np.stack([scores[c][k] for c, k in enumerate(choice)], axis=1))
        return float(np.mean([np.mean(predicted[truth == c] == c) for c in numbers]))

    best = tuple(0 for _ in tried)
    for _ in range(
        2
    ):  # one class at a time: with many classes there are too many combinations to try them all
        for c, laws in enumerate(tried):
            choices = [(*best[:c], k, *best[c + 1 :]) for k in range(len(laws))]
            best = max(choices, key=balanced_accuracy)
    return tuple(laws[k] for laws, k in zip(tried, best, strict=True))
