"""The state of an encoder's training on disk: a run that is resumed ends like one that was not interrupted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from morpholaw.errors import InputError
from morpholaw.models.bundle import load_bundle, load_weights, save_bundle
from morpholaw.training.adam import adam_tensors, load_adam
from morpholaw.training.encoder_training import EncoderTraining
from morpholaw.training.encoding import Images

SAMPLED = 64
"""Crops whose pixels tell whether a resumed training continues with the data that it began with."""
CHANGEABLE = ("threads", "device", "learning_rate", "reconstruction")
"""Settings that a resumed training may change: where it runs, and what helps against a loss that diverged."""


def save_checkpoint(training: EncoderTraining, folder: Path) -> None:
    """Write everything that resuming needs: weights, Adam's moments, the step and the history."""
    tensors = {f"model.{name}": tensor for name, tensor in training.model.state_dict().items()}
    for name, head in _heads(training).items():
        tensors |= {f"{name}.{part}": tensor for part, tensor in head.state_dict().items()}
    tensors |= adam_tensors(training.optimiser)
    description = {
        "kind": "encoder checkpoint",
        "step": training.step,
        "config": training.config.model_dump(mode="json"),
        "history": training.history,
        "crops": len(training.images),
        "sample": _sample_digest(training.images),
    }
    if training.joint is not None:
        description["labels"] = training.joint.labels.fingerprint
    save_bundle(folder, tensors, description)


def _heads(training: EncoderTraining) -> dict[str, nn.Module]:
    """Return what is learnt beside the network, by name."""
    heads = {"joint": training.joint, "shapes": training.shapes}
    return {name: head for name, head in heads.items() if head is not None}


def load_checkpoint(training: EncoderTraining, folder: Path) -> str:
    """Continue from a checkpoint.

    Returns
    -------
    str
        One sentence if the crops are not those that the training began with, else "".

    Raises
    ------
    InputError
        If it was made with other settings or labels, or is damaged.
    """
    tensors, description = load_bundle(folder, "encoder checkpoint")
    settings, recorded = training.config.model_dump(mode="json"), description.get("config")
    if not isinstance(recorded, dict) or not isinstance(description.get("step"), int):
        raise InputError(f"The checkpoint in {folder} is not described in full; train without resuming.")
    different = [
        name for name, value in recorded.items() if settings.get(name) != value and name not in CHANGEABLE
    ]
    if different:
        raise InputError(
            f"The checkpoint in {folder} was made with another {different[0]}; train without resuming."
        )
    if training.joint is not None and description.get("labels") != training.joint.labels.fingerprint:
        raise InputError(
            f"The labels have changed since the checkpoint in {folder} was made; train without resuming."
        )
    weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    load_weights(training.model, weights, folder)
    for name, head in _heads(training).items():
        parts = {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}
        load_weights(head, parts, folder)
    load_adam(training.optimiser, tensors)
    training.step = description["step"]
    training.history = {name: list(values) for name, values in description.get("history", {}).items()}
    return _changed_crops(training.images, description)


def _changed_crops(images: Images, description: dict[str, Any]) -> str:
    """Return how the crops differ from those that the checkpoint was made with, "" if they do not."""
    before, now = description.get("crops"), len(images)
    if isinstance(before, int) and before != now:
        return f"The training began with {before:,} crops and continues with the {now:,} crops of today."
    if description.get("sample", "") not in ("", _sample_digest(images)):
        return "The crops have changed since the training began; it continues with the crops of today."
    return ""


def _sample_digest(images: Images) -> str:
    """Return a digest of up to `SAMPLED` crops, spread evenly over ``images``."""
    chosen = np.unique(np.linspace(0, len(images) - 1, SAMPLED).astype(np.int64))
    return hashlib.sha256(np.ascontiguousarray(images[chosen]).tobytes()).hexdigest()[:16]
