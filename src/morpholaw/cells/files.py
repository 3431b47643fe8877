"""Atomic writes, strict JSON, and fingerprints of data.

Data are written to a temporary file in the same folder, flushed to disk and then renamed, so that a crash, a full disk
or a cancelled job never leaves an incomplete file under the final name. If a process is killed, only the temporary file
remains, which :func:`remove_leftovers` recognises by its name: temporary names begin with a dot, unlike all names that
people can choose (:func:`morpholaw.escape.file_name`).
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

DENSEST = 1100
"""Maximum ratio at which files compress values (deflate: 1032); a header that claims more is wrong."""
_BLOCK = 1 << 20
_ASIDE = ".replaced"
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a new binary file that replaces ``path`` when the block ends without an error.

    Missing folders are created. After an error, an existing file is unchanged.

    Raises
    ------
    InputError
        If the path is a pipe or a device, such as ``/dev/stdout``, which must not be replaced by a file.
    """
    target = Path(path)
    refuse_special(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:  # a file has the name of the folder
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
        with suppress(OSError):  # the folder may be missing; report only the first error
            temporary.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def check_place(path: str | os.PathLike[str]) -> None:
    """Check early that a file can be written to a path, before the work for its contents begins.

    Raises
    ------
    InputError
        If the path is a folder, a pipe or a device, or one of its parent folders is a file.
    """
    target = Path(path)
    refuse_special(target)
    if target.is_dir():
        raise InputError(f"{target} is a folder; give the name of a file in it.")
    for folder in target.parents:
        if folder.is_file():
            raise InputError(f"{target} cannot be written: {folder} is a file and not a folder.")


def temporary_path(path: Path) -> Path:
    """Return a new temporary name beside ``path``, which cannot be a name that a person chose."""
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}.tmp")


def is_temporary(path: Path) -> bool:
    """Return whether a name was made by :func:`temporary_path`."""
    return _TEMPORARY.fullmatch(path.name) is not None


def replace_folder(source: Path, target: Path) -> None:
    """Rename a folder, replacing an existing one, and flush the rename to disk.

    If the process is killed between the two renames, the old folder is at :func:`set_aside_path`, from which
    :func:`restore_set_aside` restores it.
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
    """Return the temporary path of a folder while another one replaces it."""
    return path.with_name(f".{path.name}{_ASIDE}")


def restore_set_aside(folder: Path) -> None:
    """Restore folders in ``folder`` that were set aside and never replaced."""
    for aside in folder.glob(f".*{_ASIDE}"):
        place = aside.with_name(aside.name.removeprefix(".").removesuffix(_ASIDE))
        if place.exists():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            os.replace(aside, place)


def remove_folder(folder: Path) -> None:
    """Remove a folder; its name disappears at once, even if the process is killed during the removal."""
    gone = temporary_path(folder)
    os.replace(folder, gone)
    sync_folder(folder.parent)
    shutil.rmtree(gone, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Flush the directory so that renames in it survive a power failure."""
    if os.name != "posix":
        return
    with suppress(OSError):  # not supported by some network file systems
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_leftovers(folder: Path, older: float = 3600.0) -> None:
    """Remove temporary files below ``folder`` that killed processes left at least ``older`` seconds ago."""
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

    NumPy scalars and arrays, paths, tuples, sets (sorted) and pydantic models are converted to plain values. NaN and
    infinity, which JSON does not support, become null.
    """
    text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
    return write_bytes(path, (text + "\n").encode())


def refuse_special(path: Path) -> None:
    """Reject a pipe, device or socket in place of a file: reading it might never end, and it must not be replaced.

    Raises
    ------
    InputError
        If the path exists and is neither a file nor a folder.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # reported when the path is opened
        return
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise InputError(f"{path} is a pipe or a device and not a file.")


def read_json(path: str | os.PathLike[str], finite: bool = True) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : path
        File to read.
    finite : bool
        Reject NaN and infinity, which are not valid JSON but are written by some programs.

    Returns
    -------
    object

    Raises
    ------
    InputError
        If the file is missing, unreadable or not JSON.
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
    raise ValueError(f"{text} is not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _refuse_number(text)


def write_table(path: str | os.PathLike[str], table: pd.DataFrame) -> Path:
    """Write ``table`` as CSV without its index, atomically; missing values are empty fields.

    Text that a spreadsheet would interpret as a formula is written with a leading apostrophe.
    """
    return write_bytes(path, csv_table(table).to_csv(index=False, lineterminator="\n").encode())


def fingerprint(source: Any) -> str:
    """Return the SHA-256 of a file, a folder or an array, as 64 hexadecimal digits.

    The fingerprint of a folder covers the relative names and contents of its files. The fingerprint of an array covers
    dtype, shape and values; arrays that are not in memory (dask, zarr, memory-mapped) are read in slices of axis 0.

    Raises
    ------
    InputError
        If the file or folder does not exist.
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
    """Return the JSON counterpart of ``value``; raise TypeError if there is none."""
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
