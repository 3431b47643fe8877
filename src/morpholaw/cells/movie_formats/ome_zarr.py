"""OME-Zarr images (NGFF 0.1 to 0.5), plates, series, and plain zarr arrays, read chunk by chunk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from morpholaw.cells import zarr_files
from morpholaw.cells.movie_formats.array import array_planes
from morpholaw.cells.movie_formats.planes import Planes, select_movie
from morpholaw.cells.movie_formats.source import NO_CHOICES, Choices, FrameSource, choose
from morpholaw.cells.movie_formats.units import PixelSize, micrometres, pixel_size, seconds
from morpholaw.cells.zarr_chunks import unstored_planes
from morpholaw.errors import InputError

_METADATA = "OME-Zarr metadata"
_MOST_FIELDS = 100_000


@dataclass(frozen=True)
class _Scale:
    """The scale of an image according to its metadata."""

    pixel: PixelSize | None = None
    interval: float | None = None
    note: str | None = None


def open_ome_zarr(path: Path, choices: Choices = NO_CHOICES) -> FrameSource:
    """Open the highest resolution of an OME-Zarr image, one field of a plate, or a plain zarr array.

    Raises
    ------
    InputError
        If there are no images, several of which none was chosen, or only images that are not movies.
    """
    if zarr_files.is_array(path):
        array = zarr_files.open_array_at(path)
        planes = _array_planes(array, path, path, _dimension_letters(array, path), choices)
        return select_movie(replace(planes, format="zarr", files=(path,)), choices, str(path))
    ome = _ome_attributes(path)
    if "plate" in ome or "well" in ome:
        return _open_position(path, _fields(path, ome), choices)
    if scales := ome.get("multiscales"):
        return _open_multiscale(path, scales, ome, choices)
    children = [
        p for p in sorted(path.iterdir()) if zarr_files.is_zarr(p) and p.name not in ("OME", "labels")
    ]
    if not children:
        raise InputError(f"{path} has no OME-Zarr image metadata and no arrays; expected one movie.")
    return _open_position(path, [p.name for p in children], choices)


def _array_planes(array: Any, folder: Path, path: Path, stated: str | None, choices: Choices) -> Planes:
    """Describe the array in ``folder`` as planes, with those that are not stored."""
    planes = array_planes(array, str(path), stated, choices.axes)
    leading = [axis for axis, letter in enumerate(planes.stored) if letter not in "yx"]
    return replace(planes, missing=unstored_planes(array, folder, leading))


def _dimension_letters(array: Any, path: Path) -> str | None:
    """Return one letter per axis if the array names its dimensions, as zarr 3 and xarray do; else None."""
    names = getattr(array.metadata, "dimension_names", None)
    names = names or zarr_files.attributes(path).get("_ARRAY_DIMENSIONS")
    if not isinstance(names, (list, tuple)) or len(names) != array.ndim:
        return None
    words = {"time": "t", "frame": "t", "channel": "c", "position": "p"}
    letters = [words.get(str(name).lower(), str(name).lower()) for name in names]
    known = [letter if letter in tuple("tczpyx") else "?" for letter in letters]
    return "".join(known) if known.count("y") == known.count("x") == 1 else None


def _ome_attributes(path: Path) -> dict[str, Any]:
    attributes = zarr_files.attributes(path)
    ome = attributes.get("ome", attributes)
    return ome if isinstance(ome, dict) else {}


def _fields(path: Path, ome: dict[str, Any]) -> list[str]:
    """Return the paths of all images of a plate or a well that its metadata lists."""
    if "well" in ome:
        return _listed(ome["well"], "images", path)
    fields = []
    for well in _listed(ome["plate"], "wells", path):
        folder = zarr_files.inside(path, well, str(path))
        if folder.is_dir():
            images = _listed(_ome_attributes(folder).get("well"), "images", folder)
            fields += [f"{well}/{image}" for image in images]
        if len(fields) > _MOST_FIELDS:
            raise InputError(f"{path} lists more than {_MOST_FIELDS} images, more than any plate has.")
    if not fields:
        raise InputError(f"{path} is a plate, but none of its listed wells is in its folder.")
    return fields


def _listed(holder: Any, key: str, path: Path) -> list[str]:
    entries = holder.get(key) if isinstance(holder, dict) else None
    paths = [str(e["path"]) for e in entries or [] if isinstance(e, dict) and "path" in e]
    if not paths:
        raise InputError(f"{path} has OME-Zarr metadata of a plate or well that lists no {key}.")
    return paths


def _open_position(path: Path, names: list[str], choices: Choices) -> FrameSource:
    """Open one of several images in a folder."""
    number = choose("position", names, choices.position, str(path))
    source = open_ome_zarr(zarr_files.inside(path, names[number], str(path)), replace(choices, position=None))
    if len(names) == 1:
        return source
    return replace(source, facts=replace(source.facts, position=number, positions=tuple(names)))


def _open_multiscale(path: Path, scales: Any, ome: dict[str, Any], choices: Choices) -> FrameSource:
    try:
        scale = scales[0]
        axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in scale.get("axes") or []]
        names = [str(axis["name"]).lower() for axis in axes]
        finest = _finest(scale["datasets"])
        folder = zarr_files.inside(path, finest["path"], str(path))
        array = zarr_files.open_array_at(folder)
        factors = _factors(finest, scale, array.ndim)
        channels = _channels(ome)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path} has OME-Zarr metadata that cannot be understood (multiscales: {error!r})."
        ) from error
    if not names:
        names = list("tczyx")[-array.ndim :]
    if len(names) != array.ndim:
        raise InputError(f"{path} names {len(names)} axes, but its array has {array.ndim}.")
    letters = "".join(
        _letter(name, axis) for name, axis in zip(names, axes or [{}] * len(names), strict=True)
    )
    scale = _scale_of(letters, factors, axes)
    planes = _array_planes(array, folder, path, letters, choices)
    planes = replace(
        planes,
        format="OME-Zarr",
        channels=channels if len(channels) == planes.length("c") else (),
        pixel_size=scale.pixel,
        frame_interval=scale.interval,
        frame_interval_source=_METADATA if scale.interval else None,
        files=(path,),
        notes=(f"{path}: {scale.note}",) if scale.note else (),
    )
    return select_movie(planes, choices, str(path))


def _finest(datasets: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the level with the smallest pixels, or the first one, as the format specifies, if sizes are missing."""

    def width(dataset: dict[str, Any]) -> float:
        steps = [t["scale"] for t in dataset["coordinateTransformations"] if t.get("type") == "scale"]
        return float(steps[0][-1])

    try:
        return min(datasets, key=width)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError):
        return datasets[0]


def _scale_of(letters: str, factors: list[float | None], axes: list[dict[str, Any]]) -> _Scale:
    """Return the pixel size and the seconds per frame from the transformations and units of the axes."""
    if not axes:
        return _Scale()
    at = {
        letter: (factor, axis.get("unit"))
        for letter, factor, axis in zip(letters, factors, axes, strict=True)
    }
    sides: list[float | None] = []
    for letter in "yx":
        factor, unit = at.get(letter, (None, None))
        length = micrometres(unit)
        sides.append(factor * length if factor and length else None)
    pixel, note = pixel_size(sides[0], sides[1], _METADATA)
    step, unit = at.get("t", (None, None))
    return _Scale(pixel, seconds(step, unit), note)


def _channels(ome: dict[str, Any]) -> tuple[str, ...]:
    """Return the labels of the channels from the rendering settings (omero), if there are any."""
    settings = ome.get("omero")
    channels = settings.get("channels") if isinstance(settings, dict) else None
    if not isinstance(channels, list):
        return ()
    return tuple(str(c.get("label") or "") if isinstance(c, dict) else "" for c in channels)


def _letter(name: str, axis: dict[str, Any]) -> str:
    """Return the letter of an axis, by its type if its name is a word."""
    if len(name) == 1:
        return name
    return {"time": "t", "channel": "c"}.get(str(axis.get("type")), name[:1] or "?")


def _factors(dataset: dict[str, Any], scale: dict[str, Any], ndim: int) -> list[float | None]:
    """Return the size of a pixel along every axis: the array's own scale times the image's."""
    factors: list[float | None] = [None] * ndim
    for holder in (dataset, scale):
        for transform in holder.get("coordinateTransformations") or []:
            if transform.get("type") == "scale":
                steps = [float(step) for step in transform["scale"]]
                if len(steps) != ndim:
                    raise ValueError(f"a scale of {len(steps)} numbers for {ndim} axes")
                factors = [
                    step * (old if old is not None else 1.0) for step, old in zip(steps, factors, strict=True)
                ]
    return factors
