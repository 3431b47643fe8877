"""Files that mean harm: each must be refused in one sentence, do nothing else, and cost little."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

HUGE = 1_000_000


class Payload:
    """A pickle that leaves a mark where it is opened."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.mark), "w")


def _movie(path: Path) -> None:
    from morpholaw.cells.movies import open_movie

    for frame in open_movie(path):
        frame.mean()


def _tracks(path: Path) -> None:
    from morpholaw.cells.tracks import read_tracks

    read_tracks(path, (10, 100, 100), 0.5)


def _crops(path: Path) -> None:
    from morpholaw.cells.import_crops import import_crops
    from morpholaw.config import ImportConfig

    import_crops(path.parent, path.parent.with_name("imported"), ImportConfig(size=32))


def _bundle(path: Path) -> None:
    from morpholaw.models.classifier import Classifier
    from morpholaw.store import encoders

    kind = json.loads((path.parent / "model.json").read_text()).get("kind")
    Classifier.load(path.parent) if kind == "classifier" else encoders.load(path.parent)


def _study(path: Path) -> None:
    from morpholaw.study import Study

    study = Study(path.parent)
    study.crops[[0]]
    study.labels.sum()


def _law(path: Path) -> None:
    from morpholaw.models.law import Law

    Law.from_json(json.loads(path.read_text()))


# ---- files; each makes one at a path and returns what reads it


def _entity_bomb(kind: str) -> str:
    """Nested entities that would unfold to a billion words, or one that reads a file."""
    if kind == "external":
        return '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    nested = "".join(f'<!ENTITY l{k} "{f"&l{k - 1};" * 10}">' for k in range(1, 10))
    return f'<!DOCTYPE d [<!ENTITY l0 "lol">{nested}]>'


def _xml(kind: str) -> Callable[[Path], None]:
    entity = "&e;" if kind == "external" else "&l9;"
    return lambda path: _text(
        path, f"<?xml version='1.0'?>{_entity_bomb(kind)}<TrackMate>{entity}</TrackMate>"
    )


def _text(path: Path, text: str) -> None:
    path.write_text(text)


def _ome(kind: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import tifffile

        text = f"{_entity_bomb(kind)}<OME><Image><Pixels/></Image>&l9;</OME>"
        tifffile.imwrite(path, np.zeros((5, 9, 9), np.uint8), description=text, metadata=None)

    return make


def _huge_tiff(compression: str | None) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import tifffile

        tifffile.imwrite(path, np.zeros((16, 16), np.uint8), compression=compression, metadata=None)
        with tifffile.TiffFile(path, mode="r+") as tif:
            for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
                tif.pages[0].tags[name].overwrite(HUGE)

    return make


def _just_allowed_tiff(path: Path) -> None:
    import tifffile

    tifffile.imwrite(path, np.zeros((16, 16), np.float64), compression="zlib", metadata=None)
    with tifffile.TiffFile(path, mode="r+") as tif:
        for name in ("ImageWidth", "ImageLength", "RowsPerStrip"):
            tif.pages[0].tags[name].overwrite(32_000)


def _huge_png(path: Path) -> None:
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", HUGE, HUGE, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 99))
        + chunk(b"IEND", b"")
    )


def _huge_jpeg(path: Path) -> None:
    import imagecodecs

    data = bytearray(imagecodecs.jpeg_encode(np.zeros((16, 16), np.uint8)))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = b"\xff\xdc\xff\xdc"
    path.write_bytes(bytes(data))


def _zarr(**changes: Any) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.mkdir()
        array = {
            "zarr_format": 2, "shape": [5, 8, 8], "chunks": [1, 8, 8], "dtype": "<u2", "compressor": None,
            "fill_value": 0, "order": "C", "filters": None,
        }  # fmt: skip
        (path / ".zarray").write_text(json.dumps(array | changes))

    return make


def _zarr_outside(path: Path) -> None:
    path.mkdir()
    (path / ".zgroup").write_text('{"zarr_format": 2}')
    scales = [{"axes": [{"name": n} for n in "tyx"], "datasets": [{"path": "../../secret"}]}]
    (path / ".zattrs").write_text(json.dumps({"multiscales": scales}))


def _geff_outside(path: Path) -> None:
    import zarr

    group = zarr.open_group(path, mode="w", zarr_format=2)
    axes = [{"name": n, "type": k} for n, k in (("../../../t", "time"), ("y", "space"), ("x", "space"))]
    group.attrs["geff"] = {"axes": axes}
    group.create_array("nodes/ids", shape=(2,), dtype="i8")[...] = [1, 2]
    group.create_array("edges/ids", shape=(1, 2), dtype="i8")[...] = [[1, 2]]


def _geff_huge(path: Path) -> None:
    _geff_outside(path)
    ids = json.loads((path / "nodes/ids/.zarray").read_text())
    (path / "nodes/ids/.zarray").write_text(json.dumps(ids | {"shape": [10**12], "chunks": [10**6]}))


def _hdf5(kind: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            objects, tracks = file.create_group("objects/a"), file.create_group("tracks/a")
            tracks["tracks"], tracks["map"] = np.zeros(1, "i4"), np.array([[0, 1]], "u4")
            tracks["LBEPR"] = np.array([[1, 0, 0, 1, 1, 0]], "i4")
            if kind == "huge":
                objects.create_dataset("coords", shape=(10**11, 10), dtype="f4", chunks=(1000, 10))
            elif kind == "sparse":
                objects.create_dataset("coords", shape=(10**8, 5), dtype="f4", chunks=(1000, 5))
            elif kind == "link":
                objects["coords"] = h5py.ExternalLink("/etc/secret.h5", "coords")
            elif kind == "raw":
                objects.create_dataset("coords", (20, 5), "f4", external=[("/etc/passwd", 0, 400)])
            elif kind == "loop":
                objects["coords"] = h5py.SoftLink("/objects/a/coords")

    return make


def _pickled(path: Path) -> None:
    """A pickle with a payload in place of any file."""
    path.write_bytes(pickle.dumps(Payload(path.with_name("hacked"))))


def _object_npy(path: Path) -> None:
    """A crop set whose images are an npy file of pickled objects."""
    from morpholaw.cells.cells_table import cells_table
    from morpholaw.cells.crop_set import CropSet
    from morpholaw.study import Study

    study = Study.create(path.parent / "s")
    CropSet.write(
        study.path / "crops" / "a", np.zeros((2, 16, 16), np.uint8), cells_table(2, group=["a", "b"])
    )
    images = np.empty((2, 16, 16), object)
    images[...] = Payload(path.with_name("hacked"))
    np.save(study.path / "crops" / "a" / "images.npy", images, allow_pickle=True)
    path.write_bytes(b"")


def _open_made_study(path: Path) -> None:
    _study(path.parent / "s" / "study.json")


def _model(**changes: Any) -> Callable[[Path], None]:
    """A whole encoder bundle with changed description."""

    def make(path: Path) -> None:
        from morpholaw.models.bundle import save_bundle
        from morpholaw.models.vae import BetaTCVAE

        model = BetaTCVAE(4, (2, 2), 8, 16)
        save_bundle(path.parent, model.state_dict(), {"kind": "encoder", "settings": model.settings()})
        values = json.loads(path.read_text())
        settings = values["settings"] | changes.pop("settings", {})
        path.write_text(json.dumps(values | {"settings": settings} | changes))

    return make


def _pickled_weights(path: Path) -> None:
    import hashlib

    _model()(path)
    weights = next(path.parent.glob("weights-*"))
    data = pickle.dumps(Payload(path.with_name("hacked")))
    weights.write_bytes(data)
    values = json.loads(path.read_text()) | {"sha256": hashlib.sha256(data).hexdigest()}
    path.write_text(json.dumps(values))


def _expression(text: str) -> Callable[[Path], None]:
    return lambda path: _text(path, json.dumps({"expression": text, "names": ["z1", "z2"]}))


def _pixels(values: np.ndarray) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        import tifffile

        tifffile.imwrite(path, values, photometric="minisblack")

    return make


def _rows(*rows: str) -> Callable[[Path], None]:
    return lambda path: _text(path, "\n".join(["ID,t,y,x,parent", *rows]) + "\n")


_FRAMES = np.ones((5, 9, 9))
_NAN, _INF = _FRAMES.copy(), _FRAMES.copy()
_NAN[2, 3, 3], _INF[2, 3, 3] = np.nan, np.inf
_SUFFIXES = {
    _movie: (".tif", ".png", ".ome.tif", ".npy", ".pkl"),
    _tracks: (".h5", ".xml", ".csv", ".txt", ".tif", ".pkl"),
    _crops: (".png", ".tif", ".jpg"),
}

HOSTILE: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], None]]] = {
    "XML entity bomb": ("a.xml", _xml("bomb"), _tracks),
    "XML external entity": ("a.xml", _xml("external"), _tracks),
    "OME entity bomb": ("a.ome.tif", _ome("bomb"), _movie),
    "OME external entity": ("a.ome.tif", _ome("external"), _movie),
    "TIFF of 10^12 pixels": ("a.tif", _huge_tiff(None), _movie),
    "deflated TIFF of 10^12 pixels": ("a.tif", _huge_tiff("zlib"), _movie),
    "TIFF frame of 8 GB": ("a.tif", _just_allowed_tiff, _movie),
    "label stack of 10^12 pixels": ("a.tif", _huge_tiff("zlib"), _tracks),
    "TIFF crop of 10^12 pixels": ("in/a.tif", _huge_tiff("zlib"), _crops),
    "TIFF crop of 8 GB": ("in/a.tif", _just_allowed_tiff, _crops),
    "PNG crop of 10^12 pixels": ("in/a.png", _huge_png, _crops),
    "JPEG crop of 4 x 10^9 pixels": ("in/a.jpg", _huge_jpeg, _crops),
    "PNG frame of 10^12 pixels": ("in/a.png", _huge_png, lambda path: _movie(path.parent)),
    "zarr of 10^12 pixels": ("a.zarr", _zarr(shape=[1, 10**6, 10**6]), _movie),
    "zarr chunks of 10^12": ("a.zarr", _zarr(shape=[5, 8, 8], chunks=[1, 10**6, 10**6]), _movie),
    "zarr frame of 8 GB": ("a.zarr", _zarr(shape=[5, 32_000, 32_000], chunks=[1, 32_000, 32_000], dtype="<f8"), _movie),
    "zarr of pickled objects": ("a.zarr", _zarr(dtype="|O", filters=[{"id": "pickle"}]), _movie),
    "zarr pickle filter": ("a.zarr", _zarr(filters=[{"id": "pickle"}]), _movie),
    "zarr pickle compressor": ("a.zarr", _zarr(compressor={"id": "pickle"}), _movie),
    "zarr outside its folder": ("a.zarr", _zarr_outside, _movie),
    "GEFF outside its folder": ("a.geff", _geff_outside, _tracks),
    "GEFF of 10^12 nodes": ("a.geff", _geff_huge, _tracks),
    "HDF5 of 10^12 values": ("a.h5", _hdf5("huge"), _tracks),
    "HDF5 of 5 x 10^8 unstored values": ("a.h5", _hdf5("sparse"), _tracks),
    "HDF5 link to another file": ("a.h5", _hdf5("link"), _tracks),
    "HDF5 raw data in another file": ("a.h5", _hdf5("raw"), _tracks),
    "HDF5 link to itself": ("a.h5", _hdf5("loop"), _tracks),
    "npy of pickled objects": ("a.npy", _object_npy, _open_made_study),
    "pickled weights": ("m/model.json", _pickled_weights, _bundle),
    "weights outside the bundle": ("m/model.json", _model(weights="../../x.safetensors"), _bundle),
    "weights at an absolute path": ("m/model.json", _model(weights="/etc/passwd"), _bundle),
    "encoder of 10^9 hidden units": ("m/model.json", _model(settings={"hidden": 10**9}), _bundle),
    "encoder of 10^12 latents": ("m/model.json", _model(settings={"latents": 10**12}), _bundle),
    "encoder of a million layers": ("m/model.json", _model(settings={"filters": [2] * 10**6}), _bundle),
    "encoder of no size": ("m/model.json", _model(settings={"size": 0}), _bundle),
    "study of no JSON": ("s/study.json", lambda path: _text(path, "[" * 10**5), _study),
    "law that imports": ("l.json", _expression("__import__('os').system('true')"), _law),
    "law that is attributes": ("l.json", _expression("z1.__class__.__mro__"), _law),
    "law that is a lambda": ("l.json", _expression("(lambda: z1)()"), _law),
    "law that is nested 10^5 deep": ("l.json", _expression("(" * 900 + "z1" + ")" * 900), _law),
    "law of a tower of powers": ("l.json", _expression("9**9**9**9"), _law),
    "NaN pixels": ("a.tif", _pixels(_NAN), _movie),
    "infinite pixels": ("a.tif", _pixels(_INF), _movie),
    "complex pixels": ("a.tif", _pixels(_FRAMES.astype(np.complex64)), _movie),
    "complex crop": ("in/a.tif", _pixels(_FRAMES[0].astype(np.complex64)), _crops),
    "NaN crop": ("in/a.tif", _pixels(_NAN[2]), _crops),
    "two positions in one frame": ("a.csv", _rows("1,0,5,5,-1", "1,0,5,6,-1"), _tracks),
    "a negative frame": ("a.csv", _rows("1,-1,5,5,-1", "1,0,5,5,-1"), _tracks),
    "two parents": ("a.csv", _rows("1,0,5,5,2", "1,1,5,5,3", "2,0,5,5,-1", "3,0,5,5,-1"), _tracks),
    "a cycle of parents": ("a.csv", _rows("1,0,5,5,2", "2,0,5,5,3", "3,0,5,5,1"), _tracks),
    "NaN position": ("a.csv", _rows("1,0,nan,5,-1"), _tracks),
    "infinite position": ("a.csv", _rows("1,0,5,inf,-1"), _tracks),
    **{
        f"pickle as {suffix} {reader.__name__.strip('_')}": (f"in/a{suffix}", _pickled, reader)
        for reader, suffixes in _SUFFIXES.items()
        for suffix in suffixes
    },
}  # fmt: skip
"""Name to (file, what makes it, what reads it): all must be refused."""

HARMLESS: dict[str, tuple[str, Callable[[Path], None], Callable[[Path], None]]] = {
    "constant pixels": ("a.tif", _pixels(np.full((5, 9, 9), 7, np.uint16)), _movie),
    "negative pixels": ("a.tif", _pixels(np.full((5, 9, 9), -7, np.int16)), _movie),
    "huge pixels": ("a.tif", _pixels(np.full((5, 9, 9), 1e300)), _movie),
    "constant crop": ("in/a.tif", _pixels(np.full((9, 9), 7, np.uint16)), _crops),
    "negative crop": ("in/a.tif", _pixels(np.arange(-50, 31, dtype=np.int32).reshape(9, 9)), _crops),
    "huge crop values": ("in/a.tif", _pixels(np.linspace(0, 1e300, 81).reshape(9, 9)), _crops),
    "a spot in no track": ("a.csv", _rows("-4,0,5,5,-1", "1,0,5,5,-1"), _tracks),
    "one row twice": ("a.csv", _rows("1,0,5,5,-1", "1,0,5,5,-1"), _tracks),
    "unsorted rows": ("a.csv", _rows("2,1,5,5,-1", "1,1,5,5,-1", "1,0,5,5,-1", "2,0,5,5,-1"), _tracks),
}
"""Odd, and to be read all the same."""
