"""The place of a crop in its movie, and the layer that shows the movie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from morpholaw.widgets.movie.layer_sources import stated_path
from morpholaw.widgets.movie.movie_clicks import nearest_cell
from morpholaw.widgets.movie.other_movie import is_other_movie

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from morpholaw.cells.crop_set import Crops, CropSet

GAP = 16.0
"""Gap, in world units, between existing layers and one that is added beside them."""


@dataclass(frozen=True)
class MoviePlace:
    """The place of a crop in a movie.

    Attributes
    ----------
    layer : napari.layers.Image
        The movie.
    t : int
        The frame.
    y, x : float
        Centre of the crop's first pixel, in pixels of the movie.
    step : float
        Number of movie pixels along the side of one crop pixel.
    """

    layer: Image
    t: int
    y: float
    x: float
    step: float

    def layer_options(self) -> dict[str, Any]:
        """Return layer options that place a crop, (1, s, s) or (s, s) for a 2D layer, over the movie."""
        layer, ndim = self.layer, self.layer.ndim
        origin = np.array([self.t, self.y, self.x][-ndim:], float)
        steps = np.array([1.0, self.step, self.step][-ndim:])
        scale = np.asarray(layer.scale, float)
        return {
            "scale": scale * steps,
            "translate": np.asarray(layer.translate, float) + scale * origin,
            "units": layer.units,
            "axis_labels": layer.axis_labels,
        }


def place_of(viewer: ViewerModel, crops: Crops, index: int) -> MoviePlace | None:
    """Return the place of a crop in the viewer; None if it was not cut from a movie or no layer shows the movie."""
    k = int(np.searchsorted(crops.offsets, index, side="right")) - 1
    crop_set = crops.sets[k]
    layer = movie_layer(viewer, crop_set)
    cell = crop_set.cells.iloc[int(index - crops.offsets[k])]
    if layer is None or cell["t"] < 0 or not np.isfinite([cell["y"], cell["x"]]).all():
        return None
    factor, half = _factor(crop_set), crop_set.size // 2
    y, x = (_corner(float(cell[axis]), factor, half) for axis in ("y", "x"))
    return MoviePlace(layer, int(cell["t"]), y, x, 1 / factor)


def movie_layer(viewer: ViewerModel, crop_set: CropSet) -> Image | None:
    """Return the layer that shows the movie of a crop set, found by file, else by name, else by shape."""
    movie = crop_set.record.movie
    if movie is None:
        return None
    shown = [layer for layer in viewer.layers if isinstance(layer, Image) and _shows(layer, movie.shape)]
    layers = [layer for layer in shown if not is_other_movie(layer, crop_set)]
    sources = [(crop_set.folder / source.path).resolve() for source in crop_set.record.sources]
    for layer in layers:
        path = stated_path(layer)
        if path is not None and path.resolve() in sources:
            return layer
    named = [layer for layer in layers if layer.name == movie.name]
    if named:
        return named[0]
    return layers[0] if len(layers) == 1 else None


def is_cut_from(crop_set: CropSet, layer: Image) -> bool:
    """Return whether a crop set was cut from the movie of a layer, judged by its file, name or shape.

    A set that was imported from a folder, or simulated, belongs to no movie.
    """
    movie = crop_set.record.movie
    if movie is None or is_other_movie(layer, crop_set):
        return False
    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    return movie.name == layer.name or movie.shape == tuple(data.shape[-3:])


def crop_at(viewer: ViewerModel, crops: Crops, position: Sequence[float]) -> int | None:
    """Return the crop of the cell nearest to a world position in its frame; None if none is near.

    If several movies overlap, that of the active layer comes first, then the topmost visible one.
    """
    movies = [movie_layer(viewer, crop_set) for crop_set in crops.sets]
    active, layers = viewer.layers.selection.active, list(viewer.layers)
    shown = [k for k, movie in enumerate(movies) if movie is not None and movie.visible]
    for k in sorted(shown, key=lambda k: (movies[k] is not active, -layers.index(movies[k]))):
        movie, crop_set = movies[k], crops.sets[k]
        assert movie is not None
        reach = crop_set.size / _factor(crop_set) / 2
        layer: Layer | None = movie
        place = np.asarray(position, float)
        if movie.ndim == 2:  # a movie of one frame
            layer, place = None, np.array([0.0, *movie.world_to_data(place[-2:])])
        row = nearest_cell(crop_set.cells, layer, place, reach)
        if row is not None:
            return int(crops.offsets[k]) + row
    return None


def is_in_view(layer: Image, y: float, x: float) -> bool:
    """Return whether a position, in pixels of a layer, is well inside the canvas; False if this is unknown."""
    if layer.multiscale:
        return False
    low, high = np.asarray(layer.corner_pixels, float)[:, -2:]
    room = high - low
    place = np.array([y, x])
    return bool(
        (room > 1).all() and (place >= low + 0.08 * room).all() and (place <= high - 0.08 * room).all()
    )


def _shows(layer: Image, shape: tuple[int, ...]) -> bool:
    if layer.rgb or layer.ndim not in (2, 3):
        return False
    data = layer.data[0] if layer.multiscale else layer.data
    return tuple(data.shape) == shape or (layer.ndim == 2 and shape == (1, *data.shape))


def _factor(crop_set: CropSet) -> float:
    """Return the number of crop pixels along the side of one movie pixel."""
    record = crop_set.record
    if not (record.model_pixel_size and record.pixel_size and record.movie_pixel_size):
        return 1.0
    return record.movie_pixel_size / record.pixel_size


def _corner(position: float, factor: float, half: int) -> float:
    """Return the centre of a crop's first pixel along one axis, in pixels of the movie."""
    centre = np.floor((position + 0.5) * factor)
    return float((centre - half + 0.5) / factor - 0.5)


def free_place(viewer: ViewerModel) -> tuple[float, float]:
    """Return a corner (y, x), in world coordinates, to the right of all layers and level with their upper edge."""
    if not len(viewer.layers):
        return 0.0, 0.0
    low, high = np.asarray(viewer.layers.extent.world)[:, -2:]
    if not np.isfinite([*low, *high]).all():
        return 0.0, 0.0
    return float(low[0]), float(high[1] + GAP)
