"""Scheme 4: the search for laws, with evaluation on held-out groups (paper, 6.4).

With two classes, several laws are found, and the sign of each is the class. With more, each class has one law (paper,
section 8).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Event, Front, Monitor
from morpholaw.interpretation.subnetworks import usual_inputs
from morpholaw.models.classifier import Classifier
from morpholaw.models.law import Law
from morpholaw.models.law_units import law_in_units
from morpholaw.store import classifiers, encoders
from morpholaw.store.classifier_record import ClassifierRecord, name_of
from morpholaw.store.guessing import tell_guessing
from morpholaw.store.labelled_cells import Labelled, chosen_classes, labelled_cells
from morpholaw.store.latent_sample import readable_latents
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.evaluation_step import keep
from morpholaw.study.latent_rows import repeated, training_latents, training_posteriors
from morpholaw.study.law_checkpoint import end_search, is_complete, search_checkpoint, tell_stopped
from morpholaw.study.law_rows import (
    TrainingViews,
    check_teacher,
    outputs_of_scheme_3,
    scheme_3_reads_latents,
    training_views,
)
from morpholaw.training.checkpointing import Checkpointing
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
    overwrite : bool
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
    check_teacher(folder, config, cells.classes)
    several = len(cells.classes) > 2
    if several:
        chosen = _settings_for_classes(folder, cells, config, split, monitor)
        if chosen is None:
            state = classifiers.after_stop(folder, name)
            monitor.tell(f"Stopped before the search for laws; {state}.")
            return None
        config = chosen
    views = training_views(folder, cells, config, split)
    if not several:
        views = views.drawn(config)
    outputs = outputs_of_scheme_3(folder, views, config, cells.classes)
    checkpoint, finished = search_checkpoint(
        folder, name, config, views.features, views.targets if outputs is None else outputs
    )
    laws = _search(
        views,
        cells.classes,
        config,
        outputs,
        Checkpointing(lambda results: checkpoint.write({}, results=results), finished),
        _in_units(monitor, views),
    )
    stopped = monitor.should_stop()
    if stopped and (not laws or is_complete(folder, name)):
        tell_stopped(folder, name, monitor)
        return None
    if not laws:
        raise InputError(_nothing_found(views.features.names, several))
    classifier = Classifier.with_laws(views.encoder, laws, cells.classes, views.columns)
    record = keep(folder, classifier, name, cells, split, config, complete=not stopped)
    tell_guessing(record, monitor)
    found = "laws found so far, one per class," if several else f"laws found so far ({len(laws)})"
    end_search(checkpoint, record, found, monitor)
    return record


def _settings_for_classes(
    folder: StudyFolder, cells: Labelled, config: LawConfig, split: ClassifierConfig, monitor: Monitor
) -> LawConfig | None:
    """Return the settings of a search for one law per class; None if the training of sparse networks was cancelled.

    Unless scheme 3 was trained on these classes, sparse networks choose the latents.
    """
    if config.inputs == "latents" and not config.latents and not _scheme_3_tells_apart(folder, cells.classes):
        monitor.tell(
            "Scheme 3 was not trained on these classes, so sparse networks are trained to choose the latents."
        )
        latents = _latents_of_sparse_networks(folder, cells, split, monitor)
        if monitor.should_stop():
            return None
        config = config.model_copy(update={"latents": latents})
    if "count" not in config.model_fields_set:
        config = config.model_copy(update={"count": SEARCHES_PER_CLASS})
    return config


def _search(
    views: TrainingViews,
    classes: tuple[str, ...],
    config: LawConfig,
    outputs: np.ndarray | None,
    checkpointing: Checkpointing[Any],
    monitor: Monitor,
) -> list[Law]:
    """Return several laws of two classes, or one law per class; empty if none was found or the search was stopped."""
    if len(classes) == 2:
        return discover_laws(
            views.features,
            views.targets,
            config,
            outputs=outputs,
            cells=views.cells,
            checkpointing=checkpointing,
            monitor=monitor,
        )
    found = discover_class_laws(
        views.features,
        views.targets,
        classes,
        config,
        outputs=outputs,
        cells=views.cells,
        checkpointing=checkpointing,
        monitor=monitor,
    )
    return [] if found is None else list(found.laws.values())


def _nothing_found(inputs: tuple[str, ...], several: bool) -> str:
    names = ", ".join(inputs)
    if several:
        return (
            f"The search found no law for one of the classes, so {names} may not distinguish it from the others; "
            "choose other inputs, or allow more evaluations."
        )
    return (
        f"The search found only constant laws, so {names} may not distinguish the classes; choose other inputs, or "
        "allow more evaluations."
    )


def _in_units(monitor: Monitor, views: TrainingViews) -> Monitor:
    """Return a monitor that reports the best law so far in units and with rounded numbers."""

    def emit(event: Event) -> None:
        if isinstance(event, Front) and event.law:
            law = law_in_units(Law.parse(event.law, views.features.names), views.columns)
            event = replace(event, law=law.rounded().text())
        monitor.emit(event)

    return replace(monitor, emit=emit)


def _scheme_3_tells_apart(folder: StudyFolder, classes: tuple[str, ...]) -> bool:
    return scheme_3_reads_latents(folder) and classifiers.record(folder, "scheme3").classes == classes


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
