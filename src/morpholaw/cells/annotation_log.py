"""The file of annotations: one JSON object per line, only ever added to.

Nothing that was written is changed again, so a crash or a full disk costs at most the line that was being written, and
what two processes add is kept in the order in which it arrived. Clocks play no part in that order. A line that cannot
be read, such as one that a power cut left half written, is passed over and counted.
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
"""Version of the file's layout; layout 1 was one JSON object (:mod:`morpholaw.cells.annotation_summary`)."""
_WAIT = 30.0
"""Seconds to wait for other processes that are adding to the file."""


class Item(NamedTuple):
    """What one crop is given.

    Attributes
    ----------
    set : str
        Name of the crop set.
    crop : int
        Number of the crop in the set, from 0.
    label : str or None
        Its class, "" for none; None takes the annotation away.
    mark : str
        Fingerprint of the crop's pixels; "" where they are not known.
    writer : str
        Session whose annotation this is; "" for the session of the record. An undo names the session before it.
    """

    set: str
    crop: int
    label: str | None
    mark: str = ""
    writer: str = ""


class Change(BaseModel):
    """One line of the file.

    Attributes
    ----------
    id : str
        Unique.
    action : {"label", "declare", "forget"}
        Give crops their classes, declare classes, or forget all annotations of the sets and give others.
    by, at : str
        Author (user and computer), and time in UTC, ISO 8601: shown to people, and used for nothing else.
    session : str
        Process and window that wrote the line.
    items : tuple of Item
    classes : tuple of str
        Classes to declare.
    sets : tuple of str
        Crop sets to forget.
    undoes : str
        The change that this one takes back or makes again; "" for none.
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
        # by hand: a table of a hundred thousand classes is one line, and pydantic takes seconds for it
        if not isinstance(rows, (list, tuple)):
            raise ValueError("items is no list")
        items = []
        for row in rows:
            item = Item(*row) if isinstance(row, (list, tuple)) and 3 <= len(row) <= 5 else None
            if (
                item is None
                or type(item.crop) is not int
                or item.crop < 0
                or not isinstance(item.label, str | None)
                or not (
                    isinstance(item.set, str) and isinstance(item.mark, str) and isinstance(item.writer, str)
                )
            ):
                raise ValueError("items names no crop and class")
            items.append(item)
        return tuple(items)


class Header(BaseModel):
    """The first line of the file.

    Attributes
    ----------
    layout : int
        Version of the layout.
    takes_over : str
        SHA-256 of the file of layout 1 whose annotations the first change holds; "" where there was none.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    layout: int = Field(SCHEMA, alias="annotations")
    takes_over: str = ""


def author() -> str:
    """Return the person and the computer, for the history."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without names
        user = "unknown"
    return one_line(f"{user}@{platform.node() or 'unknown'}")


def new_change(session: str, **values: object) -> Change:
    """Return a change that is made now."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Change.model_validate({"id": uuid4().hex, "by": author(), "at": now, "session": session, **values})


class AnnotationLog:
    """The file, and how far it has been read.

    Parameters
    ----------
    path : path
        The file; it need not exist.

    Attributes
    ----------
    broken : int
        Lines that could not be read.
    header : Header or None
        The first line; None before it was read.
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
        """Whether another file has taken the place of the one that was read, so that all must be read again."""
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
        """Yield the changes that were added since the last call, by whomever.

        Raises
        ------
        InputError
            When a newer version of Morpholaw wrote the file.
        OSError
            When it cannot be read.
        """
        try:
            stat = self.path.stat()
        except FileNotFoundError:
            return
        if not S_ISREG(stat.st_mode):  # a pipe would never end
            raise InputError(f"The annotations {self.path} are not a file.")
        if stat.st_size == self._offset:
            return
        with self.path.open("rb") as stream:
            self._inode = os.fstat(stream.fileno()).st_ino
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):  # it is being written now, or a crash cut it off
                    return
                self._offset += len(line)
                change = self._parsed(line)
                if change is not None:
                    yield change

    @property
    def exists(self) -> bool:
        """Whether there is a file with something in it."""
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
                        f"The annotations {self.path} were made by a newer version (layout {self.header.layout}, this "
                        f"version reads up to {SCHEMA}); update Morpholaw to open them."
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
        """Hold the file's lock; a file system without locks is written to without one.

        Raises
        ------
        TimeoutError
            When another process holds the lock for half a minute.
        OSError
            When the folder is gone or cannot be written to.
        """
        if not self.path.parent.is_dir():
            raise FileNotFoundError("its folder is gone, moved or deleted")
        lock = FileLock(self.path.with_name(f".{self.path.name}.lock"), timeout=_WAIT)
        try:
            lock.acquire()
        except Timeout:
            raise TimeoutError("another process is saving them") from None
        except NotImplementedError:  # some network drives: a line is still added in one piece
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def append(self, change: Change, takes_over: str = "") -> None:
        """Add a change and flush it to the disk; where that fails, the file is as it was before.

        Raises
        ------
        OSError
            When it cannot be written.
        """
        text = json.dumps({name: value for name, value in change if value not in ("", ())}) + "\n"
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
            if size and not _ends_with_newline(descriptor, size):  # a crash cut the last line off
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
