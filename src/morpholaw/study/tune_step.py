"""Hyperparameter tuning of scheme 3 (paper, B.3.1)."""

from __future__ import annotations

import numpy as np

from morpholaw.cells.files import write_table
from morpholaw.cells.splits import grouped_split
from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.store import encoders
from morpholaw.store.changes import provenance
from morpholaw.store.labelled_cells import Labelled, labelled_cells
from morpholaw.store.latent_sample import readable_latents
from morpholaw.store.study_folder import StudyFolder
from morpholaw.store.tuned_record import TunedRecord
from morpholaw.study.latent_rows import repeated, training_latents, training_posteriors
from morpholaw.training import tune as search
from morpholaw.training.rigl import METHODS

VALIDATION_FRACTION = 0.15
"""Share of the training cells, in whole groups, on which trials are evaluated."""


def tune(folder: StudyFolder, config: TuneConfig, monitor: Monitor = SILENT) -> TunedRecord:
    """Tune scheme 3 without using the test set, store all trials in the study, and return the best settings."""
    shared = ("seed", "device", "classes", "test_fraction", "split_seed", "sparse_method")
    classifier = ClassifierConfig(**{name: getattr(config, name) for name in shared})
    cells = labelled_cells(folder, classifier)
    place = folder.path / "search"
    place.mkdir(exist_ok=True)
    storage = config.storage or f"sqlite:///{(place / 'optuna.db').resolve().as_posix()}"
    name = (
        folder.name, cells.fingerprint, encoders.data_fingerprint(folder), *cells.classes, config.sparse_method
    )  # fmt: skip
    trials = search.TrialStorage("-".join(name), exclusive=config.storage is None)
    config_of_search = config.model_copy(update={"storage": storage})
    best = search_settings(folder, cells, config_of_search, classifier, trials, monitor)
    write_table(
        place / "trials.csv", best.study.trials_dataframe(attrs=("number", "value", "params", "state"))
    )
    record = TunedRecord(
        objective=best.value,
        sparsity=best.sparsity,
        update_every=best.update_every,
        update_fraction=best.update_fraction,
        split=cells.fingerprint,
        config=config,
        provenance=provenance(folder, cells.classes),
    )
    record.write(place / "best.json")
    return record


def search_settings(
    folder: StudyFolder,
    cells: Labelled,
    config: TuneConfig,
    classifier: ClassifierConfig,
    trials: search.TrialStorage = search.SHARED,
    monitor: Monitor = SILENT,
) -> search.Tuned:
    """Tune scheme 3 on the training cells of a split, without using its test cells."""
    encoder = encoders.of_study(folder)
    means, log_variances = training_posteriors(
        encoder, folder.crops[cells.train], cells.train_targets, classifier
    )
    read = list(readable_latents(folder, encoder, classifier.keep))
    means, log_variances = means[..., read], log_variances[..., read]
    latents = training_latents(means, log_variances, classifier)
    validation = _validation_cells(folder, cells, config.seed)
    latents[:, validation] = means[0, validation]  # trials are evaluated without noise, like classifiers
    held = np.isin(np.arange(len(cells.train)), validation)
    rows = np.flatnonzero(~held)[repeated(int((~held).sum()), classifier.epoch_cells)]
    rows = np.concatenate([rows, validation])
    return search.tune(
        latents[:, rows],
        cells.train_targets[rows],
        np.arange(len(rows) - len(validation), len(rows)),
        config,
        classifier,
        method=METHODS[classifier.sparse_method],
        trials=trials,
        monitor=monitor,
    )


def _validation_cells(folder: StudyFolder, cells: Labelled, seed: int) -> np.ndarray:
    """Return the indices into the training cells on which trials are evaluated, int64, in whole groups."""
    groups = folder.crops.cells["group"].to_numpy(str)[cells.train]
    labels = np.array(cells.classes)[cells.train_targets]
    try:
        return grouped_split(groups, labels, VALIDATION_FRACTION, seed)[1]
    except InputError as error:
        raise InputError(
            f"Tuning divides the training cells once more, and they are too few: {error}"
        ) from None
