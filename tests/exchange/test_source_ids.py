"""The ids of the tracks' own file are in the crop set, in scores, in exported labels and in every exported format."""

from __future__ import annotations

import h5py
import pandas as pd
import pytest

from morpholaw.cells.tracks import read_tracks

pytestmark = pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")


def key(table: pd.DataFrame) -> dict[str, str]:
    """Spot ID to TRACK_ID."""
    return dict(zip(table["source_id"].astype(str), table["source_track"].astype(str), strict=True))


def test_trackmates_ids_are_found_again_in_every_table(cut_with_trackmate, trackmate_file, tmp_path):
    study, expected = cut_with_trackmate, key(read_tracks(trackmate_file))
    crop_set = study.sets[0]
    assert key(crop_set.cells) == expected
    assert key(study.classify(2)) == expected
    assert key(pd.read_csv(study.export("csv", tmp_path / "scores.csv", scheme=2))) == expected
    study.annotations.set_label("movie", 0, "metaphase")
    labels = pd.read_csv(study.annotations.export_csv(tmp_path / "labels.csv", crop_set))
    assert key(labels).items() <= expected.items()
    with h5py.File(study.export("anndata", tmp_path / "cells.h5ad", scheme=2)) as file:
        assert {"source_track", "source_id"} <= set(file["obs"])
    back = read_tracks(study.export("geff", tmp_path / "cells.geff", scheme=2))
    assert sorted(back["source_track"]) == sorted(crop_set.cells["track_id"].astype(str))


def test_labels_by_trackmates_ids_land_on_their_cells(cut_with_trackmate, tmp_path):
    study = cut_with_trackmate
    cells = study.sets[0].cells
    chosen = cells.iloc[[1, 4]]
    table = (
        chosen[["source_id"]].rename(columns={"source_id": "ID"}).assign(label=["metaphase", "interphase"])
    )
    table.to_csv(tmp_path / "labels.csv", index=False)
    assert study.annotations.import_csv(tmp_path / "labels.csv", study.sets[0]) == 2
    given = study.annotations.labels_for(study.sets[0])
    assert [given[1], given[4]] == ["metaphase", "interphase"]
    assert sum(given != "") == 2
