"""Scores by track and frame: napari takes the table as features, and we read it back as tracks."""

import shutil

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.tracks import read_tracks
from morpholaw.errors import InputError
from morpholaw.events import Monitor
from morpholaw.study import Study


def test_every_cell_has_the_score_that_classify_gives_it(tracked, tmp_path):
    table = pd.read_csv(tracked.export("csv", tmp_path / "scores.csv", scheme=3))
    assert list(table.columns) == ["track_id", "t", "y", "x", "parent", "score", "class", "y_um", "x_um"]
    own = tracked.classify(3).set_index(["track_id", "t"])
    keyed = table.set_index(["track_id", "t"])
    np.testing.assert_allclose(keyed["score"], own["score"].astype(float).loc[keyed.index], rtol=1e-6)
    assert keyed["class"].tolist() == own["class"].loc[keyed.index].tolist()
    assert keyed["class"].loc[1].eq("metaphase").all()
    assert keyed["class"].loc[[2, 3, 4]].eq("interphase").all()
    np.testing.assert_allclose(table["x_um"], table["x"] * 0.333)
    assert table["track_id"].dtype == table["t"].dtype == np.int64  # TrackMate's importer takes no "1.0"


def test_classes_along_tracks_are_those_that_classify_gives(tracked, tmp_path):
    out = tracked.export("csv", tmp_path / "scores.csv", scheme=3, along_tracks=True)
    keyed = pd.read_csv(out).set_index(["track_id", "t"])
    own = tracked.classify(3, along_tracks=True).set_index(["track_id", "t"])["class"]
    assert keyed["class"].tolist() == own.loc[keyed.index].tolist()


def test_napari_takes_the_table_as_features_of_tracks_and_of_labels(tracked, tmp_path):
    from napari.layers import Labels, Tracks

    table = pd.read_csv(tracked.export("csv", tmp_path / "scores.csv", scheme=3))
    parents = table.drop_duplicates("track_id").query("parent >= 0")
    graph = dict(zip(parents["track_id"], parents["parent"], strict=True))
    layer = Tracks(table[["track_id", "t", "y", "x"]], features=table[["score"]], graph=graph)
    np.testing.assert_array_equal(layer.features["score"], table["score"])
    np.testing.assert_array_equal(layer.data, table[["track_id", "t", "y", "x"]])
    frame = table[table["t"] == 4].rename(columns={"track_id": "index"})
    masks = Labels(np.array([[2, 3], [4, 0]]), features=frame[["index", "score", "class"]])
    by_index = masks.features.set_index("index")["score"]
    assert by_index[3] == table.set_index(["track_id", "t"]).loc[(3, 4), "score"]


def test_the_table_reads_back_as_the_tracks_it_was_made_of(tracked, cut_tracks, tmp_path):
    back = read_tracks(tracked.export("csv", tmp_path / "scores.csv", scheme=2))
    pd.testing.assert_frame_equal(back[list(cut_tracks.columns)], cut_tracks, check_dtype=False)
    assert set(back["label"]) == {"interphase", "metaphase"}


class TestBadInput:
    def test_what_is_missing_is_said(self, tracked, tmp_path):
        with pytest.raises(InputError, match="scheme 1 to 4"):
            tracked.export("csv", tmp_path / "s.csv")
        with pytest.raises(InputError, match=r"The crop set 'nowhere' of .* does not exist"):
            tracked.export("csv", tmp_path / "s.csv", scheme=2, crops="nowhere")
        with pytest.raises(InputError, match="no trained scheme4-mse"):
            tracked.export("csv", tmp_path / "s.csv", scheme=4, loss="mse")
        with pytest.raises(InputError, match="a copy of the file of tracks"):
            tracked.export("trackmate", tmp_path / "s.xml", scheme=2)
        with pytest.raises(InputError, match="There is no format 'excel'; expected zoo, law, csv"):
            tracked.export("excel", tmp_path / "s.xls", scheme=2)
        assert not list(tmp_path.iterdir())

    def test_cells_without_tracks_and_several_sets_with_them(self, untracked, tracked, tmp_path):
        with pytest.raises(InputError, match="no crop set with tracks"):
            untracked.export("csv", tmp_path / "s.csv", scheme=2)
        with pytest.raises(InputError, match="drawn have no tracks"):
            untracked.export("csv", tmp_path / "s.csv", scheme=2, crops="drawn")
        both = Study(shutil.copytree(tracked.path, tmp_path / "both"))
        shutil.copytree(both.path / "crops/movie", both.path / "crops/again")
        with pytest.raises(InputError, match="2 crop sets with tracks; name one of again, movie"):
            both.export("csv", tmp_path / "s.csv", scheme=2)
        assert both.export("csv", tmp_path / "s.csv", scheme=2, crops="again").exists()

    def test_a_stopped_export_writes_nothing(self, tracked, tmp_path):
        with pytest.raises(InterruptedError):
            tracked.export("csv", tmp_path / "s.csv", scheme=2, monitor=Monitor(should_stop=lambda: True))
        assert not list(tmp_path.iterdir())
