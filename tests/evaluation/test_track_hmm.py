"""Classes of tracked cells from the scores along their whole tracks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from morpholaw.evaluation import track_hmm
from morpholaw.evaluation.calibration import Calibration
from morpholaw.evaluation.track_hmm import NEWBORN, REACH, CellCycle, classify_tracks

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
    probability, _ = classify_tracks(cells, scores, SURE)
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
    probability, _ = classify_tracks(cells, scores, often_wrong)
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
        probability, _ = classify_tracks(cells, np.where(scores > 0, strength, -5.0), graded)
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
    probability, _ = classify_tracks(cells[~gone].reset_index(drop=True), scores[~gone], SURE)
    assert (probability[10:13] > 0.5).all()
    assert (probability[:9] < 0.5).all()


def test_which_class_ends_in_division_is_seen_from_the_calls() -> None:
    cells, scores = movie((0, -1, [0] * 12 + [1, 1]), (14, 0, [1] + [0] * 9), (14, 0, [0] * 10))
    expected, _ = classify_tracks(cells, scores, SURE)
    turned, _ = classify_tracks(cells, -scores, Calibration(100.0, 0.0, 1 / SURE.most, 1 / SURE.least))
    np.testing.assert_allclose(turned, 1 - expected)


def test_rows_in_any_order_and_any_frame_get_the_same() -> None:
    cells, scores = movie((5, -1, [0, 0, 0, 1, 1]), (10, 0, [1, 0, 0, 0]), (10, 0, [0, 0, 0, 1]))
    expected, _ = classify_tracks(cells, scores, SURE)
    order = np.random.default_rng(0).permutation(len(cells))
    shuffled, _ = classify_tracks(cells.iloc[order].reset_index(drop=True), scores[order], SURE)
    np.testing.assert_allclose(shuffled, expected[order])


def test_how_often_stages_change_is_learnt_from_the_movie() -> None:
    slow = [(0, -1, [0] * 60 + [1] * 20)] * 20
    fast = [(0, -1, ([0] * 6 + [1] * 2))] * 200
    (_, one), (_, other) = (classify_tracks(*movie(*tracks), SURE) for tracks in (slow, fast))
    assert one.enter < 0.03 < other.enter


def test_a_daughter_seen_once_that_divides_has_a_probability() -> None:
    cells, scores = movie((0, -1, [0, 1]), (2, 0, [1]), (2, 0, [0]), (3, 1, [0]), (3, 1, [0]))
    for values in (scores, -scores):
        probability, _ = classify_tracks(cells, values, SURE)
        assert np.isfinite(probability).all()
        assert ((probability >= 0) & (probability <= 1)).all()


def test_a_gap_that_the_tracker_bridged_is_no_birth() -> None:
    gap = (0, -1, [0] * 8), (10, 0, [1, 1] + [0] * 6)
    assert called(*gap)[1] == called((0, -1, [0] * 8 + [-1, -1] + [1, 1] + [0] * 6))[0][10:]


def test_no_cells_no_calls() -> None:
    probability, _ = classify_tracks(
        pd.DataFrame({"track_id": [], "t": [], "parent": []}), np.array([]), SURE
    )
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
        patch.setattr(track_hmm, "MAX_ROUNDS", 1)  # nothing learnt yet
        probability, _ = classify_tracks(cells, seen, SURE)
    expected = by_enumeration(calls, born, divided)
    np.testing.assert_allclose(probability[: len(calls)], expected, atol=1e-9)


def by_enumeration(calls: list[int], born: bool, divided: bool) -> np.ndarray:
    cycle = CellCycle()
    ratio = {0: SURE.least, 1: SURE.most}
    start = cycle.start(cycle.unlinked_birth)
    end = cycle.linked_end if divided else np.ones(4)  # without a division it is in the movie's last frame
    positive, total = np.zeros(len(calls)), 0.0
    for stages in product(range(4), repeat=len(calls)):
        weight = float(stages[0] == NEWBORN) if born else start[stages[0]]
        for k, stage in enumerate(stages):
            if stage == 2 and 1 not in calls[max(k - REACH, 0) : k + REACH + 1]:
                weight = 0.0
            if calls[k] >= 0:
                weight *= ((1 + ratio[calls[k]]) / 2, 1.0, ratio[calls[k]], ratio[calls[k]])[stage]
            if k + 1 < len(stages):
                weight *= cycle.step[stage, stages[k + 1]]
        weight *= end[stages[-1]]
        total += weight
        positive += weight * (np.array(stages) == 2)
    return positive / total if total else positive


def test_the_steps_and_ends_of_a_track_are_all_that_can_happen() -> None:
    cycle = CellCycle()
    everything = cycle.step.sum(1) + cycle.linked_end + cycle.unlinked_end
    np.testing.assert_allclose(everything, 1)
    assert cycle.start(0.3).sum() == pytest.approx(1)


def lineages(seed: int, frames: int = 50, founders: int = 40) -> tuple[pd.DataFrame, np.ndarray]:
    """A simulated movie with a column ``kind``: 0 interphase, 1 metaphase, 2 newborn; and scores that err.

    As in real movies, 5 % of interphase images and most newborns look like a metaphase, and a quarter of the metaphase
    images do not.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int]] = []
    waiting = [(0, -1, int(rng.integers(1, 25)), 0) for _ in range(founders)]
    number = 0
    while waiting:
        start, parent, interphase, newborn = waiting.pop()
        length = interphase + int(rng.integers(1, 4))
        for k in range(min(length, frames - start)):
            kind = 2 if k < newborn else int(k >= interphase)
            rows.append((number, start + k, parent, kind))
        if start + length < frames:
            for _ in range(2):
                cycle = max(5, round(rng.normal(25, 3)))
                waiting.append((start + length, number, cycle, int(rng.integers(1, 4))))
        number += 1
    cells = pd.DataFrame(rows, columns=["track_id", "t", "parent", "kind"])
    kind = cells["kind"].to_numpy()
    positive = rng.random(len(cells)) < np.array([0.05, 0.75, 0.7])[kind]
    size = np.abs(rng.normal(np.where(positive, 1.2, 2.0), 0.7))
    size[positive & (kind == 0)] *= 0.4  # most wrong scores are weak
    return cells, np.where(positive, size, -size)


def without_links(cells: pd.DataFrame, share: float, seed: int = 0) -> pd.DataFrame:
    """The tracks of a tracker that misses a share of the divisions."""
    mothers = np.unique(cells.loc[cells["parent"] >= 0, "parent"])
    missed = mothers[np.random.default_rng(seed).random(len(mothers)) < share]
    return cells.assign(parent=cells["parent"].where(~cells["parent"].isin(missed), -1))


def divisions_found(cells: pd.DataFrame, positive: np.ndarray) -> int:
    """Return the number of mothers, by the true links, with a metaphase image that is classified as positive."""
    mothers = np.unique(cells.loc[cells["parent"] >= 0, "parent"])
    metaphase = cells["track_id"].isin(mothers) & (cells["kind"] == 1)
    return int(cells.loc[metaphase & positive, "track_id"].nunique())


GRADED = Calibration(slope=3.0, intercept=0.0, least=0.06, most=60.0)


@pytest.mark.parametrize(("missing", "least"), [(0.0, 0.95), (0.5, 0.95), (1.0, 0.90)])
def test_missing_division_links_cost_few_divisions_and_make_few_false_ones(missing, least) -> None:
    found = frames_found = 0
    for seed in range(10):  # some 940 divisions
        cells, scores = lineages(seed)
        probability, _ = classify_tracks(without_links(cells, missing), scores, GRADED)
        found += divisions_found(cells, probability >= 0.5)
        frames_found += divisions_found(cells, scores >= 0)
        interphase = (cells["kind"] != 1).to_numpy()
        assert (probability[interphase] >= 0.5).mean() <= 0.01
        assert (scores[interphase] >= 0).mean() > 0.08  # the control: frame by frame
    assert found >= least * frames_found


def test_shuffled_scores_find_no_more_divisions_than_their_frames_do() -> None:
    """The tracks alone, without evidence in the scores, do not make divisions."""
    cells, scores = lineages(0)
    shuffled = np.random.default_rng(1).permutation(scores)
    probability, _ = classify_tracks(without_links(cells, 0.5), shuffled, GRADED)
    assert divisions_found(cells, probability >= 0.5) <= divisions_found(cells, shuffled >= 0)
    assert divisions_found(cells, probability >= 0.5) < 0.6 * divisions_found(cells, scores >= 0)


def test_how_many_divisions_are_linked_is_learnt_from_the_movie() -> None:
    cells, scores = lineages(0)
    recalls = [
        classify_tracks(without_links(cells, share), scores, GRADED)[1].link_recall for share in (0, 0.5, 1)
    ]
    assert recalls[0] > 0.9
    assert 0.35 < recalls[1] < 0.65
    assert recalls[2] < 0.2
