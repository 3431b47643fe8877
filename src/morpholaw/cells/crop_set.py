"""Crop sets on disk, and several crop sets combined.

A crop set is a folder with ``images.npy`` (uint8, (n, s, s)), ``cells.csv`` (one row per crop) and ``set.json`` (how
the crops were made). It is written once, crop by crop, under a temporary name and renamed at the end, so a set is never
incomplete, and two million crops never have to fit in memory.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import weakref
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from morpholaw.cells.cells_table import COLUMNS, TEXTS, with_types
from morpholaw.cells.crop_record import CropOrigin, CropSetRecord, read_crop_record
from morpholaw.cells.crop_writer import CropWriter
from morpholaw.cells.files import read_json, refuse_special, write_json
from morpholaw.cells.normalise import Normalisation, Per
from morpholaw.cells.tracker_masks import read_masks
from morpholaw.errors import InputError, reason


class CropSet:
    """A crop set on disk. ``images`` and ``cells`` are read when first accessed; ``record`` describes the set.

    Parameters
    ----------
    folder : path
        Folder of the set.

    Raises
    ------
    InputError
        If the folder is not a crop set, is damaged, or was made by a newer version.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        self.name = self.folder.name
        self.record: CropSetRecord = read_crop_record(self.folder)
        self.size = self.record.size
        self._fingerprint: tuple[list[int], str] | None = None
        self._marks: dict[int, str] = {}
        self._marks_of: tuple[int, int, int] | None = None

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> CropSet:
        """Open the set in ``folder``; the same as ``CropSet(folder)``.

        Parameters
        ----------
        folder : path
            Folder of the set.

        Returns
        -------
        CropSet
        """
        return cls(folder)

    @classmethod
    def write(
        cls,
        folder: str | os.PathLike[str],
        images: np.ndarray | Iterable[np.ndarray],
        cells: pd.DataFrame,
        origin: CropOrigin | None = None,
        overwrite: bool = False,
    ) -> CropSet:
        """Write a crop set from images in memory, such as simulated ones.

        Parameters
        ----------
        folder : path
            Folder to create; its name is the name of the set.
        images : ndarray of uint8, shape (n, s, s), or iterable of such arrays
            Crops.
        cells : DataFrame
            One row per crop. Missing standard columns are added (see
            :func:`morpholaw.cells.cells_table.cells_table`).
        origin : CropOrigin, optional
            How the crops were made, and their scale.
        overwrite : bool
            Replace an existing set once the new one is complete.

        Returns
        -------
        CropSet

        Raises
        ------
        InputError
            If there are no crops, their number differs from the rows of the table, or the folder exists.
        """
        blocks = iter([images] if isinstance(images, np.ndarray) else images)
        first = next(blocks, None)
        if first is None or first.ndim != 3:
            raise InputError(f"There are no crops to write to {folder}; expected uint8 (n, s, s).")
        with CropWriter(folder, first.shape[-1], overwrite) as writer:
            writer.append(first)
            for block in blocks:
                writer.append(block)
            writer.finish(cells, origin or CropOrigin())
        return cls(folder)

    @cached_property
    def images(self) -> np.ndarray:
        """Crops, uint8 (n, s, s), memory-mapped and read-only."""
        path = self.folder / "images.npy"
        refuse_special(path)
        try:
            images: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # numpy parses the header with a tokenizer, which raises its own errors
            raise InputError(
                f"The crops in {path} cannot be read ({reason(error)}); the set is damaged."
            ) from None
        if images.dtype != np.uint8 or images.shape != (len(self), self.size, self.size):
            raise InputError(
                f"{path} contains {images.dtype} {images.shape}; set.json says {len(self)} of side {self.size}."
            )
        return images

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Table of cells; row i describes crop i."""
        path = self.folder / "cells.csv"
        refuse_special(path)
        try:
            cells = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str), keep_default_na=False, na_values=[""])
            cells = with_types(cells)
        except (OSError, ValueError) as error:
            raise InputError(f"The table {path} cannot be read: {reason(error)}.") from None
        missing = [name for name in COLUMNS if name not in cells]
        if missing or len(cells) != len(self):
            lacks = f" and lacks {', '.join(missing)}" if missing else ""
            raise InputError(
                f"{path} has {len(cells)} rows{lacks}; expected {len(self)} with {', '.join(COLUMNS)}."
            )
        return cells

    def masks(self, crops: np.ndarray) -> np.ndarray | None:
        """Return the tracker's masks of the central cells of some crops.

        Parameters
        ----------
        crops : ndarray of int64, shape (k,)
            Numbers of the crops in this set.

        Returns
        -------
        ndarray or None
            bool (k, s, s), all False for cells without a mask; None if the set has no masks.
        """
        return read_masks(self.folder, len(self), self.size, crops)

    def check(self) -> None:
        """Check for missing or truncated files and wrong shapes, without reading all data.

        Raises
        ------
        InputError
            If the set is damaged.
        """
        _ = self.images
        path = self.folder / "cells.csv"
        refuse_special(path)
        try:
            with path.open("rb") as stream:
                lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
        except OSError as error:
            raise InputError(f"The table {path} cannot be read: {error.strerror or error}.") from None
        if lines != len(self) + 1:  # line breaks inside text, or missing rows: read the table to find out
            _ = self.cells

    @property
    def normalisation(self) -> Normalisation | None:
        """Grey scale of the crops; None for crops that were drawn directly in [0, 1]."""
        return self.record.normalisation

    def __len__(self) -> int:
        return self.record.n

    def __repr__(self) -> str:
        return f"CropSet({self.name!r}, {len(self)} crops of {self.size} x {self.size})"

    def __reduce__(self) -> tuple[type[CropSet], tuple[Path]]:
        return CropSet, (self.folder,)  # another process maps the file instead of receiving the pixels

    def read_into(self, out: np.ndarray, rows: np.ndarray, crops: np.ndarray) -> None:
        """Read the crops numbered ``crops`` into ``out[rows]``.

        The file is read and not memory-mapped, because randomly touched pages of a map stay in memory, and an epoch
        over millions of crops would fill it.

        Parameters
        ----------
        out : ndarray of uint8, shape (n, s, s)
            Array to fill.
        rows : ndarray of int64, shape (k,)
            Positions in ``out``.
        crops : ndarray of int64, shape (k,)
            Numbers of the crops.
        """
        if not hasattr(os, "preadv"):  # Windows
            out[rows] = self.images[crops]
            return
        length, start = self.size**2, int(getattr(self.images, "offset", 0))
        breaks = np.flatnonzero((np.diff(crops) != 1) | (np.diff(rows) != 1)) + 1
        for a, b in itertools.pairwise([0, *breaks.tolist(), len(crops)]):
            if a == b:
                continue
            target = out[rows[a] : rows[a] + b - a]
            if os.preadv(self._descriptor, [target.data], start + int(crops[a]) * length) != target.nbytes:
                raise InputError(f"The crops in {self.folder / 'images.npy'} end early; the set is damaged.")

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the pixels, 16 hexadecimal digits; cached on disk until the file changes."""
        path, kept = self.folder / "images.npy", self.folder / "pixels.json"
        try:
            state = [path.stat().st_mtime_ns, path.stat().st_size]
            if self._fingerprint is not None and self._fingerprint[0] == state:
                return self._fingerprint[1]
            digest = _kept_fingerprint(kept, state)
            if digest is None:
                with path.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
                with suppress(OSError):  # without write permission, each process computes it again
                    write_json(kept, {"state": state, "digest": digest})
        except OSError as error:
            raise InputError(f"The crops in {path} cannot be read: {error.strerror or error}.") from None
        self._fingerprint = state, digest
        return digest

    def pixels_state(self) -> tuple[int, int, int]:
        """Return values that change when the file of pixels changes."""
        path = self.folder / "images.npy"
        try:
            stat = path.stat()
        except OSError as error:
            raise InputError(f"The crops in {path} cannot be read: {error.strerror or error}.") from None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def marks(self, crops: Iterable[int]) -> dict[int, str]:
        """Return the fingerprint of each crop's pixels, 16 hexadecimal digits; cached until the file changes.

        Fingerprints identify a crop even if it was moved or if another crop has taken its number.

        Parameters
        ----------
        crops : iterable of int
            Numbers of the crops.

        Returns
        -------
        dict of int to str
        """
        state = self.pixels_state()
        if state != self._marks_of:
            for name in ("images", "_descriptor"):  # cached from the previous file
                self.__dict__.pop(name, None)
            self._marks, self._marks_of = {}, state
        wanted = np.array(sorted(set(crops)), np.int64)
        unknown = wanted[[int(crop) not in self._marks for crop in wanted]] if len(wanted) else wanted
        for start in range(0, len(unknown), 1024):
            part = unknown[start : start + 1024]
            block = np.empty((len(part), self.size, self.size), np.uint8)
            self.read_into(block, np.arange(len(part)), part)
            for crop, image in zip(part.tolist(), block, strict=True):
                self._marks[crop] = hashlib.blake2b(image.data, digest_size=8).hexdigest()
        return {int(crop): self._marks[int(crop)] for crop in wanted}

    @cached_property
    def _descriptor(self) -> int:
        descriptor = os.open(self.folder / "images.npy", os.O_RDONLY)
        weakref.finalize(self, os.close, descriptor)
        return descriptor


def _kept_fingerprint(path: Path, state: list[int]) -> str | None:
    """Return the cached fingerprint of a file in this state, or None."""
    try:
        kept = read_json(path)
        return str(kept["digest"]) if kept["state"] == state else None
    except (InputError, KeyError, TypeError):
        return None


class Crops:
    """Several crop sets as one sequence: ``crops[i]``, ``crops[a:b]`` and ``crops[[i, j, ...]]``.

    Parameters
    ----------
    sets : sequence of CropSet
        Sets with the same crop size. Global indices run through them in this order.

    Attributes
    ----------
    offsets : ndarray of int64, shape (len(sets) + 1,)
        Set k has the global indices offsets[k] to offsets[k + 1] - 1.

    Raises
    ------
    InputError
        If there are no sets, or their crops differ in size or kind of grey scale.
    """

    def __init__(self, sets: Sequence[CropSet]) -> None:
        if not sets:
            raise InputError("There are no crops yet; cut some from a movie or import a folder first.")
        sizes = {crop_set.size for crop_set in sets}
        if len(sizes) > 1:
            listed = ", ".join(f"{crop_set.name}: {crop_set.size}" for crop_set in sets)
            raise InputError(f"Crop sets that are used together must have the same crop size ({listed}).")
        scales = {crop_set.name: crop_set.normalisation for crop_set in sets}
        kinds = {scale.per for scale in scales.values() if scale is not None}
        if len(kinds) > 1:
            listed = ", ".join(f"{name}: per {scale.per}" for name, scale in scales.items() if scale)
            raise InputError(f"Crop sets that are used together must have the same grey scale ({listed}).")
        self.sets = list(sets)
        self.size = sizes.pop()
        self.brightness: Per = kinds.pop() if kinds else "cell"
        self.offsets = np.cumsum([0, *(len(crop_set) for crop_set in self.sets)], dtype=np.int64)

    def __len__(self) -> int:
        return int(self.offsets[-1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape (n, s, s)."""
        return len(self), self.size, self.size

    @cached_property
    def cells(self) -> pd.DataFrame:
        """All tables, with the columns ``set`` (name of the set) and ``index`` (global index) first."""
        table = pd.concat([crop_set.cells for crop_set in self.sets], ignore_index=True)
        if "dummy" in table:
            table["dummy"] = table["dummy"] == True  # noqa: E712 (NaN in sets without the column)
        table = with_types(table)
        table.insert(0, "index", np.arange(len(self)))
        table.insert(0, "set", np.repeat([crop_set.name for crop_set in self.sets], np.diff(self.offsets)))
        return table

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return crops as uint8, (s, s) for an integer, else (k, s, s) in the requested order."""
        if isinstance(key, slice):
            key = np.arange(*key.indices(len(self)))
        wanted = np.asarray(key)
        if wanted.dtype == bool:
            if wanted.shape != (len(self),):
                raise IndexError(f"a mask needs one value for each of {len(self)} crops, not {wanted.shape}")
            wanted = np.flatnonzero(wanted)
        if wanted.size == 0:
            wanted = wanted.astype(np.int64)
        wanted = np.where(wanted < 0, wanted + len(self), wanted)
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise IndexError(f"crop index out of range for {len(self)} crops")
        return self._gather(wanted.reshape(-1)).reshape(*wanted.shape, self.size, self.size)

    def _gather(self, wanted: np.ndarray) -> np.ndarray:
        """Read crops in the order of the files, whatever the requested order, to read the disk sequentially."""
        out = np.empty((len(wanted), self.size, self.size), np.uint8)
        order = np.argsort(wanted, kind="stable")
        ends = np.searchsorted(wanted[order], self.offsets)
        for k, crop_set in enumerate(self.sets):
            rows = order[ends[k] : ends[k + 1]]
            crop_set.read_into(out, rows, wanted[rows] - self.offsets[k])
        return out

    def masks(self, indices: np.ndarray) -> np.ndarray:
        """Return the tracker's masks of the central cells of some crops.

        Parameters
        ----------
        indices : ndarray of int64, shape (k,)
            Global indices of the crops.

        Returns
        -------
        ndarray of bool, shape (k, s, s)
            All False for cells without a mask.
        """
        wanted = np.asarray(indices, np.int64)
        masks = np.zeros((len(wanted), self.size, self.size), bool)
        numbers = np.searchsorted(self.offsets, wanted, side="right") - 1
        for k in np.unique(numbers):
            rows = np.flatnonzero(numbers == k)
            of_set = self.sets[k].masks(wanted[rows] - self.offsets[k])
            if of_set is not None:
                masks[rows] = of_set
        return masks

    def batches(
        self, indices: np.ndarray | None = None, size: int = 256
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield global indices (k,) and crops uint8 (k, s, s), k <= size, for ``indices`` or all crops."""
        wanted = np.arange(len(self)) if indices is None else np.asarray(indices, dtype=np.int64)
        for start in range(0, len(wanted), size):
            part = wanted[start : start + size]
            yield part, self[part]
