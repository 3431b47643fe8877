"""Cross-validation of a scheme on a study's labelled cells: every model trained for it is thrown away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.files import write_table
from morpholaw.cells.splits import split_fingerprint
from morpholaw.config import ClassifierConfig, LawConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.baselines import BASELINES, baseline_features, predict_baseline
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.cross_validation import CrossValidation, Fold, folds
from morpholaw.events import SILENT, Message, Monitor
from morpholaw.models.classes import classes_of_scores
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import name_of
from morpholaw.store.encoders import data_fingerprint
from morpholaw.store.labelled_cells import Labelled, all_labels, chosen_classes, class_numbers, labels_seen
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study import classifier_step, law_step

FOLDER = "cross_validation"
"""Where the tables are kept in a study."""


def cross_validate(
    folder: StudyFolder,
    scheme: int,
    config: ClassifierConfig,
    law_config: LawConfig,
    count: int,
    repeats: int,
    monitor: Monitor = SILENT,
) -> CrossValidation:
    """Train and test a scheme and the baselines on grouped folds.

    Each fold's models learn from its training groups alone, scheme 4 from the latents that the fold's own scheme 3
    kept. Settings that a search found are not used, because it may have seen the cells that are tested here.

    Raises
    ------
    InputError
        When a class has fewer groups than folds, or the encoder has learnt from labels of these cells.
    """
    classes = chosen_classes(folder, config.classes)
    config = config.model_copy(update={"classes": classes})
    labels = all_labels(folder) if folder.sets else np.array([], str)
    cells = np.flatnonzero(np.isin(labels, classes))
    if not len(cells):
        raise InputError(
            f"The study {folder.path} has no labelled cells of {' or '.join(classes)} to test on."
        )
    groups = folder.crops.cells["group"].to_numpy(str)[cells]
    if scheme != 1 and folder.has_encoder:
        _check_encoder(folder, groups)
        monitor.emit(Message(encoder_sentence(folder)))
    targets = class_numbers(labels[cells], classes)
    measured = baseline_features(folder.crops[cells])
    result = CrossValidation(groups, targets)
    for fold in folds(groups, targets, count, repeats, config.split_seed):
        monitor.emit(Message(f"Repeat {fold.repeat} of {repeats}, fold {fold.number} of {count}."))
        predicted = _trained_without(
            folder, scheme, config, law_config, _split(fold, cells, groups, targets, classes), monitor
        )
        if predicted is None:
            break
        result.add(_name(scheme, law_config), fold, predicted)
        for name in BASELINES:
            rows = measured[fold.train], targets[fold.train], measured[fold.test]
            result.add(name, fold, predict_baseline(name, *rows))
    if not result.names:
        raise InterruptedError("Stopped before a fold was complete; nothing was written.")
    return result


def keep(folder: StudyFolder, result: CrossValidation, name: str, out: Path | None = None) -> pd.DataFrame:
    """Write the table of folds, and that of groups beside it; returns the former."""
    table = result.table()
    place = folder.path / FOLDER / f"{name}.csv" if out is None else Path(out)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_table(place, table)
    write_table(place.with_name(f"{place.stem}-groups.csv"), result.by_group())
    return table


def encoder_sentence(folder: StudyFolder) -> str:
    """Say whether the study's encoder has seen the pictures that are tested on."""
    if folder.encoder_record.provenance.data == data_fingerprint(folder):
        return (
            "The encoder was trained once, on all crops of this study: it has seen the tested cells, without labels. "
            "Heads and laws have not."
        )
    return (
        "The encoder was trained on other crops than those of this study: it has not seen the tested cells."
    )


def _check_encoder(folder: StudyFolder, groups: np.ndarray) -> None:
    seen = labels_seen(folder)
    if seen is not None and seen.train_groups & set(groups):
        raise InputError(
            "The encoder learnt from labels of cells that would be tested; train it with task 0 to cross-validate."
        )


def _name(scheme: int, law_config: LawConfig) -> str:
    return name_of(scheme, law_config.loss)


def _split(
    fold: Fold, cells: np.ndarray, groups: np.ndarray, targets: np.ndarray, classes: tuple[str, ...]
) -> Labelled:
    train, test = cells[fold.train], cells[fold.test]
    fingerprint = split_fingerprint(groups[fold.test])
    return Labelled(classes, train, test, targets[fold.train], targets[fold.test], fingerprint)


def _trained_without(
    folder: StudyFolder,
    scheme: int,
    config: ClassifierConfig,
    law_config: LawConfig,
    cells: Labelled,
    monitor: Monitor,
) -> np.ndarray | None:
    """Return the classes of a fold's test cells by models of its training cells, (members, n); None after a stop."""
    with _copy(folder) as study:
        needs_3 = scheme == 4 and (law_config.inputs == "latents" or law_config.loss == "mse")
        for each in (3, 4) if needs_3 else (scheme,):
            if each == 4:
                law_step.discover(study, law_config, config, monitor, cells=cells)
            else:
                classifier_step.train(study, each, config, monitor, cells=cells)
            if monitor.should_stop():
                return None
        classifier = classifiers.load(study, _name(scheme, law_config))
        scores = score_crops(classifier.eval(), folder.crops[cells.test])
    return classes_of_scores(scores, len(cells.classes))


@contextmanager
def _copy(folder: StudyFolder) -> Iterator[StudyFolder]:
    """Make a study of the same crops and encoder for one fold, without classifiers, and remove it."""
    with tempfile.TemporaryDirectory(prefix="morpholaw-fold-") as place:
        path = Path(place) / folder.name
        (path / "classifiers").mkdir(parents=True)
        for name in ("study.json", "annotations.json", "latent_names.json"):
            if (folder.path / name).exists():
                shutil.copy(folder.path / name, path)
        if folder.has_encoder:
            shutil.copytree(
                folder.path / "encoder", path / "encoder", ignore=shutil.ignore_patterns("checkpoint")
            )
        source = (folder.path / "crops").resolve()
        try:
            (path / "crops").symlink_to(source, target_is_directory=True)
        except OSError:  # Windows allows links to administrators only
            shutil.copytree(source, path / "crops")
        yield StudyFolder(path)
