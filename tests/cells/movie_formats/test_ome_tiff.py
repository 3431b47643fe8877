"""OME-TIFF: the header says which plane is what; it may name files wrongly, and contradict the pages."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from morpholaw.cells.movies import open_movie
from morpholaw.errors import InputError

UUID = "urn:uuid:00000000-0000-0000-0000-000000000007"
OTHER = "urn:uuid:00000000-0000-0000-0000-000000000008"


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 60_000, (6, 40, 50), dtype="uint16")


def read(path: Path, **choices: Any) -> np.ndarray:
    return np.stack(list(open_movie(path, **choices)))


def header(images: str, uuid: str = UUID) -> str:
    namespace = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    return f'<?xml version="1.0"?><OME xmlns="{namespace}" UUID="{uuid}">{images}</OME>'


def image(
    data: str, t: int = 6, c: int = 1, z: int = 1, order: str = "XYZCT", name: str = "Pos0", more: str = ""
) -> str:
    return (
        f'<Image ID="Image:0" Name="{name}"><Pixels ID="Pixels:0" DimensionOrder="{order}" Type="uint16" SizeX="50" '
        f'SizeY="40" SizeZ="{z}" SizeT="{t}" SizeC="{c}" {more}>{data}</Pixels></Image>'
    )


def write(path: Path, pages: np.ndarray, text: str) -> Path:
    with tifffile.TiffWriter(path) as writer:
        for i, page in enumerate(pages):
            writer.write(page, description=text if i == 0 else None, metadata=None, contiguous=False)
    return path


@pytest.mark.parametrize(
    "file",
    ["m.ome.tif", "old name.ome.tif", r"D:\Data\exp1.ome.tif", "exp 12:30.ome.tif", "/mnt/x/m.ome.tif"],
)
@pytest.mark.parametrize("uuid", [UUID, OTHER], ids=["same identifier", "changed identifier"])
def test_a_file_is_read_whatever_its_header_once_called_it(
    tmp_path: Path, pixels: np.ndarray, file: str, uuid: str
) -> None:
    data = "".join(
        f'<TiffData IFD="{i}" FirstT="{i}" PlaneCount="1"><UUID FileName="{file}">{uuid}</UUID></TiffData>'
        for i in range(6)
    )
    assert np.array_equal(read(write(tmp_path / "m.ome.tif", pixels, header(image(data)))), pixels)


def test_the_header_gives_the_order_of_the_frames(tmp_path: Path, pixels: np.ndarray) -> None:
    order = [3, 0, 5, 1, 4, 2]
    data = "".join(f'<TiffData IFD="{i}" FirstT="{t}" PlaneCount="1"/>' for t, i in enumerate(order))
    assert np.array_equal(read(write(tmp_path / "m.ome.tif", pixels, header(image(data)))), pixels[order])


@pytest.mark.parametrize("order", ["XYCZT", "XYZCT", "XYTCZ", "XYTZC", "XYZTC", "XYCTZ"])
def test_channels_and_slices_are_found_in_every_order_of_planes(
    tmp_path: Path, order: str, pixels: np.ndarray
) -> None:
    sizes = {"T": 3, "C": 2, "Z": 2}
    planes = np.random.default_rng(1).integers(0, 999, (3, 2, 2, 40, 50), dtype="uint16")  # t, c, z
    stored = [
        planes[at["T"], at["C"], at["Z"]]
        for flat in range(12)
        for at in [
            dict(
                zip(order[2:], np.unravel_index(flat, [sizes[a] for a in order[2:]], order="F"), strict=True)
            )
        ]
    ]
    channels = '<Channel ID="Channel:0:0" Name="H2B"/><Channel ID="Channel:0:1" Name="Phase"/>'
    text = header(image(channels + "<TiffData/>", t=3, c=2, z=2, order=order))
    path = write(tmp_path / "m.ome.tif", np.array(stored), text)
    with pytest.raises(InputError, match=r"has 2 channels \(0: H2B, 1: Phase\).*--channel H2B"):
        open_movie(path)
    with pytest.raises(InputError, match=r"has 2 slices along z.*--z max"):
        open_movie(path, channel="H2B")
    for c, name in enumerate(("H2B", "Phase")):
        assert np.array_equal(read(path, channel=name, z="max"), planes[:, c].max(axis=1))
        assert np.array_equal(read(path, channel=c, z=1), planes[:, c, 1])
    mean = open_movie(path, channel=0, z="mean")
    assert mean.dtype == np.float32
    assert np.allclose(mean.frame(2), planes[2, 0].mean(axis=0))
    assert mean.facts.channels == ("H2B", "Phase")
    assert mean.facts.z == "mean of 2 slices"


def positions(count: int, frames: int) -> str:
    return "".join(
        image(f'<TiffData IFD="{p * frames}" PlaneCount="{frames}"/>', t=frames, name=f"Pos{p}")
        for p in range(count)
    )


def test_positions_of_one_plane_each_are_no_frames(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write(tmp_path / "m.ome.tif", pixels, header(positions(6, 1)))
    with pytest.raises(InputError, match=r"has 6 positions \(0: Pos0, 1: Pos1.*--position Pos0.*--axes tyx"):
        open_movie(path)
    assert np.array_equal(read(path, position="Pos4"), pixels[4:5])
    assert np.array_equal(read(path, axes="tyx"), pixels)


def test_one_position_of_several_movies_is_chosen(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write(tmp_path / "m.ome.tif", pixels, header(positions(2, 3)))
    with pytest.raises(InputError, match="has 2 positions"):
        open_movie(path)
    movie = open_movie(path, position=1)
    assert np.array_equal(np.stack(list(movie)), pixels[3:])
    assert (movie.facts.position, movie.facts.positions) == (1, ("Pos0", "Pos1"))
    with pytest.raises(InputError, match=r"no single position 'Pos7'; its positions are 0: Pos0, 1: Pos1"):
        open_movie(path, position="Pos7")


def test_a_picture_beside_the_movie_is_not_read_and_it_is_said(tmp_path: Path, pixels: np.ndarray) -> None:
    overview = image('<TiffData IFD="0" PlaneCount="1"/>', t=1, name="overview")
    movie = image('<TiffData IFD="1" PlaneCount="5"/>', t=5, name="movie")
    opened = open_movie(write(tmp_path / "m.ome.tif", pixels, header(overview + movie)))
    assert np.array_equal(np.stack(list(opened)), pixels[1:])
    assert "'overview'" in opened.facts.notes[0]


def write_set(folder: Path, pixels: np.ndarray, frames_of: list[int]) -> list[Path]:
    """One file per frame, whose place is in the header alone."""
    paths = [folder / f"plane_{i}.ome.tif" for i in range(len(frames_of))]
    identifiers = [f"urn:uuid:00000000-0000-0000-0000-{i:012d}" for i in range(len(paths))]
    data = "".join(
        f'<TiffData IFD="0" FirstT="{t}" PlaneCount="1"><UUID FileName="{p.name}">{u}</UUID></TiffData>'
        for p, u, t in zip(paths, identifiers, frames_of, strict=True)
    )
    for path, identifier, t in zip(paths, identifiers, frames_of, strict=True):
        write(path, pixels[t : t + 1], header(image(data), identifier))
    return paths


def test_a_set_of_files_is_read_in_the_order_of_its_header(tmp_path: Path, pixels: np.ndarray) -> None:
    paths = write_set(tmp_path, pixels, [4, 1, 0, 5, 3, 2])
    for source in (paths[0], paths[5], tmp_path):
        movie = open_movie(source)
        assert np.array_equal(np.stack(list(movie)), pixels)
        assert len(movie.facts.files) == 6


@pytest.mark.parametrize("opened", [0, 3], ids=["another file", "the copy"])
def test_a_set_with_a_copy_of_one_file_in_the_place_of_another_is_refused(
    tmp_path: Path, pixels: np.ndarray, opened: int
) -> None:
    paths = write_set(tmp_path, pixels, [0, 1, 2, 3, 4, 5])
    shutil.copyfile(paths[1], paths[3])
    with pytest.raises(InputError, match=r"plane_3\.ome\.tif is a copy of plane_1\.ome\.tif"):
        list(open_movie(paths[opened]))


def test_a_set_that_lacks_a_file_is_refused_with_its_name(tmp_path: Path, pixels: np.ndarray) -> None:
    paths = write_set(tmp_path, pixels, [0, 1, 2, 3, 4, 5])
    paths[3].unlink()
    with pytest.raises(
        InputError, match=r"plane_3\.ome\.tif, which its header refers to, is not in the same folder"
    ):
        open_movie(paths[0])


def test_the_position_in_the_file_that_was_named_is_read(tmp_path: Path, pixels: np.ndarray) -> None:
    files = ["MMStack_Pos0.ome.tif", "MMStack_Pos1.ome.tif"]
    images = "".join(
        image(
            f'<TiffData IFD="0" PlaneCount="3"><UUID FileName="{f}">{u}</UUID></TiffData>',
            t=3,
            name=f"Pos{i}",
        )
        for i, (f, u) in enumerate(zip(files, (UUID, OTHER), strict=True))
    )
    for i, uuid in enumerate((UUID, OTHER)):
        write(tmp_path / files[i], pixels[3 * i : 3 * i + 3], header(images, uuid))
    for i in range(2):
        movie = open_movie(tmp_path / files[i])
        assert np.array_equal(np.stack(list(movie)), pixels[3 * i : 3 * i + 3])
        assert movie.facts.position == i


def test_a_companion_file_is_read_and_one_that_points_to_it(tmp_path: Path, pixels: np.ndarray) -> None:
    data = "".join(
        f'<TiffData IFD="0" FirstT="{i}" PlaneCount="1"><UUID FileName="f{i}.ome.tif">{i}</UUID></TiffData>'
        for i in range(6)
    )
    (tmp_path / "m.companion.ome").write_text(header(image(data)))
    pointer = header('<BinaryOnly MetadataFile="m.companion.ome" UUID="x"/>')
    for i in range(6):
        write(tmp_path / f"f{i}.ome.tif", pixels[i : i + 1], pointer)
    for source in ("m.companion.ome", "f3.ome.tif"):
        assert np.array_equal(read(tmp_path / source), pixels)
    (tmp_path / "m.companion.ome").unlink()
    with pytest.raises(
        InputError, match=r"whose header is in 'm\.companion\.ome', which is not in the same folder"
    ):
        open_movie(tmp_path / "f3.ome.tif")


@pytest.mark.parametrize(
    ("stated", "frames", "note"),
    [(12, 6, "says 12 frames, but it contains 6"), (4, 6, "not the 4 in its OME header; all are read")],
)
def test_the_pages_decide_where_the_header_counts_other_frames(
    tmp_path: Path, pixels: np.ndarray, stated: int, frames: int, note: str
) -> None:
    movie = open_movie(write(tmp_path / "m.ome.tif", pixels, header(image("<TiffData/>", t=stated))))
    assert len(movie) == frames
    assert np.array_equal(np.stack(list(movie)), pixels)
    assert note in movie.facts.notes[0]


def test_a_frame_that_was_not_finished_is_left_out(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write(tmp_path / "m.ome.tif", pixels[:5], header(image("<TiffData/>", t=4, c=2, order="XYCZT")))
    movie = open_movie(path, channel=1)
    assert np.array_equal(np.stack(list(movie)), pixels[[1, 3]])
    assert "contains 2 complete ones" in movie.facts.notes[0]


def test_more_pages_than_the_header_has_channels_for_are_refused(tmp_path: Path, pixels: np.ndarray) -> None:
    path = write(tmp_path / "m.ome.tif", pixels, header(image("<TiffData/>", t=2, c=2)))
    with pytest.raises(
        InputError, match=r"contains 6 images, but its OME header describes 4 \(2 frames, 2 channels"
    ):
        open_movie(path)


@pytest.mark.parametrize(
    ("attributes", "size", "interval"),
    [
        ('PhysicalSizeX="0.5" PhysicalSizeY="0.5"', 0.5, None),
        ('PhysicalSizeX="0.5"', 0.5, None),
        (
            'PhysicalSizeX="0.0005" PhysicalSizeXUnit="mm" PhysicalSizeY="500" PhysicalSizeYUnit="nm"',
            0.5,
            None,
        ),
        (
            'PhysicalSizeX="1" PhysicalSizeXUnit="pixel" PhysicalSizeY="1" PhysicalSizeYUnit="pixel"',
            None,
            None,
        ),
        ('PhysicalSizeX="0" PhysicalSizeY="0" TimeIncrement="5" TimeIncrementUnit="min"', None, 300.0),
        ('TimeIncrement="1500" TimeIncrementUnit="ms"', None, 1.5),
    ],
)
def test_scale_and_time_of_the_header(
    tmp_path: Path, pixels: np.ndarray, attributes: str, size: float | None, interval: float | None
) -> None:
    facts = open_movie(
        write(tmp_path / "m.ome.tif", pixels, header(image("<TiffData/>", more=attributes)))
    ).facts
    assert facts.pixel_size == pytest.approx(size)
    assert facts.pixel_size_source == ("OME header" if size else None)
    assert facts.frame_interval == pytest.approx(interval)


def test_times_of_planes_give_the_interval(tmp_path: Path, pixels: np.ndarray) -> None:
    planes = "".join(f'<Plane TheT="{t}" TheC="0" TheZ="0" DeltaT="{t * 240.5}"/>' for t in range(6))
    path = write(tmp_path / "m.ome.tif", pixels, header(image("<TiffData/>" + planes)))
    assert open_movie(path).facts.frame_interval == pytest.approx(240.5)


@pytest.mark.parametrize(
    ("times", "attributes", "interval", "words"),
    [
        ([0, 60, 120, 420, 720, 1020], "", None, "60 to 300 s apart, and 60 s between frames 0 and 1"),
        (
            [0, 300, 600, 900, 1200, 1500],
            'TimeIncrement="60"',
            300,
            "states 60 s between frames, but the times of its",
        ),
        ([0, 310, 600, 905, 1195, 1500], 'TimeIncrement="300"', 300, None),
        ([0, 0, 0, 0, 0, 0], 'TimeIncrement="300"', 300, None),
    ],
    ids=["first fast, then slow", "another increment", "some jitter", "times that were not kept"],
)
def test_times_of_planes_that_are_not_even_are_reported(
    tmp_path: Path,
    pixels: np.ndarray,
    times: list[int],
    attributes: str,
    interval: float | None,
    words: str | None,
) -> None:
    planes = "".join(f'<Plane TheT="{t}" TheC="0" TheZ="0" DeltaT="{time}"/>' for t, time in enumerate(times))
    text = header(image("<TiffData/>" + planes, more=attributes))
    facts = open_movie(write(tmp_path / "m.ome.tif", pixels, text)).facts
    assert facts.frame_interval == interval
    assert (words in facts.notes[0]) if words else facts.notes == ()


def test_a_size_that_no_microscope_has_is_ignored_and_it_is_said(tmp_path: Path, pixels: np.ndarray) -> None:
    attributes = 'PhysicalSizeX="350" PhysicalSizeY="350"'
    movie = open_movie(write(tmp_path / "m.ome.tif", pixels, header(image("<TiffData/>", more=attributes))))
    assert movie.pixel_size is None
    assert "a pixel size of 350 µm" in movie.facts.notes[0]


def test_a_header_that_claims_half_a_billion_frames_is_refused_at_once(
    tmp_path: Path, pixels: np.ndarray
) -> None:
    text = header(image("<TiffData/>", t=500_000_000))
    with pytest.raises(InputError, match="claims SizeC 1, SizeZ 1, SizeT 500000000"):
        open_movie(write(tmp_path / "m.ome.tif", pixels[:1], text))
