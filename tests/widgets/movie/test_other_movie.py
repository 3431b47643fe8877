"""Two movies that look alike are told apart by a frame, which a slow disk may take long to read."""

from __future__ import annotations

import time
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from napari.layers import Image

from morpholaw.cells import movies
from morpholaw.widgets.movie.other_movie import is_other_movie


def test_a_slow_disk_does_not_hold_up_the_window(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 255, (3, 32, 32), np.uint8)
    files = [tmp_path / name for name in ("movie.tif", "backup.tif")]
    for file in files:
        tifffile.imwrite(file, pixels)
    source = SimpleNamespace(path=str(files[0]))
    crop_set = SimpleNamespace(folder=tmp_path, record=SimpleNamespace(sources=[source]))
    backup = Image(pixels, metadata={"path": str(files[1])})
    disk, read = Event(), movies.open_movie
    monkeypatch.setattr(movies, "open_movie", lambda path: disk.wait(60) and read(path))
    start = time.monotonic()
    for _ in range(20):  # as for every selected cell
        assert is_other_movie(backup, crop_set)  # as far as is known
    assert time.monotonic() - start < 2
    disk.set()
    for _ in range(500):
        if not is_other_movie(backup, crop_set):
            break
        time.sleep(0.01)
    else:
        pytest.fail("the copy was not recognised")
