"""Files that are either whole or absent: atomic writes, strict JSON, and fingerprints of data.

A write goes to a temporary file beside its target, is flushed to the disk and then renamed over it, so
that a crash, a full disk or a cancelled job never leaves half a file under the real name. A process that is
killed in between leaves only the temporary file, which :func:`remove_leftovers` finds by its name. Temporary names
begin with a dot, which no name does that a person gives (:func:`morpholaw.escape.file_name`).
"""

from __future__ import annotations

import errno
import hashlib
import json
import math
import os
import re
import shutil
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import uuid4

import numpy as np

from morpholaw.errors import InputError, reason
from morpholaw.escape import csv_table

if TYPE_CHECKING:
    import pandas as pd

_BLOCK = 1 << 20
_ASIDE = ".replaced"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new binary file that takes the place of ``path`` when the block ends without an error.

    Folders on the way are made. After an error the old file, if there was one, is untouched.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # a file is where the folder would be
        code = errno.ENOTDIR
        raise NotADirectoryError(code, os.strerror(code), str(target.parent)) from None
    temporary = temporary_path(target)
    try:
        with temporary.open("xb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):  # the folder may be gone; the first error is the one to tell
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def check_place(path: str | os.PathLike[str]) -> None:
    """Refuse a place where no file can be written, before hours are spent on what is to be in it.

    Raises
    ------
    InputError
        It is a folder, or a file is in the place of one of its folders.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder; give the name of a file in it.")
    for folder in target.parents:
        if folder.is_file():
            raise InputError(f"{target} cannot be written: {folder} is a file and no folder.")


def temporary_path(path: Path) -> Path:
    """Return a new temporary name beside ``path`` that no name which a person gives can be."""
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")


def is_temporary(path: Path) -> bool:
    """Whether :func:`temporary_path` made this name."""
    return _TEMPORARY.fullmatch(path.name) is not None


def replace_folder(source: Path, target: Path) -> None:
    """Rename a folder, also over one that is there, and flush the rename to the disk.

    A kill between the two renames leaves the old folder under :func:`set_aside_path`, which
    :func:`restore_set_aside` finds.
    """
    aside = set_aside_path(target)
    shutil.rmtree(aside, ignore_errors=True)
    if target.exists():
        os.replace(target, aside)
    try:
        os.replace(source, target)
    except BaseException:
        if aside.exists():
            os.replace(aside, target)
        raise
    sync_folder(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def set_aside_path(path: Path) -> Path:
    """Return where a folder is while another takes its place."""
    return path.with_name(f".{path.name}{_ASIDE}")


def restore_set_aside(folder: Path) -> None:
    """Give folders in ``folder`` that were set aside, and whose successor never came, their names again."""
    for aside in folder.glob(f".*{_ASIDE}"):
        place = aside.with_name(aside.name.removeprefix(".").removesuffix(_ASIDE))
        if place.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.replace(aside, place)


def remove_folder(folder: Path) -> None:
    """Remove a folder: it is gone under its name at once, also where a kill cuts the removal short."""
    gone = temporary_path(folder)
    os.replace(folder, gone)
    sync_folder(folder.parent)
    shutil.rmtree(gone, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush the directory ``folder``, so that renames in it survive a power failure."""
    if os.name != "posix":
        return
    with suppress(OSError):  # some network file systems cannot
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path, older: float = 3600.0) -> None:
    """Remove the temporary files of killed writes below ``folder`` that nobody touched for ``older`` seconds."""
    for path in list(folder.rglob(".*.tmp")):
        with suppress(OSError):
            if _TEMPORARY.fullmatch(path.name) and time.time() - path.stat().st_mtime >= older:
                if path.is_dir():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def write_bytes(path: str | os.PathLike[str], data: bytes) -> Path:
    """Write ``data`` to ``path`` atomically and return the path."""
    with atomic_file(path) as handle:
        handle.write(data)
    return Path(path)


def write_json(path: str | os.PathLike[str], value: Any) -> Path:
    """Write ``value`` as indented UTF-8 JSON, atomically, and return the path.

    numpy scalars and arrays, paths, tuples, sets (sorted) and pydantic models are written as their plain
    counterparts; NaN and infinities, which JSON does not have, as null.
    """
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    return write_bytes(path, (text + "\n").encode())


def refuse_special(path: Path) -> None:
    """Refuse a pipe, a device or a socket in the place of a file: reading it might never end.

    Raises
    ------
    InputError
        The path is there, and is neither a file nor a folder.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # whoever opens it says why
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path} is a pipe or a device and not a file.")


def read_json(path: str | os.PathLike[str], finite: bool = True) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : path
        The file.
    finite : bool
        Refuse NaN and infinities, which JSON does not have and other programs write all the same.

    Raises
    ------
    InputError
        The file is missing, unreadable or not JSON.
    """
    path = Path(path)
    refuse_special(path)
    rules: dict[str, Any] = {"parse_constant": _refuse_number, "parse_float": _finite} if finite else {}
    try:
        return json.loads(path.read_bytes(), **rules)
    except FileNotFoundError:
        raise InputError(f"There is no file {path}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not a valid JSON file: {reason(error)}.") from error


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse_number(text)


@contextmanager
def described(folder: Path | str) -> Iterator[None]:
    """Around code that takes a description's values apart: what they lack becomes one sentence.

    Raises
    ------
    InputError
        When a value is missing, or is of another kind.
    """
    try:
        yield
    except InputError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise InputError(
            f"The model in {folder} is not described in full ({reason(error)}); the bundle is damaged."
        ) from None


def write_table(path: str | os.PathLike[str], table: pd.DataFrame) -> Path:
    """Write ``table`` as CSV without its index, atomically; missing values are empty fields.

    A text that a spreadsheet would run as a formula is written with an apostrophe before it.
    """
    return write_bytes(path, csv_table(table).to_csv(index=False, lineterminator="\n").encode())


def fingerprint(source: Any) -> str:
    """SHA-256 of a file's bytes, of every file in a folder, or of an array, as 64 hexadecimal digits.

    A folder's fingerprint covers the relative names and the contents. An array's covers dtype, shape and
    values; an array that is not in memory (dask, zarr, memory-mapped) is read slice by slice of axis 0.

    Raises
    ------
    InputError
        There is no such file or folder.
    """
    digest = hashlib.sha256()
    if isinstance(source, (str, os.PathLike)):
        _digest_path(Path(source), digest)
    else:
        _digest_array(source, digest)
    return digest.hexdigest()


def _digest_path(path: Path, digest: hashlib._Hash) -> None:
    if path.is_dir():
        for file in sorted(p for p in path.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
            _digest_path(file, digest)
        return
    try:
        with path.open("rb") as handle:
            while block := handle.read(_BLOCK):
                digest.update(block)
    except FileNotFoundError:
        raise InputError(f"There is no file or folder {path}.") from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error


def _digest_array(array: Any, digest: hashlib._Hash) -> None:
    array = array if hasattr(array, "shape") and hasattr(array, "dtype") else np.asarray(array)
    digest.update(f"{np.dtype(array.dtype).str}{tuple(array.shape)}".encode())
    slices = (array[i] for i in range(array.shape[0])) if len(array.shape) > 1 else (array[...],)
    for part in slices:
        digest.update(np.ascontiguousarray(np.asarray(part)).data)


def plain(value: Any) -> Any:
    """Return the JSON counterpart of ``value``; raises TypeError where there is none."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return [plain(item) for item in sorted(value)]
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    raise TypeError(f"{type(value).__name__} has no JSON counterpart")
