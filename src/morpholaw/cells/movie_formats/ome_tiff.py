"""OME-TIFF, in which the header says which plane of which file is which channel, slice and frame."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np

from morpholaw.cells.movie_formats.array import array_planes
from morpholaw.cells.movie_formats.ome_xml import OmeHeader, OmeImage, base_name, read_ome_xml
from morpholaw.cells.movie_formats.page_stack import PageStack, stack_for
from morpholaw.cells.movie_formats.planes import Planes
from morpholaw.cells.movie_formats.source import Choices, choose
from morpholaw.cells.movie_formats.tiff_pages import TiffPages
from morpholaw.errors import InputError

_OPEN_FILES = 32
_ROOT_UUID = re.compile(r"<(?:\w+:)?OME\b[^<>]{0,4000}?\bUUID\s*=\s*[\"']([^\"'<>]+)[\"']")


@dataclass(frozen=True)
class _Place:
    """The location of a plane: a file name ("" for the file that was opened) and a page number."""

    file: str
    page: int


class _FileSet:
    """The files of a set, opened when one of their planes is read.

    Attributes
    ----------
    folder : Path
        Their folder.
    opened : TiffPages or None
        The file that was opened.
    identifiers : dict of str
        Identifier (UUID) of each file according to the header.
    """

    def __init__(self, folder: Path, opened: TiffPages | None) -> None:
        self.folder = folder
        self.opened = opened
        self.identifiers: dict[str, str] = {}
        self._files: dict[str, TiffPages] = {}
        self._lock = Lock()

    def pages(self, file: str) -> TiffPages:
        """Return the pages of one file of the set."""
        if not file and self.opened is not None:
            return self.opened
        with self._lock:
            if file not in self._files:
                while len(self._files) >= _OPEN_FILES:
                    self._files.pop(next(iter(self._files)))  # closed when its last reader has finished
                pages = TiffPages(self.folder / file)
                self._refuse_copy(file, pages)
                self._files[file] = pages
            return self._files[file]

    def check(self, file: str) -> None:
        """Check that the file that was opened is not a copy of another file of the set."""
        if self.opened is not None:
            self._refuse_copy(file, self.opened)

    def _refuse_copy(self, file: str, pages: TiffPages) -> None:
        """Reject a file that has the identifier and the pixels of another file of the set."""
        own = _identifier(pages)
        stated = self.identifiers.get(file)
        if own is None or stated is None or own == stated:
            return
        for other, identifier in self.identifiers.items():
            if identifier != own or other == file or not (self.folder / other).is_file():
                continue
            if np.array_equal(TiffPages(self.folder / other).read(0), pages.read(0)):
                raise InputError(
                    f"{self.folder / file} is a copy of {other}, another file of the same set; copy the set again."
                )

    def read(self, place: _Place) -> np.ndarray:
        """Return one plane."""
        return self.pages(place.file).read(place.page)


def _identifier(pages: TiffPages) -> str | None:
    """Return the identifier of a file according to the root of its own header; None if it has none."""
    if not pages.tif.is_ome:
        return None
    found = _ROOT_UUID.search(pages.description)
    return found[1] if found else None


def ome_planes(pages: TiffPages, text: str, choices: Choices, path: Path) -> Planes | None:
    """Describe the planes of an OME-TIFF file; return None if its header describes no image.

    Raises
    ------
    InputError
        If the header contradicts the file in a way that cannot be resolved, or refers to missing files.
    """
    header = read_ome_xml(text, str(path))
    if header.metadata_file is not None and not header.images:
        companion = path.parent / base_name(header.metadata_file)
        if not companion.is_file() or companion == path:
            raise InputError(
                f"{path} is one file of a set whose header is in {base_name(header.metadata_file)!r}, which is not "
                "in the same folder; copy the whole set into one folder."
            )
        header = read_companion(companion)
    return _header_planes(header, _FileSet(path.parent, pages), path, choices)


def open_companion(path: Path, choices: Choices) -> Planes:
    """Describe the planes to which a companion file (NAME.companion.ome) refers.

    Raises
    ------
    InputError
        If it describes no image, or its files are not in the same folder.
    """
    planes = _header_planes(read_companion(path), _FileSet(path.parent, None), path, choices)
    if planes is None:
        raise InputError(
            f"{path} is OME-XML that describes no image; open the OME-TIFF file that belongs to it instead."
        )
    return planes


def read_companion(path: Path) -> OmeHeader:
    """Read the header from a companion file."""
    if path.stat().st_size > 2**27:
        raise InputError(f"{path} is too large for an OME-XML header.")
    return read_ome_xml(path.read_bytes(), str(path))


def set_members(path: Path) -> set[str]:
    """Return the names of all files of the set to which an OME-TIFF file belongs, including itself."""
    pages = TiffPages(path)
    try:
        if not pages.tif.is_ome:
            return {path.name}
        header = read_ome_xml(pages.description, str(path))
    except InputError:
        return {path.name}
    finally:
        pages.close()
    named = {base_name(d.file) for image in header.images for d in image.data if d.file}
    return named | {path.name}


def _header_planes(header: OmeHeader, files: _FileSet, path: Path, choices: Choices) -> Planes | None:
    images = [image for image in header.images if image.pixels]
    if not images:
        return None
    files.identifiers.update(
        (base_name(data.file), data.uuid)
        for image in images
        for data in image.data
        if data.file and data.uuid is not None
    )
    files.check(path.name)
    tables = [_places(image, header.uuid, files, path, len(images)) for image in images]
    number, notes = _choose_image(images, tables, choices, path)
    image, table = images[number], tables[number]
    where = str(path)
    _check_present(table, files, path)
    axes = image.plane_axes
    frames, note = _frames_stored(image, table, files, len(images) == 1, where)
    notes += [note] if note else []
    table = _longer(table, axes, frames)
    first = files.pages(table[0].file).page(table[0].page)
    shape = tuple(int(n) for n in first.shape)
    lengths = {axis: frames if axis == "T" else n for axis, n in axes}
    letters = "".join(axis for axis, _ in reversed(axes))
    leading = tuple(lengths[axis] for axis in letters)
    if len(shape) not in (2, 3):
        raise InputError(
            f"{where} has pages of the shape {' x '.join(map(str, shape))}, but images were expected."
        )
    height, width = (shape[first.axes.index(axis)] for axis in "YX")
    if (height, width) != (image.size("Y"), image.size("X")):
        notes.append(
            f"{where} has images of {height} x {width} pixels, but its OME header describes {image.size('Y')} x "
            f"{image.size('X')}: the pixel size in the header may be that of another image."
        )
    order = _page_order(axes, lengths)
    dtype = np.dtype(first.dtype) if first.dtype is not None else np.dtype("u1")
    stack = PageStack(leading, shape, dtype, lambda i: files.read(table[order(i)]), where)
    used = sorted({place.file for place in table.values()})
    for file in used[-1:]:
        pages = files.pages(file)
        pages.check_whole(max(place.page for place in table.values() if place.file == file))
    scale, scale_note = image.scale()
    notes += [f"{where}: {scale_note}"] if scale_note else []
    interval, interval_note = image.interval()
    notes += [f"{where}: {interval_note}"] if interval_note else []
    planes = array_planes(stack_for(stack, choices.axes), where, (letters + first.axes).lower(), choices.axes)
    several = len(images) > 1
    return replace(
        planes,
        format="OME-TIFF",
        channels=image.channel_names if image.samples == 1 else (),
        positions=tuple(one.name for one in images) if several else (),
        position=number if several else None,
        pixel_size=scale,
        frame_interval=interval,
        frame_interval_source="OME header" if interval else None,
        files=tuple(files.folder / name if name else path for name in used),
        notes=tuple(notes),
    )


def _places(image: OmeImage, uuid: str | None, files: _FileSet, path: Path, images: int) -> dict[int, _Place]:
    """Return the location of each plane of an image, by its index in the header's order."""
    axes = image.plane_axes
    total = image.plane_count
    here = len(files.opened) if files.opened is not None else 0
    table: dict[int, _Place] = {}
    if not image.data and images == 1:
        return {i: _Place("", i) for i in range(min(total, here))}
    for data in image.data:
        file = base_name(data.file or "")
        if not file or file == path.name or (data.uuid is not None and data.uuid == uuid):
            file = ""
        if not file and files.opened is None:
            continue
        start, step = 0, 1
        for axis, n in axes:
            start += data.first[axis] * step
            step *= n
        stored = total if file else here - data.ifd
        count = min(stored if data.count is None else data.count, stored, total - start)
        if data.ifd >= 0 and start >= 0:
            table.update((start + k, _Place(file, data.ifd + k)) for k in range(count))
    others = {place.file for place in table.values()} - {""}
    elsewhere = len(others) == 1 and all(place.file for place in table.values())
    if (
        files.opened is not None
        and elsewhere
        and len(table) <= here
        and not (files.folder / others.pop()).is_file()
    ):
        # The file was renamed and its identifier changed, so the only file in the header is this one.
        return {i: replace(place, file="") for i, place in table.items()}
    return table


def _choose_image(
    images: list[OmeImage], tables: list[dict[int, _Place]], choices: Choices, path: Path
) -> tuple[int, list[str]]:
    """Return the number of the image to read, and notes about it."""
    names = [image.name for image in images]
    if choices.position is not None or len(images) == 1:
        return choose("position", names, choices.position, str(path)), []
    here = [i for i, table in enumerate(tables) if any(not place.file for place in table.values())]
    if len(here) == 1 and any(table for i, table in enumerate(tables) if i not in here):
        return here[0], []
    movies = [i for i, image in enumerate(images) if image.size("T") > 1]
    if len(movies) == 1:
        rest = ", ".join(repr(name) for i, name in enumerate(names) if i != movies[0])
        text = (
            f"{path} also contains {len(images) - 1} images that are not movies ({rest}), which are not read."
        )
        return movies[0], [text]
    hint = "If they are the frames of one movie, give --axes tyx."
    if choices.axes == "tyx" and all(len(table) == 1 for table in tables):
        return _as_frames(images, tables), [
            f"{path} has {len(images)} images of one plane, read as its frames."
        ]
    return choose("position", names, None, str(path), hint), []


def _as_frames(images: list[OmeImage], tables: list[dict[int, _Place]]) -> int:
    """Turn the first image into a movie of all images, each with one plane."""
    places = [next(iter(table.values())) for table in tables]
    images[0].pixels["SizeT"] = str(len(images))
    tables[0].clear()
    tables[0].update(enumerate(places))
    del images[1:]
    return 0


def _check_present(table: dict[int, _Place], files: _FileSet, path: Path) -> None:
    missing = sorted(
        {place.file for place in table.values() if place.file and not (files.folder / place.file).is_file()}
    )
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise InputError(
            f"{path} is one file of a set; {missing[0]}{more}, which its header refers to, is not in the same folder. "
            "Copy the whole set into one folder."
        )


def _frames_stored(
    image: OmeImage, table: dict[int, _Place], files: _FileSet, alone: bool, where: str
) -> tuple[int, str | None]:
    """Return the number of complete frames, and a note if the header differs."""
    stated = image.size("T")
    total = image.plane_count
    per_frame = total // stated
    if len(table) == total:
        extra = _further_pages(table, files) if alone else 0
        if not extra:
            return stated, None
        if per_frame == 1:
            return stated + extra, (
                f"{where} contains {total + extra} images, not the {total} in its OME header; all are read as frames."
            )
        raise InputError(
            f"{where} contains {total + extra} images, but its OME header describes {total} ({_sizes(image)}); save it "
            "again so that both agree, for example with Fiji."
        )
    by_time: dict[int, int] = {}
    for i in table:
        t = _time_of(i, image)
        by_time[t] = by_time.get(t, 0) + 1
    frames = 0
    while by_time.get(frames) == per_frame:
        frames += 1
    later = [t for t in by_time if t > frames]
    if frames == 0 or later:
        raise InputError(
            f"{where} contains {len(table)} of the {total} images that its OME header describes ({_sizes(image)}); "
            "save it again so that both agree, for example with Fiji."
        )
    return (
        frames,
        f"{where}: its OME header says {stated} frames, but it contains {frames} complete ones; these are read.",
    )


def _sizes(image: OmeImage) -> str:
    return ", ".join(f"{n} {name}" for name, n in _counts(image))


def _counts(image: OmeImage) -> list[tuple[str, int]]:
    return [("frames", image.size("T")), ("channels", image.size("C")), ("slices", image.size("Z"))]


def _further_pages(table: dict[int, _Place], files: _FileSet) -> int:
    """Return the number of pages of the same kind in the opened file after those in the table."""
    if files.opened is None or any(place.file for place in table.values()):
        return 0
    last = max(place.page for place in table.values())
    key = files.opened.page(table[0].page)
    count = 0
    for i in range(last + 1, len(files.opened)):
        page = files.opened.page(i)
        count += page.shape == key.shape and page.dtype == key.dtype and not page.is_reduced
    return count


def _longer(table: dict[int, _Place], axes: list[tuple[str, int]], frames: int) -> dict[int, _Place]:
    """Return the table, extended if there are more frames than the header says."""
    stated = dict(axes)["T"]
    if frames <= stated:
        return table
    last = max(place.page for place in table.values())
    further = {len(table) + k: _Place("", last + 1 + k) for k in range(frames - stated)}
    return {**table, **further}


def _time_of(i: int, image: OmeImage) -> int:
    """Return the frame of the i-th plane in the header's order."""
    step = 1
    for axis, n in image.plane_axes:
        if axis == "T":
            return i // step % n
        step *= n
    return 0


def _page_order(axes: list[tuple[str, int]], lengths: dict[str, int]) -> Callable[[int], int]:
    """Return a function from the index of a plane that is read to its index in the header's order."""
    read = [lengths[axis] for axis, _ in axes]
    if axes[-1][0] == "T" or lengths == dict(axes):
        return lambda i: i

    def place(i: int) -> int:
        index, step = 0, 1
        for n, (_, stored) in zip(read, axes, strict=True):
            index += i % n * step
            i //= n
            step *= stored
        return index

    return place
