"""A study whose classes are conditions, to find what separates treated from untreated cells.

Cells of one movie share its staining, focus and density, so a classifier that saw some of them recognises the others
without knowing anything of the treatment. A group of cells is therefore a whole replicate, and splits, folds and
intervals, which never take a group apart, are those of replicates.
"""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd

from morpholaw.cells.crop_record import FileSource, write_crop_record
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import write_cells
from morpholaw.cells.crops import path_from
from morpholaw.cells.tracker_masks import FILE as MASKS
from morpholaw.errors import InputError
from morpholaw.evaluation.conditions import Conditions
from morpholaw.store.condition_record import FILE, ConditionsRecord, MovieCondition
from morpholaw.store.study_folder import StudyFolder


def copy_as_conditions(source: StudyFolder, conditions: Conditions, out: StudyFolder) -> ConditionsRecord:
    """Fill a new study with the cells of another one, each with its condition as its class.

    Where a condition has several replicates, each is one group. Where it has one, its groups stay those of the cells'
    families, since a condition whose cells are all on one side can be neither learnt nor tested.

    Parameters
    ----------
    source : StudyFolder
        The study that has the crops.
    conditions : Conditions
        The condition and replicate of each movie; crop sets that it lacks are left out.
    out : StudyFolder
        A study without crops.

    Returns
    -------
    ConditionsRecord
        What was written beside the crops.

    Raises
    ------
    InputError
        When there is one condition only.
    """
    if len(conditions.names) < 2:
        raise InputError(
            f"The table of conditions has one condition, {conditions.names[0]}; two or more are needed to tell cells "
            "apart by them."
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
    """Write the crop set of one movie with its condition as the class of each cell."""
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
    """Link a file that is never written to again to a second place; copy it where the disk has no links."""
    try:
        os.link(source, place)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, place)


def _moved(source: FileSource, folder: Path, place: Path) -> FileSource:
    """Return a source whose path is relative to another crop set's folder."""
    return source.model_copy(update={"path": path_from((folder / source.path).resolve(), place)})
