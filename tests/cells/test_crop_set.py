"""Crop sets on disk: whole or absent, read lazily, several as one."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.cells_table import COLUMNS, cells_table
from morpholaw.cells.crop_record import CropOrigin
from morpholaw.cells.crop_set import Crops, CropSet
from morpholaw.cells.crop_writer import CropWriter
from morpholaw.cells.files import write_table
from morpholaw.cells.normalise import Normalisation
from morpholaw.cells.text_table import read_text_table
from morpholaw.errors import InputError


def pictures(n: int, seed: int = 0, size: int = 16) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, size, size), dtype=np.uint8)


@pytest.fixture
def two(tmp_path: Path) -> Crops:
    movie = cells_table(30, track_id=np.arange(30), t=2, label="metaphase", dummy=np.arange(30) > 20)
    folder = cells_table(12, file=[f"{i}.png" for i in range(12)], true_size=np.linspace(1, 2, 12))
    return Crops(
        [
            CropSet.write(tmp_path / "movie", pictures(30), movie),
            CropSet.write(tmp_path / "folder", pictures(12, 1), folder),
        ]
    )


def test_a_set_reads_back_as_written(tmp_path):
    scale = Normalisation(300.0, 500.0)
    cells = cells_table(5, t=np.arange(5), y=[0.5, 1, 2, 3, 4.25], label=["a", "", "NA", "nan", "b, c"])
    origin = CropOrigin(kind="movie", normalisation=scale, pixel_size=0.333)
    CropSet.write(tmp_path / "set", pictures(5), cells, origin)
    crops = CropSet.open(tmp_path / "set")
    assert np.array_equal(crops.images, pictures(5))
    assert isinstance(crops.images, np.memmap)
    pd.testing.assert_frame_equal(crops.cells, cells)
    assert (len(crops), crops.name, crops.size, crops.record.kind) == (5, "set", 16, "movie")
    assert crops.normalisation == scale
    assert tuple(crops.cells.columns) == COLUMNS


def test_crops_are_written_in_parts_and_any_npy_reader_reads_them(tmp_path):
    with CropWriter(tmp_path / "set", 16) as writer:
        for part in np.array_split(pictures(100), 7):
            writer.append(part)
        writer.finish(cells_table(100), CropOrigin())
    assert np.array_equal(np.load(tmp_path / "set" / "images.npy"), pictures(100))


def test_a_write_that_fails_leaves_nothing(tmp_path):
    def failing():
        yield pictures(3)
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="disk is full"):
        CropSet.write(tmp_path / "set", failing(), cells_table(3))
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_set_is_replaced_only_on_demand_and_only_by_a_whole_one(tmp_path):
    CropSet.write(tmp_path / "set", pictures(3), cells_table(3))
    with pytest.raises(InputError, match="already exists"):
        CropSet.write(tmp_path / "set", pictures(4), cells_table(4))
    with pytest.raises(InputError, match="4 crops but a table of 9 cells"):
        CropSet.write(tmp_path / "set", pictures(4), cells_table(9), overwrite=True)
    assert len(CropSet(tmp_path / "set")) == 3
    CropSet.write(tmp_path / "set", pictures(4), cells_table(4), overwrite=True)
    assert len(CropSet(tmp_path / "set")) == 4


def test_crops_of_the_wrong_kind_are_refused(tmp_path):
    with (
        CropWriter(tmp_path / "set", 16) as writer,
        pytest.raises(InputError, match=r"expected uint8 \(n, 16, 16\)"),
    ):
        writer.append(np.zeros((2, 16, 16), np.float32))


def damaged(path: Path, how: str) -> None:
    description = json.loads((path / "set.json").read_text())
    if how == "newer":
        (path / "set.json").write_text(json.dumps(description | {"schema": 99}))
    elif how == "no json":
        (path / "set.json").unlink()
    elif how == "odd json":
        (path / "set.json").write_text("[]")
    elif how == "truncated images":
        (path / "images.npy").write_bytes((path / "images.npy").read_bytes()[:-10])
    elif how == "other images":
        np.save(path / "images.npy", np.zeros((2, 16, 16), np.uint8))
    elif how == "pickled images":
        (path / "images.npy").write_bytes(pickle.dumps([1, 2]))
    elif how == "short table":
        lines = (path / "cells.csv").read_text().splitlines(keepends=True)
        (path / "cells.csv").write_text("".join(lines[:-1]))
    elif how == "odd table":
        (path / "cells.csv").write_text("crop,t\n0,0\n1,1\n2,2\n")
    elif how == "frames of text":
        table = pd.read_csv(path / "cells.csv").astype({"t": object})
        table.loc[0, "t"] = "first"
        table.to_csv(path / "cells.csv", index=False)
    elif how == "no table":
        (path / "cells.csv").unlink()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("newer", "made by a newer version"),
        ("no json", "not a crop set"),
        ("odd json", "does not describe a crop set"),
        ("truncated images", "damaged"),
        ("other images", "set.json says 3"),
        ("pickled images", "cannot be read"),
        ("short table", "2 rows"),
        ("odd table", "lacks file, track_id, y"),
        ("frames of text", "cannot be read.*'first'"),
        ("no table", "cannot be read"),
    ],
)
def test_a_damaged_set_says_what_is_wrong(tmp_path, how, sentence):
    CropSet.write(tmp_path / "set", pictures(3), cells_table(3))
    damaged(tmp_path / "set", how)
    with pytest.raises(InputError, match=sentence):
        _ = CropSet(tmp_path / "set").images, CropSet(tmp_path / "set").cells


def test_a_set_goes_to_another_process_as_a_path(two):
    message = pickle.dumps(two.sets[0])
    assert len(message) < 1000
    assert np.array_equal(pickle.loads(message).images, pictures(30))


def test_several_sets_are_read_as_one(two):
    everything = np.concatenate([pictures(30), pictures(12, 1)])
    order = np.random.default_rng(5).permutation(42)
    assert np.array_equal(two[order], everything[order])
    assert np.array_equal(two[25:35], everything[25:35])
    assert np.array_equal(two[::-5], everything[::-5])
    assert np.array_equal(two[[3, 3, -1]], everything[[3, 3, -1]])
    assert np.array_equal(two[31], everything[31])
    assert np.array_equal(two[np.arange(42) % 2 == 0], everything[::2])
    assert two[[]].shape == (0, 16, 16)
    with pytest.raises(IndexError, match="42 crops"):
        two[42]


def test_the_cells_of_several_sets_are_one_table(two):
    cells = two.cells
    assert list(cells["index"]) == list(range(42))
    assert list(cells["set"].unique()) == ["movie", "folder"]
    assert cells["dummy"].sum() == 9
    assert cells["dummy"].dtype == bool
    assert cells["true_size"].isna().sum() == 30
    assert cells.loc[35, "file"] == "5.png"


def test_batches_cover_what_was_asked_for_in_its_order(two):
    wanted = np.random.default_rng(0).permutation(42)[:20]
    parts = list(two.batches(wanted, 8))
    assert [len(index) for index, _ in parts] == [8, 8, 4]
    assert np.array_equal(np.concatenate([index for index, _ in parts]), wanted)
    assert np.array_equal(np.concatenate([images for _, images in parts]), two[wanted])
    assert sum(len(index) for index, _ in two.batches()) == 42


def test_sets_of_two_sizes_do_not_go_together(tmp_path):
    small = CropSet.write(tmp_path / "small", pictures(2), cells_table(2))
    large = CropSet.write(tmp_path / "large", pictures(2, size=32), cells_table(2))
    with pytest.raises(InputError, match="small: 16, large: 32"):
        Crops([small, large])
    with pytest.raises(InputError, match="no crops yet"):
        Crops([])


def test_reading_a_large_set_at_random_keeps_memory_flat(tmp_path):
    if not Path("/proc/self/statm").exists():
        pytest.skip("resident memory is read from Linux's /proc")
    blocks = (np.zeros((2000, 64, 64), np.uint8) for _ in range(30))  # 246 MB
    crops = Crops([CropSet.write(tmp_path / "set", blocks, cells_table(60_000))])
    before, most = resident(), 0
    for _ in crops.batches(np.random.default_rng(0).permutation(60_000), 256):
        most = max(most, resident() - before)
    assert most < 150e6


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def test_names_that_look_like_formulas_survive_a_set_and_a_table_of_labels(tmp_path):
    cells = pd.DataFrame({"label": ["=drug", "-mock", "+both"], "source_id": ["-5", "@6", "7"]})
    made = CropSet.write(tmp_path / "set", np.zeros((3, 16, 16), np.uint8), cells)
    assert list(CropSet(made.folder).cells["label"]) == ["=drug", "-mock", "+both"]
    write_table(tmp_path / "labels.csv", made.cells[["crop", "label"]])
    assert "'=drug" in (tmp_path / "labels.csv").read_text()
    assert list(read_text_table(tmp_path / "labels.csv").values["label"]) == ["=drug", "-mock", "+both"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("name", ["images.npy", "cells.csv"])
def test_a_pipe_in_place_of_a_file_is_said_and_not_waited_for(tmp_path, name):
    CropSet.write(tmp_path / "set", pictures(5), cells_table(5))
    (tmp_path / "set" / name).unlink()
    os.mkfifo(tmp_path / "set" / name)
    with pytest.raises(InputError, match=f"{name} is a pipe or a device"):
        CropSet(tmp_path / "set").check()
