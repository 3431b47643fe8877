"""Checkpoints of encoder training, from which a run resumes as if it had not been interrupted."""

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
"""Number of crops whose pixels identify the data of a training."""
CHANGEABLE = ("threads", "device", "learning_rate", "reconstruction")
"""Settings that may differ when a training resumes: where it runs, and remedies for a loss that diverged."""


def save_checkpoint(training: EncoderTraining, folder: Path) -> None:
    """Write the state of a training: weights, Adam's moments, the step and the history."""
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
    """Return the modules that are trained besides the network, by name."""
    heads = {"joint": training.joint, "shapes": training.shapes}
    return {name: head for name, head in heads.items() if head is not None}


def load_checkpoint(training: EncoderTraining, folder: Path) -> str:
    """Restore the state of a training from a checkpoint.

    Parameters
    ----------
    training : EncoderTraining
        Training to restore, with the same settings.
    folder : Path
        Folder of the checkpoint.

    Returns
    -------
    str
        A warning sentence if the crops have changed since the training began, else "".

    Raises
    ------
    InputError
        If the checkpoint was made with other settings or labels, or is damaged.
    """
    tensors, description = load_bundle(folder, "encoder checkpoint")
    settings, recorded = training.config.model_dump(mode="json"), description.get("config")
    if not isinstance(recorded, dict) or not isinstance(description.get("step"), int):
        raise InputError(
            f"The description of the checkpoint in {folder} is incomplete; train without resuming."
        )
    different = [
        name for name, value in recorded.items() if settings.get(name) != value and name not in CHANGEABLE
    ]
    if different:
        raise InputError(
            f"The checkpoint in {folder} was made with a different {different[0]}; train without resuming."
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
    """Return a sentence that says how the crops differ from those of the checkpoint, or ""."""
    before, now = description.get("crops"), len(images)
    if isinstance(before, int) and before != now:
        return f"The training began with {before:,} crops and continues with the {now:,} crops that there are now."
    if description.get("sample", "") not in ("", _sample_digest(images)):
        return "The crops have changed since the training began; it continues with the present crops."
    return ""


def _sample_digest(images: Images) -> str:
    """Return a digest of up to `SAMPLED` crops, evenly spaced in ``images``."""
    chosen = np.unique(np.linspace(0, len(images) - 1, SAMPLED).astype(np.int64))
    return hashlib.sha256(np.ascontiguousarray(images[chosen]).tobytes()).hexdigest()[:16]
