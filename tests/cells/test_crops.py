"""Cutting crops: the right pixels, each frame read once, edges as stated, lineages as groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.cells.crop_record import MovieSource
from morpholaw.cells.crops import cut_crops
from morpholaw.cells.families import families
from morpholaw.cells.movies import Movie, open_movie
from morpholaw.cells.normalise import Normalisation
from morpholaw.cells.tracks import TracksWarning, read_tracks
from morpholaw.config import CropConfig
from morpholaw.errors import InputError
from morpholaw.events import Message, Monitor, Progress

HELA = Path(__file__).parents[3] / "shared" / "data" / "hela_ctc_02"
SCALE = Normalisation(100.0, 400.0, per="source")


def nuclei(frames: int = 6, side: int = 120, dtype: Any = np.uint16) -> np.ndarray:
    """Noise on a background of 100 with one bright disc a frame at (60, 60)."""
    pixels = np.random.default_rng(0).normal(100, 3, (frames, side, side))
    y, x = np.mgrid[:side, :side]
    pixels[:, np.hypot(y - 60, x - 60) < 9] += 400
    return pixels.astype(dtype)


def track(rows: list[tuple[int, int, float, float]], **columns: Any) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["track_id", "t", "y", "x"])
    return table.assign(**({"parent": -1} | columns))


MIDDLE = track([(1, t, 60.0, 60.0) for t in range(6)])


class CountingMovie(Movie):
    """A movie that remembers which frames were read."""

    def __init__(self, pixels: np.ndarray) -> None:
        movie = open_movie(pixels, name="counted")
        super().__init__(movie._source, movie.name)
        self.read: list[int] = []

    def frame(self, t: int) -> np.ndarray:
        self.read.append(t)
        return super().frame(t)


def cut(pixels: np.ndarray, tracks: pd.DataFrame, folder: Path, **settings: Any) -> Any:
    scale = settings.pop("normalisation", SCALE)
    return cut_crops(open_movie(pixels, name="film"), tracks, folder, CropConfig(**settings), scale)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.floats(-0.49, 119.4), st.floats(-0.49, 119.4)), min_size=1, max_size=12))
def test_a_crop_is_the_frame_around_the_nearest_pixel(tmp_path_factory, places):
    pixels = nuclei(1)
    tracks = track([(i, 0, y, x) for i, (y, x) in enumerate(places)])
    crops = cut(pixels, tracks, tmp_path_factory.mktemp("s") / "set")
    padded = np.pad(SCALE.apply(pixels[0]), 32)
    for crop, (y, x) in zip(crops.images, places, strict=True):
        row, column = int(np.floor(y + 0.5)), int(np.floor(x + 0.5))
        assert np.array_equal(crop, padded[row : row + 64, column : column + 64])


def test_each_frame_is_read_once_whatever_the_order_of_the_tracks(tmp_path):
    movie = CountingMovie(nuclei(20))
    rows = [(i, t, 40.0 + i, 50.0) for i in range(5) for t in range(i, 20, 2)]
    shuffled = track(rows).sample(frac=1, random_state=0)
    crops = cut_crops(movie, shuffled, tmp_path / "set", normalisation=SCALE)
    assert sorted(movie.read) == sorted({t for _, t, _, _ in rows})
    assert list(zip(crops.cells.t, crops.cells.track_id, strict=True)) == sorted(
        (t, i) for i, t, _, _ in rows
    )
    movie.read.clear()
    cut_crops(movie, shuffled, tmp_path / "fitted")
    assert sorted(movie.read) == sorted({t for _, t, _, _ in rows})


def test_many_cells_and_few_cells_of_a_frame_give_the_same_pixels(tmp_path):
    rows = [(i, 0, 5.0 + 3 * i, 110.0 - 2 * i) for i in range(30)]
    for edge in ("background", "reflect"):
        many = cut(nuclei(1), track(rows), tmp_path / f"many {edge}", edge=edge)
        for i in (0, 17, 29):
            few = cut(nuclei(1), track(rows[i : i + 1]), tmp_path / f"few {edge} {i}", edge=edge)
            assert np.array_equal(few.images[0], many.images[i])


def test_edges_are_padded_mirrored_or_dropped(tmp_path):
    tracks = track([(1, 0, 0.0, 60.0), (2, 0, 60.0, 60.0), (3, 0, 119.0, 119.0)])
    frame = SCALE.apply(nuclei(1)[0])
    padded = cut(nuclei(1), tracks, tmp_path / "padded")
    assert (padded.images[0][:32] == 0).all()
    assert np.array_equal(padded.images[0][32:], frame[:32, 28:92])
    assert padded.record.over_edge == 2
    mirrored = cut(nuclei(1), tracks, tmp_path / "mirrored", edge="reflect")
    assert np.array_equal(mirrored.images[0][:32], frame[:32, 28:92][::-1])
    said: list[Any] = []
    movie = open_movie(nuclei(1), name="film")
    dropped = cut_crops(
        movie, tracks, tmp_path / "dropped", CropConfig(edge="drop"), SCALE, Monitor(said.append)
    )
    assert list(dropped.cells.track_id) == [2]
    assert dropped.record.dropped == 2
    assert Message("2 of 3 cells lie at the border of film and were dropped.") in said


@pytest.mark.parametrize(
    "camera",
    [
        lambda p: np.clip(p / 4, 0, 255).astype(np.uint8),
        lambda p: (p + 32_000).astype(np.uint16),
        lambda p: (p - 5_000).astype(np.int16),
        lambda p: p / 65_535,
        lambda p: (p * 1e4).astype(np.float32),
    ],
    ids=["8 bit", "offset 16 bit", "signed", "unit float", "large float"],
)
def test_all_cameras_agree_on_the_same_cells(tmp_path, camera):
    plain = cut(nuclei(), MIDDLE, tmp_path / "plain", normalisation=None)
    other = cut(camera(nuclei().astype(float)), MIDDLE, tmp_path / "other", normalisation=None)
    difference = np.abs(plain.images.astype(int) - other.images.astype(int))
    assert np.median(plain.images[:, 28:36, 28:36]) > 60
    assert np.median(difference) <= 3
    assert difference.mean() <= 3


def test_a_movie_at_another_scale_is_resampled_to_the_models(tmp_path):
    fine = np.kron(nuclei(1), np.ones((1, 2, 2), np.uint16))
    tracks = track([(1, 0, 2 * 60.5 - 0.5, 2 * 60.5 - 0.5), (2, 0, 81.0, 201.0)])
    resampled = cut(fine, tracks, tmp_path / "fine", pixel_size=0.1665, model_pixel_size=0.333)
    plain = cut(nuclei(1), track([(1, 0, 60.0, 60.0), (2, 0, 40.25, 100.25)]), tmp_path / "plain")
    difference = resampled.images.astype(int) - plain.images.astype(int)
    assert abs(difference).mean() < 8
    areas = [(crops.images[0] > 40).sum() for crops in (resampled, plain)]
    assert areas[0] == pytest.approx(areas[1], rel=0.03)
    assert resampled.record.pixel_size == 0.333
    assert resampled.record.movie_pixel_size == 0.1665
    assert list(resampled.cells.x) == [120.5, 201.0]


def test_a_pixel_size_within_a_percent_is_not_resampled(tmp_path):
    crops = cut(nuclei(), MIDDLE, tmp_path / "set", pixel_size=0.3328, model_pixel_size=0.333)
    assert np.array_equal(crops.images[0], SCALE.apply(nuclei()[0, 28:92, 28:92]))
    assert crops.record.pixel_size == 0.3328


def test_a_lineage_is_one_group_even_where_its_founder_lies_outside(tmp_path):
    rows = [
        (1, 0, 500.0, 5.0),
        (2, 1, 30.0, 30.0),
        (3, 1, 60.0, 60.0),
        (4, 2, 60.0, 60.0),
        (9, 1, 50.0, 50.0),
    ]
    tracks = track(rows, parent=[-1, 1, 1, 3, -1])
    crops = cut(nuclei(), tracks, tmp_path / "set")
    assert dict(zip(crops.cells.track_id, crops.cells.group, strict=True)) == {
        2: "film/1",
        3: "film/1",
        4: "film/1",
        9: "film/9",
    }


def test_a_long_line_of_descent_has_one_root():
    generations = 1000
    tracks = track([(i, i, 0.0, 0.0) for i in range(generations)], parent=np.arange(generations) - 1)
    assert (families(tracks) == 0).all()


def test_merged_tracks_and_daughters_of_a_mother_that_is_not_shown_are_one_group(tmp_path):
    rows = [
        (3, 0, 30.0, 30.0),
        (5, 0, 60.0, 60.0),
        (4, 1, 45.0, 45.0),
        (6, 2, 40.0, 40.0),
        (7, 2, 50.0, 50.0),
    ]
    rows += [(8, 1, 90.0, 30.0), (9, 1, 90.0, 50.0), (10, 0, 30.0, 90.0)]
    tracks = track(rows, parent=[-1, -1, -1, 4, 4, 77, 77, -1], family=[0, 0, 0, 1, 1, 2, 3, 4])
    with pytest.warns(TracksWarning, match="2 tracks have a parent that is not in the table"):
        crops = cut(nuclei(), tracks, tmp_path / "set")
    merged = dict.fromkeys((3, 5, 4, 6, 7), "film/3")
    assert dict(zip(crops.cells.track_id, crops.cells.group, strict=True)) == {
        **merged,
        8: "film/8",
        9: "film/8",
        10: "film/10",
    }


def test_a_mark_for_no_parent_makes_no_family():
    tracks = track([(i, 0, 0.0, 0.0) for i in range(1, 6)], parent=[99999] * 5)
    assert families(tracks).tolist() == [1, 2, 3, 4, 5]


def test_frames_that_repeat_an_earlier_one_are_told(tmp_path):
    pixels = nuclei()
    said: list[Any] = []
    cut_crops(open_movie(pixels, name="film"), MIDDLE, tmp_path / "a", None, SCALE, Monitor(said.append))
    assert not [one for one in said if isinstance(one, Message)]
    pixels[4] = pixels[1]
    cut_crops(open_movie(pixels, name="film"), MIDDLE, tmp_path / "b", None, SCALE, Monitor(said.append))
    (warning,) = [one for one in said if isinstance(one, Message)]
    assert "same pixels as an earlier one (1 and 4)" in warning.text
    assert warning.level == "warning"


def test_labels_and_further_columns_come_along(tmp_path):
    tracks = MIDDLE.assign(label=["metaphase", "", None, "anaphase", "", ""], dummy=[False] * 5 + [True])
    cells = cut(nuclei(), tracks, tmp_path / "set").cells
    assert list(cells.label) == ["metaphase", "", "", "anaphase", "", ""]
    assert list(cells.dummy) == [False] * 5 + [True]


def test_tracks_beyond_the_movie_are_left_out_with_a_warning(tmp_path):
    said: list[Any] = []
    tracks = track([(1, t, 60.0, 60.0) for t in range(9)])
    movie = open_movie(nuclei(), name="film")
    crops = cut_crops(movie, tracks, tmp_path / "set", normalisation=SCALE, monitor=Monitor(said.append))
    assert len(crops) == 6
    assert crops.record.clipped == 3
    assert [m.level for m in said if isinstance(m, Message)] == ["warning"]
    assert said[-1] == Progress(6, 6, "cutting crops")


def test_progress_is_said_while_frames_are_cut(tmp_path, monkeypatch):
    seconds = iter(range(100))
    monkeypatch.setattr("morpholaw.cells.movie_cells.monotonic", lambda: float(next(seconds)))
    said = []
    cut_crops(
        open_movie(nuclei()), MIDDLE, tmp_path / "set", normalisation=SCALE, monitor=Monitor(said.append)
    )
    assert [event.done for event in said if isinstance(event, Progress)] == [1, 2, 3, 4, 5, 6]


def test_the_source_is_recorded_so_that_a_study_can_be_moved(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(tmp_path / "film.tif", nuclei())
    crops = cut_crops(open_movie(tmp_path / "film.tif"), MIDDLE, tmp_path / "study" / "set")
    (source,) = crops.record.sources
    assert source.path == "../../film.tif"
    assert len(source.fingerprint) == 64
    assert crops.record.movie == MovieSource(name="film", shape=(6, 120, 120), dtype="uint16")


def test_blank_frames_give_blank_crops(tmp_path):
    crops = cut(np.zeros((6, 120, 120), np.uint16), MIDDLE, tmp_path / "set", normalisation=None)
    assert (crops.images == 0).all()


def test_a_frame_smaller_than_a_crop_is_padded(tmp_path):
    for edge in ("background", "reflect"):
        crops = cut(nuclei(1)[:, 50:70, 50:60], track([(1, 0, 3.0, 3.0)]), tmp_path / edge, edge=edge)
        assert crops.images.shape == (1, 64, 64)


def test_a_stopped_step_leaves_nothing_behind(tmp_path):
    asked = iter([False, False, True])
    with pytest.raises(InterruptedError, match="stopped"):
        cut_crops(
            open_movie(nuclei()), MIDDLE, tmp_path / "set", monitor=Monitor(should_stop=lambda: next(asked))
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("pixels", "tracks", "choice", "sentence"),
    [
        (nuclei(), track([(1, 0, 900.0, 3.0)]), {}, "no position inside the movie"),
        (nuclei(), track([(1, 0, 3.0, 3.0)]), {"edge": "drop"}, "within 32 pixels of the border"),
        (nuclei(), track([]), {}, "has no tracks"),
        (nuclei(), MIDDLE.drop(columns="y"), {}, "no column y"),
        (nuclei(), MIDDLE, {"model_pixel_size": 0.3}, "pixel size of film is unknown"),
        (
            np.where(nuclei() > 450, np.nan, nuclei()),
            MIDDLE,
            {},
            "Frame 0 of film has .* not finite numbers",
        ),
    ],
)
def test_what_cannot_be_cut_is_said_and_leaves_nothing(tmp_path, pixels, tracks, choice, sentence):
    with pytest.raises(InputError, match=sentence):
        cut(pixels, tracks, tmp_path / "set", **choice)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.filterwarnings("ignore::morpholaw.cells.tracks.TracksWarning")
def test_the_hela_movie_is_cut_whole(tmp_path):
    if not HELA.exists():
        pytest.skip(f"the Cell Tracking Challenge movie is not at {HELA}")
    movie = open_movie(HELA / "Fluo_Hela_02_img.tif")
    tracks = read_tracks(HELA / "02_GT" / "TRA", movie.shape)
    crops = cut_crops(movie, tracks, tmp_path / "set")
    assert crops.cells.track_id.nunique() == 269
    assert len(crops) == len(tracks)
    assert 30_000 < crops.normalisation.background < 35_000
    centre = crops.images[:, 28:36, 28:36].mean(axis=(1, 2))
    assert np.mean(centre > 7.5) > 0.9
    assert np.median(crops.images[:, 0]) < 30
