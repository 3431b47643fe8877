"""Apply a study's models to cells: a table of scores and classes, one row a cell.

A class is the sign of a score (eq. 2), or, ``along`` tracks, the likeliest one with the cell's whole track in view; the
sign's is then kept as ``frame_class``.
"""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path
from typing import NamedTuple

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
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.crop_scores import score_crops, scorer
from morpholaw.evaluation.performance import median_score
from morpholaw.evaluation.track_hmm import classify_tracks
from morpholaw.events import SILENT, Monitor
from morpholaw.models.classes import predicted_classes
from morpholaw.models.classifier import Classifier
from morpholaw.store import classifiers
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.scale import at_scale, model_scale
from morpholaw.training.cores import available_cores

COLUMNS = ("crop", "file", "track_id", "t", "y", "x", "score", "class")
"""Columns of a table of scores; empty where one does not apply. The ids of the tracks' own file stand beside them."""
UNDEFINED = "undefined"
"""The class of a cell whose score is not a finite number."""


class AlongTracks(NamedTuple):
    """How cells are classified with their whole tracks in view.

    Attributes
    ----------
    calibration : Calibration
        Likelihood ratios of the classifier's scores.
    always : bool
        Also where no division is known; tracks without divisions add little to what single frames say.
    """

    calibration: Calibration
    always: bool


def along_tracks(folder: StudyFolder, name: str, wanted: bool | None) -> AlongTracks | None:
    """Return what classification along tracks needs of a classifier; None where it is not ``wanted``.

    ``wanted`` is None for the default: along tracks wherever divisions are known and scores are calibrated.

    Raises
    ------
    InputError
        When it is wanted, and the classifier's scores could not be calibrated.
    """
    calibration = None if wanted is False else classifiers.record(folder, name).evaluation.calibration
    if calibration is None:
        if wanted:
            raise InputError(
                f"The scores of {name} are not calibrated, which classification along tracks needs: its held-out cells "
                "have finite scores for one class only. Train it again, or classify frame by frame."
            )
        return None
    return AlongTracks(calibration, always=bool(wanted))


def classify_set(
    classifier: Classifier,
    crop_set: CropSet,
    along: AlongTracks | None = None,
    monitor: Monitor = SILENT,
) -> pd.DataFrame:
    """Score every crop of a set; the score is the models' median."""
    each = score_crops(classifier, crop_set.images, monitor=monitor)
    return _table(classifier, crop_set.cells, each, along)


def _table(
    classifier: Classifier, cells: pd.DataFrame, each: np.ndarray, along: AlongTracks | None
) -> pd.DataFrame:
    """Return the table of scores of every model, (members, n); shorter than ``cells`` after a stop."""
    scores = median_score(each)
    named = np.array([classifier.negative, classifier.positive, UNDEFINED], dtype=object)
    table = cells[["crop", "file", "track_id", "t", "y", "x"]].iloc[: len(scores)].copy()
    for column in ("track_id", "t"):
        table[column] = table[column].astype("Int64").mask(table[column] < 0)
    table["score"] = scores
    table["class"] = named[predicted_classes(scores)]
    for column in SOURCE_IDS:
        if column in cells:
            table[column] = cells[column].iloc[: len(scores)]
    scored = cells.iloc[: len(scores)]
    tracked = scored["track_id"].to_numpy() >= 0
    if along is not None and (along.always or len(divisions(scored[tracked]))):
        probability, _ = classify_tracks(scored[tracked], scores[tracked], along.calibration)
        table["frame_class"] = table["class"]
        table.loc[tracked, "class"] = named[predicted_classes(probability - 0.5)]
    return table


def classify_movie(
    folder: StudyFolder,
    classifier: Classifier,
    inputs: Inputs,
    config: CropConfig,
    along: AlongTracks | None = None,
    monitor: Monitor = SILENT,
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
    frames = cells.cut(monitor, scorer(classifier), available_cores(), one_core)
    parts = [scores for scores, _ in frames]
    return _table(classifier, cells.table, np.concatenate(parts, axis=1), along)


def classify_folder(
    folder: StudyFolder,
    classifier: Classifier,
    crops: Path | str,
    along: AlongTracks | None = None,
    monitor: Monitor = SILENT,
) -> pd.DataFrame:
    """Score every crop in the folder of a crop set, or in one of image files; those are not kept."""
    if (Path(crops) / "set.json").is_file():
        return classify_set(classifier, CropSet(crops), along, monitor)
    own = {"size": folder.crops.size, "brightness": folder.crops.brightness} if folder.sets else {}
    with tempfile.TemporaryDirectory(prefix="morpholaw-") as place:
        config = ImportConfig(**own, classes={})
        crop_set = import_crops(crops, Path(place) / "crops", config, monitor)
        return classify_set(classifier, crop_set, along, monitor)
