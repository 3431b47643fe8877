"""Attacked cells beside the originals: what must change for another call (figures 15, 16, 18, 20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.scoring import Scorer, Space, check_space, has_latents, shared_scores
from morpholaw.interpretation.attack import IMAGE_BOUNDS, Bounds, direction_and_scores, perturb
from morpholaw.interpretation.traversal import decode


@dataclass(frozen=True)
class Counterfactuals:
    """Crops attacked by one model, float arrays with one row for each crop.

    Attributes
    ----------
    images
        The crops, (n, s, s).
    perturbed
        Attacked crops; in latent space, decoded attacked latents. (n, s, s).
    reconstruction, perturbed_reconstruction
        The encoder's picture of the crops before and after, (n, s, s); None for scheme 1.
    scores, perturbed_scores
        f before and after, (n,).
    """

    images: np.ndarray
    perturbed: np.ndarray
    reconstruction: np.ndarray | None
    perturbed_reconstruction: np.ndarray | None
    scores: np.ndarray
    perturbed_scores: np.ndarray

    @property
    def difference(self) -> np.ndarray:
        """What the attack changed: of the picture in image space, of its reconstruction in latent space."""
        before = self.images if self.perturbed is not self.perturbed_reconstruction else self.reconstruction
        return self.perturbed - before

    @property
    def flipped(self) -> np.ndarray:
        """Where the call changed, bool (n,)."""
        return (self.scores >= 0) != (self.perturbed_scores >= 0)


def counterfactuals(
    classifier: Scorer,
    images: np.ndarray | Tensor,
    eps: float,
    member: int = 0,
    space: Space = "image",
    held: Sequence[int] = (),
    bounds: Bounds = IMAGE_BOUNDS,
) -> Counterfactuals:
    """Attack a few crops away from one model's own calls.

    Parameters
    ----------
    images
        uint8 (n, s, s) or float32 (n, 1, s, s).
    eps, space, held, bounds
        As in `morpholaw.interpretation.attack.attack_curve`.
    """
    if not 0 <= member < classifier.members:
        raise InputError(f"There is no model {member}; there are models 0 to {classifier.members - 1}.")
    check_space(classifier, space)
    shared = has_latents(classifier)
    crops = prepare_inputs(classifier, images, "image")
    with torch.no_grad():
        latents = classifier.encoder.encode(crops)[0] if shared else None
    inputs = latents if space == "latent" and latents is not None else crops
    direction, scores = direction_and_scores(classifier, inputs, None, space, held=held)
    moved = perturb(inputs, direction[member], eps, bounds if space == "image" else None)
    with torch.no_grad():
        after = shared_scores(classifier, moved, space)[member]
        ends = moved if space == "latent" else classifier.encoder.encode(moved)[0] if shared else None
    reconstruction = decode(classifier.encoder, latents) if latents is not None else None
    rebuilt = decode(classifier.encoder, ends) if ends is not None else None
    perturbed = rebuilt if space == "latent" and rebuilt is not None else moved[:, 0].cpu().numpy()
    return Counterfactuals(
        crops[:, 0].cpu().numpy(),
        perturbed,
        reconstruction,
        rebuilt,
        scores[member].cpu().double().numpy(),
        after.cpu().double().numpy(),
    )
