"""Fast gradient sign attacks on an ensemble: x + eps sign(grad_x L(f(x), y)) (paper, eq. 1 and 6.5).

The sign does not depend on eps, so one gradient for each member and crop serves a whole curve; and the
members of schemes 2-4 share one forward pass of the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.fused_classifier import FoldedClassifier, feature_gradients, folded_apart
from morpholaw.evaluation.scoring import (
    Scorer,
    Space,
    batches,
    calls,
    check_space,
    crops_per_pass,
    has_latents,
    member_scores,
)
from morpholaw.events import SILENT, Monitor, Progress

Bounds = tuple[float, float] | None
Loss = Literal["bce", "hinge"]
Target = Literal["label", "call"]
IMAGE_BOUNDS = (0.0, 1.0)  # the domain of the normalised crops that the networks see


@dataclass(frozen=True)
class AttackCurve:
    """Accuracy against perturbation magnitude (figures 14, 17, 19).

    Attributes
    ----------
    eps
        float64 (eps,), in units of the attacked space.
    correct
        bool (members, eps, crops): which of the attacked crops keep their right class. Fewer crops than given
        where the step was asked to stop.
    """

    eps: np.ndarray
    correct: np.ndarray

    @property
    def crops(self) -> int:
        """Crops attacked."""
        return self.correct.shape[2]

    @property
    def accuracy(self) -> np.ndarray:
        """Share of the attacked crops that keep their right class, (members, eps); NaN if none was."""
        return self.correct.mean(axis=2) if self.crops else np.full(self.correct.shape[:2], np.nan)

    @property
    def mean(self) -> np.ndarray:
        """Mean over members, (eps,)."""
        return self.accuracy.mean(axis=0)

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation over members, (eps,), with n - 1; 0 for a single member."""
        return self.accuracy.std(axis=0, ddof=1) if len(self.accuracy) > 1 else np.zeros(len(self.eps))


def fgsm_direction(
    classifier: Scorer,
    inputs: Tensor,
    targets: Tensor | np.ndarray,
    space: Space = "image",
    loss: Loss = "bce",
    held: Sequence[int] = (),
) -> Tensor:
    """Sign of the gradient of the loss of every member, with respect to its inputs.

    By the chain rule sign(grad_x L) = sign(dL/df) sign(grad_x f), and the first factor is known in closed
    form: -y for binary cross-entropy, -y or 0 (beyond the margin) for hinge. Taking it so keeps the sign
    exact where the sigmoid of a confident score underflows and autograd would return zero.

    Parameters
    ----------
    classifier
        In evaluation mode.
    inputs
        float32, images (n, 1, s, s) or latents (n, latents), on the classifier's device.
    targets
        Classes to move away from, -1 or +1: (n,), or (members, n) for the members' own calls.
    held
        Latents that stay fixed; in latent space only.

    Returns
    -------
    Tensor
        int8 (members, n, ...) of -1, 0, 1. Where a gradient is not a number, 0.

    Raises
    ------
    InputError
        Latent space for scheme 1, held latents in image space or out of range, targets that fit no crop.
    """
    return direction_and_scores(classifier, inputs, targets, space, loss, held)[0]


def direction_and_scores(
    classifier: Scorer,
    inputs: Tensor,
    targets: Tensor | np.ndarray | None,
    space: Space = "image",
    loss: Loss = "bce",
    held: Sequence[int] = (),
) -> tuple[Tensor, Tensor]:
    """As `fgsm_direction`, with the scores (members, n) of the inputs; targets of None are the own calls."""
    _check(classifier, inputs, space, held)
    gradient, scores = score_gradients(classifier, inputs, space)
    y = _signed(calls(scores) if targets is None else targets, classifier.members, len(inputs), inputs.device)
    away = -y if loss == "bce" else -y * (y * scores < 1)
    away = away.reshape(*away.shape, *[1] * (inputs.ndim - 1))
    direction = torch.sign(gradient).mul_(away).to(torch.int8)  # torch's sign of NaN is 0
    if held:
        direction[..., list(held)] = 0
    return direction, scores


def perturb(inputs: Tensor, direction: Tensor, eps: float, bounds: Bounds = None) -> Tensor:
    """Inputs moved by ``eps`` along ``direction`` and clipped to ``bounds``.

    Parameters
    ----------
    inputs
        (n, ...), or (members, n, ...).
    direction
        (members, n, ...), from `fgsm_direction`.
    bounds
        Smallest and largest value the space allows; (0, 1) for normalised images, None for latents.
    """
    moved = inputs + eps * direction.to(inputs.dtype)
    return moved if bounds is None else moved.clamp(*bounds)


def attack_curve(
    classifier: Scorer,
    x: np.ndarray | Tensor,
    y: np.ndarray | Tensor,
    eps: Sequence[float],
    space: Space = "image",
    held: Sequence[int] = (),
    target: Target = "label",
    loss: Loss = "bce",
    bounds: Bounds = IMAGE_BOUNDS,
    evaluations: int | None = None,
    monitor: Monitor = SILENT,
) -> AttackCurve:
    """Accuracy of every member under attack, for every perturbation magnitude (figures 14, 17, 19).

    Parameters
    ----------
    x
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s); in latent space latents, float32 (n, latents).
    y
        True classes, (n,), -1 (negative) or +1 (positive).
    eps
        Magnitudes, in units of the attacked space.
    held
        Latents that stay fixed (the neighbourhood attack holds the morphology latents).
    target
        Move away from the true label, or from each member's own call. Accuracy is always that of the true
        label.
    bounds
        Domain of the images; not applied in latent space.
    evaluations
        Network evaluations in one pass, which bounds the memory; chosen by the device where None.
    """
    magnitudes = _magnitudes(eps)
    labels = torch.as_tensor(np.asarray(y) if not isinstance(y, Tensor) else y)
    if len(labels) != len(x):
        raise InputError(f"There are {len(labels)} labels for {len(x)} crops; expected one for each crop.")
    limits = bounds if space == "image" else None
    attacked = in_passes(classifier, space, limits)
    size = crops_per_pass(attacked[0], space, evaluations)
    parts: list[np.ndarray] = []
    done = 0
    for crops, truth in zip(batches(x, size), batches(labels, size), strict=True):
        if monitor.should_stop():
            break
        inputs = prepare_inputs(attacked[0], crops, space)
        truth = truth.to(inputs.device, inputs.dtype)
        away = truth if target == "label" else None
        correct = []
        for one in attacked:
            direction, scores = direction_and_scores(one, inputs, away, space, loss, held)
            moved = _attacked_scores(one, inputs, direction, scores, magnitudes, space, limits)
            correct.append(calls(moved) == torch.sign(truth))
        parts.append(torch.cat(correct).cpu().numpy())
        done += len(truth)
        monitor.emit(Progress(done, len(x), "attack"))
    nothing = np.zeros((classifier.members, len(magnitudes), 0), dtype=bool)
    return AttackCurve(magnitudes, np.concatenate([nothing, *parts], axis=2))


def in_passes(classifier: Scorer, space: Space, bounds: Bounds = None) -> list[Scorer]:
    """What is attacked one after another, all of the classifier's members together: see `folded_apart`."""
    if space == "latent" or (bounds is not None and not bounds[0] <= 0 <= bounds[1]):
        return [classifier]  # a folded one stands on zeros, which clipping would move
    return folded_apart(classifier)


@torch.inference_mode()
def _attacked_scores(
    classifier: Scorer,
    inputs: Tensor,
    direction: Tensor,
    clean: Tensor,
    eps: np.ndarray,
    space: Space,
    limits: Bounds,
) -> Tensor:
    """Scores of the attacked inputs, (members, eps, n); those at eps = 0 are known already."""
    unclipped = limits is None or bool(((inputs >= limits[0]) & (inputs <= limits[1])).all())
    step = direction.to(inputs.dtype)
    scores, moved = [], torch.empty_like(step)
    for magnitude in map(float, eps):
        if magnitude == 0 and unclipped:
            scores.append(clean)
            continue
        torch.add(inputs, step, alpha=magnitude, out=moved)
        scores.append(member_scores(classifier, moved if limits is None else moved.clamp_(*limits), space))
    return torch.stack(scores, dim=1)


def score_gradients(classifier: Scorer, inputs: Tensor, space: Space) -> tuple[Tensor, Tensor]:
    """Gradients (members, n, ...) of every member's scores, and the scores (members, n)."""
    if space == "latent":
        return _latent_gradients(classifier, inputs)
    if isinstance(classifier, FoldedClassifier):
        return classifier.gradients(inputs)
    inputs = inputs.detach().requires_grad_()
    if has_latents(classifier):
        means = classifier.encoder.encode(inputs)[0]
        pullbacks, scores = _latent_gradients(classifier, means.detach())
        # One encoder pass; its backward pass carries all members at once.
        (gradient,) = torch.autograd.grad(means, inputs, pullbacks, is_grads_batched=True)
        return gradient, scores
    own = inputs.detach().expand(classifier.members, *inputs.shape).clone().requires_grad_()
    scores = classifier.score_images(own)
    return torch.autograd.grad(scores.sum(), own)[0], scores.detach()


def _latent_gradients(classifier: Scorer, latents: Tensor) -> tuple[Tensor, Tensor]:
    """Every member's gradient with respect to its own copy of the latents: one backward pass for all."""
    return feature_gradients(classifier.score_latents, latents.expand(classifier.members, *latents.shape))


def _check(classifier: Scorer, inputs: Tensor, space: Space, held: Sequence[int]) -> None:
    check_space(classifier, space)
    if held and space == "image":
        raise InputError("Latents can be held fixed in latent space only; this attack is in image space.")
    wrong = [k for k in held if not 0 <= k < inputs.shape[-1]]
    if wrong:
        raise InputError(f"Latent {wrong[0]} cannot be held: there are latents 0 to {inputs.shape[-1] - 1}.")


def _signed(targets: Tensor | np.ndarray, members: int, n: int, device: torch.device) -> Tensor:
    y = torch.as_tensor(targets).to(device=device, dtype=torch.float32)
    if y.shape not in ((n,), (members, n)):
        raise InputError(
            f"The targets have the shape {tuple(y.shape)}; expected ({n},) or ({members}, {n}), one a crop."
        )
    if bool(((y != -1) & (y != 1) & (y != 0)).any()):
        raise InputError("The targets hold other values than -1 (negative) and +1 (positive).")
    return y.expand(members, n)


def _magnitudes(eps: Sequence[float]) -> np.ndarray:
    values = np.asarray(eps, dtype=np.float64).reshape(-1)
    if not len(values) or any(not math.isfinite(v) or v < 0 for v in values):
        raise InputError("The perturbation magnitudes eps must be one or more finite numbers of at least 0.")
    return values
