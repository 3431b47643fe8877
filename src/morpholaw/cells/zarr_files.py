"""zarr folders somebody sent, opened so that reading them can run no code.

zarr's codecs are named by the file, and one of numcodecs' codecs is pickle. So the metadata is read as JSON
first, and an array is handed to zarr only if its codecs and its data type are on the list below.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from morpholaw.cells.files import read_json
from morpholaw.errors import InputError, reason

_METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_CODECS = {
    *("blosc", "zlib", "gzip", "bz2", "lzma", "lz4", "zstd", "bytes", "transpose", "sharding_indexed"),
    *("crc32", "crc32c", "adler32", "fletcher32", "shuffle", "delta", "bitround", "packbits", "quantize"),
    *("fixedscaleoffset", "scale_offset", "cast_value", "vlen-utf8"),
}
_MAX_CHUNK = 2**31  # bytes


def is_zarr(path: Path) -> bool:
    """Whether ``path`` is a folder that holds a zarr array or group (version 2 or 3)."""
    return path.is_dir() and any((path / name).is_file() for name in _METADATA)


def is_array(path: Path) -> bool:
    """Whether ``path`` is a zarr array, not a group."""
    if (path / ".zarray").is_file():
        return True
    return (path / "zarr.json").is_file() and _mapping(path / "zarr.json").get("node_type") == "array"


def attributes(path: Path) -> dict[str, Any]:
    """The user attributes of a zarr array or group."""
    if (path / "zarr.json").is_file():
        found = _mapping(path / "zarr.json").get("attributes", {})
    else:
        found = _mapping(path / ".zattrs") if (path / ".zattrs").is_file() else {}
    return found if isinstance(found, dict) else {}


def inside(root: Path, name: object, where: str) -> Path:
    """The node ``name`` under ``root``; refuses names that lead out of it."""
    parts = str(name).replace("\\", "/").strip("/").split("/")
    if ".." in parts or os.path.isabs(str(name)):
        raise InputError(f"{where} names the array {name!r}, which is outside the folder.")
    return root.joinpath(*parts)


def open_array_at(path: Path) -> Any:
    """Open the zarr array in the folder ``path``, read-only.

    Raises
    ------
    InputError
        There is no array, it is damaged, or it uses a codec or a data type that is not allowed.
    """
    import zarr

    metadata = next((path / name for name in ("zarr.json", ".zarray") if (path / name).is_file()), None)
    if metadata is None:
        raise InputError(f"{path} is not a zarr array: it has no zarr.json or .zarray.")
    content = _mapping(metadata)
    _check_codecs(content, metadata)
    try:
        array = zarr.open_array(path, mode="r")
    except Exception as error:
        raise InputError(
            f"{metadata} does not describe a zarr array that can be read: {reason(error)}."
        ) from error
    if _count(array.chunks) * array.dtype.itemsize > _MAX_CHUNK:
        raise InputError(f"{metadata} claims chunks of {array.chunks} values, more than can be read.")
    return array


def read_array(path: Path) -> np.ndarray:
    """Read a whole zarr array; refuses one that claims more than 2^31 bytes."""
    array = open_array_at(path)
    if _count(array.shape) * array.dtype.itemsize > _MAX_CHUNK:
        raise InputError(f"{path} claims {_count(array.shape)} values, more than can be read.")
    try:
        return np.asarray(array[...])
    except Exception as error:
        raise InputError(f"{path} cannot be read: {reason(error)}.") from error


def _count(shape: tuple[int, ...]) -> int:
    """Values in an array, exact however many it claims; zarr's own ``size`` fails where there are no axes."""
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
        raise InputError(f"{metadata} has the data type {dtype!r}, but plain numbers were expected.")


def _codecs_v3(codecs: Any) -> list[Any]:
    """Every codec of a version 3 array, those inside shards included."""
    found: list[Any] = []
    for codec in codecs if isinstance(codecs, list) else []:
        found.append(codec)
        settings = codec.get("configuration") if isinstance(codec, dict) else None
        if isinstance(settings, dict):
            found += _codecs_v3(settings.get("codecs")) + _codecs_v3(settings.get("index_codecs"))
    return found


def _mapping(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict):
        raise InputError(f"{path} is not zarr metadata: a JSON object was expected.")
    return content
