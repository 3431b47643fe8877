"""GEFF graphs: the real one against its TrackMate source, units, and metadata that lies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import zarr

from morpholaw.cells.tracks import TracksWarning, open_tracks, read_tracks
from morpholaw.errors import InputError


def write(
    path: Path,
    axes: list[dict[str, Any]],
    properties: dict[str, Any],
    edges: Any = ((10, 11), (11, 12), (11, 13)),
    zarr_format: int = 2,
) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=zarr_format)
    group.attrs["geff"] = {"geff_version": "1.1", "directed": True, "axes": axes}
    group.create_array("nodes/ids", data=np.array([10, 11, 12, 13], "u8"))
    group.create_array("edges/ids", data=np.array(edges, "u8").reshape(-1, 2))
    for name, values in properties.items():
        group.create_array(f"nodes/props/{name}/values", data=np.array(values))
    return path


def axis(name: str, kind: str, unit: str | None = None) -> dict[str, Any]:
    return {"name": name, "type": kind, "unit": unit}


T, Y, X = [0, 1, 2, 2], [4.0, 5.0, 6.0, 7.0], [1.0, 2.0, 3.0, 4.0]
PIXELS = [axis("t", "time"), axis("y", "space"), axis("x", "space")]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_graph_becomes_tracks(tmp_path: Path, zarr_format: int) -> None:
    path = write(tmp_path / "g.geff", PIXELS, {"t": T, "y": Y, "x": X}, zarr_format=zarr_format)
    tracks = read_tracks(path)
    assert tracks["track_id"].tolist() == [1, 1, 2, 3]
    assert tracks["parent"].tolist() == [-1, -1, 1, 1]
    assert tracks["y"].tolist() == Y
    assert tracks["x"].tolist() == X


def test_lengths_become_pixels(tmp_path: Path) -> None:
    axes = [axis("t", "time"), axis("y", "space", "nanometer"), axis("x", "space", "micrometer")]
    path = write(tmp_path / "g.geff", axes, {"t": T, "y": Y, "x": X})
    with pytest.raises(InputError, match="positions in nanometer: give the movie's pixel size"):
        read_tracks(path)
    tracks = read_tracks(path, pixel_size=0.5)
    np.testing.assert_allclose(tracks["x"], np.array(X) / 0.5)
    np.testing.assert_allclose(tracks["y"], np.array(Y) / 500)


def test_times_become_frames(tmp_path: Path) -> None:
    axes = [axis("time", "time", "minute"), *PIXELS[1:]]
    path = write(tmp_path / "g.geff", axes, {"time": [0.0, 5.0, 10.0, 10.0], "y": Y, "x": X})
    with pytest.warns(TracksWarning, match="the frame interval is assumed to be 5 minute"):
        assert read_tracks(path)["t"].tolist() == T
    path = write(
        tmp_path / "f.geff", axes, {"time": [0.0, 5.0, 15.0, 15.0], "frame": [3, 4, 6, 6], "y": Y, "x": X}
    )
    assert read_tracks(path)["t"].tolist() == [3, 4, 6, 6]


SECONDS = [axis("t", "time", "second"), *PIXELS[1:]]
SHAPE = (6, 100, 100)


def in_seconds(path: Path, times: list[float], count: int | None = None) -> Path:
    """Four cells on a line, each in the frame of one time."""
    return write(path, SECONDS, {"t": times, "y": Y, "x": X}, edges=[(10, 11), (11, 12), (12, 13)])


@pytest.mark.parametrize(
    ("times", "frames"),
    [
        ([600.0, 900.0, 1200.0, 1500.0], [2, 3, 4, 5]),
        ([599.0, 903.0, 1201.0, 1498.0], [2, 3, 4, 5]),
        ([2.0, 3.0, 4.0, 5.0], [2, 3, 4, 5]),
    ],
    ids=["cells that come late", "jitter", "seconds that are frames"],
)
def test_times_that_end_with_the_movie_are_frames(
    tmp_path: Path, times: list[float], frames: list[int]
) -> None:
    assert (
        open_tracks(in_seconds(tmp_path / "g.geff", times), movie_shape=SHAPE).table["t"].tolist() == frames
    )


@pytest.mark.parametrize("times", [[0.0, 600.0, 1200.0, 1800.0], [0.0, 2.0, 4.0, 4.0 + 2]])
def test_times_that_may_be_frames_in_two_ways_need_the_interval(tmp_path: Path, times: list[float]) -> None:
    path = in_seconds(tmp_path / "g.geff", times)
    shape = (8, 100, 100)
    with pytest.raises(InputError, match="frame_interval"):
        open_tracks(path, movie_shape=shape)
    interval = times[1] / 2
    assert open_tracks(path, movie_shape=shape, frame_interval=interval).table["t"].tolist() == [0, 2, 4, 6]


def test_ids_of_nodes_and_tracks_are_kept(tmp_path: Path) -> None:
    numbers = [7, 7, 9, 12]
    path = write(tmp_path / "g.geff", PIXELS, {"t": T, "y": Y, "x": X, "track_id": numbers})
    table = open_tracks(path).table
    assert table["track_id"].tolist() == numbers
    assert table["source_track"].tolist() == list(map(str, numbers))
    assert table["source_id"].tolist() == ["10", "11", "12", "13"]
    assert table["parent"].tolist() == [-1, -1, 7, 7]


def test_the_scale_that_axes_state_is_told(tmp_path: Path) -> None:
    scaled = [{**one, "unit": "pixel", "scale": 0.5, "scaled_unit": "micrometer"} for one in PIXELS[1:]]
    facts = open_tracks(write(tmp_path / "g.geff", [PIXELS[0], *scaled], {"t": T, "y": Y, "x": X})).facts
    assert (facts.pixel_size, facts.unit, facts.notes) == (0.5, "pixel", [])


def test_an_order_of_axes_that_nothing_states_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "g.geff", [PIXELS[0], PIXELS[2], PIXELS[1]], {"t": T, "y": Y, "x": X})
    facts = open_tracks(path).facts
    assert "does not say which is vertical" in facts.notes[0]


def test_a_graph_of_an_old_version_is_named(tmp_path: Path) -> None:
    group = zarr.open_group(tmp_path / "old.geff", mode="w", zarr_format=2)
    group.attrs["geff_version"] = "0.2"
    with pytest.raises(InputError, match=r"one of version 0.2: .* write it again with the geff package"):
        open_tracks(tmp_path / "old.geff")


def test_axes_without_telling_names_are_y_then_x(tmp_path: Path) -> None:
    axes = [axis("when", "time"), axis("down", "space"), axis("across", "space")]
    path = write(tmp_path / "g.geff", axes, {"when": T, "down": Y, "across": X})
    assert read_tracks(path)["y"].tolist() == Y


def test_unusable_graphs(tmp_path: Path) -> None:
    path = tmp_path / "g.geff"

    def refused(message: str) -> None:
        with pytest.raises(InputError, match=message):
            read_tracks(path)

    write(path, PIXELS[:2], {"t": T, "y": Y})
    refused("has no x axis")
    write(path, PIXELS, {"t": T, "y": Y})
    refused("is not a zarr array")
    write(path, PIXELS, {"t": T, "y": Y[:3], "x": X})
    refused("expected one number per node")
    write(path, PIXELS, {"t": T, "y": Y, "x": [1.0, np.nan, 2, 3]})
    refused("column x with 1 value that is not a finite number")
    write(path, PIXELS, {"t": T, "y": Y, "x": X}, edges=[(10, 99)])
    refused("an edge to the spot 99")
    write(path, [axis("../../t", "time"), *PIXELS[1:]], {"t": T, "y": Y, "x": X})
    refused("outside the folder")
    write(path, PIXELS, {"t": T, "y": Y, "x": X})
    metadata = path / "nodes" / "ids" / ".zarray"
    metadata.write_text(json.dumps({**json.loads(metadata.read_text()), "shape": [2**50]}))
    refused("stores one frame in [0-9]+ chunks")
    whole = (path / "nodes" / "props" / "t" / "values" / ".zarray").read_text()
    (path / "nodes" / "props" / "t" / "values" / ".zarray").write_text(
        json.dumps({**json.loads(whole), "shape": [], "chunks": []})
    )
    metadata.write_text(json.dumps({**json.loads(metadata.read_text()), "shape": [4]}))
    refused("values cannot be read")
    metadata.write_text("{")
    refused("not a valid JSON file")


def test_real_graph_is_the_trackmate_file_it_was_made_from(shared_data: Path) -> None:
    folder = shared_data / "trackmate_geff"
    graph = read_tracks(folder / "Ecoli_growth_on_agar_pad.geff", pixel_size=0.06587)
    pd.testing.assert_frame_equal(graph, read_tracks(folder / "Ecoli_growth_on_agar_pad.xml"))
