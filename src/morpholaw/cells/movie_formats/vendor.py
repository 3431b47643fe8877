"""File formats of microscope manufacturers, read through bioio if it is installed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from morpholaw.cells.movie_formats.array import array_planes
from morpholaw.cells.movie_formats.planes import select_movie
from morpholaw.cells.movie_formats.source import Choices, FrameSource, choose
from morpholaw.cells.movie_formats.units import pixel_size
from morpholaw.errors import InputError, reason

EXPORT = "export it as OME-TIFF, for example with Fiji (File > Import > Bio-Formats, then File > Save As > OME-TIFF)"


@dataclass(frozen=True)
class Vendor:
    """A file format of a microscope manufacturer.

    Attributes
    ----------
    name : str
        Name for messages.
    reader : str
        Package of bioio that reads it.
    """

    name: str
    reader: str


_BIOFORMATS = "bioio-bioformats"
VENDORS = {
    ".czi": Vendor("a Zeiss CZI file", "bioio-czi"),
    ".nd2": Vendor("a Nikon ND2 file", "bioio-nd2"),
    ".lif": Vendor("a Leica LIF file", "bioio-lif"),
    ".dv": Vendor("a DeltaVision file", "bioio-dv"),
    ".r3d": Vendor("a DeltaVision file", "bioio-dv"),
    ".sldy": Vendor("a SlideBook folder", "bioio-sldy"),
    ".ims": Vendor("an Imaris file", _BIOFORMATS),
    ".oir": Vendor("an Olympus OIR file", _BIOFORMATS),
    ".oib": Vendor("an Olympus OIB file", _BIOFORMATS),
    ".oif": Vendor("an Olympus OIF file", _BIOFORMATS),
    ".vsi": Vendor("an Olympus VSI file", _BIOFORMATS),
    ".zvi": Vendor("a Zeiss ZVI file", _BIOFORMATS),
    ".lsm": Vendor("a Zeiss LSM file", _BIOFORMATS),
    ".lof": Vendor("a Leica LOF file", _BIOFORMATS),
    ".xlef": Vendor("a Leica XLEF file", _BIOFORMATS),
    ".nd": Vendor("a MetaMorph ND file", _BIOFORMATS),
    ".ics": Vendor("an ICS file", _BIOFORMATS),
    ".ids": Vendor("an ICS file", _BIOFORMATS),
    ".mrc": Vendor("an MRC file", _BIOFORMATS),
    ".sld": Vendor("a SlideBook file", _BIOFORMATS),
    ".flex": Vendor("an Opera FLEX file", _BIOFORMATS),
    ".mvd2": Vendor("a Volocity file", _BIOFORMATS),
    ".xdce": Vendor("an InCell file", _BIOFORMATS),
}
_STARTS = {
    b"ZISRAWFILE": ".czi",
    b"\xda\xce\xbe\x0a": ".nd2",
    b"OLYMPUSRAWFORMAT": ".oir",
}


def vendor_of(path: Path, start: bytes = b"") -> Vendor | None:
    """Return the manufacturer's format of a file by its suffix or its first bytes, or None."""
    suffix = next(
        (ending for magic, ending in _STARTS.items() if start.startswith(magic)), path.suffix.lower()
    )
    return VENDORS.get(suffix)


def open_vendor(path: Path, vendor: Vendor, choices: Choices) -> FrameSource:
    """Open a manufacturer's file through bioio.

    Raises
    ------
    InputError
        If bioio or its reader is not installed, the file cannot be read, or it has several movies and none was
        chosen.
    """
    image = _open_image(path, vendor)
    where = str(path)
    try:
        scenes = [str(scene) for scene in image.scenes]
        number = choose("position", scenes, choices.position, where)
        image.set_scene(number)
        array = _Scene(image.dask_data)
        letters = "".join(a if a in "tczyxs" else "?" for a in str(image.dims.order).lower())
        names = tuple(str(name) for name in image.channel_names or ())
        sizes = image.physical_pixel_sizes
        scale, note = pixel_size(sizes.Y, sizes.X, f"{path.suffix} file")
        interval = _seconds(image)
    except InputError:
        raise
    except Exception as error:  # each reader raises its own exceptions
        raise InputError(f"{path} cannot be read by bioio ({reason(error)}); {EXPORT}.") from error
    planes = array_planes(array, where, letters, choices.axes)
    several = len(scenes) > 1
    planes = replace(
        planes,
        format=vendor.name.split(" ", 1)[1],
        channels=names if len(names) == planes.length("c") else (),
        positions=tuple(scenes) if several else (),
        position=number if several else None,
        pixel_size=scale,
        frame_interval=interval,
        frame_interval_source=f"{path.suffix} file" if interval else None,
        files=(path,),
        notes=(f"{path}: {note}",) if note else (),
    )
    return select_movie(planes, choices, where)


def _open_image(path: Path, vendor: Vendor) -> Any:
    install = f"install its reader (pip install 'napari-morpholaw[vendor]' {vendor.reader})"
    try:
        from bioio import BioImage
        from bioio_base.exceptions import UnsupportedFileFormatError
    except ImportError:
        raise InputError(f"{path} is {vendor.name}: {install}, or {EXPORT}.") from None
    try:
        return BioImage(str(path))
    except (UnsupportedFileFormatError, ImportError):
        raise InputError(
            f"{path} is {vendor.name} that bioio cannot read here: {install}, or {EXPORT}."
        ) from None
    except Exception as error:  # each reader raises its own exceptions
        raise InputError(
            f"{path} is {vendor.name} that cannot be read ({reason(error)}): {EXPORT}."
        ) from error


class _Scene:
    """One scene as a lazy array; access is locked because the readers are not thread-safe."""

    def __init__(self, data: Any) -> None:
        self._data = data
        self._lock = Lock()
        self.shape, self.dtype = tuple(data.shape), np.dtype(data.dtype)

    def __getitem__(self, index: tuple[Any, ...]) -> np.ndarray:
        with self._lock:
            return np.asarray(self._data[index].compute(scheduler="synchronous"))


def _seconds(image: Any) -> float | None:
    """Return the seconds per frame if the reader knows them; some readers raise."""
    try:
        interval = image.time_interval
    except Exception:
        return None
    value = interval.total_seconds() if isinstance(interval, timedelta) else interval
    return float(value) if isinstance(value, (int, float)) and value > 0 else None
