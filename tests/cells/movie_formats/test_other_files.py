"""Files of microscopes and of other programs: read through bioio where it is there, else one sentence that helps."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from morpholaw.cells.movies import open_movie
from morpholaw.errors import InputError

STARTS = {
    "a.czi": (b"ZISRAWFILE", r"a Zeiss CZI file.*napari-morpholaw\[vendor\].*bioio-czi.*OME-TIFF"),
    "scan.dat": (b"ZISRAWFILE", "a Zeiss CZI file"),
    "b.nd2": (b"\xda\xce\xbe\x0a", "a Nikon ND2 file.*bioio-nd2"),
    "c.LIF": (b"\x70\0\0\0", "a Leica LIF file.*bioio-lif"),
    "d.ims": (b"\x89HDF\r\n\x1a\n", "an Imaris file.*bioio-bioformats"),
    "e.avi": (b"RIFF", "is a video.*Fiji"),
    "f.mp4": (b"\0\0\0\x18ftypmp42", "is a video"),
    "f": (b"\0\0\0\x18ftypmp42", "is a video"),
    "g.zip": (b"PK\3\4", "is an archive: unpack it"),
    "h.oir": (b"OLYMPUSRAWFORMAT", "an Olympus OIR file"),
    "i.companion.ome": (b"<OME/>", "describes no image; open the OME-TIFF"),
    "j.h5": (b"\x89HDF\r\n\x1a\n", "is an HDF5 file.*export the movie"),
    "k.csv": (b"track_id,t,y,x\n", "the movie first and the tracks second"),
    "l.jpg": (b"\xff\xd8\xff\xe0", "is a JPEG image.*export the movie"),
    "m.mat": (b"MATLAB 5.0", "is a MATLAB file"),
    "n.npz": (b"PK\3\4", "is an archive of NumPy arrays: save the movie alone"),
    "page.tif": (b"<!DOCTYPE html><html>Not found", "is a web page and not the file itself"),
    "pointer.tif": (b"version https://git-lfs.github.com/spec/v1", "is a Git LFS pointer"),
    "o.xyz": (b"what is this", "The format of .* is unknown.*OME-TIFF"),
}


@pytest.fixture
def no_bioio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bioio", None)


@pytest.mark.parametrize(("name", "start", "message"), [(k, *v) for k, v in STARTS.items()], ids=STARTS)
@pytest.mark.usefixtures("no_bioio")
def test_a_file_of_another_kind_gets_one_sentence_that_says_what_to_do(
    tmp_path: Path, name: str, start: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(start + bytes(3000 if name != "i.companion.ome" else 0))
    with pytest.raises(InputError, match=message) as caught:
        open_movie(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("https://example.org/a.zarr", "https://example.org/a.zarr is an address.*download"),
        (Path("https://example.org/a.zarr"), "https://example.org/a.zarr is an address"),
        ("s3://bucket/a.zarr", "s3://bucket/a.zarr is an address"),
        pytest.param(
            r"C:\Users\me\movie.tif", "is a Windows path", marks=pytest.mark.skipif("os.name == 'nt'")
        ),
        pytest.param(
            r"\\server\share\movie.tif", "is a Windows path", marks=pytest.mark.skipif("os.name == 'nt'")
        ),
    ],
)
def test_an_address_and_a_foreign_path_are_named_as_such(source: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_movie(source)


def test_a_numpy_file_is_a_movie(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 999, (5, 40, 50), dtype="uint16")
    np.save(tmp_path / "m.npy", pixels)
    movie = open_movie(tmp_path / "m.npy")
    assert np.array_equal(np.stack(list(movie)), pixels)
    assert (movie.name, movie.facts.format) == ("m", "NumPy file")
    (tmp_path / "cut.npy").write_bytes((tmp_path / "m.npy").read_bytes()[:5000])
    with pytest.raises(InputError, match=r"cut\.npy cannot be read as a \.npy file"):
        open_movie(tmp_path / "cut.npy")


def test_a_numpy_file_of_objects_runs_no_code(tmp_path: Path) -> None:
    np.save(tmp_path / "m.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(InputError, match=r"m\.npy contains Python objects, which are not opened"):
        open_movie(tmp_path / "m.npy")


class FakeImage:
    """What bioio documents of BioImage, over arrays (t, c, z, y, x), one per scene."""

    scenes = ("Position 1", "Position 2")
    channel_names = ("H2B", "Phase")
    dims = SimpleNamespace(order="TCZYX")
    physical_pixel_sizes = SimpleNamespace(Z=1.0, Y=0.325, X=0.325)
    time_interval = timedelta(minutes=5)
    arrays = np.random.default_rng(0).integers(0, 999, (2, 4, 2, 1, 40, 50), dtype="uint16")

    def __init__(self, path: str) -> None:
        if "unsupported" in path:
            raise sys.modules["bioio_base.exceptions"].UnsupportedFileFormatError(path)
        if "damaged" in path:
            raise RuntimeError("block 7 is not there\nsecond line")
        self.scene = 0

    def set_scene(self, number: int) -> None:
        self.scene = number

    @property
    def dask_data(self) -> Any:
        import dask.array as da

        return da.from_array(self.arrays[self.scene], chunks=(1, 1, 1, 40, 50))


@pytest.fixture
def bioio(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("dask")
    module, base, exceptions = (ModuleType(n) for n in ("bioio", "bioio_base", "bioio_base.exceptions"))
    module.BioImage = FakeImage  # type: ignore[attr-defined]
    exceptions.UnsupportedFileFormatError = type("UnsupportedFileFormatError", (Exception,), {})  # type: ignore[attr-defined]
    for one in (module, base, exceptions):
        monkeypatch.setitem(sys.modules, one.__name__, one)


@pytest.mark.usefixtures("bioio")
def test_a_microscopes_file_is_read_through_bioio(tmp_path: Path) -> None:
    path = tmp_path / "m.nd2"
    path.write_bytes(b"\xda\xce\xbe\x0a")
    with pytest.raises(InputError, match=r"has 2 positions \(0: Position 1, 1: Position 2\)"):
        open_movie(path)
    with pytest.raises(InputError, match=r"has 2 channels \(0: H2B, 1: Phase\)"):
        open_movie(path, position=1)
    movie = open_movie(path, position="Position 2", channel="H2B")
    assert np.array_equal(np.stack(list(movie)), FakeImage.arrays[1, :, 0, 0])
    facts = movie.facts
    assert (facts.pixel_size, facts.pixel_size_source, facts.frame_interval) == (0.325, ".nd2 file", 300.0)
    assert (facts.format, movie.name) == ("Nikon ND2 file", "m")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("unsupported.czi", "that bioio cannot read here: install its reader .*bioio-czi"),
        ("damaged.czi", r"cannot be read \(block 7 is not there\)"),
    ],
)
@pytest.mark.usefixtures("bioio")
def test_a_file_that_bioio_cannot_read_says_what_to_do(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"ZISRAWFILE")
    with pytest.raises(InputError, match=message) as caught:
        open_movie(tmp_path / name)
    assert "\n" not in str(caught.value)
