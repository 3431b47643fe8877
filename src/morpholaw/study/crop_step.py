"""Creation of crop sets in a study, cut from a movie or imported from a folder."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.class_spelling import one_spelling
from morpholaw.cells.crop_record import CropOrigin, TracksSource, write_crop_record
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import write_cells
from morpholaw.cells.crops import one_grey_value, write_crops
from morpholaw.cells.files import replace_folder, sync_folder
from morpholaw.cells.import_crops import import_crops, stated_pixel_size
from morpholaw.cells.inputs import Inputs, compare_pixels
from morpholaw.cells.label_tables import LabelTable, open_label_table
from morpholaw.cells.movie_cells import MovieCells
from morpholaw.config import CropConfig, ImportConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Monitor
from morpholaw.store.study_folder import StudyFolder
from morpholaw.study.scale import at_scale, study_scale


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Remove what a ``with`` block created at ``path`` if the block fails; earlier contents are kept."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    present = set(path.iterdir()) if path.is_dir() else set()
    try:
        yield
    except BaseException:
        for added in set(path.iterdir()) - present if path.is_dir() else ():
            if added.is_dir():
                shutil.rmtree(added, ignore_errors=True)
            else:
                added.unlink(missing_ok=True)
        for folder in missing:
            with suppress(OSError):  # another program has created a file there
                folder.rmdir()
        raise


def crop(
    folder: StudyFolder,
    inputs: Inputs,
    config: CropConfig,
    labels: Path | str | None = None,
    name: str | None = None,
    replace: bool = False,
    monitor: Monitor = SILENT,
) -> CropSet:
    """Cut the cells of a movie into a new crop set, or replace the set that was cut from it earlier.

    The movie, tracks and labels are checked against each other and against the pixels before anything is written.

    Raises
    ------
    InputError
        If they do not match each other or the study, or the study already holds crops of the movie. Nothing is left
        behind.
    """
    inputs.comparison.tell(monitor, config.force)
    scale = study_scale(folder)
    if scale is None and folder.sets and inputs.movie.pixel_size is not None:
        sentence = (
            f"The pixel size of the crops in {folder.path} is unknown; check that all have the same scale."
        )
        monitor.warn(sentence)
    config = at_scale(config, inputs.movie, scale, monitor)
    cells = MovieCells(inputs.movie, inputs.tracks.table, config, monitor=monitor)
    compare_pixels(cells).tell(monitor, config.force)
    place = folder.new_set_folder(name or inputs.movie.name)
    facts = inputs.tracks.facts
    source = TracksSource(
        format=facts.format, automatic=facts.automatic, frame_offset=config.frame_offset or 0
    )
    origin = cells.origin(place).model_copy(update={"tracks": source})
    earlier = _earlier_set(folder, origin, replace, config.force, monitor)
    if earlier is not None:
        place = earlier.folder
    prefix = earlier.record.group_prefix if earlier is not None else ""
    cells.regroup(prefix or unused_prefix(folder, place.name))
    origin = origin.model_copy(update={"group_prefix": cells.group_prefix})
    cells.table["label"] = _own_classes(cells.table, folder, monitor)
    table = _read_labels(labels, cells.table, folder, place.name, monitor)
    with folder.writing():
        folder.annotations.tie_to_crops()
        earlier_labels = None if earlier is None else _EarlierLabels.of(earlier, folder)
        crop_set = write_crops(
            cells, place, origin, monitor, overwrite=earlier is not None, masks=inputs.masks
        )
        _annotate(folder, crop_set, table, earlier_labels, monitor)
    return crop_set


def import_folder(
    folder: StudyFolder,
    images: Path | str,
    config: ImportConfig,
    name: str | None,
    monitor: Monitor,
) -> CropSet:
    """Import a folder of crops into a new crop set.

    Raises
    ------
    InputError
        If the images cannot be used, their scale differs from that of the study, or most of them are already in it.
        Nothing is left behind.
    """
    scale = study_scale(folder)
    config = config.model_copy(update={"pixel_size": stated_pixel_size(images, config, monitor)})
    if scale is not None:
        scale.check(config.pixel_size, f"the images in {images}", monitor)
    with folder.writing():
        folder.annotations.tie_to_crops()
        before = folder.sets
        out = folder.new_set_folder(name or Path(images).name)
        imported = import_crops(images, out, config, monitor)
        try:
            _compare_with_others(imported, before, folder.path, monitor)
        except BaseException:
            shutil.rmtree(imported.folder, ignore_errors=True)
            raise
        return imported


def _compare_with_others(imported: CropSet, others: Sequence[CropSet], study: Path, monitor: Monitor) -> None:
    """Refuse crops most of which are in another set of the study, and tell of some that are.

    The same cell under two groups would be on both sides of a split into training and test.
    """
    marks = imported.marks(np.flatnonzero(~one_grey_value(imported.images)).tolist())
    for other in others:
        try:
            known = set(other.marks(range(len(other))).values())
        except InputError:  # damaged, of which the overview tells
            continue
        count = sum(mark in known for mark in marks.values())
        if not count:
            continue
        sentence = f"{count} of {len(imported)} images are already in the study, in the set {other.name}"
        if 2 * count > len(marks):
            raise InputError(
                f"{sentence}, so their cells would be in it twice. Import the other images alone, or first delete that "
                f"set with its labels (morpholaw sets --study {shlex.quote(str(study))} --delete {other.name})."
            )
        monitor.warn(f"{sentence}; a cell that is in two groups can be in training and in test.")


def adopt(
    folder: StudyFolder,
    crop_set: CropSet,
    name: str | None = None,
    labels: Path | str | None = None,
    replace: bool = False,
    force: bool = False,
    monitor: Monitor = SILENT,
) -> CropSet:
    """Move a crop set that was cut outside the study into it, as its last set.

    Raises
    ------
    InputError
        If the set does not match the others of the study, or the study already holds crops of its movie.
    """
    scale = study_scale(folder)
    if scale is not None and crop_set.record.scale is not None:
        scale.check(crop_set.record.scale, f"the crops of {crop_set.name}", monitor, force)
    earlier = _earlier_set(folder, crop_set.record, replace, force, monitor)
    place = folder.new_set_folder(name or crop_set.name) if earlier is None else earlier.folder
    cells = crop_set.cells.assign(label=_own_classes(crop_set.cells, folder, monitor))
    table = _read_labels(labels, cells, folder, place.name, monitor)
    with folder.writing():
        old_prefix = crop_set.record.group_prefix
        prefix = unused_prefix(folder, place.name)
        cells["group"] = prefix + cells["group"].str.slice(len(old_prefix))
        write_cells(crop_set.folder, cells)
        now = datetime.now(UTC).isoformat(timespec="microseconds")
        write_crop_record(
            crop_set.folder, crop_set.record.model_copy(update={"created": now, "group_prefix": prefix})
        )
        folder.annotations.tie_to_crops()
        earlier_labels = None if earlier is None else _EarlierLabels.of(earlier, folder)
        if earlier is not None:
            replace_folder(crop_set.folder, place)
        else:
            os.replace(crop_set.folder, place)
            sync_folder(place.parent)
        adopted = CropSet(place)
        _annotate(folder, adopted, table, earlier_labels, monitor)
    return adopted


def unused_prefix(folder: StudyFolder, name: str) -> str:
    """Return a prefix for the groups of a new set that no other set of the study uses."""
    taken = set()
    for crop_set in folder.sets:
        record = crop_set.record
        taken |= {record.group_prefix, crop_set.name, record.movie.name if record.movie else ""}
    prefix, count = name, 1
    while prefix in taken:
        count += 1
        prefix = f"{name}-{count}"
    return prefix


def _earlier_set(
    folder: StudyFolder, origin: CropOrigin, replace: bool, force: bool, monitor: Monitor
) -> CropSet | None:
    """Return the set to replace; InputError if the study holds crops of the movie and no choice was made."""
    same = [crop_set for crop_set in folder.sets if crop_set.record.is_of_same_movie(origin)]
    if not same:
        return None
    if replace:
        return same[-1]
    sentence = (
        f"The study already holds crops of this movie, the set {same[-1].name}, so its cells would be in it twice. "
        f"Replace them with --replace (replace=True), or keep both with --force (force=True)."
    )
    if not force:
        raise InputError(sentence)
    monitor.warn(sentence)
    return None


def _own_classes(cells: pd.DataFrame, folder: StudyFolder, monitor: Monitor) -> np.ndarray:
    """Return the classes that came with the tracks, in the spelling of the study."""
    notes: list[str] = []
    classes = one_spelling(cells["label"].to_numpy(), folder.classes, "The tracks", notes)
    for note in notes:
        monitor.warn(note)
    return classes


def _read_labels(
    labels: Path | str | None, cells: pd.DataFrame, folder: StudyFolder, name: str, monitor: Monitor
) -> LabelTable | None:
    """Read a table of labels, in the spelling of the study and the tracks; None if there is no table."""
    if labels is None:
        return None
    known = (*folder.classes, *sorted(set(cells["label"]) - {""}))
    table = open_label_table(labels, cells, name, known)
    for note in table.notes:
        monitor.warn(note)
    return table


@dataclass(frozen=True)
class _EarlierLabels:
    """Labels that were given by hand to the crops of a set that is about to be replaced."""

    cells: pd.DataFrame
    labels: dict[int, str]

    @classmethod
    def of(cls, crop_set: CropSet, folder: StudyFolder) -> _EarlierLabels:
        """Read the labels and the table of cells before the set is replaced."""
        return cls(crop_set.cells, folder.annotations.of_set(crop_set))


def _annotate(
    folder: StudyFolder,
    crop_set: CropSet,
    table: LabelTable | None,
    earlier_labels: _EarlierLabels | None,
    monitor: Monitor,
) -> None:
    """Label the crops of a new set; remove the set if that fails."""
    try:
        if earlier_labels is not None:
            _keep_annotations(folder, crop_set, earlier_labels, monitor)
        if table is not None:
            folder.annotations.add_table(table, crop_set.name)
    except BaseException:
        if earlier_labels is None:
            shutil.rmtree(crop_set.folder, ignore_errors=True)
        raise


def _keep_annotations(
    folder: StudyFolder, crop_set: CropSet, earlier_labels: _EarlierLabels, monitor: Monitor
) -> None:
    """Transfer labels given by hand to the new crops of the same cells, and drop stored results."""
    shutil.rmtree(folder.path / "latents" / crop_set.name, ignore_errors=True)
    if not earlier_labels.labels:
        return
    old, new = earlier_labels.cells, crop_set.cells
    now = {key: row for row, key in enumerate(zip(new["track_id"], new["t"], strict=True))}
    kept: dict[int, str] = {}
    for row, label in earlier_labels.labels.items():
        match = now.get((old["track_id"].iloc[row], old["t"].iloc[row]))
        if match is not None and _is_near(old.iloc[row], new.iloc[match]):
            kept[match] = label
    folder.annotations.replace_set(crop_set.name, kept)
    if len(kept) < len(earlier_labels.labels):
        lost = len(earlier_labels.labels) - len(kept)
        monitor.warn(
            f"{lost} of {len(earlier_labels.labels)} labels given by hand were lost, because their cells no "
            "longer exist."
        )


def _is_near(old: Any, new: Any) -> bool:
    return bool(abs(old["y"] - new["y"]) < 2 and abs(old["x"] - new["x"]) < 2)
