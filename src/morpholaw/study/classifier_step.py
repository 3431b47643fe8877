"""Training of schemes 1 to 3, with evaluation on held-out groups (paper, 6.2)."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from morpholaw.cells.files import fingerprint
from morpholaw.cells.splits import grouped_split
from morpholaw.config import ClassifierConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.models.classifier import Classifier
from morpholaw.store import encoders
from morpholaw.store.classifier_record import STARTS, ClassifierRecord, Start, name_of
from morpholaw.store.classifiers import after_stop, check_replaceable
from morpholaw.store.guessing import tell_guessing
from morpholaw.store.labelled_cells import Labelled, chosen_classes, labelled_cells
from morpholaw.store.latent_sample import readable_latents
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.checkpoint import Checkpoint
from morpholaw.study.cnn_start import starting_encoder, starts_from_study
from morpholaw.study.column_rows import measure_training_cells
from morpholaw.study.evaluation_step import keep
from morpholaw.study.latent_rows import repeated, training_latents, training_posteriors
from morpholaw.training.checkpointing import Checkpointing
from morpholaw.training.cnn import train_cnn
from morpholaw.training.encoder import encode
from morpholaw.training.heads import train_heads
from morpholaw.training.rigl import METHODS, RigL

State = Checkpointing[dict[str, Tensor]]
HELD_OUT_SHARE = 0.15
"""Share of the training cells that determines when the training of scheme 1 ends."""


def train(
    folder: StudyFolder,
    scheme: int,
    config: ClassifierConfig,
    monitor: Monitor = SILENT,
    replace: bool = False,
    name: str | None = None,
    cells: Labelled | None = None,
) -> ClassifierRecord | None:
    """Train ``config.models`` models of scheme 1, 2 or 3 and store them; return None if the training was cancelled.

    They are stored under ``name``, which defaults to that of the scheme. ``cells`` is the split, by default that of
    the settings.
    """
    if scheme not in (1, 2, 3):
        raise InputError(f"There is no scheme {scheme} to train here; expected 1, 2 or 3.")
    config = config.model_copy(update={"classes": chosen_classes(folder, config.classes)})
    name = name or name_of(scheme)
    check_replaceable(folder, name, config.classes, replace)
    if scheme == 3 and (tuned := folder.tuned) is not None:
        settings = {k: value for k, value in tuned.settings.items() if k not in config.model_fields_set}
        config = config.model_copy(update=settings)
    config = config.for_scheme(scheme)
    cells = labelled_cells(folder, config) if cells is None else cells
    checkpoint = _checkpoint(folder, scheme, cells, config, name)
    state = checkpoint.read()
    if state is not None:
        monitor.tell(f"Continuing from the checkpoint of scheme {scheme}.")
    checkpointing = State(checkpoint.write, None if state is None else state[0])
    started_from: Start = ""
    if scheme == 1:
        classifier, started_from = _with_cnn(folder, cells, config, checkpointing, monitor)
    else:
        classifier = _with_head(folder, cells, config, scheme == 3, checkpointing, monitor)
    if monitor.should_stop():
        kept = after_stop(folder, name)
        monitor.tell(f"Stopped; {kept}. Training it again with the same settings continues from here.")
        return None
    record = keep(folder, classifier, name, cells, config, started_from=started_from)
    checkpoint.remove()
    tell_guessing(record, monitor)
    return record


def _with_cnn(
    folder: StudyFolder, cells: Labelled, config: ClassifierConfig, checkpointing: State, monitor: Monitor
) -> tuple[Classifier, Start]:
    """Train scheme 1; also return whose encoder the CNNs were initialised with."""
    fitted, held_out = _held_out_groups(folder, cells, config)
    epoch = fitted[repeated(len(fitted), config.epoch_cells)]
    start = starting_encoder(folder, config)
    started_from: Start = ""
    if start is not None:
        started_from = "study" if folder.has_encoder else "shipped"
        monitor.tell(f"The CNNs are initialised with the weights of {STARTS[started_from]}.")
    cnn, head = train_cnn(
        folder.crops[cells.train[epoch]],
        cells.train_targets[epoch],
        config,
        start=start,
        held_out=(folder.crops[cells.train[held_out]], cells.train_targets[held_out])
        if len(held_out)
        else None,
        checkpointing=checkpointing,
        monitor=monitor,
    )
    return Classifier.dense_cnn(cnn, head, cells.classes), started_from


def _held_out_groups(
    folder: StudyFolder, cells: Labelled, config: ClassifierConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Split the training cells by group into those to learn from and those that determine when to stop.

    Returns
    -------
    tuple of ndarray, int64
        Indices into the training cells. No cells are held out if ``config.patience`` is 0, or if there are too few
        groups for every class to be in both parts.
    """
    if config.patience:
        groups = folder.crops.cells["group"].to_numpy(str)[cells.train]
        try:
            return grouped_split(groups, cells.train_targets.astype(str), HELD_OUT_SHARE, config.seed)
        except InputError:
            pass
    return np.arange(len(cells.train)), np.arange(0)


def _with_head(
    folder: StudyFolder,
    cells: Labelled,
    config: ClassifierConfig,
    sparse: bool,
    checkpointing: State,
    monitor: Monitor,
) -> Classifier:
    """Train scheme 2, or scheme 3 if the heads are ``sparse``."""
    if config.inputs != "latents":
        return _with_head_on_shapes(folder, cells, config, sparse, checkpointing, monitor)
    encoder = encoders.of_study(folder)
    read = list(readable_latents(folder, encoder, config.keep))
    posteriors = training_posteriors(encoder, folder.crops[cells.train], cells.train_targets, config)
    epoch = repeated(len(cells.train), config.epoch_cells)
    head = train_heads(
        training_latents(*posteriors, config)[:, epoch][..., read],
        cells.train_targets[epoch],
        config,
        rigl=RigL(METHODS[config.sparse_method]) if sparse else None,
        test=(encode(encoder, folder.crops[cells.test])[0][:, read], cells.test_targets),
        checkpointing=checkpointing,
        monitor=monitor,
    )
    if len(read) < encoder.latents:
        head = head.widened(read, encoder.latents)
    return Classifier.with_head(encoder, head, cells.classes, sparse=sparse)


def _with_head_on_shapes(
    folder: StudyFolder,
    cells: Labelled,
    config: ClassifierConfig,
    sparse: bool,
    checkpointing: State,
    monitor: Monitor,
) -> Classifier:
    """Train scheme 2 or 3 on shapes, or on all latents and shapes."""
    encoder = encoders.of_study(folder) if config.inputs == "both" else None
    latents = readable_latents(folder, encoder, config.keep) if encoder is not None else ()
    rows = measure_training_cells(folder, cells.train, encoder, latents, config.shapes, config.augment)
    versions = None
    if rows.means is not None and rows.log_variances is not None:
        versions = training_latents(rows.means, rows.log_variances, config)
    targets = cells.train_targets[rows.measured]
    epoch = repeated(len(targets), config.epoch_cells)
    head = train_heads(
        rows.standardised(versions)[:, epoch],
        targets[epoch],
        config,
        rigl=RigL(METHODS[config.sparse_method]) if sparse else None,
        checkpointing=checkpointing,
        monitor=monitor,
    )
    return Classifier.with_head(encoder, head, cells.classes, sparse=sparse, columns=rows.columns)


def _checkpoint(
    folder: StudyFolder, scheme: int, cells: Labelled, config: ClassifierConfig, name: str
) -> Checkpoint:
    """Return the checkpoint of a training, identified by everything that its models depend on."""
    return Checkpoint(
        folder.path / "classifiers" / name / "checkpoint",
        config.model_dump(mode="json"),
        encoders.data_fingerprint(folder),
        *(fingerprint(part) for part in (cells.train, cells.train_targets)),
        _encoder_read(folder, scheme, config),
    )


def _encoder_read(folder: StudyFolder, scheme: int, config: ClassifierConfig) -> str | None:
    """Return the fingerprint of the study's encoder if the models depend on it."""
    depends = starts_from_study(folder, config) if scheme == 1 else config.inputs != "shapes"
    return folder.encoder_record.sha256 if depends else None
