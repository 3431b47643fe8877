"""Probabilities of scores on held-out cells: Platt scaling of two classes, a temperature for more.

The scores of a head or a law are not probabilities, and those of a movie are weaker than those of the cells that the
classifier was trained on. A logistic regression of the held-out cells' classes on their scores (Platt 1999) gives the
likelihood ratio of a score. It is limited to that of a predicted class, which may be wrong however large the score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.classes import log_softmax

OUTLIER = 3.0
"""Scores are limited to this many times their median size in the fit; outliers would flatten the slope."""


@dataclass(frozen=True)
class Calibration:
    """Likelihood ratios of scores.

    Attributes
    ----------
    slope, intercept : float
        Log odds of the positive class if both classes are equally frequent: ``slope * score + intercept``; the slope is
        at least 0.
    least, most : float
        Bounds of the likelihood ratio, below and above 1.
    """

    slope: float
    intercept: float
    least: float
    most: float

    def __post_init__(self) -> None:
        """Check the values."""
        known = np.isfinite([self.slope, self.intercept, self.least, self.most]).all()
        if not (known and self.slope >= 0 and 0 < self.least <= 1 <= self.most):
            raise ValueError("the calibration needs a slope of at least 0 and bounds on either side of 1")

    @classmethod
    def fit(cls, scores: np.ndarray, targets: np.ndarray) -> Calibration:
        """Fit a calibration to held-out cells.

        Parameters
        ----------
        scores : ndarray, (n,)
            f(x); cells whose score is not finite are left out.
        targets : ndarray, (n,)
            0 for the negative class, 1 for the positive; both must occur.

        Raises
        ------
        InputError
            When one of the classes is missing.
        """
        # Imported here because records hold calibrations, and scipy takes a second to load.
        from scipy.optimize import minimize
        from scipy.special import expit

        from morpholaw.evaluation.metrics import confusion

        known = np.isfinite(scores)
        x, positive = np.asarray(scores, np.float64)[known], (np.asarray(targets) == 1)[known]
        if positive.all() or not positive.any():
            raise InputError(
                "Scores can be calibrated only on held-out cells of both classes; there is one class."
            )
        least, most = _bounds(confusion(positive.astype(np.int64), (x >= 0).astype(np.int64), 2))
        scale = max(float(np.median(np.abs(x))), 1e-100)  # keeps the slope finite
        x = np.clip(x, -OUTLIER * scale, OUTLIER * scale) / scale
        sign = np.where(positive, 1.0, -1.0)
        weight = len(x) * np.where(positive, 0.5 / positive.sum(), 0.5 / (~positive).sum())

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            # A ridge of one cell's weight, because the slope of classes that separate completely is unbounded.
            margin = sign * (values[0] * x + values[1])
            gradient = -weight * sign * expit(-margin)
            value = np.sum(weight * np.logaddexp(0, -margin)) + 0.5 * values[0] ** 2
            return float(value), np.array([np.sum(gradient * x) + values[0], np.sum(gradient)])

        slope, intercept = minimize(loss, np.zeros(2), jac=True, bounds=[(0, None), (None, None)]).x
        return cls(float(slope) / scale, float(intercept), least, most)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities of both classes if they are equally frequent, float64 (n, 2); NaN if undefined.

        Parameters
        ----------
        scores : ndarray, (n,)
            Scores f(x).
        """
        ratio = self.likelihood_ratio(scores)
        positive = np.where(np.isfinite(scores), ratio / (1 + ratio), np.nan)
        return np.stack([1 - positive, positive], axis=-1)

    def likelihood_ratio(self, scores: np.ndarray) -> np.ndarray:
        """Return P(score | positive) / P(score | negative), float64; 1 where a score is not finite.

        Parameters
        ----------
        scores : ndarray, (n,)
            Scores f(x).
        """
        scores = np.asarray(scores, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            ratio = np.clip(np.exp(self.slope * scores + self.intercept), self.least, self.most)
        return np.where(np.isfinite(scores), ratio, 1.0)


@dataclass(frozen=True)
class Temperature:
    """Probabilities of more than two classes: the softmax of their scores over a temperature (Guo et al. 2017).

    Attributes
    ----------
    temperature : float
        Above 1 where the models are too sure, above 0.
    """

    temperature: float

    def __post_init__(self) -> None:
        """Check the value."""
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError("the temperature must be a number above 0")

    @classmethod
    def fit(cls, scores: np.ndarray, targets: np.ndarray) -> Temperature:
        """Fit the temperature to held-out cells, with classes weighted to count the same.

        A prior of one cell's weight keeps the temperature finite where all cells are right.

        Parameters
        ----------
        scores : ndarray
            f_c(x), (n, classes); cells without a finite score of their class are left out.
        targets : ndarray
            True classes, int (n,), 0 to C - 1.

        Raises
        ------
        InputError
            When there are cells of fewer than two classes.
        """
        from scipy.optimize import minimize_scalar

        truth = np.asarray(targets, dtype=np.int64)
        known = np.isfinite(scores[np.arange(len(truth)), truth]) if len(truth) else np.zeros(0, bool)
        rows, truth = scores[known], truth[known]
        sizes = np.bincount(truth, minlength=scores.shape[1])
        if np.count_nonzero(sizes) < 2:
            raise InputError("Scores can be calibrated only on held-out cells of two classes or more.")
        weight = len(truth) / (np.count_nonzero(sizes) * sizes[truth])

        def loss(log_temperature: float) -> float:
            log_probability = log_softmax(rows / np.exp(log_temperature))[np.arange(len(truth)), truth]
            return float(0.5 * log_temperature**2 - np.sum(weight * log_probability))

        return cls(float(np.exp(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x)))

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability of each class if all are equally frequent, float64 (n, classes).

        Parameters
        ----------
        scores : ndarray
            f_c(x), (n, classes); a class without a finite score has probability 0, and NaN where no class has one.
        """
        values = np.exp(log_softmax(np.asarray(scores, np.float64) / self.temperature))
        defined = np.isfinite(scores).any(axis=1, keepdims=True)
        return np.where(defined, np.nan_to_num(values), np.nan)


def _bounds(counts: np.ndarray) -> tuple[float, float]:
    """Return likelihood ratios of the predicted classes from a confusion (2, 2), with one cell added to each class."""
    share = counts + np.array([[1.0, 0.5], [0.5, 1.0]])
    share /= share.sum(1, keepdims=True)
    low, high = share[1] / share[0]
    return min(float(low), 1.0), max(float(high), 1.0)
