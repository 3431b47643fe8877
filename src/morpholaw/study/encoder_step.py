"""Training of a study's encoder, or import of one that was trained elsewhere (paper, 5.1)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from morpholaw.config import EncoderConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.models.bundle import remove_bundle
from morpholaw.models.vae import BetaTCVAE
from morpholaw.sample import sample_folder
from morpholaw.store import encoders
from morpholaw.store.bundle_record import EncoderLayout
from morpholaw.store.changes import provenance
from morpholaw.store.encoder_record import EncoderRecord
from morpholaw.store.labelled_cells import LabelsSeen
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.encoder_crops import inherited, learnt_crops, task_labels
from morpholaw.study.scale import crop_scale, scale_of
from morpholaw.training.distributed import is_main_process
from morpholaw.training.encoder import train_encoder

SMALL = 50_000
"""With fewer crops than this, training starts from the shipped encoder by default."""


def train(
    folder: StudyFolder,
    config: EncoderConfig,
    resume: bool = False,
    monitor: Monitor = SILENT,
) -> EncoderRecord:
    """Train the beta-TCVAE on the crops of the study, without those of test groups, and store it."""
    crops = folder.crops
    start, source = _start(config, crops.size, len(crops), monitor)
    if source is not None:
        _compare_scales(folder, source, monitor)
    seen = None if source is None else LabelsSeen.of(EncoderRecord.read(source))
    labels, task = task_labels(folder, config, seen) if config.task else (None, inherited(seen))
    learnt = learnt_crops(folder, config, task)
    if learnt.test_split:
        monitor.tell(
            f"{len(crops) - len(learnt.kept):,} of {len(crops):,} crops are left out, because they belong to the "
            "test groups of classifiers."
        )
    if labels is not None:
        labels = replace(labels, crops=np.searchsorted(learnt.kept, labels.crops))
    checkpoint = folder.path / "encoder" / "checkpoint"
    if not resume and is_main_process():
        remove_bundle(checkpoint)
    model, history = train_encoder(
        learnt.images(folder),
        config,
        start=start,
        labels=labels,
        checkpoint=checkpoint,
        resume=resume,
        monitor=monitor,
    )
    record = EncoderRecord(
        settings=EncoderLayout.model_validate(model.settings()),
        config=config,
        history={name: tuple(values) for name, values in history.items()},
        complete=not monitor.should_stop(),
        crops=len(learnt.kept),
        test_split=learnt.test_split,
        task=task,
        pixel_size=None if (scale := crop_scale(folder)) is None else scale.pixel_size,
        provenance=provenance(folder),
    )
    if not is_main_process():  # only one of several processes writes the encoder
        return record
    record = encoders.save(folder, model, record)
    if monitor.should_stop():
        monitor.tell("Stopped. The encoder trained so far was kept, and training can be resumed.")
    else:
        remove_bundle(checkpoint)
    return record


def adopt(folder: StudyFolder, source: Path, monitor: Monitor = SILENT) -> None:
    """Copy a trained encoder into the study, e.g. the shipped one, and warn if the scale of the crops is unknown."""
    model = encoders.load(source)
    if folder.sets and model.size != folder.crops.size:
        raise InputError(
            f"The encoder in {source} needs crops of {model.size} pixels; those of the study have {folder.crops.size}."
        )
    record = EncoderRecord.read(source)
    scale, crops = scale_of(record, f"the encoder in {source}"), crop_scale(folder)
    if scale is not None and folder.sets:
        owner = f"the crops of {folder.path}"
        scale.check(None if crops is None else crops.pixel_size, owner, monitor)
    encoders.save(folder, model, record)


def _compare_scales(folder: StudyFolder, source: Path, monitor: Monitor) -> None:
    """Warn if the initial encoder was trained on crops of another scale."""
    scale, crops = scale_of(EncoderRecord.read(source), ""), crop_scale(folder)
    if scale is not None and crops is not None and not scale.agrees(crops.pixel_size):
        sentence = (
            f"The initial encoder was trained at {scale.pixel_size:.4g} µm per pixel, but the crops have "
            f"{crops.pixel_size:.4g}, so their cells differ in size from those that it was trained on. Cut the crops "
            f"again and resample them to {scale.pixel_size:.4g} µm per pixel (model_pixel_size), or start from no "
            "encoder (start_from: none)."
        )
        monitor.warn(sentence)


def _start(
    config: EncoderConfig, size: int, crops: int, monitor: Monitor
) -> tuple[BetaTCVAE | None, Path | None]:
    """Return the initial network and its folder; None for random weights."""
    name = config.start_from
    shape = (config.latents, tuple(config.filters), config.hidden, size, config.texture > 0)
    if name == "none":
        return None, None
    if name == "auto":
        source = sample_folder() / "encoder"
        try:
            model = encoders.load(source)
        except InputError:
            return None, None
        if crops >= SMALL or _shape(model) != shape:
            return None, None
        monitor.tell("Starting from the shipped encoder, which was trained on simulated cells.")
        return model.train().requires_grad_(True), source
    source = sample_folder() / "encoder" if name == "sample" else Path(name)
    model = encoders.load(source)
    if _shape(model) != shape:
        raise InputError(
            f"The encoder {name!r} does not match the settings; expected {config.latents} latents, filters "
            f"{tuple(config.filters)}, {config.hidden} hidden units, crops of {size} pixels and a decoder "
            f"{'with' if config.texture else 'without'} texture."
        )
    return model.train().requires_grad_(True), source


def _shape(model: BetaTCVAE) -> tuple[int, tuple[int, ...], int, int, bool]:
    return model.latents, model.filters, model.hidden, model.size, model.texture
