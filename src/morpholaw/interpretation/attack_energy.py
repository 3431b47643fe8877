"""Share of the gradient's energy inside the nucleus, which shows where small changes matter to a classifier."""

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
    """Compute the share of the squared image gradient of f inside the nucleus.

    With more than two classes, f is the margin of the predicted class over all others. The gradient is used and not its
    sign, as the sign has the same magnitude at every pixel. By chance, the share is that of the image area covered by
    the mask.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    images : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s).
    masks : ndarray
        Masks of the central nucleus, bool (n, s, s).
    batch : int or None
        Number of images per batch over all members. By default it depends on the device.

    Returns
    -------
    ndarray, float64 (members, n)
        Shares.
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
    """Return the mean share of the gradient's energy inside the nucleus over successful attacks on images.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    images : ndarray, uint8 (n, s, s)
        The attacked crops.
    curve : AttackCurve
        Result of the attacks in image space, whose first magnitude is 0.

    Returns
    -------
    energy, area : ndarray
        Mean share of the gradient's energy inside the nucleus, and mean share of the crop covered by the nucleus, over
        successful attacks, float64 (members, eps); NaN if there are none.
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
    """Return f for two classes, or the margin of the predicted class over all others for more, (members, n)."""
    return scores if scores.ndim == 2 else class_margin(scores, predicted_numbers(scores.detach(), True))
