"""A timeline as .h5ad: by the letter of the published layout, and as anndata reads it where that is installed."""

from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from morpholaw.config import TimelineConfig
from morpholaw.evaluation.conditions import Conditions
from morpholaw.evaluation.timeline import build_timeline
from morpholaw.study.timeline_files import write_timeline_anndata

MOTHER = ["interphase"] * 3 + ["metaphase"] * 2
TABLE = pd.DataFrame(
    [{"movie": "a", "track_id": 7, "t": t, "parent": -1, "class": name} for t, name in enumerate(MOTHER)]
    + [
        {"movie": "a", "track_id": track, "t": t, "parent": 7, "class": "interphase"}
        for track in (8, 9)
        for t in (5, 6)
    ]
    + [{"movie": "b", "track_id": 7, "t": t, "parent": -1, "class": "metaphase"} for t in range(4)]
)
PLACES = Conditions(
    pd.DataFrame({"movie": ["a", "b"], "condition": ["control", "drug"], "replicate": ["1", "1"]})
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A mother who divides into two daughters, and a cell of another movie that stays in metaphase."""
    timeline = build_timeline(TABLE, TimelineConfig(resamples=50, frame_interval=120.0), PLACES)
    return timeline, write_timeline_anndata(timeline, tmp_path_factory.mktemp("h5ad") / "timeline.h5ad")


def texts(group, name):
    """A column of text of a data frame on disk."""
    node = group[name]
    if node.attrs["encoding-type"] == "string-array":
        return node.asstr()[...].tolist()
    labels = node["categories"].asstr()[...]
    return [labels[code] for code in node["codes"][...]]


def test_each_cell_has_its_time_in_each_class_and_its_family(written):
    timeline, path = written
    with h5py.File(path) as file:
        file.visititems(lambda name, node: node.attrs["encoding-version"])  # KeyError where one has no mark
        assert texts(file["obs"], "_index") == ["a/7", "a/8", "a/9", "b/7"]
        assert texts(file["var"], "_index") == ["interphase", "metaphase"]
        np.testing.assert_allclose(file["X"], [[6, 4], [4, 0], [4, 0], [0, 8]])  # minutes, two per frame
        # The mother's metaphase alone was seen from its beginning to its end.
        np.testing.assert_array_equal(file["layers/seen_whole"], [[0, 1], [0, 0], [0, 0], [0, 0]])
        assert texts(file["obs"], "mother") == ["", "a/7", "a/7", ""]
        assert texts(file["obs"], "family") == ["a/7", "a/7", "a/7", "b/7"]
        assert texts(file["obs"], "condition") == ["control"] * 3 + ["drug"]
        assert file["uns/unit"].asstr()[()] == "min"
        events = file["uns/events"]
        assert texts(events, "event") == timeline.events["event"].tolist() == ["entry", "division"]
        assert texts(events, "cell") == ["a/7", "a/7"]
        assert file["uns/phases/duration"][...].tolist() == timeline.phases["duration"].tolist()


def test_anndata_reads_it(written):
    anndata = pytest.importorskip("anndata", reason="anndata bars pandas 3 on Python 3.11")
    timeline, path = written
    read = anndata.read_h5ad(path)
    assert read[read.obs["condition"] == "control", "metaphase"].X.sum() == 4
    assert read.uns["phases"]["class"].tolist() == timeline.phases["class"].tolist()
    assert read.var["mitotic"].tolist() == [False, True]
