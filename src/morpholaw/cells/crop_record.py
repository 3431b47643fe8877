"""The record ``set.json`` of a crop set: the source of the crops, their scale, and how they were made."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from morpholaw.cells.files import fingerprint, read_json, write_json
from morpholaw.cells.normalise import Normalisation
from morpholaw.errors import InputError

SCHEMA = 1
"""Version of the layout of a crop set; sets of newer versions are rejected."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class FileSource(_Record):
    """A file or folder from which crops were made.

    Attributes
    ----------
    path : str
        Path relative to the crop set's folder, so that a study can be moved with its data.
    fingerprint : str
        SHA-256 of the contents.
    """

    path: str
    fingerprint: str


class MovieSource(_Record):
    """The movie from which crops were cut.

    Attributes
    ----------
    name : str
        Name of the movie or of its layer.
    shape : tuple of int
        Number of frames, height and width.
    dtype : str
        Type of a pixel.
    channel, position : int or None
        Channel and position that were read, counted from 0.
    z : str or None
        How a z-stack was reduced.
    digest : str
        Fingerprint of the pixels of a few frames, to identify movies that are not files.
    frame_interval : float or None
        Seconds between frames; None if unknown.
    """

    name: str
    shape: tuple[int, int, int]
    dtype: str
    channel: int | None = None
    position: int | None = None
    z: str | None = None
    digest: str = ""
    frame_interval: float | None = None


class TracksSource(_Record):
    """The tracks that determined the crops.

    Attributes
    ----------
    format : str
        Name of the file format.
    automatic : bool
        Whether cells were linked over time by Morpholaw rather than by the program that wrote the file.
    frame_offset : int
        Number that was added to the file's frame numbers.
    """

    format: str
    automatic: bool = False
    frame_offset: int = 0


class CropOrigin(_Record):
    """How the crops of a set were made.

    Attributes
    ----------
    kind : {"movie", "folder", "simulated"}
        Whether crops were cut from a movie, imported from a folder of images, or simulated.
    normalisation : Normalisation or None
        Grey scale; None for crops that were drawn directly in [0, 1].
    pixel_size : float or None
        Pixel size of the crops, in micrometres.
    movie_pixel_size : float or None
        Pixel size of the movie before resampling, in micrometres.
    model_pixel_size : float or None
        Requested pixel size after resampling, in micrometres; None without resampling.
    edge : str or None
        Treatment of cells at the border of the frames.
    movie : MovieSource or None
        The movie, if there was one.
    tracks : TracksSource or None
        The tracks, if there were any.
    sources : tuple of FileSource
        Files from which the crops were made.
    group_prefix : str
        Prefix of the names of groups, unique for each movie of a study.
    clipped, dropped, over_edge : int
        Number of cells left out because they are outside the movie or at its border, and number of crops that extend
        beyond the border.
    classes, group_regex
        Settings of an import; see :class:`morpholaw.config.ImportConfig`.
    resized, duplicates : int
        Number of imported images of another size, and of images with the same pixels as an earlier one.
    """

    kind: Literal["movie", "folder", "simulated"] = "folder"
    normalisation: Normalisation | None = None
    pixel_size: float | None = None
    movie_pixel_size: float | None = None
    model_pixel_size: float | None = None
    edge: str | None = None
    movie: MovieSource | None = None
    tracks: TracksSource | None = None
    sources: tuple[FileSource, ...] = ()
    clipped: int = 0
    dropped: int = 0
    over_edge: int = 0
    classes: dict[str, list[str]] = Field(default_factory=dict)
    group_regex: str | None = None
    resized: int = 0
    duplicates: int = 0
    group_prefix: str = ""

    @property
    def scale(self) -> float | None:
        """Pixel size that the crops represent, in micrometres: after resampling if there was any, else their own."""
        return self.model_pixel_size or self.pixel_size

    def is_of_same_movie(self, other: CropOrigin) -> bool:
        """Return whether both were cut from the same channel and position of the same movie."""
        if self.movie is None or other.movie is None:
            return False
        mine, theirs = ((one.channel, one.position, one.z) for one in (self.movie, other.movie))
        files = {source.fingerprint for source in self.sources} & {s.fingerprint for s in other.sources}
        same = bool(files) or (self.movie.digest != "" and self.movie.digest == other.movie.digest)
        return same and mine == theirs


class CropSetRecord(CropOrigin):
    """The complete ``set.json``.

    Attributes
    ----------
    layout : int
        Version of the layout; ``schema`` in the file.
    n : int
        Number of crops.
    size : int
        Side length of a crop, in pixels.
    created : str
        Time at which the set was made, ISO 8601.
    """

    layout: int = Field(SCHEMA, alias="schema")
    n: int = Field(ge=0)
    size: int = Field(ge=1)
    created: str = ""


def read_crop_record(folder: Path) -> CropSetRecord:
    """Read the record of the crop set in ``folder``.

    Raises
    ------
    InputError
        If the folder is not a crop set, its record is damaged, or it was made by a newer version.
    """
    path = folder / "set.json"
    if not path.is_file():
        raise InputError(f"{folder} is not a crop set: it has no set.json.")
    values: Any = read_json(path)
    schema = values.get("schema") if isinstance(values, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise InputError(
            f"The crop set {folder} was made by a newer version (layout {schema}; this version "
            f"reads up to {SCHEMA}); update Morpholaw to open it."
        )
    try:
        return CropSetRecord.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise InputError(
            f"{path} does not describe a crop set ({field}: {first['msg'].lower()}); the set is damaged."
        ) from None


def write_crop_record(folder: Path, record: CropSetRecord) -> None:
    """Write the record of the crop set in ``folder`` atomically."""
    write_json(folder / "set.json", record.model_dump(mode="json", by_alias=True))


def complete_record(origin: CropOrigin, n: int, size: int) -> CropSetRecord:
    """Return the record of ``n`` new crops of side length ``size``."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    values = {name: getattr(origin, name) for name in CropOrigin.model_fields}
    return CropSetRecord(**values, n=n, size=size, created=now)


def file_source(path: Path, folder: Path) -> FileSource:
    """Return the relative path and the fingerprint of a file or folder from which the crops in ``folder`` are made."""
    return FileSource(path=path_from(path, folder), fingerprint=fingerprint(path.absolute()))


def path_from(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, with slashes; the absolute path if it is on another drive."""
    path = path.absolute()
    try:
        return Path(os.path.relpath(path, folder.absolute())).as_posix()
    except ValueError:  # Windows
        return path.as_posix()
