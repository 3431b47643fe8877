"""Scores in a copy of a TrackMate file: declared, at the right spots, and nothing else changed."""

import warnings

import numpy as np
import pandas as pd
import pytest
from defusedxml.ElementTree import parse

from morpholaw.cells.tracks import TracksWarning, read_tracks
from morpholaw.errors import InputError
from morpholaw.exchange.trackmate import write_trackmate

pytestmark = pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
SCORE, CLASS = "MORPHOLAW_SCHEME3_SCORE", "MORPHOLAW_SCHEME3_CLASS"


def spots(path):
    """Attributes of every spot, by its ID."""
    return {int(spot.get("ID")): dict(spot.attrib) for spot in parse(path).iter("Spot")}


def declared(path):
    return {one.get("feature"): one for one in parse(path).find(".//SpotFeatures")}


def test_spots_get_the_scores_of_their_track_and_frame(scores, trackmate_file, tmp_path):
    before = trackmate_file.read_bytes()
    copy = write_trackmate(tmp_path / "scored.xml", scores, trackmate_file)
    assert trackmate_file.read_bytes() == before
    places = read_tracks(trackmate_file).set_index("source_id")[["t", "y", "x"]].round(3)
    own = scores.table.round({"y": 3, "x": 3}).set_index(["t", "y", "x"])["score"].dropna()
    found = spots(copy)
    assert len(own) == sum(SCORE in spot for spot in found.values()) == len(scores.table) - 1
    for spot, values in found.items():
        if SCORE in values:
            score = own[tuple(places.loc[str(spot)])]
            assert float(values[SCORE]) == score
            assert values[CLASS] == str(int(score >= 0))
    assert SCORE not in found[7]  # the dust that is in no track
    features = declared(copy)
    assert features[SCORE].get("isint") == "false"
    assert "0 interphase, 1 metaphase" in features[CLASS].get("name")
    assert all(one.get("shortname") and one.get("dimension") for one in features.values())


def test_what_else_the_file_holds_stays(scores, trackmate_file, tmp_path):
    copy = write_trackmate(tmp_path / "scored.xml", scores, trackmate_file)
    pd.testing.assert_frame_equal(read_tracks(copy), read_tracks(trackmate_file))
    old, new = (
        list(parse(trackmate_file).iter()),
        [one for one in parse(copy).iter() if one.get("feature") not in (SCORE, CLASS)],
    )
    assert [(one.tag, (one.text or "").strip()) for one in new] == [
        (one.tag, (one.text or "").strip()) for one in old
    ]
    for mine, theirs in zip(new, old, strict=True):
        assert {k: v for k, v in mine.attrib.items() if k not in (SCORE, CLASS)} == theirs.attrib


def test_scores_of_another_scheme_lie_beside_and_of_the_same_take_their_place(
    scores, trackmate_file, tmp_path
):
    from dataclasses import replace

    once = write_trackmate(tmp_path / "1.xml", scores, trackmate_file)
    twice = write_trackmate(tmp_path / "2.xml", replace(scores, scheme=2), once)
    others = scores.table.assign(score=5.0, **{"class": "metaphase"})
    again = write_trackmate(tmp_path / "3.xml", replace(scores, table=others), twice)
    assert list(declared(again)) == [
        "POSITION_X",
        "MORPHOLAW_SCHEME2_SCORE",
        "MORPHOLAW_SCHEME2_CLASS",
        SCORE,
        CLASS,
    ]
    assert {spot[SCORE] for spot in spots(again).values() if SCORE in spot} == {"5.0"}


def test_a_class_that_follows_from_the_whole_track_is_written_and_not_the_sign_of_the_score(
    scores, trackmate_file, tmp_path
):
    from dataclasses import replace

    along = replace(scores, table=scores.table.assign(**{"class": "interphase"}))
    written = spots(write_trackmate(tmp_path / "scored.xml", along, trackmate_file))
    assert {spot[CLASS] for spot in written.values() if CLASS in spot} == {"0"}


def test_a_real_file(shared_data, scores_of, tmp_path):
    original = shared_data / "trackmate_geff" / "Ecoli_growth_on_agar_pad.xml"
    scores = scores_of(read_tracks(original), "bacteria")
    copy = write_trackmate(tmp_path / "scored.xml", scores, original)
    pd.testing.assert_frame_equal(read_tracks(copy), read_tracks(original))
    written = sorted(float(spot["MORPHOLAW_SCHEME2_SCORE"]) for spot in spots(copy).values())
    np.testing.assert_array_equal(written, scores.table["score"])


def test_a_study_cut_with_a_trackmate_file_writes_into_it(tracked, trackmate_file, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", TracksWarning)
        copy = tracked.export("trackmate", tmp_path / "scored.xml", scheme=3, tracks=trackmate_file)
    written = sorted(float(spot[SCORE]) for spot in spots(copy).values() if SCORE in spot)
    np.testing.assert_allclose(written, np.sort(tracked.classify(3)["score"]), rtol=1e-6)


def test_spots_are_found_by_their_own_ids(scores, trackmate_file, tmp_path):
    from dataclasses import replace

    by_place = spots(write_trackmate(tmp_path / "1.xml", scores, trackmate_file))
    tracks = read_tracks(trackmate_file).round({"y": 3, "x": 3})
    ids = tracks.set_index(["t", "y", "x"])["source_id"]
    table = scores.table.round({"y": 3, "x": 3})
    table["source_id"] = [ids[tuple(row)] for row in table[["t", "y", "x"]].to_numpy().tolist()]
    table["track_id"] += 100
    named = replace(scores, table=table)
    assert spots(write_trackmate(tmp_path / "2.xml", named, trackmate_file)) == by_place


class TestBadInput:
    def test_a_file_of_other_tracks(self, scores, trackmate_file, tmp_path):
        text = trackmate_file.read_text(encoding="utf-8").replace('pixelwidth="0.333"', 'pixelwidth="0.1"')
        trackmate_file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="0 of 15 cells at their track, frame and position"):
            write_trackmate(tmp_path / "scored.xml", scores, trackmate_file)
        assert not (tmp_path / "scored.xml").exists()

    def test_the_original_is_never_written_over(self, scores, trackmate_file):
        before = trackmate_file.read_bytes()
        with pytest.raises(InputError, match="choose another name for the copy"):
            write_trackmate(trackmate_file, scores, trackmate_file)
        assert trackmate_file.read_bytes() == before

    def test_a_file_that_declares_entities_or_no_features(self, scores, trackmate_file, tmp_path):
        text = trackmate_file.read_text(encoding="utf-8")
        trackmate_file.write_text(text.replace("SpotFeatures", "EdgeFeatures"), encoding="utf-8")
        with pytest.raises(InputError, match="declares no spot features"):
            write_trackmate(tmp_path / "scored.xml", scores, trackmate_file)
        evil = '<!DOCTYPE t [<!ENTITY e SYSTEM "file:///etc/hostname">]><TrackMate>&e;</TrackMate>'
        trackmate_file.write_text(evil, encoding="utf-8")
        with pytest.raises(InputError, match="declares a document type"):
            write_trackmate(tmp_path / "scored.xml", scores, trackmate_file)
