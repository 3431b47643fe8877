"""The multinomial loss of one score per class, and the fit of scales and offsets of scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.models.classes import log_softmax
from morpholaw.training.symbolic.projection import Projection


@dataclass(frozen=True)
class Multinomial:
    """Cross-entropy of the softmax of scores, with balanced class weights.

    Attributes
    ----------
    one_hot : ndarray
        float64 (n, classes); 1 in the column of each row's class.
    weights : ndarray
        float64 (n,); the weights add up to 1, with the same sum for each class.
    """

    one_hot: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, classes: int) -> Multinomial:
        """Return the loss for class numbers ``truth``, int (n,), each of 0 to ``classes`` - 1 at least once."""
        sizes = np.bincount(truth, minlength=classes)
        return cls(np.eye(classes)[truth], 1 / (classes * sizes[truth]))

    def value_and_derivative(self, scores: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss of scores (n, classes) and its derivative with respect to each score."""
        log_probability = log_softmax(scores)
        value = -float(np.sum(self.weights * (log_probability * self.one_hot).sum(1)))
        return value, self.weights[:, None] * (np.exp(log_probability) - self.one_hot)


@dataclass(frozen=True)
class Scales:
    """Scale and offset of each class's score, and the resulting loss.

    Attributes
    ----------
    scale, offset : ndarray
        float64 (classes,). Scales are >= 0, so that a larger score never counts against its class.
    loss : float
        The multinomial loss of ``scale * score + offset``.
    """

    scale: np.ndarray
    offset: np.ndarray
    loss: float


def fit_scales(scores: np.ndarray, measure: Multinomial) -> Scales:
    """Fit one scale and one offset per class jointly.

    Parameters
    ----------
    scores : ndarray
        f_c(x), float64 (n, classes), all finite.
    measure : Multinomial
        The loss on the same rows.

    Returns
    -------
    Scales

    Notes
    -----
    A ridge penalty of 0.001 on the scales, in units of each score's standard deviation, keeps them finite if the
    classes are completely separated.
    """
    from scipy.optimize import minimize  # takes long to import, and panels import the engines

    classes = scores.shape[1]
    centre = np.median(scores, axis=0)
    spread = np.maximum(np.median(np.abs(scores - centre), axis=0), 1e-12)
    x = (scores - centre) / spread

    def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
        scale, offset = values[:classes], values[classes:]
        loss, derivative = measure.value_and_derivative(x * scale + offset)
        loss += 5e-4 * float(scale @ scale)
        return loss, np.concatenate([(derivative * x).sum(0) + 1e-3 * scale, derivative.sum(0)])

    first = np.concatenate([np.ones(classes), np.zeros(classes)])
    bounds = [(0.0, None)] * classes + [(None, None)] * classes
    solution = minimize(
        objective, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100}
    ).x
    scale, offset = solution[:classes] / spread, solution[classes:] - solution[:classes] / spread * centre
    offset -= offset.mean()  # a softmax does not depend on a common offset
    loss, _ = measure.value_and_derivative(scores * scale + offset)
    return Scales(scale, offset, loss)


def fit_scale(scores: np.ndarray, number: int, form: np.ndarray, measure: Multinomial) -> Projection:
    """Fit the scale and offset of a new score for one class, while the other scores stay fixed.

    Parameters
    ----------
    scores : ndarray
        f_c(x), float64 (n, classes).
    number : int
        Number of the class.
    form : ndarray
        New score of the class, float64 (n,), finite.
    measure : Multinomial
        The loss on the same rows.

    Returns
    -------
    Projection
    """
    from scipy.optimize import minimize

    centre = float(np.median(form))
    spread = max(float(np.median(np.abs(form - centre))), 1e-12)
    x, changed = (form - centre) / spread, scores.copy()

    def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
        scale, offset = values
        changed[:, number] = scale * x + offset
        loss, derivative = measure.value_and_derivative(changed)
        slope = derivative[:, number]
        return loss + 5e-4 * scale * scale, np.array([slope @ x + 1e-3 * scale, slope.sum()])

    first = np.array([1.0, float(np.median(scores[:, number]))])
    solution = minimize(objective, first, jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)])
    scale, offset = float(solution.x[0]) / spread, float(solution.x[1])
    return Projection(scale, offset - scale * centre, float(solution.fun))
