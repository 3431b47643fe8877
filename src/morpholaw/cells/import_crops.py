"""Import of a folder of crops, one image file per cell, as a crop set with classes and groups from the paths."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import numpy as np

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.class_spelling import one_spelling
from morpholaw.cells.crop_folder import crop_files, groups_of, labels_of, other_classes
from morpholaw.cells.crop_images import fit_square
from morpholaw.cells.crop_reader import CropReader, crop_reader
from morpholaw.cells.crop_record import CropOrigin, file_source
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.crop_writer import CropWriter
from morpholaw.cells.crops import one_grey_value
from morpholaw.cells.even_spacing import spread
from morpholaw.cells.movie_formats.units import SAME_SIZE
from morpholaw.cells.normalise import SAMPLE_CROPS, Normalisation, fit_normalisation
from morpholaw.cells.saturation import saturated, saturation_sentence
from morpholaw.config import ImportConfig
from morpholaw.errors import InputError
from morpholaw.events import SILENT, Message, Monitor, Progress

_BATCH = 256
_MOST = 0.8
"""Share of crops with a dark centre above which a warning is given."""


def import_crops(
    folder: str | os.PathLike[str],
    out: str | os.PathLike[str],
    config: ImportConfig | None = None,
    monitor: Monitor = SILENT,
    overwrite: bool = False,
    to_split: bool = True,
) -> CropSet:
    """Import all PNG, TIFF and JPEG images below ``folder`` as crops: single-channel, any real dtype, any size.

    Images that are not squares of ``config.size`` are cropped at their centre or padded with the background level; a
    message reports their number. One normalisation is fitted to the whole folder.

    Parameters
    ----------
    folder : path
        Folder of crops. Hidden files and files of other types are skipped.
    out : path
        Folder of the crop set to create.
    config : ImportConfig, optional
        ``classes`` maps each class to its subfolders, at any depth and in upper or lower case; crops in other
        subfolders are unlabelled. Without any class, the class of a crop is the name of its folder in lower case.
        ``group_regex`` is searched in the path below ``folder``, with "/" between folders; its first group in
        parentheses, or the whole match, is the group of the cell. By default each file is its own group, except that
        files with identical pixels share one.
    monitor : Monitor
        Receives progress and warnings, and can stop the import.
    overwrite : bool
        Replace an existing set once the new one is complete.
    to_split : bool
        Whether the crops may be split into training and test cells, so that warnings about their groups apply.

    Returns
    -------
    CropSet

    Raises
    ------
    InputError
        If there are no images, a subfolder of a class is missing or empty, a path does not match ``group_regex``, or
        a file cannot be read as one greyscale image.
    InterruptedError
        If the monitor asked to stop. Nothing is kept then.
    """
    config = config or ImportConfig()
    folder = Path(folder)
    files, masks = crop_files(folder)
    names = [file.relative_to(folder).as_posix() for file in files]
    doubts: list[str] = []
    labels = labels_of(names, config.classes, folder)
    if not config.classes:
        labels = one_spelling(np.array(labels, object), (), str(folder), doubts).tolist()
    groups = groups_of(names, config.group_regex)
    brightness: list[np.ndarray] = []
    plateaus: list[np.ndarray] = []
    digests: dict[bytes, str] = {}
    class_of: dict[bytes, str] = {}
    duplicates = resized = contradicting = empty = dark = 0
    last_report = monotonic()
    with (
        crop_reader(folder, config.size, config.channel) as reader,
        CropWriter(out, config.size, overwrite) as writer,
    ):
        normalisation, dtype = _fit(files, config, reader)
        for start in range(0, len(files), _BATCH):
            if monitor.should_stop():
                raise InterruptedError(f"Importing {folder} was stopped; no crops were kept.")
            batch = []
            read = reader.crops(files[start : start + _BATCH], normalisation.background)
            for i, crop in enumerate(read, start):
                if crop.pixels.dtype != dtype:
                    raise InputError(
                        f"{files[i]} has {crop.pixels.dtype} pixels but {files[0]} has {dtype}; crops imported "
                        "together must come from the same camera settings."
                    )
                first = digests.setdefault(crop.digest, groups[i] or names[i])
                duplicates += first != (groups[i] or names[i])
                groups[i] = groups[i] or first
                contradicting += bool(labels[i]) and class_of.setdefault(crop.digest, labels[i]) != labels[i]
                resized += crop.shape != (config.size, config.size)
                batch.append(crop.pixels)
            crops = np.stack(batch)
            empty += int(one_grey_value(crops).sum())
            dark += int(_dark_inside(crops).sum())
            plateaus.append(saturated(crops))
            brightness.append(normalisation.brightness(crops))
            writer.append(normalisation.apply(crops, brightness[-1]))
            if monotonic() - last_report > 0.2 or writer.count == len(files):
                last_report = monotonic()
                monitor.emit(Progress(writer.count, len(files), "importing crops"))
        for text, level in _remarks(config, len(files), resized, labels, masks):
            monitor.emit(Message(text, level))
        for text in _group_remarks(config, len(files), duplicates) if to_split else ():
            monitor.warn(text)
        doubts += [*_doubts(contradicting, empty, dark, len(files))]
        if sentence := saturation_sentence(np.concatenate(plateaus), folder.name):
            doubts.append(sentence)
        if not config.classes and (doubt := other_classes(names, labels)):
            doubts.append(doubt)
        for text in doubts:
            monitor.warn(text)
        origin = CropOrigin(
            kind="folder",
            normalisation=normalisation,
            pixel_size=config.pixel_size,
            classes=config.classes,
            group_regex=config.group_regex,
            resized=resized,
            duplicates=duplicates,
            sources=(file_source(folder, writer.folder),),
        )
        groups_named = [name if config.group_regex else f"{folder.name}/{name}" for name in groups]
        columns = {"label": labels, "brightness": np.concatenate(brightness)}
        writer.finish(cells_table(len(files), file=names, group=groups_named, **columns), origin)
    return CropSet(writer.folder)


def stated_pixel_size(
    folder: str | os.PathLike[str], config: ImportConfig, monitor: Monitor = SILENT
) -> float | None:
    """Return the pixel size of a folder's crops in micrometres: the setting, or else the value in its TIFF files.

    Parameters
    ----------
    folder : path
        Folder of crops.
    config : ImportConfig
        Settings, whose pixel size has priority.
    monitor : Monitor
        Receives a message about the pixel size in the files.

    Returns
    -------
    float or None
        None if unknown.

    Raises
    ------
    InputError
        If files state different sizes.
    """
    if config.pixel_size is not None:
        return config.pixel_size
    files = crop_files(Path(folder))[0]
    chosen = spread(files, SAMPLE_CROPS)
    with crop_reader(Path(folder), config.size, config.channel) as reader:
        sizes = reader.pixel_sizes(chosen)
    stated = {size: file for size, file in zip(sizes, chosen, strict=True) if size is not None}
    if not stated:
        return None
    least, most = min(stated), max(stated)
    if most / least - 1 > SAME_SIZE:
        raise InputError(
            f"The images state different pixel sizes: {stated[least]} {least:.4g} µm, {stated[most]} {most:.4g} µm, so "
            "their cells have different scales. Import them separately, or give the correct size with --set "
            "pixel_size=..."
        )
    if None in sizes:
        return None
    monitor.tell(f"The images state {least:.4g} µm per pixel.")
    return least


def _fit(files: list[Path], config: ImportConfig, reader: CropReader) -> tuple[Normalisation, np.dtype]:
    """Return the normalisation, fitted to evenly spaced files of the folder, and the dtype of the first file."""
    centres, levels = reader.samples(spread(files, SAMPLE_CROPS))
    level = float(np.median(levels))
    crops = np.stack([fit_square(image, config.size, level) for image in centres])
    return fit_normalisation(crops, f"The crops in {files[0].parent}", config.brightness), centres[0].dtype


def _remarks(
    config: ImportConfig, n: int, resized: int, labels: list[str], masks: int
) -> list[tuple[str, str]]:
    """Return messages about the import, as pairs of sentence and level."""
    counts = Counter(label or "unlabelled" for label in labels)
    remarks = [
        (
            f"{n} crops: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) + ".",
            "info",
        )
    ]
    if masks:
        text = f"{masks} images are masks of other images according to their names and were left out."
        remarks.append((text, "warning"))
    if resized:
        side = f"{config.size} x {config.size}"
        remarks.append(
            (
                f"{resized} of {n} images were not {side} and were cropped at their centre or padded with background.",
                "info",
            )
        )
    return remarks


def _group_remarks(config: ImportConfig, n: int, duplicates: int) -> Iterator[str]:
    """Yield warnings about groups, which matter for splits into training and test cells."""
    if not config.group_regex:
        yield (
            "No group pattern was given, so each file counts as a separate cell; crops of one track or movie may then "
            "be on both sides of a split."
        )
    if duplicates:
        text = f"{duplicates} of {n} images have the same pixels as an earlier one, or are its mirror image or rotation"
        yield text + (", which is in another group." if config.group_regex else "; they share its group.")


def _dark_inside(crops: np.ndarray) -> np.ndarray:
    """Return which crops (n, s, s) are darker in the middle than at the rim, bool (n,)."""
    size = crops.shape[1]
    quarter = slice(3 * size // 8, size - 3 * size // 8)
    middle = crops[:, quarter, quarter].mean(axis=(1, 2), dtype=np.float64)
    sides = (crops[:, 0], crops[:, -1], crops[:, :, 0], crops[:, :, -1])
    rim = np.mean([side.mean(axis=1, dtype=np.float64) for side in sides], axis=0)
    dark: np.ndarray = middle < rim
    return dark


def _doubts(contradicting: int, empty: int, dark: int, n: int) -> Iterator[str]:
    """Yield warnings about images, or their classes, that should be corrected."""
    if contradicting:
        yield (
            f"{contradicting} of {n} images have the same pixels (perhaps mirrored or rotated) as an image in the "
            "folder of another class; one of the two classes must be wrong."
        )
    if empty:
        yield (
            f"{empty} of {n} images have the same grey value in all pixels: blank or saturated. They are useless."
        )
    if dark > _MOST * n:
        yield (
            f"{dark} of {n} images are darker in the middle than at the rim, as in bright field or an inverted image; "
            "models of fluorescent nuclei expect bright ones. Invert the images if their nuclei should be bright."
        )
