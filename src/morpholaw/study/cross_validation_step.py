"""Cross-validation of a scheme on the labelled cells of a study. The trained models are discarded."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from morpholaw.cells.files import fingerprint
from morpholaw.cells.splits import check_groups, split_fingerprint
from morpholaw.config import ClassifierConfig, LawConfig, TuneConfig
from morpholaw.display import counted, listed
from morpholaw.errors import InputError, StudyLockedError
from morpholaw.evaluation.baselines import BASELINES, baseline_features, predict_baseline
from morpholaw.evaluation.crop_scores import score_crops
from morpholaw.evaluation.cross_validation import CrossValidation, Design, Fold, folds, shuffled_targets
from morpholaw.evaluation.performance import median_score
from morpholaw.events import SILENT, Event, Message, Monitor
from morpholaw.models.classes import classes_of_scores
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import name_of
from morpholaw.store.cross_validation import FOLDER, MEDIAN, keep
from morpholaw.store.cross_validation_record import CrossValidationRecord, changed_settings
from morpholaw.store.encoders import data_fingerprint
from morpholaw.store.labelled_cells import Labelled, LabelsSeen, all_labels, chosen_classes, class_numbers
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study import classifier_step, law_step
from morpholaw.study.checkpoint import Checkpoint
from morpholaw.study.cnn_start import starts_from_study
from morpholaw.study.tested_folds import TestedFolds
from morpholaw.study.tune_step import search_settings
from morpholaw.training.tune import TrialStorage


def cross_validate(
    folder: StudyFolder,
    scheme: int,
    config: ClassifierConfig,
    law_config: LawConfig,
    design: Design,
    out: Path | None = None,
    monitor: Monitor = SILENT,
) -> pd.DataFrame:
    """Train and test a scheme and the baselines on grouped folds, and keep the results.

    The models of a fold are trained on its training groups only, and scheme 4 uses the latents that scheme 3 keeps in
    the same fold. Tuned settings of the study are not used, because their search may have used the cells that are
    tested here; with ``design.trials``, scheme 3 is tuned within each fold.

    The tested folds are kept. A cross-validation with the same settings, cells, labels and encoder continues after
    them.

    Raises
    ------
    InputError
        If a class has fewer groups than there are folds, the encoder was trained with labels of these cells, or the
        scheme cannot be tuned.
    """
    if design.trials and not (_trains_scheme_3(scheme, law_config) and config.inputs == "latents"):
        raise InputError(
            "Only sparse networks that read latents, in schemes 3 and 4, can be tuned; leave out the tuning."
        )
    classes = chosen_classes(folder, config.classes)
    config = config.model_copy(update={"classes": classes})
    labels = all_labels(folder) if folder.sets else np.array([], str)
    cells = np.flatnonzero(np.isin(labels, classes))
    if not len(cells):
        raise InputError(
            f"The study {folder.path} has no labelled cells of {' or '.join(classes)} for the test."
        )
    groups = folder.crops.cells["group"].to_numpy(str)[cells]
    check_groups(groups, labels[cells], classes, design.folds)
    encoder = None
    if uses_encoder(folder, scheme, config, law_config):
        _check_encoder(folder, groups)
        encoder = folder.encoder_record.sha256
        monitor.tell(encoder_sentence(folder))
    targets = class_numbers(labels[cells], classes)
    record = record_of_settings(folder, scheme, config, law_config, design)
    tested = _tested_folds(folder, record, (cells, targets), encoder)
    if len(tested):
        monitor.tell(f"Continuing after the {len(tested)} of {counted(design.tests, 'fold')} tested before.")
    measured = baseline_features(folder.crops[cells])
    if design.shuffled:
        targets = shuffled_targets(groups, targets, config.split_seed)
    result = CrossValidation(groups, targets, design.prevalence, classes)
    for fold in folds(groups, targets, design.folds, design.repeats, config.split_seed):
        predictions = tested.of(fold)
        if predictions is None:
            repeat = f"Repeat {fold.repeat} of {design.repeats}, fold" if design.repeats > 1 else "Fold"
            monitor.tell(f"{repeat} {fold.number} of {design.folds}.")
            split = _split(fold, cells, groups, targets, classes)
            scores = _scored_without(folder, scheme, config, law_config, split, design.trials, monitor)
            if scores is None:
                break
            predictions = _by_scheme(_name(scheme, law_config), scores, len(classes))
            for name in BASELINES:
                rows = measured[fold.train], targets[fold.train], measured[fold.test]
                predictions[name] = predict_baseline(name, *rows)
            tested.add(fold, predictions)
        for method, predicted in predictions.items():
            result.add(method, fold, predicted)
    if not result.names:
        raise InterruptedError("Stopped before the first fold was complete; nothing was written.")
    try:
        with folder.writing():
            table = keep(folder, result, record, out)
            if result.tested == design.tests:
                tested.remove()
    except StudyLockedError as error:
        raise StudyLockedError(
            f"{error} The tested folds are kept; then cross-validate again with the same settings."
        ) from None
    monitor.tell(_end_in_words(result.tested, design.tests))
    return table


def record_of_settings(
    folder: StudyFolder, scheme: int, config: ClassifierConfig, law_config: LawConfig, design: Design
) -> CrossValidationRecord:
    """Return the settings of a cross-validation, which tell its results from others."""
    used = ClassifierConfig.used_by(scheme)
    if scheme == 4 and _trains_scheme_3(scheme, law_config):
        used |= ClassifierConfig.used_by(3)
    inputs = law_config.inputs if scheme == 4 else config.inputs
    law = {}
    if scheme == 4:  # what follows from the settings of the networks is not stated twice
        usual = LawConfig(seed=config.seed, shapes=config.shapes, count=config.models)
        law = changed_settings(law_config, usual, frozenset(LawConfig.model_fields) - {"split_seed"})
    return CrossValidationRecord(
        scheme=scheme,
        loss=law_config.loss if scheme == 4 else "",
        inputs="latents" if scheme == 1 else inputs,
        keep="all" if scheme == 1 or inputs == "shapes" else config.keep,
        classes=chosen_classes(folder, config.classes),
        settings=changed_settings(config.for_scheme(scheme), ClassifierConfig().for_scheme(scheme), used),
        law=law,
        **vars(design),
    )


def _tested_folds(
    folder: StudyFolder,
    record: CrossValidationRecord,
    labelled: tuple[np.ndarray, np.ndarray],
    encoder: str | None,
) -> TestedFolds:
    """Return the folds that were tested with these settings before, on the same cells, labels and encoder."""
    place = folder.path / FOLDER / f"stopped-{record.digest}"
    cells = [fingerprint(part) for part in labelled]
    return TestedFolds(Checkpoint(place, record.to_json(), data_fingerprint(folder), cells, encoder))


def _by_scheme(name: str, scores: np.ndarray, classes: int) -> dict[str, np.ndarray]:
    """Return the classes that the models of a scheme predict, and those by the median of several networks."""
    predictions = {name: classes_of_scores(scores, classes)}
    if not name.startswith("scheme4") and len(scores) > 1:
        predictions[f"{name}{MEDIAN}"] = classes_of_scores(median_score(scores), classes)
    return predictions


def _end_in_words(tested: int, tests: int) -> str:
    """Return how many folds are tested and, if some are not, how to continue."""
    sentence = f"{tested} of {tests} folds are tested."
    if tested < tests:
        sentence += " Cross-validating again with the same settings continues after them."
    return sentence


def uses_encoder(folder: StudyFolder, scheme: int, config: ClassifierConfig, law_config: LawConfig) -> bool:
    """Return whether models of a scheme read latents or are initialised with the study's encoder."""
    if scheme == 1:
        return starts_from_study(folder, config)
    inputs = {law_config.inputs} if scheme == 4 else {config.inputs}
    if _trains_scheme_3(scheme, law_config):
        inputs.add(config.inputs)
    return inputs != {"shapes"}


def encoder_sentence(folder: StudyFolder) -> str:
    """Return a sentence on which of the study's crop sets the encoder was trained on."""
    record = folder.encoder_record
    trained_on = set(record.provenance.pixels.values())
    seen = [crop_set.name for crop_set in folder.sets if crop_set.fingerprint in trained_on]
    if not seen and record.provenance.data != data_fingerprint(folder):
        if not trained_on:
            return "It is not recorded on which crops the encoder was trained; they may include tested cells."
        return "The encoder was trained on other crop sets than those of this study, and not on the tested cells."
    crops = f"{'the' if record.test_split else 'all'} crops of this study"
    if seen and len(seen) < len(folder.sets):
        crops = f"the crop set{'s' * (len(seen) > 1)} {listed(seen)} of this study"
    if record.test_split:
        crops += " except those of the test groups of one split"
    return (
        f"The encoder was trained once, on {crops}, including cells that are tested here, but without their labels. "
        "All other models were trained anew in each fold, without the tested cells."
    )


def _check_encoder(folder: StudyFolder, groups: np.ndarray) -> None:
    """Raise if the study has no encoder, or if its encoder was trained with labels of the groups."""
    seen = LabelsSeen.of(folder.encoder_record)
    if seen is not None and seen.train_groups & set(groups):
        raise InputError(
            "The encoder was trained with labels of cells that would be tested; train it with task 0 to cross-validate."
        )


def _trains_scheme_3(scheme: int, law_config: LawConfig) -> bool:
    """Return whether scheme 3 is trained, for itself or to provide the inputs or targets of laws."""
    return scheme == 3 or (scheme == 4 and (law_config.inputs == "latents" or law_config.loss == "mse"))


def _name(scheme: int, law_config: LawConfig) -> str:
    return name_of(scheme, law_config.loss)


def _split(
    fold: Fold, cells: np.ndarray, groups: np.ndarray, targets: np.ndarray, classes: tuple[str, ...]
) -> Labelled:
    train, test = cells[fold.train], cells[fold.test]
    fingerprint = split_fingerprint(groups[fold.test])
    return Labelled(classes, train, test, targets[fold.train], targets[fold.test], fingerprint)


def _scored_without(
    folder: StudyFolder,
    scheme: int,
    config: ClassifierConfig,
    law_config: LawConfig,
    cells: Labelled,
    trials: int,
    monitor: Monitor,
) -> np.ndarray | None:
    """Return the scores of a fold's test cells, (members, n[, classes]); None if cancelled."""
    monitor = _without_messages(monitor)
    with _copy(folder) as study:
        if trials:
            searched = TuneConfig(trials=trials, seed=config.seed, sparse_method=config.sparse_method)
            best = search_settings(study, cells, searched, config, TrialStorage(exclusive=True), monitor)
            config = best.applied(config)
        for each in (3, 4) if scheme == 4 and _trains_scheme_3(scheme, law_config) else (scheme,):
            if each == 4:
                law_step.discover(study, law_config, config, monitor, cells=cells)
            else:
                classifier_step.train(study, each, config, monitor, cells=cells)
            if monitor.should_stop():
                return None
        classifier = classifiers.load(study, _name(scheme, law_config))
        return score_crops(classifier.eval(), folder.crops[cells.test])


def _without_messages(monitor: Monitor) -> Monitor:
    """Return a monitor without messages, which would give advice on models that are discarded."""

    def emit(event: Event) -> None:
        if not isinstance(event, Message):
            monitor.emit(event)

    return replace(monitor, emit=emit)


@contextmanager
def _copy(folder: StudyFolder) -> Iterator[StudyFolder]:
    """Create a temporary study with the same crops and encoder but no classifiers, for one fold."""
    with tempfile.TemporaryDirectory(prefix="morpholaw-fold-") as place:
        path = Path(place) / folder.name
        (path / "classifiers").mkdir(parents=True)
        for name in ("study.json", "annotations.jsonl", "latent_names.json"):
            if (folder.path / name).exists():
                shutil.copy(folder.path / name, path)
        if folder.has_encoder:
            shutil.copytree(
                folder.path / "encoder", path / "encoder", ignore=shutil.ignore_patterns("checkpoint")
            )
        source = (folder.path / "crops").resolve()
        try:
            (path / "crops").symlink_to(source, target_is_directory=True)
        except OSError:  # Windows restricts links to administrators
            shutil.copytree(source, path / "crops")
        yield StudyFolder(path)
