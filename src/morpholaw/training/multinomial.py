"""The multinomial loss of one score per class, and scales and offsets of scores that lower it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from morpholaw.models.classes import log_softmax
from morpholaw.training.symbolic.projection import Projection


@dataclass(frozen=True)
class Multinomial:
    """Cross-entropy of the softmax of scores, with classes weighted to count the same.

    Attributes
    ----------
    one_hot : ndarray
        float64 (n, classes): 1 in the column of each row's class.
    weights : ndarray
        float64 (n,): they add up to 1, and to the same for each class.
    """

    one_hot: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, truth: np.ndarray, classes: int) -> Multinomial:
        """Return the loss for rows of known class, int (n,), 0 to ``classes`` - 1, each at least once."""
        sizes = np.bincount(truth, minlength=classes)
        return cls(np.eye(classes)[truth], 1 / (classes * sizes[truth]))

    def value_and_derivative(self, scores: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss of scores (n, classes), and its derivative by each of them."""
        log_probability = log_softmax(scores)
        value = -float(np.sum(self.weights * (log_probability * self.one_hot).sum(1)))
        return value, self.weights[:, None] * (np.exp(log_probability) - self.one_hot)


@dataclass(frozen=True)
class Scales:
    """``scale * score + offset`` of each class, and the loss that they leave.

    Attributes
    ----------
    scale, offset : ndarray
        float64 (classes,); a scale is at least 0, so that more of a score never speaks against its class.
    loss : float
        The multinomial loss.
    """

    scale: np.ndarray
    offset: np.ndarray
    loss: float


def fit_scales(scores: np.ndarray, measure: Multinomial) -> Scales:
    """Fit one scale and one offset per class, all together.

    Parameters
    ----------
    scores : ndarray
        f_c(x), float64 (n, classes), all finite.
    measure : Multinomial
        The loss, of the same rows.

    Notes
    -----
    A ridge of a thousandth on the scales, in units of each score's spread, keeps them finite where the classes separate
    completely.
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
    found = minimize(objective, first, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 100}).x
    scale, offset = found[:classes] / spread, found[classes:] - found[:classes] / spread * centre
    offset -= offset.mean()  # a softmax does not change by a constant
    loss, _ = measure.value_and_derivative(scores * scale + offset)
    return Scales(scale, offset, loss)


def fit_scale(scores: np.ndarray, number: int, form: np.ndarray, measure: Multinomial) -> Projection:
    """Fit scale and offset of one score that takes the place of a class's, the other scores as they are.

    Parameters
    ----------
    scores : ndarray
        f_c(x), float64 (n, classes).
    number : int
        The class.
    form : ndarray
        Its new score, float64 (n,), finite.
    measure : Multinomial
        The loss, of the same rows.
    """
    from scipy.optimize import minimize

    centre = float(np.median(form))
    spread = max(float(np.median(np.abs(form - centre))), 1e-12)
    x, changed = (form - centre) / spread, scores.copy()

    def objective(values: np.ndarray) -> tuple[float, np.ndarray]:
        scale, offset = values
        changed[:, number] = scale * x + offset
        loss, derivative = measure.value_and_derivative(changed)
        own = derivative[:, number]
        return loss + 5e-4 * scale * scale, np.array([own @ x + 1e-3 * scale, own.sum()])

    first = np.array([1.0, float(np.median(scores[:, number]))])
    found = minimize(objective, first, jac=True, method="L-BFGS-B", bounds=[(0.0, None), (None, None)])
    scale, offset = float(found.x[0]) / spread, float(found.x[1])
    return Projection(scale, offset - scale * centre, float(found.fun))
