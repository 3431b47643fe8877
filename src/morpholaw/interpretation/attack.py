"""Fast gradient sign attacks on an ensemble: x + eps sign(grad_x L(f(x), y)) (paper, eq. 1 and 6.5).

The sign does not depend on eps, so a whole curve needs a single gradient per member and crop. The members of schemes 2
to 4 share one forward pass of the encoder. Random signs of the same eps are the control: if they change as many
predicted classes, the classifier is sensitive to noise, and its gradient is not informative.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.fused_classifier import fuse_members
from morpholaw.evaluation.scoring import (
    Scorer,
    Space,
    batches,
    crops_per_batch,
    member_scores,
    predicted_numbers,
    shared_scores,
)
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.interpretation.gradients import Loss, RandomSigns, fgsm_direction, random_direction

Bounds = tuple[float, float] | None
Target = Literal["label", "call"]
Direction = Literal["gradient", "random"]
IMAGE_BOUNDS = (0.0, 1.0)
"""Range of the normalised crops."""


@dataclass(frozen=True)
class AttackOptions:
    """Options of an attack.

    Attributes
    ----------
    space : {"image", "latent"}
        The attacked space.
    fixed : tuple of int
        Latents that are not perturbed, in latent space. The neighbourhood attack fixes the latents of morphology.
    direction : {"gradient", "random"}
        The sign of the gradient, or random signs as a control.
    target : {"label", "call"}
        Attack away from the true class, or from the predicted class of each member.
    towards : int, optional
        Class to attack towards instead.
    loss : {"bce", "hinge"}
        The loss whose gradient is used.
    bounds : tuple of float or None
        Range to which perturbed images are clipped. Not applied in latent space.
    seed : int
        Seed of the random signs.
    batch : int or None
        Number of inputs per batch over all members, which limits the memory. By default it depends on the device.
    """

    space: Space = "image"
    fixed: tuple[int, ...] = ()
    direction: Direction = "gradient"
    target: Target = "label"
    towards: int | None = None
    loss: Loss = "bce"
    bounds: Bounds = IMAGE_BOUNDS
    seed: int = 0
    batch: int | None = None

    @property
    def limits(self) -> Bounds:
        """Range of the attacked space."""
        return self.bounds if self.space == "image" else None


FGSM = AttackOptions()
"""The fast gradient sign attack of the paper, in image space."""


@dataclass(frozen=True)
class AttackCurve:
    """Predicted classes as a function of the magnitude of the perturbation (figures 14, 17, 19).

    Attributes
    ----------
    eps : ndarray, float64 (eps,)
        Magnitudes, in units of the attacked space.
    predicted : ndarray, int64 (members, eps, crops)
        Predicted class of each attacked crop, or `NO_CLASS`. There are fewer crops if the step was cancelled.
    truth : ndarray, int64 (crops,)
        True classes.
    """

    eps: np.ndarray
    predicted: np.ndarray
    truth: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """Whether each attacked crop is classified correctly, bool (members, eps, crops)."""
        correct: np.ndarray = self.predicted == self.truth
        return correct

    @property
    def crops(self) -> int:
        """The number of attacked crops."""
        return len(self.truth)

    @property
    def accuracy(self) -> np.ndarray:
        """Accuracy on the attacked crops, (members, eps); NaN if there are none."""
        if not self.crops:
            return np.full(self.predicted.shape[:2], np.nan)
        accuracy: np.ndarray = self.correct.mean(axis=2)
        return accuracy

    @property
    def mean(self) -> np.ndarray:
        """Mean over members, (eps,)."""
        return np.asarray(self.accuracy.mean(axis=0))

    @property
    def deviation(self) -> np.ndarray:
        """Standard deviation over members, (eps,), with n - 1; 0 for a single member."""
        return self.accuracy.std(axis=0, ddof=1) if len(self.accuracy) > 1 else np.zeros(len(self.eps))


@dataclass(frozen=True)
class AttackPairs:
    """Success of attacks towards each class, for cells of each other class.

    Attributes
    ----------
    eps : ndarray, float64 (eps,)
        Magnitudes, in units of the attacked space.
    success : ndarray, float64 (members, eps, C, C)
        Share of the crops of a true class (rows) whose predicted class is the one attacked towards (columns); NaN on
        the diagonal and for classes without crops.
    cells : ndarray, int64 (C,)
        Number of attacked crops of each true class.
    """

    eps: np.ndarray
    success: np.ndarray
    cells: np.ndarray


def attack_pairs(
    classifier: Scorer,
    x: np.ndarray | Tensor,
    y: np.ndarray,
    classes: int,
    eps: Sequence[float],
    options: AttackOptions = FGSM,
    monitor: Monitor = SILENT,
) -> AttackPairs:
    """Attack all crops towards each class in turn.

    Parameters
    ----------
    classifier, x, y, eps, options, monitor
        As for `attack_curve`. The class to attack towards in ``options`` is ignored.
    classes : int
        Number of classes, at least 2.

    Returns
    -------
    AttackPairs
        Success for each pair of classes; NaN for classes that were not reached before a cancellation.
    """
    truth = np.asarray(y, np.int64)
    success = np.full((classifier.members, len(_checked_magnitudes(eps)), classes, classes), np.nan)
    for towards in range(classes):
        curve = attack_curve(classifier, x, truth, eps, replace(options, towards=towards), monitor)
        if curve.crops < len(truth):
            break
        reached = curve.predicted == towards
        for class_number in range(classes):
            if class_number != towards and (truth == class_number).any():
                success[:, :, class_number, towards] = reached[:, :, truth == class_number].mean(axis=2)
    return AttackPairs(_checked_magnitudes(eps), success, np.bincount(truth, minlength=classes))


def perturb(inputs: Tensor, direction: Tensor, eps: float, bounds: Bounds = None) -> Tensor:
    """Move inputs by ``eps`` along ``direction`` and clip them to ``bounds``.

    Parameters
    ----------
    inputs : Tensor
        Inputs (n, ...), or (members, n, ...).
    direction : Tensor
        Direction (members, n, ...), from `fgsm_direction` or `random_direction`.
    eps : float
        Magnitude, in units of the attacked space.
    bounds : tuple of float or None
        Range of the space: (0, 1) for normalised images, None for latents.

    Returns
    -------
    Tensor
        The perturbed inputs, (members, n, ...).
    """
    moved = inputs + eps * direction.to(inputs.dtype)
    return moved if bounds is None else moved.clamp(*bounds)


def attack_curve(
    classifier: Scorer,
    x: np.ndarray | Tensor,
    y: np.ndarray | Tensor,
    eps: Sequence[float],
    options: AttackOptions = FGSM,
    monitor: Monitor = SILENT,
) -> AttackCurve:
    """Attack crops with several magnitudes (figures 14, 17, 19).

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    x : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s); in latent space latents, float32 (n, latents).
    y : ndarray or Tensor
        True classes, int (n,), 0 to C - 1. With two classes, 0 is the negative one.
    eps : sequence of float
        Magnitudes, in units of the attacked space.
    options : AttackOptions
        Space, direction, loss and fixed latents.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    AttackCurve
        Predicted classes of all members. Accuracies always refer to the true classes, whatever the target of the
        attack.

    Raises
    ------
    InputError
        If a magnitude is negative or not finite, or the inputs do not match each other or the space.
    """
    magnitudes = _checked_magnitudes(eps)
    labels = torch.as_tensor(np.asarray(y) if not isinstance(y, Tensor) else y)
    if len(labels) != len(x):
        raise InputError(f"There are {len(labels)} labels for {len(x)} crops; expected one for each crop.")
    parts = attack_parts(classifier, options)
    size = crops_per_batch(parts[0], options.space, options.batch)
    random_signs = RandomSigns(options.seed)
    predicted = [np.zeros((classifier.members, len(magnitudes), 0), dtype=np.int64)]
    done = 0
    for crops, batch_labels in zip(batches(x, size), batches(labels, size), strict=True):
        if monitor.should_stop():
            break
        inputs = prepare_inputs(parts[0], crops, options.space)
        away_from = batch_labels.to(inputs.device, torch.int64)
        control = (
            random_direction(parts[0], inputs, random_signs, options.space, options.fixed)
            if options.direction == "random"
            else None
        )
        predicted.append(
            torch.cat([_attacked(part, inputs, away_from, magnitudes, options, control) for part in parts])
            .cpu()
            .numpy()
        )
        done += len(away_from)
        monitor.emit(Progress(done, len(x), "attack"))
    truth = labels.cpu().numpy().astype(np.int64)[:done]
    return AttackCurve(magnitudes, np.concatenate(predicted, axis=2), truth)


def attack_parts(classifier: Scorer, options: AttackOptions) -> list[Scorer]:
    """Return the parts of a classifier that an attack processes one after another; see `fuse_members`.

    As the input of a fused classifier is padded with zeros, the classifier itself is used if clipping would change
    them.

    Parameters
    ----------
    classifier : Scorer
        The classifier, in evaluation mode.
    options : AttackOptions
        Options of the attack.
    """
    limits = options.limits
    if options.space == "latent" or (limits is not None and not limits[0] <= 0 <= limits[1]):
        return [classifier]
    return fuse_members(classifier)


def _attacked(
    classifier: Scorer,
    inputs: Tensor,
    truth: Tensor,
    eps: np.ndarray,
    options: AttackOptions,
    control: Tensor | None,
) -> Tensor:
    """Return the predicted class of each attacked input, int64 (members, eps, n)."""
    if control is None:
        targets = truth if options.target == "label" else None
        direction, clean = fgsm_direction(
            classifier, inputs, targets, options.space, options.loss, options.fixed, options.towards
        )
    else:
        with torch.inference_mode():
            direction, clean = control, shared_scores(classifier, inputs, options.space)
    scores = _attacked_scores(classifier, inputs, direction, clean, eps, options)
    return predicted_numbers(scores, by_class=clean.ndim == 3)


@torch.inference_mode()
def _attacked_scores(
    classifier: Scorer,
    inputs: Tensor,
    direction: Tensor,
    clean: Tensor,
    eps: np.ndarray,
    options: AttackOptions,
) -> Tensor:
    """Return scores of the attacked inputs, (members, eps, n[, C]); those at eps = 0 are ``clean``."""
    limits = options.limits
    unclipped = limits is None or bool(((inputs >= limits[0]) & (inputs <= limits[1])).all())
    step = direction.to(inputs.dtype)
    scores, moved = [], torch.empty_like(step)
    for magnitude in map(float, eps):
        if magnitude == 0 and unclipped:
            scores.append(clean)
            continue
        torch.add(inputs, step, alpha=magnitude, out=moved)
        if limits is not None:
            moved.clamp_(*limits)
        scores.append(member_scores(classifier, moved, options.space))
    return torch.stack(scores, dim=1)


def _checked_magnitudes(eps: Sequence[float]) -> np.ndarray:
    values = np.asarray(eps, dtype=np.float64).reshape(-1)
    if not len(values) or any(not math.isfinite(v) or v < 0 for v in values):
        raise InputError("The perturbation magnitudes eps must be one or more finite, non-negative numbers.")
    return values
