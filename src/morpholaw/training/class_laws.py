"""One law for each of several classes, each against the rest (paper, section 8)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from morpholaw.config import LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.models.class_laws import ClassLaws, call_largest
from morpholaw.models.law import Law
from morpholaw.training.class_balanced_rows import class_balanced_rows
from morpholaw.training.laws import discover_laws

COMBINED = 4
"""Laws of each class that are tried together, at the most."""


def discover_class_laws(
    latents: np.ndarray,
    targets: np.ndarray,
    classes: Sequence[str],
    names: Sequence[str],
    config: LawConfig,
    outputs: np.ndarray | None = None,
    monitor: Monitor = SILENT,
    *,
    cells: np.ndarray | None = None,
) -> ClassLaws | None:
    """Find a law for each class, the combination of laws that calls the training rows best.

    Parameters
    ----------
    latents
        (rows, variables), the latents ``names`` alone.
    targets
        Class of each row, (rows,), numbers into ``classes``.
    config
        As for `discover_laws`; ``count`` laws are searched for each class.
    cells
        Which cell each row is a picture of, as for `discover_laws`.
    outputs
        For MSE, scores of a network, (rows, classes), logits of a softmax: each law learns the log odds of its class.

    Returns
    -------
    ClassLaws or None
        None where the search was stopped before every class had a law.

    Raises
    ------
    InputError
        Fewer than two classes, a class without rows, or what `discover_laws` refuses.
    """
    x, truth = np.asarray(latents, dtype=np.float64), np.asarray(targets)
    missing = [name for number, name in enumerate(classes) if not np.any(truth == number)]
    if len(classes) < 2 or missing:
        raise InputError(
            f"Laws of classes need rows of two classes or more; {missing or list(classes)} do not do."
        )
    found: list[list[Law]] = []
    rows_of = [np.flatnonzero(truth == number) for number in range(len(classes))]
    for number, name in enumerate(classes):
        monitor.emit(Message(f"Searching for the law of {name} against the rest."))
        shares = [0.5 if other == number else 0.5 / (len(classes) - 1) for other in range(len(classes))]
        rows = class_balanced_rows(rows_of, shares, (config.seed, number))
        labels = np.where(truth[rows] == number, 1.0, -1.0)
        goal = labels if outputs is None else log_odds(outputs[rows], number)
        own = discover_laws(
            x[rows], goal, names, config, labels=labels, cells=rows if cells is None else cells[rows],
            monitor=monitor,
        )  # fmt: skip
        if not own:
            return None
        found.append(own)
    return ClassLaws(dict(zip(classes, _best_together(found, x, truth), strict=True)))


def log_odds(outputs: np.ndarray, number: int) -> np.ndarray:
    """Log odds of one class against all others, (rows,), from the logits (rows, classes) of a softmax."""
    return outputs[:, number] - logsumexp(np.delete(outputs, number, axis=1), axis=1)


def _best_together(found: Sequence[Sequence[Law]], x: np.ndarray, truth: np.ndarray) -> tuple[Law, ...]:
    """A law for each class, such that the largest score names the class of most rows, classes counting alike."""
    few = [laws[:COMBINED] for laws in found]
    scores = [np.stack([law.score(x) for law in laws]) for laws in few]
    numbers = np.unique(truth)

    def accuracy(choice: tuple[int, ...]) -> float:
        calls = call_largest(np.stack([scores[c][k] for c, k in enumerate(choice)], axis=1))
        return float(np.mean([np.mean(calls[truth == c] == c) for c in numbers]))

    best = tuple(0 for _ in few)
    for _ in range(2):  # one class at a time: the product of all is too many for many classes
        for c, laws in enumerate(few):
            tried = [(*best[:c], k, *best[c + 1 :]) for k in range(len(laws))]
            best = max(tried, key=accuracy)
    return tuple(laws[k] for laws, k in zip(few, best, strict=True))
