"""Crops on disk: one memory-mapped array, one table of cells, one description; any number of them as one.

A crop set is a folder with ``images.npy`` (uint8, (n, s, s)), ``cells.csv`` (one row a crop) and ``set.json``
(how they were made). It is written once, crop by crop, into a folder of another name that takes its final
name at the end: a set is whole or absent, and two million crops never sit in memory.
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
from morpholaw.cells.files import read_json, write_json
from morpholaw.cells.normalise import Normalisation, Per
from morpholaw.cells.tracker_masks import read_masks
from morpholaw.errors import InputError, reason


class CropSet:
    """A crop set on disk: ``images`` and ``cells``, each read when first asked for, and its ``record``.

    Raises
    ------
    InputError
        When the folder is not a crop set, is damaged, or was made by a newer version.
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
        """Return the set in ``folder``: the same as ``CropSet(folder)``.

        Parameters
        ----------
        folder : path
            The set's folder.
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
        """Write crops that are at hand, e.g. the simulator's.

        Parameters
        ----------
        folder : path
            Where the set will be; its name is the set's name.
        images : ndarray, uint8 (n, s, s), or an iterable of such blocks
        cells : DataFrame
            One row a crop; standard columns that are missing are filled (see
            :func:`morpholaw.cells.cells_table.cells_table`).
        origin : CropOrigin, optional
            How the crops were made, and their scale.
        overwrite : bool
            Replace a set that is already there, at the moment the new one is whole.

        Returns
        -------
        CropSet

        Raises
        ------
        InputError
            When there are no crops, their number is not the table's, or the folder is taken.
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
        """The crops, uint8 (n, s, s), memory-mapped and read-only."""
        path = self.folder / "images.npy"
        try:
            images: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except Exception as error:  # numpy reads the header with a tokenizer, which has errors of its own
            raise InputError(
                f"The crops in {path} cannot be read ({reason(error)}); the set is damaged."
            ) from None
        if images.dtype != np.uint8 or images.shape != (len(self), self.size, self.size):
            raise InputError(
                f"{path} holds {images.dtype} {images.shape}; set.json says {len(self)} of side {self.size}."
            )
        return images

    @cached_property
    def cells(self) -> pd.DataFrame:
        """The table of cells; row i is about crop i."""
        path = self.folder / "cells.csv"
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
        """Return which pixels of some crops are the cell's own by the tracker.

        Parameters
        ----------
        crops : ndarray, int64 (k,)
            Numbers of the crops in this set.

        Returns
        -------
        ndarray or None
            bool (k, s, s), all False where it has no mask of a cell; None where the set has none at all.
        """
        return read_masks(self.folder, len(self), self.size, crops)

    def check(self) -> None:
        """Look for damage that can be seen without reading all: files that are missing, short or of another shape.

        Raises
        ------
        InputError
            When the set is damaged.
        """
        _ = self.images
        path = self.folder / "cells.csv"
        try:
            with path.open("rb") as stream:
                lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
        except OSError as error:
            raise InputError(f"The table {path} cannot be read: {error.strerror or error}.") from None
        if lines != len(self) + 1:  # line ends within texts, or rows that are missing: reading tells
            _ = self.cells

    @property
    def normalisation(self) -> Normalisation | None:
        """The grey scale of the crops, or None for a set that has none (drawn in [0, 1] directly)."""
        return self.record.normalisation

    def __len__(self) -> int:
        return self.record.n

    def __repr__(self) -> str:
        return f"CropSet({self.name!r}, {len(self)} crops of {self.size} x {self.size})"

    def __reduce__(self) -> tuple[type[CropSet], tuple[Path]]:
        return CropSet, (self.folder,)  # another process maps the file itself instead of getting the pixels

    def read_into(self, out: np.ndarray, rows: np.ndarray, crops: np.ndarray) -> None:
        """Read the crops numbered ``crops`` (k,) into ``out[rows]``, uint8 (n, s, s).

        The file is read, not mapped: pages of a map that are touched at random stay resident, so that an
        epoch over millions of crops would come to occupy the memory of all of them.

        Parameters
        ----------
        out : ndarray, uint8 (n, s, s)
            What they are read into.
        rows : ndarray, int64 (k,)
            Places in ``out``.
        crops : ndarray, int64 (k,)
            Numbers of crops.
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
        """Fingerprint of the pixels, 16 hexadecimal digits; kept beside them until the file changes."""
        path, kept = self.folder / "images.npy", self.folder / "pixels.json"
        try:
            state = [path.stat().st_mtime_ns, path.stat().st_size]
            if self._fingerprint is not None and self._fingerprint[0] == state:
                return self._fingerprint[1]
            digest = _kept_fingerprint(kept, state)
            if digest is None:
                with path.open("rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()[:16]
                with suppress(OSError):  # a study that may only be read is read anew in each process
                    write_json(kept, {"state": state, "digest": digest})
        except OSError as error:
            raise InputError(f"The crops in {path} cannot be read: {error.strerror or error}.") from None
        self._fingerprint = state, digest
        return digest

    def pixels_state(self) -> tuple[int, int, int]:
        """Return what tells one state of the file of pixels from the next."""
        path = self.folder / "images.npy"
        try:
            stat = path.stat()
        except OSError as error:
            raise InputError(f"The crops in {path} cannot be read: {error.strerror or error}.") from None
        return stat.st_ino, stat.st_mtime_ns, stat.st_size

    def marks(self, crops: Iterable[int]) -> dict[int, str]:
        """Return the fingerprint of each crop's pixels, 16 hexadecimal digits; kept until the file changes.

        By them a crop is known again, wherever it is and whatever lies at its place later.

        Parameters
        ----------
        crops : iterable of int
            Numbers of crops.
        """
        state = self.pixels_state()
        if state != self._marks_of:
            for name in ("images", "_descriptor"):  # of the file that was there before
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
    """Return the fingerprint that was kept for a file in this state; None where there is none."""
    try:
        kept = read_json(path)
        return str(kept["digest"]) if kept["state"] == state else None
    except (InputError, KeyError, TypeError):
        return None


class Crops:
    """Several crop sets as one: ``crops[i]``, ``crops[a:b]`` and ``crops[[i, j, ...]]`` read any of them.

    Parameters
    ----------
    sets : sequence of CropSet
        Sets of one crop size. Global indices run through them in this order.

    Attributes
    ----------
    offsets : ndarray, int64 (len(sets) + 1,)
        Set k holds the global indices offsets[k] to offsets[k + 1] - 1.

    Raises
    ------
    InputError
        When there is no set, or the sets' crops differ in size or kind of grey scale.
    """

    def __init__(self, sets: Sequence[CropSet]) -> None:
        if not sets:
            raise InputError("There are no crops yet; cut some from a movie or import a folder first.")
        sizes = {crop_set.size for crop_set in sets}
        if len(sizes) > 1:
            listed = ", ".join(f"{crop_set.name}: {crop_set.size}" for crop_set in sets)
            raise InputError(f"Crop sets used together must have one crop size ({listed}).")
        scales = {crop_set.name: crop_set.normalisation for crop_set in sets}
        kinds = {scale.per for scale in scales.values() if scale is not None}
        if len(kinds) > 1:
            listed = ", ".join(f"{name}: per {scale.per}" for name, scale in scales.items() if scale)
            raise InputError(f"Crop sets used together must have one kind of grey scale ({listed}).")
        self.sets = list(sets)
        self.size = sizes.pop()
        self.brightness: Per = kinds.pop() if kinds else "cell"
        self.offsets = np.cumsum([0, *(len(crop_set) for crop_set in self.sets)], dtype=np.int64)

    def __len__(self) -> int:
        return int(self.offsets[-1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n, s, s)."""
        return len(self), self.size, self.size

    @cached_property
    def cells(self) -> pd.DataFrame:
        """All tables, with ``set`` (the set's name) and ``index`` (the global index) in front."""
        table = pd.concat([crop_set.cells for crop_set in self.sets], ignore_index=True)
        if "dummy" in table:
            table["dummy"] = table["dummy"] == True  # noqa: E712 (sets without the column have NaN here)
        table = with_types(table)
        table.insert(0, "index", np.arange(len(self)))
        table.insert(0, "set", np.repeat([crop_set.name for crop_set in self.sets], np.diff(self.offsets)))
        return table

    def __getitem__(self, key: Any) -> np.ndarray:
        """Crops as uint8: (s, s) for an integer, else (k, s, s) in the order asked for."""
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
        """Read in the order of the files, whatever the order asked for: a disk is read one way."""
        out = np.empty((len(wanted), self.size, self.size), np.uint8)
        order = np.argsort(wanted, kind="stable")
        ends = np.searchsorted(wanted[order], self.offsets)
        for k, crop_set in enumerate(self.sets):
            rows = order[ends[k] : ends[k + 1]]
            crop_set.read_into(out, rows, wanted[rows] - self.offsets[k])
        return out

    def masks(self, indices: np.ndarray) -> np.ndarray:
        """Return which pixels of some crops are the cell's own by the tracker.

        Parameters
        ----------
        indices : ndarray, int64 (k,)
            Global indices of the crops.

        Returns
        -------
        ndarray, bool (k, s, s)
            All False where there is no mask of a cell.
        """
        wanted = np.asarray(indices, np.int64)
        found = np.zeros((len(wanted), self.size, self.size), bool)
        numbers = np.searchsorted(self.offsets, wanted, side="right") - 1
        for k in np.unique(numbers):
            rows = np.flatnonzero(numbers == k)
            own = self.sets[k].masks(wanted[rows] - self.offsets[k])
            if own is not None:
                found[rows] = own
        return found

    def batches(
        self, indices: np.ndarray | None = None, size: int = 256
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (global indices (k,), crops uint8 (k, s, s)), k <= size, over ``indices`` or all crops."""
        wanted = np.arange(len(self)) if indices is None else np.asarray(indices, dtype=np.int64)
        for start in range(0, len(wanted), size):
            part = wanted[start : start + size]
            yield part, self[part]
