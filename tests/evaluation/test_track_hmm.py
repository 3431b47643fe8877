"""Calls with the whole track in view."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.evaluation import track_hmm as track_calls
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.track_hmm import REACH, CellCycle, call_tracks

SURE = Calibration(slope=100.0, intercept=0.0, least=0.06, most=16.0)
"""Of a classifier whose calls are right in 94 of 100; a score of 1 is as sure as its calls are."""


def movie(*tracks: tuple[int, int, list[int]]) -> tuple[pd.DataFrame, np.ndarray]:
    """Cells and scores, -1 or 1, of tracks given as (first frame, parent or -1, calls); a track's id is its place."""
    rows, calls = [], []
    for number, (start, parent, own) in enumerate(tracks):
        rows += [
            {"track_id": number, "t": start + k, "y": 0.0, "x": 0.0, "parent": parent}
            for k in range(len(own))
        ]
        calls += own
    return pd.DataFrame(rows), scores_of(calls)


def scores_of(calls: list[int]) -> np.ndarray:
    """-1.0 for the call 0, 1.0 for 1, no number for -1."""
    return np.array([-1.0, 1.0, np.nan])[np.array(calls, np.int64)]


def called(*tracks: tuple[int, int, list[int]]) -> list[list[int]]:
    """The calls with the tracks in view, a list a track."""
    cells, scores = movie(*tracks)
    probability, _ = call_tracks(cells, scores, SURE)
    return [
        (probability[cells["track_id"] == number] >= 0.5).astype(int).tolist()
        for number in range(len(tracks))
    ]


def test_a_metaphase_before_a_division_stays_and_its_daughters_are_none() -> None:
    mother = (0, -1, [0] * 12 + [1, 1])
    daughter = (14, 0, [1, 1] + [0] * 10)
    other = (14, 0, [1, 0] + [0] * 10)
    assert called(mother, daughter, other) == [mother[2], [0] * 12, [0] * 12]


def test_a_single_odd_call_in_a_long_interphase_is_none() -> None:
    assert called((0, -1, [0] * 10 + [1] + [0] * 10)) == [[0] * 21]


def test_a_division_alone_makes_no_metaphase_that_no_picture_shows() -> None:
    seen = [
        [(3 * k, -1, [0] * 6 + [1]), (3 * k + 7, 3 * k, [0] * 4), (3 * k + 7, 3 * k, [0] * 4)]
        for k in range(30)
    ]
    tracks = [track for family in seen for track in family]
    passed_over = (0, -1, [0] * 7)
    tracks += [passed_over, (7, 90, [0] * 4), (7, 90, [0] * 4)]
    cells, scores = movie(*tracks)
    # a mother's interphase is likelier a missed metaphase
    often_wrong = Calibration(100.0, 0.0, least=0.4, most=20.0)
    probability, _ = call_tracks(cells, scores, often_wrong)
    assert (probability[cells["track_id"] == 90] < 0.5).all()
    assert (probability[(cells["track_id"] == 0)][-1:] > 0.5).all()


def test_a_long_metaphase_that_the_movie_does_not_see_the_end_of_stays() -> None:
    arrested = [0] * 10 + [1] * 10
    assert called((0, -1, arrested)) == [arrested]


def test_weak_scores_are_no_metaphase_where_strong_ones_are_and_a_division_makes_up_for_them() -> None:
    cells, scores = movie(
        (0, -1, [0] * 8 + [1] * 4 + [0] * 8), (0, -1, [0] * 8 + [1] * 2), (10, 1, [0]), (10, 1, [0])
    )
    run, mother = (cells["track_id"] == 0).to_numpy(), (cells["track_id"] == 1).to_numpy()
    graded = Calibration(slope=1.0, intercept=0.0, least=0.06, most=16.0)
    for strength, long_run in ((5.0, True), (0.2, False)):
        probability, _ = call_tracks(cells, np.where(scores > 0, strength, -5.0), graded)
        assert (probability[run][8:12] > 0.5).all() == long_run
        assert (probability[mother][-1:] > 0.5).all()


def test_a_cell_that_looks_like_a_metaphase_for_good_is_none() -> None:
    families = [track for k in range(0, 30, 3) for track in dividing(k)]
    from_the_first_frame = (0, -1, [1] * 18 + [0, 1])
    assert called(*families, from_the_first_frame)[-1] == [0] * 20
    from_birth_on = (8, 0, [0] + [1] * 12)
    families[1] = from_birth_on
    assert called(*families)[1] == [0] * 13
    assert called(*families)[0] == families[0][2]


def test_a_cell_that_stays_in_metaphase_for_long_and_then_divides_is_one() -> None:
    families = [track for k in range(0, 90, 3) for track in dividing(k)]
    delayed = [(0, -1, [0] + [1] * 7), (8, 90, [0] * 12), (8, 90, [0] * 12)]
    assert called(*families, *delayed)[90] == delayed[0][2]


def dividing(number: int) -> list[tuple[int, int, list[int]]]:
    """A mother, number ``number``, in metaphase for a frame, and its daughters."""
    return [(0, -1, [0] * 7 + [1]), (8, number, [0] * 12), (8, number, [0] * 12)]


def test_a_frame_without_a_picture_is_bridged() -> None:
    cells, scores = movie((0, -1, [0] * 10 + [1, 1, 1, 1]), (14, 0, [0] * 6), (14, 0, [0] * 6))
    gone = (cells["track_id"] == 0) & (cells["t"] == 12)
    scores[(cells["track_id"] == 0) & (cells["t"] == 11)] = np.nan
    probability, _ = call_tracks(cells[~gone].reset_index(drop=True), scores[~gone], SURE)
    assert (probability[10:13] > 0.5).all()
    assert (probability[:9] < 0.5).all()


def test_which_class_ends_in_division_is_seen_from_the_calls() -> None:
    cells, scores = movie((0, -1, [0] * 12 + [1, 1]), (14, 0, [1] + [0] * 9), (14, 0, [0] * 10))
    expected, _ = call_tracks(cells, scores, SURE)
    turned, _ = call_tracks(cells, -scores, Calibration(100.0, 0.0, 1 / SURE.most, 1 / SURE.least))
    np.testing.assert_allclose(turned, 1 - expected)


def test_rows_in_any_order_and_any_frame_get_the_same() -> None:
    cells, scores = movie((5, -1, [0, 0, 0, 1, 1]), (10, 0, [1, 0, 0, 0]), (10, 0, [0, 0, 0, 1]))
    expected, _ = call_tracks(cells, scores, SURE)
    order = np.random.default_rng(0).permutation(len(cells))
    shuffled, _ = call_tracks(cells.iloc[order].reset_index(drop=True), scores[order], SURE)
    np.testing.assert_allclose(shuffled, expected[order])


def test_how_often_stages_change_is_learnt_from_the_movie() -> None:
    slow = [(0, -1, [0] * 60 + [1] * 20)] * 20
    fast = [(0, -1, ([0] * 6 + [1] * 2))] * 200
    (_, one), (_, other) = (call_tracks(*movie(*tracks), SURE) for tracks in (slow, fast))
    assert one.enter < 0.03 < other.enter


def test_a_daughter_seen_once_that_divides_has_a_probability() -> None:
    cells, scores = movie((0, -1, [0, 1]), (2, 0, [1]), (2, 0, [0]), (3, 1, [0]), (3, 1, [0]))
    for values in (scores, -scores):
        _, cycle = call_tracks(cells, values, SURE)
        stages, _ = track_calls._expect(_lineup(cells, values), cycle)
        np.testing.assert_allclose(stages[0].sum(-1), 1)


def _lineup(cells: pd.DataFrame, scores: np.ndarray) -> track_calls.Lineup:
    first, frame = cells["track_id"].to_numpy(), cells.groupby("track_id").cumcount().to_numpy()
    divided = track_calls.divisions(cells)
    return track_calls._line_up(scores > 0, SURE.odds(scores), np.unique(first), first, frame, divided)


def test_no_cells_no_calls() -> None:
    probability, _ = call_tracks(pd.DataFrame({"track_id": [], "t": [], "parent": []}), np.array([]), SURE)
    assert probability.shape == (0,)


@settings(max_examples=40, deadline=None)
@given(
    calls=st.lists(st.integers(-1, 1), min_size=1, max_size=5),
    born=st.booleans(),
    divided=st.booleans(),
)
def test_probabilities_are_those_of_all_ways_the_stages_could_go(
    calls: list[int], born: bool, divided: bool
) -> None:
    """Against the sum over every path of stages, 4 ** frames of them, for the cycle that was believed at first."""
    tracks = [(10, -1, calls)]
    if divided:
        tracks += [(10 + len(calls), 0, [0]), (10 + len(calls), 0, [0])]
    if born:
        mother = len(tracks)
        tracks[0] = (10, mother, calls)
        tracks += [(9, -1, [0]), (10, mother, [0])]
    for _ in range(9):  # others, from which it is plain that the positive class ends in division
        tracks += [(0, -1, [0, 1]), (2, len(tracks), [0]), (2, len(tracks), [0])]
    cells, seen = movie(*tracks)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(track_calls, "ROUNDS", 1)  # nothing learnt yet
        probability, _ = call_tracks(cells, seen, SURE)
    expected = by_enumeration(calls, born, divided)
    np.testing.assert_allclose(probability[: len(calls)], expected, atol=1e-9)


def by_enumeration(calls: list[int], born: bool, divided: bool) -> np.ndarray:
    cycle = CellCycle()
    odds = {0: SURE.least, 1: SURE.most}
    divides = (cycle.slip, cycle.slip, cycle.divide, 0.0)
    positive, total = np.zeros(len(calls)), 0.0
    for stages in product(range(4), repeat=len(calls)):
        weight = float(stages[0] == 0) if born else cycle.first[stages[0]]
        for k, stage in enumerate(stages):
            if stage == 2 and 1 not in calls[max(k - REACH, 0) : k + REACH + 1]:
                weight = 0.0
            if calls[k] >= 0:
                weight *= ((1 + odds[calls[k]]) / 2, 1.0, odds[calls[k]], odds[calls[k]])[stage]
            if k + 1 < len(stages):
                weight *= (1 - divides[stage]) * cycle.transitions[stage, stages[k + 1]]
        weight *= divides[stages[-1]] if divided else 1.0
        total += weight
        positive += weight * (np.array(stages) == 2)
    return positive / total if total else positive
