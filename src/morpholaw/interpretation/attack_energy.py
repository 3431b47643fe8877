"""Where in a crop a small change matters to a classifier: the energy of the gradient inside and outside the nucleus."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from morpholaw.cells.segmentation import nucleus_masks
from morpholaw.errors import InputError
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.fused_classifier import FusedClassifier, fuse_members, to_pixels
from morpholaw.evaluation.scoring import Scorer, batches, crops_per_batch, predicted_numbers
from morpholaw.interpretation.attack import AttackCurve
from morpholaw.interpretation.gradients import class_margin, score_gradients


def energy_inside(
    classifier: Scorer, images: np.ndarray | Tensor, masks: np.ndarray, batch: int | None = None
) -> np.ndarray:
    """Compute the share of the squared image gradient of f that lies inside the nucleus, float64 (members, n).

    Of more than two classes, f is the margin of the predicted class over all others.
    The fast gradient sign has the same magnitude at every pixel, so its energy would only measure the size of the
    nucleus. The gradient itself says where a small change matters. Compare with the mask's share of the image.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    images : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s).
    masks : ndarray
        bool (n, s, s), True inside the central nucleus.
    batch : int or None
        Images per batch over all members; chosen by the device where None.
    """
    if len(masks) != len(images) or masks.shape[-2:] != tuple(images.shape[-2:]):
        raise InputError(f"Masks {masks.shape} do not fit the crops; expected one (s, s) mask for each crop.")
    parts = fuse_members(classifier)
    size = crops_per_batch(parts[0], "image", batch)
    shares = []
    for crops, inside in zip(batches(images, size), batches(masks, size), strict=True):
        inputs = prepare_inputs(parts[0], crops, "image")
        gradient = torch.cat([score_gradients(part, inputs, "image", _own_margin)[0] for part in parts])
        pixels = to_pixels(gradient) if isinstance(parts[0], FusedClassifier) else gradient
        energy = pixels[:, :, 0].double().square()
        nucleus = torch.as_tensor(np.asarray(inside, dtype=bool), device=energy.device)
        shares.append(((energy * nucleus).sum((2, 3)) / energy.sum((2, 3))).cpu().numpy())
    return np.concatenate(shares, axis=1)


def successful_energy(
    classifier: Scorer, images: np.ndarray, curve: AttackCurve
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the gradients of the attacks on crops lie that succeeded.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    images : ndarray, uint8 (n, s, s)
        The crops that were attacked.
    curve : AttackCurve
        The attacks, in image space; the first magnitude is 0.

    Returns
    -------
    energy, area : ndarray
        float64 (members, eps): the mean share of the gradient's energy inside the nucleus, and the nucleus' mean share
        of the crop, over the attacks that succeeded; NaN where none did.
    """
    energy, area = np.full((2, *curve.correct.shape[:2]), np.nan)
    masks = nucleus_masks(images)
    shares = energy_inside(classifier, images, masks)
    for member, correct in enumerate(curve.correct):
        for place, kept in enumerate(correct):
            succeeded = correct[0] & ~kept & masks.any(axis=(1, 2)) & np.isfinite(shares[member])
            if succeeded.any():
                energy[member, place] = shares[member, succeeded].mean()
                area[member, place] = masks[succeeded].mean()
    return energy, area


def _own_margin(scores: Tensor) -> Tensor:
    """Return f of two classes, (members, n); of more, the margin of the predicted class over all others."""
    return scores if scores.ndim == 2 else class_margin(scores, predicted_numbers(scores.detach(), True))
