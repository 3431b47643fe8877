"""TIFF stacks: read by several threads, by the pages where a header contradicts them, and within bounds."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from morpholaw.cells.movies import open_movie
from morpholaw.errors import InputError


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60_000, (6, 40, 50), dtype="uint16")


def read(path: Path, **choices: Any) -> np.ndarray:
    return np.stack(list(open_movie(path, **choices)))


def write_pages(path: Path, pixels: np.ndarray, description: str | None, **options: Any) -> Path:
    """Pages one by one, the first with a description."""
    with tifffile.TiffWriter(path) as writer:
        for i, page in enumerate(pixels):
            text = description if i == 0 else None
            writer.write(page, description=text, metadata=None, contiguous=False, **options)
    return path


@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zlib", "metadata": None},
        {"imagej": True, "metadata": {"axes": "TYX"}, "compression": "zlib"},
        {"ome": True, "metadata": {"axes": "TYX"}, "compression": "zlib"},
        {"volumetric": True, "tile": (2, 16, 16), "compression": "zlib", "metadata": {"axes": "TYX"}},
        {"metadata": None},
    ],
    ids=["plain", "imagej", "ome", "volumes", "uncompressed"],
)
def test_frames_are_read_by_several_threads_at_once(tmp_path: Path, options: dict[str, Any]) -> None:
    pixels = np.random.default_rng(0).integers(0, 4000, (24, 96, 96), dtype="uint16")
    tifffile.imwrite(tmp_path / "m.tif", pixels, **options)
    movie = open_movie(tmp_path / "m.tif")
    order = [t for _ in range(4) for t in np.random.default_rng(1).permutation(24).tolist()]
    with ThreadPoolExecutor(4) as pool:
        frames = list(pool.map(movie.frame, order))
    assert all(np.array_equal(frame, pixels[t]) for t, frame in zip(order, frames, strict=True))


def test_a_dask_array_of_a_movie_is_computed_by_four_threads(tmp_path: Path) -> None:
    dask = pytest.importorskip("dask")
    import dask.array as da

    pixels = np.random.default_rng(0).integers(0, 4000, (30, 64, 64), dtype="uint16")
    tifffile.imwrite(tmp_path / "m.tif", pixels, imagej=True, metadata={"axes": "TYX"}, compression="zlib")
    movie = open_movie(tmp_path / "m.tif")
    frames = [da.from_delayed(dask.delayed(movie.frame)(t), (64, 64), "uint16") for t in range(30)]
    for _ in range(5):
        whole = da.stack(frames).compute(scheduler="threads", num_workers=4)
        assert np.array_equal(whole, pixels)


@pytest.mark.parametrize(
    ("description", "note"),
    [
        ("ImageJ=1.53t\nimages=12\nframes=12\nhyperstack=true\n", "header says 12 images, but it contains 6"),
        ("ImageJ=1.53t\nimages=3\nframes=3\nhyperstack=true\n", "header says 3 images, but it contains 6"),
        ("ImageJ=1.53t\nimages=4\nslices=4\n", "header says 4 images, but it contains 6"),
        ("ImageJ=1.53t\nimages=6\nframes=6\n", None),
        ("ImageJ=1.53t\nunit=um\n", None),
    ],
)
def test_the_pages_decide_where_an_imagej_header_counts_otherwise(
    tmp_path: Path, pixels: np.ndarray, description: str, note: str | None
) -> None:
    path = write_pages(tmp_path / "m.tif", pixels, description, compression="zlib")
    movie = open_movie(path)
    assert np.array_equal(np.stack(list(movie)), pixels)
    assert any(note in text for text in movie.facts.notes) if note else not movie.facts.notes


def test_an_imagej_header_of_channels_that_do_not_fit_the_pages_is_refused(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    text = "ImageJ=1.53t\nimages=8\nchannels=2\nframes=4\nhyperstack=true\n"
    with pytest.raises(
        InputError, match=r"contains 6 images, but its ImageJ header says 2 channels, 1 slices, 4 frames"
    ):
        open_movie(write_pages(tmp_path / "m.tif", pixels, text))


def test_a_virtual_imagej_stack_has_one_page_and_all_its_images(tmp_path: Path, pixels: np.ndarray) -> None:
    description = "ImageJ=1.53t\nimages=6\nframes=6\nhyperstack=true\n"
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, pixels[0], description=description, metadata=None)
    with tifffile.TiffFile(path) as tif:
        start = tif.pages.first.dataoffsets[0]
    path.write_bytes(path.read_bytes()[:start] + pixels.tobytes())
    assert np.array_equal(read(path), pixels)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="truncated"):
        open_movie(path)


@pytest.mark.parametrize("parts", [[3, 3], [1, 5], [1] * 6, [2, 3, 1]])
def test_a_stack_that_was_appended_to_is_one_movie(
    tmp_path: Path, pixels: np.ndarray, parts: list[int]
) -> None:
    start = 0
    for i, count in enumerate(parts):
        part = pixels[start : start + count]
        tifffile.imwrite(tmp_path / "m.tif", part, append=i > 0, photometric="minisblack")
        start += count
    assert np.array_equal(read(tmp_path / "m.tif"), pixels)


@pytest.mark.parametrize("frames", [3, 4])
def test_a_few_frames_that_tifffile_stores_as_colours_are_frames_and_it_is_said(
    tmp_path: Path, pixels: np.ndarray, frames: int
) -> None:
    tifffile.imwrite(tmp_path / "m.tif", pixels[:frames])
    movie = open_movie(tmp_path / "m.tif")
    assert np.array_equal(np.stack(list(movie)), pixels[:frames])
    assert "as if they were red, green and blue" in movie.facts.notes[0]
    assert np.array_equal(read(tmp_path / "m.tif", axes="cyx", channel=1), pixels[1:2])


def test_colours_of_a_camera_are_refused_or_chosen(tmp_path: Path, pixels: np.ndarray) -> None:
    colours = np.moveaxis(pixels.reshape(2, 3, 40, 50), 1, -1).copy()
    tifffile.imwrite(tmp_path / "m.tif", colours, photometric="rgb")
    with pytest.raises(
        InputError, match=r"is a colour image.*--channel red, --channel green or --channel blue"
    ):
        open_movie(tmp_path / "m.tif")
    assert np.array_equal(read(tmp_path / "m.tif", channel="green"), colours[..., 1])


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_stack_with_time_last_is_refused_and_read_by_its_axes(
    tmp_path: Path, pixels: np.ndarray, compression: str | None
) -> None:
    stored = np.moveaxis(pixels, 0, -1).copy()
    tifffile.imwrite(tmp_path / "m.tif", stored, photometric="minisblack", compression=compression)
    with pytest.raises(InputError, match=r"would be 40 frames of 50 x 6 pixels.*--axes yxt"):
        open_movie(tmp_path / "m.tif")
    assert np.array_equal(read(tmp_path / "m.tif", axes="yxt"), pixels)
    assert open_movie(tmp_path / "m.tif", axes="tyx").shape == (40, 50, 6)


def test_a_stack_with_x_before_y_is_read_by_its_axes(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(
        tmp_path / "m.tif", pixels.transpose(0, 2, 1), photometric="minisblack", compression="zlib"
    )
    assert np.array_equal(read(tmp_path / "m.tif", axes="txy"), pixels)


@pytest.mark.parametrize("axes", ["tx", "tyxy", "tyq", "abc"])
def test_axes_that_are_none_are_refused(pixels: np.ndarray, axes: str) -> None:
    with pytest.raises(InputError, match=f"axes is '{axes}'; expected one letter per axis"):
        open_movie(pixels, axes=axes)


def test_a_thumbnail_beside_a_movie_is_not_read(tmp_path: Path, pixels: np.ndarray) -> None:
    with tifffile.TiffWriter(tmp_path / "m.tif") as writer:
        writer.write(pixels, photometric="minisblack")
        writer.write(np.zeros((8, 8), "u1"))
    assert np.array_equal(read(tmp_path / "m.tif"), pixels)


def test_stacks_of_different_sizes_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    with tifffile.TiffWriter(tmp_path / "m.tif") as writer:
        writer.write(pixels, photometric="minisblack")
        writer.write(pixels[:, ::2], photometric="minisblack")
    with pytest.raises(
        InputError, match=r"contains 2 images of different sizes \(6 x 40 x 50; 6 x 20 x 50\)"
    ):
        open_movie(tmp_path / "m.tif")


def write_tags(path: Path, tags: list[tuple[int, int, int | None]], data: bytes) -> Path:
    """A little-endian TIFF of one directory; None stands for the offset of the data."""
    offset = 8 + 2 + 12 * len(tags) + 4
    entries = b"".join(
        struct.pack("<HHII", code, kind, 1, offset if value is None else value) for code, kind, value in tags
    )
    path.write_bytes(b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data)
    return path


def test_a_tile_that_is_far_larger_than_its_image_is_refused(tmp_path: Path) -> None:
    data = zlib.compress(bytes(64 * 64))
    tags = [(256, 4, 64), (257, 4, 64), (258, 3, 8), (259, 3, 8), (262, 3, 1), (277, 3, 1)]
    tags += [(322, 4, 64_000), (323, 4, 62_496), (324, 4, None), (325, 4, len(data))]
    with pytest.raises(InputError, match="in units of 3999744000 bytes"):
        open_movie(write_tags(tmp_path / "m.tif", tags, data)).frame(0)


def test_a_large_tile_of_a_small_image_is_read(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 99, (20, 30), dtype="u1")
    tifffile.imwrite(tmp_path / "m.tif", image, tile=(512, 512), compression="zlib")
    assert np.array_equal(read(tmp_path / "m.tif")[0], image)


@pytest.mark.parametrize("options", [{}, {"resolutionunit": "CENTIMETER", "resolution": (0, 0)}])
def test_nothing_is_written_to_the_shell(
    tmp_path: Path, pixels: np.ndarray, options: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    tifffile.imwrite(tmp_path / "m.tif", pixels, imagej=False, **options)
    whole = (tmp_path / "m.tif").read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    read(tmp_path / "m.tif")
    with pytest.raises(InputError):
        read(tmp_path / "cut.tif")
    assert capfd.readouterr() == ("", "")


def imagej_of_two_channels(path: Path, order: str) -> np.ndarray:
    """Write channel 0, all its frames, then channel 1, under a header that names this order; return channel 1."""
    pixels = np.random.default_rng(3).integers(0, 4000, (2, 4, 16, 24)).astype(np.uint16)
    header = f"ImageJ=1.54f\nimages=8\nchannels=2\nframes=4\nhyperstack=true\norder={order}\n"
    with tifffile.TiffWriter(path) as file:
        for i, plane in enumerate(pixels.reshape(8, 16, 24)):
            file.write(plane, description=None if i else header, metadata=None, contiguous=False)
    return pixels[1]


@pytest.mark.parametrize("order", ["tzc", "TCZ", "xytzc"])
def test_imagej_headers_that_name_the_order_of_images(tmp_path: Path, order: str) -> None:
    pixels = imagej_of_two_channels(tmp_path / "movie.tif", order)
    movie = open_movie(tmp_path / "movie.tif", channel=1)
    assert np.array_equal(np.stack([movie.frame(t) for t in range(4)]), pixels)


def test_an_imagej_order_that_is_not_known_is_refused(tmp_path: Path) -> None:
    imagej_of_two_channels(tmp_path / "movie.tif", "by time")
    with pytest.raises(InputError, match="unknown order of its images, 'by time'"):
        open_movie(tmp_path / "movie.tif", channel=1)


@pytest.mark.parametrize("layout", [{"tile": (16, 16)}, {"rowsperstrip": 8}])
def test_a_frame_with_parts_that_are_not_stored_is_refused(
    tmp_path: Path, pixels: np.ndarray, layout: dict[str, Any]
) -> None:
    path = write_pages(tmp_path / "m.tif", pixels, None, compression="zlib", **layout)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tif:
        tags = tif.pages[2].tags
        for name in ("Offsets", "ByteCounts"):
            tag = tags.get(f"Tile{name}") or tags[f"Strip{name}"]
            data[tag.valueoffset : tag.valueoffset + 2 * tag.dtype.value // 2] = bytes(
                2 * tag.dtype.value // 2
            )
    path.write_bytes(data)
    movie = open_movie(path)
    np.testing.assert_array_equal(movie.frame(1), pixels[1])
    with pytest.raises(InputError, match=r"Image 2 of .*m.tif is incomplete: 1 of its \d+ strips or tiles"):
        movie.frame(2)
