"""Readers for files of tracks and study folders dropped on the viewer."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.errors import InputError, MorpholawError
from morpholaw.widgets.movie.layer_sources import scaled_movie

if TYPE_CHECKING:
    import pandas as pd

    from morpholaw.cells.crop_set import CropSet

LayerData = tuple[Any, dict[str, Any], str]
"""A layer for napari: data, options, kind."""
NoLayer = tuple[None]
Reader = Callable[[Any], list[LayerData] | list[NoLayer]]


def tracks_reader(path: str | Sequence[str]) -> Reader | None:
    """Return napari's reader for tracks (CTC, btrack HDF5, TrackMate XML, GEFF, napari CSV); None for other files."""
    if not isinstance(path, (str, os.PathLike)) or not _looks_like_tracks(Path(path)):
        return None
    return lambda dropped: [dropped_tracks(dropped)]


def study_reader(path: str | Sequence[str]) -> Reader | None:
    """Return napari's reader for a study folder, which opens the study in the panels; None for other folders."""
    if not isinstance(path, (str, os.PathLike)) or not (Path(path) / "study.json").is_file():
        return None
    return _open_study


def tracks_layer(path: str | os.PathLike[str], pixel_size: float | None = None) -> LayerData:
    """Return the tracks in a file as a layer: vertices, graph of divisions, and features such as classes.

    Raises
    ------
    InputError
        If the file does not contain tracks, or is in micrometres and the pixel size is unknown.
    """
    from morpholaw.cells.reader_process import read_apart
    from morpholaw.cells.tracks import read_tracks

    table = read_apart(partial(read_tracks, path, pixel_size=pixel_size), path)
    return table_as_layer(table, Path(path).stem)


def dropped_tracks(path: str | os.PathLike[str]) -> LayerData:
    """Return the tracks in a file as a layer; tracks in micrometres are scaled with the pixel size of the movie.

    If no movie states its pixel size, the tracks are shown in micrometres and a notification says what to set.
    """
    import napari
    from napari.utils.notifications import show_warning

    try:
        return tracks_layer(path)
    except MorpholawError:
        viewer = napari.current_viewer()
        movie = None if viewer is None else scaled_movie(viewer)
        if movie is not None:
            data, options, kind = tracks_layer(path, float(movie.scale[-1]))
            return data, {**options, "scale": movie.scale[-3:], "translate": movie.translate[-3:]}, kind
        data, options, kind = tracks_layer(path, 1.0)  # raises if anything else is wrong with the file
    name = options["name"]
    show_warning(
        f"The tracks {name} are in micrometres. To make them fit, set the scale of the movie's layer to its "
        "micrometres per pixel."
    )
    return data, {**options, "metadata": {"morpholaw": {"unit": "micrometer"}}}, kind


AXES = ("t", "y", "x")
"""Names of the axes of a movie, shown beside napari's sliders."""


def table_as_layer(table: pd.DataFrame, name: str) -> LayerData:
    """Return a track table as a tracks layer."""
    first = table.drop_duplicates("track_id")
    children = first[first["parent"] >= 0]
    graph = {
        int(child): [int(parent)]
        for child, parent in zip(children["track_id"], children["parent"], strict=True)
    }
    features = table.drop(columns=[c for c in ("track_id", "t", "y", "x") if c in table])
    options = {
        "graph": graph,
        "features": features,
        "name": name,
        "tail_width": 2,
        "tail_length": 10,
        "axis_labels": AXES,
    }
    vertices = table[["track_id", "t", "y", "x"]].to_numpy(np.float64)
    return vertices, options, "tracks"


def lazy_movie(path: str | os.PathLike[str]) -> LayerData:
    """Return a movie as an image layer that reads each frame when it is shown.

    Raises
    ------
    InputError
        If the file is not a movie.
    """
    from morpholaw.cells.movies import open_movie

    movie = open_movie(path, apart=True)
    first = movie.frame(0)
    low, high = (float(value) for value in np.percentile(first, [1, 99.8]))
    options = {
        "name": movie.name,
        "axis_labels": AXES,
        "contrast_limits": (low, high if high > low else low + 1),
        "metadata": {"path": str(Path(path).resolve())},
    }
    return lazy_stack(movie.frame, movie.shape, movie.dtype), options, "image"


def lazy_stack(read: Callable[[int], np.ndarray], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Any:
    """Return a dask array (t, y, x) that calls ``read(t)`` when frame t is needed."""
    import dask.array
    from dask.delayed import delayed

    frames = [dask.array.from_delayed(delayed(read)(t), shape[1:], dtype) for t in range(shape[0])]  # type: ignore[no-untyped-call]
    return dask.array.stack(frames)  # type: ignore[no-untyped-call]


def _open_study(path: str) -> list[LayerData] | list[NoLayer]:
    import napari

    from morpholaw.widgets.study.current_study import CurrentStudy

    viewer = napari.current_viewer()
    if viewer is None:
        raise InputError(f"The study {path} can only be opened in a viewer; start napari first.")
    CurrentStudy.of(viewer).open(path)
    return study_layers(path)


def study_layers(path: Path | str) -> list[LayerData] | list[NoLayer]:
    """Return the first movie of a study, if its file still exists, and the tracks of its cells.

    If there is neither, the list contains a single empty layer, which adds nothing to the viewer.
    """
    from morpholaw.study import Study

    for crop_set in Study.open(path).sets:
        cells = crop_set.cells
        if crop_set.record.kind != "movie":
            continue
        file = movie_file(crop_set)
        tracks = cells[["track_id", "t", "y", "x", "parent"]].sort_values(
            ["track_id", "t"], ignore_index=True
        )
        layers = [table_as_layer(tracks, f"{crop_set.name} tracks")]
        return [lazy_movie(file), *layers] if file is not None else layers
    return [(None,)]  # tells napari that the folder was opened but adds no layer


def movie_file(crop_set: CropSet) -> Path | None:
    """Return the file or folder of the movie from which a crop set was cut; None if it is gone."""
    for source in crop_set.record.sources:
        path = (crop_set.folder / source.path).resolve()  # an absolute path stays as it is
        if path.exists():
            return path
    return None


def _looks_like_tracks(path: Path) -> bool:
    """Return whether a path may contain tracks; the contents decide when it is read."""
    from morpholaw.cells.track_formats.ctc import ctc_folder
    from morpholaw.cells.track_formats.geff import is_geff

    name = path.name.lower()
    if path.is_dir():
        return is_geff(path) or ctc_folder(path) is not None
    if name.endswith((".h5", ".hdf5")):
        return True
    if name.endswith(".txt"):
        return ctc_folder(path) is not None
    if name.endswith((".xml", ".csv")):
        with path.open("rb") as handle:
            start = handle.read(2000).lower()
        return b"<trackmate" in start if name.endswith(".xml") else _names_tracks(start)
    return False


def _names_tracks(start: bytes) -> bool:
    """Return whether the first line of a table has columns for an id, a time and a position."""
    from morpholaw.cells.track_formats.column_names import FRAME, PLACE, TIME, TRACK, WEAK_TRACK, by_key

    line = start.decode("utf-8-sig", "replace").split("\n")[0].strip()
    names = [name.strip(' "') for name in line.split(max(",;\t", key=line.count))]
    keys = by_key(names).keys()
    place = any(keys >= set(pair) for pair in PLACE)
    return place and bool(keys & {*TRACK, *WEAK_TRACK}) and bool(keys & {*FRAME, *TIME})
