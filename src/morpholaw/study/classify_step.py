"""Application of a study's models to cells, which gives a table of scores and classes with one row per cell.

With two classes, the class is the sign of the score (eq. 2); with more, that of the largest score. Along tracks, the
class is the most probable one given the whole track, and the class of the single frame is kept as ``frame_class``.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.cells_table import SOURCE_IDS
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.import_crops import import_crops, stated_pixel_size
from morpholaw.cells.inputs import Inputs, compare_pixels
from morpholaw.cells.movie_cells import MovieCells
from morpholaw.cells.tracks import divisions
from morpholaw.config import CropConfig, ImportConfig
from morpholaw.display import counted, percent
from morpholaw.errors import InputError
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.crop_scores import score_crops, thread_scorer
from morpholaw.evaluation.familiarity import Familiarity, advice_on_unusual
from morpholaw.evaluation.performance import margins, median_score
from morpholaw.evaluation.stage_hmm import classify_stages
from morpholaw.evaluation.track_hmm import classify_tracks
from morpholaw.events import SILENT, Monitor
from morpholaw.models.classes import UNDEFINED, classes_of_scores, predicted_classes
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.applied_classifier import AlongTracks, AppliedClassifier
from morpholaw.study.scale import at_scale, model_scale
from morpholaw.training.cores import available_cores

BATCH = 512
"""Number of crops that are compared with the training cells at once."""


def classify_set(applied: AppliedClassifier, crop_set: CropSet, monitor: Monitor = SILENT) -> pd.DataFrame:
    """Score every crop of a set with the median of the models."""
    each = score_crops(applied.classifier, crop_set.images, monitor=monitor)
    unusual = None
    if applied.familiarity is not None:
        unusual = _unusual(applied.familiarity, crop_set.images, each.shape[1])
    return _table(applied, crop_set.cells, each, unusual)


def classify_study(
    folder: StudyFolder, for_set: Callable[[str], AppliedClassifier], monitor: Monitor = SILENT
) -> pd.DataFrame:
    """Score every crop of a study, each set with its own classifier. The first column is ``set``."""
    tables = []
    for crop_set in folder.sets:
        table = classify_set(for_set(crop_set.name), crop_set, monitor)
        table.insert(0, "set", crop_set.name)
        tables.append(table)
    if not tables:
        raise InputError(f"The study {folder.path} has no crops to classify; cut or import some first.")
    return pd.concat(tables, ignore_index=True)


def unusual_cells(table: pd.DataFrame) -> str:
    """Return a sentence on how many cells of a table of scores are unusual."""
    if "unusual" not in table:
        return (
            "The training cells are not in this study, or too few, so it is unknown which cells are unusual."
        )
    count = int(table["unusual"].sum())
    if not count:
        return "No cell is unusual: all images resemble those of the training cells."
    share = f"{count} of {len(table)} ({percent(count / max(1, len(table)))})"
    advice = advice_on_unusual(count, len(table))
    return (
        f"Unusual cells: {share}. Their images differ more from the training cells, in grey levels, noise or "
        "sharpness, than 99 % of these do, so the accuracy on held-out cells may not hold for them; label some of them "
        f"to measure it. They are marked in the column unusual. {advice}"
    )


def unsure_cells(table: pd.DataFrame, rare: bool = False) -> str:
    """Return a sentence on how many cells of two classes have a probability below 0.5; "" if there are none.

    ``rare`` means that the probabilities are those at a stated prevalence.
    """
    count = int((table["probability"] < 0.5).sum())
    if not count or any(name.startswith("probability_") for name in table):
        return ""
    some = f"{count} of {counted(len(table), 'cell')} {'has' if count == 1 else 'have'} a probability below 0.5 for"
    if rare:
        return (
            f"{some} their predicted class at the stated prevalence. The prevalence changes probabilities only, not "
            "classes, so most of these predictions are probably wrong."
        )
    return (
        f"{some} their own class. The class is the sign of the score, whereas the probability is calibrated on "
        "held-out cells. Check these cells first."
    )


def _unusual(familiarity: Familiarity, images: Any, count: int) -> np.ndarray:
    """Return whether each of the first ``count`` crops is unusual, bool (count,). Crops are read in batches."""
    parts = [
        familiarity.unusual(np.array(images[begin : min(begin + BATCH, count)]))
        for begin in range(0, count, BATCH)
    ]
    return np.concatenate([np.zeros(0, bool), *parts])


def _table(
    applied: AppliedClassifier, cells: pd.DataFrame, each: np.ndarray, unusual: np.ndarray | None
) -> pd.DataFrame:
    """Return the table for scores of all models, (members, n[, classes]); shorter than ``cells`` if cancelled."""
    each = each if applied.adaptation is None else applied.adaptation.apply(each)
    scores, classes = median_score(each), applied.classifier.classes
    numbers = classes_of_scores(scores, len(classes))
    probabilities = applied.probabilities(scores)
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
    if applied.along is not None:
        _add_track_classes(table, scored, scores, applied.along, classes)
    return table


def _add_track_classes(
    table: pd.DataFrame,
    cells: pd.DataFrame,
    scores: np.ndarray,
    along: AlongTracks,
    classes: tuple[str, ...],
) -> None:
    """Replace the classes of single frames and their probabilities by those along tracks."""
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
    applied: AppliedClassifier,
    inputs: Inputs,
    config: CropConfig,
    monitor: Monitor = SILENT,
) -> pd.DataFrame:
    """Cut and score every tracked cell of a movie. The crops are not stored.

    Raises
    ------
    InputError
        If the movie and the tracks do not match, or the scale of the movie is unknown and that of the models is known.
    """
    inputs.comparison.tell(monitor, config.force)
    if folder.sets:  # cut as the study's own crops were cut
        config = config.model_copy(update={"size": folder.crops.size, "brightness": folder.crops.brightness})
    config = at_scale(config, inputs.movie, model_scale(folder), monitor)
    cells = MovieCells(inputs.movie, inputs.tracks.table, config, monitor=monitor)
    compare_pixels(cells).tell(monitor, config.force)
    score, familiarity = thread_scorer(applied.classifier), applied.familiarity

    def process(crops: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        return score(crops), None if familiarity is None else familiarity.unusual(crops)

    parts = [part for part, _ in cells.cut(monitor, process, available_cores())]
    scores = np.concatenate([part for part, _ in parts], axis=1)
    marks = [mark for _, mark in parts if mark is not None]
    unusual = None if familiarity is None else np.concatenate(marks)
    return _table(applied, cells.table, scores, unusual)


def classify_folder(
    folder: StudyFolder,
    applied: AppliedClassifier,
    crops: Path | str,
    pixel_size: float | None = None,
    monitor: Monitor = SILENT,
) -> pd.DataFrame:
    """Score every crop of a crop set or of a folder of image files, given by its folder. Images are not stored.

    Raises
    ------
    InputError
        If the scale of the crops differs from that of the study. An unknown scale is only a warning.
    """
    crops, scale = Path(crops), model_scale(folder)
    if (crops / "set.json").is_file():
        crop_set = CropSet(crops)
        if scale is not None:
            scale.check(pixel_size or crop_set.record.scale, f"the crops of {crop_set.name}", monitor)
        return classify_set(applied, crop_set, monitor)
    own = {"size": folder.crops.size, "brightness": folder.crops.brightness} if folder.sets else {}
    with tempfile.TemporaryDirectory(prefix="morpholaw-") as place:
        config = ImportConfig(**own, classes={}, pixel_size=pixel_size)
        config = config.model_copy(update={"pixel_size": stated_pixel_size(crops, config, monitor)})
        if scale is not None:
            scale.check(config.pixel_size, f"the images in {crops}", monitor)
        crop_set = import_crops(crops, Path(place) / "crops", config, monitor, to_split=False)
        return classify_set(applied, crop_set, monitor)
