"""Calibration of scores on held-out cells: Platt scaling for two classes, temperature scaling for more.

The scores of a head or a law are not probabilities, and they are smaller on new cells than on the training cells. Platt
scaling, the logistic regression of the classes of held-out cells on their scores (Platt 1999), gives the likelihood
ratio of a score. It is limited to the likelihood ratio of the predicted class, as even large scores can be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.classes import log_softmax

OUTLIER = 3.0
"""Multiple of the median size to which scores are clipped in the fit, as outliers would flatten the slope."""


@dataclass(frozen=True)
class Calibration:
    """Calibration of the scores of two classes by Platt scaling.

    Attributes
    ----------
    slope, intercept : float
        Parameters of the log odds of the positive class for equally frequent classes, ``slope * score + intercept``.
        The slope is at least 0.
    least, most : float
        Lower and upper bound of the likelihood ratio, below and above 1.
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
        """Fit the calibration to held-out cells.

        Parameters
        ----------
        scores : ndarray, (n,)
            Scores f(x). Cells without a finite score are ignored.
        targets : ndarray, (n,)
            0 for the negative class, 1 for the positive. Both must occur.

        Returns
        -------
        Calibration
            The fitted calibration.

        Raises
        ------
        InputError
            If one of the classes is missing.
        """
        # Imported here because records hold calibrations and scipy is slow to import.
        from scipy.optimize import minimize
        from scipy.special import expit

        from morpholaw.evaluation.metrics import confusion

        known = np.isfinite(scores)
        x, positive = np.asarray(scores, np.float64)[known], (np.asarray(targets) == 1)[known]
        if positive.all() or not positive.any():
            raise InputError(
                "Scores can only be calibrated on held-out cells of both classes, but one class has none."
            )
        least, most = _bounds(confusion(positive.astype(np.int64), (x >= 0).astype(np.int64), 2))
        scale = max(float(np.median(np.abs(x))), 1e-100)  # avoids an infinite slope
        x = np.clip(x, -OUTLIER * scale, OUTLIER * scale) / scale
        sign = np.where(positive, 1.0, -1.0)
        weight = len(x) * np.where(positive, 0.5 / positive.sum(), 0.5 / (~positive).sum())

        def loss(values: np.ndarray) -> tuple[float, np.ndarray]:
            # A ridge penalty with the weight of one cell, as the slope is unbounded for separable classes.
            margin = sign * (values[0] * x + values[1])
            gradient = -weight * sign * expit(-margin)
            value = np.sum(weight * np.logaddexp(0, -margin)) + 0.5 * values[0] ** 2
            return float(value), np.array([np.sum(gradient * x) + values[0], np.sum(gradient)])

        slope, intercept = minimize(loss, np.zeros(2), jac=True, bounds=[(0, None), (None, None)]).x
        return cls(float(slope) / scale, float(intercept), least, most)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return the probabilities of both classes, assuming that they are equally frequent.

        Parameters
        ----------
        scores : ndarray, (n,)
            Scores f(x).

        Returns
        -------
        ndarray, float64 (n, 2)
            Probabilities; NaN for scores that are not finite.
        """
        ratio = self.likelihood_ratio(scores)
        positive = np.where(np.isfinite(scores), ratio / (1 + ratio), np.nan)
        return np.stack([1 - positive, positive], axis=-1)

    def likelihood_ratio(self, scores: np.ndarray) -> np.ndarray:
        """Return the likelihood ratio P(score | positive) / P(score | negative).

        Parameters
        ----------
        scores : ndarray, (n,)
            Scores f(x).

        Returns
        -------
        ndarray, float64 (n,)
            Likelihood ratios; 1 for scores that are not finite.
        """
        scores = np.asarray(scores, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            ratio = np.clip(np.exp(self.slope * scores + self.intercept), self.least, self.most)
        return np.where(np.isfinite(scores), ratio, 1.0)


@dataclass(frozen=True)
class Temperature:
    """Calibration of the scores of more than two classes by temperature scaling (Guo et al. 2017).

    The probabilities are the softmax of the scores divided by the temperature.

    Attributes
    ----------
    temperature : float
        Positive temperature, which is above 1 for overconfident models.
    """

    temperature: float

    def __post_init__(self) -> None:
        """Check the value."""
        if not (np.isfinite(self.temperature) and self.temperature > 0):
            raise ValueError("the temperature must be a number above 0")

    @classmethod
    def fit(cls, scores: np.ndarray, targets: np.ndarray) -> Temperature:
        """Fit the temperature to held-out cells, with balanced class weights.

        A prior with the weight of one cell keeps the temperature positive if all cells are classified correctly.

        Parameters
        ----------
        scores : ndarray
            Scores f_c(x), (n, classes). Cells without a finite score of their class are ignored.
        targets : ndarray
            True classes, int (n,), 0 to C - 1.

        Returns
        -------
        Temperature
            The fitted temperature.

        Raises
        ------
        InputError
            If there are cells of fewer than two classes.
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
        """Return the probability of each class, assuming that all are equally frequent.

        Parameters
        ----------
        scores : ndarray
            Scores f_c(x), (n, classes).

        Returns
        -------
        ndarray, float64 (n, classes)
            Probabilities; 0 for a class without a finite score, NaN if no class has one.
        """
        values = np.exp(log_softmax(np.asarray(scores, np.float64) / self.temperature))
        defined = np.isfinite(scores).any(axis=1, keepdims=True)
        return np.where(defined, np.nan_to_num(values), np.nan)


def _bounds(counts: np.ndarray) -> tuple[float, float]:
    """Return the likelihood ratios of the predicted classes from a confusion matrix, with one cell added per class."""
    share = counts + np.array([[1.0, 0.5], [0.5, 1.0]])
    share /= share.sum(1, keepdims=True)
    low, high = share[1] / share[0]
    return min(float(low), 1.0), max(float(high), 1.0)
