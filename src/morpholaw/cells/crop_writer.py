"""Write a crop set, crop by crop: a set is whole or absent, and two million crops never sit in memory."""

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

_HEADER = 4096  # bytes before the first crop: a 64 x 64 crop is then exactly one page of memory


class CropWriter:
    """Writer of a crop set whose crops arrive in parts; nothing appears under its name until :meth:`finish`.

    Parameters
    ----------
    folder : path
        Where the set will be; its name is the set's name.
    size : int
        Side of a crop, in pixels.
    overwrite : bool
        Replace a set that is already there, at the moment the new one is whole.

    Raises
    ------
    InputError
        When ``folder`` exists and is not to be replaced.
    """

    def __init__(self, folder: str | os.PathLike[str], size: int, overwrite: bool = False) -> None:
        self.folder = Path(folder)
        self.size = size
        self.count = 0
        self._overwrite = overwrite
        if self.folder.exists() and not overwrite:
            raise InputError(
                f"There is already something at {self.folder}; choose another name or remove it."
            )
        self.partial = temporary_path(self.folder)
        self.partial.mkdir(parents=True)
        try:
            self._file = (self.partial / "images.npy").open("wb")
            self._file.write(_npy_header(0, size))
        except BaseException:
            shutil.rmtree(self.partial, ignore_errors=True)
            raise

    def append(self, images: np.ndarray) -> None:
        """Add crops, uint8 (k, s, s), at the end."""
        if images.dtype != np.uint8 or images.ndim != 3 or images.shape[1:] != (self.size, self.size):
            raise InputError(
                f"Crops for {self.folder} are {images.dtype} {images.shape}; "
                f"expected uint8 (n, {self.size}, {self.size})."
            )
        self._file.write(np.ascontiguousarray(images).data)
        self.count += len(images)

    def add_masks(self, blocks: Iterator[np.ndarray]) -> None:
        """Keep which pixels are the cells' own, bool blocks (k, s, s) of all crops that were added, in their order."""
        with (self.partial / MASKS).open("wb") as stream:
            stream.write(_npy_header(self.count, self.size, self.size // 8))
            for block in packed(blocks):
                stream.write(np.ascontiguousarray(block).data)
            stream.flush()
            os.fsync(stream.fileno())

    def finish(self, cells: pd.DataFrame, origin: CropOrigin) -> None:
        """Write the table and the description, and give the folder its name."""
        if len(cells) != self.count:
            raise InputError(f"{self.folder} got {self.count} crops and a table of {len(cells)} cells.")
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
        """Remove what was written."""
        with suppress(OSError):  # on a full disk, closing fails too
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
    """Write the table of a crop set exactly as it is; tables for people go through ``write_table``."""
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
