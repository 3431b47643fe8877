"""napari tracks as CSV and as a layer's arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from morpholaw.cells.track_formats.napari_csv import napari_tracks
from morpholaw.cells.tracks import TracksWarning, read_tracks, validate_tracks
from morpholaw.errors import InputError


def write(tmp_path: Path, text: str, name: str = "tracks.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "ID,t,y,x\n1,0,2.5,3\n1,1,2.5,4\n",
        "\ufefftrack_id;frame;x;y\n1;0;3;2.5\n1;1;4;2.5\n",
        "Track ID\tTime\tPosition_Y\tPosition_X\n1.0\t0.0\t2.5\t3\n1.0\t1.0\t2.5\t4\n",
        "ID t x y z\n1 0 3 2.5 0\n1 1 4 2.5 0\n",
    ],
    ids=["napari", "semicolons", "tabs", "btrack"],
)
def test_tables_of_many_hands(tmp_path: Path, text: str) -> None:
    tracks = read_tracks(write(tmp_path, text))
    assert tracks.drop(columns="parent").to_numpy().tolist() == [[1, 0, 2.5, 3], [1, 1, 2.5, 4]]


def test_parents_and_labels(tmp_path: Path) -> None:
    text = "id,t,y,x,parent,class\n1,0,0,0,,interphase\n2,1,0,0,1,\n3,1,0,0,1,metaphase\n"
    tracks = read_tracks(write(tmp_path, text))
    assert tracks["parent"].tolist() == [-1, 1, 1]
    assert tracks["label"].tolist() == ["interphase", "", "metaphase"]


def test_3d_positions_are_said(tmp_path: Path) -> None:
    with pytest.warns(TracksWarning, match="z is not used"):
        tracks = read_tracks(write(tmp_path, "ID,t,z,y,x\n1,0,1,2,3\n1,1,2,2,3\n"))
    assert "z" not in tracks


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "has no column track_id, t, y, x: a napari tracks table has ID, t, y and x"),
        ("ID,t,y,x\n1,0,2\n1,1,2,3,4,5\n", "is not a table that can be read"),
        ("ID,t,y,x\n", "holds no tracks"),
        ("ID,t,y,x\n1,0,oops,3\n", "column y that are not a finite number"),
        ("ID,t,y,x\n1,0,1,3\n1,0,2,3\n", "track 1 twice in frame 0"),
    ],
)
def test_unusable_tables(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_tracks(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_a_layer_of_napari() -> None:
    data = np.array([[1, 0, 2.0, 3.0], [2, 1, 4.0, 5.0], [3, 1, 6.0, 7.0]])
    raw = napari_tracks(data, graph={2: [1], 3: 1}, properties={"state": ["a", "", "b"]})
    tracks = validate_tracks(raw)
    assert tracks["parent"].tolist() == [-1, 1, 1]
    assert tracks["label"].tolist() == ["a", "", "b"]
    with pytest.raises(InputError, match="merging tracks cannot be used"):
        napari_tracks(data, graph={3: [1, 2]})
    with pytest.raises(InputError, match=r"have the shape \(3, 3\)"):
        napari_tracks(data[:, :3])
