"""GEFF, the graph exchange file format: a zarr group with nodes, edges and their properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells import zarr_files
from morpholaw.cells.movie_formats.units import counts_pixels, micrometres
from morpholaw.cells.track_formats.facts import TrackContext, TrackFacts, Tracks
from morpholaw.cells.track_formats.frames import counts_frames, frames_from_times, is_whole, step_of
from morpholaw.cells.track_formats.lineage import linear_tracks
from morpholaw.errors import InputError

_FRAME_NAMES = ("frame", "timepoint", "t", "time")
_HINTS = {"time": "display_time", "y": "display_vertical", "x": "display_horizontal"}


def is_geff(path: Path) -> bool:
    """Return whether ``path`` is a zarr group with GEFF metadata."""
    return zarr_files.is_zarr(path) and "geff" in zarr_files.attributes(path)


def read_geff(path: Path, context: TrackContext) -> Tracks:
    """Read a GEFF graph; edges become tracks, which are split at divisions.

    ``source_id`` is the id of the node, and ``source_track`` the property that numbers tracks, if there is one.
    Positions in a unit of length are divided by the movie's pixel size.

    Raises
    ------
    InputError
        If the folder is not a GEFF graph, has no positions, has positions in a unit of length while the pixel size is
        unknown, or has times that cannot be converted to frames.
    """
    attributes = zarr_files.attributes(path)
    metadata = attributes.get("geff")
    if not isinstance(metadata, dict):
        old = f", but one of version {attributes['geff_version']}" if "geff_version" in attributes else ""
        raise InputError(
            f"{path} cannot be read as a GEFF graph{old}: its metadata has no geff entry, as in version 1; "
            "write it again with the geff package."
        )
    notes: list[str] = []
    axes = _axes(metadata, path)
    ids = zarr_files.read_array(path / "nodes" / "ids", complete=True)
    edges = zarr_files.read_array(path / "edges" / "ids", complete=True)
    if ids.size == 0:
        raise InputError(f"{path} has no nodes.")
    if (
        ids.ndim != 1
        or edges.ndim != 2
        or edges.shape[1] != 2
        or {ids.dtype.kind, edges.dtype.kind} - set("ui")
    ):
        raise InputError(
            f"{path} has ids of other shapes or types than GEFF; expected one integer per node and two per edge."
        )
    frames = _frames(path, axes["time"], len(ids), context, notes)
    spots = pd.DataFrame({"spot": ids.astype(np.int64), "t": frames})
    for name in ("y", "x"):
        place = _property(path, axes[name]["name"], len(ids), complete=True)
        spots[name] = place / _unit(axes[name], context, path)
    if "z" in axes and np.ptp(_property(path, axes["z"]["name"], len(ids))) > 0:
        notes.append(f"{path}: the tracks are 3D; z is not used.")
    number = _track_property(path, metadata, len(ids))
    if number is not None:
        spots["source_track"] = number.astype(str)
    raw = linear_tracks(spots, edges.astype(np.int64), str(path), notes)
    raw = raw.assign(source_id=raw["spot"].astype(str)).drop(columns="spot")
    if not _names_order(metadata, axes):
        notes.append(
            f"{path} has the axis {axes['x']['name']} before {axes['y']['name']} and does not say which is "
            "vertical; the names were used. If crops miss their cells, exchange them (--swap-xy)."
        )
    size = _stated_pixel_size(axes)
    stated = micrometres(axes["y"].get("unit")) is not None
    facts = TrackFacts(
        format="GEFF",
        frame_numbering="unknown",
        pixel_size=size,
        unit="um" if stated else "pixel" if size or counts_pixels(axes["y"].get("unit")) else "unknown",
        notes=notes,
        sources=dict.fromkeys(("pixel_size", "unit"), "the axes of the graph"),
    )
    return Tracks(raw, facts)


def _names_order(metadata: dict[str, Any], axes: dict[str, dict[str, Any]]) -> bool:
    """Return whether hints or the order of the axes (y before x) show which axis is vertical."""
    hints = metadata.get("display_hints")
    if isinstance(hints, dict) and hints.get(_HINTS["y"]) == axes["y"]["name"]:
        return True
    names = [axis.get("name") for axis in metadata["axes"] if isinstance(axis, dict)]
    return names.index(axes["y"]["name"]) < names.index(axes["x"]["name"])


def _stated_pixel_size(axes: dict[str, dict[str, Any]]) -> float | None:
    """Return the micrometres per pixel if the axes count pixels and state their size."""
    sizes = []
    for name in ("y", "x"):
        axis = axes[name]
        length, scale = micrometres(axis.get("scaled_unit")), axis.get("scale")
        if (
            micrometres(axis.get("unit")) is None
            and length
            and isinstance(scale, (int, float))
            and 0 < scale < 1e6
        ):
            sizes.append(scale * length)
    return float(np.sqrt(sizes[0] * sizes[1])) if len(sizes) == 2 else None


def _track_property(path: Path, metadata: dict[str, Any], count: int) -> np.ndarray | None:
    """Read the property that numbers tracks, int64 (n,): the one in the metadata, or one with a usual name."""
    named = metadata.get("track_node_props")
    wanted = [named.get(kind) for kind in ("tracklet", "lineage")] if isinstance(named, dict) else []
    folder = path / "nodes" / "props"
    there = {one.name.lower(): one.name for one in folder.iterdir()} if folder.is_dir() else {}
    usual = [there.get(name) for name in ("track_id", "tracklet_id", "track", "tracklet")]
    for name in [*wanted, *usual]:
        if isinstance(name, str) and zarr_files.is_array(
            zarr_files.inside(folder, name, str(path)) / "values"
        ):
            values = _property(path, name, count)
            if is_whole(values):
                return values.astype(np.int64)
    return None


def _axes(metadata: dict[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    """Return the axes of time, y, x and, if there is one, z."""
    axes = metadata.get("axes")
    axes = [axis for axis in axes if isinstance(axis, dict)] if isinstance(axes, list) else []
    axes = [axis for axis in axes if isinstance(axis.get("name"), str)]
    by_name = {axis["name"]: axis for axis in axes}
    hints = metadata.get("display_hints")
    hints = (
        {key: name for key, name in hints.items() if isinstance(name, str)} if isinstance(hints, dict) else {}
    )
    space = [axis for axis in axes if axis.get("type") in ("space", None)]
    axis_of = {role: by_name[hints[key]] for role, key in _HINTS.items() if hints.get(key) in by_name}
    for axis in axes:
        if axis.get("type") == "time" or axis["name"].lower() in ("t", "time"):
            axis_of.setdefault("time", axis)
    for letter in "yxz":
        for axis in space:
            if axis["name"].lower() == letter or axis["name"].lower().endswith(("_" + letter, "-" + letter)):
                axis_of.setdefault(letter, axis)
    if len(space) > 1 and not axis_of.keys() & {
        "y",
        "x",
    }:  # names without meaning; GEFF orders axes as (z), y, x
        axis_of["y"], axis_of["x"] = space[-2:]
    if missing := [role for role in ("time", "y", "x") if role not in axis_of]:
        raise InputError(
            f"{path} has no {' or '.join(missing)} axis, so its nodes have no position in a movie."
        )
    return axis_of


def _property(path: Path, name: str, count: int, complete: bool = False) -> np.ndarray:
    folder = zarr_files.inside(path / "nodes" / "props", name, str(path))
    values = zarr_files.read_array(folder / "values", complete)
    if values.shape != (count,) or values.dtype.kind not in "uif":
        raise InputError(f"{folder} has values of the shape {values.shape}; expected one number per node.")
    values = values.astype(np.float64)
    if zarr_files.is_array(folder / "missing"):
        values[zarr_files.read_array(folder / "missing").astype(bool)] = np.nan
    return values


def _frames(
    path: Path, axis: dict[str, Any], count: int, context: TrackContext, notes: list[str]
) -> np.ndarray:
    """Return frame numbers: the time axis if it counts frames, or else a property that does, or else time steps."""
    time = _property(path, axis["name"], count)
    if not np.isfinite(time).all():
        raise InputError(f"{path} has {(~np.isfinite(time)).sum()} nodes without a time.")
    unit = axis.get("unit") if isinstance(axis.get("unit"), str) else None
    if (not unit or counts_pixels(unit) or counts_frames(unit)) and is_whole(time):
        return time.astype(np.int64)
    for folder in sorted((path / "nodes" / "props").iterdir()):
        if (
            folder.name.lower() in _FRAME_NAMES
            and folder.name != axis["name"]
            and zarr_files.is_array(folder / "values")
        ):
            frames = _property(path, folder.name, count)
            if is_whole(frames):
                return frames.astype(np.int64)
    movie = context.movie_shape[0] if context.movie_shape else None
    if is_whole(time) and context.frame_interval is None and movie is not None and time.max() < movie:
        step = step_of(time)
        if step == 1:  # frames, or seconds with one frame each
            return time.astype(np.int64)
        if len(np.unique(time)) < movie:
            raise InputError(
                f"{path} has times {time.min():g} to {time.max():g} in steps of {step}, which its metadata calls "
                f"{unit}, but they could also be frames. Give the movie's frame interval, in seconds, with "
                "--frame-interval (frame_interval=...), or write the unit frame."
            )
    return frames_from_times(time, unit, str(path), context, notes)


def _unit(axis: dict[str, Any], context: TrackContext, path: Path) -> float:
    """Return the factor by which to divide an axis to get pixels."""
    length = micrometres(axis.get("unit"))
    if length is None:
        return 1.0
    return context.pixel_size_for(axis["unit"], str(path)) / length
