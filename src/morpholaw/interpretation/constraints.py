"""Measurement of the domain constraints of a cell classifier (paper, 4.1 and 6.5).

The prediction should depend only on the morphology of the central cell, should not be hypersensitive to small changes
of pixels, and should not depend on the orientation of the crop. As trackers do not centre cells exactly, it should not
depend on small shifts either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from morpholaw.cells.orientations import COUNT, orient
from morpholaw.evaluation.bootstrap import accuracy_interval, bootstrap
from morpholaw.evaluation.crop_scores import prepare_inputs
from morpholaw.evaluation.estimate import Estimate
from morpholaw.evaluation.fused_classifier import fuse
from morpholaw.evaluation.scoring import (
    CPU_BATCH,
    Scorer,
    as_images,
    batches,
    encode_means,
    has_latents,
    predicted_numbers,
    shared_scores,
)
from morpholaw.events import SILENT, Monitor, Progress
from morpholaw.interpretation.attack import AttackOptions, attack_curve
from morpholaw.interpretation.attack_energy import energy_inside
from morpholaw.interpretation.interventions import shifted
from morpholaw.interpretation.minimal_perturbation import minimal_perturbation


@dataclass(frozen=True)
class LabelledCrops:
    """Test crops with their classes, masks and groups.

    Attributes
    ----------
    images : ndarray or Tensor
        Crops, uint8 (n, s, s) or float32 (n, 1, s, s).
    y : ndarray
        True classes, int (n,), 0 to C - 1.
    masks : ndarray or None
        Masks of the central nucleus, bool (n, s, s), if known.
    groups : ndarray or None
        Group of each crop, e.g. its track, (n,). Confidence intervals are computed over groups.
    """

    images: np.ndarray | Tensor
    y: np.ndarray
    masks: np.ndarray | None = None
    groups: np.ndarray | None = None


EPS = 1.0
"""Magnitude of the neighbourhood attack, in latent units (paper, 6.5)."""
SHIFT = 3
"""Shift of the centre, in pixels."""
EPS_MAX = 0.5
"""Largest image perturbation tried, in units of the image's range [0, 1]."""


@dataclass(frozen=True)
class Constraint:
    """Value of one constraint for a classifier.

    Attributes
    ----------
    name : str
        Identifier.
    meaning : str
        Description of the value.
    estimate : Estimate or None
        The value with its confidence interval over cells and models; None if it could not be measured.
    reason : str
        Why it could not be measured, otherwise "".
    limit : float or None
        The largest perturbation tried, for the smallest perturbation; an infinite estimate means "more than this".
        None for shares.
    """

    name: str
    meaning: str
    estimate: Estimate | None
    reason: str = ""
    limit: float | None = None


def neighbourhood_correct(
    classifier: Scorer,
    images: np.ndarray | Tensor,
    y: np.ndarray,
    morphology: Sequence[int],
) -> np.ndarray:
    """Return whether crops are classified correctly when all latents except ``morphology`` are attacked.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    images : ndarray or Tensor
        Crops, uint8 (n, s, s) or float (n, 1, s, s).
    y : ndarray, int64 (n,)
        True classes.
    morphology : sequence of int
        Latents that are held fixed.

    Returns
    -------
    ndarray, bool (members, n)
        Whether each model classifies each crop correctly.
    """
    latents = encode_means(classifier.encoder, images)
    options = AttackOptions("latent", fixed=tuple(morphology))
    return attack_curve(classifier, latents, y, (EPS,), options).correct[:, 0]


def orientation_invariant(classifier: Scorer, images: np.ndarray | Tensor) -> np.ndarray:
    """Return whether crops have the same predicted class in all 8 orientations (D4), bool (members, n).

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    images : ndarray or Tensor
        Crops, uint8 (n, s, s) or float (n, 1, s, s).
    """
    return _same_class(classifier, images, lambda x: [orient(x, k) for k in range(COUNT)])


def shift_invariant(classifier: Scorer, images: np.ndarray | Tensor) -> np.ndarray:
    """Return whether crops keep their predicted class when shifted by `SHIFT` pixels, bool (members, n).

    They are shifted in 8 directions.

    Parameters
    ----------
    classifier : Scorer
        In evaluation mode.
    images : ndarray or Tensor
        Crops, uint8 (n, s, s) or float (n, 1, s, s).
    """
    return _same_class(classifier, images, lambda x: [x, *shifted(x, SHIFT)])


@torch.no_grad()
def _same_class(
    classifier: Scorer, images: np.ndarray | Tensor, variants: Callable[[np.ndarray], list[np.ndarray]]
) -> np.ndarray:
    """Return whether all variants of a crop, the first of which is the crop itself, have the same predicted class."""
    same = []
    classifier = fuse(classifier)
    for crops in batches(images, CPU_BATCH // COUNT):
        changed = variants(as_images(crops).cpu().numpy())
        inputs = prepare_inputs(classifier, np.concatenate(changed), "image")
        scores = shared_scores(classifier, inputs, "image")
        numbers = predicted_numbers(scores, scores.ndim == 3).reshape(len(scores), len(changed), -1)
        same.append(((numbers == numbers[:, :1]).all(dim=1) & (numbers[:, 0] >= 0)).cpu().numpy())
    return np.concatenate(same, axis=1)


def domain_constraints(
    classifier: Scorer,
    crops: LabelledCrops,
    morphology: Sequence[int] = (),
    monitor: Monitor = SILENT,
) -> list[Constraint]:
    """Measure all domain constraints, with 95 % confidence intervals over groups of cells and models.

    Parameters
    ----------
    classifier : Scorer
        The ensemble, in evaluation mode.
    crops : LabelledCrops
        At least one test crop.
    morphology : sequence of int
        Latents of the morphology of the cell, which the neighbourhood attack holds fixed.
    monitor : Monitor
        Receives progress and can cancel.

    Returns
    -------
    list of Constraint
        The constraints; fewer if the step was cancelled.
    """
    images, groups = as_images(crops.images), crops.groups

    def neighbourhood() -> Estimate | str:
        if not has_latents(classifier):
            return "it applies only to classifiers that read latents"
        if not morphology:
            return "no latents of morphology are known"
        correct = neighbourhood_correct(classifier, images, crops.y, morphology)
        return accuracy_interval(correct, groups)

    def inside() -> Estimate | str:
        if crops.masks is None:
            return "no nucleus masks are given"
        return bootstrap(energy_inside(classifier, images, crops.masks), np.nanmean, groups)

    def smallest() -> Estimate:
        eps = minimal_perturbation(classifier, images, eps_max=EPS_MAX)
        return bootstrap(eps, np.nanmedian, groups)

    measures: list[tuple[str, str, Callable[[], Estimate | str]]] = [
        (
            "neighbourhood",
            f"accuracy under neighbourhood attack, ε = {EPS:g}",
            neighbourhood,
        ),
        ("inside", "share of the image gradient's energy inside the nucleus", inside),
        (
            "smallest perturbation",
            "median smallest image perturbation that changes the predicted class",
            smallest,
        ),
        (
            "orientation",
            "share of crops with the same predicted class in all 8 orientations",
            lambda: accuracy_interval(orientation_invariant(classifier, images), groups),
        ),
        (
            "shift",
            f"share of crops with the same predicted class when the centre is shifted by {SHIFT} pixels",
            lambda: accuracy_interval(shift_invariant(classifier, images), groups),
        ),
    ]
    table: list[Constraint] = []
    for name, meaning, measure in measures:
        if monitor.should_stop():
            break
        result = measure()
        limit = EPS_MAX if name == "smallest perturbation" else None
        if isinstance(result, str):
            table.append(Constraint(name, meaning, None, result, limit))
        else:
            table.append(Constraint(name, meaning, result, limit=limit))
        monitor.emit(Progress(len(table), len(measures), "domain constraints"))
    return table
