"""Correction of probabilities for the prevalence of classes, which differs between labelled sets and movies."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from morpholaw.errors import InputError

Prevalence = float | Mapping[str, float]
"""Share of cells of the second of two classes, or the share of each class."""


def stated_shares(prevalence: Prevalence, classes: Sequence[str]) -> np.ndarray:
    """Return the stated share of each class.

    Parameters
    ----------
    prevalence : float or mapping
        Share of the second of two classes, in (0, 1), or the share of each class. The remainder is divided equally
        among classes that are not named.
    classes : sequence of str
        Names of the classes.

    Returns
    -------
    ndarray
        Positive shares, float64 (classes,), which add up to 1.

    Raises
    ------
    InputError
        If a class is unknown, or the shares are invalid.
    """
    if not isinstance(prevalence, Mapping):
        if len(classes) != 2:
            raise InputError(
                f"There are {len(classes)} classes; state the prevalence by class, such as {classes[-1]}=0.02."
            )
        prevalence = {classes[1]: prevalence}
    unknown = [name for name in prevalence if name not in classes]
    if unknown:
        raise InputError(
            f"There is no class {unknown[0]!r} to state a prevalence of; there are {', '.join(classes)}."
        )
    others, remainder = len(classes) - len(prevalence), 1 - math.fsum(prevalence.values())
    fits = remainder > 1e-9 if others else abs(remainder) < 1e-6
    if not fits or not all(0 < share < 1 for share in prevalence.values()):
        raise InputError(
            "The prevalence must be a share between 0 and 1 for each class, such as 0.02, and the shares must add up "
            "to 1."
        )
    return np.array([prevalence.get(name, remainder / max(1, others)) for name in classes])


def shift_probabilities(probabilities: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Correct probabilities for the shares of the classes by Bayes' rule.

    Parameters
    ----------
    probabilities : ndarray
        Probabilities for equally frequent classes, (n, classes); NaN if undefined.
    shares : ndarray
        Share of each class, (classes,).

    Returns
    -------
    ndarray
        Probabilities for classes with these shares, (n, classes).
    """
    weighted = np.asarray(probabilities, np.float64) * shares
    shifted: np.ndarray = weighted / weighted.sum(axis=1, keepdims=True)
    return shifted
