"""Files are read in a process that can be ended: a library that misbehaves costs one sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
import tifffile
from PIL import Image

from morpholaw.cells import reader_process
from morpholaw.cells.import_crops import import_crops
from morpholaw.cells.inspection import inspect_inputs
from morpholaw.cells.movies import open_movie
from morpholaw.cells.reader_process import ReaderProcess, read_apart
from morpholaw.config import ImportConfig
from morpholaw.errors import InputError
from morpholaw.study import Study

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere files are read in the process at hand"
)


def _children() -> int:
    return len(psutil.Process().children())


def _sleep(*_: object, **__: object) -> None:
    time.sleep(600)


def _compute(*_: object, **__: object) -> None:
    while True:
        pass


def _eat(*_: object, **__: object) -> None:
    kept = []
    while True:
        kept.append(np.ones(2**24))


def _crash(*_: object, **__: object) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


@contextmanager
def misbehaving(monkeypatch, misbehave, *places: str) -> Iterator[None]:
    """Have functions misbehave, under limits that a test can wait for."""
    with monkeypatch.context() as patched:
        patched.setattr(reader_process, "SECONDS", 0.5 if misbehave in (_sleep, _compute) else 60.0)
        patched.setattr(reader_process, "PATIENCE", 3 if misbehave is _sleep else 100)
        patched.setattr(reader_process, "MEMORY", 1 << 28)
        for place in places:
            patched.setattr(place, misbehave)
        yield


@pytest.fixture(params=[_sleep, _compute, _eat, _crash])
def misbehave(request):
    """What a library may do instead of reading."""
    return request.param


@pytest.fixture
def movie(tmp_path):
    """A compressed movie, whose frames a library decodes, and its tracks."""
    frames = np.random.default_rng(0).integers(0, 4000, (4, 96, 96)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "movie.tif", frames, compression="zlib")
    rows = [f"{track},{t},{40 + 16 * track},{48}\n" for track in range(2) for t in range(4)]
    (tmp_path / "tracks.csv").write_text("ID,t,y,x\n" + "".join(rows))
    return tmp_path / "movie.tif", tmp_path / "tracks.csv", frames


SAID = {
    _sleep: r"took more than \d s, more than a file",
    _compute: r"took more than \d s of computing",
    _eat: "takes more than 0 GB of memory",
    _crash: "crashed .signal 11",
}


def test_a_reader_that_misbehaves_is_ended_and_costs_one_sentence(tmp_path, monkeypatch, misbehave):
    (tmp_path / "a.xml").write_text("<a/>")
    began, before = time.monotonic(), _children()
    with misbehaving(monkeypatch, misbehave), pytest.raises(InputError, match=SAID[misbehave]) as caught:
        read_apart(misbehave, tmp_path / "a.xml")
    assert str(tmp_path / "a.xml") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 50
    assert _children() == before


def test_what_is_read_and_what_is_refused_come_back_as_they_are(tmp_path):
    table = {"a": np.arange(3)}
    assert (read_apart(lambda: table, tmp_path)["a"] == table["a"]).all()

    def refuse() -> None:
        raise InputError("This file is not a movie.")

    with pytest.raises(InputError, match=r"^This file is not a movie\.$"):
        read_apart(refuse, tmp_path)
    with pytest.raises(InputError, match=r"cannot be read: a library's own words\.$"):
        read_apart(lambda: _raise(ValueError("a library's own words.\nAt line 3")), tmp_path / "b")


def _raise(error: Exception) -> None:
    raise error


def test_the_asking_process_learns_nothing_but_the_answer(tmp_path):
    changed = []
    assert read_apart(lambda: (changed.append(1), os.getpid())[1], tmp_path) != os.getpid()
    assert changed == []
    with open(
        tmp_path / "lock", "w"
    ) as file:  # a lock must go with its process, not stay with a reader of it
        descriptor = file.fileno()
        assert not read_apart(lambda: os.path.exists(f"/proc/self/fd/{descriptor}"), tmp_path)
    assert read_apart(lambda: 1, 5) == 1  # not a path: nothing was sent


def test_a_reader_ends_with_the_process_that_asked(tmp_path):
    receiving, sending = os.pipe()
    pid = os.fork()
    if pid == 0:
        reader = ReaderProcess(lambda: (os.getpid(), lambda question: question), tmp_path)
        os.write(sending, f"{reader.greeting}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    with os.fdopen(receiving) as stream:
        reader = int(stream.readline())
    os.close(sending)
    until = time.monotonic() + 5
    while psutil.pid_exists(reader) and psutil.Process(reader).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_frames_come_as_they_are_and_their_reader_goes_with_the_movie(movie):
    path, _, frames = movie
    before = _children()
    opened = open_movie(path, apart=True)
    assert opened.facts == open_movie(path).facts
    assert all((opened.frame(t) == frames[t]).all() for t in (0, 3, 1))
    first = opened.frame(0)
    opened.frame(1)
    assert (first == frames[0]).all()
    assert _children() == before + 1
    del opened
    assert _children() == before


def test_frames_without_compression_are_taken_from_the_file_itself(tmp_path):
    frames = np.random.default_rng(0).integers(0, 4000, (4, 32, 32)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", frames)
    before = _children()
    opened = open_movie(tmp_path / "a.tif", apart=True)
    assert (opened.frame(2) == frames[2]).all()
    assert _children() == before


PLACES = {
    "header": "morpholaw.cells.movie_formats.tiff_pages.TiffPages.__init__",
    "decoding": "morpholaw.cells.movie_formats.tiff_pages.TiffPages.decode",
    "tracks": "morpholaw.cells.track_formats.track_table.read_text_table",
}


@pytest.mark.parametrize(
    ("where", "misbehave"), [("header", _sleep), ("tracks", _eat), *(("decoding", one) for one in SAID)]
)
def test_a_movie_or_tracks_that_misbehave_leave_a_study_that_lives_on(movie, monkeypatch, where, misbehave):
    path, tracks, _ = movie
    study = Study.create(path.parent / "study")
    with misbehaving(monkeypatch, misbehave, PLACES[where]):
        with pytest.raises(InputError) as caught:
            study.crop(path, tracks, size=32, force=True)
        assert not inspect_inputs(path, tracks, size=32).fits
    assert "\n" not in str(caught.value)
    assert study.sets == []
    assert len(study.crop(path, tracks, size=32, force=True)) == 8


def test_images_that_misbehave_leave_nothing_of_an_import(tmp_path, monkeypatch, misbehave):
    (tmp_path / "in").mkdir()
    for k in range(3):
        Image.fromarray(np.full((32, 32), 50 * k, np.uint8)).save(tmp_path / "in" / f"{k}.png")
    with (
        misbehaving(monkeypatch, misbehave, "morpholaw.cells.crop_images._decode"),
        pytest.raises(InputError) as caught,
    ):
        import_crops(tmp_path / "in", tmp_path / "out", ImportConfig(size=32))
    assert "\n" not in str(caught.value)
    assert [p.name for p in tmp_path.iterdir()] == ["in"]
    assert len(import_crops(tmp_path / "in", tmp_path / "out", ImportConfig(size=32))) == 3


def test_memory_and_time_grow_with_the_file(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"")
    os.truncate(tmp_path / "a" / "b", 10**9)
    small, large = reader_process._memory(1000), reader_process._memory(reader_process._size(tmp_path / "a"))
    assert small < 4 << 30
    assert large > 4 << 30


def test_a_program_without_standard_input_reads_as_well(movie):
    path, _, frames = movie
    code = f"from morpholaw.cells.movies import open_movie; print(open_movie({str(path)!r}, apart=True).frame(2).sum())"
    command = f'exec "{sys.executable}" -c "{code}" <&-'
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=True)
    assert int(done.stdout) == int(frames[2].sum())
