"""Folders of frames and Cell Tracking Challenge data sets that are dropped on the viewer."""

from __future__ import annotations

import shutil

import numpy as np
import pandas as pd
import pytest
import tifffile

from ctc_folders import write_ctc
from morpholaw.errors import InputError
from morpholaw.study import Study
from morpholaw.widgets.cells.panel import CellsWidget
from morpholaw.widgets.movie.layer_sources import movie_path
from morpholaw.widgets.napari_readers.movie_folders import folder_reader

SHAPE = (4, 48, 48)


def write_frames(folder, seed=0, masks=None):
    """Frames of noise, brighter where there are masks."""
    movie = np.random.default_rng(seed).integers(90, 120, SHAPE).astype(np.uint16)
    if masks is not None:
        movie += 300 * (masks > 0).astype(np.uint16)
    folder.mkdir(parents=True)
    for t, frame in enumerate(movie):
        tifffile.imwrite(folder / f"t{t:03d}.tif", frame)
    return movie


@pytest.fixture
def ctc(tmp_path):
    """A data set of two sequences, in each a cell that divides."""
    folder = tmp_path / "Fluo-N2DH-X"
    masks = np.zeros(SHAPE, np.uint16)
    masks[:2, 20:28, 20:28] = 1
    masks[2:, 10:18, 10:18], masks[2:, 30:38, 30:38] = 2, 3
    tracks = pd.DataFrame(
        {
            "track_id": [1, 1, 2, 2, 3, 3],
            "t": [0, 1, 2, 3, 2, 3],
            "y": 0.0,
            "x": 0.0,
            "parent": [-1, -1, 1, 1, 1, 1],
        }
    )
    for seed, name in enumerate(("01", "02")):
        write_frames(folder / name, seed, masks)
        (folder / f"{name}_GT" / "TRA").mkdir(parents=True)
        write_ctc(folder / f"{name}_GT" / "TRA", masks, tracks)
    return folder


@pytest.fixture
def viewer(make_napari_viewer, monkeypatch):
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    return viewer


def test_a_folder_of_frames_is_a_movie(viewer, tmp_path):
    movie = write_frames(tmp_path / "frames")
    viewer.open(str(tmp_path / "frames"), plugin="napari-morpholaw")
    (layer,) = viewer.layers
    assert layer.name == "frames"
    assert type(layer.data).__module__.startswith("dask")
    np.testing.assert_array_equal(np.asarray(layer.data), movie)
    assert movie_path(layer) == tmp_path / "frames"


def test_a_ctc_folder_is_movie_masks_and_tracks_of_its_first_sequence(viewer, ctc, monkeypatch):
    messages = []
    monkeypatch.setattr("napari.utils.notifications.show_info", messages.append)
    viewer.open(str(ctc), plugin="napari-morpholaw")
    movie, masks, tracks = viewer.layers
    assert [layer.name for layer in viewer.layers] == [
        "Fluo-N2DH-X 01",
        "Fluo-N2DH-X 01 masks",
        "Fluo-N2DH-X 01 tracks",
    ]
    assert movie.data.shape == masks.data.shape == SHAPE
    assert not masks.visible
    assert set(np.unique(np.asarray(masks.data[3]))) == {0, 2, 3}
    assert tracks.graph == {2: [1], 3: [1]}
    assert "02" in messages[0]


def test_a_ctc_folder_whose_movie_is_one_file_has_its_tracks_too(viewer, ctc, tmp_path):
    one = tmp_path / "one"
    shutil.copytree(ctc / "02_GT", one / "02_GT")
    (one / "02_ST").mkdir()
    frames = [tifffile.imread(file) for file in sorted((ctc / "02").iterdir())]
    tifffile.imwrite(one / "movie.tif", np.stack(frames), photometric="minisblack")
    tifffile.imwrite(one / "movie_SEG.tif", np.zeros(SHAPE, np.uint16), photometric="minisblack")
    viewer.open(str(one), plugin="napari-morpholaw")
    movie, masks, tracks = viewer.layers
    assert [layer.name for layer in viewer.layers] == ["one 02", "one 02 masks", "one 02 tracks"]
    np.testing.assert_array_equal(np.asarray(movie.data), frames)
    assert masks.data.shape == SHAPE
    assert tracks.graph == {2: [1], 3: [1]}


def test_a_dropped_ctc_folder_can_be_cut_at_once_by_its_files(viewer, ctc, qtbot, tmp_path):
    panel = CellsWidget(viewer)
    qtbot.addWidget(panel)
    viewer.open(str(ctc), plugin="napari-morpholaw")
    assert panel.cutting.image.layer is viewer.layers[0]
    assert panel.cutting.tracks.layer is viewer.layers[2]
    assert movie_path(viewer.layers[0]) == ctc / "01"
    panel.current.create(tmp_path / "study")
    panel.cutting.form.editors["size"].value = 16
    with qtbot.waitSignal(panel.runner.finished, timeout=120_000):
        panel.cutting.cut()
    (crop_set,) = Study.open(tmp_path / "study").sets
    assert sorted(set(crop_set.cells["track_id"])) == [1, 2, 3]


def test_a_folder_without_frames_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "notes").mkdir()
    reader = folder_reader(str(tmp_path / "notes"))
    with pytest.raises(InputError, match="notes"):
        reader(str(tmp_path / "notes"))


def test_files_tracks_and_studies_are_left_to_the_other_readers(ctc, labelled_study):
    assert folder_reader(str(ctc / "01" / "t000.tif")) is None
    assert folder_reader([str(ctc / "01"), str(ctc / "02")]) is None
    assert folder_reader(str(ctc / "01_GT")) is None
    assert folder_reader(str(labelled_study)) is None
