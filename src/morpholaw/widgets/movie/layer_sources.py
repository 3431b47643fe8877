"""Layers as movies and tracks: as paths of their files, as arrays or tables, and as Python code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels, Layer, Tracks

from morpholaw.errors import InputError, MorpholawError
from morpholaw.widgets.jobs.python_code import Expression, literal, step_code

if TYPE_CHECKING:
    import pandas as pd
    from napari.components import ViewerModel


def movie_array(layer: Image | Labels | None) -> Any:
    """Return the pixels of a layer, (t, y, x); a lazy layer stays lazy.

    Raises
    ------
    InputError
        If the layer is None, in colour, or not a movie of 2D frames.
    """
    if layer is None:
        raise InputError("There is no image layer to cut cells from; open a movie and choose it.")
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    if getattr(layer, "rgb", False):
        raise InputError(
            f"The layer {layer.name!r} is in colour; choose a layer with a movie of one channel."
        )
    # axes of length one do not count, as for files
    shape = tuple(length for length in data.shape if length > 1)
    if data.ndim < 3 or len(shape) > 3:
        raise InputError(
            f"The layer {layer.name!r} has the shape {tuple(data.shape)}; choose a layer with a movie (t, y, x) of 2D "
            "frames."
        )
    return data


def movie_path(layer: Image | Labels) -> Path | None:
    """Return the file from which a layer was opened; None if there is none or if its shape differs from the layer's."""
    from morpholaw.cells.movies import open_movie

    source = stated_path(layer)
    if source is None or not source.exists():
        return None
    try:
        shape = open_movie(source).shape
    except (MorpholawError, OSError):
        return None
    return source if shape == tuple(movie_array(layer).shape) else None


def stated_path(layer: Layer) -> Path | None:
    """Return the file or folder from which a layer was opened, according to the layer; None if it states none."""
    # Our readers store the file; napari knows only what was dropped, which may be the folder around the file.
    path = layer.metadata.get("path") or layer.source.path
    return Path(path) if path else None


def tracks_table(layer: Layer | None, movie: Image | None) -> pd.DataFrame:
    """Return the tracks of a tracks or labels layer, in pixels of the movie's layer.

    Returns
    -------
    DataFrame
        ``track_id``, ``t``, ``y``, ``x``, ``parent``, ``family`` if tracks merge or the layer has such a feature, and
        ``label`` if it has that one.

    Raises
    ------
    InputError
        If the layer is None, empty, in 3D, or has another frame size than the movie.
    """
    import pandas as pd

    from morpholaw.cells.families import joined

    if layer is None:
        raise InputError("There are no tracks; open a tracks or labels layer of the movie and choose it.")
    if isinstance(layer, Labels):
        return _of_labels(layer, movie)
    if not isinstance(layer, Tracks):
        raise InputError(
            f"The layer {layer.name!r} is neither a tracks layer nor a labels layer; choose another one."
        )
    data = np.asarray(layer.data)
    if data.shape[1] != 4:
        raise InputError(f"The tracks layer {layer.name!r} is in 3D; choose tracks of a 2D movie.")
    if not len(data):
        raise InputError(f"The tracks layer {layer.name!r} is empty; choose another one.")
    ids = data[:, 0].astype(np.int64)
    before = {child: np.atleast_1d(parents).tolist() for child, parents in (layer.graph or {}).items()}
    parents = {child: ids[0] for child, ids in before.items() if len(ids) == 1}
    merges = [(child, one) for child, ids in before.items() if len(ids) > 1 for one in ids]
    places = data[:, 2:] * layer.scale[-2:] + layer.translate[-2:]
    if movie is not None:
        if (layer.metadata.get("morpholaw") or {}).get("unit") == "micrometer" and not is_scaled(movie):
            raise InputError(
                f"The tracks {layer.name!r} are in micrometres; set the scale of the layer {movie.name!r} to its "
                "micrometres per pixel."
            )
        places = (places - movie.translate[-2:]) / movie.scale[-2:]
    table = pd.DataFrame(
        {
            "track_id": ids,
            "t": np.round(data[:, 1]).astype(np.int64),
            "y": places[:, 0],
            "x": places[:, 1],
            "parent": [parents.get(track, -1) for track in ids.tolist()],
        }
    )
    if "family" in layer.features and np.issubdtype(layer.features["family"].dtype, np.integer):
        table["family"] = layer.features["family"].to_numpy()
    elif merges:
        table["family"] = joined(ids, np.array(merges, np.int64))
    if "label" in layer.features:
        table["label"] = layer.features["label"].astype(str).to_numpy()
    return table


def _of_labels(layer: Labels, movie: Image | None) -> pd.DataFrame:
    from morpholaw.cells.tracks import read_tracks

    data = movie_array(layer)
    if movie is not None and tuple(data.shape[-2:]) != tuple(movie_array(movie).shape[-2:]):
        raise InputError(
            f"The labels layer {layer.name!r} has frames of {data.shape[-2]} x {data.shape[-1]} pixels, but the "
            f"movie {movie.name!r} has frames of another size."
        )
    return read_tracks(data)


def is_scaled(layer: Layer) -> bool:
    """Return whether a movie's layer states its pixel size, by its scale or, for pixels of 1 µm, by its units."""
    return float(layer.scale[-1]) != 1.0 or str(layer.units[-1]) in ("micrometer", "um")


def scaled_movie(viewer: ViewerModel) -> Image | None:
    """Return the first movie in the viewer that states its pixel size; None if there is none."""
    movies = (layer for layer in viewer.layers if isinstance(layer, Image) and layer.ndim >= 3)
    return next((layer for layer in movies if is_scaled(layer)), None)


def write_sources(movie: Any, tracks: pd.DataFrame, folder: Path) -> dict[str, Any]:
    """Write a movie and its tracks as files for a job; return the arguments "movie" and "tracks" of the job.

    A movie given as a path is not copied; the frames of an array are written one by one.
    """
    import tifffile

    from morpholaw.cells.files import write_table
    from morpholaw.cells.movies import open_movie

    if not isinstance(movie, Path):
        opened = open_movie(movie)
        movie = folder / "movie.tif"
        tifffile.imwrite(
            movie, opened.frames(), shape=opened.shape, dtype=opened.dtype, photometric="minisblack"
        )
    return {"movie": str(movie), "tracks": str(write_table(folder / "tracks.csv", tracks))}


def layer_named(name: str) -> Layer:
    """Return a layer of the open viewer; raise InputError if there is none of this name."""
    import napari

    viewer = napari.current_viewer()
    if viewer is None or name not in viewer.layers:
        raise InputError(
            f"No open viewer has a layer {name!r}. Open it first, and run this code in napari's console or in the "
            "notebook that opened the viewer."
        )
    return viewer.layers[name]


def layers_code(study: Path, step: str, movie: Layer, tracks: Layer, arguments: Mapping[str, Any]) -> str:
    """Return the Python code that calls a method of a study on the layers of a movie and its tracks.

    Parameters
    ----------
    study : Path
        Folder of the study.
    step : str
        Name of the method, which takes ``movie`` and ``tracks``.
    movie, tracks : Layer
        The layers; the code refers to them by their names in the viewer.
    arguments : mapping
        Further keyword arguments.
    """
    before = (
        "from morpholaw.widgets.movie.layer_sources import layer_named, movie_array, tracks_table\n\n"
        "# in napari's console, or in the notebook that opened the viewer\n"
        f"movie = layer_named({literal(movie.name)})\n"
        f"tracks = tracks_table(layer_named({literal(tracks.name)}), movie)\n"
    )
    expressions = {"movie": Expression("movie_array(movie)"), "tracks": Expression("tracks")}
    return step_code(study, step, {**expressions, **arguments}, before)
