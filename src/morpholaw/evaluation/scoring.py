"""Scores of an ensemble of classifiers, on the same inputs for all members or on different ones.

An attack perturbs every crop differently for each member. These functions work for members that share an encoder
(schemes 2 to 4) and for members with separate networks (scheme 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError
from morpholaw.models.classes import NO_CLASS
from morpholaw.models.classifier import NO_LATENTS, Classifier
from morpholaw.models.features import FeatureTable, latent_names

Space = Literal["image", "latent"]
CPU_BATCH = 128
"""Number of images per batch on a CPU, the fastest measured, as activations stay in the cache."""
GPU_BATCH = 4096
"""Number of images per batch on a GPU."""
LATENT_BATCH = 65_536
"""Number of latent vectors per batch, which is large because heads and laws are cheap."""


@runtime_checkable
class Encoder(Protocol):
    """Interface of a beta-TCVAE for scoring and interpretation."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance, each (n, latents), of images (n, 1, s, s)."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """Return the images (n, 1, s, s) of latents (n, latents)."""
        ...


class Scorer(Protocol):
    """Interface of an ensemble for scoring and interpretation, e.g. `morpholaw.models.classifier.Classifier`."""

    scheme: int
    encoder: Any

    @property
    def members(self) -> int:
        """The number of models in the ensemble."""
        ...

    def score_images(self, x: Tensor) -> Tensor:
        """Return scores (members, n) of images (n, 1, s, s), or (members, n, 1, s, s) if they differ by member."""
        ...

    def score_latents(self, z: Tensor) -> Tensor:
        """Return scores (members, n) of latents (n, latents), or (members, n, latents) if they differ by member."""
        ...


def has_latents(classifier: Scorer) -> bool:
    """Return whether the members of a classifier read only the latents of a shared encoder (schemes 2 to 4)."""
    return (
        classifier.scheme != 1
        and isinstance(classifier.encoder, Encoder)
        and getattr(classifier, "inputs", "latents") == "latents"
    )


def check_space(classifier: Scorer, space: Space) -> None:
    """Raise an `InputError` if a space does not exist in a classifier."""
    if space not in ("image", "latent"):
        raise InputError(f"The attacked space is {space!r}; expected 'image' or 'latent'.")
    if space == "latent" and not has_latents(classifier):
        if classifier.scheme != 1:
            raise InputError(NO_LATENTS)
        raise InputError(
            "Scheme 1 has no latent space; choose image space, or a classifier of scheme 2, 3 or 4."
        )


def device_of(*modules: Any) -> torch.device:
    """Return the device of the first parameter or buffer of ``modules``, or the CPU if there is none."""
    for module in modules:
        if isinstance(module, torch.nn.Module):
            for tensor in (*module.parameters(), *module.buffers()):
                return tensor.device
    return torch.device("cpu")


def as_images(images: np.ndarray | Tensor) -> Tensor:
    """Convert crops to the input images of networks.

    Parameters
    ----------
    images : ndarray or Tensor
        Crops, uint8 (n, s, s), as in crop sets, or floating point (n, s, s) or (n, 1, s, s).

    Returns
    -------
    Tensor
        Images, float32 (n, 1, s, s). Bytes are divided by 255.

    Raises
    ------
    InputError
        If the number of axes is wrong.
    """
    tensor = torch.as_tensor(np.ascontiguousarray(images) if isinstance(images, np.ndarray) else images)
    if tensor.ndim == 3:
        tensor = tensor[:, None]
    if tensor.ndim != 4 or tensor.shape[1] != 1:
        raise InputError(
            f"Crops have the shape {tuple(tensor.shape)}; expected (n, s, s) or (n, 1, s, s), one channel."
        )
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor.float()


def crops_per_batch(classifier: Scorer, space: Space, batch: int | None = None) -> int:
    """Return the number of crops in a batch of ``batch`` inputs over all members.

    The default of ``batch`` depends on the space and the device.
    """
    if batch is None:
        if space == "latent":
            batch = LATENT_BATCH
        elif device_of(classifier.encoder, classifier).type == "cpu":
            batch = int(getattr(classifier, "batch", CPU_BATCH))
        else:
            batch = GPU_BATCH
    return max(1, batch // classifier.members)


def encode_means(encoder: Encoder, images: np.ndarray | Tensor) -> Tensor:
    """Return the latent means of crops, float32 (n, latents), computed in batches and without gradients."""
    device = device_of(encoder)
    with torch.no_grad():
        parts = [encoder.encode(as_images(part).to(device))[0] for part in batches(images, CPU_BATCH)]
    if not parts:
        raise InputError("There are no crops to encode; expected at least one.")
    return torch.cat(parts)


def batches(inputs: Any, size: int) -> Iterator[Any]:
    """Iterate over consecutive slices of at most ``size`` rows."""
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size]


def shared_scores(classifier: Scorer, inputs: Tensor, space: Space) -> Tensor:
    """Return scores (members, n) of inputs that all members share: images (n, 1, s, s) or latents (n, latents)."""
    if space == "latent":
        return classifier.score_latents(inputs)
    if has_latents(classifier):
        return classifier.score_latents(classifier.encoder.encode(inputs)[0])
    return classifier.score_images(inputs)


def member_scores(classifier: Scorer, inputs: Tensor, space: Space) -> Tensor:
    """Return scores (members, n), where member k scores ``inputs[k]``.

    Parameters
    ----------
    classifier : Scorer
        The classifier.
    inputs : Tensor
        Images (members, n, 1, s, s) or latents (members, n, latents).
    space : {"image", "latent"}
        Whether ``inputs`` are images or latents.
    """
    if space == "latent":
        return classifier.score_latents(inputs)
    if not has_latents(classifier):
        return classifier.score_images(inputs)
    means = classifier.encoder.encode(inputs.flatten(0, 1))[0]
    return classifier.score_latents(means.unflatten(0, inputs.shape[:2]))


def predicted_signs(scores: Tensor) -> Tensor:
    """Return predicted classes (eq. 2): +1 where f(x) >= 0, -1 where f(x) < 0, 0 where f(x) is NaN."""
    return (scores >= 0).to(scores.dtype) - (scores < 0).to(scores.dtype)


def predicted_numbers(scores: Tensor, by_class: bool) -> Tensor:
    """Return predicted classes, int64, from 0 to C - 1, or `NO_CLASS` if no score is finite.

    Parameters
    ----------
    scores : Tensor
        Scores f(x) of any shape for two classes, f_c(x) of shape (..., C) for more.
    by_class : bool
        Whether the last axis is that of the classes.
    """
    if not by_class:
        numbers = (scores >= 0).long()
        return torch.where(torch.isnan(scores), NO_CLASS, numbers)
    defined = torch.isfinite(scores)
    best = torch.where(defined, scores, -torch.inf).argmax(dim=-1)
    return torch.where(defined.any(dim=-1), best, NO_CLASS)


def measured_columns(classifier: Classifier, crops: np.ndarray) -> FeatureTable:
    """Return the inputs of a classifier for crops, uint8 (n, s, s): latents, and shapes in units."""
    columns, means = classifier.columns, None
    if classifier.encoder is not None and (columns is None or columns.latents):
        means = encode_means(classifier.encoder, crops).cpu().numpy()
    if columns is not None:
        return columns.table(means, columns.measure(crops))
    if means is None:
        raise InputError("Scheme 1 reads pixels and has no named inputs.")
    return FeatureTable(means, latent_names(means.shape[1]))
