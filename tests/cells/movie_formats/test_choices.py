"""Arrays and OME-Zarr of several channels, positions and slices: chosen by name or number, or refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from morpholaw.cells.movie_formats.planes import Planes, select_movie
from morpholaw.cells.movie_formats.source import Choices
from morpholaw.cells.movies import open_movie
from morpholaw.errors import InputError


@pytest.fixture
def pixels() -> np.ndarray:
    """(t, c, y, x)"""
    return np.random.default_rng(0).integers(0, 60_000, (5, 2, 40, 50), dtype="uint16")


def read(source: Any, **choices: Any) -> np.ndarray:
    return np.stack(list(open_movie(source, **choices)))


def write_ngff(
    path: Path, data: np.ndarray, axes: str, channels: tuple[str, ...] = (), step: float = 1.0
) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=2)
    group.create_array("0", data=data, chunks=(1,) * (data.ndim - 2) + (32, 32))
    kinds = {"t": ("time", "minute"), "c": ("channel", None)}
    described = []
    for axis in axes:
        kind, unit = kinds.get(axis, ("space", "micrometer"))
        described.append({"name": axis, "type": kind, **({"unit": unit} if unit else {})})
    scale = [step if axis == "t" else 0.5 if axis in "yx" else 1.0 for axis in axes]
    transforms = [{"type": "scale", "scale": scale}]
    group.attrs["multiscales"] = [
        {
            "version": "0.4",
            "axes": described,
            "datasets": [{"path": "0", "coordinateTransformations": transforms}],
        }
    ]
    if channels:
        group.attrs["omero"] = {"channels": [{"label": name} for name in channels]}
    return path


def test_axes_of_an_array_are_named_by_the_user(pixels: np.ndarray) -> None:
    with pytest.raises(InputError, match=r"more than one axis before y and x.*--axes tcyx"):
        open_movie(pixels)
    assert np.array_equal(read(pixels, axes="tcyx", channel=1), pixels[:, 1])
    assert np.array_equal(read(pixels.transpose(1, 2, 3, 0), axes="cyxt", channel=0), pixels[:, 0])
    assert np.array_equal(read(pixels[:, :, None], axes="tcyx", channel=0), pixels[:, 0])
    with pytest.raises(InputError, match=r"has 4 axes .* but --axes tyx has 3 letters"):
        open_movie(pixels, axes="tyx")


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"channel": 2}, r"no single channel '2'; its channels are 0, 1"),
        ({"channel": "GFP"}, "no single channel 'GFP'"),
        ({"channel": 0, "position": 1}, "no single position '1'"),
        ({"channel": 0, "z": 3}, "no slice 3; its only slice is 0"),
        ({"channel": 0, "z": "sum"}, "z is 'sum'; expected max, mean or the number"),
    ],
)
def test_a_choice_that_is_not_there_is_refused(
    pixels: np.ndarray, choices: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        open_movie(pixels, axes="tcyx", **choices)


def test_the_only_channel_may_be_named_by_its_number(pixels: np.ndarray) -> None:
    assert np.array_equal(read(pixels[:, 0], channel=0, position=0, z=0), pixels[:, 0])


def test_narrow_frames_of_an_array_without_names_are_asked_for(pixels: np.ndarray) -> None:
    stored = np.moveaxis(pixels[:, 0], 0, -1)
    with pytest.raises(InputError, match=r"look like y, x, t.*--axes yxt"):
        open_movie(stored)
    assert np.array_equal(read(stored, axes="yxt"), pixels[:, 0])
    square = np.zeros((64, 64, 50), "u2")
    with pytest.raises(InputError, match="look like y, x, t"):
        open_movie(square)


@pytest.mark.parametrize("shape", [(500, 512, 40), (10, 64, 20), (7, 300, 32)])
def test_narrow_movies_that_can_be_movies_are_read(shape: tuple[int, ...]) -> None:
    assert open_movie(np.zeros(shape, "u2")).shape == shape


def test_channels_of_ome_zarr_have_their_names(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write_ngff(tmp_path / "m.zarr", pixels, "tcyx", ("H2B", "actin"), step=5.0)
    with pytest.raises(InputError, match=r"has 2 channels \(0: H2B, 1: actin\)"):
        open_movie(path)
    facts = open_movie(path, channel="actin").facts
    assert np.array_equal(read(path, channel="actin"), pixels[:, 1])
    assert (facts.channel, facts.channels, facts.pixel_size) == (1, ("H2B", "actin"), 0.5)
    assert (facts.pixel_size_source, facts.frame_interval) == ("OME-Zarr metadata", 300.0)


def test_axes_of_ome_zarr_may_be_in_any_order(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write_ngff(tmp_path / "m.zarr", pixels.transpose(3, 1, 0, 2), "xcty")
    assert np.array_equal(read(path, channel=1), pixels[:, 1])


def test_dimensions_that_a_plain_zarr_array_names_are_its_axes(tmp_path: Path, pixels: np.ndarray) -> None:
    stored = np.moveaxis(pixels[:, 0], 0, -1).copy()
    zarr.create_array(tmp_path / "a.zarr", data=stored, dimension_names=["y", "x", "time"], zarr_format=3)
    made = zarr.create_array(tmp_path / "b.zarr", data=stored, zarr_format=2)
    made.attrs["_ARRAY_DIMENSIONS"] = ["y", "x", "t"]
    for name in ("a.zarr", "b.zarr"):
        assert np.array_equal(read(tmp_path / name), pixels[:, 0])


def test_fields_of_a_plate_and_series_are_positions(tmp_path: Path, pixels: np.ndarray) -> None:
    plate = tmp_path / "plate.zarr"
    zarr.open_group(plate, mode="w", zarr_format=2).attrs["plate"] = {
        "wells": [{"path": "A/1"}, {"path": "B/2"}]
    }
    for i, well in enumerate(("A/1", "B/2")):
        group = zarr.open_group(plate / well, mode="w", zarr_format=2)
        group.attrs["well"] = {"images": [{"path": "0"}]}
        write_ngff(plate / well / "0", pixels[:, i], "tyx")
    with pytest.raises(InputError, match=r"has 2 positions \(0: A/1/0, 1: B/2/0\)"):
        open_movie(plate)
    movie = open_movie(plate, position="B/2/0")
    assert np.array_equal(np.stack(list(movie)), pixels[:, 1])
    assert movie.facts.positions == ("A/1/0", "B/2/0")
    series = tmp_path / "series.zarr"
    zarr.open_group(series, mode="w", zarr_format=2).attrs["bioformats2raw.layout"] = 3
    for i in range(2):
        write_ngff(series / str(i), pixels[:, i], "tyx")
    assert np.array_equal(read(series, position=1), pixels[:, 1])


def test_a_plate_that_lists_a_well_outside_of_it_is_refused(tmp_path: Path) -> None:
    plate = tmp_path / "plate.zarr"
    plate.mkdir()
    (plate / ".zgroup").write_text('{"zarr_format": 2}')
    (plate / ".zattrs").write_text(json.dumps({"plate": {"wells": [{"path": "../other"}]}}))
    with pytest.raises(InputError, match="outside the folder"):
        open_movie(plate)


@pytest.mark.parametrize(
    ("unit", "resolution", "size"),
    [
        ("um", 2.0, 0.5),
        ("micron", 2.0, 0.5),
        ("\\u00B5m", 2.0, 0.5),
        ("mm", 2000.0, 0.5),
        ("nm", 0.002, 0.5),
        ("cm", 20_000.0, 0.5),
        ("inch", 50_800.0, 0.5),
        ("pixel", 1.0, None),
        ("", 1.0, None),
    ],
)
def test_units_of_an_imagej_header(tmp_path: Path, unit: str, resolution: float, size: float | None) -> None:
    metadata = {"axes": "TYX", "unit": unit, "finterval": 90.0}
    resolutions = (resolution, resolution)
    tifffile.imwrite(
        tmp_path / "m.tif",
        np.zeros((3, 40, 50), "u2"),
        imagej=True,
        resolution=resolutions,
        metadata=metadata,
    )
    facts = open_movie(tmp_path / "m.tif").facts
    assert facts.pixel_size == pytest.approx(size)
    assert facts.frame_interval == 90.0
    assert (facts.format, facts.axes) == ("ImageJ TIFF", "tzcyx")


def test_a_size_that_is_given_wins_and_the_facts_say_so(tmp_path: Path) -> None:
    metadata = {"axes": "TYX", "unit": "um"}
    tifffile.imwrite(
        tmp_path / "m.tif", np.zeros((3, 40, 50), "u2"), imagej=True, resolution=(2, 2), metadata=metadata
    )
    movie = open_movie(tmp_path / "m.tif")
    assert (movie.pixel_size, movie.facts.pixel_size_source) == (0.5, "ImageJ header")
    movie = open_movie(tmp_path / "m.tif", pixel_size=0.25)
    assert (movie.pixel_size, movie.facts.pixel_size, movie.facts.pixel_size_source) == (0.25, 0.25, "given")


def test_a_header_that_claims_more_channels_than_any_microscope_has_is_refused() -> None:
    def read(index: tuple[int, ...]) -> np.ndarray:
        raise AssertionError("nothing is read")

    planes = Planes("tc", (2, 10**11), 64, 64, np.dtype(np.uint8), read, "tcyx", "OME-Zarr", ("H2B",))
    with pytest.raises(InputError, match="100,000,000,000 channels"):
        select_movie(planes, Choices(), "movie.zarr")


def test_the_finest_level_of_a_pyramid_is_read_whatever_the_order(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "m.zarr", mode="w", zarr_format=2)
    levels = []
    for name, step in (("coarse", 1.0), ("fine", 0.5)):
        side = int(20 / step)
        group.create_array(name, data=np.ones((3, side, side), np.uint16), chunks=(1, side, side))
        transform = {"type": "scale", "scale": [1.0, step, step]}
        levels.append({"path": name, "coordinateTransformations": [transform]})
    axes = [
        {"name": "t", "type": "time"},
        *({"name": a, "type": "space", "unit": "micrometer"} for a in "yx"),
    ]
    group.attrs["multiscales"] = [{"version": "0.4", "axes": axes, "datasets": levels}]
    facts = open_movie(tmp_path / "m.zarr").facts
    assert facts.shape == (3, 40, 40)
    assert facts.pixel_size == 0.5
