"""The smallest perturbation along the fast gradient sign that changes the predicted class of each cell."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.scoring import Scorer, batches, crops_per_batch, member_scores, predicted_numbers
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.interpretation.attack import FGSM, AttackOptions, attack_parts, perturb
from morpholaw.interpretation.gradients import fgsm_direction
from morpholaw.models.classes import NO_CLASS


def minimal_perturbation(
    classifier: Scorer,
    x: np.ndarray | Tensor,
    options: AttackOptions = FGSM,
    eps_max: float = 1.0,
    tolerance: float = 1e-3,
    steps: int = 16,
    monitor: Monitor = SILENT,
) -> np.ndarray:
    """Find the smallest eps at which x + eps sign(grad_x L(f(x), predicted class)) changes class (eq. 1 and 2).

    The ray is divided into ``steps`` equal steps, and the first step over which the class changes is bisected to
    ``tolerance``. As scores along a ray are not always monotonic, a class that changes and changes back within one step
    is missed. All cells and members are processed together; those that have changed are no longer evaluated.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    x : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s); in latent space latents, float32 (n, latents).
    options : AttackOptions
        Space, bounds and fixed latents. The attack is away from the predicted class or towards a class.
    eps_max : float
        Largest magnitude to try, in units of the attacked space.
    tolerance : float
        Maximum difference between the result and a magnitude at which the class is unchanged.
    steps : int
        Number of steps into which the ray is divided before bisection.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    ndarray, float64 (members, n)
        Magnitudes at which the class has changed; inf if it does not change up to ``eps_max``; NaN if the score of the
        unperturbed input is NaN, and for crops that were not reached before a cancellation.

    Raises
    ------
    InputError
        If the tolerance, the range or the number of steps is not positive, or the inputs do not match the space.
    """
    if not (0 < tolerance <= eps_max < math.inf) or steps < 1:
        raise InputError("The smallest perturbation needs 0 < tolerance <= eps_max and at least one step.")
    parts = attack_parts(classifier, options)
    size = crops_per_batch(parts[0], options.space, options.batch)
    smallest = np.full((classifier.members, len(x)), np.nan)
    done = 0
    for crops in batches(x, size):
        if monitor.should_stop():
            break
        inputs = prepare_inputs(parts[0], crops, options.space)
        rays = [_GradientRay(part, inputs, options) for part in parts]
        eps = torch.cat([ray.first_change(eps_max, tolerance, steps) for ray in rays])
        smallest[:, done : done + len(inputs)] = eps.cpu().numpy()
        done += len(inputs)
        monitor.emit(Progress(done, len(x), "smallest perturbation"))
    return smallest


class _GradientRay:
    """The rays from a batch of inputs along every member's gradient sign."""

    def __init__(self, classifier: Scorer, inputs: Tensor, options: AttackOptions) -> None:
        self.classifier, self.inputs, self.options = classifier, inputs, options
        self.direction, scores = fgsm_direction(
            classifier, inputs, None, options.space, options.loss, options.fixed, options.towards
        )
        self.by_class = scores.ndim == 3
        self.before = predicted_numbers(scores, self.by_class)

    def first_change(self, eps_max: float, tolerance: float, steps: int) -> Tensor:
        """Return the smallest eps with another class, (members, n), as `minimal_perturbation` does."""
        step = eps_max / steps
        low = torch.zeros(self.before.shape, dtype=torch.float64, device=self.inputs.device)
        high = torch.full_like(low, torch.inf)
        for k in range(1, steps + 1):
            unchanged = torch.isinf(high) & (self.before != NO_CLASS)
            if not unchanged.any():
                break
            eps = torch.full_like(low, k * step)
            changed = self._changed(eps, unchanged)
            high = torch.where(changed, eps, high)
            low = torch.where(unchanged & ~changed, eps, low)
        for _ in range(max(0, math.ceil(math.log2(step / tolerance)))):
            bracketed = torch.isfinite(high)
            middle = torch.where(bracketed, (low + high) / 2, 0.0)
            changed = self._changed(middle, bracketed)
            high = torch.where(changed, middle, high)
            low = torch.where(bracketed & ~changed, middle, low)
        return torch.where(self.before == NO_CLASS, torch.nan, high)

    @torch.inference_mode()
    def _changed(self, eps: Tensor, where: Tensor) -> Tensor:
        """Return whether the class has changed at ``eps`` (members, n); False outside ``where``.

        Only crops that some member still needs are evaluated.
        """
        columns = where.any(dim=0)
        changed = torch.zeros_like(where)
        if not columns.any():
            return changed
        trailing = [1] * (self.inputs.ndim - 1)
        magnitude = eps[:, columns].to(self.inputs.dtype).reshape(len(eps), -1, *trailing)
        step = magnitude * self.direction[:, columns]
        moved = perturb(self.inputs[columns], step, 1.0, self.options.limits)
        scores = member_scores(self.classifier, moved, self.options.space)
        after, before = predicted_numbers(scores, self.by_class), self.before[:, columns]
        towards = self.options.towards
        reached = after >= 0 if towards is None else after == towards
        changed[:, columns] = reached & (after != before) & where[:, columns]
        return changed
