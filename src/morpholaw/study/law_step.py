"""Scheme 4: the search for laws, with evaluation on held-out groups (paper, 6.4).

With two classes, several laws are found, and the sign of each is the class. With more, each class has one law (paper,
section 8).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.display import listed
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Event, Front, Message, Monitor
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.classifier import Classifier
from morpholaw.models.features import FeatureTable, ModelColumns
from morpholaw.models.law import Law
from morpholaw.models.law_units import law_in_units
from morpholaw.models.vae import BetaTCVAE
from morpholaw.store import classifiers, encoders
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.guessing import tell_guessing
from morpholaw.store.labelled_cells import Labelled, chosen_classes, labelled_cells
from morpholaw.store.latent_sample import readable_latents
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.column_rows import measure_training_cells
from morpholaw.study.evaluation_step import keep
from morpholaw.study.latent_rows import repeated, training_latents, training_posteriors
from morpholaw.study.law_checkpoint import end_search, is_complete, search_checkpoint, tell_stopped
from morpholaw.training.checkpointing import Checkpointing
from morpholaw.training.class_balanced_rows import training_rows
from morpholaw.training.class_laws import discover_class_laws
from morpholaw.training.heads import train_heads
from morpholaw.training.laws import discover_laws
from morpholaw.training.rigl import METHODS, RigL

SEARCHES_PER_CLASS = 3
"""Default number of searches per class, for more than two classes."""
SPARSE_NETWORKS = 5
"""Number of sparse networks that choose the latents if scheme 3 was not trained on the same classes."""


def discover(
    folder: StudyFolder,
    config: LawConfig,
    split: ClassifierConfig | None = None,
    monitor: Monitor = SILENT,
    overwrite: bool = False,
    name: str | None = None,
    cells: Labelled | None = None,
) -> ClassifierRecord | None:
    """Search for laws over the latents that scheme 3 kept, shapes, or both, and store them.

    Parameters
    ----------
    folder : StudyFolder
        The study.
    config : LawConfig
        Settings of the search.
    split : ClassifierConfig, optional
        Classes and split. The default is those of scheme 3, so that laws are tested on the same groups.
    monitor : Monitor
        Receives progress and can cancel.
    replace : bool
        Replace laws of the same name that distinguish other classes.
    name : str, optional
        Name of the laws in the study. The default follows their loss.
    cells : Labelled, optional
        The split itself, which replaces that of the settings.

    Returns
    -------
    ClassifierRecord or None
        The record of the laws; None if the search was cancelled before a law was found, or if the study has laws of a
        complete search under this name, which are kept.
    """
    split = split or _split(folder, config)
    split = split.model_copy(update={"classes": chosen_classes(folder, split.classes)})
    name = name or name_of(4, config.loss)
    classifiers.check_replaceable(folder, name, split.classes, overwrite)
    cells = labelled_cells(folder, split) if cells is None else cells
    _check_teacher(folder, config, cells.classes)
    if len(cells.classes) > 2:
        return _discover_class_laws(folder, cells, config, split, name, monitor)
    views = training_views(folder, cells, config, split).drawn(config)
    features, targets = views.features, views.targets
    names = list(features.names)
    outputs = outputs_of_scheme_3(folder, views, config, cells.classes)
    checkpoint, finished = search_checkpoint(
        folder, name, config, views.features, views.targets if outputs is None else outputs
    )
    laws = discover_laws(
        features,
        targets,
        config,
        outputs=outputs,
        cells=views.cells,
        checkpointing=Checkpointing(lambda results: checkpoint.write({}, results=results), finished),
        monitor=_in_units(monitor, views),
    )
    stopped = monitor.should_stop()
    if stopped and (not laws or is_complete(folder, name)):
        tell_stopped(name, monitor)
        return None
    if not laws:
        raise InputError(
            f"The search found only constant laws, so {', '.join(names)} may not distinguish the classes; choose other "
            "inputs, or allow more evaluations."
        )
    classifier = Classifier.with_laws(views.encoder, laws, cells.classes, views.columns)
    record = keep(folder, classifier, name, cells, split, config, complete=not stopped)
    tell_guessing(record, monitor)
    end_search(checkpoint, record, f"laws found so far ({len(laws)})", monitor)
    return record


def _discover_class_laws(
    folder: StudyFolder,
    cells: Labelled,
    config: LawConfig,
    split: ClassifierConfig,
    name: str,
    monitor: Monitor,
) -> ClassifierRecord | None:
    """Find and store one law per class; return None if cancelled before each class has one."""
    if config.inputs == "latents" and not config.latents and not _scheme_3_tells_apart(folder, cells.classes):
        monitor.emit(
            Message(
                "Scheme 3 was not trained on these classes, so sparse networks are trained to choose the latents."
            )
        )
        latents = _latents_of_sparse_networks(folder, cells, split, monitor)
        if monitor.should_stop():
            monitor.emit(Message(f"Stopped before the search for laws; {name} is unchanged."))
            return None
        config = config.model_copy(update={"latents": latents})
    if "count" not in config.model_fields_set:
        config = config.model_copy(update={"count": SEARCHES_PER_CLASS})
    views = training_views(folder, cells, config, split)
    outputs = outputs_of_scheme_3(folder, views, config, cells.classes)
    checkpoint, finished = search_checkpoint(
        folder, name, config, views.features, views.targets if outputs is None else outputs
    )
    laws = discover_class_laws(
        views.features,
        views.targets,
        cells.classes,
        config,
        outputs=outputs,
        cells=views.cells,
        checkpointing=Checkpointing(lambda results: checkpoint.write({}, results=results), finished),
        monitor=_in_units(monitor, views),
    )
    stopped = monitor.should_stop()
    if stopped and (laws is None or is_complete(folder, name)):
        tell_stopped(name, monitor)
        return None
    if laws is None:
        raise InputError(
            f"The search found no law for one of the classes, so {', '.join(views.features.names)} may not distinguish "
            "it from the others; choose other inputs, or allow more evaluations."
        )
    classifier = Classifier.with_laws(views.encoder, list(laws.laws.values()), cells.classes, views.columns)
    record = keep(folder, classifier, name, cells, split, config, complete=not stopped)
    tell_guessing(record, monitor)
    end_search(checkpoint, record, "laws found so far, one per class,", monitor)
    return record


def _in_units(monitor: Monitor, views: TrainingViews) -> Monitor:
    """Return a monitor that reports the best law so far in units and with rounded numbers."""

    def emit(event: Event) -> None:
        if isinstance(event, Front) and event.law:
            law = law_in_units(Law.parse(event.law, views.features.names), views.columns)
            event = replace(event, law=law.rounded().text())
        monitor.emit(event)

    return replace(monitor, emit=emit)


def _scheme_3_tells_apart(folder: StudyFolder, classes: tuple[str, ...]) -> bool:
    return _scheme_3_reads_latents(folder) and classifiers.record(folder, "scheme3").classes == classes


def _latents_of_sparse_networks(
    folder: StudyFolder, cells: Labelled, split: ClassifierConfig, monitor: Monitor
) -> tuple[int, ...]:
    """Return the latents that most of several sparse networks keep, which are trained like scheme 3."""
    settings = split.model_copy(update={"models": SPARSE_NETWORKS})
    encoder = encoders.of_study(folder)
    read = readable_latents(folder, encoder, settings.keep)
    posteriors = training_posteriors(encoder, folder.crops[cells.train], cells.train_targets, settings)
    epoch = repeated(len(cells.train), settings.epoch_cells)
    head = train_heads(
        training_latents(*posteriors, settings)[:, epoch][..., list(read)],
        cells.train_targets[epoch],
        settings,
        rigl=RigL(METHODS[settings.sparse_method]),
        monitor=monitor,
    )
    if monitor.should_stop():
        return ()
    usual = usual_inputs([head.kept_inputs(k) for k in range(head.members)])
    if not usual:
        raise InputError("The sparse networks kept no latents; train them with a lower sparsity.")
    return tuple(read[place] for place in usual)


def _split(folder: StudyFolder, config: LawConfig) -> ClassifierConfig:
    """Return the classes and the split of the settings, which default to those of scheme 3."""
    trained = "scheme3" in classifiers.names(folder)
    split = classifiers.record(folder, "scheme3").config if trained else ClassifierConfig()
    chosen = {name: getattr(config, name) for name in ("classes", "test_fraction", "split_seed")}
    return split.model_copy(update={name: value for name, value in chosen.items() if value not in (None, ())})


@dataclass(frozen=True)
class TrainingViews:
    """The training data of laws. Each row is a view of a training cell, e.g. in one orientation.

    Attributes
    ----------
    features : FeatureTable
        Variables of the laws, standardised if they include shapes.
    targets, cells : ndarray, int64 (n,)
        Class and cell of each row.
    latents : ndarray or None
        All latents of each row, (n, L).
    shapes : DataFrame or None
        All measured shapes of each row, in units.
    columns : ModelColumns or None
        The columns and their scales; None if only latents are read.
    encoder : BetaTCVAE or None
        The encoder; None if only shapes are read.
    """

    features: FeatureTable
    targets: np.ndarray
    cells: np.ndarray
    latents: np.ndarray | None = None
    shapes: pd.DataFrame | None = None
    columns: ModelColumns | None = None
    encoder: BetaTCVAE | None = None

    def drawn(self, config: LawConfig) -> TrainingViews:
        """Return the rows that a search for laws of two classes uses."""
        of_class = [np.flatnonzero(self.targets == number) for number in (0, 1)]
        return self.rows(training_rows(of_class, (0.5, 0.5), config.seed, config.rows))

    def rows(self, chosen: np.ndarray) -> TrainingViews:
        """Return some of the rows."""
        return replace(
            self,
            features=self.features.rows(chosen),
            targets=self.targets[chosen],
            cells=self.cells[chosen],
            latents=None if self.latents is None else self.latents[chosen],
            shapes=None if self.shapes is None else self.shapes.iloc[chosen].reset_index(drop=True),
        )


def training_views(
    folder: StudyFolder, cells: Labelled, config: LawConfig, split: ClassifierConfig
) -> TrainingViews:
    """Return the training data of laws, which are those of heads with the settings ``split``."""
    encoder = None if config.inputs == "shapes" else encoders.of_study(folder)
    kept = () if encoder is None else _latents_to_read(folder, config, split, encoder)
    if config.inputs == "latents":
        assert encoder is not None
        versions = training_posteriors(encoder, folder.crops[cells.train], cells.train_targets, split)[0]
        latents = versions.reshape(-1, encoder.latents)
        features = FeatureTable(latents[:, list(kept)], tuple(f"z{latent}" for latent in kept))
        count = len(versions)
        return TrainingViews(
            features,
            np.tile(cells.train_targets, count),
            np.tile(cells.train, count),
            latents,
            encoder=encoder,
        )
    rows = measure_training_cells(folder, cells.train, encoder, kept, config.shapes, split.augment)
    values = rows.standardised(rows.means)
    count = len(values)
    return TrainingViews(
        FeatureTable(values.reshape(-1, values.shape[-1]).astype(np.float64), rows.columns.names),
        np.tile(cells.train_targets[rows.measured], count),
        np.tile(cells.train[rows.measured], count),
        None if rows.means is None else rows.means.reshape(-1, rows.means.shape[-1]),
        pd.concat([rows.shapes] * count, ignore_index=True),
        rows.columns,
        encoder,
    )


def _latents_to_read(
    folder: StudyFolder, config: LawConfig, split: ClassifierConfig, encoder: BetaTCVAE
) -> tuple[int, ...]:
    """Return the latents that laws may read, as given in the settings or kept by scheme 3.

    If laws also read shapes and scheme 3 was not trained on latents, they may read all latents that heads with the
    settings ``split`` may read.
    """
    if config.latents:
        kept = tuple(config.latents)
    elif config.inputs == "both" and not _scheme_3_reads_latents(folder):
        kept = readable_latents(folder, encoder, split.keep)
    else:
        kept = usual_inputs(classifiers.kept_by_scheme_3(folder))
    outside = [latent for latent in kept if not 0 <= latent < encoder.latents]
    if outside:
        raise InputError(f"There is no latent z{outside[0]}; the encoder has z0 to z{encoder.latents - 1}.")
    return kept


def _scheme_3_reads_latents(folder: StudyFolder) -> bool:
    return "scheme3" in classifiers.names(folder) and classifiers.record(folder, "scheme3").inputs != "shapes"


@torch.no_grad()
def outputs_of_scheme_3(
    folder: StudyFolder, views: TrainingViews, config: LawConfig, classes: tuple[str, ...]
) -> np.ndarray | None:
    """Return the targets of laws with the MSE loss, float64 (n,) or (n, classes); None for the hinge loss.

    They are the outputs of scheme 3, averaged over its models or from the first one. If the model were chosen by its
    test accuracy, the test set would influence the law.
    """
    if config.loss != "mse":
        return None
    _check_teacher(folder, config, classes)
    scheme3 = classifiers.load(folder, "scheme3")
    if scheme3.columns is None:
        assert views.latents is not None
        scores = scheme3.score_latents(torch.from_numpy(views.latents.astype(np.float32)))
    else:
        assert views.shapes is not None
        values = scheme3.columns.standardise(scheme3.columns.table(views.latents, views.shapes))
        scores = scheme3.score_columns(torch.from_numpy(values.astype(np.float32)))
    teachers = scores[:1] if config.teacher == "first" else scores
    outputs: np.ndarray = teachers.double().mean(0).numpy()
    return outputs


def _check_teacher(folder: StudyFolder, config: LawConfig, classes: tuple[str, ...]) -> None:
    """Raise for laws with the MSE loss if scheme 3 has other inputs or other classes."""
    if config.loss != "mse":
        return
    needed = (
        "Laws with the MSE loss are fitted to the outputs of scheme 3, which {}; train it {} first, or use the hinge "
        "loss."
    )
    if "scheme3" not in classifiers.names(folder):
        raise InputError(needed.format("was not trained", f"for {listed(classes)}"))
    scheme3 = classifiers.record(folder, "scheme3")
    if scheme3.inputs != config.inputs:
        raise InputError(
            needed.format(
                f"reads {scheme3.inputs} here and not {config.inputs}", f"with inputs={config.inputs}"
            )
        )
    if scheme3.classes != classes:
        raise InputError(
            needed.format(f"distinguishes {listed(scheme3.classes)} here", f"for {listed(classes)}")
        )
