"""Decompressors for zarr chunks that stop at the maximum size of a chunk.

A chunk of a few kilobytes can claim, or expand to, many gigabytes. Each compressor of an array is wrapped: the size
stated in its data is checked before decoding, and without a stated size the data is decoded into a bounded buffer.
"""

from __future__ import annotations

import asyncio
import bz2
import lzma
import zlib
from dataclasses import dataclass, replace
from typing import Any

import numcodecs.abc
import numpy as np
from zarr.abc.codec import BytesBytesCodec, Codec
from zarr.core.array_spec import ArraySpec
from zarr.core.buffer import Buffer

COMPRESSORS = frozenset(("blosc", "zlib", "gzip", "bz2", "lzma", "lz4", "zstd"))
_SLACK = 2**16
"""Number of bytes that checksums and lengths may add to a chunk."""
_LZMA_MEMORY = 2**28
"""Maximum size in bytes of LZMA's dictionary."""
_TEXT_CHUNK = 2**26
"""Maximum size in bytes of a chunk of text, which does not follow from its shape."""


def decode_at_most(kind: str, data: bytes, limit: int) -> bytes | None:
    """Decompress data to at most ``limit`` bytes.

    Parameters
    ----------
    kind : str
        Compressor, one of ``COMPRESSORS``.
    data : bytes
        Compressed data.
    limit : int
        Maximum number of bytes of the result.

    Returns
    -------
    bytes or None
        None if the data states its size in a way that its decoder can rely on, and that size is within the limit.

    Raises
    ------
    ValueError
        If the result is larger, or the data is damaged.
    """
    if kind in ("zlib", "gzip"):
        return _streamed(lambda: zlib.decompressobj(wbits=47), data, limit)
    if kind == "bz2":
        return _streamed(bz2.BZ2Decompressor, data, limit)
    if kind == "lzma":
        return _streamed(lambda: lzma.LZMADecompressor(memlimit=_LZMA_MEMORY), data, limit)
    if kind == "zstd" and (size := _zstd_size(data)) is None:
        import imagecodecs

        return bytes(imagecodecs.zstd_decode(data, out=limit))
    if kind == "zstd":
        stated = size
    else:
        at = 4 if kind == "blosc" else 0
        stated = int.from_bytes(data[at : at + 4], "little", signed=kind == "lz4")
    if not 0 <= (stated or 0) <= limit:
        raise _too_large(limit)
    return None


def _streamed(make: Any, data: bytes, limit: int) -> bytes:
    """Decode one or several members of a stream to at most ``limit`` bytes."""
    parts: list[bytes] = []
    room = limit
    while data:
        decoder = make()
        part = decoder.decompress(data, room + 1)
        room -= len(part)
        if room < 0:
            raise _too_large(limit)
        if not decoder.eof:
            raise ValueError("the compressed data is incomplete")
        parts.append(part)
        data = decoder.unused_data
        if not data.strip(b"\0"):
            break
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _zstd_size(data: bytes) -> int | None:
    """Return the size stated in a zstd frame, or None."""
    if len(data) < 6 or data[:4] != b"\x28\xb5\x2f\xfd":
        return 0  # not a frame; the decoder reports it
    descriptor = data[4]
    single, kind = bool(descriptor & 0x20), descriptor >> 6
    if kind == 0 and not single:
        return None
    at = 5 + (not single) + (0, 1, 2, 4)[descriptor & 3]
    width = (1, 2, 4, 8)[kind]
    return int.from_bytes(data[at : at + width], "little") + (256 if kind == 1 else 0)


def _too_large(limit: int) -> ValueError:
    return ValueError(f"a chunk expands to more than its maximum of {limit} bytes")


class BoundedCodec(numcodecs.abc.Codec):  # type: ignore[misc]  # numcodecs has no types
    """A compressor of zarr version 2 that decodes at most ``limit`` bytes."""

    codec_id = "morpholaw_bounded"

    def __init__(self, inner: Any, limit: int) -> None:
        self.inner, self.limit = inner, limit

    def encode(self, buf: Any) -> Any:
        """Raise an error, because arrays are only read."""
        return self.inner.encode(buf)

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Decode one chunk."""
        result = decode_at_most(self.inner.codec_id, bytes(buf), self.limit)
        if result is None:
            return self.inner.decode(buf, out)
        if out is None:
            return result
        np.asarray(out).view(np.uint8).reshape(-1)[: len(result)] = np.frombuffer(result, np.uint8)
        return out


@dataclass(frozen=True)
class BoundedBytes(BytesBytesCodec):
    """A compressor of zarr version 3 that decodes at most the size of a chunk."""

    inner: Any
    kind: str
    is_fixed_size = False

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: ArraySpec) -> int:
        """Return the size that the compressor states."""
        return int(self.inner.compute_encoded_size(input_byte_length, chunk_spec))

    async def _decode_single(self, chunk_bytes: Buffer, chunk_spec: ArraySpec) -> Buffer:
        limit = _chunk_limit(chunk_spec)
        result = await asyncio.to_thread(decode_at_most, self.kind, chunk_bytes.to_bytes(), limit)
        if result is not None:
            return chunk_spec.prototype.buffer.from_bytes(result)
        decoded: Buffer = await self.inner._decode_single(chunk_bytes, chunk_spec)
        return decoded


def _chunk_limit(spec: ArraySpec) -> int:
    itemsize = getattr(spec.dtype, "item_size", None) or getattr(spec.dtype.to_native_dtype(), "itemsize", 0)
    if not itemsize or spec.dtype.to_native_dtype().kind in "OTS":
        return _TEXT_CHUNK
    return int(np.prod(spec.shape, dtype=object)) * int(itemsize) * 8 + _SLACK


def bounded_v2(codec: Any, chunk_bytes: int) -> Any:
    """Wrap a compressor of version 2; other codecs, which preserve the size, are returned unchanged."""
    if codec is None or codec.codec_id not in COMPRESSORS:
        return codec
    return BoundedCodec(codec, 8 * chunk_bytes + _SLACK)


def bounded_v3(codecs: tuple[Codec, ...]) -> tuple[Codec, ...]:
    """Wrap the compressors of version 3, including those inside shards."""
    wrapped: list[Codec] = []
    for codec in codecs:
        inner = getattr(codec, "codecs", None)
        kind = _kind(codec)
        if inner is not None:
            shard: Any = codec
            wrapped.append(replace(shard, codecs=bounded_v3(tuple(inner))))
        elif kind in COMPRESSORS:
            wrapped.append(BoundedBytes(codec, kind))
        else:
            wrapped.append(codec)
    return tuple(wrapped)


def _kind(codec: Any) -> str:
    return str(codec.to_dict().get("name", "")).removeprefix("numcodecs.")
