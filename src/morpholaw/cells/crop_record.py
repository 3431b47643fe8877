"""What ``set.json`` says of a crop set: what the crops are of, their scale, and how they were made."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from morpholaw.cells.files import read_json, write_json
from morpholaw.cells.normalise import Normalisation
from morpholaw.errors import InputError

SCHEMA = 1
"""Version of the layout of a crop set's folder; a set of a later version is refused."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


class FileSource(_Record):
    """A file or folder that crops were made from.

    Attributes
    ----------
    path : str
        Relative to the crop set's folder, so that a study can be moved with its data.
    fingerprint : str
        SHA-256 of the contents.
    """

    path: str
    fingerprint: str


class MovieSource(_Record):
    """The movie that crops were cut from.

    Attributes
    ----------
    name : str
        The movie's name, or that of its layer.
    shape : tuple of int
        Frames, height and width.
    dtype : str
        Of a pixel.
    channel, position : int or None
        Which of several was read, from 0.
    z : str or None
        What was read of a z-stack.
    digest : str
        Fingerprint of the pixels of a few frames, by which a movie without a file is known again.
    frame_interval : float or None
        Seconds from one frame to the next; None where nothing says it.
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
    """The tracks that crops were cut by.

    Attributes
    ----------
    format : str
        Name of the file's format.
    automatic : bool
        Whether cells were linked over time by Morpholaw, and not by the program that wrote the file.
    frame_offset : int
        What was added to the file's frame numbers.
    """

    format: str
    automatic: bool = False
    frame_offset: int = 0


class CropOrigin(_Record):
    """How the crops of a set were made.

    Attributes
    ----------
    kind : {"movie", "folder", "simulated"}
        Cut from a movie, imported from a folder of images, or simulated.
    normalisation : Normalisation or None
        The grey scale; None for crops that were drawn in [0, 1] directly.
    pixel_size : float or None
        Micrometres per pixel of the crops.
    movie_pixel_size : float or None
        Micrometres per pixel of the movie, before resampling.
    model_pixel_size : float or None
        Micrometres per pixel that resampling was asked for; None: none was asked for.
    edge : str or None
        What was done at the border of the frames.
    movie : MovieSource or None
        The movie; None where there was none.
    tracks : TracksSource or None
        The tracks; None where there were none.
    sources : tuple of FileSource
        Files that the crops were made from.
    group_prefix : str
        What the names of the cells' groups begin with; no two movies of a study share it.
    clipped, dropped, over_edge : int
        Cells outside the movie and at its border that were left out, and crops that reach over the border.
    classes, group_regex
        Settings of an import, see :class:`morpholaw.config.ImportConfig`.
    resized, duplicates : int
        Imported images of another size, and images with the same pixels as an earlier one.
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
        """Micrometres per pixel that the crops stand for: those they were resampled to, else their own."""
        return self.model_pixel_size or self.pixel_size

    def is_of_same_movie(self, other: CropOrigin) -> bool:
        """Whether both were cut from the same channel and position of the same movie."""
        if self.movie is None or other.movie is None:
            return False
        mine, theirs = ((one.channel, one.position, one.z) for one in (self.movie, other.movie))
        files = {source.fingerprint for source in self.sources} & {s.fingerprint for s in other.sources}
        same = bool(files) or (self.movie.digest != "" and self.movie.digest == other.movie.digest)
        return same and mine == theirs


class CropSetRecord(CropOrigin):
    """The whole of ``set.json``.

    Attributes
    ----------
    layout : int
        Version of the folder's layout, ``schema`` in the file.
    n : int
        Number of crops.
    size : int
        Side of a crop, in pixels.
    created : str
        When the set was made, ISO 8601.
    """

    layout: int = Field(SCHEMA, alias="schema")
    n: int = Field(ge=0)
    size: int = Field(ge=1)
    created: str = ""


def read_crop_record(folder: Path) -> CropSetRecord:
    """Read the description of the crop set in ``folder``.

    Raises
    ------
    InputError
        When the folder is no crop set, its description is damaged, or a newer version made it.
    """
    path = folder / "set.json"
    if not path.is_file():
        raise InputError(f"{folder} is not a crop set: it has no set.json.")
    values: Any = read_json(path)
    schema = values.get("schema") if isinstance(values, dict) else None
    if isinstance(schema, int) and schema > SCHEMA:
        raise InputError(
            f"The crop set {folder} was made by a newer version (layout {schema}, this version "
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
    """Write the description of the crop set in ``folder``, whole or not at all."""
    write_json(folder / "set.json", record.model_dump(mode="json", by_alias=True))


def complete_record(origin: CropOrigin, n: int, size: int) -> CropSetRecord:
    """Return the record of ``n`` crops of side ``size`` that are written now."""
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    values = {name: getattr(origin, name) for name in CropOrigin.model_fields}
    return CropSetRecord(**values, n=n, size=size, created=now)
