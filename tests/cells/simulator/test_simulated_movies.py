"""Simulated movies: tracks that divide in two, masks that agree with the truth, files others can read."""

import numpy as np
import pandas as pd
import pytest

from morpholaw.cells.movies import open_movie
from morpholaw.cells.normalise import fit_normalisation
from morpholaw.cells.oriented_shapes import measure_shapes
from morpholaw.cells.simulator import SimulatedMovie, movie, simulate_crops, simulate_movie
from morpholaw.cells.tracks import divisions, read_tracks, validate_tracks
from morpholaw.config import SimulateConfig
from morpholaw.errors import InputError
from morpholaw.events import Monitor

CONFIG = SimulateConfig(frames=36, cells=36, height=320, width=330, seed=4)


@pytest.fixture(scope="module")
def simulated() -> SimulatedMovie:
    return simulate_movie(CONFIG)


def test_shapes_and_types(simulated):
    assert simulated.movie.shape == simulated.masks.shape == (36, 320, 330)
    assert simulated.movie.dtype == simulated.masks.dtype == np.uint16
    assert (simulated.tracks["t"].value_counts() >= 36).all()


def test_the_same_seed_gives_the_same_movie():
    small = SimulateConfig(frames=3, cells=12, height=128, width=128, seed=9)
    one, two = simulate_movie(small), simulate_movie(small)
    np.testing.assert_array_equal(one.movie, two.movie)
    pd.testing.assert_frame_equal(one.tracks, two.tracks)
    other = simulate_movie(small.model_copy(update={"seed": 10}))
    assert not np.array_equal(one.movie, other.movie)


def test_the_tracks_are_valid_and_without_gaps(simulated):
    validate_tracks(simulated.tracks)
    assert (simulated.tracks.groupby("track_id")["t"].diff().dropna() == 1).all()


def test_every_division_has_two_daughters_right_after_a_metaphase(simulated):
    tracks = simulated.tracks
    first, last = (getattr(tracks.groupby("track_id"), end)() for end in ("first", "last"))
    daughters = first[first["parent"] >= 0]
    assert len(daughters) >= 10
    assert (daughters.groupby("parent").size() == 2).all()
    mothers = last.loc[daughters["parent"]]
    assert (mothers["label"] == "metaphase").all()
    assert (daughters["t"].to_numpy() == mothers["t"].to_numpy() + 1).all()
    assert (daughters["label"] == "anaphase").all()
    apart = np.hypot(daughters["y"].to_numpy() - mothers["y"], daughters["x"].to_numpy() - mothers["x"])
    assert apart.max() < 25
    assert len(divisions(tracks)) == daughters["parent"].nunique()


def test_phases_follow_each_other(simulated):
    for _, track in simulated.tracks.groupby("track_id"):
        order = track["label"].ne(track["label"].shift())
        phases = " ".join(track.loc[order, "label"])
        assert phases in "anaphase interphase prometaphase metaphase"


def test_masks_agree_with_the_truth(simulated):
    tracks, masks = simulated.tracks, simulated.masks
    for t in (0, 20, 35):
        frame = tracks[tracks["t"] == t]
        assert set(np.unique(masks[t])) - {0} == set(frame["track_id"])
        area = np.bincount(masks[t].ravel(), minlength=frame["track_id"].max() + 1)[frame["track_id"]]
        ratio = area * CONFIG.pixel_size**2 / frame["true_size"].to_numpy()
        assert np.median(np.abs(np.log(ratio))) < 0.03
    round_off = []
    for row in tracks[tracks["t"] == 20].itertuples():
        yx = np.argwhere(masks[20] == row.track_id)
        vectors = np.linalg.eigh(np.cov(yx.T))[1]
        if row.true_axis_ratio > 1.4:
            angle = np.arctan2(vectors[0, 1], vectors[1, 1])
            round_off.append(abs(np.sin(angle - row.true_orientation)))
    assert np.median(round_off) < 0.05


def test_nuclei_are_brighter_than_what_surrounds_them(simulated):
    picture, mask = simulated.movie[10].astype(float), simulated.masks[10] > 0
    assert picture[mask].mean() > picture[~mask].mean() + 200


def test_dividing_cells_are_large_and_lonely(simulated):
    tracks = simulated.tracks
    neighbours = tracks.groupby("label")["true_neighbours"].mean()
    assert neighbours["metaphase"] < neighbours["interphase"] - 0.7
    interphase = tracks[tracks["label"] == "interphase"]
    mothers = tracks.loc[tracks["parent"] >= 0, "parent"].unique()
    before = interphase[interphase["track_id"].isin(mothers)].groupby("track_id")["true_size"].last()
    assert before.median() > 1.4 * interphase["true_size"].median()


def test_written_movies_are_read_back(simulated, tmp_path):
    folder = simulated.write(tmp_path / "movie")
    opened = open_movie(folder / "movie.tif")
    assert opened.shape == simulated.movie.shape
    assert opened.pixel_size == pytest.approx(CONFIG.pixel_size)
    np.testing.assert_array_equal(opened.frame(7), simulated.movie[7])
    np.testing.assert_array_equal(open_movie(folder / "masks.tif").frame(7), simulated.masks[7])
    tracks = read_tracks(folder / "tracks.csv")
    for column in ("track_id", "t", "parent", "label"):
        assert list(tracks[column]) == list(simulated.tracks[column]), column
    truth = pd.read_csv(folder / "truth.csv")
    np.testing.assert_allclose(truth["true_size"], simulated.tracks["true_size"])


def test_stopping_keeps_the_frames_so_far():
    events = []
    monitor = Monitor(events.append, should_stop=lambda: len(events) == 4)
    stopped = simulate_movie(SimulateConfig(frames=9, cells=6, height=96, width=96), monitor)
    assert [event.done for event in events] == [1, 2, 3, 4]
    assert len(stopped.movie) == stopped.tracks["t"].max() + 1 == 4


def test_one_cell_in_one_frame():
    single = simulate_movie(SimulateConfig(frames=1, cells=1, height=64, width=64))
    assert len(single.tracks) == 1
    assert single.tracks["true_neighbours"].item() == 0


def test_more_tracks_than_masks_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr(movie, "_MOST_TRACKS", 5)
    with pytest.raises(InputError, match="more than 5 tracks"):
        simulate_movie(SimulateConfig(frames=1, cells=6, height=96, width=96))


def test_crops_cut_from_a_movie_look_like_simulated_crops(simulated):
    padded = np.pad(simulated.movie, ((0, 0), (32, 32), (32, 32)), mode="reflect")
    tracks = simulated.tracks.iloc[::7]
    corners = tracks[["t", "y", "x"]].round().astype(int).itertuples(index=False)
    raw = np.stack([padded[t, y : y + 64, x : x + 64] for t, y, x in corners])
    scale = fit_normalisation(raw)
    from_movie = measure_shapes(scale.apply(raw, scale.brightness(raw)))
    direct, cells = simulate_crops(600)
    from_direct = measure_shapes(direct)
    for phase, tolerance in (("interphase", 0.25), ("metaphase", 0.25)):
        one = from_movie[(tracks["label"] == phase).to_numpy()]
        other = from_direct[(cells["label"] == phase).to_numpy()]
        for column in ("area", "axis_ratio", "brightness"):
            assert one[column].median() == pytest.approx(other[column].median(), rel=tolerance), (
                phase,
                column,
            )
