"""A study's results in other programs' formats: what :mod:`morpholaw.exchange` writes, out of the study's files."""

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
SHOWN = 8
"""Crops that a zoo package shows."""


@dataclass(frozen=True)
class Wanted:
    """What is to be exported; fields that a format has no use for are not looked at.

    Attributes
    ----------
    scheme : int or str, optional
        1 to 4, or the name of a classifier. The zoo gets the encoder without one, AnnData all classifiers.
    loss : {"hinge", "mse"}
        Of scheme 4's laws.
    law : int
        0 is the best.
    crops : str, optional
        Name of the crop set; needed where several would do.
    tracks : path, optional
        The TrackMate or btrack file that the set was cut with.
    along_tracks : bool, optional
        Write the classes that cells have with their whole track in view; by default wherever tracks show divisions.
    author, licence : str, optional
        For the zoo.
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
    wanted: Wanted,
    monitor: Monitor = SILENT,
) -> Path:
    """Write one file (a folder for GEFF), whole or not at all, and return where it is.

    Raises
    ------
    InputError
        The study lacks what is to be exported, or the format needs something more.
    InterruptedError
        ``should_stop`` said so; nothing was written.
    """
    if kind == "zoo":
        return _zoo(folder, out, wanted)
    if kind == "law":
        return _law(folder, out, wanted)
    if kind == "anndata":
        return _anndata(folder, out, wanted, monitor)
    if kind in ("trackmate", "btrack"):
        if wanted.tracks is None:
            raise InputError(f"The format {kind} writes a copy of the file of tracks; say which (tracks).")
        check_copy(Path(out), Path(wanted.tracks))  # before the cells are scored, which may take a while
        write = write_trackmate if kind == "trackmate" else write_btrack
        return write(out, _scores(folder, wanted, kind, monitor), wanted.tracks)
    if kind in ("csv", "geff"):
        return (write_scores if kind == "csv" else write_geff)(out, _scores(folder, wanted, kind, monitor))
    raise InputError(f"There is no format {kind!r}; expected {', '.join(get_args(Format))}.")


def _scores(folder: StudyFolder, wanted: Wanted, kind: str, monitor: Monitor) -> Scores:
    if wanted.scheme is None:
        raise InputError(
            f"The format {kind} holds the scores of one scheme; say which (scheme 1 to 4, or a name)."
        )
    name = name_of(wanted.scheme, wanted.loss)
    crop_set = _tracked_set(folder, wanted.crops)
    applied = _applied(folder, name, wanted)
    along = applied_classifier.along_tracks(folder, name, wanted.along_tracks, applied.evaluation)
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


def _applied(folder: StudyFolder, name: str, wanted: Wanted) -> AppliedClassifier:
    """Return what is applied of a classifier: of scheme 4 the law that is wanted, else all models."""
    law = wanted.law if wanted.law > 0 and classifiers.record(folder, name).scheme == 4 else None
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


def _law(folder: StudyFolder, out: Path | str, wanted: Wanted) -> Path:
    name = wanted.scheme if isinstance(wanted.scheme, str) else name_of(4, wanted.loss)
    classifier = classifiers.load(folder, name)
    if classifier.scheme != 4:
        raise InputError(f"{name} holds no laws; name some that do.")
    if not 0 <= wanted.law < classifier.members:
        raise InputError(
            f"The study {folder.path} has {classifier.members} laws called {name}; there is no law {wanted.law + 1}."
        )
    if len(classifier.classes) > 2:
        return _class_laws(folder, out, wanted.law, classifier)
    classes = (classifier.negative, classifier.positive)
    law = law_in_units(classifier.laws[wanted.law], classifier.columns)
    if Path(out).suffix == ".csv":
        reading = read_law(folder, classifier, wanted.law)
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
    """Return the columns of a table of cells that say which they are."""
    return {"cell": [str(cell) for cell in reading.index], "label": [str(one) for one in reading.labels]}


def _anndata(folder: StudyFolder, out: Path | str, wanted: Wanted, monitor: Monitor) -> Path:
    cells = folder.crops.cells  # says what is missing where there are no crops
    encoder = folder.encoder_record
    means, log_variances = encoders.latents(folder, monitor)
    if len(means) < len(cells):
        raise InterruptedError("The export was stopped; nothing was written.")
    ids = [c for c in SOURCE_IDS if c in cells]
    obs = cells[["set", "crop", "file", "track_id", "t", "y", "x", "group", *ids]].copy()
    for column in ("track_id", "t"):
        obs[column] = obs[column].astype("Int64").mask(obs[column] < 0)
    obs["label"] = np.concatenate([folder.annotations.labels_for(one) for one in folder.sets])
    one = None if wanted.scheme is None else name_of(wanted.scheme, wanted.loss)
    for name in classifiers.names(folder) if one is None else [one]:
        applied = AppliedClassifier(_applied(folder, name, wanted).classifier)
        tables = [_scored(applied, own, monitor) for own in folder.sets]
        table = pd.concat(tables, ignore_index=True)
        obs[f"score_{name}"], obs[f"class_{name}"] = table["score"], table["class"]
    obs.index = pd.Index(obs["set"] + "/" + obs["crop"].astype(str))
    names, meanings = [f"z{k}" for k in range(means.shape[1])], _meanings(folder)
    var = pd.DataFrame({"name": [meanings.get(name, "") for name in names]}, index=pd.Index(names))
    about = {"morpholaw_version": __version__, "study": folder.name, "encoder_sha256": encoder.sha256}
    return write_anndata(out, means, obs, var, {"log_variance": log_variances}, about)


def _zoo(folder: StudyFolder, out: Path | str, wanted: Wanted) -> Path:
    from morpholaw.exchange.zoo import About, write_zoo

    crop_set = _shown_set(folder, wanted.crops)
    normalisation = crop_set.normalisation or Normalisation(
        0.0, 255 / CEILING
    )  # drawn as bytes, of no camera
    some = np.unique(np.linspace(0, len(crop_set) - 1, SHOWN).astype(int))
    stored = (
        crop_set.cells["brightness"].to_numpy(np.float32)[some] if "brightness" in crop_set.cells else 1.0
    )
    raw = normalisation.invert(crop_set.images[some], stored)
    common: dict[str, Any] = {"author": wanted.author, "licence": wanted.licence}
    common["pixel_size"] = crop_set.record.scale
    if wanted.scheme is None:
        encoder, trained_on = encoders.of_study(folder), folder.encoder_record.crops
        about = About(
            name=f"Morpholaw encoder of {folder.name}",
            description=f"Encoder of a beta-TCVAE: a crop of one nucleus to the means of {encoder.latents} latents.",
            result=_latents_text(encoder.latents, _meanings(folder)),
            validation=f"It was trained on {trained_on or 'an unknown number of'} crops, without labels.",
            channels=tuple(f"z{k}" for k in range(encoder.latents)),
            **common,
        )
        return write_zoo(out, encoder, raw, normalisation, about)
    name = name_of(wanted.scheme, wanted.loss)
    applied = _applied(folder, name, wanted)
    classifier, evaluation = applied.classifier, applied.evaluation
    if classifier.columns is not None:
        raise InputError(
            f"{name} reads shapes, which are measured in the crop and are no part of a network; export the law itself "
            "(law) or its scores (csv)."
        )
    about = About(
        name=f"Morpholaw scheme {classifier.scheme} of {folder.name}",
        description=f"{classifier.name}: a crop of one nucleus to {_scores_words(classifier.classes)}.",
        result=_score_text(classifier),
        validation=_validation_text(evaluation),
        channels=("score",) if len(classifier.classes) == 2 else classifier.classes,
        **common,
    )
    return write_zoo(out, classifier, raw, normalisation, about)


def _shown_set(folder: StudyFolder, name: str | None) -> CropSet:
    """Return the crop set whose camera a package is for: the one called ``name``, or the largest."""
    if name is not None:
        return folder.crop_set(name)
    if not folder.sets:
        raise InputError(
            f"The study {folder.path} has no crops yet; a package shows some and has their grey scale."
        )
    return max(folder.sets, key=len)


def _latents_text(latents: int, meanings: dict[str, str]) -> str:
    named = "".join(f"\n- {name}: {meaning}" for name, meaning in meanings.items())
    return (
        f"The means of {latents} latents, `(batch, {latents})`: z0 to z{latents - 1}, in this order.{named}"
    )


def _scores_words(classes: tuple[str, ...]) -> str:
    if len(classes) == 2:
        return f"a score that tells {classes[0]} from {classes[1]}"
    return f"one score for each of {len(classes)} classes"


def _score_text(classifier: Classifier) -> str:
    if len(classifier.classes) > 2:
        return _class_scores_text(classifier)
    text = (
        f"A score f, `(batch, 1)`: below 0 is {classifier.negative}, 0 and above is {classifier.positive}; NaN where "
        "it is undefined. It is no probability."
    )
    if classifier.members > 1:
        text += f" It is the median of {classifier.members} models."
    return text + "".join(f"\n\n    f = {law.text()}" for law in classifier.laws)


def _class_scores_text(classifier: Classifier) -> str:
    names = ", ".join(classifier.classes)
    text = (
        f"One score per class, `(batch, {len(classifier.classes)})`, in this order: {names}. It is the logarithm of a "
        "softmax; the largest is the class, NaN where it is undefined. It is no calibrated probability."
    )
    if classifier.members > 1:
        text += f" It is the median of {classifier.members} models."
    if not classifier.laws:
        return text
    pairs = zip(classifier.classes, classifier.laws_of(0), strict=True)
    return text + "".join(f"\n\n    f({name}) = {law.text()}" for name, law in pairs)


def _validation_text(evaluation: Evaluation | None) -> str:
    if evaluation is None:
        return "It was not measured on held-out cells by itself."
    share = evaluation.ensemble_accuracy
    return (
        f"On {evaluation.test_cells} held-out cells, of tracks that no model was trained on, {share.value:.1%} were "
        f"classified correctly (95 % interval {share.low:.1%} to {share.high:.1%})."
    )
