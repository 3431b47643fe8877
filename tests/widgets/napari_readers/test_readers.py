"""Tracks and studies that are dropped on the viewer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from morpholaw.errors import InputError
from morpholaw.study import Study
from morpholaw.widgets.movie.layer_sources import tracks_table
from morpholaw.widgets.napari_readers.readers import lazy_movie, study_reader, tracks_layer, tracks_reader
from morpholaw.widgets.study.current_study import CurrentStudy

REAL = [
    "btrack_tracks/tracks.h5",
    "btrack_tracks/tracks.csv",
    "trackmate_geff/Ecoli_growth_on_agar_pad.xml",
    "hela_ctc_02/02_GT/TRA",
]


@pytest.mark.filterwarnings("ignore:.*tracks? in no mask")
@pytest.mark.filterwarnings("ignore:.*(exchange their places|the position of . tracks)")  # some of btrack do
@pytest.mark.parametrize("name", REAL)
def test_real_files_become_layers_and_tables_again(name, shared_data):
    from napari.layers import Tracks

    from morpholaw.cells.tracks import read_tracks

    path = shared_data / name
    if not path.exists():
        pytest.skip(f"needs {path}")
    reader = tracks_reader(str(path))
    assert reader is not None
    ((data, options, kind),) = reader(str(path))
    assert kind == "tracks"
    layer = Tracks(data, **options)
    table = read_tracks(path)
    back = tracks_table(layer, None)
    pd.testing.assert_frame_equal(back[["track_id", "t", "y", "x"]], table[["track_id", "t", "y", "x"]])
    np.testing.assert_array_equal(back["parent"], table["parent"])


def test_tracks_in_micrometres_ask_for_the_pixel_size(shared_data):
    path = shared_data / "trackmate_geff" / "Ecoli_growth_on_agar_pad.geff"
    if not path.exists():
        pytest.skip(f"needs {path}")
    with pytest.raises(InputError, match="pixel size"):
        tracks_layer(path)
    in_pixels, _, _ = tracks_layer(path, 0.5)
    in_micrometres, _, _ = tracks_layer(path, 1.0)
    np.testing.assert_allclose(in_pixels[:, 2:], in_micrometres[:, 2:] * 2)


@pytest.fixture
def micrometres(tmp_path):
    """A TrackMate file in micrometres without the movie's pixel size: two spots of one track."""
    spot = '<Spot ID="{0}" FRAME="{0}" POSITION_X="5" POSITION_Y="{1}" POSITION_Z="0" POSITION_T="{0}"/>'
    frames = "".join(f'<SpotsInFrame frame="{t}">{spot.format(t, 10 + t)}</SpotsInFrame>' for t in range(2))
    path = tmp_path / "micrometres.xml"
    path.write_text(
        '<TrackMate version="7"><Model spatialunits="micron" timeunits="frame">'
        f'<AllSpots>{frames}</AllSpots><AllTracks><Track TRACK_ID="0">'
        '<Edge SPOT_SOURCE_ID="0" SPOT_TARGET_ID="1"/></Track></AllTracks></Model></TrackMate>'
    )
    return path


def test_tracks_in_micrometres_fit_a_movie_that_is_scaled(make_napari_viewer, micrometres, monkeypatch):
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    movie = viewer.add_image(np.zeros((2, 40, 40)), scale=(1, 0.5, 0.5))
    ((data, options, _),) = tracks_reader(str(micrometres))(str(micrometres))
    np.testing.assert_allclose(data[:, 2:], [[20, 10], [22, 10]])
    layer = viewer.add_tracks(data, **options)
    np.testing.assert_allclose(layer.data_to_world([0, 20, 10]), [0, 10, 5])
    np.testing.assert_allclose(tracks_table(layer, movie)[["y", "x"]], data[:, 2:])


def test_without_a_scale_a_sentence_asks_for_it_and_it_may_be_set_later(
    make_napari_viewer, micrometres, monkeypatch
):
    said = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", said.append)
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    movie = viewer.add_image(np.zeros((2, 40, 40)), name="movie")
    ((data, options, _),) = tracks_reader(str(micrometres))(str(micrometres))
    layer = viewer.add_tracks(data, **options)
    assert "set the scale of the movie's layer" in said[0]
    with pytest.raises(InputError, match="set the scale of the layer 'movie'"):
        tracks_table(layer, movie)
    movie.scale = (1, 0.5, 0.5)
    np.testing.assert_allclose(tracks_table(layer, movie)[["y", "x"]], [[20, 10], [22, 10]])


@pytest.mark.parametrize("name", ["image.tif", "notes.txt", "table.csv", "page.xml", "folder"])
def test_what_is_no_tracks_is_left_to_other_readers(name, tmp_path):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    else:
        path.write_text("a,b\n1,2\n")
    assert tracks_reader(str(path)) is None
    assert study_reader(str(path)) is None


def test_a_list_of_files_is_not_ours():
    assert tracks_reader(["a.csv", "b.csv"]) is None


def test_broken_tracks_are_one_sentence(tmp_path):
    (tmp_path / "tracks.csv").write_text("track_id,t,y,x\n1,0,up,2\n")
    reader = tracks_reader(str(tmp_path / "tracks.csv"))
    with pytest.raises(InputError, match=r"tracks\.csv"):
        reader(str(tmp_path / "tracks.csv"))


def test_a_dropped_study_opens_in_the_viewers_panels(make_napari_viewer, labelled_study, monkeypatch):
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    viewer.open(str(labelled_study), plugin="napari-morpholaw")
    assert CurrentStudy.of(viewer).study.path == labelled_study
    assert not viewer.layers  # its crops come from no movie


def test_a_study_brings_its_movie(make_napari_viewer, tmp_path, monkeypatch):
    import tifffile

    movie = np.random.default_rng(0).integers(90, 400, (3, 64, 64)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "movie.tif", movie, photometric="minisblack")
    tracks = pd.DataFrame({"track_id": [1, 1, 2, 2], "t": [0, 1, 1, 2], "y": [20.0] * 4, "x": [30.0] * 4})
    study = Study.create(tmp_path / "study")
    study.crop(tmp_path / "movie.tif", tracks.assign(parent=-1))
    viewer = make_napari_viewer()
    monkeypatch.setattr("napari.current_viewer", lambda: viewer)
    viewer.open(str(study.path), plugin="napari-morpholaw")
    assert [layer.name for layer in viewer.layers] == ["movie", "movie tracks"]
    np.testing.assert_array_equal(np.asarray(viewer.layers["movie"].data), movie)


def test_a_movie_is_read_when_it_is_shown(tmp_path):
    import tifffile

    movie = np.arange(4 * 32 * 32, dtype=np.uint16).reshape(4, 32, 32)
    tifffile.imwrite(tmp_path / "movie.tif", movie, photometric="minisblack")
    data, options, _ = lazy_movie(tmp_path / "movie.tif")
    assert options["name"] == "movie"
    assert type(data).__module__.startswith("dask")
    np.testing.assert_array_equal(np.asarray(data[2]), movie[2])


def test_tracks_without_lines_survive(tmp_path):
    (tmp_path / "tracks.csv").write_text("track_id,t,y,x\n4,0,2,3\n")
    data, _, _ = tracks_layer(tmp_path / "tracks.csv")
    assert data.tolist() == [[4, 0, 2, 3]]


def test_tracks_that_merge_in_a_layer_are_one_family():
    from napari.layers import Tracks

    vertices = np.array([[1, 0, 2, 3], [2, 0, 9, 9], [3, 1, 5, 5], [4, 1, 30, 30]], float)
    table = tracks_table(Tracks(vertices, graph={3: [1, 2]}), None)
    assert (table["parent"] == -1).all()
    family = table.set_index("track_id")["family"]
    assert family[1] == family[2] == family[3] != family[4]
