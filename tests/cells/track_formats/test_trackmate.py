"""TrackMate XML: real files, filters, splits and merges, and files that mean harm."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pandas as pd
import pytest

from morpholaw.cells.tracks import TracksWarning, divisions, open_tracks, read_tracks
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
    assert tracks["track_id"].tolist() == [0, 0, 1, 2, 2]  # the mother keeps TrackMate's own number
    assert tracks["parent"].tolist() == [-1, -1, 0, 0, 0]
    assert tracks["source_track"].tolist() == ["0"] * 5
    assert tracks["source_id"].tolist() == ["1", "2", "3", "4", "5"]
    assert tracks["t"].tolist() == [0, 1, 2, 2, 3]
    assert tracks["y"].tolist() == [4, 4, 2, 6, 6]
    assert tracks["x"].tolist() == [2, 4, 6, 6, 8]


def test_what_trackmate_hides_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, xml(edges={0: [(1, 2)], 1: [(3, 5)]}, kept="1"))
    with pytest.warns(TracksWarning, match="left out 4 spots in no track that TrackMate displays"):
        assert read_tracks(path)["t"].tolist() == [2, 3]


def test_merge_begins_a_new_track(tmp_path: Path) -> None:
    path = write(tmp_path, xml(spots={1: (0, 0, 0), 2: (0, 1, 1), 3: (1, 0, 0)}, edges={0: [(1, 3), (2, 3)]}))
    with pytest.warns(TracksWarning, match="has 1 merge: .* is in the same group as the tracks before it"):
        tracks = read_tracks(path)
    assert tracks["track_id"].nunique() == 3
    assert tracks["parent"].tolist() == [-1, -1, -1]
    assert tracks["family"].nunique() == 1


def test_pixel_size_that_the_file_does_not_state(tmp_path: Path) -> None:
    path = write(tmp_path, xml(spots={1: (0, 2.0, 3.0), 2: (1, 2.0, 3.0)}, edges={0: [(1, 2)]}, image=""))
    with pytest.raises(InputError, match="give the movie's pixel size, in micrometres"):
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
        ("<TrackMate/>", "has no spots"),
        ("<TrackMate><Spot ID='1' FRAME='0' POSITION_X='1'/></TrackMate>", "without POSITION_Y"),
        (xml(kept="7"), "displays no track: TrackMate's track filters hide 1 track"),
        (xml(edges={}), "has 6 spots but no tracks; track them in TrackMate"),
        (xml(spots={1: (0, "far", 1)}, edges={}), "not a number"),
        (xml(edges={0: [(1, 10**20)]}), "the ID 1000+ is too large"),
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


def test_tracks_go_on_across_spots_that_a_filter_hides(tmp_path: Path) -> None:
    spots = {i: (i - 1, float(i), float(i)) for i in range(1, 6)}
    text = xml(spots=spots, edges={0: [(1, 2), (2, 3), (3, 4), (4, 5)]})
    text = text.replace('<Spot ID="3"', '<Spot hidden="" ID="3"', 1)
    head, tail = text.split('<Spot hidden=""')
    text = head + "<Spot" + tail.replace('VISIBILITY="1"', 'VISIBILITY="0"', 1)
    with pytest.warns(TracksWarning, match="left out 1 spot of tracks, hidden by a spot filter"):
        tracks = read_tracks(write(tmp_path, text))
    assert tracks["t"].tolist() == [0, 1, 3, 4]
    assert tracks["track_id"].nunique() == 1


@pytest.mark.parametrize(
    ("old", "new", "note"),
    [
        (
            '<Edge SPOT_SOURCE_ID="1" SPOT_TARGET_ID="2"/>',
            "<Edge/>",
            "left out 1 edge without a spot",
        ),
        (
            'SPOT_TARGET_ID="2"',
            'SPOT_TARGET_ID="99"',
            "left out 1 edge to spots that are not in the file",
        ),
    ],
)
def test_edges_that_lead_nowhere_are_left_out(tmp_path: Path, old: str, new: str, note: str) -> None:
    with pytest.warns(TracksWarning, match=note):
        assert len(read_tracks(write(tmp_path, xml().replace(old, new, 1)))) >= 4


def test_facts_of_the_image_are_told(tmp_path: Path) -> None:
    image = 'pixelwidth="0,5" pixelheight="0,5" width="300" height="200" nframes="6"'
    facts = open_tracks(
        write(tmp_path, xml(image=image).replace("<Model>", '<Model spatialunits="micron">'))
    ).facts
    assert (facts.image_size, facts.frame_count, facts.pixel_size, facts.unit) == ((200, 300), 6, 0.5, "um")


def test_plain_tracks_are_read_where_nothing_divides(tmp_path: Path) -> None:
    def exported(spots: list[tuple[int, float, float]], unit: str = "micron") -> Path:
        inside = "".join(f'<detection t="{t}" x="{x}" y="{y}" z="0.0"/>' for t, y, x in spots)
        return write(
            tmp_path,
            f'<?xml version="1.0"?><Tracks nTracks="1" spaceUnits="{unit}" frameInterval="300.0" timeUnits="sec" '
            f'from="TrackMate v7"><particle nSpots="{len(spots)}">{inside}</particle></Tracks>',
        )

    path = exported([(0, 2.0, 1.0), (1, 2.0, 2.0)])
    with pytest.raises(InputError, match="give the movie's pixel size, in micrometres"):
        read_tracks(path)
    assert read_tracks(path, pixel_size=0.5)["x"].tolist() == [2, 4]
    with pytest.raises(InputError, match="cannot represent divisions"):
        read_tracks(exported([(0, 2.0, 1.0), (0, 2.0, 2.0)], "pixel"))


def test_a_long_attribute_takes_no_quadratic_time(tmp_path: Path) -> None:
    path = write(tmp_path, xml().replace('ID="1"', 'name="' + "A" * 30_000_000 + '" ID="1"', 1))
    start = time.process_time()
    open_tracks(path)
    assert time.process_time() - start < 3


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
