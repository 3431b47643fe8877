"""Atomic files, strict JSON and fingerprints."""

from __future__ import annotations

import json
import os
from pathlib import Path

import dask.array as da
import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.files import atomic_file, fingerprint, read_json, write_bytes, write_json, write_table
from morpholaw.config import CropConfig
from morpholaw.errors import InputError


def test_failed_write_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "deep" / "file.bin", b"old")

    def stop_halfway() -> None:
        with atomic_file(path) as handle:
            handle.write(b"half of the new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_halfway()
    assert path.read_bytes() == b"old"
    assert [p.name for p in path.parent.iterdir()] == ["file.bin"]


def test_json_takes_what_numpy_and_pydantic_make(tmp_path: Path) -> None:
    value = {
        "count": np.int64(3),
        "loss": np.float32(0.5),
        "nan": float("nan"),
        "inf": np.array([np.inf, 1.0]),
        "where": tmp_path,
        "config": CropConfig(),
        "kept": {3, 1},
        5: (True, None),
    }
    back = read_json(write_json(tmp_path / "a.json", value))
    assert back["count"] == 3
    assert back["loss"] == 0.5
    assert back["nan"] is None
    assert back["inf"] == [None, 1.0]
    assert back["where"] == str(tmp_path)
    assert back["config"]["size"] == 64
    assert back["kept"] == [1, 3]
    assert back["5"] == [True, None]


def test_json_refuses_what_has_no_counterpart(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="object has no JSON"):
        write_json(tmp_path / "a.json", {"x": object()})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe\xfa", b"[" * 100_000])
def test_broken_json_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    path = write_bytes(tmp_path / "broken.json", data)
    with pytest.raises(InputError, match=r"broken\.json is not a valid JSON file"):
        read_json(path)


def test_missing_json_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"There is no file .*absent\.json"):
        read_json(tmp_path / "absent.json")
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)


def test_table_round_trip(tmp_path: Path) -> None:
    table = pd.DataFrame({"track_id": [1, 2], "y": [0.1, np.nan], "class": ["a, b", ""]})
    path = write_table(tmp_path / "t.csv", table)
    assert path.read_text().splitlines()[0] == "track_id,y,class"
    back = pd.read_csv(path, keep_default_na=True)
    assert back["y"].isna().tolist() == [False, True]
    assert back["class"][0] == "a, b"


def test_fingerprint_depends_on_values_shape_and_dtype_only(tmp_path: Path) -> None:
    array = np.arange(24, dtype="uint16").reshape(2, 3, 4)
    mark = fingerprint(array)
    assert mark == fingerprint(np.asfortranarray(array))
    assert mark == fingerprint(da.from_array(array, chunks=(1, 3, 2)))
    assert mark != fingerprint(array.reshape(2, 4, 3))
    assert mark != fingerprint(array.astype("int32"))
    changed = array.copy()
    changed[1, 2, 3] += 1
    assert mark != fingerprint(changed)


def test_fingerprint_of_a_folder_sees_names_and_contents(tmp_path: Path) -> None:
    write_bytes(tmp_path / "a" / "1.bin", b"x")
    before = fingerprint(tmp_path)
    (tmp_path / "a" / "1.bin").rename(tmp_path / "a" / "2.bin")
    renamed = fingerprint(tmp_path)
    write_bytes(tmp_path / "a" / "2.bin", b"y")
    assert len({before, renamed, fingerprint(tmp_path)}) == 3
    with pytest.raises(InputError, match="There is no file or folder"):
        fingerprint(tmp_path / "absent")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "stdout"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="is a pipe or a device"):
        write_bytes(pipe, b"x")
    assert pipe.is_fifo()


def test_json_is_stable_text(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"µm": [1]})
    assert path.read_text(encoding="utf-8") == '{\n  "µm": [\n    1\n  ]\n}\n'
    assert json.loads(path.read_text(encoding="utf-8")) == {"µm": [1]}
