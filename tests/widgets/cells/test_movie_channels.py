"""A layer of several channels gives one of them, and its scale gives the pixel size."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image

from morpholaw.widgets.cells.movie_channels import channels_of, one_channel, pixel_size_of


@pytest.mark.parametrize(
    ("shape", "labels", "axis", "count"),
    [
        ((12, 2, 8, 9), None, 1, 2),
        ((3, 12, 8, 9), None, 0, 3),
        ((12, 20, 8, 9), ("c", "t", "y", "x"), 0, 12),
        ((12, 1, 8, 9), None, None, 0),
        ((12, 20, 8, 9), None, None, 0),
    ],
)
def test_channels_are_named_by_the_layer_or_the_shorter_axis(shape, labels, axis, count):
    layer = Image(np.zeros(shape, np.uint8), **({} if labels is None else {"axis_labels": labels}))
    channels = channels_of(layer)
    if axis is None:
        assert channels is None
    else:
        assert (channels.axis, len(channels.names)) == (axis, count)


@pytest.mark.parametrize("lazy", [False, True])
def test_one_channel_is_a_movie(lazy):
    data = np.random.default_rng(0).integers(0, 255, (6, 2, 8, 9), np.uint8)
    layer = Image(da.from_array(data) if lazy else data)
    np.testing.assert_array_equal(np.asarray(one_channel(layer, 1)), data[:, 1])


def test_a_colour_movie_gives_a_colour():
    data = np.random.default_rng(0).integers(0, 255, (6, 8, 9, 3), np.uint8)
    layer = Image(data, rgb=True)
    assert channels_of(layer).names == ("red", "green", "blue")
    np.testing.assert_array_equal(one_channel(layer, 1), data[..., 1])


@pytest.mark.parametrize(
    ("scale", "unit", "size"),
    [(1.0, "pixel", None), (0.65, "pixel", 0.65), (0.65, "um", 0.65), (650, "nm", 0.65), (1.0, "um", 1.0)],
)
def test_scale_and_units_give_the_pixel_size(scale, unit, size):
    layer = Image(np.zeros((3, 8, 8)), scale=(1, scale, scale), units=("pixel", unit, unit))
    assert pixel_size_of(layer) == (None if size is None else pytest.approx(size))
