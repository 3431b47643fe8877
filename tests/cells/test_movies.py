"""Movies in every format, lazily; and every way a movie can be unusable, with what is said then."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from morpholaw.cells.movies import Movie, open_movie
from morpholaw.errors import InputError


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60_000, (5, 40, 50), dtype="uint16")


def same(movie: Movie, pixels: np.ndarray) -> bool:
    return (
        movie.shape == pixels.shape
        and movie.dtype == pixels.dtype
        and all(np.array_equal(a, b) for a, b in zip(movie.frames(), pixels, strict=True))
    )


TIFFS: dict[str, dict[str, Any]] = {
    "plain": {"metadata": None},
    "described": {},
    "zlib": {"compression": "zlib"},
    "lzw": {"compression": "lzw", "predictor": True},
    "tiles": {"compression": "zlib", "tile": (16, 16)},
    "imagej": {"imagej": True, "metadata": {"axes": "TYX"}},
    "ome": {"ome": True, "compression": "zlib", "metadata": {"axes": "TYX"}},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True, "compression": "zlib"},
    "volumetric": {"volumetric": True, "tile": (2, 16, 16), "compression": "zlib"},
}


@pytest.mark.parametrize("options", TIFFS.values(), ids=TIFFS)
def test_tiff_stack(tmp_path: Path, pixels: np.ndarray, options: dict[str, Any]) -> None:
    tifffile.imwrite(tmp_path / "movie.tif", pixels, **options)
    movie = open_movie(tmp_path / "movie.tif")
    assert same(movie, pixels)
    assert movie.name == "movie"
    assert movie.pixel_size is None


@pytest.mark.parametrize("options", TIFFS.values(), ids=TIFFS)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated_tiff_is_never_a_shorter_movie(
    tmp_path: Path, pixels: np.ndarray, options: dict[str, Any], kept: float
) -> None:
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, pixels, **options)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(InputError, match=r"movie\.tif .*(truncated|cannot be read)"):
        list(open_movie(path).frames())


def test_corrupt_pixels_name_the_frame(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "movie.tif"
    tifffile.imwrite(path, pixels, compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as tif:
        offset = tif.pages[3].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset : offset + 20] = b"\xff" * 20
    path.write_bytes(data)
    movie = open_movie(path)
    assert np.array_equal(movie.frame(2), pixels[2])
    with pytest.raises(InputError, match="Frame 3 of movie cannot be read"):
        movie.frame(3)


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_folder_of_frames_in_natural_order(tmp_path: Path, pixels: np.ndarray, suffix: str) -> None:
    names = [f"t{i}{suffix}" for i in (1, 2, 9, 10, 100)]
    for name, frame in zip(names, pixels, strict=True):
        if suffix == ".tif":
            tifffile.imwrite(tmp_path / name, frame)
        else:
            Image.fromarray(frame).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / "._t1.tif").write_text("what macOS leaves behind")
    assert same(open_movie(tmp_path), pixels)


def write_ome_zarr(
    path: Path, pixels: np.ndarray, version: str, unit: str = "micrometer", scale_yx: float = 0.4
) -> Path:
    zarr_format = 3 if version == "0.5" else 2
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    tczyx = pixels[:, None, None]
    group.create_array("0", data=tczyx, chunks=(1, 1, 1, 16, 16))
    group.create_array("1", data=tczyx[..., ::2, ::2], chunks=(1, 1, 1, 16, 16))
    kinds = zip("tczyx", ("time", "channel", "space", "space", "space"), strict=True)
    scale = {
        "axes": [{"name": n, "type": k, **({"unit": unit} if k == "space" else {})} for n, k in kinds],
        "datasets": [
            {
                "path": str(i),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1, 1, 1, scale_yx * 2**i, scale_yx * 2**i]}
                ],
            }
            for i in range(2)
        ],
    }
    if version == "0.5":
        group.attrs["ome"] = {"version": "0.5", "multiscales": [scale]}
    else:
        group.attrs["multiscales"] = [{**scale, "version": "0.4"}]
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_reads_the_finest_level_and_its_pixel_size(
    tmp_path: Path, pixels: np.ndarray, version: str
) -> None:
    movie = open_movie(write_ome_zarr(tmp_path / "movie.ome.zarr", pixels, version))
    assert same(movie, pixels)
    assert movie.name == "movie"
    assert movie.pixel_size == pytest.approx(0.4)
    mm = open_movie(write_ome_zarr(tmp_path / "mm.zarr", pixels, version, "millimeter", 0.0004))
    assert mm.pixel_size == pytest.approx(0.4)


def test_plain_zarr_array(tmp_path: Path, pixels: np.ndarray) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=pixels, chunks=(1, 40, 50), zarr_format=3)
    assert same(open_movie(tmp_path / "a.zarr"), pixels)


def test_zarr_codec_that_runs_code_is_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    zarr.create_array(tmp_path / "a.zarr", data=pixels, zarr_format=2)
    metadata = tmp_path / "a.zarr" / ".zarray"
    content = json.loads(metadata.read_text())
    content["filters"] = [{"id": "pickle", "protocol": 5}]
    metadata.write_text(json.dumps(content))
    with pytest.raises(InputError, match="codec 'pickle', which is not on the list"):
        open_movie(tmp_path / "a.zarr")


def test_zarr_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    write_ome_zarr(tmp_path / "secret.zarr", pixels, "0.4")
    path = write_ome_zarr(tmp_path / "movie.zarr", pixels, "0.4")
    attributes = json.loads((path / ".zattrs").read_text())
    attributes["multiscales"][0]["datasets"][0]["path"] = "../secret.zarr/0"
    (path / ".zattrs").write_text(json.dumps(attributes))
    with pytest.raises(InputError, match="outside the folder"):
        open_movie(path)


def test_arrays(pixels: np.ndarray) -> None:
    assert same(open_movie(pixels, "layer"), pixels)
    assert same(open_movie(da.from_array(pixels, chunks=(1, 20, 20))), pixels)
    assert same(open_movie(zarr.array(pixels)), pixels)
    assert same(open_movie(pixels[:, None]), pixels)
    assert same(open_movie([pixels, pixels[:, ::2, ::2]]), pixels)
    assert open_movie(pixels[0]).shape == (1, 40, 50)
    assert open_movie(pixels.astype(">u2")).dtype == np.dtype("uint16")


def test_frames_are_copies_and_lazy(pixels: np.ndarray) -> None:
    reads: list[int] = []

    class Spy:
        shape, dtype = pixels.shape, pixels.dtype

        def __getitem__(self, index: tuple[int]) -> np.ndarray:
            reads.append(index[0])
            return pixels[index]

    movie = open_movie(Spy())
    assert reads == []
    movie.frame(3)[:] = 0
    assert reads == [3]
    assert pixels[3].any()


def test_a_movie_larger_than_memory_use(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "big.tif") as writer:
        for _ in range(200):
            writer.write(np.zeros((512, 512), "uint16"), compression="zlib", metadata=None, contiguous=False)
    tracemalloc.start()
    count = sum(1 for _ in open_movie(tmp_path / "big.tif"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 200
    assert peak < 40 * 512 * 512 * 2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"ome": True, "metadata": {"axes": "TYX", "PhysicalSizeX": 0.3, "PhysicalSizeY": 0.3}}, 0.3),
        (
            {
                "ome": True,
                "metadata": {
                    "axes": "TYX",
                    "PhysicalSizeX": 300,
                    "PhysicalSizeY": 300,
                    "PhysicalSizeXUnit": "nm",
                    "PhysicalSizeYUnit": "nm",
                },
            },
            0.3,
        ),
        ({"imagej": True, "resolution": (4.0, 4.0), "metadata": {"axes": "TYX", "unit": "um"}}, 0.25),
        ({"imagej": True, "resolution": (4.0, 4.0), "metadata": {"axes": "TYX", "unit": "\\u00B5m"}}, 0.25),
        ({"imagej": True, "resolution": (1.0, 1.0), "metadata": {"axes": "TYX", "unit": "pixel"}}, None),
        ({"resolution": (20_000.0, 20_000.0), "resolutionunit": "CENTIMETER"}, 0.5),
        ({"resolution": (72.0, 72.0), "resolutionunit": "INCH"}, None),
        ({"resolution": (1.0, 1.0), "resolutionunit": "NONE"}, None),
    ],
    ids=["ome", "ome-nm", "imagej", "imagej-escape", "imagej-pixel", "centimetre", "72dpi", "none"],
)
def test_pixel_size(
    tmp_path: Path, pixels: np.ndarray, options: dict[str, Any], expected: float | None
) -> None:
    tifffile.imwrite(tmp_path / "m.tif", pixels, **options)
    assert open_movie(tmp_path / "m.tif").pixel_size == pytest.approx(expected)
    assert open_movie(tmp_path / "m.tif", pixel_size=0.7).pixel_size == 0.7


def test_pixels_that_are_not_square_are_refused_unless_the_true_size_is_given(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    metadata = {"axes": "TYX", "unit": "um"}
    tifffile.imwrite(tmp_path / "m.tif", pixels, imagej=True, resolution=(4.0, 2.0), metadata=metadata)
    with pytest.raises(InputError, match=r"not square \(0.5 µm high, 0.25 µm wide\).* --pixel-size"):
        open_movie(tmp_path / "m.tif")
    assert open_movie(tmp_path / "m.tif", pixel_size=0.25).pixel_size == 0.25


def test_stack_saved_along_z_is_read_as_time(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "m.tif", pixels, imagej=True, metadata={"axes": "ZYX"})
    movie = open_movie(tmp_path / "m.tif")
    assert same(movie, pixels)
    assert "z is read as time" in movie.facts.notes[0]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 6, 40, 50)), "more than one axis before y and x"),
        (np.zeros((5, 40, 50, 3)), "is a colour image"),
        (np.zeros((40, 50, 3)), "is a colour image"),
        (np.zeros(5), "axes t, y and x"),
        (np.zeros((0, 40, 50)), "axes t, y and x"),
        (np.zeros((5, 40, 50), complex), "pixels of type complex128"),
        (np.zeros((5, 40, 50), bool), "pixels of type bool"),
        (np.zeros((5, 40, 50), object), "pixels of type object"),
        (da.zeros((2**20, 2**12, 2**12), dtype="u1", chunks=(1, 2**12, 2**12)), "its header is wrong"),
        (np.broadcast_to(np.uint8(0), (1, 2**16, 2**16)), "its header is wrong"),
        (17, "is a int, but a path or an array"),
    ],
)
def test_arrays_that_are_no_movie(array: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_movie(array)


def test_frames_with_nan_name_movie_frame_and_count() -> None:
    movie = np.ones((4, 20, 20), "float32")
    movie[2, 3, 4:6] = np.nan
    movie[2, 0, 0] = np.inf
    opened = open_movie(movie, "wound")
    assert opened.frame(1).dtype == np.float32
    with pytest.raises(InputError, match="Frame 2 of wound has 3 pixels that are not finite numbers"):
        opened.frame(2)


def test_frame_numbers_outside_the_movie(pixels: np.ndarray) -> None:
    movie = open_movie(pixels, "m")
    for t in (-1, 5):
        with pytest.raises(IndexError, match="has frames 0 to 4"):
            movie.frame(t)


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan")])
def test_impossible_pixel_size(pixels: np.ndarray, size: float) -> None:
    with pytest.raises(InputError, match="positive number of micrometres"):
        open_movie(pixels, pixel_size=size)


def test_files_that_are_no_movie(tmp_path: Path, pixels: np.ndarray) -> None:
    def refused(path: Path, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            open_movie(path)
        assert "\n" not in str(caught.value)

    refused(tmp_path / "absent.tif", r"There is no file or folder .*absent\.tif")
    (tmp_path / "empty.tif").touch()
    refused(tmp_path / "empty.tif", "is empty")
    (tmp_path / "text.tif").write_text("hello")
    refused(tmp_path / "text.tif", "cannot be read as a TIFF file")
    (tmp_path / "text.png").write_text("hello")
    refused(tmp_path / "text.png", "cannot be read as a PNG file")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "has no TIFF or PNG files")
    Image.fromarray(np.zeros((8, 8, 3), "u1")).save(tmp_path / "folder" / "rgb.png")
    refused(tmp_path / "folder", "is a colour image")
    tifffile.imwrite(tmp_path / "folder" / "a.tif", pixels[0])
    refused(tmp_path / "folder", "has both TIFF and PNG")
    tifffile.imwrite(tmp_path / "rgb.tif", np.zeros((5, 40, 50, 3), "u1"), photometric="rgb")
    refused(tmp_path / "rgb.tif", "is a colour image")
    tifffile.imwrite(tmp_path / "c.tif", pixels, imagej=True, metadata={"axes": "CYX"})
    refused(tmp_path / "c.tif", "has 5 channels")
    zarr.open_group(tmp_path / "empty.zarr", mode="w")
    refused(tmp_path / "empty.zarr", "no arrays; expected one movie")


def test_folder_with_frames_of_different_size(tmp_path: Path, pixels: np.ndarray) -> None:
    tifffile.imwrite(tmp_path / "t0.tif", pixels[0])
    tifffile.imwrite(tmp_path / "t1.tif", pixels[1, :-1])
    tifffile.imwrite(tmp_path / "t2.tif", pixels)
    movie = open_movie(tmp_path)
    with pytest.raises(InputError, match=r"t1\.tif is 39 x 50 uint16, but the first frame, t0\.tif, is 40"):
        movie.frame(1)
    with pytest.raises(InputError, match="contains 5 frames, but files in a folder of frames have one each"):
        movie.frame(2)


def test_tiff_that_claims_absurd_size(tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, np.zeros((16, 16), "u1"), compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tif:
        tif.pages[0].tags["ImageWidth"].overwrite(2**31 - 1)
        tif.pages[0].tags["ImageLength"].overwrite(2**31 - 1)
    with pytest.raises(InputError, match="its header is wrong"):
        open_movie(path)


def test_frames_written_one_by_one_are_a_movie(tmp_path: Path, pixels: np.ndarray) -> None:
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as writer:
        for frame in pixels:
            writer.write(frame, contiguous=False)
    movie = open_movie(path)
    assert movie.shape == pixels.shape
    assert np.array_equal(np.stack(list(movie)), pixels)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="truncated"):
        open_movie(path)


def test_ome_xml_that_names_a_file_elsewhere_is_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    sizes = 'SizeX="50" SizeY="40" SizeC="1" SizeZ="1" SizeT="6" DimensionOrder="XYCZT"'
    data = '<TiffData IFD="0"/><TiffData IFD="0" FirstT="5"><UUID FileName="../other.tif">u</UUID></TiffData>'
    xml = f"<OME><Image><Pixels {sizes}>{data}</Pixels></Image></OME>"
    for folder in (tmp_path, tmp_path / "below"):
        folder.mkdir(exist_ok=True)
    tifffile.imwrite(tmp_path / "other.tif", pixels)
    tifffile.imwrite(tmp_path / "below" / "m.ome.tif", pixels, description=xml, metadata=None)
    with pytest.raises(
        InputError, match=r"other\.tif, which its header refers to, is not in the same folder"
    ):
        open_movie(tmp_path / "below" / "m.ome.tif")


def test_entity_bomb_in_ome_xml(tmp_path: Path, pixels: np.ndarray) -> None:
    bomb = '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><OME><Image><Pixels/></Image>&b;</OME>'
    tifffile.imwrite(tmp_path / "m.ome.tif", pixels, description=bomb, metadata=None)
    with pytest.raises(InputError, match="XML that declares entities"):
        open_movie(tmp_path / "m.ome.tif")


def test_real_movies(shared_data: Path) -> None:
    hela = open_movie(shared_data / "hela_ctc_02" / "Fluo_Hela_02_img.tif")
    assert hela.shape == (20, 700, 1100)
    assert hela.dtype == np.uint16
    whole = tifffile.imread(shared_data / "hela_ctc_02" / "Fluo_Hela_02_img.tif")
    assert np.array_equal(hela.frame(19), whole[19])
    cancer = open_movie(shared_data / "cancer_migration" / "cancer_cell_migration_crop.tif")
    assert cancer.shape == (48, 130, 130)
    masks = open_movie(shared_data / "hela_ctc_02" / "02_ST" / "SEG")
    assert masks.shape == (20, 700, 1100)
