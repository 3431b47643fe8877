"""The state of an encoder's training on disk, and back: a run that is resumed ends like one that was not."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError
from morpholaw.models.bundle import load_bundle, load_weights, save_bundle
from morpholaw.training.adam_state import adam_tensors, load_adam

if TYPE_CHECKING:
    from morpholaw.training.encoder_training import EncoderTraining
    from morpholaw.training.encoding import Images

SAMPLED = 64
"""Crops whose pixels tell whether a resumed training goes on with the data that it began with."""
FREE = ("threads", "device", "learning_rate", "reconstruction")
"""Settings that a resumed training may change: where it runs, and what a loss that ran away asks for."""


def save_checkpoint(training: EncoderTraining, folder: Path) -> None:
    """Write everything that resuming needs: weights, Adam's moments and the step."""
    tensors = {f"model.{name}": tensor for name, tensor in training.model.state_dict().items()}
    if training.task is not None:
        tensors |= {f"task.{name}": tensor for name, tensor in training.task.state_dict().items()}
    tensors |= adam_tensors(training.optimiser)
    description = {
        "kind": "encoder checkpoint",
        "step": training.step,
        "config": training.config.model_dump(mode="json"),
        "history": training.history,
        "crops": len(training.images),
        "sample": _sample_digest(training.images),
    }
    if training.task is not None:
        description["labels"] = training.task.labels.fingerprint
    save_bundle(folder, tensors, description)


def load_checkpoint(training: EncoderTraining, folder: Path) -> str:
    """Load the state of a stopped training; InputError where its settings differ from this training's.

    Returns
    -------
    str
        One sentence where the crops are not those that the training began with, else "".
    """
    tensors, description = load_bundle(folder, "encoder checkpoint")
    mine, made = training.config.model_dump(mode="json"), description.get("config")
    if not isinstance(made, dict) or not isinstance(description.get("step"), int):
        raise InputError(f"The checkpoint in {folder} is not described in full; train without resuming.")
    different = [name for name, value in made.items() if mine.get(name) != value]
    different = [name for name in different if name not in FREE]
    if different:
        raise InputError(
            f"The checkpoint in {folder} was made with another {different[0]}; train without resuming."
        )
    if training.task is not None and description.get("labels") != training.task.labels.fingerprint:
        raise InputError(
            f"The labels have changed since the checkpoint in {folder} was made; train without resuming."
        )
    weights = {name.removeprefix("model."): t for name, t in tensors.items() if name.startswith("model.")}
    load_weights(training.model, weights, folder)
    if training.task is not None:
        head = {name.removeprefix("task."): t for name, t in tensors.items() if name.startswith("task.")}
        load_weights(training.task, head, folder)
    load_adam(training.optimiser, tensors)
    training.step = description["step"]
    training.history = {name: list(values) for name, values in description.get("history", {}).items()}
    return _changed_crops(training.images, description)


def _changed_crops(images: Images, description: dict[str, Any]) -> str:
    """Say how the crops differ from those that the checkpoint was made with; "" where they do not."""
    before, now = description.get("crops"), len(images)
    if isinstance(before, int) and before != now:
        return f"The training began with {before:,} crops and goes on with the {now:,} crops of today."
    if description.get("sample", "") not in ("", _sample_digest(images)):
        return "The crops have changed since the training began; it goes on with the crops of today."
    return ""


def _sample_digest(images: Images) -> str:
    """Digest of up to SAMPLED crops that are spread evenly over ``images``."""
    chosen = np.unique(np.linspace(0, len(images) - 1, SAMPLED).astype(np.int64))
    return hashlib.sha256(np.ascontiguousarray(images[chosen]).tobytes()).hexdigest()[:16]
