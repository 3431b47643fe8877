"""Classes in a copy of a btrack file: at the right objects, as btrack documents them, the original as it was."""

from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.tracks import read_tracks
from morpholaw.errors import InputError
from morpholaw.exchange.btrack import write_btrack

SHAPE = (6, 160, 240)


def test_objects_get_the_class_of_their_track_and_frame(scores, btrack_file, tmp_path):
    before = btrack_file.read_bytes()
    copy = write_btrack(tmp_path / "classified.h5", scores, btrack_file)
    assert btrack_file.read_bytes() == before
    tracks = read_tracks(copy, SHAPE)
    expected = (
        scores.table["class"].mask(tracks["dummy"], "").replace("undefined", "apoptosis")
    )  # as it was before
    assert tracks["label"].tolist() == expected.tolist()
    pd.testing.assert_frame_equal(
        tracks.drop(columns="label"), read_tracks(btrack_file, SHAPE).drop(columns="label")
    )


def test_probabilities_stand_in_the_columns_of_their_states(scores, btrack_file, tmp_path):
    with h5py.File(write_btrack(tmp_path / "classified.h5", scores, btrack_file)) as file:
        labels = file["objects/obj_type_1/labels"][...]
    assert labels.dtype == np.float32
    assert labels.shape == (15, 6)
    scored = labels[:, 1:].any(1)
    assert (
        scored.sum() == 13
    )  # neither the object outside of the filter nor the undefined one; the dummy is none
    np.testing.assert_allclose(labels[scored, 1:].sum(1), 1, rtol=1e-6)
    np.testing.assert_array_equal(labels[scored, 1:].argmax(1), labels[scored, 0])
    np.testing.assert_array_equal(labels[~scored, 0], 4)
    odds = np.sort(np.log(labels[scored, 3] / labels[scored, 1]))
    own = scores.table.query("not (track_id == 4 and t == 4)")["score"].dropna()
    np.testing.assert_allclose(odds, np.sort(own), rtol=1e-4, atol=1e-6)


def test_a_real_file(shared_data, scores_of, tmp_path):
    original = shared_data / "btrack_tracks" / "tracks.h5"
    tracks = read_tracks(original)
    scores = scores_of(tracks, "cells")
    back = read_tracks(write_btrack(tmp_path / "classified.h5", scores, original))
    real = ~back["dummy"]
    assert back.loc[real, "label"].tolist() == scores.table.loc[real, "class"].tolist()
    pd.testing.assert_frame_equal(back.drop(columns="label"), tracks.drop(columns="label"))


def test_a_study_writes_into_the_file_that_it_was_cut_with(tracked, btrack_file, tmp_path):
    copy = tracked.export("btrack", tmp_path / "classified.h5", scheme=3, tracks=btrack_file)
    back = read_tracks(copy, SHAPE).query("not dummy").set_index(["track_id", "t"])["label"]
    own = tracked.classify(3).set_index(["track_id", "t"])["class"]
    assert back.tolist() == own.loc[back.index].tolist()


class TestBadInput:
    def test_a_class_that_btrack_has_no_state_for(self, scores, btrack_file, tmp_path):
        with pytest.raises(InputError, match="no state 'round'; its states are interphase, prometaphase"):
            write_btrack(tmp_path / "c.h5", replace(scores, classes=("interphase", "round")), btrack_file)

    def test_a_file_of_other_tracks(self, scores, btrack_file, tmp_path):
        with h5py.File(btrack_file, "r+") as file:
            coords = file["objects/obj_type_1/coords"]
            coords[:, 1:3] = coords[:, 1:3] + 40
        with pytest.raises(InputError, match="does not have the tracks of the crop set movie"):
            write_btrack(tmp_path / "c.h5", scores, btrack_file)

    def test_tracks_of_other_numbers_are_matched_by_place(self, scores, btrack_file, tmp_path):
        as_cut = read_tracks(write_btrack(tmp_path / "a.h5", scores, btrack_file), SHAPE)
        with h5py.File(btrack_file, "r+") as file:
            lineage = file["tracks/obj_type_1/LBEPR"][...]
            lineage[:, [0, 3]] += 10
            file["tracks/obj_type_1/LBEPR"][...] = lineage
        renumbered = read_tracks(write_btrack(tmp_path / "b.h5", scores, btrack_file), SHAPE)
        assert renumbered["label"].tolist() == as_cut["label"].tolist()
        assert renumbered["track_id"].tolist() != as_cut["track_id"].tolist()

    def test_the_original_is_never_written_over(self, scores, btrack_file):
        before = btrack_file.read_bytes()
        with pytest.raises(InputError, match="choose another name for the copy"):
            write_btrack(btrack_file, scores, btrack_file)
        assert btrack_file.read_bytes() == before

    def test_a_link_to_another_file_is_not_written_through(self, scores, btrack_file, tmp_path):
        with h5py.File(btrack_file, "r+") as file:
            file.move("objects/obj_type_1", "objects/hidden")
        other = btrack_file.rename(tmp_path / "other.h5")
        with h5py.File(btrack_file, "w") as file, h5py.File(other) as source:
            source.copy("tracks", file)
            file.create_group("objects")["obj_type_1"] = h5py.ExternalLink(str(other), "objects/hidden")
        before = other.read_bytes()
        with pytest.raises(InputError, match="links are not followed"):
            write_btrack(tmp_path / "c.h5", scores, btrack_file)
        assert other.read_bytes() == before
        assert not (tmp_path / "c.h5").exists()
