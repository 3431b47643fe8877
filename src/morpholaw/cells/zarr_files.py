"""Safe reading of zarr folders from others: no code is run, and no more memory is used than the metadata states.

The metadata of an array names its codecs, and one of numcodecs' codecs is pickle. Therefore the metadata is first read
as JSON, and an array is opened with zarr only if its codecs and data type are on the list below. Chunks are read only
from regular files, and each is decoded to at most the size that its array states.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.cells.files import read_json
from morpholaw.cells.zarr_chunks import METADATA, stored_chunks
from morpholaw.errors import InputError, reason

if TYPE_CHECKING:
    from zarr.storage import LocalStore

_CODECS = {
    *("blosc", "zlib", "gzip", "bz2", "lzma", "lz4", "zstd", "bytes", "transpose", "sharding_indexed"),
    *("crc32", "crc32c", "adler32", "fletcher32", "shuffle", "delta", "bitround", "packbits", "quantize"),
    *("fixedscaleoffset", "scale_offset", "cast_value", "vlen-utf8"),
}
_MAX_CHUNK = 2**31
"""Maximum size in bytes of a chunk, which is decoded at once, and of an array that is read as a whole."""
_MAX_CHUNKS = 100_000
"""Maximum number of chunks, each a separate file, of a frame or of an array that is read as a whole."""
_UNSTORED = 2**26
"""Maximum size in bytes of an array of which nothing is stored."""


def is_zarr(path: Path) -> bool:
    """Return whether ``path`` is a folder with a zarr array or group (version 2 or 3)."""
    return path.is_dir() and any((path / name).is_file() for name in METADATA)


def is_array(path: Path) -> bool:
    """Return whether ``path`` is a zarr array rather than a group."""
    if (path / ".zarray").is_file():
        return True
    return (path / "zarr.json").is_file() and _mapping(path / "zarr.json").get("node_type") == "array"


def attributes(path: Path) -> dict[str, Any]:
    """Return the user attributes of a zarr array or group."""
    if (path / "zarr.json").is_file():
        content = _mapping(path / "zarr.json").get("attributes", {})
    else:
        content = _mapping(path / ".zattrs") if (path / ".zattrs").is_file() else {}
    return content if isinstance(content, dict) else {}


def inside(root: Path, name: object, where: str) -> Path:
    """Return the node ``name`` under ``root``; reject names that lead out of it."""
    parts = str(name).replace("\\", "/").strip("/").split("/")
    if ".." in parts or os.path.isabs(str(name)):
        raise InputError(f"{where} refers to the array {name!r}, which is outside the folder.")
    return root.joinpath(*parts)


def open_array_at(path: Path) -> Any:
    """Open the zarr array in the folder ``path``, read-only.

    Raises
    ------
    InputError
        If there is no array, it is damaged, it uses a codec or data type that is not allowed, or its chunks are too
        large, or too many per frame.
    """
    metadata = next((path / name for name in ("zarr.json", ".zarray") if (path / name).is_file()), None)
    if metadata is None:
        raise InputError(f"{path} is not a zarr array: it has no zarr.json or .zarray.")
    content = _mapping(metadata)
    _check_codecs(content, metadata)
    try:
        array = _bounded(path)
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{metadata} does not describe a readable zarr array: {reason(error)}.") from error
    if _count(array.shape) * array.dtype.itemsize > _UNSTORED and not _stored(path):
        raise InputError(f"{path} claims {_count(array.shape)} values, but none of them is stored.")
    for chunks in (array.chunks, array.shards or array.chunks):
        if 0 in chunks or _count(chunks) * array.dtype.itemsize > _MAX_CHUNK:
            raise InputError(f"{metadata} claims chunks of {chunks} values, more than can be read.")
    if (frame := _chunk_count(array, 2)) > _MAX_CHUNKS:
        raise InputError(
            f"{metadata} stores one frame in {frame} chunks of {array.chunks} values, which would take minutes to "
            "read; save it with chunks of a whole frame."
        )
    return array


def read_array(path: Path, complete: bool = False) -> np.ndarray:
    """Read a whole zarr array.

    Parameters
    ----------
    path : Path
        Folder of the array.
    complete : bool
        Whether every chunk must be stored. By default, missing ones are read as the fill value, because many programs
        leave out chunks that contain nothing else.

    Raises
    ------
    InputError
        If it cannot be read, claims far more data than are stored, or has missing chunks although it must not.
    """
    array = open_array_at(path)
    claimed = _count(array.shape) * array.dtype.itemsize
    if claimed > _MAX_CHUNK or _chunk_count(array, array.ndim) > _MAX_CHUNKS:
        raise InputError(
            f"{path} claims {_count(array.shape)} values in {_chunk_count(array, array.ndim)} chunks, which is too "
            "many to read."
        )
    stored = stored_chunks(array, path) if complete else None
    if stored is not None:
        raise InputError(
            f"{path} lacks {(~stored).sum()} of its {stored.size} chunks; copy the whole folder again."
        )
    try:
        return np.asarray(array[...])
    except Exception as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error


def _bounded(path: Path) -> Any:
    """Return the array in a folder, with bounded compressors and chunks in regular files."""
    import zarr
    from zarr.core.array import Array, AsyncArray
    from zarr.core.metadata import ArrayV2Metadata
    from zarr.storage import StorePath

    from morpholaw.cells.zarr_codecs import bounded_v2, bounded_v3

    store = _regular_files(path)
    array = zarr.open_array(store, mode="r")
    metadata = array.metadata
    if isinstance(metadata, ArrayV2Metadata):
        size = _count(array.chunks) * array.dtype.itemsize
        filters = tuple(bounded_v2(one, size) for one in metadata.filters or ()) or None
        parts = {"compressor": bounded_v2(metadata.compressor, size), "filters": filters}
        changed: Any = _replaced(metadata, **parts)
    else:
        changed = _replaced(metadata, codecs=bounded_v3(tuple(metadata.codecs)))
    return Array(AsyncArray(metadata=changed, store_path=StorePath(store, "")))


def _replaced(metadata: Any, **parts: Any) -> Any:
    from dataclasses import replace

    return replace(metadata, **parts)


def _regular_files(root: Path) -> LocalStore:
    """Return a store of a folder's regular files; reading a pipe or device in place of a chunk would never end."""
    from zarr.storage import LocalStore

    inside_of = os.path.join(os.path.realpath(root), "")

    class RegularFiles(LocalStore):
        async def get(self, key: str, prototype: Any = None, byte_range: Any = None) -> Any:
            path = self.root / key
            try:
                status = os.stat(path)
            except OSError:
                return None
            if stat.S_ISDIR(status.st_mode):
                return None
            if not stat.S_ISREG(status.st_mode) or (byte_range is None and status.st_size > _MAX_CHUNK):
                raise ValueError(f"{path} is not a regular file of the size of a chunk")
            if not os.path.realpath(path).startswith(inside_of):
                raise ValueError(f"{path} is a link out of the folder, which is not followed")
            return await super().get(key, prototype, byte_range)

    return RegularFiles(root, read_only=True)


def _chunk_count(array: Any, axes: int) -> int:
    """Return the number of chunks along the last axes."""
    if array.ndim == 0:
        return 1
    pairs = list(zip(array.shape, array.chunks, strict=True))[-axes:]
    return _count(tuple(-(-n // chunk) if chunk else 1 for n, chunk in pairs))


def _stored(path: Path) -> bool:
    """Return whether any chunk is stored."""
    return any(p.is_file() and p.name not in METADATA for p in path.rglob("*"))


def _count(shape: tuple[int, ...]) -> int:
    """Return the number of values, exact for any claim; zarr's own ``size`` fails without axes."""
    return int(np.prod(shape, dtype=object))


def _check_codecs(content: dict[str, Any], metadata: Path) -> None:
    filters = content.get("filters") or []
    v2 = [content.get("compressor"), *(filters if isinstance(filters, list) else [filters])]
    for codec in [*v2, *_codecs_v3(content.get("codecs"))]:
        if codec is None:
            continue
        name = codec.get("id", codec.get("name")) if isinstance(codec, dict) else codec
        if str(name).removeprefix("numcodecs.") not in _CODECS:
            raise InputError(f"{metadata} uses the codec {name!r}, which is not on the list of safe ones.")
    dtype = content.get("dtype", content.get("data_type"))
    if not isinstance(dtype, str) or dtype.startswith("|O"):
        raise InputError(f"{metadata} has the data type {dtype!r}; expected plain numbers.")


def _codecs_v3(codecs: Any) -> list[Any]:
    """Return all codecs of a version 3 array, including those inside shards."""
    listed: list[Any] = []
    for codec in codecs if isinstance(codecs, list) else []:
        listed.append(codec)
        settings = codec.get("configuration") if isinstance(codec, dict) else None
        if isinstance(settings, dict):
            listed += _codecs_v3(settings.get("codecs")) + _codecs_v3(settings.get("index_codecs"))
    return listed


def _mapping(path: Path) -> dict[str, Any]:
    content = read_json(path, finite=False)
    if not isinstance(content, dict):
        raise InputError(f"{path} is not zarr metadata; expected a JSON object.")
    return content
