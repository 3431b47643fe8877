"""Cells as a GEFF graph: the format's own package validates and reads it, and so do we."""

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.tracks import read_tracks
from morpholaw.errors import InputError
from morpholaw.exchange import optional
from morpholaw.exchange.geff import write_geff


def graph(path):
    """The graph as geff reads it, validated to its values."""
    import geff
    from geff.validate.data import ValidationConfig

    every = ValidationConfig(graph=True, sphere=True, ellipsoid=True, lineage=True, tracklet=True)
    return geff.read(path, structure_validation=True, data_validation=every)


def test_the_package_geff_reads_scores_at_the_nodes(scores, tmp_path):
    read, metadata = graph(write_geff(tmp_path / "cells.geff", scores))
    assert read.is_directed()
    nodes = pd.DataFrame.from_dict(dict(read.nodes(data=True)), orient="index").sort_index()
    pd.testing.assert_frame_equal(
        nodes[["track_id", "t", "y", "x", "score", "class"]],
        scores.table[["track_id", "t", "y", "x", "score", "class"]],
        check_dtype=False,
        check_index_type=False,
    )
    key = list(zip(nodes["track_id"], nodes["t"], strict=True))
    edges = {(key[a], key[b]) for a, b in read.edges}
    assert len(edges) == 13
    assert {((1, 2), (3, 3)), ((1, 2), (4, 3)), ((2, 0), (2, 1))} <= edges
    axes = {axis.name: axis for axis in metadata.axes}
    assert (axes["x"].unit, axes["x"].scale, axes["x"].scaled_unit) == ("pixel", 0.333, "micrometer")
    assert axes["t"].unit == "frame"


def test_we_read_the_tracks_back(scores, tmp_path):
    back = read_tracks(write_geff(tmp_path / "cells.geff", scores))
    back, own = (one.sort_values(["t", "y"], ignore_index=True) for one in (back, scores.table))
    pd.testing.assert_frame_equal(back[["t", "y", "x"]], own[["t", "y", "x"]], check_dtype=False)
    assert (back["parent"] >= 0).sum() == (own["parent"] >= 0).sum() == 6


def test_lineage_of_a_real_file(shared_data, scores_of, tmp_path):
    tracks = read_tracks(shared_data / "trackmate_geff" / "Ecoli_growth_on_agar_pad.xml")
    read, _ = graph(write_geff(tmp_path / "cells.geff", scores_of(tracks, "bacteria")))
    assert (read.number_of_nodes(), read.number_of_edges()) == (526, 523)  # as the file's own GEFF twin has


def test_a_study_writes_its_cells(tracked, tmp_path):
    read, _ = graph(tracked.export("geff", tmp_path / "cells.geff", scheme=2))
    written = np.sort([data["score"] for _, data in read.nodes(data=True)])
    np.testing.assert_allclose(written, np.sort(tracked.classify(2)["score"]), rtol=1e-6)


def test_a_graph_is_replaced_and_another_folder_is_not(scores, scores_of, tmp_path):
    write_geff(tmp_path / "cells.geff", scores)
    few = scores_of(scores.table[scores.table["track_id"] == 2], "one")
    assert graph(write_geff(tmp_path / "cells.geff", few))[0].number_of_nodes() == 6
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(InputError, match="is not a GEFF graph; choose another name"):
        write_geff(tmp_path / "mine", scores)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cells.geff", "mine"]


def test_without_the_package_the_extra_is_named(scores, tmp_path, monkeypatch):
    monkeypatch.setattr(optional, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"geff, which is not installed.*napari-morpholaw\[geff\]"):
        write_geff(tmp_path / "cells.geff", scores)
