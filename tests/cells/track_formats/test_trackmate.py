"""TrackMate XML: real files, filters, splits and merges, and files that mean harm."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from morpholaw.cells.tracks import TracksWarning, divisions, read_tracks
from morpholaw.errors import InputError

SPOTS = {
    1: (0, 2.0, 1.0),
    2: (1, 2.0, 2.0),
    3: (2, 1.0, 3.0),
    4: (2, 3.0, 3.0),
    5: (3, 3.0, 4.0),
    6: (0, 9, 9),
}
EDGES = {0: [(1, 2), (2, 3), (2, 4), (5, 4)]}


def xml(
    spots: dict = SPOTS,
    edges: dict = EDGES,
    kept: str = "0",
    image: str = 'pixelwidth="0.5" pixelheight="0.5"',
) -> str:
    spot = "".join(
        f'<Spot ID="{i}" FRAME="{t}" POSITION_X="{x}" POSITION_Y="{y}" POSITION_Z="0" VISIBILITY="1"/>'
        for i, (t, y, x) in spots.items()
    )
    track = "".join(
        f'<Track TRACK_ID="{k}">'
        + "".join(f'<Edge SPOT_SOURCE_ID="{a}" SPOT_TARGET_ID="{b}"/>' for a, b in pairs)
        + "</Track>"
        for k, pairs in edges.items()
    )
    filtered = "".join(f'<TrackID TRACK_ID="{k}"/>' for k in kept.split(","))
    return (
        f'<?xml version="1.0"?><TrackMate version="7"><Model><AllSpots><SpotsInFrame frame="0">{spot}'
        f"</SpotsInFrame></AllSpots><AllTracks>{track}</AllTracks><FilteredTracks>{filtered}</FilteredTracks></Model>"
        f'<Settings><ImageData {image} nslices="1"/></Settings></TrackMate>'
    )


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "tracks.xml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
def test_edges_become_tracks_split_at_divisions(tmp_path: Path) -> None:
    tracks = read_tracks(write(tmp_path, xml()))
    assert tracks["track_id"].tolist() == [1, 1, 2, 3, 3]
    assert tracks["parent"].tolist() == [-1, -1, 1, 1, 1]
    assert tracks["t"].tolist() == [0, 1, 2, 2, 3]
    assert tracks["y"].tolist() == [4, 4, 2, 6, 6]
    assert tracks["x"].tolist() == [2, 4, 6, 6, 8]


def test_what_trackmate_hides_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, xml(edges={0: [(1, 2)], 1: [(3, 5)]}, kept="1"))
    with pytest.warns(TracksWarning, match="4 spots are in no track that TrackMate shows"):
        assert read_tracks(path)["t"].tolist() == [2, 3]


def test_merge_begins_a_new_track(tmp_path: Path) -> None:
    path = write(tmp_path, xml(spots={1: (0, 0, 0), 2: (0, 1, 1), 3: (1, 0, 0)}, edges={0: [(1, 3), (2, 3)]}))
    with pytest.warns(TracksWarning, match="1 spots have two predecessors"):
        tracks = read_tracks(path)
    assert tracks["track_id"].tolist() == [1, 2, 3]
    assert tracks["parent"].tolist() == [-1, -1, -1]


def test_pixel_size_that_the_file_does_not_state(tmp_path: Path) -> None:
    path = write(tmp_path, xml(spots={1: (0, 2.0, 3.0), 2: (1, 2.0, 3.0)}, edges={0: [(1, 2)]}, image=""))
    with pytest.raises(InputError, match="states no pixel size"):
        read_tracks(path)
    assert read_tracks(path, pixel_size=2.0)["x"].tolist() == [1.5, 1.5]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><TrackMate>&b;</TrackMate>',
            "declares a document type",
        ),
        ('<!DOCTYPE b SYSTEM "file:///etc/passwd"><TrackMate/>', "declares a document type"),
        ("<TrackMate><Model>", "is not valid XML"),
        ("<TrackMate/>", "holds no spots"),
        ("<TrackMate><Spot ID='1' FRAME='0' POSITION_X='1'/></TrackMate>", "without POSITION_Y"),
        (xml(spots={1: (0, "far", 1)}, edges={}), "not a number"),
        (xml(edges={0: [(1, 10**20)]}), "the ID 1000+ is too large"),
        (xml(edges={0: [(1, 99)]}), "an edge to the spot 99"),
        (xml(edges={0: [(1, 6)]}), "between two spots of the same frame"),
    ],
)
@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
def test_unusable_files(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_tracks(write(tmp_path, text))


@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
def test_a_number_of_slices_that_is_none_costs_nothing_but_its_warning(tmp_path: Path) -> None:
    whole = read_tracks(write(tmp_path, xml()))
    odd = read_tracks(write(tmp_path, xml().replace('nslices="1"', 'nslices="many"')))
    pd.testing.assert_frame_equal(odd, whole)


def splits(path: Path) -> float:
    """How many divisions TrackMate itself counted."""
    return sum(map(float, re.findall(r'NUMBER_SPLITS="([\d.]+)"', path.read_text(encoding="utf-8"))))


def test_real_files(shared_data: Path) -> None:
    folder = shared_data / "trackmate_geff"
    bacteria = read_tracks(folder / "Ecoli_growth_on_agar_pad.xml", movie_shape=(23, 960, 660))
    assert len(bacteria) == 526
    assert bacteria["t"].max() == 22
    assert len(divisions(bacteria)) == splits(folder / "Ecoli_growth_on_agar_pad.xml")
    with pytest.warns(TracksWarning, match=r"3D \(41 slices\)"):
        embryo = read_tracks(folder / "Celegans-5pc-17timepoints.xml", movie_shape=(17, 295, 240))
    assert len(embryo) == 87
    assert len(divisions(embryo)) == splits(folder / "Celegans-5pc-17timepoints.xml")
