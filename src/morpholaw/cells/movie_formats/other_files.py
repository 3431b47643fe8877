"""Files that cannot be read as movies, with advice for each kind."""

from __future__ import annotations

import os
import re
from pathlib import Path

from morpholaw.cells.movie_formats.vendor import EXPORT
from morpholaw.errors import InputError

_UNPACK = (
    "unpack it and open its contents (a TIFF or OME-TIFF stack, an OME-Zarr folder or a folder of frames)"
)
_FIJI = "open it in Fiji and save it as a TIFF stack (File > Save As > Tiff), or export it as OME-TIFF"
_VIDEO = (
    f"is a video, whose compression changes the texture of the chromatin: {_FIJI}, if there is no better copy"
)
_HDF5 = "is an HDF5 file, which can contain anything: export the movie as OME-TIFF, for example with Fiji or ilastik"
_TRACKS = (
    "is not a movie: give the movie first and the tracks second; a movie is a TIFF or OME-TIFF stack, OME-Zarr or a \
folder of frames"
)
_SUFFIXES = {
    **dict.fromkeys(
        (".avi", ".mp4", ".mov", ".mkv", ".wmv", ".m4v", ".mpg", ".mpeg", ".webm", ".gif"), _VIDEO
    ),
    **dict.fromkeys(
        (".zip", ".gz", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz"), f"is an archive: {_UNPACK}"
    ),
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".he5"), _HDF5),
    **dict.fromkeys(
        (".jpg", ".jpeg"),
        "is a JPEG image, whose compression changes the texture of the chromatin: export the movie as OME-TIFF",
    ),
    **dict.fromkeys((".bmp", ".webp", ".jp2", ".nrrd", ".fits"), f"is not a TIFF or PNG file: {_FIJI}"),
    **dict.fromkeys((".csv", ".tsv", ".xml", ".txt", ".geff", ".xlsx"), _TRACKS),
    ".npz": "is an archive of NumPy arrays: save the movie alone with numpy.save (.npy), or export it as OME-TIFF",
    ".mat": "is a MATLAB file: save the movie in MATLAB as a TIFF stack, or export it as OME-TIFF",
    ".dcm": f"is a DICOM file: {_FIJI}",
}
_STARTS = {
    b"PK\x03\x04": ".zip",
    b"\x1f\x8b": ".gz",
    b"\x89HDF\r\n\x1a\n": ".h5",
    b"\xff\xd8\xff": ".jpg",
    b"GIF8": ".gif",
    b"BM": ".bmp",
}


def refuse_address(source: str) -> None:
    """Reject internet addresses, and Windows paths on other systems.

    Raises
    ------
    InputError
        With a sentence that says what to do instead.
    """
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", source):
        address = re.sub(r":/+", "://", source, count=1)
        raise InputError(
            f"{address} is an address, but movies are read from disk; download the file or the OME-Zarr folder first."
        )
    if os.name != "nt" and re.match(r"[A-Za-z]:[\\/]|\\\\", source):
        raise InputError(
            f"{source} is a Windows path, but this is another system; give the path as this system sees it, for "
            "example /mnt/c/Users/... under WSL."
        )


def refuse_file(path: Path, start: bytes) -> None:
    """Reject files of known kinds that are not supported.

    Raises
    ------
    InputError
        With a sentence that says what to do instead.
    """
    kind = path.suffix.lower()
    text = _SUFFIXES.get(kind) or _SUFFIXES.get(
        next((s for m, s in _STARTS.items() if start.startswith(m)), "")
    )
    if text is None and start[4:8] == b"ftyp":
        text = _VIDEO
    if text is not None:
        raise InputError(f"{path} {text}.")


def unknown_file(path: Path) -> InputError:
    """Return the error for a file of an unknown kind."""
    return InputError(
        f"The format of {path} is unknown; expected TIFF, OME-TIFF, OME-Zarr, a folder of TIFF or PNG files, or "
        f".npy: {EXPORT}."
    )
