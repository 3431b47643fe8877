"""The search of scheme 3's settings for a study (paper, B.3.1)."""

from __future__ import annotations

from typing import Any

import numpy as np

from morpholaw.cells.files import write_json, write_table
from morpholaw.cells.splits import grouped_split
from morpholaw.config import ClassifierConfig, TuneConfig
from morpholaw.events import SILENT, Monitor
from morpholaw.store.labelled_cells import labelled_cells
from morpholaw.store.study_folder import StudyFolder, provenance
from morpholaw.study import encoder_step
from morpholaw.study.latent_rows import oriented_posteriors, repeated, training_latents
from morpholaw.training import tune as search
from morpholaw.training.rigl import METHODS

VALIDATION_FRACTION = 0.15
"""Share of the training cells, whole groups of them, that trials are judged on."""


def tune(folder: StudyFolder, config: TuneConfig, monitor: Monitor = SILENT) -> dict[str, Any]:
    """Search, keep all trials in the study and return the best settings; the test cells are not looked at."""
    classifier = ClassifierConfig(seed=config.seed, device=config.device)
    cells = labelled_cells(folder, classifier)
    encoder, _ = encoder_step.load(folder.path / "encoder")
    latents = training_latents(*oriented_posteriors(encoder, folder.crops[cells.train]), classifier)
    groups = folder.crops.cells["group"].to_numpy(str)[cells.train]
    _, validation = grouped_split(groups, cells.train_targets.astype(str), VALIDATION_FRACTION, config.seed)
    place = folder.path / "search"
    place.mkdir(exist_ok=True)
    storage = config.storage or f"sqlite:///{(place / 'optuna.db').resolve().as_posix()}"
    held = np.isin(np.arange(len(cells.train)), validation)
    rows = np.flatnonzero(~held)[repeated(int((~held).sum()), classifier.epoch_cells)]
    rows = np.concatenate([rows, validation])
    best = search.tune(
        latents[:, rows],
        cells.train_targets[rows],
        np.arange(len(rows) - len(validation), len(rows)),
        config.model_copy(update={"storage": storage}),
        classifier,
        method=METHODS[classifier.sparse_method],
        trials=search.TrialStorage(
            f"{folder.name}-{cells.fingerprint}-{encoder_step.data_fingerprint(folder)}",
            exclusive=config.storage is None,
        ),
        monitor=monitor,
    )
    found = {
        "sparsity": best.sparsity,
        "update_every": best.update_every,
        "update_fraction": best.update_fraction,
    }
    write_table(
        place / "trials.csv", best.study.trials_dataframe(attrs=("number", "value", "params", "state"))
    )
    made = {
        "objective": best.value,
        **found,
        "split": cells.fingerprint,
        **provenance(config, encoder_step.data_fingerprint(folder)),
    }
    write_json(place / "best.json", made)
    return made
