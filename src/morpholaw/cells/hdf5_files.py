"""Safe reading of HDF5 files from others: no links to other files, and no more memory than the data can need.

HDF5 follows links into other files, and its deflate filter inflates chunks to any size, whatever their declared size.
Therefore every step of a path must be an ordinary member of the file, and compressed chunks are first inflated here up
to the size that they may have.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from morpholaw.cells.files import DENSEST
from morpholaw.errors import InputError

if TYPE_CHECKING:
    import h5py

_SMALL = 2**26
"""Size in bytes that every data set and chunk may have."""
_MOST_CHUNKS = 100_000
_SLACK = 2**16
"""Number of bytes by which compression may enlarge a chunk."""
_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF = 1, 2, 3, 32000
_KNOWN_FILTERS = {_DEFLATE, _SHUFFLE, _FLETCHER32, _LZF}
_BLOCK = 2**20


def member(group: h5py.Group, name: str, path: Path) -> Any:
    """Return a member of a group.

    Raises
    ------
    InputError
        If it is a link, to another file or within this one.
    KeyError
        If there is no such member.
    """
    import h5py

    link = group.get(name, getlink=True)
    if link is None:
        raise KeyError(f"there is no {name}")
    if not isinstance(link, h5py.HardLink):
        raise InputError(
            f"{path} has a link in place of {name}, perhaps to another file; links are not followed."
        )
    return group[name]


def check_data(data: Any, name: str, path: Path, frames: range | None = None) -> None:
    """Check that a data set is inside the file and does not need far more memory than it declares.

    Parameters
    ----------
    data : h5py.Dataset
        Data set to check.
    name : str
        Its name in the file, for messages.
    path : path
        The file, for messages.
    frames : range, optional
        Indices of the first axis that will be read; by default all.

    Raises
    ------
    InputError
        If the data set cannot be read safely.
    """
    if data.external or data.is_virtual:
        raise InputError(f"{path} stores the values of {name} in another file, which is not read.")
    # A header can claim values that are not in the file.
    if data.nbytes > max(_SMALL, DENSEST * data.id.get_storage_size()):
        raise InputError(f"{path} claims {data.size} values in {name}, more than the file contains.")
    if data.chunks is None:
        return
    size = int(np.prod(data.chunks, dtype=object)) * data.dtype.itemsize
    if size > max(_SMALL, 4 * data.nbytes):
        raise InputError(
            f"{path} claims chunks of {size} bytes in {name}, which has {data.nbytes}; its header is wrong."
        )
    filters = _filters(data, name, path)
    compressed = [place for place, code in enumerate(filters) if code in (_DEFLATE, _LZF)]
    if not compressed:
        return
    for offset, stored in _chunks(data, name, path):
        if frames is not None and not frames.start - data.chunks[0] < offset[0] < frames.stop:
            continue
        if stored > size + _SLACK:
            raise InputError(
                f"{path} has a chunk of {name} with {stored} bytes, more than possible; the file is damaged."
            )
        if _DEFLATE in filters:  # lzf expands a byte to at most 90
            mask, content = data.id.read_direct_chunk(offset)
            if not mask >> compressed[0] & 1:  # otherwise this chunk is not compressed
                _check_inflated(bytes(content), size + _SLACK, f"{path} has a chunk of {name}")


def _filters(data: Any, name: str, path: Path) -> list[int]:
    creation = data.id.get_create_plist()
    codes = [int(creation.get_filter(i)[0]) for i in range(creation.get_nfilters())]
    if unknown := [code for code in codes if code not in _KNOWN_FILTERS]:
        raise InputError(f"{path} stores {name} with HDF5 filter {unknown[0]}, which is not supported.")
    compressed = [place for place, code in enumerate(codes) if code in (_DEFLATE, _LZF)]
    if len(compressed) > 1 or (compressed and _SHUFFLE in codes[compressed[0] :]):
        raise InputError(
            f"{path} stores {name} compressed twice, or shuffled after compression, which is invalid."
        )
    return codes


def _chunks(data: Any, name: str, path: Path) -> list[tuple[tuple[int, ...], int]]:
    """Return the offset and the stored bytes of each chunk."""
    if data.id.get_num_chunks() > _MOST_CHUNKS:
        raise InputError(
            f"{path} stores {name} in {data.id.get_num_chunks()} chunks, which would take minutes to read; save it "
            "with larger chunks."
        )
    chunks: list[tuple[tuple[int, ...], int]] = []
    data.id.chunk_iter(lambda chunk: chunks.append((tuple(chunk.chunk_offset), int(chunk.size))))
    return chunks


def _check_inflated(content: bytes, limit: int, what: str) -> None:
    """Inflate a chunk piece by piece, and reject it if it exceeds ``limit`` bytes."""
    inflate, room = zlib.decompressobj(), limit
    while content and not inflate.eof:
        try:
            room -= len(inflate.decompress(content, _BLOCK))
        except zlib.error as error:
            raise InputError(f"{what} that cannot be read ({error}); the file is damaged.") from None
        if room < 0:
            raise InputError(f"{what} that expands to more than its {limit} bytes; the file is damaged.")
        content = inflate.unconsumed_tail
