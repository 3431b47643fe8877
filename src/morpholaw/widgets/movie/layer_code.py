"""Lines of Python that do a step on the viewer's layers, for napari's console."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari.layers import Layer

from morpholaw.widgets.jobs.python_code import Expression, literal, step_code


def layers_code(study: Path, step: str, movie: Layer, tracks: Layer, arguments: Mapping[str, Any]) -> str:
    """Return the lines that call a method of a study on a movie's and a tracks' layer.

    Parameters
    ----------
    study : Path
        The study's folder.
    step : str
        The method, which takes ``movie`` and ``tracks``.
    movie, tracks : Layer
        Named in the code as they are named in the viewer.
    arguments : mapping
        Further keyword arguments.
    """
    before = (
        "import napari\n"
        "from morpholaw.widgets.movie.layer_sources import movie_array, tracks_table\n\n"
        "layers = napari.current_viewer().layers\n"
        f"movie = layers[{literal(movie.name)}]\n"
        f"tracks = tracks_table(layers[{literal(tracks.name)}], movie)\n"
    )
    expressions = {"movie": Expression("movie_array(movie)"), "tracks": Expression("tracks")}
    return step_code(study, step, {**expressions, **arguments}, before)
