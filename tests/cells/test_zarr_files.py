"""zarr folders that somebody sent: every codec that is allowed is read, and none takes more than its array says."""

from __future__ import annotations

import bz2
import gzip
import json
import os
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr
from zarr.codecs import BloscCodec, GzipCodec, ZstdCodec

from morpholaw.cells.files import read_json
from morpholaw.cells.movies import open_movie
from morpholaw.cells.zarr_files import open_array_at, read_array
from morpholaw.errors import InputError

BOMB = bytes(2**28)
"""What a chunk of 4 kB expands to."""


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60_000, (3, 64, 64), dtype="uint16")


@pytest.mark.parametrize("codec", ["zlib", "gzip", "bz2", "lzma", "lz4", "zstd", "blosc"])
@pytest.mark.parametrize("filters", [[], [numcodecs.Delta(dtype="u2")], [numcodecs.Shuffle(2)]])
def test_every_codec_of_version_2_is_read(
    tmp_path: Path, pixels: np.ndarray, codec: str, filters: Any
) -> None:
    compressor = numcodecs.get_codec({"id": codec})
    path = tmp_path / "a.zarr"
    zarr.create_array(
        path, data=pixels, chunks=(1, 32, 48), zarr_format=2, compressors=compressor, filters=filters
    )
    assert np.array_equal(open_array_at(path)[...], pixels)


@pytest.mark.parametrize("codec", [GzipCodec(), ZstdCodec(), BloscCodec()], ids=["gzip", "zstd", "blosc"])
@pytest.mark.parametrize("shards", [None, (1, 64, 64)])
def test_every_codec_of_version_3_is_read(
    tmp_path: Path, pixels: np.ndarray, codec: Any, shards: Any
) -> None:
    path = tmp_path / "a.zarr"
    zarr.create_array(
        path, data=pixels, chunks=(1, 32, 32), shards=shards, zarr_format=3, compressors=[codec]
    )
    array = open_array_at(path)
    assert np.array_equal(array[...], pixels)
    assert np.array_equal(array[1], pixels[1])


def write_v2(path: Path, chunk: bytes | None, **metadata: Any) -> Path:
    path.mkdir()
    base = {"zarr_format": 2, "shape": [3, 64, 64], "chunks": [1, 64, 64], "dtype": "|u1", "compressor": None}
    base |= {"filters": None, "order": "C", "fill_value": 0}
    (path / ".zarray").write_text(json.dumps(base | metadata))
    if chunk is not None:
        (path / "0.0.0").write_bytes(chunk)
    return path


BOMBS: dict[str, tuple[Callable[[bytes], bytes], dict[str, Any]]] = {
    "zlib": (zlib.compress, {"compressor": {"id": "zlib", "level": 1}}),
    "gzip": (gzip.compress, {"compressor": {"id": "gzip", "level": 1}}),
    "bz2": (bz2.compress, {"compressor": {"id": "bz2", "level": 1}}),
    "zstd": (numcodecs.Zstd().encode, {"compressor": {"id": "zstd", "level": 1}}),
    "lz4": (numcodecs.LZ4().encode, {"compressor": {"id": "lz4"}}),
    "blosc": (numcodecs.Blosc().encode, {"compressor": {"id": "blosc"}}),
    "twice": (
        lambda data: zlib.compress(zlib.compress(data)),
        {"compressor": {"id": "zlib", "level": 1}, "filters": [{"id": "zlib", "level": 1}]},
    ),
}


@pytest.mark.parametrize(("compress", "metadata"), BOMBS.values(), ids=BOMBS)
def test_a_chunk_that_expands_beyond_its_array_is_refused_in_little_memory(
    tmp_path: Path, compress: Callable[[bytes], bytes], metadata: dict[str, Any]
) -> None:
    movie = open_movie(write_v2(tmp_path / "a.zarr", bytes(compress(BOMB)), **metadata))
    tracemalloc.start()
    with pytest.raises(
        InputError, match="Frame 0 of a cannot be read: a chunk expands to more than its maximum"
    ):
        movie.frame(0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**24


def test_a_chunk_inside_a_shard_is_bounded_too(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    data = np.zeros((1, 64, 64), "u1")
    made = zarr.create_array(
        path, data=data + 1, chunks=(1, 64, 64), shards=(1, 64, 64), compressors=[GzipCodec()], zarr_format=3
    )
    assert made.shards == (1, 64, 64)
    (file,) = (p for p in path.rglob("*") if p.is_file() and p.name != "zarr.json")
    bomb = gzip.compress(BOMB)
    index = np.array([0, len(bomb)], "<u8").tobytes()
    import google_crc32c

    checksum = google_crc32c.value(index).to_bytes(4, "little")
    file.write_bytes(bomb + index + checksum)
    with pytest.raises(InputError, match="a chunk expands to more than"):
        open_movie(path).frame(0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.timeout(20)
def test_a_pipe_or_a_device_in_the_place_of_a_chunk_is_refused(tmp_path: Path) -> None:
    os.mkfifo(write_v2(tmp_path / "pipe.zarr", None) / "0.0.0")
    (write_v2(tmp_path / "device.zarr", None) / "0.0.0").symlink_to("/dev/zero")
    for name in ("pipe", "device"):
        with pytest.raises(InputError, match="is not a regular file"):
            open_movie(tmp_path / f"{name}.zarr").frame(0)


def test_a_chunk_that_is_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(bytes(range(256)) * 100)
    (write_v2(tmp_path / "a.zarr", None) / "0.0.0").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="link out of the folder"):
        open_movie(tmp_path / "a.zarr").frame(0)


@pytest.mark.timeout(20)
def test_arrays_that_would_take_minutes_or_are_not_there_are_refused(tmp_path: Path) -> None:
    tiny = write_v2(tmp_path / "tiny.zarr", b"\1", shape=[1, 4096, 4096], chunks=[1, 1, 1])
    with pytest.raises(InputError, match="stores one frame in 16777216 chunks"):
        open_movie(tiny)
    absent = write_v2(tmp_path / "absent.zarr", None, shape=[10**7, 64, 64])
    with pytest.raises(InputError, match="none of them is stored"):
        open_movie(absent)
    with pytest.raises(InputError, match="chunks of"):
        open_movie(write_v2(tmp_path / "zero.zarr", None, chunks=[0, 64, 64]))
    column = write_v2(tmp_path / "column.zarr", b"\1", shape=[2**20], chunks=[1])
    with pytest.raises(InputError, match="chunks"):
        read_array(column)


def test_numbers_that_json_does_not_have_are_refused_and_other_programs_may_write_them(
    tmp_path: Path,
) -> None:
    for text in ('{"a": Infinity}', '{"a": NaN}', '{"a": 1e999}'):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(InputError, match="is not a JSON number"):
            read_json(tmp_path / "a.json")
        assert not np.isfinite(read_json(tmp_path / "a.json", finite=False)["a"])


@pytest.mark.parametrize(("version", "separator"), [(2, "."), (2, "/"), (3, "/")])
def test_frames_whose_chunks_are_not_stored_are_named(tmp_path: Path, version: Any, separator: str) -> None:
    path = tmp_path / "movie.zarr"
    keys = {"dimension_separator": separator} if version == 2 else {}
    group = zarr.create_group(path, zarr_format=version)
    shape, chunks = (8, 2, 64, 64), (1, 1, 32, 64)
    keys = {"chunk_key_encoding": {"name": "v2", "separator": separator}} if version == 2 else {}
    array = group.create_array("0", shape=shape, chunks=chunks, dtype="u2", **keys)
    array[:] = np.random.default_rng(0).integers(1, 999, shape)
    axes = [{"name": "t", "type": "time"}, {"name": "c", "type": "channel"}]
    axes += [{"name": n, "type": "space", "unit": "micrometer"} for n in "yx"]
    scale = [{"type": "scale", "scale": [1, 1, 0.5, 0.5]}]
    datasets = [{"path": "0", "coordinateTransformations": scale}]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": datasets}]
    assert not any("stored" in note for note in open_movie(path, channel=1).facts.notes)
    chunk = (
        (lambda *i: "c/" + "/".join(map(str, i))) if version == 3 else lambda *i: separator.join(map(str, i))
    )
    for gone in [(3, 1, 0, 0), (3, 1, 1, 0), (6, 1, 1, 0), (5, 0, 0, 0)]:
        (path / "0" / chunk(*gone)).unlink()
    notes = [note for note in open_movie(path, channel=1).facts.notes if "stored" in note]
    assert len(notes) == 2
    assert "1 frame of which nothing is stored (3)" in notes[0]
    assert "1 frame of which parts are not stored (6)" in notes[1]


def test_a_graph_without_some_of_its_positions_is_refused(tmp_path: Path) -> None:
    array = zarr.create_array(tmp_path / "x", shape=(10,), chunks=(4,), dtype="f8")
    array[:] = np.arange(10) + 1.0
    assert read_array(tmp_path / "x", complete=True).tolist() == (np.arange(10) + 1.0).tolist()
    (tmp_path / "x" / "c" / "1").unlink()
    with pytest.raises(InputError, match="lacks 1 of its 3 chunks"):
        read_array(tmp_path / "x", complete=True)
    assert read_array(tmp_path / "x")[4] == 0
