"""Scheme 4: search for laws of two classes, measure them on the held-out groups, keep them (paper, 6.4)."""

from __future__ import annotations

import numpy as np
import torch

from morpholaw.cells.files import fingerprint
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.classes import pair_of
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import FeatureTable
from morpholaw.store import classifiers, encoders
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.labelled_cells import chosen_classes, labelled_cells
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.checkpoint import Checkpoint
from morpholaw.study.evaluation_step import keep
from morpholaw.study.latent_rows import oriented_latents
from morpholaw.training.checkpointing import Checkpointing
from morpholaw.training.class_balanced_rows import class_balanced_rows
from morpholaw.training.laws import discover_laws


def discover(
    folder: StudyFolder,
    config: LawConfig,
    split: ClassifierConfig | None = None,
    monitor: Monitor = SILENT,
    replace: bool = False,
) -> ClassifierRecord | None:
    """Find laws on the latents that scheme 3 kept and keep them; None where no law was found before a stop.

    Parameters
    ----------
    split : ClassifierConfig, optional
        The classes and the split; by default those of scheme 3, so that laws are tested on the same groups.
    """
    split = split or _split_of_scheme_3(folder)
    split = split.model_copy(update={"classes": pair_of(chosen_classes(folder, split.classes))})
    name = name_of(4, config.loss)
    classifiers.check_replaceable(folder, name, split.classes, replace)
    cells = labelled_cells(folder, split)
    encoder = encoders.of_study(folder)
    kept = tuple(config.latents) if config.latents else usual_inputs(classifiers.kept_by_scheme_3(folder))
    outside = [latent for latent in kept if not 0 <= latent < encoder.latents]
    if outside:
        raise InputError(f"There is no latent z{outside[0]}; the encoder has z0 to z{encoder.latents - 1}.")
    names = [f"z{latent}" for latent in kept]
    oriented = oriented_latents(encoder, folder.crops[cells.train], split.augment)
    rows = oriented.reshape(-1, encoder.latents)
    targets = np.tile(cells.train_targets, len(oriented))
    cell_of_row = np.tile(cells.train, len(oriented))
    chosen = class_balanced_rows(
        [np.flatnonzero(targets == number) for number in (0, 1)], (0.5, 0.5), config.seed
    )
    rows, targets, cell_of_row = rows[chosen], targets[chosen], cell_of_row[chosen]
    features = FeatureTable(rows[:, list(kept)], tuple(names))
    outputs = _outputs_of_scheme_3(folder, rows) if config.loss == "mse" else None
    checkpoint = Checkpoint(
        folder.path / "classifiers" / name / "checkpoint",
        config.model_dump(mode="json", exclude={"processes"}),
        names,
        fingerprint(features.values),
        fingerprint(targets if outputs is None else outputs),
    )
    state = checkpoint.read()
    laws = discover_laws(
        features,
        targets,
        config,
        outputs=outputs,
        cells=cell_of_row,
        checkpointing=Checkpointing(
            lambda results: checkpoint.write({}, results=results), state[1]["results"] if state else None
        ),
        monitor=monitor,
    )
    if not laws:
        if monitor.should_stop():
            monitor.emit(Message("Stopped before a law was found: the laws from before were kept."))
            return None
        raise InputError(
            f"The search found no law that reads a latent: {', '.join(names)} may not tell the classes apart; choose "
            "other latents, or allow more evaluations."
        )
    classifier = Classifier.with_laws(encoder, laws, cells.classes)
    record = keep(folder, classifier, name, cells, split, config)
    if not monitor.should_stop():
        checkpoint.remove()
    return record


def _split_of_scheme_3(folder: StudyFolder) -> ClassifierConfig:
    """Return the settings that scheme 3 was trained with; the defaults where it was not trained."""
    if "scheme3" not in classifiers.names(folder):
        return ClassifierConfig()
    return classifiers.record(folder, "scheme3").config


@torch.no_grad()
def _outputs_of_scheme_3(folder: StudyFolder, rows: np.ndarray) -> np.ndarray:
    """Return the mean output of scheme 3's models on latents (n, L), float64 (n,): the target of MSE laws.

    All models are used: to choose one by its test accuracy would let the test cells choose the law.
    """
    scores = classifiers.load(folder, "scheme3").score_latents(torch.from_numpy(rows.astype(np.float32)))
    outputs: np.ndarray = scores.double().mean(0).numpy()
    return outputs
