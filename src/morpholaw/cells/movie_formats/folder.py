"""Folders with one TIFF or PNG file per frame, or per frame and channel, slice or position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from morpholaw.cells.movie_formats.frame_names import (
    NamedFile,
    axis_of_tag,
    is_mask_name,
    natural_key,
    read_names,
)
from morpholaw.cells.movie_formats.ome_tiff import set_members
from morpholaw.cells.movie_formats.planes import Planes, select_movie
from morpholaw.cells.movie_formats.png import open_png
from morpholaw.cells.movie_formats.source import NO_CHOICES, Choices, FrameSource, choose
from morpholaw.cells.movie_formats.tiff import SUFFIXES as TIFF_SUFFIXES
from morpholaw.cells.movie_formats.tiff import open_tiff
from morpholaw.cells.movie_formats.time_points import interval_between
from morpholaw.display import counted
from morpholaw.errors import InputError

_OTHER_IMAGES = (".jpg", ".jpeg", ".bmp", ".gif", ".jp2", ".webp")


def frame_files(folder: Path, masks: bool = False) -> tuple[list[Path], str | None]:
    """Return the frames in ``folder`` (its TIFF files, else its PNG files) in natural order, and a note.

    Parameters
    ----------
    folder : path
        Folder to search, including subfolders named after time points or positions.
    masks : bool
        Whether to return masks; by default, files that are masks according to their names are left out.

    Returns
    -------
    files : list of Path
    note : str or None

    Raises
    ------
    InputError
        If the folder has neither TIFF nor PNG files, or both.
    """
    files = _images(folder)
    if not files:
        parts = [d for d in sorted(folder.iterdir()) if d.is_dir() and not d.name.startswith(".")]
        files = [file for d in parts if _is_part(d, parts) for file in _images(d)]
    if not files:
        raise InputError(_no_images(folder))
    files = [
        p for p in files if "_thumb" not in p.stem.lower()
    ] or files  # MetaXpress writes a thumbnail beside each image
    named = [p for p in files if is_mask_name(p.stem)]
    others = [p for p in files if not is_mask_name(p.stem)]
    note = None
    if named and others:
        files = named if masks else others
        left, why = (len(others), "not called masks") if masks else (len(named), "called masks")
        note = f"{folder}: {left} files that are {why} are not read."
    suffixes = {"TIFF" if p.suffix.lower() in TIFF_SUFFIXES else "PNG" for p in files}
    if len(suffixes) > 1:
        raise InputError(
            f"{folder} has both TIFF and PNG files; expected one kind of file with one frame each. Move files that "
            "are not frames elsewhere."
        )
    return sorted(files, key=lambda p: natural_key(p.relative_to(folder).as_posix())), note


def open_folder(folder: Path, choices: Choices = NO_CHOICES, masks: bool = False) -> FrameSource:
    """Open a folder of frames; until a frame is read, only the first file is opened.

    Parameters
    ----------
    folder : path
        Folder of TIFF or PNG files.
    choices : Choices
        Channel, position and slice to read. Letters of axes name the numbers that change in the file names, in their
        order; with "tyx", every file is a frame.
    masks : bool
        Whether to read masks.

    Returns
    -------
    FrameSource

    Raises
    ------
    InputError
        If there are no frames, the first is invalid, or there are several movies and none was chosen.
    """
    files, note = frame_files(folder, masks)
    if len(files) == 1:
        return open_image(files[0], choices)
    if choices.axes is None and files[0].suffix.lower() in TIFF_SUFFIXES:
        names = {p.name for p in files}
        if len(names) == len(files) and names <= set_members(files[0]):
            return open_tiff(files[0], choices)  # one OME-TIFF in several files, ordered by its header
    return _open_frames(folder, files, choices, [note] if note else [])


def open_image(path: Path, choices: Choices = NO_CHOICES, one_frame: bool = False) -> FrameSource:
    """Open a TIFF or PNG file."""
    return open_png(path, choices) if path.suffix.lower() == ".png" else open_tiff(path, choices, one_frame)


def open_frame(path: Path, choices: Choices = NO_CHOICES) -> FrameSource:
    """Open a file with a single frame."""
    source = open_image(path, choices, one_frame=True)
    if source.facts.frames != 1:
        raise InputError(
            f"{path} contains {source.facts.frames} frames, but files in a folder of frames have one each; open the "
            "file instead of the folder."
        )
    return source


def _open_frames(folder: Path, files: list[Path], choices: Choices, notes: list[str]) -> FrameSource:
    where = str(folder)
    wanted = choices.axes.replace("y", "").replace("x", "") if choices.axes else None
    stems = [p.relative_to(folder).with_suffix("").as_posix() for p in files]
    if len(set(stems)) < len(stems):
        raise InputError(f"{folder} has files with the same name but different endings; keep one of each.")
    path_of = dict(zip(stems, files, strict=True))
    named = read_names(stems, wanted, where)
    named, channel, channels = _chosen("channel", named, choices.channel, where)
    named, position, positions = _chosen("position", named, choices.position, where)
    slices = sorted({one.z for one in named if one.z is not None})
    times = sorted({one.t for one in named})
    table = {(one.t, one.z): path_of[one.stem] for one in named}
    inner = Choices(
        channel=None if channels else choices.channel,
        position=None if positions else choices.position,
        z=None if len(slices) > 1 else choices.z,
    )
    first = open_frame(path_of[named[0].stem], inner)
    shape, dtype = first.facts.shape, first.facts.dtype
    levels: Sequence[int | None] = slices or [None]
    missing = [(t, z) for t in times for z in levels if (t, z) not in table]
    if missing and len(slices) > 1:
        raise InputError(
            f"{folder}: {len(missing)} of {len(times) * len(levels)} images are missing, the first of them slice "
            f"{missing[0][1]} of frame {times.index(missing[0][0])}; complete the folder, or remove the incomplete "
            "frames."
        )

    def read(index: tuple[int, ...]) -> np.ndarray:
        path = table[times[index[0]], levels[index[1]]]
        frame = open_frame(path, inner)
        if frame.facts.shape != shape or frame.facts.dtype != dtype:
            raise InputError(
                f"{path} is {frame.facts.height} x {frame.facts.width} {frame.facts.dtype}, but the first frame, "
                f"{files[0].name}, is {shape[1]} x {shape[2]} {dtype}."
            )
        return frame.read(0)

    numbered = all(len(t) == 1 for t in times) and not any(one.clock for one in named)
    interval, uneven = (
        interval_between([t[0] for t in times], "file names") if named[0].clock else (None, None)
    )
    planes = Planes(
        axes="tz",
        sizes=(len(times), len(levels)),
        height=shape[1],
        width=shape[2],
        dtype=dtype,
        read=read,
        stored="tzyx" if len(slices) > 1 else "tyx",
        format=f"folder of {'PNG' if files[0].suffix.lower() == '.png' else 'TIFF'} files",
        channels=channels or first.facts.channels,
        positions=positions or first.facts.positions,
        position=position if positions else first.facts.position,
        pixel_size=first.pixel_size,
        frame_interval=interval or first.facts.frame_interval,
        frame_interval_source="times in the file names" if interval else first.facts.frame_interval_source,
        frame_numbers=tuple(t[0] for t in times) if numbered else None,
        files=tuple(table[t, z] for t in times for z in levels if (t, z) in table),
        colour_table=first.facts.colour_table,
        notes=(*notes, *((f"{where}: {uneven}",) if uneven else ()), *first.facts.notes),
    )
    source = select_movie(planes, Choices(z=choices.z if len(slices) > 1 else None), where)
    chosen = channel if channels else first.facts.channel
    facts = replace(source.facts, channel=chosen, channels=planes.channels, z=source.facts.z or first.facts.z)
    return replace(source, facts=facts)


def _chosen(
    kind: str, named: list[NamedFile], wanted: int | str | None, where: str
) -> tuple[list[NamedFile], int | None, tuple[str, ...]]:
    """Return the files of the chosen channel or position, its number, and all names (empty if there is only one)."""

    def called(one: NamedFile) -> str:
        return one.channel if kind == "channel" else one.position

    names = tuple(sorted({called(one) for one in named}, key=natural_key))
    if len(names) == 1:
        return named, None, ()
    hint = "If every file is a frame of one movie, give --axes tyx."
    number = choose(kind, names, wanted, f"{where} ({len(named)} files)", hint)
    return [one for one in named if called(one) == names[number]], number, names


def _images(folder: Path) -> list[Path]:
    wanted = (*TIFF_SUFFIXES, ".png")
    return [
        p
        for p in folder.iterdir()
        if p.suffix.lower() in wanted and not p.name.startswith(".") and p.is_file()
    ]


def _is_part(folder: Path, all_folders: list[Path]) -> bool:
    """Return whether a folder belongs to a series named after time points or positions: TimePoint_1, Pos0."""
    tags = {d.name.rstrip("0123456789") for d in all_folders}
    return len(tags) == 1 and axis_of_tag(tags.pop()) in ("t", "p", "z", "c") and folder.name[-1].isdecimal()


def _no_images(folder: Path) -> str:
    """Return a sentence that says why a folder cannot be read, and what to do."""
    entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    folders = [p.name for p in entries if p.is_dir()]
    other = [p for p in entries if p.suffix.lower() in _OTHER_IMAGES]
    text = f"{folder} has no TIFF or PNG files; expected one file per frame"
    arrays = [p for p in entries if p.suffix.lower() == ".npy"]
    if arrays and not other:
        return (
            f"{text}. Its {counted(len(arrays), '.npy file')} are not read; save the frames or masks as TIFF (cellpose "
            "writes masks as _cp_masks.tif)."
        )
    if other:
        return f"{text}. Its {len(other)} {other[0].suffix} files cannot be read; convert them to TIFF with Fiji."
    if folders:
        more = ", ..." if len(folders) > 6 else ""
        return f"{text}. Open one of its folders ({', '.join(folders[:6])}{more})."
    return f"{text}."
