"""Disentanglement: how well single latents represent single known factors (Chen et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from morpholaw.errors import InputError

BINS = 20


@dataclass(frozen=True)
class MutualInformationGap:
    """Result of `mutual_information_gap`.

    Attributes
    ----------
    score
        Mean over factors of the gap, from 0 (no factor has its own latent) to 1.
    gaps
        float64 (factors,): for each factor, (largest - second largest mutual information) / entropy of the
        factor.
    information
        float64 (factors, latents): mutual information in nats.
    best
        int64 (factors,): the latent with the most information about each factor.
    factors
        Names of the factors, in the order of the rows.
    """

    score: float
    gaps: np.ndarray
    information: np.ndarray
    best: np.ndarray
    factors: list[str]


def discretise(values: np.ndarray, bins: int = BINS) -> np.ndarray:
    """Return the bin numbers, int64, of each column of (n, columns).

    Bins have equal widths between the column's 0.1 and 99.9 percentiles. A column with at most ``bins`` different
    values keeps them as they are. Values beyond the percentiles fall into the end bins, so that one outlier does not
    squeeze the rest into a single bin.
    """
    columns = np.asarray(values, dtype=np.float64)
    numbers = np.empty(columns.shape, dtype=np.int64)
    for k, column in enumerate(columns.T):
        levels, inverse = np.unique(column, return_inverse=True)
        if len(levels) <= bins:
            numbers[:, k] = inverse
            continue
        low, high = np.quantile(column, [0.001, 0.999])
        edges = np.linspace(low, high, bins + 1)[1:-1]
        numbers[:, k] = np.digitize(column, edges)
    return numbers


def mutual_information(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mutual information, in nats, of two integer vectors (n,), from their joint histogram."""
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1.0)
    joint /= len(a)
    independent = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    present = joint > 0
    return float(np.sum(joint[present] * np.log(joint[present] / independent[present])))


def within(classes: np.ndarray, measure: Callable[..., float], *variables: np.ndarray) -> float:
    """Return the mean of a measure of integer vectors (n,) within each class (n,), weighted by the classes' sizes.

    For mutual information this is the conditional one, I(a; b | class): where classes differ in a factor, any latent
    that separates the classes has information about the factor, though within a class it may have none.
    """
    names, sizes = np.unique(classes, return_counts=True)
    measures = [measure(*(variable[classes == name] for variable in variables)) for name in names]
    return float(np.average(measures, weights=sizes))


def entropy(a: np.ndarray) -> float:
    """Return the entropy, in nats, of an integer vector (n,)."""
    share = np.bincount(a) / len(a)
    return float(-np.sum(share[share > 0] * np.log(share[share > 0])))


def mutual_information_gap(latents: np.ndarray, factors: pd.DataFrame | np.ndarray) -> MutualInformationGap:
    """Compute the mutual information gap of latents against known factors (Chen et al. 2018, eq. 6).

    Parameters
    ----------
    latents
        Means or samples of the encodings, (n, latents), at least two latents.
    factors
        Known factors, (n, factors), e.g. the ``true_`` columns of a simulated crop set; they should be
        independent of each other, else no representation can score 1.

    Raises
    ------
    InputError
        Rows that do not match, values that are not finite, fewer than two latents, or a factor that does not
        vary.
    """
    z, values, names = _checked(latents, factors)
    z_bins, factor_bins = discretise(z), discretise(values)
    information = np.array([[mutual_information(v, c) for c in z_bins.T] for v in factor_bins.T])
    entropies = np.array([entropy(v) for v in factor_bins.T])
    ordered = np.sort(information, axis=1)
    gaps = (ordered[:, -1] - ordered[:, -2]) / entropies
    return MutualInformationGap(float(gaps.mean()), gaps, information, information.argmax(axis=1), names)


def _checked(
    latents: np.ndarray, factors: pd.DataFrame | np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    z = np.asarray(latents, dtype=np.float64)
    values = np.asarray(factors, dtype=np.float64)
    values = values[:, None] if values.ndim == 1 else values
    names = [str(c) for c in factors.columns] if isinstance(factors, pd.DataFrame) else []
    names = names or [f"factor {k}" for k in range(values.shape[1])]
    if z.ndim != 2 or z.shape[1] < 2 or len(z) != len(values) or len(z) < 2:
        raise InputError(
            f"Latents {z.shape} and factors {values.shape} need equally many rows, and two or more latents."
        )
    for name, column in zip(names, values.T, strict=True):
        if not np.isfinite(column).all():
            raise InputError(f"The factor {name!r} holds values that are not finite; leave those cells out.")
        if np.ptp(column) == 0:
            raise InputError(f"The factor {name!r} does not vary; leave it out.")
    if not np.isfinite(z).all():
        raise InputError("The latents hold values that are not finite.")
    return z, values, names
