"""OME-Zarr images (NGFF 0.1 to 0.5) and plain zarr arrays, read chunk by chunk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from morpholaw.cells import zarr_files
from morpholaw.cells.movie_formats.array import open_array
from morpholaw.cells.movie_formats.source import FrameSource, micrometres, pixel_side
from morpholaw.errors import InputError


def open_ome_zarr(path: Path) -> FrameSource:
    """Open the highest resolution of an OME-Zarr image, or a plain zarr array.

    Raises
    ------
    InputError
        The folder holds no image, several, or one that is not a one-channel 2D movie.
    """
    if zarr_files.is_array(path):
        return open_array(zarr_files.open_array_at(path), str(path))
    attributes = zarr_files.attributes(path)
    ome = attributes.get("ome", attributes)
    if not isinstance(ome, dict):
        ome = {}
    if "plate" in ome or "well" in ome:
        raise InputError(
            f"{path} is a plate of many images, but one movie was expected: open one field of it."
        )
    if scales := ome.get("multiscales"):
        return _open_multiscale(path, scales)
    return _open_only_child(path)


def _open_only_child(path: Path) -> FrameSource:
    """A group without image metadata that has a single array or image (bioformats2raw) inside."""
    children = [p for p in sorted(path.iterdir()) if zarr_files.is_zarr(p) and p.name != "OME"]
    if len(children) != 1:
        names = ", ".join(p.name for p in children[:5]) or "nothing"
        raise InputError(
            f"{path} has no OME-Zarr image metadata and holds {names}, but one movie was expected."
        )
    return open_ome_zarr(children[0])


def _open_multiscale(path: Path, scales: Any) -> FrameSource:
    try:
        scale = scales[0]
        finest = scale["datasets"][0]
        axes = [axis if isinstance(axis, dict) else {"name": axis} for axis in scale.get("axes") or []]
        names = [str(axis["name"]).lower() for axis in axes]
        array = zarr_files.open_array_at(zarr_files.inside(path, finest["path"], str(path)))
        factors = _factors(finest, scale, array.ndim)
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
    units = [micrometres(axis.get("unit")) for axis in axes] or [None] * array.ndim
    sides = [f * u if f and u else None for f, u in zip(factors[-2:], units[-2:], strict=True)]
    return open_array(array, str(path), letters, pixel_side(sides[0], sides[1], str(path)))


def _letter(name: str, axis: dict[str, Any]) -> str:
    """One letter an axis, by its type where its name is a word."""
    if len(name) == 1:
        return name
    return {"time": "t", "channel": "c"}.get(str(axis.get("type")), name[:1] or "?")


def _factors(dataset: dict[str, Any], scale: dict[str, Any], ndim: int) -> list[float | None]:
    """Size of a pixel along every axis: the array's own scale times the image's."""
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
