"""Methods of a study for its crops."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.inputs import open_inputs
from morpholaw.config import (
    CropConfig,
    ImportConfig,
)
from morpholaw.events import SILENT, Monitor
from morpholaw.progress_bar import shows_progress
from morpholaw.store.condition_record import tell_condition_notes

if TYPE_CHECKING:
    from morpholaw.study.study import Study


@shows_progress
def crop(
    study: Study,
    movie: Any,
    tracks: Any,
    *,
    labels: Path | str | None = None,
    name: str | None = None,
    replace: bool = False,
    config: CropConfig | None = None,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> CropSet:
    """Cut a crop around every tracked cell of a movie into a new crop set.

    Movie, tracks, labels and pixels are compared first; :func:`morpholaw.inspect_inputs` shows what is found.

    Parameters
    ----------
    movie : path or array
        TIFF or OME-TIFF stack, folder of frames, OME-Zarr, or an array (t, y, x).
    tracks : path, array or DataFrame
        Anything :func:`morpholaw.read_tracks` reads, or a table of tracks.
    labels : path, optional
        CSV with a label column, keyed by track_id and t.
    name : str, optional
        The set's name; by default the movie's.
    replace : bool
        Replace the set that was cut from the same movie before; classes given by hand stay with their cells.
    config : CropConfig, optional
        Settings; the defaults where it is left out.
    monitor : Monitor
        Progress, warnings and cancellation.
    **settings
        Settings of :class:`morpholaw.CropConfig`, among them ``size`` (64 pixels), ``edge`` ("background",
        "reflect" or "drop"), ``brightness`` ("cell" or "source"), ``pixel_size`` and ``model_pixel_size``
        (micrometres per pixel), and ``channel`` where a movie has several.

    Returns
    -------
    CropSet
        The new crop set.

    Raises
    ------
    InputError
        When something cannot be read or does not fit; nothing is left behind.
    InterruptedError
        When the monitor asked to stop; nothing is left behind.
    """
    config = CropConfig.of(config, settings)
    from morpholaw.study import crop_step

    inputs = open_inputs(movie, tracks, config, name)
    return crop_step.crop(study, inputs, config, labels, name, replace, monitor)


@shows_progress
def import_crops(
    study: Study,
    folder: Path | str,
    *,
    name: str | None = None,
    config: ImportConfig | None = None,
    monitor: Monitor = SILENT,
    **settings: Any,
) -> CropSet:
    """Import a folder of crops, labelled by subfolder, into a new crop set.

    Parameters
    ----------
    folder : path
        Image files, one per cell, in subfolders where they have classes.
    name : str, optional
        The set's name; by default the folder's.
    config : ImportConfig, optional
        Settings; the defaults where it is left out.
    monitor : Monitor
        Progress, warnings and cancellation.
    **settings
        Settings of :class:`morpholaw.ImportConfig`: ``classes`` (class name to a list of subfolders),
        ``group_regex`` (the part of a path that names the movie or track), ``size`` (64 pixels), ``brightness``
        and ``pixel_size``.

    Returns
    -------
    CropSet
        The new crop set.

    Raises
    ------
    InputError
        When an image cannot be used, or the scale is not that of the study; nothing is left behind.
    """
    from morpholaw.study import crop_step

    config = ImportConfig.of(config, settings)
    return crop_step.import_folder(study, folder, config, name, monitor)


def rename_set(study: Study, name: str, new_name: str) -> CropSet:
    """Rename a crop set; its annotations and cached latents go with it.

    Parameters
    ----------
    name, new_name : str
        The set's name, and the one that it gets: letters, digits, "-", "_" and ".".

    Returns
    -------
    CropSet

    Raises
    ------
    InputError
        When there is no such set, or the new name is taken or cannot be a folder's name.
    """
    from morpholaw.study import set_step

    with study.writing():
        return set_step.rename(study, name, new_name)


def delete_set(study: Study, name: str) -> None:
    """Delete a crop set with its annotations and cached latents; models that were trained on it stay.

    Parameters
    ----------
    name : str
        The set's name; a damaged set can be deleted too.

    Raises
    ------
    InputError
        When there is no such set.
    """
    from morpholaw.study import set_step

    with study.writing():
        set_step.delete(study, name)


@shows_progress
def condition_study(
    study: Study, out: Path | str, conditions: Path | str | pd.DataFrame, *, monitor: Monitor = SILENT
) -> Study:
    """Make a study whose classes are conditions, to find what separates treated from untreated cells.

    The new study has the crops of the movies in the table, each cell with its movie's condition as its class, and
    this study's encoder. Classifiers, laws, baselines, interventions and the report are those of any study. Whole
    replicates are held out for testing, never some of the cells of a movie; where a condition has one replicate
    that is impossible, and the new study says what its accuracy then means.

    Parameters
    ----------
    out : path
        A new or empty folder.
    conditions : path or DataFrame
        A table with the columns ``movie`` (the name of a crop set), ``condition`` and ``replicate``.
    monitor : Monitor
        Receives what limits the results.

    Returns
    -------
    Study
        The new study.

    Raises
    ------
    InputError
        When the table is wrong or has one condition, or something else is at ``out``; nothing is left behind.
    """
    from morpholaw.evaluation.conditions import given_conditions
    from morpholaw.study.condition_study_step import copy_as_conditions
    from morpholaw.study.crop_step import removed_on_failure

    found = given_conditions(conditions, [one.name for one in study.sets])
    with removed_on_failure(Path(out)):
        study_of_conditions = type(study).create(out, classes=found.names)
        copy_as_conditions(study, found, study_of_conditions)
        if study.has_encoder:
            study_of_conditions.load_encoder(study.path / "encoder")
    tell_condition_notes(study_of_conditions, monitor)
    return study_of_conditions


def shapes(study: Study, neighbourhood: bool = False) -> pd.DataFrame:
    """Measure the nucleus of every crop, in micrometres where the study's scale is known.

    Parameters
    ----------
    neighbourhood : bool
        Also measure the other nuclei in the crop.

    Returns
    -------
    DataFrame
        One row per crop in the order of :attr:`crops`, and one column per shape
        (:func:`morpholaw.cells.shape_features.shape_features`); NaN where the crop shows no nucleus.

    Raises
    ------
    InputError
        When there are no crops.
    """
    from morpholaw.cells.shape_features import measure_features
    from morpholaw.study.scale import model_scale

    scale = model_scale(study)
    pixel_size = None if scale is None else scale.pixel_size
    crops = study.crops
    parts = [
        measure_features(crops[np.arange(i, min(i + 4096, len(crops)))], pixel_size, neighbourhood)
        for i in range(0, len(crops), 4096)
    ]
    return pd.concat(parts, ignore_index=True)
