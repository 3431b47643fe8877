"""The encoder of a study: train it, open it, and the latents of every crop."""

from __future__ import annotations

import hashlib
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import atomic_file
from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.models.bundle import build, few, load_bundle, remove_bundle, save_bundle
from morpholaw.models.vae import BetaTCVAE
from morpholaw.sample import sample_folder
from morpholaw.store.labelled_cells import labels_seen
from morpholaw.store.study_folder import StudyFolder, provenance
from morpholaw.study.encoder_labels import inherited, task_labels
from morpholaw.training.distributed import is_main_process
from morpholaw.training.encoder import encode, train_encoder

SMALL = 50_000
"""Crops below which a training starts from the shipped encoder, unless told otherwise."""

IN_MEMORY = 150_000
"""Crops up to which training reads them from memory (600 MB) instead of from the memory map."""


def train(
    folder: StudyFolder,
    config: EncoderConfig,
    resume: bool = False,
    monitor: Monitor = SILENT,
) -> dict[str, Any]:
    """Train the study's beta-TCVAE on all its crops; returns the saved description."""
    crops = folder.crops
    data = crops[:] if len(crops) <= IN_MEMORY else crops
    start, source = _start(config, crops.size, len(crops), monitor)
    seen = labels_seen(source) if source is not None else None
    labels, task = task_labels(folder, config, seen) if config.task else (None, inherited(seen))
    checkpoint = folder.path / "encoder" / "checkpoint"
    if not resume and is_main_process():
        remove_bundle(checkpoint)
    model, history = train_encoder(
        data,
        config,
        start=start,
        labels=labels,
        checkpoint=checkpoint,
        resume=resume,
        monitor=monitor,
    )
    description = {
        "kind": "encoder",
        "settings": model.settings(),
        "history": history,
        "complete": not monitor.should_stop(),
        "crops": len(crops),
        **({"task": task} if task else {}),
        **provenance(config, data_fingerprint(folder)),
    }
    if not is_main_process():  # of several processes that trained it together, one writes
        return description
    save_bundle(folder.path / "encoder", model.state_dict(), description)
    shutil.rmtree(folder.path / "latents", ignore_errors=True)
    if monitor.should_stop():
        monitor.emit(Message("Stopped: the encoder as it is now was kept, and training can be resumed."))
    else:
        remove_bundle(checkpoint)
    return description


def load(path: Path) -> tuple[BetaTCVAE, dict[str, Any]]:
    """An encoder's bundle as a network in evaluation mode, and its description."""
    tensors, description = load_bundle(path, "encoder")
    return build(lambda: _described(description, tensors), tensors, path), description


def own(folder: StudyFolder) -> tuple[BetaTCVAE, dict[str, Any]]:
    """The study's encoder and its description; InputError where there is none yet."""
    if not (folder.path / "encoder" / "model.json").exists():
        raise InputError(f"The study {folder.path} has no encoder yet; train or load one first.")
    return load(folder.path / "encoder")


def _described(description: dict[str, Any], tensors: dict[str, Tensor]) -> BetaTCVAE:
    settings = description["settings"]
    return BetaTCVAE.from_settings({**settings, "filters": few(settings["filters"], tensors)})


def adopt(folder: StudyFolder, source: Path) -> None:
    """Copy a trained encoder into the study, e.g. somebody else's or the shipped one."""
    model, description = load(source)
    if folder.sets and model.size != folder.crops.size:
        raise InputError(
            f"The encoder in {source} reads crops of {model.size} pixels; the study's have {folder.crops.size}."
        )
    kept = {key: value for key, value in description.items() if key not in ("schema", "weights", "sha256")}
    save_bundle(folder.path / "encoder", model.state_dict(), kept)
    shutil.rmtree(folder.path / "latents", ignore_errors=True)


def latents(folder: StudyFolder, monitor: Monitor = SILENT) -> tuple[np.ndarray, np.ndarray]:
    """Means and log-variances of all the study's crops, each float32 (n, latents); computed once."""
    model, description = load(folder.path / "encoder")
    parts = [_of_set(folder, crop_set, model, description["sha256"], monitor) for crop_set in folder.sets]
    means, log_variances = zip(*parts, strict=True)
    return np.concatenate(means), np.concatenate(log_variances)


def _of_set(
    folder: StudyFolder,
    crop_set: CropSet,
    model: BetaTCVAE,
    digest: str,
    monitor: Monitor,
) -> tuple[np.ndarray, np.ndarray]:
    path = folder.path / "latents" / crop_set.name / f"{digest[:16]}.npy"
    if (both := _cached(path)) is not None and both.shape == (2, len(crop_set), model.latents):
        return both[0], both[1]
    means, log_variances = encode(model, crop_set.images, monitor=monitor)
    if len(means) == len(crop_set):
        # A cache: a full disk or a study that may only be read costs time and no result.
        with suppress(OSError), atomic_file(path) as stream:
            np.save(stream, np.stack([means, log_variances]), allow_pickle=False)
    return means, log_variances


def _cached(path: Path) -> np.ndarray | None:
    """What was kept at ``path``; None where there is nothing, or nothing that can be read."""
    try:
        both = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # whatever numpy says of a damaged file: it is only a cache
        return None
    return both if isinstance(both, np.ndarray) and both.dtype == np.float32 else None


def data_fingerprint(folder: StudyFolder) -> str:
    """Names the study's crops: set names, sizes and the fingerprints of what they were made from."""
    text = repr([_identity(crop_set) for crop_set in folder.sets])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _identity(crop_set: CropSet) -> tuple[str, int, list[dict[str, str]], dict[str, float | str] | None]:
    scale = crop_set.normalisation
    sources = [source.model_dump() for source in crop_set.record.sources]
    return crop_set.name, len(crop_set), sources, None if scale is None else scale.to_json()


def _start(
    config: EncoderConfig, size: int, crops: int, monitor: Monitor
) -> tuple[BetaTCVAE | None, Path | None]:
    """The network that training starts from and its folder; None for a fresh one."""
    name = config.start_from
    shape = (config.latents, tuple(config.filters), config.hidden, size, config.texture > 0)
    if name == "none":
        return None, None
    if name == "auto":
        source = sample_folder() / "encoder"
        try:
            model, _ = load(source)
        except InputError:
            return None, None
        if crops >= SMALL or _shape(model) != shape:
            return None, None
        monitor.emit(Message("Starting from the shipped encoder, which was trained on simulated cells."))
        return model.train().requires_grad_(True), source
    source = sample_folder() / "encoder" if name == "sample" else Path(name)
    model, _ = load(source)
    if _shape(model) != shape:
        raise InputError(
            f"The encoder {name!r} has another shape than these settings; expected {config.latents} latents, "
            f"filters {tuple(config.filters)}, {config.hidden} hidden units, crops of {size} pixels and a "
            f"decoder {'with' if config.texture else 'without'} texture."
        )
    return model.train().requires_grad_(True), source


def _shape(model: BetaTCVAE) -> tuple[int, tuple[int, ...], int, int, bool]:
    return model.latents, model.filters, model.hidden, model.size, model.texture
