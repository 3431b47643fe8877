"""The domain constraints of a cell classifier, measured (paper, 4.1 and 6.5).

1. Only the morphology of the central cell may matter. 2. No hypersensitivity to pixels. 3. No dependence on
orientation. And, as all crops are centred by a tracker that errs, none on a small shift.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from morpholaw.cells.orientations import COUNT, orient
from morpholaw.errors import InputError
from morpholaw.evaluation.bootstrap import bootstrap
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.fused_classifier import FoldedClassifier, folded, folded_apart, to_pixels
from morpholaw.evaluation.metrics import Estimate
from morpholaw.evaluation.scoring import (
    EVALUATIONS,
    Scorer,
    as_images,
    batches,
    calls,
    crops_per_pass,
    encode_means,
    has_latents,
    shared_scores,
)
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.interpretation.attack import attack_curve, score_gradients
from morpholaw.interpretation.minimal_perturbation import smallest_flip


@dataclass(frozen=True)
class Constraint:
    """One measured property of a classifier.

    Attributes
    ----------
    name
        Short identifier.
    meaning
        What the number is, in words.
    estimate
        The number with its confidence interval over cells and models; None where it could not be measured.
    reason
        Why it could not be measured; "" where it was.
    """

    name: str
    meaning: str
    estimate: Estimate | None
    reason: str = ""


def neighbourhood_correct(
    classifier: Scorer,
    images: np.ndarray | Tensor,
    y: np.ndarray,
    morphology: Sequence[int],
    eps: float = 1.0,
) -> np.ndarray:
    """Which crops keep their right class when all but the morphology latents are attacked, (members, n)."""
    latents = encode_means(classifier.encoder, images)
    return attack_curve(classifier, latents, y, (eps,), "latent", held=morphology).correct[:, 0]


def energy_inside(
    classifier: Scorer, images: np.ndarray | Tensor, masks: np.ndarray, evaluations: int | None = None
) -> np.ndarray:
    """Share of the squared image gradient of f that lies inside the nucleus mask, float64 (members, n).

    The fast gradient sign gives every pixel the same magnitude, so its energy would say only how large the
    nucleus is. The gradient itself says where a small change matters. Compare with the mask's share of the
    picture.

    Parameters
    ----------
    masks
        bool (n, s, s), True inside the central nucleus.
    """
    if len(masks) != len(images) or masks.shape[-2:] != tuple(images.shape[-2:]):
        raise InputError(f"Masks {masks.shape} do not fit the crops; expected one (s, s) mask for each crop.")
    passes = folded_apart(classifier)
    size = crops_per_pass(passes[0], "image", evaluations)
    parts = []
    for crops, inside in zip(batches(images, size), batches(masks, size), strict=True):
        inputs = prepare_inputs(passes[0], crops, "image")
        gradient = torch.cat([score_gradients(one, inputs, "image")[0] for one in passes])
        pixels = to_pixels(gradient) if isinstance(passes[0], FoldedClassifier) else gradient
        energy = pixels[:, :, 0].double().square()
        within = torch.as_tensor(np.asarray(inside, dtype=bool), device=energy.device)
        parts.append(((energy * within).sum((2, 3)) / energy.sum((2, 3))).cpu().numpy())
    return np.concatenate(parts, axis=1)


def orientation_invariant(
    classifier: Scorer, images: np.ndarray | Tensor, batch: int = EVALUATIONS
) -> np.ndarray:
    """Which crops keep one call under all 8 flips and 90-degree rotations, bool (members, n)."""
    return _same_calls(classifier, images, dihedral, batch)


def shift_invariant(
    classifier: Scorer, images: np.ndarray | Tensor, pixels: int = 3, batch: int = EVALUATIONS
) -> np.ndarray:
    """Which crops keep their call when shifted by ``pixels`` in all 8 directions, bool (members, n)."""
    return _same_calls(classifier, images, lambda x: shifts(x, pixels), batch)


def dihedral(images: Tensor) -> list[Tensor]:
    """Return the 8 orientations of images (n, 1, s, s); the images themselves first."""
    return [orient(images, k) for k in range(COUNT)]


def shifts(images: Tensor, pixels: int) -> list[Tensor]:
    """The image itself and its shifts in the 8 directions, edges repeated, of images (n, 1, s, s)."""
    padded = torch.nn.functional.pad(images, [pixels] * 4, mode="replicate")
    side, across = images.shape[2:]
    moves = [(0, 0), *((a, b) for a in (-1, 0, 1) for b in (-1, 0, 1) if a or b)]
    starts = [(pixels * (1 + a), pixels * (1 + b)) for a, b in moves]
    return [padded[:, :, a : a + side, b : b + across] for a, b in starts]


@torch.no_grad()
def _same_calls(
    classifier: Scorer, images: np.ndarray | Tensor, variants: Callable[[Tensor], list[Tensor]], batch: int
) -> np.ndarray:
    parts = []
    classifier = folded(classifier)
    for crops in batches(images, max(1, batch // 8)):
        made = variants(as_images(crops))
        scores = shared_scores(classifier, prepare_inputs(classifier, torch.cat(made), "image"), "image")
        called = calls(scores).unflatten(1, (len(made), -1))
        parts.append(((called == called[:, :1]).all(dim=1) & (called[:, 0] != 0)).cpu().numpy())
    return np.concatenate(parts, axis=1)


def domain_constraints(
    classifier: Scorer,
    images: np.ndarray | Tensor,
    y: np.ndarray,
    morphology: Sequence[int] = (),
    masks: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    eps: float = 1.0,
    shift: int = 3,
    eps_max: float = 0.5,
    monitor: Monitor = SILENT,
) -> list[Constraint]:
    """All domain constraints, each with a 95 % bootstrap interval over cells and models.

    Parameters
    ----------
    images
        Test crops, uint8 (n, s, s) or float32 (n, 1, s, s).
    y
        True classes, -1 or +1, (n,).
    morphology
        Latents of central-cell morphology; the neighbourhood attack holds them.
    masks
        bool (n, s, s), True inside the central nucleus, where known.
    groups
        Which crops belong together (a track), for the intervals.
    eps
        Magnitude of the neighbourhood attack, in latent units (paper: 1).
    shift
        Pixels of the shifted centre.
    eps_max
        Largest image perturbation tried for the smallest flip, of the image's range [0, 1].

    Returns
    -------
    list[Constraint]
        Fewer where it was asked to stop.
    """
    pixels = as_images(images)

    def neighbourhood() -> Estimate | str:
        if not has_latents(classifier):
            return "scheme 1 has no latent space"
        if not morphology:
            return "no morphology latents are known"
        return bootstrap(neighbourhood_correct(classifier, pixels, y, morphology, eps), groups=groups)

    def inside() -> Estimate | str:
        if masks is None:
            return "no nucleus masks are given"
        return bootstrap(energy_inside(classifier, pixels, masks), np.nanmean, groups)

    def flip() -> Estimate:
        return bootstrap(smallest_flip(classifier, pixels, eps_max=eps_max), np.nanmedian, groups)

    measures: list[tuple[str, str, Callable[[], Estimate | str]]] = [
        (
            "neighbourhood",
            f"accuracy when the other latents are attacked, eps = {eps:g}",
            neighbourhood,
        ),
        ("inside", "share of the image gradient's energy inside the nucleus", inside),
        ("smallest flip", "median smallest image perturbation that changes the call", flip),
        (
            "orientation",
            "share of crops with the same call in all 8 orientations",
            lambda: bootstrap(orientation_invariant(classifier, pixels), groups=groups),
        ),
        (
            "shift",
            f"share of crops with the same call when the centre is {shift} pixels off",
            lambda: bootstrap(shift_invariant(classifier, pixels, shift), groups=groups),
        ),
    ]
    table: list[Constraint] = []
    for name, meaning, measure in measures:
        if monitor.should_stop():
            break
        result = measure()
        if isinstance(result, str):
            table.append(Constraint(name, meaning, None, result))
        else:
            table.append(Constraint(name, meaning, result))
        monitor.emit(Progress(len(table), len(measures), "domain constraints"))
    return table
