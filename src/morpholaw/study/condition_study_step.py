"""A study whose classes are conditions, to find what separates treated from untreated cells.

Cells of one movie share staining, focus and density, so a classifier that was trained on some of them recognises the
others without regard to the treatment. Each replicate is therefore one group: splits, folds and confidence intervals,
which never divide a group, then refer to replicates.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from morpholaw.cells.crop_record import FileSource, path_from, write_crop_record
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import write_cells
from morpholaw.cells.tracker_masks import FILE as MASKS
from morpholaw.errors import InputError
from morpholaw.evaluation.conditions import Conditions
from morpholaw.store.condition_record import FILE, ConditionsRecord, MovieCondition
from morpholaw.store.study_folder import StudyFolder


def copy_as_conditions(source: StudyFolder, conditions: Conditions, out: StudyFolder) -> ConditionsRecord:
    """Copy the cells of a study to a new one, labelled with their conditions.

    If a condition has several replicates, each replicate is one group. If it has a single replicate, its cells keep
    their groups, because a condition whose cells are all in the training set or all in the test set is of no use.

    Parameters
    ----------
    source : StudyFolder
        The study with the crops.
    conditions : Conditions
        Condition and replicate of each movie. Crop sets that are not in it are left out.
    out : StudyFolder
        A study without crops.

    Returns
    -------
    ConditionsRecord
        The record that was written to the new study.

    Raises
    ------
    InputError
        If there is a single condition.
    """
    if len(conditions.names) < 2:
        raise InputError(
            f"The table of conditions has a single condition, {conditions.names[0]}; at least two are needed."
        )
    rows = conditions.table.to_dict("records")
    movies = tuple(MovieCondition(**{str(key): value for key, value in row.items()}) for row in rows)
    record = ConditionsRecord(movies=movies, source=source.name)
    (out.path / "crops").mkdir(exist_ok=True)
    for one in movies:
        several = record.replicates[one.condition] > 1
        _copy_set(source.crop_set(one.movie), out.path / "crops" / one.movie, one, several)
    names = source.path / "latent_names.json"
    if names.exists():
        shutil.copy(names, out.path)
    record.write(out.path / FILE)
    return record


def _copy_set(crop_set: CropSet, place: Path, movie: MovieCondition, by_replicate: bool) -> None:
    """Copy the crop set of one movie, with the condition as the class of each cell."""
    place.mkdir()
    _link(crop_set.folder / "images.npy", place / "images.npy")
    if (crop_set.folder / MASKS).is_file():
        _link(crop_set.folder / MASKS, place / MASKS)
    group = f"{movie.condition}, replicate {movie.replicate}"
    cells = crop_set.cells.assign(label=movie.condition)
    record = crop_set.record.model_copy(
        update={
            "sources": tuple(_moved(one, crop_set.folder, place) for one in crop_set.record.sources),
            "created": datetime.now(UTC).isoformat(timespec="microseconds"),
        }
    )
    if by_replicate:
        cells, record = cells.assign(group=group), record.model_copy(update={"group_prefix": group})
    write_cells(place, pd.DataFrame(cells))
    write_crop_record(place, record)


def _link(source: Path, place: Path) -> None:
    """Create a hard link to a file that is never changed; copy it if the disk does not support links."""
    try:
        os.link(source, place)
    except OSError:  # the folders are on different disks, or the disk does not support links
        shutil.copyfile(source, place)


def _moved(source: FileSource, folder: Path, place: Path) -> FileSource:
    """Return a source whose path is relative to the folder of another crop set."""
    return source.model_copy(update={"path": path_from((folder / source.path).resolve(), place)})
