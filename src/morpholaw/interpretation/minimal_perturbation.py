"""The smallest perturbation that changes a classifier's call, cell by cell, along the fast gradient sign."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.scoring import Scorer, Space, batches, calls, crops_per_pass, member_scores
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.interpretation.attack import (
    IMAGE_BOUNDS,
    Bounds,
    direction_and_scores,
    in_passes,
    perturb,
)


def smallest_flip(
    classifier: Scorer,
    x: np.ndarray | Tensor,
    space: Space = "image",
    held: Sequence[int] = (),
    eps_max: float = 1.0,
    tolerance: float = 1e-3,
    brackets: int = 16,
    bounds: Bounds = IMAGE_BOUNDS,
    evaluations: int | None = None,
    monitor: Monitor = SILENT,
) -> np.ndarray:
    """Smallest eps at which x + eps sign(grad_x L(f(x), call)) gets another call than x (eq. 1 and 2).

    The ray is looked at in ``brackets`` equal steps; the first step over which the call changes is bisected
    to ``tolerance``. Scores along a ray need not be monotonic: a call that changes and changes back inside
    one step is not seen. All cells and members advance together, and those that have flipped are no longer
    evaluated.

    Parameters
    ----------
    x
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s); in latent space latents, float32 (n, latents).
    eps_max
        Largest magnitude to try, in units of the attacked space.
    tolerance
        The value returned is at most this much above a magnitude at which the call was unchanged.

    Returns
    -------
    np.ndarray
        float64 (members, n). The call *has* changed at the value returned; inf where it does not up to
        ``eps_max``; NaN where the score is not a number to begin with, and for crops not reached when asked
        to stop.
    """
    if not (0 < tolerance <= eps_max < math.inf) or brackets < 1:
        raise InputError("The smallest flip needs 0 < tolerance <= eps_max and at least one bracket.")
    limits = bounds if space == "image" else None
    attacked = in_passes(classifier, space, limits)
    size = crops_per_pass(attacked[0], space, evaluations)
    flips = np.full((classifier.members, len(x)), np.nan)
    done = 0
    for crops in batches(x, size):
        if monitor.should_stop():
            break
        inputs = prepare_inputs(attacked[0], crops, space)
        rays = [_Ray(one, inputs, space, held, limits) for one in attacked]
        found = torch.cat([ray.first_flip(eps_max, tolerance, brackets) for ray in rays])
        flips[:, done : done + len(inputs)] = found.cpu().numpy()
        done += len(inputs)
        monitor.emit(Progress(done, len(x), "smallest flip"))
    return flips


class _Ray:
    """The rays from a batch of inputs along every member's gradient sign."""

    def __init__(
        self, classifier: Scorer, inputs: Tensor, space: Space, held: Sequence[int], bounds: Bounds
    ) -> None:
        self.classifier, self.inputs, self.space, self.bounds = classifier, inputs, space, bounds
        self.direction, scores = direction_and_scores(classifier, inputs, None, space, held=held)
        self.calls = calls(scores)

    def first_flip(self, eps_max: float, tolerance: float, brackets: int) -> Tensor:
        """Smallest eps with another call, (members, n), as `smallest_flip` returns it."""
        step = eps_max / brackets
        low = torch.zeros(self.calls.shape, dtype=torch.float64, device=self.inputs.device)
        high = torch.full_like(low, torch.inf)
        for k in range(1, brackets + 1):
            waiting = torch.isinf(high) & (self.calls != 0)
            if not waiting.any():
                break
            there = torch.full_like(low, k * step)
            flipped = self._flipped(there, waiting)
            high = torch.where(flipped, there, high)
            low = torch.where(waiting & ~flipped, there, low)
        for _ in range(max(0, math.ceil(math.log2(step / tolerance)))):
            found = torch.isfinite(high)
            middle = torch.where(found, (low + high) / 2, 0.0)
            flipped = self._flipped(middle, found)
            high = torch.where(flipped, middle, high)
            low = torch.where(found & ~flipped, middle, low)
        return torch.where(self.calls == 0, torch.nan, high)

    @torch.inference_mode()
    def _flipped(self, eps: Tensor, where: Tensor) -> Tensor:
        """Whether the call is the opposite one at ``eps`` (members, n); False outside ``where``.

        Only columns (crops) that some member still needs are evaluated.
        """
        columns = where.any(dim=0)
        flipped = torch.zeros_like(where)
        if not columns.any():
            return flipped
        tail = [1] * (self.inputs.ndim - 1)
        magnitude = eps[:, columns].to(self.inputs.dtype).reshape(len(eps), -1, *tail)
        moved = perturb(self.inputs[columns], magnitude * self.direction[:, columns], 1.0, self.bounds)
        opposite = calls(member_scores(self.classifier, moved, self.space)) == -self.calls[:, columns]
        flipped[:, columns] = opposite & where[:, columns]
        return flipped
