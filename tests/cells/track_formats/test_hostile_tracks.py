"""Track files that mean harm: nothing outside the file is read, and no unit of it takes more than it can need."""

from __future__ import annotations

import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from morpholaw.cells.track_formats import trackmate as trackmate_xml
from morpholaw.cells.tracks import read_tracks
from morpholaw.errors import InputError

COORDS = np.array([[0, 5, 5, 0, 0], [1, 5, 5, 0, 0], [2, 5, 5, 0, 0]], float)


def btrack_file(path: Path, coords: bool = True) -> h5py.File:
    file = h5py.File(path, "w")
    tracks = file.create_group("tracks/obj_type_1")
    tracks["tracks"] = np.arange(3, dtype=np.int64)
    tracks["map"] = np.array([[0, 3]])
    tracks["LBEPR"] = np.array([[1, 0, 2, 1, 1, 0]])
    objects = file.create_group("objects/obj_type_1")
    objects["labels"] = np.zeros((3, 1))
    if coords:
        objects["coords"] = COORDS
    return file


def chunk(path: Path, data: bytes, filters: tuple[str, ...], mask: int = 0) -> Path:
    """A btrack file whose coordinates are one chunk of these bytes."""
    with btrack_file(path, coords=False) as file:
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((3, 5))
        for name in filters:
            creation.set_deflate(1) if name == "deflate" else creation.set_shuffle()
        space = h5py.h5s.create_simple((3, 5))
        objects = file["objects/obj_type_1"].id
        data_set = h5py.h5d.create(objects, b"coords", h5py.h5t.IEEE_F64LE, space, creation)
        data_set.write_direct_chunk((0, 0), data, mask)
    return path


BOMB = zlib.compress(bytes(50_000_000), 9)
TWICE = zlib.compress(BOMB, 9)


@pytest.mark.parametrize(
    ("data", "filters", "sentence"),
    [
        (BOMB, ("deflate",), "expands to more than"),
        (TWICE, ("deflate", "deflate"), "compressed twice"),
        (BOMB, ("deflate", "shuffle"), "shuffled after compression"),
        (bytes(10_000_000), ("deflate",), "more than possible"),
        (b"\x00\x01\x02", ("deflate",), "cannot be read"),
    ],
    ids=["deflate", "deflate twice", "shuffled", "stored", "no deflate"],
)
def test_a_chunk_that_expands_is_refused_before_hdf5_inflates_it(tmp_path, data, filters, sentence):
    with pytest.raises(InputError, match=sentence):
        read_tracks(chunk(tmp_path / "a.h5", data, filters))


def test_ordinary_compressed_chunks_are_read(tmp_path):
    with btrack_file(tmp_path / "a.h5", coords=False) as file:
        options = {"compression": "gzip", "shuffle": True, "fletcher32": True, "chunks": (2, 5)}
        file["objects/obj_type_1"].create_dataset("coords", data=COORDS, **options)
    plain = chunk(
        tmp_path / "b.h5", COORDS.tobytes(), ("deflate",), mask=1
    )  # one that was not worth compressing
    assert len(read_tracks(tmp_path / "a.h5")) == len(read_tracks(plain)) == 3


@pytest.mark.parametrize("member", ["objects", "tracks", "objects/obj_type_1", "objects/obj_type_1/coords"])
@pytest.mark.parametrize("kind", ["external", "soft"])
def test_no_link_of_an_hdf5_file_is_followed(tmp_path, member, kind):
    btrack_file(tmp_path / "other.h5").close()
    with btrack_file(tmp_path / "a.h5") as file:
        file.move(member, "elsewhere")
        file[member] = (
            h5py.ExternalLink("other.h5", f"/{member}") if kind == "external" else h5py.SoftLink("/elsewhere")
        )
    with pytest.raises(InputError, match="links are not followed"):
        read_tracks(tmp_path / "a.h5")


def trackmate(path: Path, inside: str) -> Path:
    path.write_text(
        f'<?xml version="1.0"?><TrackMate><Model><AllSpots>{inside}</AllSpots></Model><Settings>'
        '<ImageData pixelwidth="1" pixelheight="1"/></Settings></TrackMate>'
    )
    return path


SPOT = '<Spot ID="1" FRAME="0" POSITION_X="5" POSITION_Y="5"/>'


@pytest.mark.parametrize(
    "inside",
    [f'<Spot n="{"A" * (100 << 14)}"/>', f"<!-- {'>' * (100 << 14)} -->"],
    ids=["attribute", "comment"],
)
def test_a_tag_without_an_end_is_refused_while_it_is_read(tmp_path, inside, monkeypatch):
    monkeypatch.setattr(trackmate_xml, "_BLOCK", 1 << 18)  # limits and files are a 64th of their size,
    monkeypatch.setattr(trackmate_xml, "_LONGEST_TAG", 1 << 20)  # which would take seconds to write and read
    with pytest.raises(InputError, match="a tag of more than"):
        read_tracks(trackmate(tmp_path / "a.xml", inside))


def test_elements_inside_one_another_without_end_are_refused(tmp_path):
    with pytest.raises(InputError, match="nested more than"):
        read_tracks(trackmate(tmp_path / "a.xml", "<a>" * 200_000 + "</a>" * 200_000 + SPOT))
