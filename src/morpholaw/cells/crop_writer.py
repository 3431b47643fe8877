"""Writing of crop sets, crop by crop: a set is never incomplete, and two million crops need not fit in memory."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import numpy as np
import pandas as pd

from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_record import CropOrigin, complete_record, write_crop_record
from morpholaw.cells.files import atomic_file, replace_folder, sync_folder, temporary_path
from morpholaw.cells.tracker_masks import FILE as MASKS
from morpholaw.cells.tracker_masks import packed
from morpholaw.errors import InputError

_HEADER = 4096  # bytes before the first crop, so that a crop of 64 x 64 is exactly one page of memory


class CropWriter:
    """Writer of a crop set whose crops arrive in parts; the set appears when :meth:`finish` is called.

    Parameters
    ----------
    folder : path
        Folder to create; its name is the name of the set.
    size : int
        Side length of a crop, in pixels.
    overwrite : bool
        Replace an existing set once the new one is complete.

    Raises
    ------
    InputError
        If ``folder`` exists and ``overwrite`` is False.
    """

    def __init__(self, folder: str | os.PathLike[str], size: int, overwrite: bool = False) -> None:
        self.folder = Path(folder)
        self.size = size
        self.count = 0
        self._overwrite = overwrite
        if self.folder.exists() and not overwrite:
            raise InputError(f"{self.folder} already exists; choose another name or remove it.")
        self.partial = temporary_path(self.folder)
        self.partial.mkdir(parents=True)
        try:
            self._file = (self.partial / "images.npy").open("wb")
            self._file.write(_npy_header(0, size))
        except BaseException:
            shutil.rmtree(self.partial, ignore_errors=True)
            raise

    def append(self, images: np.ndarray) -> None:
        """Append crops, uint8 (k, s, s)."""
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (self.size, self.size):
            raise InputError(
                f"Crops for {self.folder} are {images.dtype} {images.shape}; "
                f"expected uint8 (n, {self.size}, {self.size})."
            )
        self._file.write(np.ascontiguousarray(images).data)
        self.count += len(images)

    def add_masks(self, blocks: Iterator[np.ndarray]) -> None:
        """Store the masks of the central cells, bool blocks (k, s, s), of all crops in the order of their addition."""
        with (self.partial / MASKS).open("wb") as stream:
            stream.write(_npy_header(self.count, self.size, self.size // 8))
            for block in packed(blocks):
                stream.write(np.ascontiguousarray(block).data)
            stream.flush()
            os.fsync(stream.fileno())

    def finish(self, cells: pd.DataFrame, origin: CropOrigin) -> None:
        """Write the table and the record, and rename the folder."""
        if len(cells) != self.count:
            raise InputError(f"{self.folder} got {self.count} crops but a table of {len(cells)} cells.")
        self._file.seek(0)
        self._file.write(_npy_header(self.count, self.size))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        known = cells_table(self.count, **{str(name): cells[name].to_numpy() for name in cells.columns})
        known["crop"] = np.arange(self.count)
        write_cells(self.partial, known)
        write_crop_record(self.partial, complete_record(origin, self.count, self.size))
        if self._overwrite:
            replace_folder(self.partial, self.folder)
        else:
            os.replace(self.partial, self.folder)
            sync_folder(self.folder.parent)

    def discard(self) -> None:
        """Remove everything that was written."""
        with suppress(OSError):  # closing fails too on a full disk
            self._file.close()
        shutil.rmtree(self.partial, ignore_errors=True)

    def __enter__(self) -> CropWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.partial.exists():
            self.discard()


def write_cells(folder: Path, cells: pd.DataFrame) -> None:
    """Write the table of a crop set unchanged; tables for people are written by ``write_table``."""
    with atomic_file(folder / "cells.csv") as stream:
        cells.to_csv(stream, index=False, lineterminator="\n", mode="wb", encoding="utf-8")


def _npy_header(n: int, size: int, width: int | None = None) -> bytes:
    """Return an npy header of fixed length, so that the number of crops can be filled in at the end."""
    description = {"descr": "|u1", "fortran_order": False, "shape": (n, size, width or size)}
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, cast(Any, description))
    header = stream.getvalue()
    text = header[10:].rstrip(b"\n ").ljust(_HEADER - 11) + b"\n"
    return header[:8] + len(text).to_bytes(2, "little") + text
