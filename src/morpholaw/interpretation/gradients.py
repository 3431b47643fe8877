"""Gradients of the scores of all members with respect to their inputs, and the directions of attacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.fused_classifier import FusedClassifier, Objective, feature_gradients, to_blocks
from morpholaw.evaluation.scoring import (
    Scorer,
    Space,
    check_space,
    has_latents,
    predicted_numbers,
    predicted_signs,
)
from morpholaw.models.classes import NO_CLASS

Loss = Literal["bce", "hinge"]


def score_gradients(
    classifier: Scorer, inputs: Tensor, space: Space, objective: Objective | None = None
) -> tuple[Tensor, Tensor]:
    """Compute the gradients of all members with respect to their inputs.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    inputs : Tensor
        Images (n, 1, s, s) or latents (n, latents).
    space : {"image", "latent"}
        Whether the inputs are images or latents.
    objective : callable, optional
        Function from scores to the values (members, n) whose gradient is computed. The default is the scores.

    Returns
    -------
    gradients : Tensor
        Gradients (members, n, ...).
    scores : Tensor
        Scores (members, n) or (members, n, C).
    """
    if space == "latent":
        return _latent_gradients(classifier, inputs, objective)
    if isinstance(classifier, FusedClassifier):
        return classifier.gradients(inputs, objective)
    inputs = inputs.detach().requires_grad_()
    if has_latents(classifier):
        means = classifier.encoder.encode(inputs)[0]
        latent_gradients, scores = _latent_gradients(classifier, means.detach(), objective)
        # One forward pass of the encoder; one batched backward pass for all members.
        (gradient,) = torch.autograd.grad(means, inputs, latent_gradients, is_grads_batched=True)
        return gradient, scores
    copies = inputs.detach().expand(classifier.members, *inputs.shape).clone().requires_grad_()
    scores = classifier.score_images(copies)
    values = scores if objective is None else objective(scores)
    return torch.autograd.grad(values.sum(), copies)[0], scores.detach()


def _latent_gradients(
    classifier: Scorer, latents: Tensor, objective: Objective | None
) -> tuple[Tensor, Tensor]:
    """Return the gradient of each member with respect to its copy of the latents, in one backward pass."""
    copies = latents.expand(classifier.members, *latents.shape)
    return feature_gradients(classifier.score_latents, copies, objective)


def class_margin(scores: Tensor, classes: Tensor, loss: Loss = "bce") -> Tensor:
    """Return the margin of a class over all others, which is differentiable.

    Parameters
    ----------
    scores : Tensor
        Scores f_c(x), (members, n, C). Classes without a finite score are ignored.
    classes : Tensor
        Class numbers, int64 (members, n). The margin of `NO_CLASS` is a constant 0.
    loss : {"bce", "hinge"}
        "bce" for the log odds of the softmax, against all others together; "hinge" for the margin over the best other.

    Returns
    -------
    Tensor
        Margins (members, n).
    """
    known = classes >= 0
    is_own_class = torch.nn.functional.one_hot(classes.clamp(min=0), scores.shape[-1]).bool()
    finite = torch.where(torch.isfinite(scores), scores, -torch.inf)
    others = finite.masked_fill(is_own_class, -torch.inf)
    against = others.logsumexp(-1) if loss == "bce" else others.amax(-1)
    margin = scores.masked_fill(~is_own_class, 0.0).sum(-1) - against
    return torch.where(known, margin, 0.0)


def fgsm_direction(
    classifier: Scorer,
    inputs: Tensor,
    targets: Tensor | np.ndarray | None,
    space: Space = "image",
    loss: Loss = "bce",
    fixed: Sequence[int] = (),
    towards: int | None = None,
) -> tuple[Tensor, Tensor]:
    """Compute the sign of the gradient of every member's loss with respect to its inputs (eq. 1).

    By the chain rule, sign(grad_x L) = sign(dL/df) sign(grad_x f). The first factor is known: -y for binary
    cross-entropy, and -y or 0 (beyond the margin) for the hinge loss. The sign is thus exact even if the sigmoid of a
    large score underflows and autograd would return zero. With more than two classes, f is the margin of a class over
    all others (`class_margin`), of which the cross-entropy is a monotonic function as well.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    inputs : Tensor
        Images (n, 1, s, s) or latents (n, latents), float32, on the device of the classifier.
    targets : Tensor, ndarray or None
        Classes to attack away from, 0 to C - 1, (n,) or (members, n). None for the predicted classes of each member.
    space : {"image", "latent"}
        Whether ``inputs`` are images or latents.
    loss : {"bce", "hinge"}
        Cross-entropy or hinge loss.
    fixed : sequence of int
        Latents that are not perturbed, in latent space.
    towards : int, optional
        Class to attack towards, instead of away from ``targets``.

    Returns
    -------
    direction : Tensor
        Signs -1, 0 or 1, int8 (members, n, ...); 0 if a gradient is NaN.
    scores : Tensor
        Scores (members, n) or (members, n, C) of the inputs.

    Raises
    ------
    InputError
        If scheme 1 is attacked in latent space, latents are fixed in image space or do not exist, or targets have the
        wrong shape.
    """
    check_fixed(classifier, inputs, space, fixed)

    def objective(scores: Tensor) -> Tensor:
        return scores if scores.ndim == 2 else _margin_to_raise(scores, targets, towards, loss)

    gradient, scores = score_gradients(classifier, inputs, space, objective)
    direction = torch.sign(gradient)  # torch's sign of NaN is 0
    if scores.ndim == 2:
        if towards is not None:
            _check_class(towards, 2)
            targets = torch.full((len(inputs),), 1 - towards)
        y = predicted_signs(scores) if targets is None else _signs(targets, scores)
        away = -y if loss == "bce" else -y * (y * scores < 1)
        direction.mul_(away.reshape(*away.shape, *[1] * (inputs.ndim - 1)))
    signs = direction.to(torch.int8)
    if fixed:
        signs[..., list(fixed)] = 0
    return signs, scores


def _margin_to_raise(
    scores: Tensor, targets: Tensor | np.ndarray | None, towards: int | None, loss: Loss
) -> Tensor:
    """Return the quantity that an attack on more than two classes increases: the margin of a class, or minus it."""
    if towards is not None:
        _check_class(towards, scores.shape[-1])
        margin = class_margin(scores, torch.full_like(scores[..., 0], towards, dtype=torch.int64), loss)
    elif targets is None:
        margin = class_margin(scores, predicted_numbers(scores.detach(), True), loss)
    else:
        margin = class_margin(scores, _numbers(targets, scores), loss)
    if loss == "hinge":
        margin = torch.where(margin < 1, margin, margin.detach())
    return margin if towards is not None else -margin


class RandomSigns:
    """Random signs, as a control for attacks.

    The signs depend on the seed, the order of the inputs and their shape, but not on the batch size. They are the same
    for all members of an ensemble.

    Parameters
    ----------
    seed : int
        Seed of the random numbers.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def next(self, shape: Sequence[int]) -> Tensor:
        """Return the signs of the next batch of inputs, int8 of ``shape``, (n, ...).

        Parameters
        ----------
        shape : sequence of int
            Shape of the batch, (n, ...).
        """
        count, size = shape[0], int(np.prod(shape[1:]))
        words = self._rng.integers(0, 2**64, size=(count, -(-size // 64)), dtype=np.uint64)
        bits = np.unpackbits(words.view(np.uint8), axis=1, count=size).astype(np.int8)
        return torch.from_numpy(2 * bits - 1).reshape(*shape)


def random_direction(
    classifier: Scorer, inputs: Tensor, signs: RandomSigns, space: Space = "image", fixed: Sequence[int] = ()
) -> Tensor:
    """Return random signs for a batch of inputs, int8 (members, n, ...), with fixed latents at 0.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    inputs : Tensor
        Images (n, 1, s, s) or latents (n, latents).
    signs : RandomSigns
        Source of the signs.
    space : {"image", "latent"}
        Whether the inputs are images or latents.
    fixed : sequence of int
        Latents that are held fixed.
    """
    check_fixed(classifier, inputs, space, fixed)
    if isinstance(classifier, FusedClassifier) and space == "image":
        side = 2 * (inputs.shape[-1] - 1)
        direction = to_blocks(signs.next((len(inputs), 1, side, side)))
    else:
        direction = signs.next(inputs.shape)
    if fixed:
        direction[..., list(fixed)] = 0
    return direction.to(inputs.device).expand(classifier.members, *direction.shape)


def check_fixed(classifier: Scorer, inputs: Tensor, space: Space, fixed: Sequence[int]) -> None:
    """Raise an `InputError` if the space or the fixed latents do not exist.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    inputs : Tensor
        Images (n, 1, s, s) or latents (n, latents).
    space : {"image", "latent"}
        Whether the inputs are images or latents.
    fixed : sequence of int
        Latents that are held fixed.
    """
    check_space(classifier, space)
    if fixed and space == "image":
        raise InputError("Latents can be kept fixed in latent space only; this attack is in image space.")
    invalid = [k for k in fixed if not 0 <= k < inputs.shape[-1]]
    if invalid:
        raise InputError(
            f"Latent {invalid[0]} cannot be kept fixed: there are latents 0 to {inputs.shape[-1] - 1}."
        )


def _check_class(number: int, classes: int) -> None:
    if not 0 <= number < classes:
        raise InputError(f"There is no class {number} to move towards: there are {classes}, from 0.")


def _numbers(targets: Tensor | np.ndarray, scores: Tensor) -> Tensor:
    """Return class numbers as int64 (members, n), for scores (members, n) or (members, n, C)."""
    members, n = scores.shape[:2]
    count = 2 if scores.ndim == 2 else scores.shape[2]
    classes = torch.as_tensor(targets).to(scores.device)
    if classes.shape not in ((n,), (members, n)):
        raise InputError(
            f"The targets have the shape {tuple(classes.shape)}; expected ({n},) or ({members}, {n}), one per crop."
        )
    if bool(
        (((classes < 0) | (classes >= count) | (classes != classes.long())) & (classes != NO_CLASS)).any()
    ):
        expected = "0 (negative class) or 1 (positive class)" if count == 2 else f"0 to {count - 1}"
        raise InputError(f"The targets must be {expected}.")
    return classes.long().expand(members, n)


def _signs(targets: Tensor | np.ndarray, scores: Tensor) -> Tensor:
    """Return the signs of eq. 2 for class numbers, float32 (members, n): -1 for 0, 1 for 1, and 0 for ``NO_CLASS``."""
    classes = _numbers(targets, scores)
    return torch.where(classes == NO_CLASS, 0, 2 * classes - 1).to(torch.float32)
