"""Scores of an ensemble of classifiers, each member on its own inputs.

A probe moves every crop differently for every member of an ensemble. These functions hide whether the
members share an encoder (schemes 2-4) or own one each (scheme 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from morpholaw.errors import InputError

Space = Literal["image", "latent"]
EVALUATIONS = (
    128  # images in one pass: measured fastest on processors, where their activations stay in the cache
)
ON_ACCELERATOR = 4096  # images in one pass on a GPU
LATENT_EVALUATIONS = 65_536  # heads and laws are cheap


@runtime_checkable
class Encoder(Protocol):
    """A beta-TCVAE as the probes see it."""

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (n, latents), of images (n, 1, s, s)."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """Images (n, 1, s, s) of latents (n, latents)."""
        ...


class Scorer(Protocol):
    """An ensemble of classifiers as the probes see it: `morpholaw.models.classifier.Classifier`."""

    scheme: int
    encoder: Any

    @property
    def members(self) -> int:
        """Models in the ensemble."""
        ...

    def score_images(self, x: Tensor) -> Tensor:
        """Scores (members, n) of images (n, 1, s, s), or of each member's own (members, n, 1, s, s)."""
        ...

    def score_latents(self, z: Tensor) -> Tensor:
        """Scores (members, n) of latents (n, latents), or of each member's own (members, n, latents)."""
        ...


def has_latents(classifier: Scorer) -> bool:
    """Whether the classifier's members read the latents of one shared encoder (schemes 2-4)."""
    return classifier.scheme != 1 and isinstance(classifier.encoder, Encoder)


def check_space(classifier: Scorer, space: Space) -> None:
    """Raise `InputError` where the classifier has no such space."""
    if space not in ("image", "latent"):
        raise InputError(f"The attacked space is {space!r}; expected 'image' or 'latent'.")
    if space == "latent" and not has_latents(classifier):
        raise InputError(
            "Scheme 1 has no latent space to attack; choose image space, or a classifier of scheme 2, 3 or 4."
        )


def device_of(*modules: Any) -> torch.device:
    """The device of the first parameter or buffer among ``modules``; the processor where there is none."""
    for module in modules:
        if isinstance(module, torch.nn.Module):
            for tensor in (*module.parameters(), *module.buffers()):
                return tensor.device
    return torch.device("cpu")


def as_images(images: np.ndarray | Tensor) -> Tensor:
    """Crops as the networks take them.

    Parameters
    ----------
    images
        uint8 (n, s, s), as crop sets store them, or floating point (n, s, s) or (n, 1, s, s).

    Returns
    -------
    Tensor
        float32 (n, 1, s, s); bytes are divided by 255.

    Raises
    ------
    InputError
        The array has another number of axes.
    """
    tensor = torch.as_tensor(np.ascontiguousarray(images) if isinstance(images, np.ndarray) else images)
    if tensor.ndim == 3:
        tensor = tensor[:, None]
    if tensor.ndim != 4 or tensor.shape[1] != 1:
        raise InputError(
            f"Crops have the shape {tuple(tensor.shape)}; expected (n, s, s) or (n, 1, s, s), one channel."
        )
    return tensor.float() / 255 if tensor.dtype == torch.uint8 else tensor.float()


def crops_per_pass(classifier: Scorer, space: Space, evaluations: int | None = None) -> int:
    """Crops that all members take in one pass of ``evaluations`` network evaluations; chosen where None."""
    if evaluations is None:
        on_processor = device_of(classifier.encoder, classifier).type == "cpu"
        in_cache = getattr(classifier, "evaluations", EVALUATIONS)
        evaluations = (
            LATENT_EVALUATIONS if space == "latent" else in_cache if on_processor else ON_ACCELERATOR
        )
    return max(1, evaluations // classifier.members)


def encode_means(encoder: Encoder, images: np.ndarray | Tensor, batch: int = EVALUATIONS) -> Tensor:
    """Latent means, float32 (n, latents), of crops, a batch at a time and without gradients."""
    device = device_of(encoder)
    with torch.no_grad():
        parts = [encoder.encode(as_images(part).to(device))[0] for part in batches(images, batch)]
    if not parts:
        raise InputError("There are no crops to encode; expected at least one.")
    return torch.cat(parts)


def batches(inputs: Any, size: int) -> Iterator[Any]:
    """Consecutive slices of at most ``size`` rows."""
    for start in range(0, len(inputs), size):
        yield inputs[start : start + size]


def shared_scores(classifier: Scorer, inputs: Tensor, space: Space) -> Tensor:
    """Scores (members, n) of inputs that all members share: images (n, 1, s, s) or latents (n, latents)."""
    if space == "latent":
        return classifier.score_latents(inputs)
    if has_latents(classifier):
        return classifier.score_latents(classifier.encoder.encode(inputs)[0])
    return classifier.score_images(inputs)


def member_scores(classifier: Scorer, inputs: Tensor, space: Space) -> Tensor:
    """Scores (members, n) where member k scores ``inputs[k]``.

    Parameters
    ----------
    inputs
        (members, n, 1, s, s) in image space, (members, n, latents) in latent space.
    """
    if space == "latent":
        return classifier.score_latents(inputs)
    if not has_latents(classifier):
        return classifier.score_images(inputs)
    means = classifier.encoder.encode(inputs.flatten(0, 1))[0]
    return classifier.score_latents(means.unflatten(0, inputs.shape[:2]))


def calls(scores: Tensor) -> Tensor:
    """Classes by eq. 2: +1 where f(x) >= 0, -1 where f(x) < 0, and 0 where f(x) is not a number."""
    return (scores >= 0).to(scores.dtype) - (scores < 0).to(scores.dtype)
