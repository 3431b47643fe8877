"""Methods of a study that create, rename, delete and measure its crop sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.inputs import open_inputs
from morpholaw.config import CropConfig, ImportConfig
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
    """Cut a crop around each cell of a tracked movie, in every frame, and store them as a new crop set.

    Before anything is cut, the movie, tracks and labels are checked against each other and against the pixels.
    :func:`morpholaw.inspect_inputs` shows the result of these checks.

    Parameters
    ----------
    movie : path or array
        TIFF or OME-TIFF stack, folder of frames, OME-Zarr, or an array (t, y, x).
    tracks : path, array or DataFrame
        A file in any format that :func:`morpholaw.read_tracks` reads, label images, or a table of tracks.
    labels : path, optional
        CSV file with the columns ``track_id``, ``t`` and ``label``.
    name : str, optional
        Name of the crop set. The default is the name of the movie.
    replace : bool
        Replace a set that was cut earlier from the same movie. Labels given by hand are kept.
    config : CropConfig, optional
        Settings. Keyword arguments take precedence.
    monitor : Monitor
        Receives progress and warnings, and can cancel.
    **settings
        Settings of :class:`morpholaw.CropConfig`, which lists all of them. The most important are

        - ``size`` (64): width of a crop in pixels;
        - ``pixel_size``: micrometres per pixel of the movie, if its file does not say;
        - ``model_pixel_size``: micrometres per pixel of the crops, if they are to be resampled;
        - ``edge`` ("background", "reflect" or "drop"): treatment of cells at the edge of a frame;
        - ``brightness`` ("cell" or "source"): whether grey values are normalised per cell or per movie;
        - ``channel``: channel of a movie that has several.

    Returns
    -------
    CropSet
        The new crop set.

    Raises
    ------
    InputError
        If a file cannot be read, or the inputs do not match. No crop set is left behind.
    InterruptedError
        If the step was cancelled. No crop set is left behind.
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
    """Import a folder of images, one per cell, as a new crop set. Subfolders give the classes.

    Parameters
    ----------
    folder : path
        Folder of image files, one per cell, optionally in one subfolder per class.
    name : str, optional
        Name of the crop set. The default is the name of the folder.
    config : ImportConfig, optional
        Settings. Keyword arguments take precedence.
    monitor : Monitor
        Receives progress and warnings, and can cancel.
    **settings
        Settings of :class:`morpholaw.ImportConfig`, which lists all of them. The most important are

        - ``classes``: mapping from class names to lists of subfolders; other subfolders are imported without a class;
        - ``group_regex``: regular expression for the part of a path that names the movie or track; images of one
          group are never split between training and test set;
        - ``size`` (64): width of a crop in pixels;
        - ``pixel_size``: micrometres per pixel of the images;
        - ``brightness`` ("cell" or "source"): whether grey values are normalised per cell or per folder.

    Returns
    -------
    CropSet
        The new crop set.

    Raises
    ------
    InputError
        If an image cannot be used, or the scale differs from that of the study. No crop set is left behind.
    """
    from morpholaw.study import crop_step

    config = ImportConfig.of(config, settings)
    return crop_step.import_folder(study, folder, config, name, monitor)


def rename_set(study: Study, name: str, new_name: str) -> CropSet:
    """Rename a crop set, together with its labels and stored latents.

    Parameters
    ----------
    name : str
        Present name of the set.
    new_name : str
        New name: letters, digits, "-", "_" and ".".

    Returns
    -------
    CropSet
        The renamed set.

    Raises
    ------
    InputError
        If there is no such set, or the new name is in use or not a valid folder name.
    """
    from morpholaw.study import set_step

    with study.writing():
        return set_step.rename(study, name, new_name)


def delete_set(study: Study, name: str) -> None:
    """Delete a crop set, its labels and its stored latents. Models trained on it are kept.

    Parameters
    ----------
    name : str
        Name of the set, which may be damaged.

    Raises
    ------
    InputError
        If there is no such set.
    """
    from morpholaw.study import set_step

    with study.writing():
        set_step.delete(study, name)


@shows_progress
def condition_study(
    study: Study, out: Path | str, conditions: Path | str | pd.DataFrame, *, monitor: Monitor = SILENT
) -> Study:
    """Create a study whose classes are experimental conditions, to find what separates them.

    The new study contains the crops of the movies in the table, labelled with the condition of their movie, and this
    study's encoder. It is used like any other study. The training set and the test set have no replicate in common. If
    a condition has a single replicate, such a split is impossible, and the new study warns what its accuracy means.

    Parameters
    ----------
    out : path
        A new or empty folder.
    conditions : path or DataFrame
        Table with the columns ``movie`` (name of a crop set), ``condition`` and ``replicate``.
    monitor : Monitor
        Receives warnings about what limits the results.

    Returns
    -------
    Study
        The new study.

    Raises
    ------
    InputError
        If the table is invalid or has a single condition, or ``out`` is not empty. No folder is left behind.
    """
    from morpholaw.evaluation.conditions import given_conditions
    from morpholaw.study.condition_study_step import copy_as_conditions
    from morpholaw.study.crop_step import removed_on_failure

    assignment = given_conditions(conditions, [crop_set.name for crop_set in study.sets])
    with removed_on_failure(Path(out)):
        study_of_conditions = type(study).create(out, classes=assignment.names)
        copy_as_conditions(study, assignment, study_of_conditions)
        if study.has_encoder:
            study_of_conditions.load_encoder(study.path / "encoder")
    tell_condition_notes(study_of_conditions, monitor)
    return study_of_conditions


def shapes(study: Study, neighbourhood: bool = False) -> pd.DataFrame:
    """Measure the shape of the central nucleus in every crop.

    Parameters
    ----------
    neighbourhood : bool
        Also measure the other nuclei in the crop.

    Returns
    -------
    DataFrame
        One row per crop, in the order of :attr:`crops`, and one column per shape
        (:func:`morpholaw.cells.shape_features.shape_features`). Lengths are in micrometres if the pixel size of all
        crops is known, otherwise in pixels. Values are NaN where no nucleus is found.

    Raises
    ------
    InputError
        If the study has no crops.
    """
    from morpholaw.cells.shape_features import measure_features
    from morpholaw.study.scale import shape_pixel_size

    pixel_size = shape_pixel_size(study)
    crops = study.crops
    parts = [
        measure_features(crops[np.arange(i, min(i + 4096, len(crops)))], pixel_size, neighbourhood)
        for i in range(0, len(crops), 4096)
    ]
    return pd.concat(parts, ignore_index=True)
