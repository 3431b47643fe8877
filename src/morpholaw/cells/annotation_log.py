"""The annotation log: a file with one JSON object per line, to which lines are only ever appended.

Existing lines never change, so a crash or a full disk costs at most the line that was being written, and changes from
several processes are kept in the order of arrival, independently of clocks. Unreadable lines, such as one truncated by
a power failure, are skipped and counted.
"""

from __future__ import annotations

import getpass
import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, field_validator

from morpholaw.cells.files import sync_folder
from morpholaw.errors import InputError
from morpholaw.escape import one_line

SCHEMA = 2
"""Version of the file's layout. Layout 1 was a single JSON object (:mod:`morpholaw.cells.annotation_summary`)."""
_WAIT = 30.0
"""Seconds to wait for other processes that write to the file."""


class Item(NamedTuple):
    """The annotation of one crop.

    Attributes
    ----------
    set : str
        Name of the crop set.
    crop : int
        Number of the crop in the set, counted from 0.
    label : str or None
        Class of the crop, "" for none; None removes the annotation.
    mark : str
        Fingerprint of the crop's pixels; "" if unknown.
    writer : str
        Session that made the annotation; "" for the session of the record. An undo restores the previous session.
    by, at : str
        Author and time of the annotation; "" for those of the record. An undo, a copy and a new name of a class keep
        them.
    """

    set: str
    crop: int
    label: str | None
    mark: str = ""
    writer: str = ""
    by: str = ""
    at: str = ""

    @property
    def row(self) -> tuple[str | int | None, ...]:
        """The values without the empty ones at the end."""
        count = len(self)
        while count > 3 and self[count - 1] == "":
            count -= 1
        return tuple(self[:count])


class Change(BaseModel):
    """One line of the file: a change of annotations.

    Attributes
    ----------
    id : str
        Unique id.
    action : {"label", "declare", "forget"}
        Set the classes of crops, declare classes, or remove all annotations of crop sets and add new ones.
    by, at : str
        Author (user and computer) and time (UTC, ISO 8601). Only for display.
    session : str
        Process and window that wrote the line.
    items : tuple of Item
        Annotations of crops.
    classes : tuple of str
        Classes to declare.
    sets : tuple of str
        Crop sets whose annotations are removed.
    undoes : str
        Id of the change that this one undoes or redoes; "" for none.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    action: Literal["label", "declare", "forget"] = "label"
    by: str = ""
    at: str = ""
    session: str = ""
    items: tuple[Item, ...] = ()
    classes: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    undoes: str = ""

    @field_validator("items", mode="plain")
    @classmethod
    def _checked(cls, rows: Any) -> tuple[Item, ...]:
        # validated by hand, because pydantic takes seconds for a line with a hundred thousand classes
        if not isinstance(rows, (list, tuple)):
            raise ValueError("items is not a list")
        items = []
        for row in rows:
            item = (
                Item(*row) if isinstance(row, (list, tuple)) and 3 <= len(row) <= len(Item._fields) else None
            )
            if (
                item is None
                or type(item.crop) is not int
                or item.crop < 0
                or not isinstance(item.label, str | None)
                or not (isinstance(item.set, str) and all(isinstance(value, str) for value in item[3:]))
            ):
                raise ValueError("an item has no crop or no class")
            items.append(item)
        return tuple(items)


class Header(BaseModel):
    """The first line of the file.

    Attributes
    ----------
    layout : int
        Version of the layout.
    takes_over : str
        SHA-256 of the layout 1 file whose annotations are in the first change; "" if there was none.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    layout: int = Field(SCHEMA, alias="annotations")
    takes_over: str = ""


def author() -> str:
    """Return the user and the computer, for the history."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without user names
        user = "unknown"
    return one_line(f"{user}@{platform.node() or 'unknown'}")


def new_change(session: str, **values: object) -> Change:
    """Return a change with a new id and the present time."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Change.model_validate({"id": uuid4().hex, "by": author(), "at": now, "session": session, **values})


class AnnotationLog:
    """The log file, and the position up to which it has been read.

    Parameters
    ----------
    path : path
        Path of the file, which need not exist.

    Attributes
    ----------
    broken : int
        Number of unreadable lines.
    header : Header or None
        First line of the file; None before it was read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start_again()

    def _start_again(self) -> None:
        self.broken = 0
        self.header: Header | None = None
        self._inode = self._offset = 0
        self._read_any = False

    def has_been_replaced(self) -> bool:
        """Whether the file was replaced by another one, so that everything must be read again."""
        if self._offset == 0:
            return False
        try:
            stat = self.path.stat()
            replaced = stat.st_ino != self._inode or stat.st_size < self._offset
        except FileNotFoundError:
            replaced = True
        if replaced:
            self._start_again()
        return replaced

    def new_changes(self) -> Iterator[Change]:
        """Yield the changes by all processes since the last call.

        Raises
        ------
        InputError
            If the file was written by a newer version of Morpholaw.
        OSError
            If the file cannot be read.
        """
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return
        if not S_ISREG(stat.st_mode):  # reading a pipe would never end
            raise InputError(f"The annotations {self.path} are not a file.")
        if stat.st_size == self._offset:
            return
        with self.path.open("rb") as stream:
            self._inode = os.fstat(stream.fileno()).st_ino
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):  # still being written, or truncated by a crash
                    return
                self._offset += len(line)
                change = self._parsed(line)
                if change is not None:
                    yield change

    @property
    def exists(self) -> bool:
        """Whether the file exists and is not empty."""
        try:
            return self.path.stat().st_size > 0
        except OSError:
            return False

    @property
    def is_empty(self) -> bool:
        """Whether nothing has been read yet."""
        return self._offset == 0

    @property
    def is_damaged(self) -> bool:
        """Whether no line of the file can be read."""
        return self.broken > 0 and self.header is None and not self._read_any

    def _parsed(self, line: bytes) -> Change | None:
        if line.strip() == b"":
            return None
        try:
            if self.header is None and b'"annotations"' in line[:100]:
                self.header = Header.model_validate_json(line)
                if self.header.layout > SCHEMA:
                    raise InputError(
                        f"The annotations {self.path} were written by a newer version (layout {self.header.layout}; "
                        f"this version reads up to {SCHEMA}); update Morpholaw to open them."
                    )
                return None
            change = Change.model_validate(json.loads(line))
        except InputError:
            raise
        except (ValueError, RecursionError):
            self.broken += 1
            return None
        self._read_any = True
        return change

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the file's lock; on a file system without locks, write without one.

        Raises
        ------
        TimeoutError
            If another process holds the lock for half a minute.
        OSError
            If the folder is missing or not writable.
        """
        if not self.path.parent.is_dir():
            raise FileNotFoundError("its folder was moved or deleted")
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_WAIT)
        try:
            lock.acquire()
        except Timeout:
            raise TimeoutError("another process is saving them") from None
        except NotImplementedError:  # some network drives; a line is still appended in one piece
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def append(self, change: Change, takes_over: str = "") -> None:
        """Append a change and flush it to disk; if that fails, restore the file.

        Raises
        ------
        OSError
            If the change cannot be written.
        """
        values = {name: value for name, value in change if value not in ("", ())}
        if change.items:
            values["items"] = [item.row for item in change.items]
        text = json.dumps(values) + "\n"
        is_new = not self.path.exists() or self.path.stat().st_size == 0
        if is_new:
            header = Header(annotations=SCHEMA, takes_over=takes_over)
            text = json.dumps(header.model_dump(by_alias=True)) + "\n" + text
        descriptor = os.open(
            self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666
        )
        try:
            size = os.fstat(descriptor).st_size
            data = text.encode()
            if size and not _ends_with_newline(descriptor, size):  # the last line was truncated by a crash
                data = b"\n" + data
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            except BaseException:
                with suppress(OSError):
                    os.ftruncate(descriptor, size)
                raise
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self.path.parent)


def _ends_with_newline(descriptor: int, size: int) -> bool:
    os.lseek(descriptor, size - 1, os.SEEK_SET)
    return os.read(descriptor, 1) == b"\n"
