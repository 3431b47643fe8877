"""Every write under faults: after an error at any step there is the old state or the new one, and nothing else."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from morpholaw.cells.annotations import Annotations
from morpholaw.cells.cells_table import cells_table
from morpholaw.cells.crop_set import CropSet
from morpholaw.cells.files import (
    is_temporary,
    remove_folder,
    remove_leftovers,
    replace_folder,
    restore_set_aside,
    set_aside_path,
    temporary_path,
    write_bytes,
)
from morpholaw.errors import InputError
from morpholaw.escape import file_name

OPERATIONS = ("fsync", "replace", "write", "mkdir")


@contextmanager
def failing(monkeypatch: pytest.MonkeyPatch, after: int, number: int) -> Iterator[list[int]]:
    """Let the operation after so many of the system's writing calls fail, and all that follow."""
    count = [0]

    def faulty(real: Callable) -> Callable:
        def call(*arguments, **named):
            count[0] += 1
            if count[0] > after:
                raise OSError(number, os.strerror(number))
            return real(*arguments, **named)

        return call

    with monkeypatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(os, name, faulty(getattr(os, name)))
        yield count


def file(place: Path) -> None:
    write_bytes(place / "a.json", b"new")


def crops(value: int) -> Callable[[Path], None]:
    def write(place: Path) -> None:
        images = np.full((3, 16, 16), value, np.uint8)
        CropSet.write(place / "set", images, cells_table(3), overwrite=True)

    return write


def annotate(place: Path) -> None:
    Annotations(place / "labels.jsonl").set_label("set", 1, "new")


def read(place: Path) -> dict[str, object]:
    """What is there, read as the program reads it."""
    found: dict[str, object] = {}
    for path in sorted(place.iterdir()):
        if path.name == "set":
            found["set"] = int(CropSet(path).images[:].sum()), len(CropSet(path).cells)
        elif path.name == "labels.jsonl":
            found["labels"] = [Annotations(path).get("set", crop) for crop in range(3)]
        elif not path.name.endswith(".lock") and path.name != "labels.json":
            found[path.name] = path.read_bytes()
    return found


def summary(place: Path) -> bytes | None:
    """The labels as they are written for scripts, which may be missing after a fault, but never half written."""
    path = place / "labels.json"
    return path.read_bytes() if path.exists() else None


STEPS = {"file": file, "new crop set": crops(9), "crop set over another": crops(9), "annotation": annotate}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
@pytest.mark.parametrize("name", STEPS)
def test_a_fault_at_any_step_leaves_the_old_state_or_the_new(tmp_path, monkeypatch, name, number):
    base = tmp_path / "base"
    base.mkdir()
    write_bytes(base / "a.json", b"old")
    if name != "new crop set":
        crops(1)(base)
    Annotations(base / "labels.jsonl").set_label("set", 0, "old")
    before, done = read(base), shutil.copytree(base, tmp_path / "done")
    STEPS[name](done)
    after, states, sentences = read(done), [], []
    for faults in range(40):
        place = shutil.copytree(base, tmp_path / f"try{faults}")
        with failing(monkeypatch, faults, number) as count:
            try:
                STEPS[name](place)
            except (OSError, InputError) as error:
                sentences.append(str(error))
        restore_set_aside(place)
        assert read(place) in (before, after), faults
        assert summary(place) in (None, summary(base), summary(done)), faults
        states.append(read(place) == after)
        if count[0] <= faults:
            break
    assert states[-1]
    assert not states[0]
    assert all(os.strerror(number) in sentence for sentence in sentences)


def test_no_name_that_a_person_gives_is_a_temporary_one(tmp_path):
    temporary = temporary_path(tmp_path / "run")
    assert is_temporary(temporary)
    for name in (temporary.name, set_aside_path(tmp_path / "run").name, "run.partial", ".run", "a.tmp"):
        given = tmp_path / file_name(name)
        assert not given.name.startswith(".")
        assert not is_temporary(given)


def test_a_folder_is_replaced_and_removed_whole(tmp_path):
    for name in ("old", "new"):
        write_bytes(tmp_path / name / "a", name.encode())
    replace_folder(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "a").read_bytes() == b"new"
    remove_folder(tmp_path / "old")
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_killed_writes_are_swept_up_and_nothing_else(tmp_path):
    folder = temporary_path(tmp_path / "crops" / "a")
    write_bytes(folder / "images.npy", b"half")
    file = temporary_path(tmp_path / "model.json")
    file.write_bytes(b"half")
    for kept in (".hidden", ".b.tmp", "c.tmp"):
        (tmp_path / kept).write_bytes(b"")
    remove_leftovers(tmp_path, older=0.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.tmp", ".hidden", "c.tmp", "crops"]
    assert list((tmp_path / "crops").iterdir()) == []
