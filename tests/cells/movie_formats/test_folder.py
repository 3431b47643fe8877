"""Folders of frames: what names mean, as many programs write them, and what is left out."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from morpholaw.cells.movies import open_masks, open_movie
from morpholaw.errors import InputError

T, C = 3, 2
Name = Callable[[int, int], str]


@pytest.fixture
def pixels() -> np.ndarray:
    """Frames and channels (t, c, y, x)."""
    return np.random.default_rng(0).integers(0, 60_000, (T, C, 40, 50), dtype="uint16")


def read(path: Path, **choices: Any) -> np.ndarray:
    return np.stack(list(open_movie(path, **choices)))


def write(folder: Path, name: str, frame: np.ndarray) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(folder / name, frame)


GUID = "A81B3C5E-1F7A-4C0D-9E7B-1B2C3D4E5F"

CHANNELS: dict[str, tuple[Name, str]] = {
    "Micro-Manager 1.4": (lambda t, c: f"img_{t:09d}_{('GFP', 'Phase')[c]}_000.tif", "GFP"),
    "Micro-Manager 2": (lambda t, c: f"img_channel{c:03d}_position000_time{t:09d}_z000.tif", "channel000"),
    "Operetta": (lambda t, c: f"r01c01f01p01-ch{c + 1}sk{t + 1}fk1fl1.tiff", "ch1"),
    "word last": (lambda t, c: f"t{t + 1:03d}_{('red', 'phase')[c]}.tif", "red"),
    "word first": (lambda t, c: f"{('mCherry', 'BF')[c]}_{t:04d}.tif", "mCherry"),
    "MetaMorph": (lambda t, c: f"exp_w{c + 1}{('GFP', 'DIC')[c]}_s1_t{t + 1}.TIF", "GFP"),
    "MetaMorph stacks": (lambda t, c: f"exp_w{c + 1}{('GFP', 'DIC')[c]}_s1_t{t + 1}.stk", "GFP"),
    "MetaXpress": (lambda t, c: f"TimePoint_{t + 1}/p_s1_w{c + 1}{GUID}{'AB'[c]}{'0AB'[t]}.tif", "w1"),
    "ImageXpress": (lambda t, c: f"TimePoint_{t + 1}/plate_B02_s1_w{c + 1}.TIF", "w1"),
    "Leica": (lambda t, c: f"Series001_t{t:02d}_z00_ch{c:02d}.tif", "ch00"),
    "Zeiss": (lambda t, c: f"movie_t{t:03d}_c{c}_m1_ORG.tif", "c0"),
    "Nikon": (lambda t, c: f"exp001xy01c{c + 1}t{t + 1:03d}.tif", "c1"),
    "Yokogawa": (lambda t, c: f"AssayPlate_B02_T{t + 1:04d}F001L01A01Z01C{c + 1:02d}.tif", "c01"),
    "ScanR": (lambda t, c: f"--W00001--P00001--Z00000--T{t:05d}--{('DAPI', 'Cy5')[c]}.tif", "DAPI"),
    "Fiji sequence": (lambda t, c: f"movie_t{t + 1:04d}_z0001_c{c + 1:04d}.tif", "c0001"),
    "names of wavelengths": (lambda t, c: f"scan_{('DAPI405', 'GFP488')[c]}_t{t:02d}.tif", "DAPI"),
}


@pytest.mark.parametrize(("name", "channel"), CHANNELS.values(), ids=CHANNELS)
def test_a_file_per_frame_and_channel_is_refused_and_read_by_channel(
    tmp_path: Path, pixels: np.ndarray, name: Name, channel: str
) -> None:
    for t, c in itertools.product(range(T), range(C)):
        write(tmp_path, name(t, c), pixels[t, c])
    with pytest.raises(InputError, match=rf"has 2 channels .*{channel}.*--channel"):
        open_movie(tmp_path)
    movie = open_movie(tmp_path, channel=channel)
    assert np.array_equal(np.stack(list(movie)), pixels[:, 0])


POSITIONS: dict[str, tuple[Name, str]] = {
    "Micro-Manager folders": (lambda t, p: f"Pos{p}/img_{t:09d}_GFP_000.tif", "pos1"),
    "MetaMorph": (lambda t, p: f"exp_s{p + 1}_t{t + 1}.TIF", "s2"),
    "Operetta fields": (lambda t, p: f"r01c01f{p + 1:02d}p01-ch1sk{t + 1}fk1fl1.tiff", "f02"),
    "wells": (lambda t, p: f"{('A03', 'B11')[p]}_t{t:02d}.tif", "B11"),
    "Incucyte": (lambda t, p: f"VID1_{('A1', 'B2')[p]}_1_00d{t:02d}h30m.tif", "B2"),
    "experiments": (lambda t, p: f"exp{p + 1}_t{t:03d}.tif", "exp2"),
    "Nikon": (lambda t, p: f"movie_xy{p + 1}_t{t:02d}.tif", "xy2"),
}


@pytest.mark.parametrize(("name", "position"), POSITIONS.values(), ids=POSITIONS)
def test_positions_are_no_frames(tmp_path: Path, pixels: np.ndarray, name: Name, position: str) -> None:
    for t, p in itertools.product(range(T), range(2)):
        write(tmp_path, name(t, p), pixels[t, p])
    with pytest.raises(InputError, match="has 2 positions"):
        open_movie(tmp_path)
    assert np.array_equal(read(tmp_path, position=position), pixels[:, 1])


ONE: dict[str, tuple[Callable[[int], str], tuple[int, ...] | None]] = {
    "CTC": (lambda t: f"t{t:03d}.tif", (1, 2, 4)),
    "a number": (lambda t: f"{t}.tif", (1, 2, 4)),
    "a number after words": (lambda t: f"my movie 2024 frame {t:02d}.tif", (1, 2, 4)),
    "a single letter": (lambda t: f"s1_f{t}.tif", (1, 2, 4)),
    "Operetta of one channel": (lambda t: f"r02c03f01p01-ch1sk{t}fk1fl1.tiff", (1, 2, 4)),
    "number and clock": (lambda t: f"img_{t:03d}_20240131_12{10 * t:02d}00.tif", (1, 2, 4)),
    "clock": (lambda t: f"cam_2024-01-31_12-{10 * t:02d}-00.tif", None),
    "hours": (lambda t: f"cells_{t:.1f}h.tif", None),
    "hours and minutes": (lambda t: f"cells_{t}h00min.tif", None),
    "elapsed": (lambda t: f"A1_1_00d{t:02d}h00m.tif", None),
}


@pytest.mark.parametrize(("name", "numbers"), ONE.values(), ids=ONE)
def test_the_number_in_a_name_is_the_number_of_the_frame(
    tmp_path: Path, pixels: np.ndarray, name: Callable[[int], str], numbers: tuple[int, ...] | None
) -> None:
    for t, frame in zip((1, 2, 4), pixels[:, 0], strict=True):
        write(tmp_path, name(t), frame)
    movie = open_movie(tmp_path)
    assert np.array_equal(np.stack(list(movie)), pixels[:, 0])
    assert movie.facts.frame_numbers == numbers
    if numbers is None:
        assert movie.facts.frame_interval in (900.0, 5400.0)


def test_a_chosen_channel_keeps_the_numbers_of_its_frames(tmp_path: Path, pixels: np.ndarray) -> None:
    for t in range(0, 9):
        write(tmp_path, f"t{t:03d}_phase.tif", pixels[0, 1])
    for t, frame in zip((0, 4, 8), pixels[:, 0], strict=True):
        write(tmp_path, f"t{t:03d}_gfp.tif", frame)
    movie = open_movie(tmp_path, channel="gfp")
    assert movie.facts.frame_numbers == (0, 4, 8)
    assert np.array_equal(np.stack(list(movie)), pixels[:, 0])


def test_slices_are_projected_or_chosen(tmp_path: Path) -> None:
    stack = np.random.default_rng(0).integers(0, 999, (3, 4, 20, 30), dtype="uint16")
    for t, z in itertools.product(range(3), range(4)):
        write(tmp_path, f"m_t{t}_z{z}.tif", stack[t, z])
    with pytest.raises(InputError, match="has 4 slices along z"):
        open_movie(tmp_path)
    assert np.array_equal(read(tmp_path, z="max"), stack.max(axis=1))
    assert np.array_equal(read(tmp_path, z=2), stack[:, 2])
    (tmp_path / "m_t1_z3.tif").unlink()
    with pytest.raises(InputError, match="1 of 12 images are missing, the first of them slice 3 of frame 1"):
        open_movie(tmp_path, z="max")


def test_one_file_per_frame_with_all_channels_in_it(tmp_path: Path, pixels: np.ndarray) -> None:
    for t in range(T):
        tifffile.imwrite(tmp_path / f"t{t}.tif", pixels[t], imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(InputError, match=r"t0\.tif .* has 2 channels"):
        open_movie(tmp_path)
    movie = open_movie(tmp_path, channel=1)
    assert np.array_equal(np.stack(list(movie)), pixels[:, 1])
    assert movie.facts.channel == 1


@pytest.mark.parametrize("mask", ["t{}_mask.tif", "t{}_cp_masks.png", "mask_t{}.tif", "t{}_seg.png"])
def test_masks_beside_the_frames_are_not_read_as_frames(
    tmp_path: Path, pixels: np.ndarray, mask: str
) -> None:
    masks = (pixels[:, 0] > 30_000).astype("uint8")
    for t in range(T):
        write(tmp_path, f"t{t}.tif", pixels[t, 0])
        if mask.endswith("png"):
            Image.fromarray(masks[t]).save(tmp_path / mask.format(t))
        else:
            write(tmp_path, mask.format(t), masks[t])
    movie = open_movie(tmp_path)
    assert np.array_equal(np.stack(list(movie)), pixels[:, 0])
    assert "3 files that are called masks are not read" in movie.facts.notes[0]
    assert np.array_equal(np.stack(list(open_masks(tmp_path))), masks)


def test_thumbnails_beside_the_frames_are_not_read(tmp_path: Path, pixels: np.ndarray) -> None:
    for t in range(T):
        write(tmp_path, f"TimePoint_{t + 1}/exp_B02_s1.TIF", pixels[t, 0])
        write(tmp_path, f"TimePoint_{t + 1}/exp_B02_s1_thumb1F2A.TIF", pixels[t, 0, ::4, ::4])
    assert np.array_equal(read(tmp_path), pixels[:, 0])


def test_a_folder_of_masks_alone_is_read(tmp_path: Path, pixels: np.ndarray) -> None:
    for t in range(T):
        write(tmp_path, f"mask{t:03d}.tif", pixels[t, 0])
    assert open_movie(tmp_path).shape == (T, 40, 50)


def test_two_numbers_that_nothing_explains_are_asked_for(tmp_path: Path, pixels: np.ndarray) -> None:
    for t, c in itertools.product(range(T), range(C)):
        write(tmp_path, f"{c}_{t}.tif", pixels[t, c])
    with pytest.raises(InputError, match=r"2 numbers change in the names .*--axes tcyx"):
        open_movie(tmp_path)
    assert np.array_equal(read(tmp_path, axes="ctyx", channel=1), pixels[:, 1])
    assert open_movie(tmp_path, axes="tyx").shape == (6, 40, 50)
    with pytest.raises(InputError, match="--axes ctzyx has 3 axes before y and x, but 2 numbers change"):
        open_movie(tmp_path, axes="ctzyx")


@pytest.mark.parametrize("kind", ["channel", "position"])
def test_files_that_differ_in_one_way_only_can_be_said_to_be_frames(
    tmp_path: Path, pixels: np.ndarray, kind: str
) -> None:
    for i in range(3):
        write(tmp_path, f"{kind}{i}.tif", pixels[i, 0])
    with pytest.raises(InputError, match=rf"has 3 {kind}s .*--axes tyx"):
        open_movie(tmp_path)
    assert np.array_equal(read(tmp_path, axes="tyx"), pixels[:, 0])


def test_a_picture_that_is_no_frame_is_named(tmp_path: Path, pixels: np.ndarray) -> None:
    for t in range(T):
        write(tmp_path, f"t{t:03d}.tif", pixels[t, 0])
    write(tmp_path, "overview.tif", pixels[0, 1])
    with pytest.raises(InputError, match=r"\(4 files\) has 2 channels .*overview"):
        open_movie(tmp_path)


def test_folders_that_cannot_be_read_say_what_to_do(tmp_path: Path, pixels: np.ndarray) -> None:
    (tmp_path / "jpg").mkdir()
    (tmp_path / "jpg" / "t0.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(InputError, match=r"Its 1 \.jpg files cannot be read; convert them to TIFF"):
        open_movie(tmp_path / "jpg")
    for name in ("01", "01_GT"):
        write(tmp_path / "ctc", f"{name}/t000.tif", pixels[0, 0])
    with pytest.raises(InputError, match=r"Open one of its folders \(01, 01_GT\)"):
        open_movie(tmp_path / "ctc")
    write(tmp_path / "one", "movie.tif", pixels[:, 0])
    assert open_movie(tmp_path / "one").shape == (T, 40, 50)


def test_a_pause_between_frames_named_by_the_clock_is_reported(tmp_path: Path, pixels: np.ndarray) -> None:
    for t in range(12):
        hour, minute = divmod(600 + 10 * t + (120 if t > 7 else 0), 60)
        tifffile.imwrite(
            tmp_path / f"cam_2024-01-31_{hour:02d}-{minute:02d}-00.tif",
            pixels.reshape(-1, *pixels.shape[-2:])[0],
        )
    facts = open_movie(tmp_path).facts
    assert facts.frame_interval == 600
    assert "7800 s between frames 7 and 8. Most are 600 s apart, which is used" in facts.notes[0]
