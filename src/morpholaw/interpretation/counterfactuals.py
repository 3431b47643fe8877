"""Counterfactuals: cells perturbed so that their predicted class changes (figures 15, 16, 18, 20)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.scoring import Scorer, check_space, has_latents, shared_scores
from morpholaw.interpretation.attack import FGSM, AttackOptions, perturb
from morpholaw.interpretation.gradients import fgsm_direction
from morpholaw.interpretation.traversal import decode
from morpholaw.models.classes import largest_classes, predicted_classes


@dataclass(frozen=True)
class Counterfactuals:
    """Crops that were perturbed to change the class predicted by one model.

    Attributes
    ----------
    images : ndarray
        The crops, (n, s, s).
    perturbed : ndarray
        The perturbed crops, (n, s, s); in latent space, the decoded perturbed latents.
    reconstruction, perturbed_reconstruction : ndarray or None
        The encoder's reconstruction of the crops before and after, (n, s, s); None for scheme 1.
    scores, perturbed_scores : ndarray
        Scores before and after, (n,) for two classes, (n, C) for more.
    """

    images: np.ndarray
    perturbed: np.ndarray
    reconstruction: np.ndarray | None
    perturbed_reconstruction: np.ndarray | None
    scores: np.ndarray
    perturbed_scores: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """Change of the image in image space, or of the reconstruction in latent space, (n, s, s)."""
        if self.perturbed is self.perturbed_reconstruction and self.reconstruction is not None:
            return np.asarray(self.perturbed - self.reconstruction)
        return np.asarray(self.perturbed - self.images)

    @property
    def flipped(self) -> np.ndarray:
        """Whether the predicted class changed, bool (n,)."""
        return np.asarray(self.predicted != self.perturbed_predicted)

    @property
    def margins(self) -> tuple[np.ndarray, np.ndarray]:
        """Scores before and after, (n,); for more than two classes, margins of the class predicted before."""
        if self.scores.ndim == 1:
            return self.scores, self.perturbed_scores
        rows, predicted = np.arange(len(self.scores)), np.maximum(self.predicted, 0)

        def margin(scores: np.ndarray) -> np.ndarray:
            others = np.where(np.isfinite(scores), scores, -np.inf)
            others[rows, predicted] = -np.inf
            return np.asarray(scores[rows, predicted] - others.max(axis=1))

        return margin(self.scores), margin(self.perturbed_scores)

    @property
    def predicted(self) -> np.ndarray:
        """Predicted classes before, int64 (n,)."""
        return _predicted(self.scores)

    @property
    def perturbed_predicted(self) -> np.ndarray:
        """Predicted classes after, int64 (n,)."""
        return _predicted(self.perturbed_scores)


def _predicted(scores: np.ndarray) -> np.ndarray:
    return predicted_classes(scores) if scores.ndim == 1 else largest_classes(scores)


def counterfactuals(
    classifier: Scorer,
    images: np.ndarray | Tensor,
    eps: float,
    member: int = 0,
    options: AttackOptions = FGSM,
) -> Counterfactuals:
    """Attack crops away from the classes predicted by one model.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    images : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s).
    eps : float
        Magnitude, in units of the attacked space.
    member : int
        Index of the attacked model.
    options : AttackOptions
        Space, bounds, fixed latents and the class to attack towards.

    Returns
    -------
    Counterfactuals
        Crops, perturbed crops and scores of that model.

    Raises
    ------
    InputError
        If there is no such model, or the space does not exist in the classifier.
    """
    if not 0 <= member < classifier.members:
        raise InputError(f"There is no model {member}; there are models 0 to {classifier.members - 1}.")
    check_space(classifier, options.space)
    encoder = classifier.encoder if has_latents(classifier) else None
    crops = prepare_inputs(classifier, images, "image")
    latents = perturbed_latents = None
    if encoder is not None:
        with torch.no_grad():
            latents = encoder.encode(crops)[0]
    inputs = latents if options.space == "latent" and latents is not None else crops
    direction, scores = fgsm_direction(
        classifier, inputs, None, options.space, options.loss, options.fixed, options.towards
    )
    moved = perturb(inputs, direction[member], eps, options.limits)
    with torch.no_grad():
        perturbed_scores = shared_scores(classifier, moved, options.space)[member]
        if options.space == "latent":
            perturbed_latents = moved
        elif encoder is not None:
            perturbed_latents = encoder.encode(moved)[0]
    reconstruction = None if latents is None else decode(classifier.encoder, latents)
    perturbed_reconstruction = (
        None if perturbed_latents is None else decode(classifier.encoder, perturbed_latents)
    )
    if options.space == "latent" and perturbed_reconstruction is not None:
        perturbed = perturbed_reconstruction
    else:
        perturbed = moved[:, 0].cpu().numpy()
    return Counterfactuals(
        crops[:, 0].cpu().numpy(),
        perturbed,
        reconstruction,
        perturbed_reconstruction,
        scores[member].cpu().double().numpy(),
        perturbed_scores.cpu().double().numpy(),
    )
