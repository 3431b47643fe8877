"""Export of a study's models, laws and scores in the formats of :mod:`morpholaw.exchange`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from morpholaw import __version__
from morpholaw.cells.cells_table import SOURCE_IDS
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.normalise import CEILING, Normalisation
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.exchange.anndata import write_anndata
from morpholaw.exchange.btrack import write_btrack
from morpholaw.exchange.class_laws import write_class_laws
from morpholaw.exchange.formula_table import write_class_laws_table, write_law_table
from morpholaw.exchange.geff import write_geff
from morpholaw.exchange.law import write_law
from morpholaw.exchange.scores import Scores, check_copy, write_scores
from morpholaw.exchange.trackmate import write_trackmate
from morpholaw.interpretation.class_regions import read_inputs
from morpholaw.models.classifier import Classifier
from morpholaw.models.law_units import law_in_units
from morpholaw.store import classifiers, encoders
from morpholaw.store.classifier_record import name_of
from morpholaw.store.evaluation_record import Evaluation
from morpholaw.store.law_reading import LawReading, laws_in_units, read_law
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study import applied_classifier
from morpholaw.study.applied_classifier import AppliedClassifier
from morpholaw.study.classify_step import classify_set

Format = Literal["zoo", "law", "csv", "trackmate", "btrack", "geff", "anndata"]
EXAMPLE_CROPS = 8
"""Example crops in a BioImage Model Zoo package."""


@dataclass(frozen=True)
class ExportOptions:
    """Options of an export. Each format ignores those that do not apply to it.

    Attributes
    ----------
    scheme : int or str, optional
        Scheme, 1 to 4, or name of a classifier. Without it, "zoo" exports the encoder, and "anndata" the scores of
        all classifiers.
    loss : {"hinge", "mse"}
        Loss of the laws, if ``scheme`` is 4.
    law : int
        Index of the law; 0 is the first.
    crops : str, optional
        Name of the crop set; required if several sets have tracks.
    tracks : path, optional
        The TrackMate or btrack file that the crop set was cut with, of which a copy is written.
    along_tracks : bool, optional
        Export the classes predicted along tracks instead of frame by frame. By default, this is done if the tracks
        contain divisions.
    author, licence : str, optional
        Author and SPDX licence of a Model Zoo package.
    """

    scheme: int | str | None = None
    loss: Literal["hinge", "mse"] = "hinge"
    law: int = 0
    crops: str | None = None
    tracks: Path | str | None = None
    along_tracks: bool | None = None
    author: str | None = None
    licence: str | None = None


def export(
    folder: StudyFolder,
    kind: Format,
    out: Path | str,
    options: ExportOptions,
    monitor: Monitor = SILENT,
) -> Path:
    """Write one file (for GEFF, a folder) and return its path. Nothing is left behind after an error.

    Raises
    ------
    InputError
        If the study lacks what is to be exported, or the format needs further options.
    InterruptedError
        If the export was cancelled.
    """
    if kind == "zoo":
        return _zoo(folder, out, options)
    if kind == "law":
        return _law(folder, out, options)
    if kind == "anndata":
        return _anndata(folder, out, options, monitor)
    if kind in ("trackmate", "btrack"):
        if options.tracks is None:
            raise InputError(f"The format {kind} writes a copy of the file of tracks; say which (tracks).")
        check_copy(Path(out), Path(options.tracks))  # before the cells are scored, which can take long
        write = write_trackmate if kind == "trackmate" else write_btrack
        return write(out, _scores(folder, options, kind, monitor), options.tracks)
    if kind in ("csv", "geff"):
        return (write_scores if kind == "csv" else write_geff)(out, _scores(folder, options, kind, monitor))
    raise InputError(f"There is no format {kind!r}; expected {', '.join(get_args(Format))}.")


def _scores(folder: StudyFolder, options: ExportOptions, kind: str, monitor: Monitor) -> Scores:
    if options.scheme is None:
        raise InputError(
            f"The format {kind} holds the scores of one scheme; say which (scheme 1 to 4, or a name)."
        )
    name = name_of(options.scheme, options.loss)
    crop_set = _tracked_set(folder, options.crops)
    applied = _applied(folder, name, options)
    along = applied_classifier.along_tracks(folder, name, options.along_tracks, applied.evaluation)
    table = _scored(AppliedClassifier(applied.classifier, along=along), crop_set, monitor)
    table["parent"] = crop_set.cells["parent"]
    movie = crop_set.record.movie
    ids = [column for column in SOURCE_IDS if column in table]
    by_class = [column for column in table if column.startswith(("score_", "probability_"))]
    return Scores(
        table[["track_id", "t", "y", "x", "parent", "score", "class", *by_class, *ids]],
        applied.classifier.classes,
        applied.classifier.scheme,
        crop_set.name,
        _movie_pixel_size(crop_set),
        None if movie is None else movie.shape,
    )


def _applied(folder: StudyFolder, name: str, options: ExportOptions) -> AppliedClassifier:
    """Return the classifier with the chosen law of scheme 4, or with all its models."""
    law = options.law if options.law > 0 and classifiers.record(folder, name).scheme == 4 else None
    return applied_classifier.chosen(folder, name, law)


def _scored(applied: AppliedClassifier, crop_set: CropSet, monitor: Monitor) -> pd.DataFrame:
    table = classify_set(applied, crop_set, monitor)
    if len(table) < len(crop_set):
        raise InterruptedError("The export was stopped; nothing was written.")
    return table


def _tracked_set(folder: StudyFolder, name: str | None) -> CropSet:
    """Return the crop set called ``name``; without a name, the only one whose cells have tracks."""
    if name is not None:
        return folder.crop_set(name)
    tracked = [one for one in folder.sets if (one.cells["track_id"] >= 0).any()]
    if not tracked:
        raise InputError(
            f"The study {folder.path} has no crop set with tracks; scores keyed by track and frame need one that was "
            "cut from a movie."
        )
    if len(tracked) > 1:
        names = ", ".join(one.name for one in tracked)
        raise InputError(
            f"The study {folder.path} has {len(tracked)} crop sets with tracks; name one of {names}."
        )
    return tracked[0]


def _movie_pixel_size(crop_set: CropSet) -> float | None:
    return crop_set.record.movie_pixel_size or crop_set.record.pixel_size


def _meanings(folder: StudyFolder) -> dict[str, str]:
    return {f"z{latent}": name for latent, name in folder.latent_names.items()}


def _law(folder: StudyFolder, out: Path | str, options: ExportOptions) -> Path:
    name = options.scheme if isinstance(options.scheme, str) else name_of(4, options.loss)
    classifier = classifiers.load(folder, name)
    if classifier.scheme != 4:
        raise InputError(f"{name} holds no laws; name some that do.")
    if not 0 <= options.law < classifier.members:
        raise InputError(
            f"The study {folder.path} has {classifier.members} laws called {name}; there is no law {options.law + 1}."
        )
    if len(classifier.classes) > 2:
        return _class_laws(folder, out, options.law, classifier)
    classes = (classifier.negative, classifier.positive)
    law = law_in_units(classifier.laws[options.law], classifier.columns)
    if Path(out).suffix == ".csv":
        reading = read_law(folder, classifier, options.law)
        values = reading.cells.select(law.expression.variables())
        return write_law_table(out, law, classes, values, _about(reading))
    return write_law(out, law, classes, _meanings(folder))


def _class_laws(folder: StudyFolder, out: Path | str, k: int, classifier: Classifier) -> Path:
    laws = laws_in_units(classifier, k)
    if Path(out).suffix == ".csv":
        reading = read_law(folder, classifier, k, laws.classes[0])
        values = reading.cells.select(read_inputs(laws))
        return write_class_laws_table(out, laws, values, _about(reading))
    return write_class_laws(out, laws, _meanings(folder))


def _about(reading: LawReading) -> dict[str, list[str]]:
    """Return the columns of a table of cells that identify them."""
    return {"cell": [str(cell) for cell in reading.index], "label": [str(one) for one in reading.labels]}


def _anndata(folder: StudyFolder, out: Path | str, options: ExportOptions, monitor: Monitor) -> Path:
    cells = folder.crops.cells  # raises if there are no crops
    encoder = folder.encoder_record
    means, log_variances = encoders.latents(folder, monitor)
    if len(means) < len(cells):
        raise InterruptedError("The export was stopped; nothing was written.")
    ids = [c for c in SOURCE_IDS if c in cells]
    obs = cells[["set", "crop", "file", "track_id", "t", "y", "x", "group", *ids]].copy()
    for column in ("track_id", "t"):
        obs[column] = obs[column].astype("Int64").mask(obs[column] < 0)
    obs["label"] = np.concatenate([folder.annotations.labels_for(crop_set) for crop_set in folder.sets])
    chosen = None if options.scheme is None else name_of(options.scheme, options.loss)
    for name in classifiers.names(folder) if chosen is None else [chosen]:
        applied = AppliedClassifier(_applied(folder, name, options).classifier)
        tables = [_scored(applied, crop_set, monitor) for crop_set in folder.sets]
        table = pd.concat(tables, ignore_index=True)
        obs[f"score_{name}"], obs[f"class_{name}"] = table["score"], table["class"]
    obs.index = pd.Index(obs["set"] + "/" + obs["crop"].astype(str))
    names, meanings = [f"z{k}" for k in range(means.shape[1])], _meanings(folder)
    var = pd.DataFrame({"name": [meanings.get(name, "") for name in names]}, index=pd.Index(names))
    about = {"morpholaw_version": __version__, "study": folder.name, "encoder_sha256": encoder.sha256}
    return write_anndata(out, means, obs, var, {"log_variance": log_variances}, about)


def _zoo(folder: StudyFolder, out: Path | str, options: ExportOptions) -> Path:
    from morpholaw.exchange.zoo import About, write_zoo

    crop_set = _shown_set(folder, options.crops)
    # Crops that were drawn as bytes have no camera's grey scale.
    normalisation = crop_set.normalisation or Normalisation(0.0, 255 / CEILING)
    examples = np.unique(np.linspace(0, len(crop_set) - 1, EXAMPLE_CROPS).astype(int))
    brightness = (
        crop_set.cells["brightness"].to_numpy(np.float32)[examples] if "brightness" in crop_set.cells else 1.0
    )
    raw = normalisation.invert(crop_set.images[examples], brightness)
    common: dict[str, Any] = {"author": options.author, "licence": options.licence}
    common["pixel_size"] = crop_set.record.scale
    if options.scheme is None:
        encoder, trained_on = encoders.of_study(folder), folder.encoder_record.crops
        labels = "without" if folder.encoder_record.task is None else "partly with"
        about = About(
            name=f"Morpholaw encoder of {folder.name}",
            description=f"Encoder of a beta-TCVAE: maps a crop of one nucleus to {encoder.latents} latents.",
            result=_latents_text(encoder.latents, _meanings(folder)),
            validation=f"The encoder was trained on {trained_on or 'an unknown number of'} crops, {labels} labels.",
            channels=tuple(f"z{k}" for k in range(encoder.latents)),
            **common,
        )
        return write_zoo(out, encoder, raw, normalisation, about)
    name = name_of(options.scheme, options.loss)
    applied = _applied(folder, name, options)
    classifier, evaluation = applied.classifier, applied.evaluation
    if classifier.columns is not None:
        raise InputError(
            f"{name} reads measured shapes, which are not part of a network; export the law itself (law) or its "
            "scores (csv)."
        )
    about = About(
        name=f"Morpholaw scheme {classifier.scheme} of {folder.name}",
        description=f"{classifier.name}: maps a crop of one nucleus to {_scores_words(classifier.classes)}.",
        result=_score_text(classifier),
        validation=_validation_text(evaluation),
        channels=("score",) if len(classifier.classes) == 2 else classifier.classes,
        **common,
    )
    return write_zoo(out, classifier, raw, normalisation, about)


def _shown_set(folder: StudyFolder, name: str | None) -> CropSet:
    """Return the crop set whose grey scale a package uses: the one called ``name``, or the largest."""
    if name is not None:
        return folder.crop_set(name)
    if not folder.sets:
        raise InputError(
            f"The study {folder.path} has no crops yet; a package needs some as examples and for the grey scale."
        )
    return max(folder.sets, key=len)


def _latents_text(latents: int, meanings: dict[str, str]) -> str:
    named = "".join(f"\n- {name}: {meaning}" for name, meaning in meanings.items())
    return (
        f"The means of {latents} latents, `(batch, {latents})`: z0 to z{latents - 1}, in this order.{named}"
    )


def _scores_words(classes: tuple[str, ...]) -> str:
    if len(classes) == 2:
        return f"a score that distinguishes {classes[0]} from {classes[1]}"
    return f"one score for each of {len(classes)} classes"


def _score_text(classifier: Classifier) -> str:
    if len(classifier.classes) > 2:
        return _class_scores_text(classifier)
    text = (
        f"A score f, `(batch, 1)`: below 0 is {classifier.negative}, 0 and above is {classifier.positive}; NaN where "
        "it is undefined. The score is not a probability."
    )
    if classifier.members > 1:
        text += f" It is the median of {classifier.members} models."
    return text + "".join(f"\n\n    f = {law.text()}" for law in classifier.laws)


def _class_scores_text(classifier: Classifier) -> str:
    names = ", ".join(classifier.classes)
    text = (
        f"One score per class, `(batch, {len(classifier.classes)})`, in this order: {names}. The scores are the "
        "logarithm of a softmax; the largest is the class, NaN where it is undefined. They are not calibrated."
    )
    if classifier.members > 1:
        text += f" Each is the median of {classifier.members} models."
    if not classifier.laws:
        return text
    pairs = zip(classifier.classes, classifier.laws_of(0), strict=True)
    return text + "".join(f"\n\n    f({name}) = {law.text()}" for name, law in pairs)


def _validation_text(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return "This law was not evaluated on held-out cells by itself."
    share = evaluation.ensemble_accuracy
    return (
        f"Of {evaluation.test_cells} held-out cells, from tracks that no model was trained on, {share.value:.1%} were "
        f"classified correctly (95 % confidence interval {share.low:.1%} to {share.high:.1%})."
    )
