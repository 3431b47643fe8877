"""Gradients of every member's score with respect to its inputs, and the directions that attacks follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.fused_classifier import FusedClassifier, feature_gradients, to_blocks
from morpholaw.evaluation.scoring import Scorer, Space, check_space, has_latents, predicted_signs
from morpholaw.models.classes import NO_CLASS

Loss = Literal["bce", "hinge"]


def score_gradients(classifier: Scorer, inputs: Tensor, space: Space) -> tuple[Tensor, Tensor]:
    """Return gradients (members, n, ...) of every member's scores, and the scores (members, n)."""
    if space == "latent":
        return _latent_gradients(classifier, inputs)
    if isinstance(classifier, FusedClassifier):
        return classifier.gradients(inputs)
    inputs = inputs.detach().requires_grad_()
    if has_latents(classifier):
        means = classifier.encoder.encode(inputs)[0]
        latent_gradients, scores = _latent_gradients(classifier, means.detach())
        # One forward pass of the encoder; one batched backward pass for all members.
        (gradient,) = torch.autograd.grad(means, inputs, latent_gradients, is_grads_batched=True)
        return gradient, scores
    copies = inputs.detach().expand(classifier.members, *inputs.shape).clone().requires_grad_()
    scores = classifier.score_images(copies)
    return torch.autograd.grad(scores.sum(), copies)[0], scores.detach()


def _latent_gradients(classifier: Scorer, latents: Tensor) -> tuple[Tensor, Tensor]:
    """Return every member's gradient with respect to its copy of the latents: one backward pass for all."""
    return feature_gradients(classifier.score_latents, latents.expand(classifier.members, *latents.shape))


def fgsm_direction(
    classifier: Scorer,
    inputs: Tensor,
    targets: Tensor | np.ndarray | None,
    space: Space = "image",
    loss: Loss = "bce",
    fixed: Sequence[int] = (),
) -> tuple[Tensor, Tensor]:
    """Compute the sign of the gradient of every member's loss with respect to its inputs (eq. 1).

    By the chain rule sign(grad_x L) = sign(dL/df) sign(grad_x f), and the first factor is known in closed
    form: -y for binary cross-entropy, -y or 0 (beyond the margin) for hinge. This keeps the sign exact where
    the sigmoid of a confident score underflows and autograd would return zero.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    inputs : Tensor
        float32, images (n, 1, s, s) or latents (n, latents), on the classifier's device.
    targets : Tensor, ndarray or None
        Classes to move away from, 0 or 1: (n,), or (members, n). None for each member's predicted classes.
    space : {"image", "latent"}
        What ``inputs`` holds.
    loss : {"bce", "hinge"}
        Binary cross-entropy or hinge loss.
    fixed : sequence of int
        Latents that are not perturbed; in latent space only.

    Returns
    -------
    direction : Tensor
        int8 (members, n, ...) of -1, 0, 1; 0 where a gradient is NaN.
    scores : Tensor
        Scores (members, n) of the inputs.

    Raises
    ------
    InputError
        For latent space with scheme 1, fixed latents in image space or out of range, and targets of the wrong shape.
    """
    check_fixed(classifier, inputs, space, fixed)
    gradient, scores = score_gradients(classifier, inputs, space)
    y = predicted_signs(scores) if targets is None else _signs(targets, scores)
    away = -y if loss == "bce" else -y * (y * scores < 1)
    away = away.reshape(*away.shape, *[1] * (inputs.ndim - 1))
    direction = torch.sign(gradient).mul_(away).to(torch.int8)  # torch's sign of NaN is 0
    if fixed:
        direction[..., list(fixed)] = 0
    return direction, scores


class RandomSigns:
    """Random directions of the same magnitude as the gradient's sign: the control of an attack.

    The signs depend on the seed, the order of the inputs and their shape, and not on the size of the batches. All
    members of an ensemble get the same directions.

    Parameters
    ----------
    seed : int
        Seed of the random numbers.
    """

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)

    def next(self, shape: Sequence[int]) -> Tensor:
        """Return the signs of the next batch of inputs, int8 of ``shape``, (n, ...)."""
        count, size = shape[0], int(np.prod(shape[1:]))
        words = self._rng.integers(0, 2**64, size=(count, -(-size // 64)), dtype=np.uint64)
        bits = np.unpackbits(words.view(np.uint8), axis=1, count=size).astype(np.int8)
        return torch.from_numpy(2 * bits - 1).reshape(*shape)


def random_direction(
    classifier: Scorer, inputs: Tensor, signs: RandomSigns, space: Space = "image", fixed: Sequence[int] = ()
) -> Tensor:
    """Return random signs for a batch of inputs, int8 (members, n, ...), with fixed latents at 0."""
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
    """Raise an `InputError` if the space or the latents to keep fixed do not exist."""
    check_space(classifier, space)
    if fixed and space == "image":
        raise InputError("Latents can be kept fixed in latent space only; this attack is in image space.")
    wrong = [k for k in fixed if not 0 <= k < inputs.shape[-1]]
    if wrong:
        raise InputError(
            f"Latent {wrong[0]} cannot be kept fixed: there are latents 0 to {inputs.shape[-1] - 1}."
        )


def _signs(targets: Tensor | np.ndarray, scores: Tensor) -> Tensor:
    """Return the signs of eq. 2 for class numbers, float32 (members, n): -1 for 0, +1 for 1, 0 for ``NO_CLASS``."""
    members, n = scores.shape
    classes = torch.as_tensor(targets).to(scores.device)
    if classes.shape not in ((n,), (members, n)):
        raise InputError(
            f"The targets have the shape {tuple(classes.shape)}; expected ({n},) or ({members}, {n}), one per crop."
        )
    if bool(((classes != 0) & (classes != 1) & (classes != NO_CLASS)).any()):
        raise InputError("The targets must be 0 (negative class) or 1 (positive class).")
    signs = torch.where(classes == NO_CLASS, 0, 2 * classes.long() - 1)
    return signs.to(torch.float32).expand(members, n)
