"""Apply a study's models to cells: a table of scores and classes, one row a cell.

Of two classes, the class is the sign of a score (eq. 2); of more, that of the largest score. ``along`` tracks, it is
the likeliest one with the cell's whole track in view, and that of the cell's own frame is kept as ``frame_class``.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch

from morpholaw.cells.cells_table import SOURCE_IDS
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crops import MovieCells
from morpholaw.cells.import_crops import import_crops
from morpholaw.cells.inputs import Inputs, compare_pixels
from morpholaw.cells.tracks import divisions
from morpholaw.config import CropConfig, ImportConfig
from morpholaw.errors import InputError
from morpholaw.evaluation.adaptation import Adaptation
from morpholaw.evaluation.calibration import Calibration, Temperature
from morpholaw.evaluation.crop_scores import score_crops, scorer
from morpholaw.evaluation.familiarity import Familiarity
from morpholaw.evaluation.performance import margins, measure, median_score
from morpholaw.evaluation.stage_hmm import classify_stages
from morpholaw.evaluation.stage_order import StageOrder
from morpholaw.evaluation.track_hmm import classify_tracks
from morpholaw.events import SILENT, Monitor
from morpholaw.models.classes import classes_of_scores, predicted_classes
from morpholaw.models.classifier import Classifier
from morpholaw.store import classifiers
from morpholaw.store.classifier_record import Evaluation
from morpholaw.store.condition_record import condition_record
from morpholaw.store.labelled_cells import held_out
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.scale import at_scale, model_scale
from morpholaw.study.stages import stage_order
from morpholaw.training.cores import available_cores

COLUMNS = ("crop", "file", "track_id", "t", "y", "x", "score", "class", "probability")
"""Columns of a table of scores; empty where one does not apply. With more than two classes ``score_NAME`` and
``probability_NAME`` of each class follow; the ids of the tracks' own file stand beside them."""
UNDEFINED = "undefined"
"""The class of a cell whose score is not a finite number."""
LEAST_ERROR, MOST_ERROR = 0.02, 0.5
"""Bounds of a classifier's error along tracks: few held-out cells say little about rare mistakes."""
BATCH = 512
"""Crops that are compared with the training cells at a time."""


class AlongTracks(NamedTuple):
    """How cells are classified with their whole tracks in view.

    Attributes
    ----------
    calibration : Calibration or Temperature
        Likelihood ratios of the scores of two classes, or the probabilities of more.
    always : bool
        Also where no division is known; tracks without divisions add little to what single frames say of two classes.
    order : StageOrder, optional
        The order of stages, of more than two classes.
    error : float
        How often the classifier errs on held-out cells, of more than two classes.
    """

    calibration: Calibration | Temperature
    always: bool
    order: StageOrder | None = None
    error: float = 0.0


def one_law(folder: StudyFolder, name: str, law: int) -> tuple[Classifier, Evaluation]:
    """Return one law of scheme 4 as a classifier, and what is measured of it on the held-out cells.

    Raises
    ------
    InputError
        When there is no such law, or the held-out cells cannot be found again.
    """
    classifier = classifiers.load(folder, name)
    if classifier.scheme != 4 or not 0 <= law < classifier.members:
        raise InputError(
            f"{name} has {classifier.members if classifier.scheme == 4 else 'no'} laws; there is no law {law + 1}."
        )
    one = classifier.select(law)
    cells, targets = held_out(folder, name)
    groups = folder.crops.cells["group"].to_numpy(str)[cells]
    measured = measure(score_crops(one, folder.crops[cells]), targets, groups=groups)
    before = classifiers.record(folder, name).evaluation
    evaluation = Evaluation.measured(
        measured, before.split, before.training_cells, len(cells), len(set(groups))
    )
    return one, evaluation.model_copy(update={"law": law})


def all_models(folder: StudyFolder, name: str) -> tuple[Classifier, Evaluation | None]:
    """Return all models of a classifier, whose median is applied, and what is measured of it."""
    classifier, evaluation = classifiers.load(folder, name), classifiers.record(folder, name).evaluation
    if evaluation.law is None:
        return classifier, evaluation
    try:
        cells, targets = held_out(folder, name)
    except InputError:
        return classifier, None
    groups = folder.crops.cells["group"].to_numpy(str)[cells]
    measured = measure(score_crops(classifier, folder.crops[cells]), targets, groups=groups)
    found = Evaluation.measured(
        measured, evaluation.split, evaluation.training_cells, len(cells), len(set(groups))
    )
    return classifier, found


def applied(folder: StudyFolder, name: str) -> tuple[Classifier, Evaluation | None]:
    """Return what is applied of a classifier where nothing is chosen: of laws the first, else all models.

    The evaluation is None where only that of all laws together is known, and the held-out cells are no longer there.
    """
    classifier, evaluation = classifiers.load(folder, name), classifiers.record(folder, name).evaluation
    if classifier.scheme != 4:
        return classifier, evaluation
    if evaluation.law == 0 or classifier.members == 1:
        return classifier.select(0), evaluation
    try:
        return one_law(folder, name, 0)
    except InputError:
        return classifier.select(0), None


def along_tracks(
    folder: StudyFolder,
    name: str,
    wanted: bool | None,
    evaluation: Evaluation | None,
    order: StageOrder | None = None,
) -> AlongTracks | None:
    """Return what classification along tracks needs of a classifier; None where it is not ``wanted``.

    ``wanted`` is None for the default: along tracks wherever divisions are known and scores are calibrated, by
    ``evaluation``; of more than two classes also where the order of stages is known: ``order``, or that of the study.

    Raises
    ------
    InputError
        When it is wanted, and the classifier's scores could not be calibrated, the order of stages is not known, or the
        study's classes are conditions.
    """
    record = classifiers.record(folder, name)
    if order is not None:
        order.check(record.classes)
    if condition_record(folder) is not None:
        if wanted:
            raise InputError("The classes of this study are conditions, which stay the same along a track.")
        return None
    if wanted is False:
        return None
    calibration = None if evaluation is None else evaluation.calibration or evaluation.temperature
    if calibration is None:
        if wanted:
            raise InputError(
                f"The scores of {name} are not calibrated, which classification along tracks needs: its held-out cells "
                "have finite scores for one class only. Train it again, or classify frame by frame."
            )
        return None
    if record.two_classes:
        return AlongTracks(calibration, always=bool(wanted))
    order = order or stage_order(folder, record.classes)
    if order is None:
        if wanted:
            raise InputError(
                f"{name} tells {len(record.classes)} classes apart, and neither the study nor its labelled tracks say "
                "in which order a cell passes through them: give the stages in their order, or classify frame by frame."
            )
        return None
    assert evaluation is not None
    right = evaluation.ensemble_balanced_accuracy or evaluation.ensemble_accuracy.value
    return AlongTracks(calibration, bool(wanted), order, min(max(1 - right, LEAST_ERROR), MOST_ERROR))


def classify_set(
    classifier: Classifier,
    crop_set: CropSet,
    along: AlongTracks | None = None,
    monitor: Monitor = SILENT,
    evaluation: Evaluation | None = None,
    familiarity: Familiarity | None = None,
    adaptation: Adaptation | None = None,
) -> pd.DataFrame:
    """Score every crop of a set; the score is the models' median, ``evaluation`` makes probabilities of it.

    Crops that are far from the training cells, by ``familiarity``, are marked as unusual. Scores are those of the
    ``adaptation``, if there is one.
    """
    each = score_crops(classifier, crop_set.images, monitor=monitor)
    each = each if adaptation is None else adaptation.apply(each)
    unusual = None if familiarity is None else _unusual(familiarity, crop_set.images, each.shape[1])
    return _table(classifier, crop_set.cells, each, along, evaluation, unusual)


def unusual_cells(table: pd.DataFrame) -> str:
    """Say in a sentence how many cells of a table of scores are unusual."""
    if "unusual" not in table:
        return "Whether cells are like those of the training is not known: they are not in this study, or too few."
    count = int(table["unusual"].sum())
    if not count:
        return "None is unusual: all pictures are made like those of the training cells."
    share = f"{count} of {len(table)} ({count / max(1, len(table)):.1%})"
    return (
        f"Unusual, unlike 99 % of the training cells in grey levels, noise or sharpness: {share}. Do not trust their "
        "classes; they are marked in the column unusual."
    )


def _unusual(familiarity: Familiarity, images: Any, count: int) -> np.ndarray:
    """Mark the first ``count`` crops, bool (count,), read in parts so that they need not be in memory."""
    parts = [
        familiarity.unusual(np.array(images[begin : min(begin + BATCH, count)]))
        for begin in range(0, count, BATCH)
    ]
    return np.concatenate([np.zeros(0, bool), *parts])


def _table(
    classifier: Classifier,
    cells: pd.DataFrame,
    each: np.ndarray,
    along: AlongTracks | None,
    evaluation: Evaluation | None,
    unusual: np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the table of scores of every model, (members, n[, classes]); shorter than ``cells`` after a stop."""
    scores, classes = median_score(each), classifier.classes
    numbers = classes_of_scores(scores, len(classes))
    probabilities = None if evaluation is None else evaluation.probabilities(scores)
    if probabilities is None:
        probabilities = np.full((len(scores), len(classes)), np.nan)
    named = np.array([*classes, UNDEFINED], dtype=object)
    table = cells[["crop", "file", "track_id", "t", "y", "x"]].iloc[: len(scores)].copy()
    for column in ("track_id", "t"):
        table[column] = table[column].astype("Int64").mask(table[column] < 0)
    table["score"] = scores if len(classes) == 2 else margins(scores)
    table["class"] = named[numbers]
    table["probability"] = np.where(
        numbers >= 0, probabilities[np.arange(len(numbers)), np.maximum(numbers, 0)], np.nan
    )
    if len(classes) > 2:
        for number, name in enumerate(classes):
            table[f"score_{name}"] = scores[:, number]
        for number, name in enumerate(classes):
            table[f"probability_{name}"] = probabilities[:, number]
    for column in SOURCE_IDS:
        if column in cells:
            table[column] = cells[column].iloc[: len(scores)]
    if unusual is not None:
        table["unusual"] = unusual
    scored = cells.iloc[: len(scores)]
    if along is not None:
        _add_track_classes(table, scored, scores, along, classes)
    return table


def _add_track_classes(
    table: pd.DataFrame,
    cells: pd.DataFrame,
    scores: np.ndarray,
    along: AlongTracks,
    classes: tuple[str, ...],
) -> None:
    """Put the classes along tracks, and their probabilities, in the place of those of single frames."""
    tracked = cells["track_id"].to_numpy() >= 0
    tracks = cells["track_id"].to_numpy()[tracked]
    named = np.array([*classes, UNDEFINED], dtype=object)
    if along.order is None:
        if not (along.always or len(divisions(cells[tracked]))):
            return
        assert isinstance(along.calibration, Calibration)
        positive, _ = classify_tracks(cells[tracked], scores[tracked], along.calibration)
        numbers, probability = predicted_classes(positive - 0.5), np.stack([1 - positive, positive], axis=1)
    else:
        if not (along.always or len(np.unique(tracks)) < len(tracks)):
            return
        numbers, probability, _ = classify_stages(
            cells[tracked],
            along.calibration.probabilities(scores[tracked]),
            classes,
            along.order,
            along.error,
        )
        for number, name in enumerate(classes):
            table.loc[tracked, f"probability_{name}"] = probability[:, number]
    table["frame_class"] = table["class"]
    table.loc[tracked, "class"] = named[numbers]
    table.loc[tracked, "probability"] = probability[np.arange(len(numbers)), numbers]


def classify_movie(
    folder: StudyFolder,
    classifier: Classifier,
    inputs: Inputs,
    config: CropConfig,
    along: AlongTracks | None = None,
    monitor: Monitor = SILENT,
    evaluation: Evaluation | None = None,
    familiarity: Familiarity | None = None,
    adaptation: Adaptation | None = None,
) -> pd.DataFrame:
    """Cut every tracked cell of a movie and score it; the crops are not kept.

    Raises
    ------
    InputError
        When movie and tracks do not fit each other, or the movie's scale is not known and the models' is.
    """
    inputs.comparison.tell(monitor, config.force)
    if folder.sets:  # cut as the study's own crops were cut
        config = config.model_copy(update={"size": folder.crops.size, "brightness": folder.crops.brightness})
    config = at_scale(config, inputs.movie, model_scale(folder), monitor)
    cells = MovieCells(inputs.movie, inputs.tracks.table, config, monitor=monitor)
    compare_pixels(cells).tell(monitor, config.force)
    # One core per frame: two frames side by side take less time than one after another on two cores each.
    one_core = partial(torch.set_num_threads, 1)
    score = scorer(classifier)

    def process(crops: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return score(crops), None if familiarity is None else familiarity.unusual(crops)

    parts = [part for part, _ in cells.cut(monitor, process, available_cores(), one_core)]
    scores = np.concatenate([part for part, _ in parts], axis=1)
    scores = scores if adaptation is None else adaptation.apply(scores)
    marks = [mark for _, mark in parts if mark is not None]
    unusual = None if familiarity is None else np.concatenate(marks)
    return _table(classifier, cells.table, scores, along, evaluation, unusual)


def classify_folder(
    folder: StudyFolder,
    classifier: Classifier,
    crops: Path | str,
    along: AlongTracks | None = None,
    monitor: Monitor = SILENT,
    evaluation: Evaluation | None = None,
    familiarity: Familiarity | None = None,
    adaptation: Adaptation | None = None,
) -> pd.DataFrame:
    """Score every crop in the folder of a crop set, or in one of image files; those are not kept."""
    if (Path(crops) / "set.json").is_file():
        return classify_set(classifier, CropSet(crops), along, monitor, evaluation, familiarity, adaptation)
    own = {"size": folder.crops.size, "brightness": folder.crops.brightness} if folder.sets else {}
    with tempfile.TemporaryDirectory(prefix="morpholaw-") as place:
        config = ImportConfig(**own, classes={})
        crop_set = import_crops(crops, Path(place) / "crops", config, monitor)
        return classify_set(classifier, crop_set, along, monitor, evaluation, familiarity, adaptation)
