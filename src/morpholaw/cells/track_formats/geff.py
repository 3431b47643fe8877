"""GEFF, the graph exchange file format: a zarr group of nodes, edges and their properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells import zarr_files
from morpholaw.cells.movie_formats.units import micrometres
from morpholaw.cells.track_formats.lineage import linear_tracks
from morpholaw.cells.track_formats.warning import warn_tracks
from morpholaw.errors import InputError

_FRAME_NAMES = ("frame", "timepoint", "t", "time")
_HINTS = {"time": "display_time", "y": "display_vertical", "x": "display_horizontal"}


def is_geff(path: Path) -> bool:
    """Whether ``path`` is a zarr group with GEFF metadata."""
    return zarr_files.is_zarr(path) and "geff" in zarr_files.attributes(path)


def read_geff(path: Path, pixel_size: float | None = None) -> pd.DataFrame:
    """Read a GEFF graph; edges become tracks, split at divisions.

    Positions in a unit of length are divided by ``pixel_size`` (micrometres per pixel).

    Raises
    ------
    InputError
        The folder is not a GEFF graph, has no positions, or has them in a unit of length and no pixel size
        is given.
    """
    metadata = zarr_files.attributes(path).get("geff")
    if not isinstance(metadata, dict):
        raise InputError(f"{path} is not a GEFF graph: its metadata has no geff entry.")
    axes = _axes(metadata, path)
    ids = zarr_files.read_array(path / "nodes" / "ids")
    edges = zarr_files.read_array(path / "edges" / "ids")
    if ids.size == 0:
        raise InputError(f"{path} holds no nodes.")
    if (
        ids.ndim != 1
        or edges.ndim != 2
        or edges.shape[1] != 2
        or {ids.dtype.kind, edges.dtype.kind} - set("ui")
    ):
        raise InputError(
            f"{path} has ids of other shapes or types than GEFF: one integer a node, two an edge."
        )
    spots = pd.DataFrame({"spot": ids.astype(np.int64), "t": _frames(path, axes["time"], len(ids))})
    for name in ("y", "x"):
        spots[name] = _property(path, axes[name]["name"], len(ids)) / _unit(axes[name], pixel_size, path)
    if "z" in axes and np.ptp(_property(path, axes["z"]["name"], len(ids))) > 0:
        warn_tracks(f"{path}: the tracks are 3D; z is not used.")
    return linear_tracks(spots, edges.astype(np.int64), str(path)).drop(columns="spot")


def _axes(metadata: dict[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    """The axes that are time, y, x and, where there is one, z."""
    axes = metadata.get("axes")
    axes = [axis for axis in axes if isinstance(axis, dict)] if isinstance(axes, list) else []
    axes = [axis for axis in axes if isinstance(axis.get("name"), str)]
    by_name = {axis["name"]: axis for axis in axes}
    hints = metadata.get("display_hints")
    hints = (
        {key: name for key, name in hints.items() if isinstance(name, str)} if isinstance(hints, dict) else {}
    )
    space = [axis for axis in axes if axis.get("type") in ("space", None)]
    found = {role: by_name[hints[key]] for role, key in _HINTS.items() if hints.get(key) in by_name}
    for axis in axes:
        if axis.get("type") == "time" or axis["name"].lower() in ("t", "time"):
            found.setdefault("time", axis)
    for letter in "yxz":
        for axis in space:
            if axis["name"].lower() == letter or axis["name"].lower().endswith(("_" + letter, "-" + letter)):
                found.setdefault(letter, axis)
    if len(space) > 1 and not found.keys() & {
        "y",
        "x",
    }:  # names that tell nothing; GEFF orders them (z), y, x
        found["y"], found["x"] = space[-2:]
    if missing := [role for role in ("time", "y", "x") if role not in found]:
        raise InputError(
            f"{path} names no {' or '.join(missing)} axis, so its nodes have no position in a movie."
        )
    return found


def _property(path: Path, name: str, count: int) -> np.ndarray:
    folder = zarr_files.inside(path / "nodes" / "props", name, str(path))
    values = zarr_files.read_array(folder / "values")
    if values.shape != (count,) or values.dtype.kind not in "uif":
        raise InputError(
            f"{folder} has values of the shape {values.shape}, but one number a node was expected."
        )
    values = values.astype(np.float64)
    if zarr_files.is_array(folder / "missing"):
        values[zarr_files.read_array(folder / "missing").astype(bool)] = np.nan
    return values


def _frames(path: Path, axis: dict[str, Any], count: int) -> np.ndarray:
    """Frame numbers: the time axis where it counts frames, else a property that does, else time steps."""
    time = _property(path, axis["name"], count)
    if not np.isfinite(time).all():
        raise InputError(f"{path} has {(~np.isfinite(time)).sum()} nodes without a time.")
    unit = axis.get("unit")
    if unit in (None, "", "frame", "frames", "pixel") and np.array_equal(time, np.round(time)):
        return time.astype(np.int64)
    for folder in sorted((path / "nodes" / "props").iterdir()):
        if (
            folder.name.lower() in _FRAME_NAMES
            and folder.name != axis["name"]
            and zarr_files.is_array(folder / "values")
        ):
            frames = _property(path, folder.name, count)
            if np.array_equal(frames, np.round(frames)):
                return frames.astype(np.int64)
    times = np.unique(time)
    step = float(np.diff(times).min()) if len(times) > 1 else 1.0
    warn_tracks(f"{path}: a frame is taken to be {step:g} {unit or 'units of time'}, the smallest time step.")
    return np.round(time / step).astype(np.int64)


def _unit(axis: dict[str, Any], pixel_size: float | None, path: Path) -> float:
    """What to divide an axis by to get pixels."""
    length = micrometres(axis.get("unit"))
    if length is None:
        return 1.0
    if pixel_size is None:
        raise InputError(
            f"{path} has positions in {axis['unit']}: give the movie's pixel size, in micrometres."
        )
    return pixel_size / length
